"""What every recogniser does, and what the one on the `openai` package does when its server misbehaves."""

from __future__ import annotations

import itertools
import json
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.openai_audio import OpenAiAudioServer, Words
from tests.unit.speech.sounds import noise, silence, voice
from trainer.adapters.openai_transcriber import MOST_S, OpenAiTranscriber
from trainer.adapters.openai_transcripts import TEXT_MOST
from trainer.ports import ModelUnavailable, Sound, Transcriber, Transcript, TranscriptPart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainer.speech.audio_pcm import Samples

RATE = 16_000
KEY = "sk-a-secret-key"
PRIVATE = "the-words-of-a-person"
SAID = "How do I reset my password?"


def sound_of(samples: Samples) -> Sound:
    return Sound(samples.astype("<i2").tobytes(), RATE)


def words_of(text: str) -> list[str]:
    return "".join(char if char.isalnum() else " " for char in text.casefold()).split()


class TranscriberContract(ABC):
    """The suite of the port. A class for an adapter gives it its `transcriber`, and some `speech` with its words."""

    @pytest.fixture
    @abstractmethod
    def transcriber(self) -> Transcriber:
        """A recogniser that works."""

    @pytest.fixture
    @abstractmethod
    def speech(self) -> tuple[Sound, str]:
        """English speech of at most ten seconds, and the words that are in it for sure."""

    def test_is_a_transcriber(self, transcriber: Transcriber) -> None:
        assert isinstance(transcriber, Transcriber)
        assert transcriber.name
        assert transcriber.most_s >= 20

    @pytest.mark.parametrize("asked", [{"language": "en"}, {}, {"languages": ("ru", "en")}])
    def test_the_words_of_a_sound(
        self, transcriber: Transcriber, speech: tuple[Sound, str], asked: dict[str, Any]
    ) -> None:
        sound, said = speech
        found = transcriber.transcribe(sound, **asked)
        assert set(words_of(said)) <= set(words_of(found.text))
        assert found.language == "en"
        assert 0 <= found.doubt < 0.5
        assert found.billed_s == (0 if transcriber.local else pytest.approx(sound.seconds, rel=0.01))
        self.check_parts(found, sound)

    def check_parts(self, found: Transcript, sound: Sound) -> None:
        before = 0.0
        for part in found.parts:
            assert before <= part.start_s <= part.end_s <= sound.seconds + 1e-6
            assert part.text == part.text.strip() != ""
            before = part.end_s
        assert words_of(" ".join(part.text for part in found.parts)) == words_of(found.text)

    def test_a_long_sound(self, transcriber: Transcriber, speech: tuple[Sound, str]) -> None:
        sound, _ = speech
        room = int((min(transcriber.most_s, 30.0) - sound.seconds) * RATE)
        found = transcriber.transcribe(Sound(bytes(2 * room) + sound.pcm, RATE), language="en")
        self.check_parts(found, Sound(bytes(2 * room) + sound.pcm, RATE))

    def test_keywords_and_being_told_change_nothing_that_matters(
        self, transcriber: Transcriber, speech: tuple[Sound, str]
    ) -> None:
        sound, said = speech
        told: list[str] = []
        found = transcriber.transcribe(
            sound, language="en", keywords=["Trainger", "PostgreSQL", "Хабаровск"], on_text=told.append
        )
        assert set(words_of(said)) <= set(words_of(found.text))
        assert not told or words_of(told[-1]) == words_of(found.text)
        assert all(after.startswith(before) for before, after in itertools.pairwise(told))

    def test_an_empty_sound_has_no_words(self, transcriber: Transcriber) -> None:
        assert transcriber.transcribe(Sound(b"", RATE)) == Transcript("", "", ())

    def test_in_silence_nobody_says_anything(self, transcriber: Transcriber) -> None:
        found = transcriber.transcribe(sound_of(silence(3)), language="en")
        assert not found.text or found.doubt > 0.5

    def test_in_noise_nobody_says_anything(self, transcriber: Transcriber) -> None:
        found = transcriber.transcribe(sound_of(noise(4)), language="en")
        assert not found.text or found.doubt > 0.5

    @pytest.mark.parametrize(
        "strange",
        [
            Sound(bytes(200_000), 48_000),
            Sound(bytes(32_001), RATE),
        ],
    )
    def test_what_is_not_taken(self, transcriber: Transcriber, strange: Sound) -> None:
        with pytest.raises(ModelUnavailable) as caught:
            transcriber.transcribe(strange)
        assert (caught.value.reason, caught.value.retryable) == ("refused", False)

    def test_longer_than_it_takes(self, transcriber: Transcriber) -> None:
        with pytest.raises(ModelUnavailable, match="refused"):
            transcriber.transcribe(Sound(bytes(2 * int((transcriber.most_s + 1) * RATE)), RATE))

    def test_a_language_that_nobody_knows_and_strange_keywords_do_no_harm(
        self, transcriber: Transcriber, speech: tuple[Sound, str]
    ) -> None:
        sound, said = speech
        found = transcriber.transcribe(sound, languages=("en", "xx"), keywords=["\ud800", "a" * 1_000])
        assert set(words_of(said)) <= set(words_of(found.text))

    def test_works_for_several_threads(self, transcriber: Transcriber, speech: tuple[Sound, str]) -> None:
        sound, _ = speech
        with ThreadPoolExecutor(3) as threads:
            found = list(threads.map(lambda _: transcriber.transcribe(sound, language="en"), range(3)))
        assert len({result.text for result in found}) == 1


