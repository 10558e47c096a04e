"""Sound made up for the tests: everything is mono, 16 kHz, 16 bits, and the same each time."""

from __future__ import annotations

from functools import cache

import numpy as np

from trainer.speech.audio_pcm import FULL_SCALE, RATE, Samples


def at_level(wave: np.ndarray, dbfs: float) -> Samples:
    """Any wave as samples with this RMS."""
    wave = wave / np.sqrt(np.mean(np.square(wave)))
    scaled: Samples = np.clip(np.rint(wave * 10 ** (dbfs / 20) * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(
        np.int16
    )
    return scaled


def tone(seconds: float, *, hertz: float = 440, dbfs: float = -20) -> Samples:
    return at_level(np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE), dbfs)


def noise(seconds: float, *, dbfs: float = -40, slope: float = 0, seed: int = 1) -> Samples:
    """White for slope 0, pink for 1, brown for 2."""
    count = int(seconds * RATE)
    frequencies = np.fft.rfftfreq(count, 1 / RATE)
    frequencies[0] = 1
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count)) / frequencies ** (slope / 2)
    return at_level(np.fft.irfft(spectrum, count), dbfs)


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE), np.int16)


def voice(seconds: float, *, dbfs: float = -25, seed: int = 1) -> Samples:
    """Like somebody talking: a gliding pitch under formants that change with each of 4 syllables a second."""
    wave = _talk(seed)
    return at_level(np.resize(wave, int(seconds * RATE)), dbfs)


@cache
def _talk(seed: int, seconds: int = 10) -> np.ndarray:
    chance = np.random.default_rng(seed)
    count = seconds * RATE
    at = np.arange(count) / RATE
    pitch = 120 + 25 * np.sin(2 * np.pi * 0.7 * at)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    formants = chance.uniform((300, 900), (900, 2400), (seconds * 4, 2))[(at * 4).astype(int)]
    wave = np.zeros(count)
    for harmonic in range(1, 28):
        distance = (harmonic * pitch[:, None] - formants) / 150
        wave += np.exp(-np.square(distance)).sum(axis=1) * np.sin(harmonic * phase)
    # 200 ms loud and 50 ms closed, with soft edges.
    talk: np.ndarray = wave * np.clip(np.sin(np.pi * np.minimum((at * 4 % 1) / 0.8, 1)) * 3, 0, 1) + 1e-4
    return talk


def joined(*parts: Samples) -> Samples:
    return np.concatenate(parts)


def in_chunks(samples: Samples, size: int) -> list[Samples]:
    return [samples[start : start + size] for start in range(0, len(samples), size)]


def pitch_of(samples: Samples) -> float:
    """The strongest frequency, in hertz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * RATE / len(samples))
