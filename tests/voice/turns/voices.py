"""Voices that voice activity models take for human, without a model of speech: made as vocal tracts make them.

A source-filter synthesiser: glottal pulses of a wandering pitch, or breath for consonants, through resonances
(formants) that glide from vowel to vowel. Everything is mono, 16 kHz, and the same each time.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.signal import lfilter

from trainer.speech.audio_pcm import RATE, Samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

VOWELS: Final = {  # the first formants of a man's vowels in Hz (Peterson & Barney, 1952)
    "a": (730, 1090, 2440),
    "e": (530, 1840, 2480),
    "i": (270, 2290, 3010),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
}
_BANDWIDTHS: Final = (70, 90, 130)
_STEP: Final = 80  # samples for which the resonances stand still: 5 ms


@cache
def voice(seconds: float, *, seed: int = 3, pitch: float = 115, dbfs: float = -22) -> Samples:
    """Somebody who says four syllables a second, without a pause. Of two that are a second or longer, one begins like
    the other."""
    count = int(seconds * RATE)
    at = np.arange(count) / RATE
    breath = np.random.default_rng((seed, 1)).standard_normal(count)
    tune = pitch * (1 + 0.12 * np.sin(2 * np.pi * 0.45 * at + seed) + 0.04 * np.sin(2 * np.pi * 5.3 * at))
    syllable = at * 4 % 1
    pulses = np.diff(np.floor(np.cumsum(tune) / RATE), prepend=0)
    glottal = lfilter([1.0], [1.0, -1.9, 0.9025], pulses)  # falls by 12 dB an octave, as the vocal folds do
    voiced = np.clip((syllable - 0.18) / 0.08, 0, 1)
    source = voiced * glottal / 10 + (1 - voiced) * 0.02 * breath + 0.002 * breath
    wave = np.diff(_resonances(source, _vowels(count, seed)), prepend=0.0) * (0.5 + 0.5 * np.sin(np.pi * syllable))
    first = wave[:RATE]
    wave *= 10 ** (dbfs / 20) * 32_768 / np.sqrt(np.mean(np.square(first)))
    samples: Samples = np.clip(wave, -32_768, 32_767).astype(np.int16)
    return samples


def _vowels(count: int, seed: int) -> NDArray[np.float64]:
    """The resonances at each step, gliding: shape (steps, 3)."""
    syllables = count * 4 // RATE + 2
    targets = np.array(
        [VOWELS[name] for name in np.random.default_rng(seed).choice(sorted(VOWELS), syllables)], float
    )
    steps = np.arange(-(-count // _STEP)) * _STEP / RATE * 4
    return np.stack([np.interp(steps, np.arange(syllables) + 0.3, targets[:, k]) for k in range(3)], axis=1)


def _resonances(source: NDArray[np.float64], formants: NDArray[np.float64]) -> NDArray[Any]:
    for k, bandwidth in enumerate(_BANDWIDTHS):
        out = np.empty_like(source)
        state = np.zeros(2)
        radius = np.exp(-np.pi * bandwidth / RATE)
        for step, hertz in enumerate(formants[:, k]):
            turn = 2 * radius * np.cos(2 * np.pi * hertz / RATE)
            here = slice(step * _STEP, (step + 1) * _STEP)
            gain = 1 - turn + radius * radius
            out[here], state = lfilter([gain], [1.0, -turn, radius * radius], source[here], zi=state)
        source = out
    return source


@cache
def keys(seconds: float, *, seed: int = 1, a_second: float = 6, dbfs: float = -25) -> Samples:
    """Somebody types: bursts of noise of some milliseconds."""
    chance = np.random.default_rng(seed)
    wave = np.zeros(int(seconds * RATE))
    for at in chance.integers(0, len(wave) - 400, int(seconds * a_second)):
        wave[at : at + 400] += chance.standard_normal(400) * np.exp(-np.arange(400) / 60)
    wave = wave / np.abs(wave).max() * 10 ** (dbfs / 20) * 32_768 * 4
    samples: Samples = np.clip(wave, -32_768, 32_767).astype(np.int16)
    return samples