@pytest.fixture
def server() -> Iterator[OpenAiAudioServer]:
    with OpenAiAudioServer() as server:
        yield server


@pytest.fixture
def sound(server: OpenAiAudioServer) -> Sound:
    """A sound that the server knows."""
    known = sound_of(voice(3))
    server.knows(known, SAID)
    return known


def transcriber_with(server: OpenAiAudioServer, **options: Any) -> closing[OpenAiTranscriber]:
    given = {"api_key": KEY, "base_url": server.base_url, "model": "gpt-transcribe"}
    return closing(OpenAiTranscriber(**given | options))


@pytest.fixture
def remote(server: OpenAiAudioServer) -> Iterator[OpenAiTranscriber]:
    with transcriber_with(server) as transcriber:
        yield transcriber


@pytest.fixture
def whisper(server: OpenAiAudioServer) -> Iterator[OpenAiTranscriber]:
    with transcriber_with(server, model=None) as transcriber:
        yield transcriber


class TestGptTranscribe(TranscriberContract):
    """The adapter on the `openai` package with OpenAI's current model, at a server of the tests' own."""

    @pytest.fixture
    def transcriber(self, remote: OpenAiTranscriber) -> Transcriber:
        return remote

    @pytest.fixture
    def speech(self, sound: Sound) -> tuple[Sound, str]:
        return sound, SAID


class TestWhisperOfAServer(TranscriberContract):
    """The same with what compatible servers have."""

    @pytest.fixture
    def transcriber(self, whisper: OpenAiTranscriber) -> Transcriber:
        return whisper

    @pytest.fixture
    def speech(self, sound: Sound) -> tuple[Sound, str]:
        return sound, SAID


