"""The transcriber port on the `openai` package: OpenAI itself, or any server that speaks its transcription API.

Models and servers differ in what they take. What is sent depends on the model's name at first; a server that refuses
a parameter by name is asked again at once without it, and that is remembered. What people say, the keywords and the
key get into no log and no exception, as in `trainer.adapters.openai_chat`.
"""

from __future__ import annotations

import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from trainer.adapters.openai_client import OpenAiClient, failure, pause_s, timeout
from trainer.adapters.openai_transcripts import (
    TEXT_MOST,
    Answer,
    decoded,
    error_of,
    event_of,
    parameters,
    streams,
    transcript_of,
)
from trainer.adapters.openai_wire import Failed, shown_name
from trainer.ports import ModelUnavailable, Transcript, current_cancellation

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from trainer.adapters.openai_transcripts import Event
    from trainer.ports import OnText, Sound

_File: TypeAlias = tuple[str, bytes, str]
"""Name, content and type."""
_Piece = TypeVar("_Piece", str, bytes)

DEFAULT_MODEL: Final = "gpt-transcribe"
"""OpenAI's only model of this API that stays; the others are shut down on 2027-02-26."""
DEFAULT_ELSEWHERE: Final = "whisper-1"
"""The name that compatible servers give to what they have."""
RATE: Final = 16_000
MOST_S: Final = 600.0
"""As WAV this is 19 MB; OpenAI takes 25 MB, and no more than 1,500 s of some models."""
ANSWER_MOST: Final = 10_000_000
"""Bytes of an answer: a server that never stops must not fill the memory."""


