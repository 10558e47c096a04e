"""Checks that look for the expected words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.evaluation.cases import Check
from trainer.evaluation.checks.compared import Unusable
from trainer.evaluation.checks.words import begins, contains, contains_all, exact, fold, holds, plain, starts_with


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("Paris", "paris"),
        ("Paris", "  «Paris».  "),
        ("Paris", "**Paris!**"),
        ("Paris", "`Paris`"),
        ("Paris", "- Paris"),
        ("Paris", "— Paris"),
        ("Paris", "||Paris||"),
        ("Paris", "…Paris…"),
        ("Ещё раз", "еще  раз"),
        ("Ещё", "Еще"),
        ("don't", "don’t"),
        ("9-18", "9–18"),
        ("STRASSE", "straße"),
        ("file", "ﬁle"),
        ("a\u200bb", "ab"),
        ("东京", "东京。"),
        ("a b", "a\u00a0\n b"),
        ("?!", "?!"),
        (":)", ":)"),
        ("👍", "👍\ufe0f"),
        (".NET", ".net"),
        ("yes", "(yes)"),
    ],
)
def test_exact_is_what_reads_the_same(value: str, answer: str) -> None:
    assert exact(Check("exact", ("nothing of it", value)), answer).score == 1


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("5", "-5"),
        ("50", "50%"),
        ("C", "C#"),
        ("C", "C++"),
        ("5", "$5"),
        (".NET", "NET"),
        ("1.5", "15"),
        ("2**3", "23"),
        ("yes", "yes and no"),
        ("Paris", ""),
        ("?", "!"),
        ("2**3", "2*3"),
        ("ever", "never"),
    ],
)
def test_exact_is_nothing_else(value: str, answer: str) -> None:
    assert exact(Check("exact", (value,)), answer).score == 0


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("5", "It is 5."),
        ("5", "5"),
        ("5", "(5)"),
        ("Paris", "The capital is **Paris**, of course"),
        ("from 9 to 18", "open from **9 to 18**"),
        ("Paris.", "Paris, of course"),
        ('"Paris"', "it is Paris"),
        ("C++", "Written in C++, mostly."),
        ("/verify", "Type /verify here"),
        ("foo()", "call foo() first"),
        ("ёлка", "Это Елка!"),
        ("東京", "私は東京に住んでいます"),
        ("서울", "저는 서울에서 살아요"),
        ("กรุงเทพ", "ฉันอยู่กรุงเทพมหานคร"),
        ("сервер", "наш сервер\nво Франкфурте"),
        ("it's", "I think it’s fine"),
        ("...", "well..."),
        ("नमस्ते", "वह बोला नमस्ते जी"),
        ("in the  UK", "made in the UK"),
    ],
)
def test_an_answer_contains(value: str, answer: str) -> None:
    assert contains(Check("contains", (value,)), answer).score == 1


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ("5", "15"),
        ("5", "51"),
        ("5", "5th"),
        ("cat", "concatenate"),
        ("кот", "который"),
        ("foo()", "foo(x)"),
        ("क", "की"),
        ("über", "überall"),
        ("a_b", "a_bc"),
        ("Paris", ""),
        ("é", "née"),
    ],
)
def test_an_answer_does_not_contain_a_part_of_a_word(value: str, answer: str) -> None:
    assert contains(Check("contains", (value,)), answer).score == 0


def test_a_later_place_counts_when_the_first_is_inside_a_word() -> None:
    assert holds("15 and 5", "5")


def test_any_of_the_values_is_contained() -> None:
    check = Check("contains_any", ("Rome", "Paris"))
    assert contains(check, "in Paris").score == 1
    assert contains(check, "in London").score == 0


def test_contains_all_says_how_many() -> None:
    check = Check("contains_all", ("red", "green", "blue", ""))
    assert contains_all(check, "Blue, green and red.").score == 1
    assert contains_all(check, "blue, red and evergreen").score == pytest.approx(2 / 3)
    assert contains_all(check, "none").score == 0


@pytest.mark.parametrize("answer", ["Yes", "yes, of course", "«Yes» is my answer", "**Yes**: do", "- YES"])
def test_an_answer_starts_with(answer: str) -> None:
    assert starts_with(Check("starts_with", ("no", "Yes.")), answer).score == 1


@pytest.mark.parametrize("answer", ["Yesterday", "Oh yes", "", "ye"])
def test_an_answer_starts_otherwise(answer: str) -> None:
    assert starts_with(Check("starts_with", ("Yes",)), answer).score == 0


def test_an_answer_may_start_with_punctuation_alone() -> None:
    assert starts_with(Check("starts_with", ("¿",)), "¿Qué?").score == 1


@pytest.mark.parametrize("kind", [exact, contains, contains_all, starts_with])
@pytest.mark.parametrize("values", [(), ("",), (" \n", "\u200b")])
def test_nothing_expected_cannot_be_compared(kind: type, values: tuple[str, ...]) -> None:
    with pytest.raises(Unusable):
        kind(Check("exact", values), "anything")


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_a_text_is_like_itself(text: str) -> None:
    if not plain(text):
        return
    assert exact(Check("exact", (text,)), text).score == 1
    assert holds(fold(text), fold(text))
    assert begins(fold(text), fold(text))


@given(st.text(alphabet="ab 1é東"), st.text(alphabet="ab 1é東", min_size=1))
def test_what_is_held_is_there(text: str, value: str) -> None:
    assert not holds(text, value) or value in text


@pytest.mark.parametrize(("value", "answer"), [("a" * 4_000, "a" * 100_000), ("( " * 2_000, "( " * 50_000)])
def test_hostile_texts_are_compared(value: str, answer: str) -> None:
    for check in (exact, contains, contains_all, starts_with):
        assert 0 <= check(Check("exact", (value,)), answer).score <= 1
