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

import io
import json
import re
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, Self, get_type_hints

import av
import numpy as np
from werkzeug.formparser import parse_form_data

from tests.openai_spec import prepare, problem_with

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from trainer.ports import Sound

Body = dict[str, Any]

TRANSCRIPTIONS: Final = "/v1/audio/transcriptions"
SPEECH: Final = "/v1/audio/speech"
_LISTS: Final = frozenset({"keywords", "languages", "include", "timestamp_granularities"})
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
class _Fault:
    status: int
    body: bytes
    headers: dict[str, str]
    path: str
    times: int


@dataclass(slots=True)
class _Script:
    known: dict[bytes, Words] = field(default_factory=dict)
    other: Callable[[Heard], Words] = lambda _: Words("")
    speak: Callable[[Body], bytes] = lambda body: b"\1\0" * (240 * len(body["input"]))
    faults: list[_Fault] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    raw: bytes | None = None


class OpenAiAudioServer:
    """The server; serves while its `with` block lasts.

    Args:
        streams: whether it streams when it is asked to, as those of OpenAI do but for Whisper.
        usage: what answers say of what they cost: `duration`, `tokens`, or nothing.
    """

    def __init__(self, *, streams: bool = True, usage: str = "duration") -> None:
        self.streams = streams
        self.usage = usage
        self.heard: list[Heard] = []
        self.spoken: list[Body] = []
        self.problems: list[str] = []
        self.delay_s = 0.0
        self.at_once = 0
        self.most_at_once = 0
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._script = _Script()
        prepare()  # takes a second: not while somebody waits for an answer
        self._http = _HttpServer(("127.0.0.1", 0), self)
        self.base_url = f"http://127.0.0.1:{self._http.server_port}/v1"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), name="openai-audio")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        if kind is None and self.problems:
            raise AssertionError("OpenAI's document says no: " + "; ".join(self.problems))

    def knows(self, sound: Sound, words: str | Words) -> None:
        """Answer from now on with these words when exactly this sound comes."""
        self._script.known[sound.pcm] = Words(words) if isinstance(words, str) else words

    def hear_with(self, answer: Callable[[Heard], Words]) -> None:
        """Answer with this for sounds that are not known."""
        self._script.other = answer

    def speak_with(self, answer: Callable[[Body], bytes]) -> None:
        """Answer requests to read aloud with these bytes."""
        self._script.speak = answer

    def fail(
        self,
        *,
        status: int,
        code: str | None = None,
        param: str | None = None,
        message: str = "This failure is scripted.",
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        path: str = TRANSCRIPTIONS,
        times: int = 1,
    ) -> None:
        """Answer the next `times` requests to `path` with an error in OpenAI's shape, or with `body`."""
        data = json.dumps(_error(message, param=param, code=code)).encode() if body is None else body
        with self._lock:
            self._script.faults.append(_Fault(status, data, headers or {}, path, times))

    def refuse(self, parameter: str, *, message: str = "Unsupported parameter: '{}'.") -> None:
        """Answer from now on every request that has this parameter with 400, naming it."""
        self._script.refused[parameter] = message.format(parameter)

    def cut_after(self, n_events: int) -> None:
        """Drop the connection of the next stream after so many events."""
        self._script.cut = n_events

    def stream_raw(self, data: bytes) -> None:
        """Send this as the body of the next stream, instead of anything sensible."""
        self._script.raw = data

    # What the handler asks.

    def fault(self, path: str) -> _Fault | None:
        with self._lock:
            for fault in self._script.faults:
                if fault.path == path and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def refusal(self, body: Body, schema: str) -> Body | None:
        """The error for a request that is not well-formed or not taken."""
        known = {name: value for name, value in body.items() if name not in _GPT_TRANSCRIBE_ONLY}
        new = body.get("model") == "gpt-transcribe"
        strange = _GPT_TRANSCRIBE_ONLY & body.keys() if not new else _NOT_GPT_TRANSCRIBE & body.keys()
        problem = problem_with(known, schema, closed=True) or _problem_with_new(body)
        if strange:
            problem = problem or f"{body.get('model')} does not take {', '.join(sorted(strange))}"
        if problem is not None:
            self.problems.append(problem)
            return _error(problem, param=None)
        for parameter, message in self._script.refused.items():
            if parameter in body:
                return _error(message, param=parameter, code="unsupported_parameter")
        return None

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


def _error(message: str, *, param: str | None, code: str | None = None) -> Body:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


