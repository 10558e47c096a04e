"""What is not answered, as nobody said it."""

from __future__ import annotations

import pytest

from trainer.ports.speech import Transcript, TranscriptPart
from voice_sidecar.turns.worth import Unworthy, worth_answering


def said(text: str, *, doubt: float = 0.0, parts: tuple[str, ...] = ()) -> Transcript:
    return Transcript(text, "en", tuple(TranscriptPart(0, 1, part) for part in parts), doubt)


@pytest.mark.parametrize(
    ("text", "voiced_s"),
    [
        ("What are the opening hours?", 1.4),
        ("Да.", 0.25),
        ("No", 0.22),
        ("Thank you.", 0.5),
        ("Спасибо!", 0.5),
        ("Тренер, сколько стоит доставка в Екатеринбург?", 2.2),
        ("Trainger, how much is shipping to Paris if I order two of them today and one tomorrow?", 3.2),
        ("東京の天気はどうですか", 1.3),
        ("42", 0.6),
        ("you", 0.4),
        ("Subscribe to the newsletter, how does that work?", 2.0),
    ],
)
def test_what_people_say_is_answered(text: str, voiced_s: float) -> None:
    assert worth_answering(said(text), voiced_s) is None


@pytest.mark.parametrize("text", ["", "  ", "...", "?!", "♪", "—"])
def test_no_words(text: str) -> None:
    assert worth_answering(said(text), 1) is Unworthy.WORDLESS


def test_too_little_voice() -> None:
    assert worth_answering(said("Yes"), 0.19) is Unworthy.SHORT
    assert worth_answering(said("Yes"), 0.2) is None
    assert worth_answering(said("Yes"), 0.19, least_voice=0.1) is None


def test_doubt() -> None:
    assert worth_answering(said("What time is it?", doubt=0.49), 1) is None
    assert worth_answering(said("What time is it?", doubt=0.5), 1) is Unworthy.DOUBTFUL
    assert worth_answering(said("What time is it?", doubt=0.5), 1, doubtful_at=0.7) is None


@pytest.mark.parametrize(
    ("text", "least_s"),
    [
        ("I went to the shop to buy some bread and milk for all of us", 1.86),
        ("Достопримечательности Санкт-Петербурга", 0.45),
    ],
)
def test_nobody_speaks_so_fast(text: str, least_s: float) -> None:
    assert worth_answering(said(text), least_s - 0.1) is Unworthy.TOO_FAST
    assert worth_answering(said(text), least_s + 0.1) is None


@pytest.mark.parametrize(
    "text",
    [
        "Thanks for watching!",
        "Субтитры сделал DimaTorzok",
        "Продолжение следует...",
        "[Music]",
        "Subtitles by the Amara.org community",
    ],
)
def test_what_subtitles_say(text: str) -> None:
    assert worth_answering(said(text), 3) is Unworthy.MADE_UP
    assert worth_answering(said(text, parts=(text,)), 3) is Unworthy.MADE_UP


def test_a_question_beside_what_subtitles_say_is_answered() -> None:
    both = said("What is it? Thanks for watching!", parts=("What is it?", "Thanks for watching!"))
    assert worth_answering(both, 3) is None


def test_common_phrases_are_believed_unless_something_speaks_against_them() -> None:
    assert worth_answering(said("Thank you very much."), 1) is None
    assert worth_answering(said("Thank you very much.", doubt=0.3), 1) is Unworthy.MADE_UP
    # Four words, in what is hardly voice: possible, but nobody does it.
    assert worth_answering(said("Thank you very much."), 0.4) is Unworthy.MADE_UP
    assert worth_answering(said("Call me back please."), 0.4) is None
