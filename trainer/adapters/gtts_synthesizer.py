"""The synthesizer port on gTTS: the voices of Google Translate, without an account. Answers in MP3, a text a request.

gTTS itself sends its requests with the check of certificates switched off, and switches off the warning about that
for the whole process. What is sent are people's words, so here the check is switched on again: an address that cannot
prove to be Google's gets nothing; and the warning stays on for everybody else. It logs what it sends, if asked for
everything: that is not wanted either.
"""

from __future__ import annotations

import io
import logging
import math
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from trainer.ports import ModelUnavailable, Sound

if TYPE_CHECKING:
    from types import ModuleType

TIMEOUT_S: Final = 10.0
SLOW_BELOW: Final = 0.75
"""The service has two speeds; below this one the slow one is nearer."""
TOO_MANY: Final = 429
SERVER: Final = 500


class GttsSynthesizer:
    """Google Translate's voices."""

    name = "gtts"

    def __init__(self, *, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s

    def speaks(self, language: str) -> bool:
        """Whether the service has a voice for the language."""
        return language in _languages()

    def speak(self, text: str, *, language: str, speed: float = 1.0, voice: str = "") -> Sound:
        """The text in the service's voice. Raises `ModelUnavailable`."""
        del voice  # there is one
        if not self.speaks(language):
            raise ModelUnavailable("refused", retryable=False)
        gtts = _gtts()
        spoken = io.BytesIO()
        failed: ModelUnavailable | None = None
        try:
            request = gtts.gTTS(
                text, lang=language, slow=speed < SLOW_BELOW, timeout=self._timeout_s, lang_check=False
            )
            request.write_to_fp(spoken)
        except gtts.gTTSError as error:
            failed = _failure(error.rsp)
        except (AssertionError, ValueError):  # nothing in the text can be spoken
            failed = ModelUnavailable("refused", retryable=False)
        if failed is not None:  # raised here so that the package's exception, which quotes the text, is not with it
            raise failed
        return _sound(spoken.getvalue())


def _failure(answer: Any) -> ModelUnavailable:  # noqa: ANN401 - a response of requests, or None
    status = getattr(answer, "status_code", None)
    if status is None:
        return ModelUnavailable("connection", retryable=True)
    if status == TOO_MANY:
        return ModelUnavailable("rate_limited", retryable=True)
    if status >= SERVER:
        return ModelUnavailable("server", retryable=True)
    return ModelUnavailable("protocol" if status < 400 else "refused", retryable=False)  # noqa: PLR2004 - a success


def _sound(data: bytes) -> Sound:
    """MP3 as samples. Raises `ModelUnavailable` for what is none."""
    from trainer.speech.audio_bytes import decoded  # noqa: PLC0415 - brings FFmpeg's libraries
    from trainer.speech.audio_pcm import AudioRefused  # noqa: PLC0415

    try:
        sound = decoded(data)
    except AudioRefused:
        raise ModelUnavailable("protocol", retryable=False) from None
    if not math.isfinite(sound.seconds) or not sound.pcm:
        raise ModelUnavailable("protocol", retryable=False)
    return sound


@cache
def _languages() -> frozenset[str]:
    from gtts.lang import tts_langs  # noqa: PLC0415 - with requests it takes a fifth of a second to import

    return frozenset(tts_langs())


@cache
def _gtts() -> ModuleType:
    import gtts.tts  # noqa: PLC0415 - as above
    import requests  # noqa: PLC0415

    class Checked(requests.Session):
        """A session that checks certificates, whatever it is told."""

        def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # noqa: ANN401
            return super().send(request, **options | {"verify": self.verify})

    class Requests:
        """What gTTS sees of the package requests."""

        Session = Checked
        packages = None
        """Where it would switch the warning off; it takes failing for an answer."""

        def __getattr__(self, name: str) -> Any:  # noqa: ANN401
            return getattr(requests, name)

    logging.getLogger("gtts").setLevel(logging.ERROR)
    gtts.tts.requests = Requests()
    module: ModuleType = gtts.tts
    return module
