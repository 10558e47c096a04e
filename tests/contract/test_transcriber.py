"""What every recogniser does, and what the one on the `openai` package does when its server misbehaves."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.openai_recogniser import RATE, SAID, AtServer, sound_of
from tests.unit.speech.sounds import noise, silence
from trainer.ports import ModelUnavailable, Sound, Transcriber, Transcript

if TYPE_CHECKING:
    from trainer.adapters.openai_transcriber import OpenAiTranscriber


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


class TestGptTranscribe(AtServer, TranscriberContract):
    """The adapter on the `openai` package with OpenAI's current model, at a server of the tests' own."""

    @pytest.fixture
    def transcriber(self, remote: OpenAiTranscriber) -> Transcriber:
        return remote

    @pytest.fixture
    def speech(self, sound: Sound) -> tuple[Sound, str]:
        return sound, SAID


class TestWhisperOfAServer(AtServer, TranscriberContract):
    """The same with what compatible servers have."""

    @pytest.fixture
    def transcriber(self, whisper: OpenAiTranscriber) -> Transcriber:
        return whisper

    @pytest.fixture
    def speech(self, sound: Sound) -> tuple[Sound, str]:
        return sound, SAID
