"""From pieces of a stream to windows for the voice activity model, and to times on our clock. Pure.

Positions count samples on one time line a person: when a new stream begins, its positions are shifted to where our
clock says that it is. What came late is told apart from what was said late by the piece that came soonest: packets
can be delayed, but never arrive before they were sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from voice_sidecar.receiving.speaker import Sound
from voice_sidecar.turns.vad import RATE, WINDOW

if TYPE_CHECKING:
    from voice_sidecar.receiving.speaker import Chunk

_BELIEVED_DELAY: Final = 0.5
"""Seconds. What comes later than that was said later: positions stood still in the meantime."""


class Window(NamedTuple):
    """Sound to look at: 512 samples, or less where nothing follows at once."""

    start: int
    end: int
    pcm: bytes


class Quiet(NamedTuple):
    """Nothing was said."""

    start: int
    end: int


class Windows:
    """One person's time line."""

    def __init__(self) -> None:
        self._stream: int | None = None
        self._shift = 0  # from the stream's positions to ours
        self._end = 0  # of all that was given
        self._held = bytearray()  # the sound before that which is not yet a window
        self._origin = 0.0  # our clock at position 0

    def clock(self, position: int) -> float:
        """When that was said, by our clock."""
        return self._origin + position / RATE

    def take(self, chunk: Chunk, now: float, *, in_turn: bool) -> list[Window | Quiet]:
        """The windows that a piece completes, and silence.

        Args:
            chunk: What came.
            now: When.
            in_turn: Times must not move, as pauses are measured. Else the clock is set by this piece.
        """
        length = len(chunk.pcm) // 2
        steps: list[Window | Quiet] = []
        if chunk.stream != self._stream:
            steps += self.flush()
            by_clock = 0 if self._stream is None else round((now - self._origin) * RATE) - length
            self._stream, self._shift = chunk.stream, max(self._end, by_clock) - chunk.position
        start = chunk.position + self._shift
        end = start + length
        if end <= self._end:
            return steps  # it was there before
        origin = now - end / RATE
        if not in_turn or origin < self._origin or origin > self._origin + _BELIEVED_DELAY:
            self._origin = origin
        if chunk.sound is Sound.SILENCE:
            return steps + self._quiet(end)
        steps += self._quiet(start)
        self._held += chunk.pcm[2 * (self._end - start) :]
        self._end = end
        while len(self._held) >= 2 * WINDOW:
            steps.append(self._window(WINDOW))
        return steps

    def flush(self) -> list[Window | Quiet]:
        """What is held back, as nothing came that would make it a window."""
        return [self._window(len(self._held) // 2)] if self._held else []

    def _quiet(self, until: int) -> list[Window | Quiet]:
        """Nothing was said from the end of what was given until there."""
        if until <= self._end:
            return []
        steps = self.flush()
        steps.append(Quiet(self._end, until))
        self._end = until
        return steps

    def _window(self, length: int) -> Window:
        start = self._end - len(self._held) // 2
        window = Window(start, start + length, bytes(self._held[: 2 * length]))
        del self._held[: 2 * length]
        return window
