"""Makes ears that share one voice activity model, and says which models are in force."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from voice_sidecar.turns import silero
from voice_sidecar.turns.ear import Ear
from voice_sidecar.turns.endpoint import choose
from voice_sidecar.turns.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from voice_sidecar.turns.endpoint import Endpoint
    from voice_sidecar.turns.vad import Vad


class Ears:
    """A factory. No two turns of its ears have the same number.

    Args:
        vad: Makes a voice activity model for one stream.
        endpoint: Whom to ask at pauses whether the turn is over; nobody for silence alone.
        settings: Of all ears.
        name: What is in force, as `/healthz` shows it.
    """

    def __init__(
        self,
        vad: Callable[[], Vad],
        *,
        endpoint: Endpoint | None = None,
        settings: Settings | None = None,
        name: str = "",
    ) -> None:
        self.endpoint = endpoint
        self.name = name
        self._vad = vad
        self._settings = settings or Settings()
        self._turns = count(1)

    def ear(self, user_id: int) -> Ear:
        """For somebody who is to be heard."""
        return Ear(user_id, self._vad(), self._settings, turns=self._turns)


def load_ears(settings: Settings | None = None, *, semantic: bool = True) -> Ears:
    """Ears with the models that are installed: Silero's, and one that hears whether a turn is over, if there is one.

    Args:
        settings: Of all ears.
        semantic: Whether to use the latter.

    Raises:
        WeightsMissing: If the voice activity model is not installed, or a model is not the one that is expected.
    """
    endpoint = choose() if semantic else None
    name = f"{silero.NAME}, {endpoint.name if endpoint else 'silence'}"
    return Ears(silero.SileroModel().stream, endpoint=endpoint, settings=settings, name=name)
