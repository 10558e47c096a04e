"""The port of models that hear whether a turn is over, and which of them is used."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from voice_sidecar.turns import smart_turn
from voice_sidecar.turns.weights import WeightsMissing

if TYPE_CHECKING:
    from trainer.ports.speech import Sound


logger = logging.getLogger(__name__)


class Endpoint(Protocol):
    """Hears in how something is said whether it is finished. Safe to use from several threads.

    Without one, silence alone ends a turn (`silence`).
    """

    name: str
    """As `/healthz` shows it."""

    def probability(self, sound: Sound) -> float:
        """How likely it is, 0 to 1, that the speaker of a sound of 16 kHz is finished. Takes tens of milliseconds."""
        ...


def choose() -> Endpoint | None:
    """The best that is installed; none if nothing is, or if it is another version than the one known here."""
    if not smart_turn.WEIGHTS.installed():
        return None
    try:
        return smart_turn.SmartTurn()
    except WeightsMissing as problem:
        logger.warning("turns end by silence alone", extra={"problem": str(problem)})
        return None
