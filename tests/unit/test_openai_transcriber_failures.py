"""What the recogniser on the `openai` package does with streams, and with everything that can fail."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest

from tests.openai_audio import OpenAiAudioServer, Words
from tests.openai_recogniser import KEY, SAID, AtServer, sound_of, transcriber_with
from tests.unit.speech.sounds import voice
from trainer.adapters.openai_transcriber import OpenAiTranscriber
from trainer.adapters.openai_transcripts import TEXT_MOST
from trainer.ports import ModelUnavailable, Sound, TranscriptPart

PRIVATE = "the-words-of-a-person"


class TestStreaming(AtServer):
    """The text as it comes, from models that tell it."""

    def test_it_grows(self, server: OpenAiAudioServer, remote: OpenAiTranscriber, sound: Sound) -> None:
        server.knows(sound, Words(SAID, pieces=("How do", " I reset ", "my password?")))
        told: list[str] = []
        found = remote.transcribe(sound, language="en", on_text=told.append)
        assert told == ["How do", "How do I reset", SAID]
        assert (found.text, found.language) == (SAID, "en")
        assert server.heard[-1].fields["stream"] is True

    def test_whisper_is_not_asked_to(
        self, server: OpenAiAudioServer, whisper: OpenAiTranscriber, sound: Sound
    ) -> None:
        told: list[str] = []
        assert whisper.transcribe(sound, on_text=told.append).text == SAID
        assert not told
        assert "stream" not in server.heard[-1].fields

    def test_a_server_that_answers_at_once_all_the_same(self) -> None:
        sound = sound_of(voice(3))
        with OpenAiAudioServer(streams=False) as server, transcriber_with(server) as transcriber:
            server.knows(sound, SAID)
            assert transcriber.transcribe(sound, on_text=lambda _: None).text == SAID
            assert len(server.heard) == 1

    def test_a_server_that_refuses(self, server: OpenAiAudioServer, remote: OpenAiTranscriber, sound: Sound) -> None:
        server.refuse("stream")
        for _ in range(2):
            assert remote.transcribe(sound, on_text=lambda _: None).text == SAID
        assert ["stream" in heard.fields for heard in server.heard] == [True, False, False]

    def test_what_is_cut_before_anything_came_is_asked_again(
        self, server: OpenAiAudioServer, remote: OpenAiTranscriber, sound: Sound
    ) -> None:
        server.cut_after(0)
        assert remote.transcribe(sound, on_text=lambda _: None).text == SAID
        assert len(server.heard) == 2

    def test_what_is_cut_later_is_not(
        self, server: OpenAiAudioServer, remote: OpenAiTranscriber, sound: Sound
    ) -> None:
        server.cut_after(2)
        with pytest.raises(ModelUnavailable) as caught:
            remote.transcribe(sound, on_text=lambda _: None)
        assert (caught.value.reason, caught.value.retryable) == ("connection", True)
        assert len(server.heard) == 1

    def test_what_the_listener_raises_passes(self, remote: OpenAiTranscriber, sound: Sound) -> None:
        def stop(_: str) -> None:
            raise ValueError(PRIVATE)

        with pytest.raises(ValueError, match=PRIVATE):
            remote.transcribe(sound, on_text=stop)

    @pytest.mark.parametrize(
        ("raw", "expected"),
        [
            (b"data: {}\n\ndata: [DONE]\n\n", ("connection", True)),
            (b"data: <html>\n\n", ("protocol", False)),
            (b'data: {"type": "transcript.text.done", "text": 5}\n\n', ("protocol", False)),
            (b'data: {"error": {"message": "x", "code": "rate_limit_exceeded"}}\n\n', ("rate_limited", True)),
            (b'data: {"type": "error", "error": "the-words-of-a-person"}\n\n', ("server", True)),
            (
                b'data: {"type": "transcript.text.delta", "delta": "%b"}\n\n' % (b"a" * (TEXT_MOST + 1)),
                ("protocol", False),
            ),
        ],
    )
    def test_streams_that_are_none(self, server: OpenAiAudioServer, raw: bytes, expected: tuple[str, bool]) -> None:
        with transcriber_with(server, max_retries=0) as transcriber:
            server.stream_raw(raw)
            assert failure_of(transcriber, on_text=lambda _: None) == expected

    def test_other_events_are_passed_over(
        self, server: OpenAiAudioServer, remote: OpenAiTranscriber, sound: Sound
    ) -> None:
        server.stream_raw(
            b': a comment\n\nevent: ping\ndata:\n\ndata: {"type": "transcript.text.segment", "text": "x"}\n\n'
            b'data: {"type": "transcript.text.delta", "delta": " "}\n\n'
            b'data: {"type": "transcript.text.done", "text": "Hello."}\n\n'
        )
        told: list[str] = []
        assert remote.transcribe(sound, on_text=told.append).text == "Hello."
        assert not told


def failure_of(transcriber: OpenAiTranscriber, **options: Any) -> tuple[str, bool]:
    """What the failure says of itself; nothing private is near the exception."""
    with pytest.raises(ModelUnavailable) as caught:
        transcriber.transcribe(sound_of(voice(1)), keywords=[PRIVATE], **options)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert PRIVATE not in repr(caught.value) + str(vars(caught.value))
    assert KEY not in repr(caught.value) + str(vars(caught.value))
    return caught.value.reason, caught.value.retryable


class TestFailures(AtServer):
    """Every way to fail ends as a `ModelUnavailable` that says what is known."""

    @pytest.mark.parametrize(
        ("status", "code", "expected"),
        [
            (400, None, ("refused", False)),
            (401, "invalid_api_key", ("credentials", False)),
            (404, "model_not_found", ("refused", False)),
            (413, None, ("refused", False)),
            (429, "rate_limit_exceeded", ("rate_limited", True)),
            (429, "insufficient_quota", ("rate_limited", False)),
            (503, None, ("server", True)),
        ],
    )
    def test_statuses(
        self, server: OpenAiAudioServer, sound: Sound, status: int, code: str | None, expected: tuple[str, bool]
    ) -> None:
        with transcriber_with(server, max_retries=0) as transcriber:
            server.fail(status=status, code=code, message=f"{PRIVATE} {KEY}")
            assert failure_of(transcriber) == expected
            assert transcriber.transcribe(sound).text == SAID

    def test_a_passing_failure_is_tried_again_as_soon_as_the_server_says(
        self, server: OpenAiAudioServer, remote: OpenAiTranscriber, sound: Sound
    ) -> None:
        server.fail(status=500, headers={"Retry-After": "0"})
        assert remote.transcribe(sound).text == SAID
        server.fail(status=500, headers={"Retry-After-Ms": "1"}, times=3)
        assert failure_of(remote) == ("server", True)
        assert len(server.heard) == 5

    def test_a_wait_longer_than_the_request_may_take_is_not_begun(
        self, server: OpenAiAudioServer, remote: OpenAiTranscriber
    ) -> None:
        server.fail(status=429, headers={"Retry-After": "100"})
        assert failure_of(remote) == ("rate_limited", True)
        assert len(server.heard) == 1

    def test_no_time_is_left(self, server: OpenAiAudioServer) -> None:
        with transcriber_with(server, timeout_s=-100) as transcriber:
            assert failure_of(transcriber) == ("timeout", True)
        assert not server.heard

    def test_a_server_that_says_nothing(self, server: OpenAiAudioServer) -> None:
        server.delay_s = 30
        with transcriber_with(server, timeout_s=-0.7) as transcriber:
            assert failure_of(transcriber) == ("timeout", True)
        server.stopping.set()

    def test_a_server_that_says_a_little_now_and_then(self, server: OpenAiAudioServer) -> None:
        server.event_delay_s = 0.2
        sound = sound_of(voice(1))
        server.knows(sound, "one two three four five six seven eight")
        with transcriber_with(server, timeout_s=-0.3, max_retries=0) as transcriber:
            assert failure_of(transcriber, on_text=lambda _: None) == ("timeout", True)
        server.stopping.set()

    def test_nobody_listens(self) -> None:
        with OpenAiAudioServer() as server:
            url = server.base_url
        with closing(OpenAiTranscriber(api_key=None, base_url=url, max_retries=0)) as transcriber:
            assert failure_of(transcriber) == ("connection", True)

    @pytest.mark.parametrize(
        "body",
        [
            b"<html>",
            b"null",
            b"[]",
            b"{}",
            b'{"text": null}',
            b'{"text": ["a"]}',
            b'{"text": "a", "segments": [{"start": "x", "end": 1, "text": "a"}]}',
            b'{"text": "a", "usage": 5}',
            b'{"text": "%b"}' % (b"a" * (TEXT_MOST + 1)),
            b"\xff\xfe",
        ],
    )
    def test_answers_that_are_none(
        self, server: OpenAiAudioServer, remote: OpenAiTranscriber, sound: Sound, body: bytes
    ) -> None:
        server.fail(status=200, body=body)
        assert failure_of(remote) == ("protocol", False)
        assert remote.transcribe(sound).text == SAID

    def test_an_answer_that_never_ends(
        self, server: OpenAiAudioServer, remote: OpenAiTranscriber, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("trainer.adapters.openai_transcriber.ANSWER_MOST", 1_000)
        server.fail(status=200, body=json.dumps({"text": "a " * 1_000}).encode())
        assert failure_of(remote) == ("protocol", False)

    def test_an_answer_that_breaks_off(self, server: OpenAiAudioServer) -> None:
        with transcriber_with(server, max_retries=0) as transcriber:
            server.fail(status=200, body=b'{"text": "Hel', headers={"Content-Length": "500"})
            assert failure_of(transcriber) == ("connection", True)

    def test_strange_times(self, server: OpenAiAudioServer, remote: OpenAiTranscriber, sound: Sound) -> None:
        segments = [{"start": 9e300, "end": -9e300, "text": "Hello there"}, {"start": 0, "end": 0, "text": ""}]
        server.fail(status=200, body=json.dumps({"text": "x", "segments": segments}).encode())
        assert remote.transcribe(sound).parts == (TranscriptPart(3.0, 3.0, "Hello there"),)
