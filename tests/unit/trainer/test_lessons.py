"""What a correction teaches, in one line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.lessons import LESSON_MOST, lesson


@pytest.mark.parametrize(
    ("question", "wrong", "right", "expected"),
    [
        ("When is it?", "It is on Thursday at 8.", "It is on Friday at 8.", "When is it: Thursday → Friday"),
        ("When is it?", "", "On Friday.", "When is it: → On Friday."),
        ("When is it?", "Ask a friend.", "It is on Friday.", "When is it: Ask a friend. → It is on Friday."),
        ("When?", "On Friday at 8.", "On Friday at 8 sharp.", "When: 8 → 8 sharp"),
        ("When?", "On Friday at 8 in Rome.", "On Friday at 8.", "When: 8 in Rome → 8"),
        ("When?", "at 8 on Friday evening", "at 8 on Friday", "When: evening → −"),
        ("When?", "at 8 on Friday", "at 8 on Friday evening", "When: + → evening"),
        ("Who?\nAnd why?", "A", "B", "Who? And why: A → B"),
        ("???", "A", "B", ": A → B"),
        ("Same?", "It is so.", "It is so.", "Same: It is so. → It is so."),
        ("Когда начало?", "В четверг в 20:00.", "В пятницу в 20:00.", "Когда начало: четверг → пятницу"),
    ],
)
def test_lessons(question: str, wrong: str, right: str, expected: str) -> None:
    assert lesson(question, wrong, right) == expected


def test_only_punctuation_changed_is_told_as_a_whole() -> None:
    assert lesson("Q", "Yes , it is", "Yes . it is") == "Q: Yes , it is → Yes . it is"


def test_long_texts_are_cut_between_words() -> None:
    told = lesson("Why " * 100, "because " * 1000, "so " * 1000)
    assert len(told) <= LESSON_MOST
    assert told.startswith("Why Why")
    assert "Why…: because" in told
    assert lesson("x" * 500, "", "y" * 500).startswith("x" * 89 + "…: → y")


@given(st.text(), st.text(), st.text())
def test_it_is_always_one_short_line(question: str, wrong: str, right: str) -> None:
    told = lesson(question, wrong, right)
    assert len(told) <= LESSON_MOST
    assert len(told.splitlines()) <= 1
