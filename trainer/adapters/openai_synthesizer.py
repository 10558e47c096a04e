"""The synthesizer port on the `openai` package: OpenAI itself, or any server that speaks its speech API.

Raw samples are asked for (`pcm`: 24 kHz, 16 bit, mono), so that nothing needs decoding. OpenAI's own models of this
API are shut down in January 2027; compatible servers go on, so the model is by configuration.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, cast

from trainer.adapters.openai_client import OpenAiClient, failure, hang_up, pause_s, timeout
from trainer.adapters.openai_wire import Failed, shown_name
from trainer.ports import Cancelled, ModelUnavailable, Sound, current_cancellation

if TYPE_CHECKING:
    from trainer.adapters.openai_wire import Failed as _Failed

DEFAULT_MODEL: Final = "gpt-4o-mini-tts"
DEFAULT_VOICE: Final = "alloy"
RATE: Final = 24_000
INPUT_MOST: Final = 4_096
"""Characters that the API takes at once."""
SPEED_LEAST: Final = 0.25
SPEED_MOST: Final = 4.0
_FILES: Final = (b"RIFF", b"OggS", b"fLaC", b"ID3")
"""What files begin with: servers that know no raw samples answer with one."""
_OTHER_TYPES: Final = ("application/json", "text/", "audio/mpeg", "audio/mp3", "audio/ogg", "audio/aac")
"""What samples are certainly not."""
BYTES_MOST: Final = 15 * 60 * RATE * 2
"""A server that never stops must not fill the memory."""


class OpenAiSynthesizer:
    """A voice behind OpenAI's speech API.

    Args:
        api_key: needed for OpenAI; other servers get any word if it is None.
        base_url: where the API is, up to and with `/v1`; None is OpenAI.
        model: None is `DEFAULT_MODEL`.
        voice: None is `DEFAULT_VOICE`.
        timeout_s: how long a request may take, retries and all.
        max_retries: how often a request is tried again.

    Raises:
        ValueError: an address or a key that no request can be made with.
    """

    def __init__(
        self,
        *,
        api_key: str | None,
        base_url: str | None,
        model: str | None = None,
        voice: str | None = None,
        timeout_s: float = 30,
        max_retries: int = 1,
    ) -> None:
        self._client = OpenAiClient(api_key, base_url)
        self._model = model or DEFAULT_MODEL
        self._voice = voice or DEFAULT_VOICE
        self._timeout_s = timeout_s
        self._max_retries = max_retries
        self.name = shown_name(self._model)

    def close(self) -> None:
        """Close the connections. What is asked later opens new ones."""
        self._client.close()

    def speaks(self, language: str) -> bool:
        """The models follow the language of the text."""
        return bool(language)

    def speak(self, text: str, *, language: str, speed: float = 1.0, voice: str = "") -> Sound:
        """The text in one of the model's voices. Raises `ModelUnavailable` and `Cancelled`."""
        import tenacity  # noqa: PLC0415 - as late as openai: importing this module must cost nothing

        if not text.strip() or len(text) > INPUT_MOST or not self.speaks(language):
            raise ModelUnavailable("refused", retryable=False)

        def can_help(error: BaseException) -> bool:
            return isinstance(error, Failed) and error.retryable and error.reason != "timeout"

        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception(can_help),
            stop=tenacity.stop_after_attempt(1 + self._max_retries) | tenacity.stop_before_delay(self._timeout_s),
            wait=pause_s,
            sleep=current_cancellation().sleep,
            reraise=True,
        )
        deadline = time.monotonic() + self._timeout_s
        sound: Sound
        try:
            sound = attempts(self._ask, text, voice or self._voice, speed, deadline)
        except Failed as error:
            if error.reason != "refused" or not voice or voice == self._voice:
                raise
        else:
            return sound
        # Perhaps it has no such voice: then its own is better than none.
        sound = attempts(self._ask, text, self._voice, speed, deadline)
        return sound

    def _ask(self, text: str, voice: str, speed: float, deadline: float) -> Sound:
        """One request. Raises `Failed` and `Cancelled`."""
        import httpx2  # noqa: PLC0415 - as openai
        import openai  # noqa: PLC0415 - takes most of a second to import: only where something is asked

        cancellation, taken = current_cancellation(), False
        cancellation.check()
        failed: _Failed | None = None
        pcm = bytearray()
        try:
            with self._client.connected().audio.speech.with_streaming_response.create(
                model=self._model,
                voice=cast("Literal['alloy']", voice),  # servers have voices of their own names
                input=text.encode(errors="replace").decode(),
                response_format="pcm",
                speed=min(max(speed, SPEED_LEAST), SPEED_MOST) if speed != 1 else openai.omit,
                timeout=timeout(deadline),
            ) as answer:
                if answer.headers.get("content-type", "").startswith(_OTHER_TYPES):
                    raise Failed("protocol", retryable=False)
                taken = True
                with cancellation.hanging_up(partial(hang_up, answer.http_response)):
                    for piece in answer.iter_bytes():
                        pcm += piece
                        if len(pcm) > BYTES_MOST or time.monotonic() > deadline:
                            raise Failed("timeout", retryable=False)
        except Failed as error:
            failed = error
        except (openai.OpenAIError, httpx2.HTTPError, ValueError) as error:
            failed = failure(error, ())
        if taken and cancellation.cancelled:  # a sound may look whole that was cut
            raise Cancelled(self.name, characters=len(text), seconds=len(pcm) / 2 / RATE)
        if failed is None and (len(pcm) < 2 or pcm.startswith(_FILES)):  # noqa: PLR2004
            failed = Failed("protocol", retryable=False)  # nothing, or a file of a format that was not asked for
        if failed is not None:  # raised here so that the package's exception, which quotes the server, is not with it
            raise failed
        return Sound(bytes(pcm[: len(pcm) // 2 * 2]), RATE)
