"""How sure one can be of a taught answer when the meanings of questions are compared beside their words. Pure.

A model's vectors put questions that mean the same near each other, but also questions about the same thing that want
something else; words tell these apart, but find no rewording without a common word. So an answer is given when
either is sure enough and the other does not object:

- the words are (`trainer.matching`), and no question with another answer means more nearly the same;
- the meanings are: that takes several taught questions with the same answer, or a clear lead before all others.

The weights were fitted and the thresholds chosen on CLINC150's validation split and the FAQ of `tests/unit`;
docs/decisions/0008 tells how, and `bench/retrieval.py` measures them on the test split.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from trainer.matching import ANSWER_AT, agreement, sureness

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NOTHING_NEAR: Final = 0.35
"""The score of an imagined question that every dataset has, so that the only taught answer is not in the lead."""
_UNLIKE: Final = 0.4
"""Cosine below which questions do not support each other."""
_APART: Final = 0.5
"""Cosine below which shared words are distrusted."""
_READ: Final = (0.4, 0.15)
_NAMED: Final = (0.6, 0.3)
"""Cosines from which on a question is worth reading, and naming, for its meaning alone; and what that is worth."""
_MENTIONED: Final = ANSWER_AT - 0.05
"""The most that is worth to which the other objects, or nearness in meaning alone: a mention, not an answer."""
_CAUTION: Final = 2.8
"""Log odds held back from meanings, so that no more questions are answered that nothing taught answers."""
_SCALE, _MIDDLE = 10, 0.65
"""How scores become nearness between 0 and 1, comparable to that of passages."""


class Candidate(NamedTuple):
    """A taught question beside the one that is asked."""

    question: str
    """Its normal form."""
    answer: str
    evidence: float
    """`trainer.matching.evidence`."""
    phrasing: float
    """`trainer.matching.phrasing`."""
    cosine: float
    """How near it is in meaning: at most 1."""


class Judgement(NamedTuple):
    """What becomes of a candidate."""

    confidence: float
    """How sure one can be that its answer is right, 0 to 1."""
    nearness: float
    """What candidates are ordered by, 0 to 1."""


class _Weighed(NamedTuple):
    by_words: float
    """Log odds by words, with the support of other questions that have the same answer."""
    support: float
    """By how much other questions with the same answer are near in meaning."""
    score: float
    """Meaning and words together, on the scale of cosines."""


def judge(candidates: Sequence[Candidate]) -> list[Judgement]:
    """What becomes of each candidate, in the same order; those of other answers count against it."""
    weighed = _weigh(candidates)
    scores = _best(candidates, [one.score for one in weighed])
    cosines = _best(candidates, [one.cosine for one in candidates])
    found = []
    for candidate, one in zip(candidates, weighed, strict=True):
        rival = max(_best_of_others(scores, candidate.answer), _NOTHING_NEAR)
        nearer = max(0.0, _best_of_others(cosines, candidate.answer) - candidate.cosine)
        by_words = one.by_words - 20 * nearer - 10 * max(0.0, _APART - candidate.cosine)
        lead = min(_SCALE * (one.score - rival), 3.0)
        by_meaning = 0.25 * max(candidate.evidence, -4.0) + 0.7 * candidate.cosine + 1.9 * one.support + 0.7 * lead
        odds = max(by_words, by_meaning - 1.16 - _CAUTION)
        nearness = 1 / (1 + math.exp(-_SCALE * (one.score - _MIDDLE)))
        # An objection withholds an answer, but not that there is something to read or to mention.
        mention = min(max(sureness(one.by_words), _mention(candidate.cosine)), _MENTIONED)
        found.append(Judgement(max(sureness(odds), mention), nearness))
    return found


def _weigh(candidates: Sequence[Candidate]) -> list[_Weighed]:
    sure: dict[str, dict[str, float]] = {}
    near: dict[str, dict[str, float]] = {}
    for one in candidates:
        sure.setdefault(one.answer, {})[one.question] = sureness(one.evidence)
        near.setdefault(one.answer, {})[one.question] = max(0.0, one.cosine - _UNLIKE)
    found = []
    for one in candidates:
        by_words = one.evidence + agreement(_others(sure[one.answer], one.question))
        support = agreement(_others(near[one.answer], one.question))
        score = one.cosine + 0.05 * by_words + 0.04 * one.phrasing + 0.4 * support
        found.append(_Weighed(by_words, support, score))
    return found


def _others(values: Mapping[str, float], question: str) -> list[float]:
    return [value for other, value in values.items() if other != question]


def _best(candidates: Sequence[Candidate], values: Sequence[float]) -> list[tuple[float, str]]:
    """The two answers with the highest values, each with its highest."""
    best: dict[str, float] = {}
    for one, value in zip(candidates, values, strict=True):
        best[one.answer] = max(value, best.get(one.answer, value))
    return sorted(((value, answer) for answer, value in best.items()), reverse=True)[:2]


def _best_of_others(best: Sequence[tuple[float, str]], answer: str) -> float:
    return next((value for value, other in best if other != answer), -1.0)


def _mention(cosine: float) -> float:
    """What a question is worth that is near in meaning, whatever its words are."""
    (low, worth_low), (high, worth_high) = _READ, _NAMED
    return worth_low + (cosine - low) * (worth_high - worth_low) / (high - low) if cosine >= low else 0.0
