"""The synthesizer port on espeak-ng's library, which `espeakng-loader` ships: a hundred languages, robotic, instant.

Source of the calls: speak_lib.h of espeak-ng 1.52, https://github.com/espeak-ng/espeak-ng/blob/1.52.0/src/include
"""

from __future__ import annotations

import ctypes
import threading
from functools import cache
from typing import Final

from trainer.ports import ModelUnavailable, Sound

NORMAL_RATE: Final = 165
"""Words a minute at speed 1."""
SLOWEST: Final = 0.5
FASTEST: Final = 2.0
_SYNCHRONOUS: Final = 2
"""AUDIO_OUTPUT_SYNCHRONOUS: samples come by a callback before the call returns."""
_DONT_EXIT: Final = 0x8000
"""espeakINITIALIZE_DONT_EXIT: without its data the library would end the process."""
_UTF8: Final = 1
_RATE: Final = 1
"""espeakRATE, a parameter."""
_CALLBACK: Final = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
VOICES: Final = {"en": b"en-us", "pt": b"pt-br", "zh": b"cmn", "no": b"nb"}
"""Languages whose voice has another name than the language."""

_working: Final = threading.Lock()


class EspeakSynthesizer:
    """espeak-ng's voices. The library has one state for the whole process, which the first call makes."""

    name = "espeak-ng"

    def speaks(self, language: str) -> bool:
        """Whether there is a voice for the language. Nothing is loaded for what is no language at all."""
        if not (language.isascii() and language.isalpha()):
            return False
        try:
            library, _ = _library()
        except ModelUnavailable:
            return False
        with _working:
            return bool(library.espeak_SetVoiceByName(VOICES.get(language, language.encode())) == 0)

    def speak(self, text: str, *, language: str, speed: float = 1.0, voice: str = "") -> Sound:
        """The text in the language's voice. Raises `ModelUnavailable`, also where the package is not installed."""
        del voice  # there is one
        library, rate = _library()
        data = text.encode(errors="replace").replace(b"\0", b" ")
        if not data.strip() or not (language.isascii() and language.isalpha()):
            raise ModelUnavailable("refused", retryable=False)
        pcm = bytearray()

        def take(samples: int | None, count: int, _events: int | None) -> int:
            if samples and count > 0:
                pcm.extend(ctypes.string_at(samples, count * 2))
            return 0

        callback = _CALLBACK(take)

        with _working:
            if library.espeak_SetVoiceByName(VOICES.get(language, language.encode())) != 0:
                raise ModelUnavailable("refused", retryable=False)
            library.espeak_SetParameter(_RATE, round(NORMAL_RATE * min(max(speed, SLOWEST), FASTEST)), 0)
            library.espeak_SetSynthCallback(callback)
            failed = library.espeak_Synth(data, len(data) + 1, 0, 1, 0, _UTF8, None, None)
            library.espeak_Synchronize()
            # The library must not keep a callback that is gone.
            library.espeak_SetSynthCallback(_CALLBACK(0))
        if failed or not pcm:
            raise ModelUnavailable("refused", retryable=False)
        return Sound(bytes(pcm), rate)


@cache
def _library() -> tuple[ctypes.CDLL, int]:
    """The library, and how many samples a second it gives. Raises `ModelUnavailable`."""
    try:
        import espeakng_loader  # noqa: PLC0415 - an optional package
    except ImportError:
        raise ModelUnavailable("missing", retryable=False) from None
    with _working:
        try:
            library = ctypes.CDLL(espeakng_loader.get_library_path())
            data = espeakng_loader.get_data_path().encode()
        except (OSError, RuntimeError):
            raise ModelUnavailable("missing", retryable=False) from None
        rate = library.espeak_Initialize(_SYNCHRONOUS, 0, data, _DONT_EXIT)
    if rate <= 0:
        raise ModelUnavailable("missing", retryable=False)
    return library, int(rate)