# --- HTTP -------------------------------------------------------------------------------------------------------


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = False  # closing waits for the threads, so that no socket is left to the garbage collector
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], owner: OpenAiAudioServer) -> None:
        super().__init__(address, _Handler)
        self.owner = owner

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is none of our problems; a script that raises is."""
        import sys

        error = sys.exception()
        if not isinstance(error, ConnectionError):
            self.owner.problems.append(repr(error))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"  # a connection for each request, so that none is left open at the end
    server: _HttpServer
    connection: socket.socket

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        """The log of requests is `OpenAiAudioServer.heard`."""

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        owner = self.server.owner
        owner.entered(1)
        try:
            if owner.delay_s:
                owner.stopping.wait(owner.delay_s)
            self._handle(data)
        finally:
            owner.entered(-1)

    def _handle(self, data: bytes) -> None:
        owner = self.server.owner
        heard, body = (self._form(data), {}) if self.path == TRANSCRIPTIONS else (None, json.loads(data))
        if heard is not None:
            owner.heard.append(heard)
        else:
            owner.spoken.append(body)
        scheme, _, key = self.headers.get("Authorization", "").partition(" ")
        if (fault := owner.fault(self.path)) is not None:
            self._send(fault.status, fault.body, **fault.headers)
        elif scheme != "Bearer" or not key:
            self._send_json(401, _error("Incorrect API key provided.", param=None, code="invalid_api_key"))
        elif heard is not None:
            self._transcribe(heard)
        elif self.path == SPEECH:
            self._speak(body)
        else:
            self._send_json(404, _error("Invalid URL", param=None))

    def _form(self, data: bytes) -> Heard:
        """The request, its fields as the types that the document gives them."""
        environ = {
            "wsgi.input": io.BytesIO(data),
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": self.headers["Content-Type"],
            "CONTENT_LENGTH": str(len(data)),
        }
        _, form, files = parse_form_data(environ, silent=False, stream_factory=lambda *_, **__: io.BytesIO())
        fields: Body = {}
        for name in form:
            plain = name.removesuffix("[]")
            values = form.getlist(name)
            fields[plain] = values if plain in _LISTS else values[0]
            if plain in _LISTS and not name.endswith("[]"):
                self.server.owner.problems.append(f"{plain} is a list, so its name ends in []")
        if "stream" in fields:
            fields["stream"] = fields["stream"] == "true"
        upload = files["file"]
        rate, pcm = _samples(upload.stream.read())
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Heard(fields, upload.filename or "", upload.content_type or "", rate, pcm, headers)

    def _transcribe(self, heard: Heard) -> None:
        owner = self.server.owner
        body = {**heard.fields, "file": "..."}
        if (error := owner.refusal(body, "CreateTranscriptionRequest")) is not None:
            self._send_json(400, error)
            return
        seconds = len(heard.pcm) / 2 / heard.rate
        if seconds < 0.1:
            self._send_json(400, _error("Audio file is too short.", param="file", code="audio_too_short"))
            return
        words = owner.words(heard)
        if heard.fields.get("stream") and owner.streams:
            self._stream(heard, words)
        elif heard.fields.get("response_format") == "verbose_json":
            answer = _verbose(words, seconds, owner.usage)
            self._check(answer, "CreateTranscriptionResponseVerboseJson")
            self._send_json(200, answer)
        else:
            answer = {"text": words.text, **_usage(owner.usage, seconds)}
            if heard.fields["model"] == "gpt-transcribe":
                answer["languages"] = [{"code": words.language}] if words.text else []
            self._check(answer, "CreateTranscriptionResponseJson")
            self._send_json(200, answer)

    def _stream(self, heard: Heard, words: Words) -> None:
        owner, cut, raw = self.server.owner, self.server.owner.take_cut(), self.server.owner.take_raw()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.end_headers()
        if raw is not None:
            self.wfile.write(raw)
            return
        for number, event in enumerate(_events(words, owner.usage, heard.fields["model"])):
            if number == cut:
                return
            self._check(event, "CreateTranscriptionResponseStreamEvent")
            self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
            self.wfile.flush()

    def _speak(self, body: Body) -> None:
        if (error := self.server.owner.refusal(body, "CreateSpeechRequest")) is not None:
            self._send_json(400, error)
        else:
            self._send(200, self.server.owner.speech(body), **{"Content-Type": "application/octet-stream"})

    def _check(self, value: object, schema: str) -> None:
        if (problem := problem_with(value, schema, closed=False)) is not None:
            self.server.owner.problems.append(problem)

    def _send_json(self, status: int, body: Body) -> None:
        if status >= 400:
            self._check(body, "ErrorResponse")
        self._send(status, json.dumps(body).encode())

    def _send(self, status: int, data: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with suppress(ConnectionError):
            self.wfile.write(data)


def _samples(data: bytes) -> tuple[int, bytes]:
    """What is in a WAV or FLAC file: its rate and its samples, which are of one channel and 16 bits."""
    with av.open(io.BytesIO(data), "r") as container:
        stream = container.streams.audio[0]
        frames = [frame.to_ndarray().reshape(-1) for frame in container.decode(stream)]
        assert stream.channels == 1
    samples = np.concatenate(frames) if frames else np.zeros(0, np.int16)
    assert samples.dtype == np.int16
    return stream.rate or 0, samples.astype("<i2").tobytes()


def _usage(kind: str, seconds: float) -> Body:
    if kind == "duration":
        return {"usage": {"type": "duration", "seconds": seconds}}
    if kind == "tokens":
        tokens = {"input_tokens": 14, "output_tokens": 45, "total_tokens": 59}
        return {"usage": {"type": "tokens", "input_token_details": {"text_tokens": 4, "audio_tokens": 10}, **tokens}}
    return {}


def _verbose(words: Words, seconds: float, usage: str) -> Body:
    plain = {
        "seek": 0,
        "tokens": [1],
        "temperature": 0.0,
        "avg_logprob": -0.2,
        "compression_ratio": 1.2,
        "no_speech_prob": 0.01,
    }
    told = words.segments or (({"start": 0.0, "end": seconds, "text": f" {words.text}"},) if words.text else ())
    segments = [{"id": number, **plain, **segment} for number, segment in enumerate(told)]
    names = {"en": "english", "ru": "russian"}
    answer = {
        "task": "transcribe",
        "language": names[words.language],
        "duration": seconds,
        "text": words.text,
        "segments": segments,
    }
    return answer | (_usage(usage, seconds) if usage == "duration" else {})


def _events(words: Words, usage: str, model: str) -> Iterator[Body]:
    for piece in words.chunks():
        yield {"type": "transcript.text.delta", "delta": piece}
    done: Body = {"type": "transcript.text.done", "text": words.text, **_usage("tokens" if usage else "", 1.0)}
    if model == "gpt-transcribe":
        done["languages"] = [{"code": words.language}] if words.text else []
    yield done