class TestRequests:
    """What is sent."""

    def test_gpt_transcribe(self, server: OpenAiAudioServer, remote: OpenAiTranscriber, sound: Sound) -> None:
        remote.transcribe(sound, language="en", languages=["ru"], keywords=["PostgreSQL", "VAT"])
        (heard,) = server.heard
        assert heard.fields == {"model": "gpt-transcribe", "languages": ["en"], "keywords": ["PostgreSQL", "VAT"]}
        assert (heard.file_name, heard.content_type) == ("speech.wav", "audio/wav")
        assert (heard.rate, heard.pcm) == (RATE, sound.pcm)
        assert heard.headers["authorization"] == f"Bearer {KEY}"

    def test_several_languages_are_all_named(
        self, server: OpenAiAudioServer, remote: OpenAiTranscriber, sound: Sound
    ) -> None:
        remote.transcribe(sound, languages=["ru", "en"])
        assert server.heard[-1].fields == {"model": "gpt-transcribe", "languages": ["ru", "en"]}

    @pytest.mark.parametrize(
        ("model", "expected"),
        [
            ("whisper-1", {"language": "en", "response_format": "verbose_json", "prompt": "VAT, SLA"}),
            ("large-v3", {"language": "en", "response_format": "verbose_json", "prompt": "VAT, SLA"}),
            ("gpt-4o-mini-transcribe", {"language": "en", "response_format": "json", "prompt": "VAT, SLA"}),
            (
                "gpt-4o-transcribe-diarize",
                {"language": "en", "response_format": "json", "chunking_strategy": "auto"},
            ),
        ],
    )
    def test_other_models(
        self, server: OpenAiAudioServer, sound: Sound, model: str, expected: dict[str, str]
    ) -> None:
        with transcriber_with(server, model=model) as transcriber:
            assert transcriber.transcribe(sound, language="en", keywords=["VAT", "SLA"]).text == SAID
        assert server.heard[-1].fields == {"model": model, **expected}

    def test_at_openai_the_file_is_smaller_and_nothing_is_lost(
        self, server: OpenAiAudioServer, remote: OpenAiTranscriber, sound: Sound
    ) -> None:
        remote._client.at_openai = True  # which no test reaches
        assert remote.transcribe(sound).text == SAID
        heard = server.heard[-1]
        assert (heard.file_name, heard.content_type) == ("speech.flac", "audio/flac")
        assert heard.pcm == sound.pcm

    def test_the_models_that_are_asked_unless_one_is_named(self) -> None:
        assert OpenAiTranscriber(api_key=KEY, base_url=None).name == "gpt-transcribe"
        assert OpenAiTranscriber(api_key=None, base_url="http://127.0.0.1:9/v1").name == "whisper-1"
        with pytest.raises(ValueError, match="needs an API key"):
            OpenAiTranscriber(api_key=None, base_url=None)

    def test_keywords_are_bounded(self, server: OpenAiAudioServer, remote: OpenAiTranscriber, sound: Sound) -> None:
        remote.transcribe(sound, keywords=[f"word{number}" for number in range(500)])
        assert len(server.heard[-1].fields["keywords"]) == 50

    def test_a_sound_as_long_as_can_be(self, server: OpenAiAudioServer, remote: OpenAiTranscriber) -> None:
        remote.transcribe(Sound(bytes(2 * int(MOST_S * RATE)), RATE))
        assert len(server.heard[-1].pcm) == 2 * int(MOST_S * RATE)

    def test_closing_twice_and_using_again(self, remote: OpenAiTranscriber, sound: Sound) -> None:
        remote.transcribe(sound)
        remote.close()
        remote.close()
        assert remote.transcribe(sound).text == SAID


class TestRefusedParameters:
    """What a server does not take is left out, once and for all."""

    @pytest.mark.parametrize("refused", ["languages", "keywords"])
    def test_the_rest_is_sent(
        self, server: OpenAiAudioServer, remote: OpenAiTranscriber, sound: Sound, refused: str
    ) -> None:
        server.refuse(refused, message="unknown param `{}[]`")
        for _ in range(2):
            assert remote.transcribe(sound, language="en", keywords=["VAT"]).text == SAID
        assert [refused in heard.fields for heard in server.heard] == [True, False, False]
        assert server.heard[-1].fields.keys() == {"model", "languages", "keywords"} - {refused}

    def test_all_of_them(self, server: OpenAiAudioServer, whisper: OpenAiTranscriber, sound: Sound) -> None:
        for name in ("language", "prompt", "response_format"):
            server.refuse(name)
        found = whisper.transcribe(sound, language="en", keywords=["VAT"])
        assert (found.text, found.language) == (SAID, "en")
        assert found.parts == (TranscriptPart(0.0, sound.seconds, SAID),)
        assert server.heard[-1].fields == {"model": "whisper-1"}

    def test_a_refusal_of_what_was_not_sent_is_final(
        self, server: OpenAiAudioServer, remote: OpenAiTranscriber, sound: Sound
    ) -> None:
        server.fail(status=400, param="temperature")
        with pytest.raises(ModelUnavailable, match="refused"):
            remote.transcribe(sound)
        assert len(server.heard) == 1


