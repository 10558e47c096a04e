"""How `tests.openai_audio` speaks HTTP: requests taken apart, answers put together, both checked."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Final

import av
import numpy as np
from werkzeug.formparser import parse_form_data

from tests.loopback import LoopbackHttp
from tests.openai_scripted import Body, error_body

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.openai_audio import Heard, OpenAiAudioServer, Words

TRANSCRIPTIONS: Final = "/v1/audio/transcriptions"
SPEECH: Final = "/v1/audio/speech"
_LISTS: Final = frozenset({"keywords", "languages", "include", "timestamp_granularities"})


class AudioHttpServer(LoopbackHttp):
    owner: OpenAiAudioServer


class AudioHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"  # a connection for each request, so that none is left open at the end
    server: AudioHttpServer

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
            self._send(fault.status, fault.error, **fault.headers)
        elif scheme != "Bearer" or not key:
            self._send_json(401, error_body("Incorrect API key provided.", param=None, code="invalid_api_key"))
        elif heard is not None:
            self._transcribe(heard)
        elif self.path == SPEECH:
            self._speak(body)
        else:
            self._send_json(404, error_body("Invalid URL", param=None))

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
        rate, pcm = samples_of(upload.stream.read())
        headers = {name.lower(): value for name, value in self.headers.items()}
        from tests.openai_audio import Heard

        return Heard(fields, upload.filename or "", upload.content_type or "", rate, pcm, headers)

    def _transcribe(self, heard: Heard) -> None:
        owner = self.server.owner
        body = {**heard.fields, "file": "..."}
        if (error := owner.refusal(body, "CreateTranscriptionRequest")) is not None:
            self._send_json(400, error)
            return
        seconds = len(heard.pcm) / 2 / heard.rate
        if seconds < 0.1:
            self._send_json(400, error_body("Audio file is too short.", param="file", code="audio_too_short"))
            return
        words = owner.words(heard)
        if heard.fields.get("stream") and owner.streams:
            self._stream(heard, words)
        elif heard.fields.get("response_format") == "verbose_json":
            answer = _verbose(words, seconds, owner.usage)
            self.server.owner.check(answer, "CreateTranscriptionResponseVerboseJson")
            self._send_json(200, answer)
        else:
            answer = {"text": words.text, **_usage(owner.usage, seconds)}
            if heard.fields["model"] == "gpt-transcribe":
                answer["languages"] = [{"code": words.language}] if words.text else []
            self.server.owner.check(answer, "CreateTranscriptionResponseJson")
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
            if owner.event_delay_s:
                owner.stopping.wait(owner.event_delay_s)
            self.server.owner.check(event, "CreateTranscriptionResponseStreamEvent")
            self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
            self.wfile.flush()

    def _speak(self, body: Body) -> None:
        if (error := self.server.owner.refusal(body, "CreateSpeechRequest")) is not None:
            self._send_json(400, error)
        else:
            self._send(200, self.server.owner.speech(body), **{"Content-Type": "application/octet-stream"})

    def _send_json(self, status: int, body: Body) -> None:
        if status >= 400:
            self.server.owner.check(body, "ErrorResponse")
        self._send(status, json.dumps(body).encode())

    def _send(self, status: int, data: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with suppress(ConnectionError):
            self.wfile.write(data)


def samples_of(data: bytes) -> tuple[int, bytes]:
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
