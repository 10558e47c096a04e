"""Everything that a worker, or a voice, may ask of what the bot knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from trainer.answering import Answering
    from trainer.corrections import Corrections
    from trainer.library import Library
    from trainer.ports import ObjectStore
    from trainer.training import Training


class Services(NamedTuple):
    """The rooms, wired. `trainer.bootstrap` makes it."""

    store: ObjectStore
    library: Library
    training: Training
    answering: Answering
    corrections: Corrections

    def close(self) -> None:
        """Close what was opened."""
        self.library.close()
