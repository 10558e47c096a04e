"""A long recording cut into pieces that a recogniser takes, in the middle of pauses.

The pieces follow each other without gap or overlap: joined they are the input, and their positions are exact, so that
times within a piece become times within the recording by adding its start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from trainer.speech.audio_levels import FRAME, silence_below
from trainer.speech.audio_pcm import RATE, Levels, Samples, frame_levels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SHORTEST_S: Final = 2.0
"""The least that pieces may be limited to."""
_PAUSE: Final = 10
"""Frames that make a pause between words; shorter ones are stop consonants."""
_MARGIN: Final = 10
"""Frames kept on both sides when silence is trimmed: quiet consonants begin and end words."""


class Piece(NamedTuple):
    """Some of a recording."""

    start: int
    """Position of the first sample in the recording."""
    samples: Samples
    """All of it, silence included."""
    lead: int
    """How many samples of silence there are at the beginning; all, if there is nothing else."""
    tail: int
    """How many there are at the end; 0 if there is nothing else."""

    @property
    def start_s(self) -> float:
        """Seconds from the start of the recording."""
        return self.start / RATE

    @property
    def end_s(self) -> float:
        """Seconds from the start of the recording."""
        return (self.start + len(self.samples)) / RATE

    @property
    def silent(self) -> bool:
        """Whether there is nothing but silence."""
        return self.lead == len(self.samples)

    @property
    def trimmed(self) -> Samples:
        """Without the silence at both ends."""
        return self.samples[self.lead : len(self.samples) - self.tail]

    @property
    def trimmed_start_s(self) -> float:
        """What to add to times within `trimmed`."""
        return (self.start + self.lead) / RATE


def split(chunks: Iterable[Samples], *, most_s: float) -> Iterator[Piece]:
    """Cut a stream into pieces of at most `most_s` seconds and, if there are several, at least a third of that.

    Each is cut in the middle of the longest pause in its last third or, failing that, in the third before; where
    nobody pauses, at the quietest place. Holds two pieces in memory at most.

    Raises:
        ValueError: `most_s` is less than `SHORTEST_S`.
    """
    if most_s < SHORTEST_S:
        message = f"pieces of at least {SHORTEST_S} s, not {most_s}"
        raise ValueError(message)
    most = int(most_s * RATE)
    third = most // 3
    start = count = 0
    waiting: list[Samples] = []
    for chunk in chunks:
        waiting.append(chunk)
        count += len(chunk)
        # A third more than a piece, so that what remains at the end is no scrap.
        while count >= most + third:
            joined = np.concatenate(waiting)
            cut = find_cut(joined, (2 * third, third), most)
            yield _piece(start, joined[:cut])
            start, count, waiting = start + cut, count - cut, [joined[cut:]]
    if count > most:
        joined = np.concatenate(waiting)
        cut = find_cut(joined, (third,), count - third)
        yield _piece(start, joined[:cut])
        start, count, waiting = start + cut, count - cut, [joined[cut:]]
    if count:
        yield _piece(start, np.concatenate(waiting))


def find_cut(samples: Samples, lows: tuple[int, ...], high: int) -> int:
    """Where to cut, between one of `lows` and `high`: a position.

    The middle of the longest pause, the later of equals, between the first of `lows` after which there is a pause and
    `high`; or else the middle of the quietest place after the last of them.
    """
    levels = frame_levels(samples, FRAME)
    below = silence_below(levels)
    last = high // FRAME
    first = last
    for low in lows:
        first = -(-low // FRAME)
        pauses = [(end - begin, begin) for begin, end in _runs(levels[first:last] <= below) if end - begin >= _PAUSE]
        if pauses:
            length, begin = max(pauses)
            return (first + begin) * FRAME + length * FRAME // 2
    return (first + _least(levels[first:last])) * FRAME + FRAME // 2


def _least(levels: Levels) -> int:
    """The frame around which it is quietest, for about as long as a pause takes."""
    power = np.pad(10 ** (levels / 10), _PAUSE // 2, mode="edge")
    around = np.convolve(power, np.full(_PAUSE + 1, 1 / (_PAUSE + 1)), mode="valid")
    return int(np.argmin(around))


def _runs(quiet: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[tuple[int, int]]:
    """Begin and end of each run of true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], quiet, [False])).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _piece(start: int, samples: Samples) -> Piece:
    samples = samples.copy()  # so that it does not keep alive what it was cut from
    levels = frame_levels(samples, FRAME)
    loud = np.flatnonzero(levels > silence_below(levels))
    if not len(loud):
        return Piece(start, samples, len(samples), 0)
    lead = max(0, int(loud[0]) - _MARGIN) * FRAME
    end = min(len(samples), (int(loud[-1]) + 1 + _MARGIN) * FRAME)
    return Piece(start, samples, lead, len(samples) - end)