class OpenAiTranscriber:
    """A recogniser behind OpenAI's transcription API.

    Args:
        api_key: needed for OpenAI; other servers get any word if it is None.
        base_url: where the API is, up to and with `/v1`; None is OpenAI.
        model: None is `DEFAULT_MODEL`, or `DEFAULT_ELSEWHERE` at other servers.
        timeout_s: how long a request may take, retries and all, beyond as long as the sound is.
        max_retries: how often a request is tried again.

    Raises:
        ValueError: an address or a key that no request can be made with.
    """

    most_s = MOST_S
    local = False

    def __init__(
        self,
        *,
        api_key: str | None,
        base_url: str | None,
        model: str | None = None,
        timeout_s: float = 60,
        max_retries: int = 2,
    ) -> None:
        self._client = OpenAiClient(api_key, base_url)
        self._model = model or (DEFAULT_MODEL if self._client.at_openai else DEFAULT_ELSEWHERE)
        self._timeout_s = timeout_s
        self._max_retries = max_retries
        self._lock = threading.Lock()
        self._refused: frozenset[str] = frozenset()
        self.name = shown_name(self._model)

    def close(self) -> None:
        """Close the connections. What is asked later opens new ones."""
        self._client.close()

    def transcribe(
        self,
        sound: Sound,
        *,
        language: str = "",
        languages: Sequence[str] = (),
        keywords: Sequence[str] = (),
        on_text: OnText | None = None,
    ) -> Transcript:
        """The words of a sound. Raises `ModelUnavailable` and `Cancelled`; what `on_text` raises passes."""
        import tenacity  # noqa: PLC0415 - as late as openai: importing this module must cost nothing

        if not sound.pcm:
            return Transcript("", "", ())
        if sound.rate != RATE or len(sound.pcm) % 2 or sound.seconds > self.most_s:
            raise ModelUnavailable("refused", retryable=False)
        whole_s = self._timeout_s + sound.seconds
        asked = parameters(self._model, language, languages, keywords)
        texts = _Texts(on_text)

        def can_help(error: BaseException) -> bool:
            return isinstance(error, Failed) and error.retryable and error.reason != "timeout" and not texts.told

        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception(can_help),
            stop=tenacity.stop_after_attempt(1 + self._max_retries) | tenacity.stop_before_delay(whole_s),
            wait=pause_s,
            sleep=current_cancellation().sleep,
            reraise=True,
        )
        answer = attempts(self._answer, self._file(sound), asked, texts, time.monotonic() + whole_s)
        try:
            return transcript_of(answer, sound.seconds, language)
        except ValueError:
            failed = Failed("protocol", retryable=False)
        raise failed

    def _file(self, sound: Sound) -> _File:
        """The sound as a file. OpenAI takes FLAC, which is half as large; all compatible servers take WAV."""
        from trainer.speech.audio_files import flac, wav  # noqa: PLC0415 - brings PyAV and numpy

        if self._client.at_openai:
            return "speech.flac", flac(sound), "audio/flac"
        return "speech.wav", wav(sound), "audio/wav"

    def _answer(self, file: _File, asked: dict[str, Any], texts: _Texts, deadline: float) -> Answer:
        """One attempt, asked again without what the server refuses by name. Raises `Failed` and `Cancelled`."""
        asked = {name: value for name, value in asked.items() if name not in self._refused}
        if texts.wanted and streams(self._model) and "stream" not in self._refused:
            asked["stream"] = True
        while True:
            current_cancellation().check()  # what was sent is paid for, and may as well come
            try:
                with closing(self._received(file, asked, deadline)) as received:
                    return texts.read(received)
            except Failed as failed:
                refused = failed.parameter
                if refused is None or refused not in asked:
                    raise
            del asked[refused]
            with self._lock:
                self._refused |= {refused}

    def _received(self, file: _File, asked: dict[str, Any], deadline: float) -> Generator[Answer | Event]:
        """One request: a whole answer, or the events of one that is streamed. Raises `Failed`, and only that."""
        import httpx2  # noqa: PLC0415 - as openai
        import openai  # noqa: PLC0415 - takes most of a second to import: only where something is asked

        failed: Failed | None = None
        try:
            with self._client.connected().audio.transcriptions.with_streaming_response.create(
                file=file, model=self._model, timeout=timeout(deadline), **asked
            ) as answer:
                if answer.headers.get("content-type", "").startswith("text/event-stream"):
                    for line in _within(answer.iter_lines(), deadline):
                        event = event_of(line)
                        if event is not None:
                            yield event
                else:
                    yield decoded(b"".join(_within(answer.iter_bytes(), deadline)))
        except Failed as error:
            failed = error
        except (openai.OpenAIError, httpx2.HTTPError, ValueError, RecursionError) as error:
            failed = failure(error, asked.keys())
        if failed is not None:  # raised here so that the package's exception, which quotes the server, is not with it
            raise failed


class _Texts:
    """Puts an answer together, and tells what there is of it as it comes.

    Attributes:
        wanted: whether anybody wants to be told.
        told: whether anybody was.
    """

    def __init__(self, tell: OnText | None) -> None:
        self._tell = tell
        self.wanted = tell is not None
        self.told = False

    def read(self, received: Iterator[Answer | Event]) -> Answer:
        """The whole answer. Raises `Failed`; what the one who is told raises passes."""
        text = ""
        for event in received:
            if isinstance(event, Answer):
                return event
            if event.error is not None or event.type == "error":
                raise error_of(event)
            if event.type == "transcript.text.done" and event.text is not None:
                return Answer(event.text, languages=event.languages, usage=event.usage)
            if event.type == "transcript.text.delta":
                text += event.delta
                if len(text) > TEXT_MOST:
                    raise Failed("protocol", retryable=False)
                if self._tell is not None and text.strip():
                    self.told = True
                    self._tell(text.strip())
        raise Failed("connection", retryable=True)  # cut in the middle


def _within(pieces: Iterator[_Piece], deadline: float) -> Iterator[_Piece]:
    """The pieces of an answer, as long as there is time and it is no longer than an answer can be."""
    size = 0
    for piece in pieces:
        size += len(piece)
        if time.monotonic() >= deadline:
            raise Failed("timeout", retryable=True)
        if size > ANSWER_MOST:
            raise Failed("protocol", retryable=False)
        yield piece
