"""Everything that a worker, or a voice, may ask of what the bot knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from trainer.retention import Policy

if TYPE_CHECKING:
    from trainer.answering import Answering
    from trainer.corrections import Corrections
    from trainer.library import Library
    from trainer.limit_store import Limiter
    from trainer.ports import ObjectStore
    from trainer.training import Training
    from trainer.usage import Ledger


class Services(NamedTuple):
    """The rooms, wired. `trainer.bootstrap` makes it."""

    store: ObjectStore
    library: Library
    training: Training
    answering: Answering
    corrections: Corrections
    limits: Limiter | None = None
    """None: nobody is held back."""
    ledger: Ledger | None = None
    """None: what answers cost is not counted."""
    policy: Policy = Policy()
    """How long things are kept, as far as that can be chosen."""
    chat_host: str = ""
    """The host of the language model that questions are sent to; empty if there is none."""

    def close(self) -> None:
        """Close what was opened."""
        self.library.close()
