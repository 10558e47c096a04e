"""How loud speech is, and one gain for a piece that brings it to where recognition works best.

The loudness is gated as in ITU-R BS.1770: what is below -70 dB does not count, nor what is 10 dB below the mean of
the rest, so that pauses do not make a recording quieter than it is. It differs where the standard has music in mind:
there is no K-weighting filter, frames are of 20 ms, and the loudest tenth of a second does not count, as a click is
no voice. One gain for the whole piece changes no relation within it, unlike a compressor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from trainer.speech.audio_pcm import FULL_SCALE, QUIETEST, RATE, Levels, Samples, frame_levels

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAME: Final = RATE // 50
"""Samples: 20 ms, shorter than any speech sound."""
_CLICKS: Final = 5
"""So many of the loudest frames do not count, where there are enough others."""
_ABSOLUTE_GATE: Final = -70.0
_RELATIVE_GATE: Final = -10.0

TARGET: Final = -20.0
"""dBFS of speech after normalising: as dictation software and telephone networks have it, roughly."""
MOST_GAIN: Final = 40.0
"""dB. Beyond, it is mostly noise that gets loud."""
_CEILING: Final = 0.9
"""Of full scale, for all but the `_CLICKS`."""

_SURELY_SILENT: Final = -65.0
_ABOVE_FLOOR: Final = 6.0
_BELOW_SPEECH: Final = 15.0


def loudness(samples: Samples) -> float:
    """Gated loudness in dBFS; `QUIETEST` if nothing is above the gate."""
    levels = _without_clicks(frame_levels(samples, FRAME))
    levels = levels[levels > _ABSOLUTE_GATE]
    if not len(levels):
        return QUIETEST
    return _mean(levels[levels > _mean(levels) + _RELATIVE_GATE])


def normalise(samples: Samples, *, target: float = TARGET, most_gain: float = MOST_GAIN) -> Samples:
    """The samples with a constant offset taken away and their loudness at `target`, if they are anything but silence.

    Raised by `most_gain` dB at most and, but for clicks, not beyond full scale; what is louder than the target is
    lowered.
    """
    heard = loudness(samples)
    if heard == QUIETEST:
        return samples
    centred = samples.astype(np.float32)
    centred -= centred.mean()
    peaks = np.maximum.reduceat(np.abs(centred), np.arange(0, len(centred), FRAME))
    peak = float(_without_clicks(peaks).max())
    factor = min(10 ** (min(target - heard, most_gain) / 20), _CEILING * FULL_SCALE / max(peak, 1.0))
    louder: Samples = np.clip(np.rint(centred * factor), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return louder


def noise_floor(levels: Levels) -> float:
    """The level of what is there when nobody speaks, from the levels of `FRAME`s; `QUIETEST` for none."""
    return float(np.quantile(levels, 0.05)) if len(levels) else QUIETEST


def silence_below(levels: Levels) -> float:
    """The level under which a `FRAME` is a pause: a little above the noise floor, but well below the speech.

    Where there is no pause, floor and speech are near each other and nothing is below.
    """
    if not len(levels):
        return _SURELY_SILENT
    speech = float(np.quantile(levels, 0.95))
    return max(_SURELY_SILENT, min(noise_floor(levels) + _ABOVE_FLOOR, speech - _BELOW_SPEECH))


def _without_clicks(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """All but the largest few of one value a frame, sorted; all, if the few would be more than a fifth."""
    return np.sort(values)[: len(values) - (_CLICKS if len(values) >= 5 * _CLICKS else 0)]


def _mean(levels: NDArray[np.floating]) -> float:
    """The mean of the powers, in dB."""
    return float(10 * np.log10(np.mean(10 ** (levels / 10))))
