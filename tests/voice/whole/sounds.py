"""Words as sound, and back: each text has a voice of its own, which is known again after Opus and encryption.

No model of speech could be as sure: what was said is found in a sound by correlation with what it sounds like, so
that a sound that is cut, mixed up or somebody else's is not taken for it.
"""

from __future__ import annotations

import zlib
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.signal import fftconvolve, resample_poly

from tests.voice.discord import decode, encode
from tests.voice.turns.voices import voice
from trainer.speech.audio_pcm import RATE, Samples

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Wave = NDArray[np.float64]

KNOWN_AT: Final = 0.6
"""The least likeness of a sound to itself after a journey. That of any other is below 0.4."""
STORY: Final = "It has tall windows and a long table and many chairs and a clock that is always late."
"""What takes long enough to tell to be interrupted."""
LETTER: Final = 0.05  # seconds
SHORTEST, LONGEST, STORY_S = 0.3, 1.6, 4.25
"""Seconds. In less, nobody knows that it is speech."""
PACKETS_A_S: Final = 50


def seconds_of(text: str) -> float:
    """How long it takes to say a text; long ones are said fast, so that tests do not take long."""
    return STORY_S if text == STORY else min(max(SHORTEST, round(LETTER * len(text), 2)), LONGEST)


@cache
def tape(text: str) -> Samples:
    """What a text sounds like: 16 kHz, mono."""
    seed = zlib.crc32(text.encode())
    return voice(seconds_of(text), seed=seed, pitch=90 + seed % 89)


@cache
def packets(text: str) -> tuple[bytes, ...]:
    """The same as somebody's client sends it: Opus, 20 ms each."""
    wide = np.clip(resample_poly(tape(text), 3, 1), -32_768, 32_767).astype("<i2")
    return tuple(encode(np.repeat(wide[:, None], 2, axis=1).tobytes()))


def pcm_of(text: str, rate: int) -> bytes:
    """The same as a synthesiser gives it: 16 bits, mono."""
    common = np.gcd(rate, RATE)
    wave = resample_poly(tape(text), rate // common, RATE // common)
    return bytes(np.clip(wave, -32_768, 32_767).astype("<i2").tobytes())


def wave_of(heard: Sequence[bytes]) -> Wave:
    """Opus packets as 16 kHz, mono."""
    stereo = np.frombuffer(decode(heard), "<i2").reshape(-1, 2)
    wave: Wave = resample_poly(stereo.mean(axis=1), 1, 3)
    return wave


def likeness(sound: NDArray[Any], part: NDArray[Any]) -> tuple[float, int]:
    """How alike a sound and another are where they are most alike, from 0 to 1, and where that begins in samples."""
    around = (RATE // 10, RATE // 10 + max(0, len(part) - len(sound)))  # codecs delay sound
    whole, sought = np.pad(sound.astype(np.float64), around), part.astype(np.float64)
    products = fftconvolve(whole, sought[::-1], "valid")
    sums = np.concatenate([[0.0], np.cumsum(whole**2)])
    energy = sums[len(sought) :] - sums[: -len(sought)]
    alike = products / np.sqrt(np.maximum(energy, 1e4 * len(sought)) * np.sum(sought**2))
    at = int(np.argmax(alike))
    return float(alike[at]), at - around[0]


def words_in(pcm: bytes, texts: Iterable[str]) -> str:
    """Which of the texts are said in a sound of 16 kHz, one after the other."""
    sound = np.frombuffer(pcm, "<i2")
    found = []
    for text in texts:
        alike, at = likeness(sound, tape(text))
        if alike >= KNOWN_AT:
            found.append((at, text))
    return " ".join(text for _, text in sorted(found))
