"""Sound as it is worked with: mono 16 kHz 16-bit samples, in pieces of bounded size.

Levels are in dBFS: 0 is the RMS of a square wave of full scale.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Samples = NDArray[np.int16]
"""Shape (n,): one channel."""
Levels = NDArray[np.float64]
"""dBFS of successive frames."""
Check = Callable[[], None]
"""Called often during long work; what it raises ends the work and reaches the caller."""

RATE: Final = 16_000
"""Samples a second, which is what recognition and voice activity models take."""
FULL_SCALE: Final = 32_768
QUIETEST: Final = -100.0
"""What silence counts as; one bit of noise is -90 dBFS."""

RefusalReason = Literal["unsupported", "broken", "no_audio_track", "too_long", "empty", "encrypted", "too_slow"]


class AudioRefused(Exception):
    """A file, or its sound, that is not taken.

    Attributes:
        reason: `unsupported`: no format or codec that is accepted. `broken`: of an accepted format, but damaged.
            `no_audio_track`: such as a silent film. `too_long`: beyond the caller's limit. `empty`: not one sample.
            `encrypted`: protected by rights management. `too_slow`: the time limit was reached.
    """

    def __init__(self, reason: RefusalReason) -> None:
        super().__init__(reason)
        self.reason: RefusalReason = reason


def unhurried() -> None:
    """The `Check` of callers without a limit."""


def regroup(chunks: Iterable[Samples], size: int) -> Iterator[Samples]:
    """The same samples in chunks of exactly `size`; the last may be shorter. Never an empty one."""
    waiting: list[Samples] = []
    count = 0
    for chunk in chunks:
        waiting.append(chunk)
        count += len(chunk)
        if count < size:
            continue
        joined = np.concatenate(waiting)
        whole = count - count % size
        for start in range(0, whole, size):
            yield joined[start : start + size]
        waiting, count = [joined[whole:]], count - whole
    if count:
        yield np.concatenate(waiting)


def frame_levels(samples: Samples, frame: int) -> Levels:
    """The level of each `frame` samples, an incomplete last frame included. A constant offset is not sound."""
    if not len(samples):
        return np.empty(0, np.float64)
    whole = len(samples) // frame * frame
    levels = decibels(samples[:whole].reshape(-1, frame).astype(np.float32).var(axis=1)) if whole else np.empty(0)
    if whole == len(samples):
        return levels
    return np.append(levels, decibels(samples[whole:].astype(np.float32).var(keepdims=True)))


def level(samples: Samples) -> float:
    """The level of all samples together; `QUIETEST` for none."""
    return float(frame_levels(samples, len(samples))[0]) if len(samples) else QUIETEST


def decibels(power: NDArray[np.floating]) -> Levels:
    """Mean squares of samples as dBFS."""
    lowest = 10 ** (QUIETEST / 10)
    return np.asarray(10 * np.log10(np.maximum(power.astype(np.float64) / FULL_SCALE**2, lowest)))
