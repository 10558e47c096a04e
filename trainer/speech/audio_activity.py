"""Whether a recording has anything in it that could be speech: enough to tell people what went wrong with theirs.

This is no voice activity detector. It says no only where nobody could disagree: nothing was recorded, next to
nothing, or a sound that stays the same from beginning to end (hiss, hum, a tone, an engine). Speech changes its
spectrum several times a second; what does not, in any second of the recording, is not speech. Music and clatter pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from trainer.speech.audio_pcm import QUIETEST, RATE, decibels, regroup

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from trainer.speech.audio_pcm import Samples

Verdict = Literal["speech_like", "silence", "too_quiet", "noise"]

SILENCE: Final = -80.0
"""dBFS of the loudest second: below, a microphone was muted."""
TOO_QUIET: Final = -70.0
"""Ten units of 16 bits. A voice as quiet is lost in what a microphone makes of nothing."""
STEADY: Final = 1.8
"""dB by which the level of a band varies within a second. Noise stays below 1.4; voices 5 dB below it exceed 2."""

_FRAME: Final = 512
"""Samples: 32 ms."""
_TOGETHER: Final = 2
"""Frames that are averaged, as the spectrum of noise is rough from frame to frame: 64 ms, shorter than syllables."""
_EDGES: Final = (5, 16, 32, 52, 76, 104, 136)
"""Of the bands, in bins of 31 Hz: 150 Hz to 4.2 kHz, where voices are; wide, as noise is smoother over many bins."""
_WINDOW: Final[NDArray[np.float32]] = np.hanning(_FRAME).astype(np.float32)
_LEAST: Final = RATE // 2
"""Samples: what is shorter is too little to say that it stays the same."""


class Activity:
    """Listens to a stream as it passes, a second at a time."""

    def __init__(self) -> None:
        self.loudest: float = QUIETEST
        """dBFS of the loudest second."""
        self.liveliest: float = 0.0
        """dB by which bands vary in the second in which they vary most; speech has 5 to 15."""
        self._short = True

    def watch(self, chunks: Iterable[Samples]) -> Iterator[Samples]:
        """The same sound in chunks of a second, listened to as they are taken."""
        for chunk in regroup(chunks, RATE):
            self._listen(chunk)
            yield chunk

    @property
    def verdict(self) -> Verdict:
        """About what has passed so far."""
        if self.loudest < SILENCE:
            return "silence"
        if self.loudest < TOO_QUIET:
            return "too_quiet"
        return "noise" if self.liveliest < STEADY and not self._short else "speech_like"

    def _listen(self, second: Samples) -> None:
        bands = _bands(second)
        level = float(decibels(bands.sum(axis=1).mean(keepdims=True))[0])
        self.loudest = max(self.loudest, level)
        if level < TOO_QUIET:
            return
        if len(second) >= _LEAST:
            self._short = False
            # Percentiles one standard deviation away: what happens to a frame or two, as when a codec starts or
            # somebody clicks, does not count.
            low, high = np.quantile(decibels(bands), (0.16, 0.84), axis=0)
            self.liveliest = max(self.liveliest, float((high - low).mean() / 2))


def activity_of(samples: Samples) -> Verdict:
    """The verdict about one piece."""
    activity = Activity()
    for _ in activity.watch([samples]):
        pass
    return activity.verdict


def _bands(samples: Samples) -> NDArray[np.float32]:
    """The mean square in each band (columns) of successive 64 ms (rows), one at least."""
    if len(samples) < _FRAME * _TOGETHER:
        samples = np.pad(samples, (0, _FRAME * _TOGETHER - len(samples)))
    rows = len(samples) // (_FRAME * _TOGETHER)
    frames = samples[: rows * _FRAME * _TOGETHER].reshape(rows * _TOGETHER, _FRAME).astype(np.float32)
    frames -= frames.mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(frames * _WINDOW)) ** 2
    # By Parseval's theorem the bins sum to the mean square; each but the first and last stands for two.
    power *= 2 / (_FRAME * np.square(_WINDOW).sum())
    together = power.reshape(rows, _TOGETHER, -1).mean(axis=1)
    return np.add.reduceat(together, _EDGES, axis=1)[:, :-1].astype(np.float32)
