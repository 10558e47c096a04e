"""What the recogniser on the `openai` package asks for, and what it makes of the answers."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tests.openai_audio import OpenAiAudioServer, Words
from tests.openai_audio_http import samples_of
from tests.openai_recogniser import KEY, RATE, SAID, AtServer, sound_of, transcriber_with
from tests.unit.speech.sounds import voice
from trainer.adapters.openai_transcriber import MOST_S, OpenAiTranscriber
from trainer.ports import ModelUnavailable, Sound, TranscriptPart
from trainer.speech.audio_files import flac, wav


class TestRequests(AtServer):
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


class TestRefusedParameters(AtServer):
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


class TestAnswers(AtServer):
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


def test_the_server_of_these_tests_reads_what_was_sent() -> None:
    """A check of the check: samples come out as they went in, as WAV and as FLAC."""
    samples = np.array([0, 1, -1, 32_767, -32_768, 5], np.int16)
    sound = Sound(np.tile(samples, 3_000).astype("<i2").tobytes(), RATE)
    assert samples_of(wav(sound)) == samples_of(flac(sound)) == (RATE, sound.pcm)
