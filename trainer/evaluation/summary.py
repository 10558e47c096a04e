"""What a run comes to, in numbers. Pure; everything is counted in one pass, and answers are not kept."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from trainer.evaluation.identity import asked
from trainer.evaluation.results import Verdict
from trainer.evaluation.statistics import RESAMPLES, Interval, bootstrap_mean, percentile, wilson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from trainer.evaluation.results import CaseResult

TAGS_MOST: Final = 50
"""Tags that are told of: those with the most cases."""
TAG_RESAMPLES: Final = 2_000
"""Of the bootstrap of each tag: a run with the most cases and tags is still counted within seconds."""
UNANSWERED: Final = frozenset({"model", "over_budget", "internal"})
"""Errors that came before there was an answer: how long those took says nothing of answering."""


class Outcome(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What came of a case, as far as comparing needs it."""

    verdict: Verdict
    score: float
    weight: float = 1.0
    """Its share in the mean score."""
    asked: str = ""
    """Names the question, see `trainer.evaluation.identity`: cases of the same id may ask other things."""


Outcomes = dict[str, Outcome]
"""What came of each case, by the case's id. Some MB for the largest run, which is why it is not in the summary."""


class Numbers(msgspec.Struct, frozen=True):
    """What some cases come to.

    Two denominators are told apart: `cases` is all of them, `judged` those of which it is known whether the answer
    was right. Rates and scores are of those that were judged; an error is neither a pass nor a failure.
    """

    cases: int
    passed: int
    failed: int
    errors: int
    interval: Interval | None
    """The 95 % Wilson interval of the pass rate, 0 to 1. None if nothing was judged, as with the next two."""
    score: float | None
    """The mean of the scores by the cases' weights, 0 to 1."""
    score_interval: Interval | None
    """Its 95 % bootstrap interval."""

    @property
    def judged(self) -> int:
        """How many passed or failed."""
        return self.passed + self.failed

    @property
    def rate(self) -> float | None:
        """The share of those judged that passed, 0 to 1; None if nothing was judged."""
        return self.passed / self.judged if self.judged else None


class Tagged(msgspec.Struct, frozen=True):
    """What the cases with a tag come to."""

    tag: str
    numbers: Numbers


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What a run comes to."""

    numbers: Numbers
    errors: dict[str, int]
    """How many errors there were of each reason, the most frequent first."""
    kinds: dict[str, int]
    """How answers came about, as `trainer.answers.AnswerKind` says, the most frequent first."""
    tags: tuple[Tagged, ...]
    """The tags with the most cases first."""
    more_tags: int
    """Tags besides those."""
    leaked: int
    """Cases that are training examples too."""
    fresh: Numbers | None
    """What the cases that are not leaked come to; None where none is leaked."""
    latency_p50: float | None
    """Seconds within which half of the answers came; None if none did."""
    latency_p95: float | None
    input_tokens: int
    output_tokens: int
    usd: float | None
    """What it cost, if that is known of every case."""
    usd_known: float
    """What those cases cost of which it is known."""
    usd_unknown: int
    """Cases of which it is not known."""
    v: int = 1


class _Counted(NamedTuple):
    """The cases of a run, a column a fact: some dozens of bytes a case."""

    verdicts: list[Verdict]
    scores: array[float]
    weights: array[float]

    def numbers(self, places: Sequence[int], resamples: int = RESAMPLES) -> Numbers:
        """What the cases at these places come to."""
        counts = Counter(self.verdicts[place] for place in places)
        judged = [place for place in places if self.verdicts[place] != "error"]
        passed = counts["passed"]
        scores = [self.scores[place] for place in judged]
        weights = [self.weights[place] for place in judged]
        score = weighted_mean(scores, weights)
        return Numbers(
            cases=len(places),
            passed=passed,
            failed=counts["failed"],
            errors=counts["error"],
            interval=wilson(passed, len(judged)) if judged else None,
            score=score,
            score_interval=None if score is None else bootstrap_mean(scores, weights, resamples),
        )


def summarise(results: Iterable[CaseResult]) -> Summary:
    """Count what came of the cases. Reads each once, in any order."""
    counted = _Counted([], array("d"), array("d"))
    errors: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    tags: dict[str, array[int]] = {}
    leaked: set[int] = set()
    seconds = array("d")
    input_tokens = output_tokens = unknown = 0
    usd = 0.0
    for place, result in enumerate(results):
        counted.verdicts.append(result.verdict)
        counted.scores.append(result.score)
        counted.weights.append(result.case.weight)
        if result.verdict == "error":
            errors[result.error or "internal"] += 1
        if result.kind:
            kinds[result.kind] += 1
        for tag in dict.fromkeys(result.case.tags):
            tags.setdefault(tag, array("L")).append(place)
        if result.leaked:
            leaked.add(place)
        if result.error not in UNANSWERED:
            seconds.append(result.seconds)
        input_tokens += result.input_tokens
        output_tokens += result.output_tokens
        if result.usd is None:
            unknown += 1
        else:
            usd += result.usd
    everything = range(len(counted.verdicts))
    # Of tags with as many cases, the first in the alphabet first: the same cases make the same summary.
    shown = sorted(tags, key=lambda tag: (-len(tags[tag]), tag))[:TAGS_MOST]
    return Summary(
        numbers=counted.numbers(everything),
        errors=_most_first(errors),
        kinds=_most_first(kinds),
        tags=tuple(Tagged(tag, counted.numbers(tags[tag], TAG_RESAMPLES)) for tag in shown),
        more_tags=len(tags) - len(shown),
        leaked=len(leaked),
        fresh=counted.numbers([place for place in everything if place not in leaked]) if leaked else None,
        latency_p50=percentile(seconds, 50) if seconds else None,
        latency_p95=percentile(seconds, 95) if seconds else None,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        usd=None if unknown else usd,
        usd_known=usd,
        usd_unknown=unknown,
    )


def _most_first(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def outcomes_of(results: Iterable[CaseResult]) -> Outcomes:
    """What came of each case, to compare it with another run."""
    found: Outcomes = {}
    for _ in recording(results, found):
        pass
    return found


def recording(results: Iterable[CaseResult], into: Outcomes) -> Iterator[CaseResult]:
    """Pass results on as they are, and note what came of each: for `summarise` and outcomes in one pass."""
    for result in results:
        into[result.case.id] = Outcome(
            result.verdict, result.score, result.case.weight, asked(result.case.question, result.case.former)
        )
        yield result


def weighted_mean(scores: Sequence[float], weights: Sequence[float]) -> float | None:
    """The mean by weights; None if there is nothing. Weights that are all 0 make no difference."""
    if not scores:
        return None
    total = math.fsum(weights)
    if not total:
        return math.fsum(scores) / len(scores)
    return math.fsum(score * weight for score, weight in zip(scores, weights, strict=True)) / total
