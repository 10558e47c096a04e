"""Rare words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.speech.keywords import LONGEST, MOST, rare_words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How do I connect to PostgreSQL?", {"PostgreSQL"}),
        ("Our office is in Khabarovsk.", {"Khabarovsk"}),
        ("Khabarovsk is where our office is.", set()),
        ("How do I pay VAT in ЮKassa?", {"VAT", "ЮKassa"}),
        ("Does it work with an RTX4090 or C++?", {"RTX4090", "C++"}),
        ("Ask Anna-Maria O'Neill.", {"Anna-Maria", "O'Neill"}),
        ("Вам поможет Светлана из СБП.", {"Светлана", "СБП"}),
        ("Open from Monday to May 5th, 2pm, v2.1, 10 GB, 0xdeadbeef", {"GB"}),
        ("See https://Example.com/Path, mail Bob@Example.com, <@123456> or `SomeCode`; C:\\Users\\Me", set()),
        ("ALL OF THIS IS WRITTEN IN CAPITALS", set()),
        ("I am I. It's OK. No.", set()),
        ("", set()),
    ],
)
def test_which_words_are_rare(text: str, expected: set[str]) -> None:
    assert set(rare_words([text])) == expected


def test_a_name_that_is_an_ordinary_word_is_none() -> None:
    assert rare_words(["Our product is Apple.", "An apple a day."]) == ()


def test_forms_of_a_word_are_one() -> None:
    texts = ["Мы едем в Хабаровск.", "Мы были в Хабаровске.", "Он живёт в Хабаровске.", "Она из Хабаровска."]
    assert rare_words(texts) == ("Хабаровске",)


def test_the_least_known_and_the_most_frequent_come_first_whatever_the_order() -> None:
    texts = ["We like PostgreSQL.", "We like MariaDB.", "We love MariaDB.", "We met Petrova.", "We pay VAT."]
    expected = ("MariaDB", "PostgreSQL", "VAT", "Petrova")
    assert rare_words(texts) == rare_words(reversed(texts)) == expected
    assert rare_words(texts, most=2) == expected[:2]


def test_there_are_not_too_many() -> None:
    assert (
        len(rare_words(f"this is Word{chr(97 + number % 26)}{'x' * (number // 26)}Y" for number in range(500)))
        == MOST
    )


@settings(deadline=None)
@given(st.lists(st.text(max_size=200), max_size=10))
def test_any_texts(texts: list[str]) -> None:
    for word in rare_words(texts):
        assert 2 <= len(word) <= LONGEST
        assert word == word.strip()
        assert word.isprintable()
