"""The cases of a file, and what of it makes none."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from trainer.evaluation.console.refusals import Refused
from trainer.evaluation.reading import CaseRejection, read_cases
from trainer.evaluation.report.rejection_text import refusal_sentence, rejection_line
from trainer.i18n import N_
from trainer.importers import FileRefusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainer.evaluation.cases import Case
    from trainer.i18n import Translator

SHOWN_MOST: Final = 20
"""Entries that make no case which are told of one by one."""
STANDARD_INPUT: Final = Path("-")


class CaseFile(NamedTuple):
    """A file that can be read more than once."""

    path: Path
    name: str


@contextmanager
def case_file(path: Path) -> Iterator[CaseFile]:
    """The file at a path, or a copy of what comes from a pipe. Raises `OSError`."""
    if path != STANDARD_INPUT and (path.is_file() or path.is_dir() or not path.exists()):
        with path.open("rb"):
            # Whatever is wrong with it is told before anything is begun.
            pass
        yield CaseFile(path, path.name)
        return
    with tempfile.NamedTemporaryFile(prefix="trainger-cases-") as copy:
        if path == STANDARD_INPUT:
            shutil.copyfileobj(sys.stdin.buffer, copy)
        else:
            with path.open("rb") as source:
                shutil.copyfileobj(source, copy)
        copy.flush()
        yield CaseFile(Path(copy.name), "stdin")


class Rejecting:
    """Reads a file of cases, and notes what makes none.

    Args:
        file: the file.
        t: says what is wrong.
        allowed: whether cases are given although something makes none.
    """

    def __init__(self, file: CaseFile, t: Translator, *, allowed: bool) -> None:
        self._file = file
        self._t = t
        self._allowed = allowed
        self.name = file.name
        self._lines: list[str] = []
        self.count = 0
        """Entries that make no case, of those read so far."""

    def cases(self) -> Iterator[Case]:
        """The cases. Raises `Refused`: the file is refused, or something in it and that is not allowed."""
        try:
            for item in read_cases(self._file.path, self._file.name):
                if not isinstance(item, CaseRejection):
                    yield item
                    continue
                self.count += 1
                if self.count <= SHOWN_MOST:
                    self._lines.append(rejection_line(self._t, item))
        except FileRefusal as refusal:
            raise Refused(f"{self._file.name}: {refusal_sentence(self._t, refusal)}") from None
        if self.count and not self._allowed:
            text = self._t(N_("Nothing was tested. Mend the file, or go on without them by --allow-rejected."))
            raise Refused(f"{self.told()}\n{text}")

    def told(self) -> str:
        """What makes no case; a line for each of the first of them."""
        t = self._t
        first = t.plural("{count} entry makes no case:", "{count} entries make no case:", self.count)
        lines = [f"{self._file.name}: {first}", *(f"  {line}" for line in self._lines)]
        more = self.count - len(self._lines)
        if more:
            lines.append("  " + t.plural("…and {count} more", "…and {count} more", more))
        return "\n".join(lines)
