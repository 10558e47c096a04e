"""What is taken for the recogniser's own words, and what for somebody's."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.ports import TranscriptPart
from trainer.speech.made_up import DOUBTFUL_AT, LOOPING, Judged, doubt_of, loops, without_loops, without_made_up


def left_of(text: str, doubt: float = 0.0) -> str:
    return " ".join(judged.part.text for judged in without_made_up([Judged(TranscriptPart(0, 1, text), doubt)]))


@pytest.mark.parametrize(
    "text",
    [
        "Thanks for watching!",
        "Thank you so much for watching.",
        "Thanks for watching and see you next time!",
        "Please subscribe to my channel.",
        "Subtitles by the Amara.org community",
        "Субтитры сделал DimaTorzok",
        "Субтитры создавал DimaTorzok",
        "Редактор субтитров А.Синецкая Корректор А.Егорова",
        "Продолжение следует...",
        "Спасибо за просмотр!",
        "[Music]",
        "(applause)",
        "♪♪♪",
        "ДИНАМИЧНАЯ МУЗЫКА",
        "СПОКОЙНАЯ МУЗЫКА",
        "АПЛОДИСМЕНТЫ",
        ".",
        " ... ",
        "",
    ],
)
def test_what_subtitles_say_goes(text: str) -> None:
    assert left_of(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "Thank you.",
        "Спасибо.",
        "How do I subscribe to the newsletter?",
        "Which music do you like?",
        "Какая музыка играет в зале?",
        "Who made the subtitles?",
        "Thanks for watching my dog while I was away, what do I owe you?",
        "The (applause) was loud.",
        "VAT",
    ],
)
def test_what_people_say_stays(text: str) -> None:
    assert left_of(text) == text


def test_what_both_say_goes_if_there_is_doubt() -> None:
    assert left_of("Thank you.", 0.2) == "Thank you."
    assert left_of("Thank you.", 0.6) == ""
    assert left_of("Reset my password.", 0.6) == "Reset my password."


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("I'm sorry, I'm sorry, I'm sorry, I'm sorry, I'm sorry.", "I'm sorry."),
        ("well he's a fool, he's a fool, he's a fool, he's a fool, he", "well he's a fool, he"),
        ("да да да да да да да да", "да"),
        (
            "One two. One two. One two. One two. And then five six five six five six five six",
            "One two. And then five six",
        ),
        ("no no no no", "no no no no"),
        ("bye bye bye", "bye bye bye"),
        (
            "it was the best of times, it was the worst of times",
            "it was the best of times, it was the worst of times",
        ),
        ("", ""),
    ],
)
def test_phrases_that_come_again_and_again(text: str, short: str) -> None:
    assert without_loops(text) == short
    assert loops(text) == (text != short)


def test_what_repeats_within_words_is_a_loop_too() -> None:
    assert loops("ха" * 200)
    assert loops("字幕" * 60)


def test_the_first_sentence_of_two_cities_is_none() -> None:
    text = "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of "
    text += "foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the season of light, "
    text += "it was the season of darkness, it was the spring of hope, it was the winter of despair"
    assert not loops(text)
    assert left_of(text) == text


def test_a_loop_is_doubted() -> None:
    (judged,) = without_made_up([Judged(TranscriptPart(1, 2, " go on, go on, go on, go on, go on"), 0.1)])
    assert judged == Judged(TranscriptPart(1, 2, "go on"), LOOPING)


def test_doubt() -> None:
    assert doubt_of(-0.12, 0.61, "it was the worst of times") < 0.3
    assert doubt_of(-0.73, 0.22, "ворона") < 0.4
    assert doubt_of(-0.8, 0.68, "динамичная музыка") > DOUBTFUL_AT
    assert doubt_of(-0.78, 0.72, "you") > DOUBTFUL_AT
    assert doubt_of(-0.1, 0.1, "so " * 20) == LOOPING
    assert doubt_of(0.5, -1.0, "") == 0


@settings(deadline=None)
@given(st.text(max_size=300), st.floats(-50, 5), st.floats(-1, 2))
def test_any_text_and_any_numbers(text: str, logprob: float, no_speech: float) -> None:
    assert 0 <= doubt_of(logprob, no_speech, text) <= 1
    short = without_loops(text)
    assert len(short) <= len(text)
    for judged in without_made_up([Judged(TranscriptPart(0, 1, text), 0.0)]):
        assert judged.part.text == judged.part.text.strip() != ""
