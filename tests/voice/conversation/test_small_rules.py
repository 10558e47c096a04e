"""Waiting, windows, patience, outages, languages, memory."""

from __future__ import annotations

import pytest

from trainer.conversations import CHARACTERS_MOST, IDLE_S, TURNS_MOST, Turn
from trainer.ports import Transcript
from voice_sidecar.conversation.filler import Filler
from voice_sidecar.conversation.memory import PEOPLE_MOST, Memory, belonging
from voice_sidecar.conversation.outages import REST_S, Outages
from voice_sidecar.conversation.tongues import Tongues, base, voice_for
from voice_sidecar.conversation.waiting import Waiting
from voice_sidecar.conversation.windows import Windows

ANNA, BORIS, CAROL = 1, 2, 3


def test_of_each_person_the_newest_waits_in_its_place() -> None:
    waiting: Waiting[str] = Waiting(2)
    assert waiting.add(ANNA, "a1") is None
    assert waiting.add(BORIS, "b1") is None
    assert waiting.add(CAROL, "c1") == "c1"
    assert waiting.add(ANNA, "a2") == "a1"
    assert len(waiting) == 2
    assert [waiting.take(), waiting.take(), waiting.take()] == ["a2", "b1", None]


def test_what_waits_can_be_dropped() -> None:
    waiting: Waiting[str] = Waiting(3)
    waiting.add(ANNA, "a")
    waiting.add(BORIS, "b")
    assert waiting.drop(ANNA) == "a"
    assert waiting.drop(ANNA) is None
    assert waiting.clear() == ["b"]
    assert not waiting


def test_a_window_is_open_until_a_while_after_the_answer() -> None:
    windows = Windows(8.0)
    assert not windows.open_for(ANNA, 0.0)
    windows.begin(ANNA)
    assert windows.open_for(ANNA, 1e9)
    windows.end(ANNA, 100.0)
    assert windows.open_for(ANNA, 108.0)
    assert not windows.open_for(ANNA, 108.1)
    assert not windows.open_for(BORIS, 101.0)


def test_a_window_that_was_closed_stays_closed() -> None:
    windows = Windows(8.0)
    windows.begin(ANNA)
    windows.close(ANNA)
    windows.end(ANNA, 100.0)
    assert not windows.open_for(ANNA, 100.0)


def test_patience_is_asked_for_once_and_only_for_what_is_ours() -> None:
    filler = Filler(1.5, 100.0)
    assert filler.deadline() is None
    assert not filler.due(200.0)
    filler.ours()
    assert filler.deadline() == 101.5
    assert not filler.due(101.4)
    assert filler.due(101.5)
    assert not filler.due(101.6)


@pytest.mark.parametrize("after_s", [0.0, 1.5])
def test_patience_is_not_asked_for_once_the_answer_began_or_if_switched_off(after_s: float) -> None:
    filler = Filler(after_s, 100.0)
    filler.ours()
    if after_s:
        filler.over()
    assert not filler.due(200.0)


def test_a_failure_is_told_once_until_it_is_over_and_not_too_often() -> None:
    outages = Outages()
    assert outages.failed("model", 0.0)
    assert not outages.failed("model", 10_000.0)
    assert outages.failed("voice", 0.0)
    outages.works("model")
    assert not outages.failed("model", REST_S - 1)
    outages.works("model")
    assert outages.failed("model", REST_S)


@pytest.mark.parametrize(
    ("locale", "language"),
    [("en-US", "en"), ("ru", "ru"), ("pt-BR", "pt"), ("zh_CN", "zh"), ("", "en"), ("x1", "en")],
)
def test_the_language_of_a_locale(locale: str, language: str) -> None:
    assert base(locale) == language


def said(text: str, language: str = "") -> Transcript:
    return Transcript(text, language, ())


