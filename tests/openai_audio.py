"""An OpenAI-compatible server of speech on loopback, scripted by tests: it recognises and it reads aloud.

    with OpenAiAudioServer() as server:
        server.knows(sound, "Forty-two.")
        ... something that talks to server.base_url ...
        assert server.heard[-1].fields["languages"] == ["en"]

It recognises the sounds that it knows, sample by sample, and hears nothing in others. It is strict, as
`tests.openai_server` is: requests and responses are checked against OpenAI's official document. That is older than
`gpt-transcribe`, whose own parameters are taken from the types of OpenAI's package, and refused with other models.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, get_type_hints

from tests.openai_audio_http import TRANSCRIPTIONS, AudioHandler, AudioHttpServer
from tests.openai_scripted import Body, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.ports import Sound

_GPT_TRANSCRIBE_ONLY: Final = frozenset({"keywords", "languages"})
_NOT_GPT_TRANSCRIBE: Final = frozenset({"language", "response_format", "temperature", "timestamp_granularities"})


@dataclass(frozen=True, slots=True)
class Words:
    """What is said in a sound."""

    text: str
    language: str = "en"
    segments: tuple[Body, ...] = ()
    """Of verbose answers; each with `start`, `end` and `text`, and what else it is to have."""
    pieces: tuple[str, ...] | None = None
    """Of streamed answers; word by word if None."""

    def chunks(self) -> tuple[str, ...]:
        return self.pieces if self.pieces is not None else tuple(re.findall(r"\s*\S+", self.text))


@dataclass(frozen=True, slots=True)
class Heard:
    """A request for a transcript, whatever was answered."""

    fields: Body
    file_name: str
    content_type: str
    rate: int
    pcm: bytes
    headers: dict[str, str]
    """Names in lower case."""


@dataclass(slots=True)
class _Script:
    known: dict[bytes, Words] = field(default_factory=dict)
    other: Callable[[Heard], Words] = lambda _: Words("")
    speak: Callable[[Body], bytes] = lambda body: b"\1\0" * (240 * len(body["input"]))
    cut: int | None = None
    raw: bytes | None = None


class OpenAiAudioServer(ScriptedServer):
    """The server; serves while its `with` block lasts.

    Args:
        streams: whether it streams when it is asked to, as those of OpenAI do but for Whisper.
        usage: what answers say of what they cost: `duration`, `tokens`, or nothing.
    """

    main_path = TRANSCRIPTIONS

    def __init__(self, *, streams: bool = True, usage: str = "duration") -> None:
        super().__init__(AudioHttpServer, AudioHandler, "openai-audio")
        self.streams = streams
        self.usage = usage
        self.heard: list[Heard] = []
        self.spoken: list[Body] = []
        self.delay_s = 0.0
        self.event_delay_s = 0.0
        self.at_once = 0
        self.most_at_once = 0
        self._script = _Script()

    def knows(self, sound: Sound, words: str | Words) -> None:
        """Answer from now on with these words when exactly this sound comes."""
        self._script.known[sound.pcm] = Words(words) if isinstance(words, str) else words

    def hear_with(self, answer: Callable[[Heard], Words]) -> None:
        """Answer with this for sounds that are not known."""
        self._script.other = answer

    def speak_with(self, answer: Callable[[Body], bytes]) -> None:
        """Answer requests to read aloud with these bytes."""
        self._script.speak = answer

    def cut_after(self, n_events: int) -> None:
        """Drop the connection of the next stream after so many events."""
        self._script.cut = n_events

    def stream_raw(self, data: bytes) -> None:
        """Send this as the body of the next stream, instead of anything sensible."""
        self._script.raw = data

    # What the handler asks.

    def problem(self, body: Body, schema: str) -> str | None:
        known = {name: value for name, value in body.items() if name not in _GPT_TRANSCRIBE_ONLY}
        new = body.get("model") == "gpt-transcribe"
        strange = _GPT_TRANSCRIBE_ONLY & body.keys() if not new else _NOT_GPT_TRANSCRIBE & body.keys()
        problem = super().problem(known, schema) or _problem_with_new(body)
        if strange:
            problem = problem or f"{body.get('model')} does not take {', '.join(sorted(strange))}"
        return problem

    def words(self, heard: Heard) -> Words:
        found = self._script.known.get(heard.pcm)
        return found if found is not None else self._script.other(heard)

    def speech(self, body: Body) -> bytes:
        return self._script.speak(body)

    def take_cut(self) -> int | None:
        with self._lock:
            cut, self._script.cut = self._script.cut, None
        return cut

    def take_raw(self) -> bytes | None:
        with self._lock:
            raw, self._script.raw = self._script.raw, None
        return raw

    def entered(self, count: int) -> None:
        with self._lock:
            self.at_once += count
            self.most_at_once = max(self.most_at_once, self.at_once)


def _problem_with_new(body: Body) -> str | None:
    """What is wrong with the parameters that only the package's types know: each is a list of texts."""
    from openai.types.audio.transcription_create_params import TranscriptionCreateParamsBase

    for name in _GPT_TRANSCRIBE_ONLY & body.keys():
        if name not in get_type_hints(TranscriptionCreateParamsBase):
            return f"the package does not know {name}"
        if not body[name] or not all(isinstance(word, str) and word for word in body[name]):
            return f"{name} is no list of texts"
    return None