class TestAnswers:
    """What comes back."""

    def test_segments_have_times_and_doubt(self, server: OpenAiAudioServer, whisper: OpenAiTranscriber) -> None:
        sound = sound_of(voice(10))
        segments = (
            {"start": -1.0, "end": 4.0, "text": " How do I reset it?", "avg_logprob": -0.2, "no_speech_prob": 0.01},
            {"start": 3.5, "end": 6.0, "text": " Please\x00 \n help.", "avg_logprob": -0.2, "no_speech_prob": 0.01},
            {"start": 6.0, "end": 99.0, "text": " Thanks for watching!", "avg_logprob": -1.0, "no_speech_prob": 0.9},
        )
        server.knows(sound, Words("anything", segments=segments))
        found = whisper.transcribe(sound)
        assert found.text == "How do I reset it? Please help."
        assert found.parts == (
            TranscriptPart(0.0, 4.0, "How do I reset it?"),
            TranscriptPart(4.0, 6.0, "Please help."),
        )
        assert 0 < found.doubt < 0.1

    def test_what_was_likely_made_up_is_doubted(self, server: OpenAiAudioServer, whisper: OpenAiTranscriber) -> None:
        sound = sound_of(voice(5))
        segment = {"start": 0.0, "end": 4.0, "text": "a b c", "avg_logprob": -1.2, "no_speech_prob": 0.9}
        server.knows(sound, Words("a b c", segments=(segment,)))
        assert whisper.transcribe(sound).doubt > 0.7

    def test_made_up_words_without_segments_go_too(
        self, server: OpenAiAudioServer, remote: OpenAiTranscriber, sound: Sound
    ) -> None:
        server.knows(sound, Words("Субтитры сделал DimaTorzok", language="ru"))
        assert remote.transcribe(sound).text == ""

    @pytest.mark.parametrize(("usage", "billed"), [("duration", 3.0), ("tokens", 3.0), ("", 3.0)])
    def test_what_is_paid_for(self, usage: str, billed: float) -> None:
        sound = sound_of(voice(3))
        with OpenAiAudioServer(usage=usage) as server, transcriber_with(server) as transcriber:
            server.knows(sound, SAID)
            assert transcriber.transcribe(sound).billed_s == billed

    @pytest.mark.parametrize(
        ("answer", "billed"),
        [
            ({"usage": {"type": "duration", "seconds": 4}}, 4.0),
            ({"duration": 5.5}, 5.5),
            ({"usage": {"type": "duration", "seconds": -4}}, 3.0),
        ],
    )
    def test_what_a_server_says_is_paid_for(
        self,
        server: OpenAiAudioServer,
        remote: OpenAiTranscriber,
        sound: Sound,
        answer: dict[str, Any],
        billed: float,
    ) -> None:
        server.fail(status=200, body=json.dumps({"text": "Hi there.", **answer}).encode())
        assert remote.transcribe(sound).billed_s == billed

    @pytest.mark.parametrize(
        ("answer", "language"),
        [
            ({"language": "english"}, "en"),
            ({"language": "Russian"}, "ru"),
            ({"language": "ukrainian"}, "uk"),
            ({"language": "pt-BR"}, "pt"),
            ({"language": "klingon language"}, ""),
            ({"languages": [{"code": "de"}]}, "de"),
            ({"languages": [{"code": "de"}, {"code": "en"}]}, ""),
            ({"languages": []}, ""),
            ({}, ""),
        ],
    )
    def test_the_language(
        self,
        server: OpenAiAudioServer,
        remote: OpenAiTranscriber,
        sound: Sound,
        answer: dict[str, Any],
        language: str,
    ) -> None:
        server.fail(status=200, body=json.dumps({"text": "Hi there.", **answer}).encode())
        assert remote.transcribe(sound).language == language

    def test_half_characters_are_mended(
        self, server: OpenAiAudioServer, remote: OpenAiTranscriber, sound: Sound
    ) -> None:
        server.fail(status=200, body=b'{"text": "Hi \\ud83d there\\u0007."}')
        assert remote.transcribe(sound).text.encode()


class TestStreaming:
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


class TestFailures:
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


def test_the_server_of_these_tests_reads_what_was_sent() -> None:
    """A check of the check: samples come out as they went in, as WAV and as FLAC."""
    from tests.openai_audio import _samples
    from trainer.speech.audio_files import flac, wav

    samples = np.array([0, 1, -1, 32_767, -32_768, 5], np.int16)
    sound = Sound(np.tile(samples, 3_000).astype("<i2").tobytes(), RATE)
    assert _samples(wav(sound)) == _samples(flac(sound)) == (RATE, sound.pcm)
