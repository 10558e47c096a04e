"""One turn while it lasts: its sound, and what is known of its present pause."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trainer.ports.speech import Sound
from voice_sidecar.turns.vad import RATE

if TYPE_CHECKING:
    from voice_sidecar.turns.events import Paused


@dataclass(slots=True)
class Turn:
    """A turn that is not over.

    Attributes:
        number: Which.
        pcm: Its sound, from the lead on.
        samples: How long it is so far, without what was put in front.
        voiced: How much of that is voice.
        last_voiced: The position where the last voice ended.
        voiced_bytes: Of the sound, up to there.
        pauses: How many pauses were told.
        paused: The pause that was told, while it lasts.
        verdict: What was said of that pause: how likely it is that the turn is over.
    """

    number: int
    pcm: bytearray
    samples: int = 0
    voiced: int = 0
    last_voiced: int = 0
    voiced_bytes: int = 0
    pauses: int = 0
    paused: Paused | None = field(default=None, repr=False)
    verdict: float | None = None

    @property
    def voiced_s(self) -> float:
        """Seconds of voice."""
        return self.voiced / RATE

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.samples / RATE

    def add(self, pcm: bytes) -> None:
        """Sound that follows."""
        self.pcm += pcm
        self.samples += len(pcm) // 2

    def add_voice(self, pcm: bytes, end: int) -> None:
        """Sound with voice that follows, up to a position."""
        self.add(pcm)
        self.voiced += len(pcm) // 2
        self.voiced_bytes = len(self.pcm)
        self.last_voiced = end

    def after_voice(self) -> bytes:
        """The sound since the last voice."""
        return bytes(self.pcm[self.voiced_bytes :])

    def sound(self) -> Sound:
        """All of it so far."""
        return Sound(bytes(self.pcm), RATE)
