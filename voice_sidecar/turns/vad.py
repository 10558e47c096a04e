"""The port of voice activity models."""

from __future__ import annotations

from typing import Final, Protocol

RATE: Final = 16_000
"""Samples a second."""
WINDOW: Final = 512
"""Samples of a window: 32 ms, the one length that Silero's models take at this rate."""


class Vad(Protocol):
    """Tells voice from other sound in one person's stream; it may remember what came before."""

    def probability(self, window: bytes) -> float:
        """How likely it is, 0 to 1, that there is voice in the next window: 512 16-bit little-endian samples."""
        ...

    def reset(self) -> None:
        """What comes next has nothing to do with what came before."""
        ...
