"""Words and meanings judging together, on made-up numbers; tests/unit/test_index_meaning.py has real ones."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from trainer.matching import ANSWER_AT, SUGGEST_AT
from trainer.meaning import Candidate, judge

SURE, UNSURE = 1.5, -4.0
"""Log odds by words."""


def candidate(question: str, answer: str, *, words: float = UNSURE, cosine: float = 0.2) -> Candidate:
    return Candidate(question, answer, words, 0.0, cosine)


def test_nothing_to_judge() -> None:
    assert judge([]) == []


def test_words_suffice_where_the_meaning_does_not_object() -> None:
    (judged,) = judge([candidate("a", "A", words=SURE, cosine=0.6)])
    assert judged.confidence >= ANSWER_AT


def test_words_are_distrusted_where_the_meaning_is_another() -> None:
    (judged,) = judge([candidate("a", "A", words=SURE, cosine=0.1)])
    assert SUGGEST_AT <= judged.confidence < ANSWER_AT


def test_words_are_distrusted_where_another_answer_is_nearer_in_meaning() -> None:
    alone, _ = judge([candidate("a", "A", words=SURE, cosine=0.6), candidate("b", "B", cosine=0.5)])
    beside, _ = judge([candidate("a", "A", words=SURE, cosine=0.6), candidate("b", "B", cosine=0.8)])
    same, _ = judge([candidate("a", "A", words=SURE, cosine=0.6), candidate("b", "A", cosine=0.8)])
    assert alone.confidence >= ANSWER_AT
    assert SUGGEST_AT <= beside.confidence < ANSWER_AT
    assert same.confidence >= ANSWER_AT


def test_one_near_question_is_worth_a_mention_and_not_an_answer() -> None:
    (judged,) = judge([candidate("a", "A", cosine=0.75)])
    assert SUGGEST_AT <= judged.confidence < ANSWER_AT
    (far,) = judge([candidate("a", "A", cosine=0.35)])
    assert far.confidence < SUGGEST_AT / 2


def test_several_near_questions_with_one_answer_give_it() -> None:
    near = [candidate(f"a{number}", "A", words=-2.0, cosine=0.75) for number in range(4)]
    away = [candidate("b", "B", words=-2.0, cosine=0.4)]
    judged = judge([*near, *away])
    assert all(one.confidence >= ANSWER_AT for one in judged[:4])
    assert judged[4].confidence < SUGGEST_AT


def test_the_same_question_taught_twice_is_no_second_voice() -> None:
    once = judge([candidate("a", "A", cosine=0.75)])[0]
    twice = judge([candidate("a", "A", cosine=0.75)] * 2)[0]
    assert once == twice


def test_several_near_questions_do_not_give_one_of_two_answers() -> None:
    judged = judge([candidate(f"{answer}{n}", answer, words=-2.0, cosine=0.7) for answer in "AB" for n in range(4)])
    assert all(one.confidence < ANSWER_AT for one in judged)


def test_the_nearest_is_found_by_both() -> None:
    by_words, by_meaning, by_both = judge(
        [
            candidate("a", "A", words=0.5, cosine=0.4),
            candidate("b", "B", words=-4.0, cosine=0.6),
            candidate("c", "C", words=0.0, cosine=0.6),
        ]
    )
    assert by_both.nearness > by_words.nearness
    assert by_both.nearness > by_meaning.nearness


numbers = st.floats(-30, 30)
candidates = st.lists(
    st.builds(
        Candidate, st.sampled_from("abc"), st.sampled_from("ABC"), numbers, st.floats(-2, 2), st.floats(-1.01, 1.01)
    ),
    max_size=8,
)


@given(candidates)
def test_whatever_the_numbers_are(given: list[Candidate]) -> None:
    judged = judge(given)
    assert len(judged) == len(given)
    for one in judged:
        assert 0 <= one.confidence < 1
        assert math.isfinite(one.nearness)
        assert 0 <= one.nearness <= 1