def test_a_language_is_that_of_what_somebody_said() -> None:
    tongues = Tongues("en-GB")
    assert tongues.of(ANNA) == "en"
    assert tongues.heard(ANNA, said("Привет, как дела?", "ru")) == "ru"
    assert tongues.of(ANNA) == "ru"
    assert tongues.of(BORIS) == tongues.of(None) == "en"
    assert tongues.expected(ANNA)[:2] == ("ru", "en")
    assert tongues.heard(ANNA, said("What is the price?", "en")) == "en"
    tongues.forget(ANNA)
    assert tongues.of(ANNA) == "en"


def test_letters_decide_about_the_alphabet() -> None:
    tongues = Tongues("en-GB")
    assert tongues.heard(ANNA, said("Привет, как дела?", "en")) == "ru"
    assert tongues.heard(ANNA, said("Hello there, friend!", "ru")) == "en"
    assert tongues.heard(ANNA, said("Привіт, як твої справи?", "uk")) == "uk"
    assert tongues.heard(ANNA, said("42", "ja")) == "uk"


def test_a_word_or_two_do_not_change_a_language() -> None:
    tongues = Tongues("en-GB")
    tongues.heard(ANNA, said("Was kostet das bei euch?", "de"))
    assert tongues.heard(ANNA, said("Okay super", "en")) == "de"
    assert tongues.heard(ANNA, said("Да", "ru")) == "ru"


@pytest.mark.parametrize(
    ("text", "listener", "written", "language"),
    [
        ("Hello.", "en", True, "en"),
        ("Привет.", "en", True, "ru"),
        ("Hello.", "ru", False, "en"),
        ("Да, это PostgreSQL.", "ru", True, "en"),
        ("Да, это база PostgreSQL, она нужна.", "ru", True, "ru"),
        ("Es kostet zehn Euro.", "de", True, "de"),
        ("It was taught in English.", "de", False, "en"),
        ("42", "ru", False, "ru"),
    ],
)
def test_the_language_of_a_voice(text: str, listener: str, written: bool, language: str) -> None:
    assert voice_for(text, listener, written_for_them=written) == language


def turn(number: int, at: float = 0.0, *, words: str = "w", fresh: bool = False) -> Turn:
    return Turn(id=str(number), question=words, answer=words, topic=words, at=at, fresh=fresh)


def test_a_person_is_remembered_for_a_while() -> None:
    memory = Memory()
    memory.add(ANNA, turn(1, 100.0), 100.0)
    memory.add(ANNA, turn(2, 200.0), 200.0)
    assert [one.id for one in memory.former(ANNA, 200.0 + IDLE_S)] == ["1", "2"]
    assert not memory.former(BORIS, 200.0)
    assert not memory.former(ANNA, 201.0 + IDLE_S)
    assert not memory.former(ANNA, 200.0)  # forgotten for good


def test_a_turn_can_be_told_more_of() -> None:
    memory = Memory()
    memory.add(ANNA, turn(1, words="half"), 0.0)
    memory.add(ANNA, turn(1, words="whole"), 0.0)
    assert [one.answer for one in memory.former(ANNA, 0.0)] == ["whole"]


def test_what_is_remembered_is_bounded() -> None:
    memory = Memory()
    for number in range(1, 20):
        memory.add(ANNA, turn(number), 0.0)
    assert len(memory.former(ANNA, 0.0)) == TURNS_MOST
    memory.add(ANNA, turn(30, words="w" * 5_000), 0.0)
    kept = memory.former(ANNA, 0.0)
    assert sum(len(one.question + one.answer) for one in kept) <= CHARACTERS_MOST
    for person in range(10, 10 + PEOPLE_MOST):
        memory.add(person, turn(1), 0.0)
    assert not memory.former(ANNA, 0.0)


def test_memory_can_be_forgotten() -> None:
    memory = Memory()
    memory.add(ANNA, turn(1), 0.0)
    memory.add(BORIS, turn(2), 0.0)
    memory.forget(ANNA)
    assert not memory.former(ANNA, 0.0)
    memory.clear()
    assert not memory.former(BORIS, 0.0)


def test_who_begins_anew_is_not_reminded() -> None:
    assert [one.id for one in belonging([turn(3), turn(2, fresh=True), turn(1)], 0.0)] == ["2", "3"]
