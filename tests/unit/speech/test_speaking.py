"""Which voice speaks, when it is another's turn, and what is not asked for twice."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from trainer.ports import ModelUnavailable, Sound, Synthesizer
from trainer.speech.speaking import REST_S, Speaker

if TYPE_CHECKING:
    from collections.abc import Sequence

SECOND = b"\1\0" * 8_000


class Voice:
    """A voice that says what it was asked in its log, and fails as it is told."""

    def __init__(self, name: str, languages: Sequence[str] = ("en", "ru")) -> None:
        self.name = name
        self.languages = languages
        self.asked: list[tuple[str, str, float]] = []
        self.failure: ModelUnavailable | None = None
        self.fails_at: set[str] = set()

    def speaks(self, language: str) -> bool:
        return language in self.languages

    def speak(self, text: str, *, language: str, speed: float = 1.0, voice: str = "") -> Sound:
        self.asked.append((text, language, speed))
        if self.failure is not None and (not self.fails_at or text in self.fails_at):
            raise self.failure
        return Sound(SECOND, 8_000)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def said(speaker: Speaker, text: str, language: str = "") -> list[tuple[str, str]]:
    return [(spoken.text, spoken.voice) for spoken in speaker.say(text, language)]


def test_it_speaks_a_sentence_at_a_time_in_words() -> None:
    voice = Voice("one")
    assert isinstance(voice, Synthesizer)
    spoken = Speaker([voice]).say("**It is 5 km.** Go by bus!", "en", speed=1.25)
    assert next(spoken).text == "It is five kilometers."
    assert voice.asked == [("It is five kilometers.", "en", 1.25)]
    assert [rest.text for rest in spoken] == ["Go by bus!"]


def test_the_language_is_found_by_the_letters() -> None:
    voice = Voice("one")
    assert said(Speaker([voice]), "До 5 км.") == [("До пять километров.", "one")]
    assert voice.asked[0][1] == "ru"


@pytest.mark.parametrize("text", ["", "   ", "😀", "***"])
def test_nothing_to_say_is_nothing_said(text: str) -> None:
    voice = Voice("one")
    assert said(Speaker([voice]), text) == []
    assert voice.asked == []


def test_the_first_voice_that_speaks_the_language_speaks() -> None:
    english, every = Voice("english", ("en",)), Voice("every", ("en", "ru", "de"))
    speaker = Speaker([english, every])
    assert said(speaker, "Yes.", "en") == [("Yes.", "english")]
    assert said(speaker, "Да.", "ru") == [("Да.", "every")]
    assert speaker.name == "english, every"
    with pytest.raises(ModelUnavailable):
        said(speaker, "nuqneH", "tlh")


def test_the_next_voice_goes_on_and_keeps_the_word(caplog: pytest.LogCaptureFixture) -> None:
    first, second = Voice("first"), Voice("second")
    first.failure, first.fails_at = ModelUnavailable("refused", retryable=False), {"Two."}
    assert said(Speaker([first, second]), "One. Two. Three.", "en") == [
        ("One.", "first"),
        ("Two.", "second"),
        ("Three.", "second"),
    ]
    [record] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert (record.__dict__["voice"], record.__dict__["reason"]) == ("first", "refused")
    assert "Two" not in caplog.text


def test_a_sentence_that_nobody_speaks_is_left_out() -> None:
    first, second = Voice("first"), Voice("second")
    for voice in (first, second):
        voice.failure, voice.fails_at = ModelUnavailable("refused", retryable=False), {"Two."}
    spoken = said(Speaker([first, second]), "One. Two. Three.", "en")
    assert [text for text, _ in spoken] == ["One.", "Three."]
    with pytest.raises(ModelUnavailable):
        said(Speaker([first, second]), "Two.", "en")
    second.failure = ModelUnavailable("connection", retryable=True)
    with pytest.raises(ModelUnavailable, match="connection"):
        said(Speaker([first, second]), "One. Two. Three.", "en")


def test_a_voice_that_failed_rests_for_a_while() -> None:
    first, second, clock = Voice("first"), Voice("second"), Clock()
    speaker = Speaker([first, second], clock=clock)
    first.failure = ModelUnavailable("timeout", retryable=True)
    assert said(speaker, "One.", "en") == [("One.", "second")]
    assert said(speaker, "Two.", "en") == [("Two.", "second")]
    assert len(first.asked) == 1
    first.failure, clock.now = None, REST_S + 1
    assert said(speaker, "Three.", "en") == [("Three.", "first")]


def test_a_resting_voice_is_better_than_none() -> None:
    only, clock = Voice("only"), Clock()
    speaker = Speaker([only], clock=clock)
    only.failure = ModelUnavailable("server", retryable=True)
    with pytest.raises(ModelUnavailable):
        said(speaker, "One.", "en")
    only.failure = None
    assert said(speaker, "One.", "en") == [("One.", "only")]


def test_what_was_said_is_not_asked_for_again() -> None:
    voice = Voice("one")
    speaker = Speaker([voice])
    assert [spoken.cached for spoken in speaker.say("Yes. No. Yes.", "en")] == [False, False, True]
    assert [spoken.cached for spoken in speaker.say("Yes.", "en", speed=1.5)] == [False]
    assert [spoken.cached for spoken in speaker.say("Yes.", "ru")] == [False]
    assert len(voice.asked) == 4


def test_what_is_kept_has_a_bound() -> None:
    voice = Voice("one")
    speaker = Speaker([voice], cache_bytes=2 * len(SECOND))
    said(speaker, "One. Two. Three. One.", "en")
    assert len(voice.asked) == 4
    assert said(Speaker([voice], cache_bytes=1), "One.", "en") == [("One.", "one")]


def test_a_speed_out_of_reason_is_brought_into_it() -> None:
    voice = Voice("one")
    speaker = Speaker([voice])
    assert list(speaker.say("One.", "en", speed=9))
    assert list(speaker.say("Two.", "en", speed=0))
    assert [speed for _, _, speed in voice.asked] == [2.0, 0.5]
