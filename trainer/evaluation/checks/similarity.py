"""Checks that say how like the expected an answer is: fuzzy and chrf by its letters, semantic by its meaning."""

from __future__ import annotations

import math
from functools import cache
from operator import mul
from typing import TYPE_CHECKING

from trainer.evaluation.checks.compared import Compared, Unusable
from trainer.matching import normalise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sacrebleu.metrics.chrf import CHRF

    from trainer.evaluation.cases import Check
    from trainer.evaluation.checks.compared import Embed


def _normal(check: Check) -> Sequence[str]:
    found = [value for value in map(normalise, check.values) if value]
    if not found:
        raise Unusable("nothing is expected")
    return found


def fuzzy(check: Check, answer: str) -> Compared:
    """The normalised Indel similarity (`rapidfuzz.fuzz.ratio`) with the nearest expected text.

    It is 2M / T, of M characters in common in the same order and T in both texts together, so it is the same both
    ways, and what is missing counts like what is too much. The scorers for parts and sets of words are not used: they
    give 1 to any answer that has the expected words among others.
    """
    from rapidfuzz import fuzz  # noqa: PLC0415 - costs more to import than the rest of the checks

    text = normalise(answer)
    return Compared(max(fuzz.ratio(text, value) for value in _normal(check)) / 100)


@cache
def _chrf() -> CHRF:
    from sacrebleu.metrics.chrf import CHRF  # noqa: PLC0415 - a tenth of a second

    return CHRF()


def chrf(check: Check, answer: str) -> Compared:
    """The chrF (Popović 2015) with the nearest expected text, of runs of up to 6 characters; recall counts twice."""
    score = _chrf().sentence_score(normalise(answer), list(_normal(check))).score
    return Compared(min(max(score / 100, 0.0), 1.0))


def semantic(check: Check, answer: str, embed: Embed | None) -> Compared:
    """The cosine similarity with the expected text whose meaning is nearest; what is below 0 is 0."""
    if embed is None:
        return Compared(0.0, error="embedder_missing")
    given, *expected = embed([answer, *(value for value in check.values if value.strip())])
    best = max(math.fsum(map(mul, given, vector)) for vector in expected)
    if not math.isfinite(best):
        return Compared(0.0, error="model")
    return Compared(min(max(best, 0.0), 1.0))
