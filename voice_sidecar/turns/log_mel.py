"""The features that Whisper and its descendants take: log-Mel spectrograms.

As defined by "Robust Speech Recognition via Large-Scale Weak Supervision" (Radford et al., 2022) and its reference
code: 25 ms Hann windows every 10 ms, centred with reflection at the edges, 80 triangular filters on Slaney's Mel
scale (Auditory Toolbox, 1998) from 0 to 8 kHz with equal areas, the logarithm of power to the base of ten, clipped
80 dB below its maximum and scaled to about -1 to 1.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from voice_sidecar.turns.vad import RATE

Floats = NDArray[np.float32]

MELS: Final = 80
HOP: Final = 160
_FFT: Final = 400
_FLOOR: Final = 1e-10
_RANGE: Final = 8.0  # powers of ten: 80 dB

_LINEAR_BELOW: Final = 1000.0  # Hz
_LINEAR_STEP: Final = 200 / 3  # Hz a Mel
_LOG_STEP: Final = np.log(6.4) / 27


def log_mel(samples: Floats) -> Floats:
    """The features of a sound of 16 kHz.

    Args:
        samples: Shape (n,), n at least 201.

    Returns:
        Shape (80, n // 160).
    """
    padded = np.pad(samples.astype(np.float32, copy=False), _FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::HOP][: len(samples) // HOP]
    spectrum = np.fft.rfft(frames * _window(), axis=1)
    power = np.square(np.abs(spectrum)).astype(np.float32)
    bands = np.stack([np.einsum("tf,f->t", power[:, first:last], weights) for first, last, weights in _filters()])
    logs = np.log10(np.maximum(bands, _FLOOR))
    features: Floats = (np.maximum(logs, logs.max() - _RANGE) + 4) / 4
    return features


@cache
def _window() -> Floats:
    """The periodic Hann window."""
    return np.hanning(_FFT + 1)[:-1].astype(np.float32)


@cache
def _filters() -> tuple[tuple[int, int, Floats], ...]:
    """Of each band the frequencies of the transform that it has a share of, from and to, and their weights.

    They are few, so a product of matrices is not worth it: its threads would wait, busily, for the next one.
    """
    top = _mels(np.array([RATE / 2]))[0]
    edges = _hertz(np.linspace(0, top, MELS + 2))
    frequencies = np.fft.rfftfreq(_FFT, 1 / RATE)
    rising = (frequencies - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - frequencies) / np.diff(edges)[1:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    weights = (triangles * (2 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)
    spans = [np.flatnonzero(band) for band in weights]
    return tuple(
        (int(span[0]), int(span[-1]) + 1, band[span[0] : span[-1] + 1])
        for span, band in zip(spans, weights, strict=True)
    )


def _mels(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    bend = _LINEAR_BELOW / _LINEAR_STEP
    above = bend + np.log(np.maximum(hertz, _LINEAR_BELOW) / _LINEAR_BELOW) / _LOG_STEP
    return np.where(hertz < _LINEAR_BELOW, hertz / _LINEAR_STEP, above)


def _hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    bend = _LINEAR_BELOW / _LINEAR_STEP
    above = _LINEAR_BELOW * np.exp(_LOG_STEP * np.maximum(mels - bend, 0))
    return np.where(mels < bend, mels * _LINEAR_STEP, above)
