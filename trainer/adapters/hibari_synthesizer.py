"""The synthesizer port on `hibari-tts`: English, weights in the package, no network, a hundred times real time."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any, Final

from trainer.ports import ModelUnavailable, Sound

RATE: Final = 24_000
SLOWEST: Final = 0.5
FASTEST: Final = 2.0

_working: Final = threading.Lock()


class HibariSynthesizer:
    """The package's own voice. All instances share one copy, which the first call loads."""

    name = "hibari"

    def speaks(self, language: str) -> bool:
        """English alone."""
        return language == "en"

    def speak(self, text: str, *, language: str, speed: float = 1.0, voice: str = "") -> Sound:
        """The text in the package's voice. Raises `ModelUnavailable`, also where the package is not installed."""
        del voice  # there is one
        if not self.speaks(language) or not text.strip():
            raise ModelUnavailable("refused", retryable=False)
        try:
            with _working:  # one at a time: the package promises nothing of threads
                audio = _voice()(_plain(text), speed=min(max(speed, SLOWEST), FASTEST))
        except (ValueError, IndexError, RuntimeError):
            raise ModelUnavailable("refused", retryable=False) from None
        import numpy as np  # noqa: PLC0415 - whoever speaks has it by now

        samples = np.clip(np.nan_to_num(audio) * 32767.0, -32768, 32767).astype("<i2")
        if not samples.size:  # it leaves out what it does not know, such as other scripts
            raise ModelUnavailable("refused", retryable=False)
        return Sound(samples.tobytes(), RATE)


def _plain(text: str) -> str:
    """Without what the package takes for instructions: `[word](/phonemes/)`."""
    return text.translate(str.maketrans("[]()/", "     ")).encode(errors="replace").decode()


@cache
def _voice() -> Any:  # noqa: ANN401 - the package has no types
    try:
        from hibari import Hibari  # noqa: PLC0415 - an optional package, and half a second to load
    except ImportError:
        raise ModelUnavailable("missing", retryable=False) from None
    return Hibari(threads=1)
