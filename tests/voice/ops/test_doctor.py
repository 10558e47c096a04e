"""The doctor finds what is there, and says of what is not how to mend it."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from trainer.configuration_errors import ConfigurationError
from trainer.ports import ModelUnavailable, QueueUnavailable, StoreUnavailable
from trainer.ports.speech import Sound, Transcript
from trainer.speech.speaking import Speaker
from voice_sidecar.ops import doctor, doctor_discord
from voice_sidecar.ops.doctor import Broken, Check, Finding
from voice_sidecar.ops.doctor_discord import INVITED_WITH, PERMISSIONS, Discord, missing_in
from voice_sidecar.turns.weights import WeightsMissing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_each_check_is_tried_whatever_the_one_before_it_did() -> None:
    def broken() -> str:
        raise Broken("Mend it so.")

    def surprising() -> str:
        raise KeyError("a secret")

    checks = [
        Check("one", lambda: "fine"),
        Check("two", broken),
        Check("three", surprising),
        Check("four", broken, False),
    ]
    findings = list(doctor.examine(checks))
    assert [finding.ok for finding in findings] == [True, False, False, False]
    lines = [doctor.render(finding) for finding in findings]
    assert lines[0] == "OK   one: fine"
    assert lines[1] == "BAD  two: Mend it so."
    assert "KeyError" in lines[2]
    assert "secret" not in lines[2]
    assert lines[3].startswith("note four")


def test_what_is_not_needed_does_not_make_it_ill() -> None:
    assert doctor.healthy([Finding("a", True, ""), Finding("b", False, "", needed=False)])
    assert not doctor.healthy([Finding("a", True, ""), Finding("b", False, "")])


def test_the_real_opus_and_dave_are_found() -> None:
    assert "libopus" in doctor.opus()
    assert doctor.dave().startswith("davey 0.1.7")


class _Vad:
    def __init__(self, probability: float) -> None:
        self._probability = probability

    def probability(self, window: bytes) -> float:
        assert len(window) == 2 * 512
        return self._probability


def test_a_model_that_hears_speech_in_silence_is_broken() -> None:
    assert doctor.voice_activity(lambda: _Vad(0.01))()
    with pytest.raises(Broken):
        doctor.voice_activity(lambda: _Vad(0.9))()

    def missing() -> _Vad:
        raise WeightsMissing("the weights are not installed")

    with pytest.raises(Broken, match=r"voice_sidecar/requirements\.txt"):
        doctor.voice_activity(missing)()


def test_ffmpeg_is_asked(tmp_path: Path) -> None:
    assert "PyAV" in doctor.ffmpeg("")()
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\necho ffmpeg version 9.1\necho more\n")
    program.chmod(0o700)
    assert doctor.ffmpeg(str(program))() == "ffmpeg version 9.1"
    program.write_text("#!/bin/sh\nexit 3\n")
    for wrong in (program, tmp_path / "none"):
        with pytest.raises(Broken, match="path_to_ffmpeg"):
            doctor.ffmpeg(str(wrong))()


class _Recogniser:
    name = "scripted"
    most_s = 30.0
    local = True

    def __init__(self, *, works: bool) -> None:
        self._works = works

    def transcribe(self, sound: Sound, **_how: Any) -> Transcript:
        if not self._works:
            raise ModelUnavailable("refused", retryable=False)
        return Transcript("", "en", ())


def test_recognition_is_tried() -> None:
    assert doctor.recognition(lambda: _Recogniser(works=True))() == "scripted"
    with pytest.raises(Broken, match="TRAINGER_STT"):
        doctor.recognition(lambda: _Recogniser(works=False))()
    with pytest.raises(Broken, match="OPENAI_API_KEY"):
        doctor.recognition(lambda: None)()


class _Voice:
    name = "scripted"

    def __init__(self, *languages: str) -> None:
        self._languages = languages

    def speaks(self, language: str) -> bool:
        return language in self._languages

    def speak(self, text: str, *, language: str, speed: float = 1.0, voice: str = "") -> Sound:
        return Sound(bytes(200), 24_000)


def test_voices_are_tried_in_both_languages() -> None:
    assert doctor.voices(lambda: Speaker([_Voice("en", "ru")]))() == "en: scripted, ru: scripted"
    with pytest.raises(Broken, match="“ru”"):
        doctor.voices(lambda: Speaker([_Voice("en")]))()
    with pytest.raises(Broken, match="TRAINGER_TTS"):
        doctor.voices(lambda: None)()


class _Answering:
    def __init__(self, problem: Exception | None = None) -> None:
        self._problem = problem
        self.closed = False

    def ping(self) -> None:
        if self._problem:
            raise self._problem

    def close(self) -> None:
        self.closed = True


def test_store_and_queue_are_asked() -> None:
    queue: Any = _Answering()
    assert doctor.queue(lambda: queue)() == "answers"
    assert queue.closed
    silent: Any = _Answering(QueueUnavailable("no"))
    with pytest.raises(Broken, match="TRAINGER_VOICE_QUEUE"):
        doctor.queue(lambda: silent)()
    assert silent.closed
    store: Any = _Answering(StoreUnavailable("no"))
    with pytest.raises(Broken, match="TRAINGER_STORE"):
        doctor.store(lambda: store)()


def test_a_setting_that_cannot_be_is_a_finding() -> None:
    def make() -> Any:
        raise ConfigurationError("TRAINGER_VOICE_QUEUE is none")

    for check in (doctor.queue, doctor.store, doctor.recognition, doctor.voices):
        with pytest.raises(Broken, match="TRAINGER_VOICE_QUEUE is none"):
            check(make)()


ENOUGH = sum(PERMISSIONS.values())
GOOD: dict[str, tuple[int, object]] = {
    "/users/@me": (200, {"id": "42"}),
    "/applications/@me": (200, {"id": "42"}),
    "/gateway/bot": (200, {"url": "wss://gateway.test", "shards": 1, "session_start_limit": {"remaining": 9}}),
    "/users/@me/guilds": (200, [{"id": "1", "permissions": str(ENOUGH)}]),
}


@contextmanager
def discord(answers: dict[str, tuple[int, object]], token: str = "good") -> Iterator[Discord]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers[self.path]
            if self.headers["Authorization"] != "Bot good":
                status, body = 401, {"message": "401: Unauthorized", "code": 0}
            assert self.headers["User-Agent"].startswith("DiscordBot (")
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Discord(f"http://127.0.0.1:{server.server_port}", token, "42")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_discord_as_it_should_be() -> None:
    with discord(GOOD) as asked:
        found = {name: run() for name, run in doctor_discord.questions(asked)}
    assert found["token"] == "answers as 42"
    assert "wss://gateway.test" in found["gateway"]
    assert f"permissions={INVITED_WITH}" in found["permissions"]
    assert INVITED_WITH & ENOUGH == ENOUGH


@pytest.mark.parametrize(
    ("path", "answer", "question", "mending"),
    [
        ("/users/@me", (500, {}), "token", "answers 500"),
        ("/users/@me", (429, {}), "token", "patience"),
        ("/users/@me", (200, b"<html>"), "token", "DISCORD_API_BASE_URL"),
        ("/users/@me", (200, []), "token", "DISCORD_API_BASE_URL"),
        ("/gateway/bot", (200, {"url": ""}), "gateway", "DISCORD_API_BASE_URL"),
        (
            "/gateway/bot",
            (200, {"url": "wss://g", "session_start_limit": {"remaining": 0, "reset_after": 60_000}}),
            "gateway",
            "60 s",
        ),
        ("/users/@me/guilds", (200, []), "permissions", "Invite it: https://"),
        (
            "/users/@me/guilds",
            (200, [{"id": "7", "permissions": str(ENOUGH & ~(1 << 21))}]),
            "permissions",
            "7 lacks Speak",
        ),
    ],
)
def test_what_discord_says_is_explained(path: str, answer: tuple[int, object], question: str, mending: str) -> None:
    with discord(GOOD | {path: answer}) as asked:
        (finding,) = doctor.examine([Check(question, dict(doctor_discord.questions(asked))[question])])
    assert not finding.ok
    assert mending in finding.text


def test_a_wrong_token_is_not_shown() -> None:
    with discord(GOOD, token="wrong secret") as asked, pytest.raises(Broken, match="refuses the token") as caught:
        asked.token()
    assert "secret" not in str(caught.value)
    with pytest.raises(Broken, match="is not set"):
        Discord("http://127.0.0.1:1", "", "42").token()
    with pytest.raises(Broken, match="cannot be reached"):
        Discord("http://127.0.0.1:1", "x", "42").token()


def test_an_administrator_may_do_everything() -> None:
    assert missing_in({"permissions": str(1 << 3)}) == []
    assert missing_in({"permissions": "0"}) == list(PERMISSIONS)
    assert missing_in({}) == list(PERMISSIONS)
