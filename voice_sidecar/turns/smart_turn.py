"""Smart Turn v3.2 (BSD-2-Clause): hears in the last eight seconds whether somebody is finished.

An optional extra: its weights come in the package `pipecat-ai`, of which nothing else is used or imported; see
requirements/turns.in. Input as https://github.com/pipecat-ai/smart-turn defines it: eight seconds that end where the
speaker paused, silence in front if there is less, of mean 0 and variance 1, as Whisper's features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from voice_sidecar.turns.log_mel import Floats, log_mel
from voice_sidecar.turns.onnx import session
from voice_sidecar.turns.vad import RATE
from voice_sidecar.turns.weights import Weights

if TYPE_CHECKING:
    from trainer.ports.speech import Sound

WEIGHTS: Final = Weights(
    "pipecat-ai",
    "pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx",
    "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
)

_SAMPLES: Final = 8 * RATE
_TINY: Final = 1e-7  # the variance of silence


class SmartTurn:
    """An `Endpoint`.

    Raises:
        WeightsMissing: If its package is not installed, or is another version.
    """

    name = "smart-turn-v3.2"

    def __init__(self) -> None:
        self._model = session(WEIGHTS.read())

    def probability(self, sound: Sound) -> float:
        """See `Endpoint`. Raises `ValueError` for a sound of another rate."""
        if sound.rate != RATE:
            raise ValueError(f"a sound of {sound.rate} Hz")
        outputs = self._model.run(None, {"input_features": log_mel(prepared(sound.pcm))[None]})
        return float(outputs[0].ravel()[0])


def prepared(pcm: bytes) -> Floats:
    """The last eight seconds of 16-bit samples, with silence in front if they are less, of mean 0 and variance 1."""
    samples = np.zeros(_SAMPLES, np.float32)
    last = np.frombuffer(pcm, "<i2")[-_SAMPLES:]
    samples[_SAMPLES - len(last) :] = last.astype(np.float32) / 32_768
    even: Floats = (samples - samples.mean()) / np.sqrt(samples.var() + _TINY)
    return even
