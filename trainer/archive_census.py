"""What of a dataset counts, by its records alone. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from trainer.batches import Batch
from trainer.corrections import Correction, Verdict

if TYPE_CHECKING:
    from trainer.archive_format import Record


class Counted(NamedTuple):
    """How much there is."""

    examples: int
    corrections: int


class Census:
    """Takes the records of a dataset in any order, and says which of them count."""

    def __init__(self) -> None:
        self.examples: dict[str, int] = {}
        """How many each batch brought."""
        self.corrections: dict[str, bool] = {}
        """Whether each was a proposal."""
        self.authors: dict[str, str] = {}
        """Who taught each batch and wrote each correction."""
        self.removed: set[str] = set()
        """Batches and corrections that count no more, whatever else is said of them."""
        self._approved: set[str] = set()
        self._decided: set[str] = set()
        self._undone: set[str] = set()

    def add(self, name: str, record: Record) -> None:
        """Take a record, which is named by an interaction."""
        if isinstance(record, Batch):
            self.examples[name] = record.report.accepted
            self.authors[name] = record.author
        elif isinstance(record, Correction):
            self.corrections[name] = record.proposed
            self.authors[name] = record.author
        elif isinstance(record, Verdict):
            self._decided.add(name)
            if record.approved:
                self._approved.add(name)
        else:
            self._undone.add(name)

    def counts(self, name: str) -> bool:
        """Whether this batch or correction is used for answers."""
        if name in self.removed:
            return False
        if name in self.examples:
            return True
        applied = name in self.corrections and (not self.corrections[name] or name in self._approved)
        return applied and name not in self._undone

    def waits(self, name: str) -> bool:
        """Whether this is a proposal that nobody has decided about."""
        return self.corrections.get(name, False) and name not in self._decided and name not in self.removed

    def counted(self) -> Counted:
        """How much counts."""
        examples = sum(many for name, many in self.examples.items() if self.counts(name))
        return Counted(examples, sum(map(self.counts, self.corrections)))
