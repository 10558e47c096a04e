"""The statistics of an evaluation: how sure a rate, a mean and a difference are.

Everything is computed from the numbers alone and with a fixed seed: the same results give the same report. NumPy is
imported when a bootstrap is asked for; nothing else needs it.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

Verdict = Literal["better", "worse", "same", "too_few"]
"""too_few: not enough cases to tell."""
CONFIDENCE: Final = 0.95
RESAMPLES: Final = 10_000
SEED: Final = 20_260_101
SIGNIFICANT: Final = 0.05
"""A difference that is less probable than this, if nothing has changed, is believed."""
SAME_WITHIN: Final = 0.02
"""Mean scores that differ by no more than this are the same to anybody."""
_AT_ONCE: Final = 1 << 18
"""Draws that are in memory at a time: a few times 2 MiB."""
_FEW: Final = 16
"""Drawing how often a value comes costs about as much as drawing so many cases."""


class Interval(NamedTuple):
    """Where a value is, with the confidence that was asked for."""

    low: float
    high: float


def wilson(passed: int, total: int, confidence: float = CONFIDENCE) -> Interval:
    """The score interval of a proportion (Wilson 1927), without continuity correction; 0 to 1 for no cases.

    Raises:
        ValueError: `passed` is not between 0 and `total`, or `confidence` not between 0 and 1.
    """
    if not 0 <= passed <= total:
        raise ValueError(f"{passed} of {total}")
    tail = _tail(confidence)
    if total == 0:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf(1 - tail)
    rate, squared = passed / total, z * z / total
    middle = (rate + squared / 2) / (1 + squared)
    half = z * math.sqrt(rate * (1 - rate) / total + squared / (4 * total)) / (1 + squared)
    low = 0.0 if passed == 0 else max(0.0, middle - half)
    return Interval(low, 1.0 if passed == total else min(1.0, middle + half))


def mcnemar_exact(improved: int, regressed: int) -> float:
    """The two-sided p value of McNemar's exact test: how probable it is that pairs split so unevenly by chance.

    Twice the smaller tail of a fair coin's binomial distribution, and 1 at most. 1 if no case has changed.
    """
    if min(improved, regressed) < 0:
        raise ValueError(f"{improved} and {regressed}")
    changed, fewer = improved + regressed, min(improved, regressed)
    ways = tail = 1
    for heads in range(fewer):
        ways = ways * (changed - heads) // (heads + 1)
        tail += ways
    return min(1.0, 2 * tail / 2**changed) if changed else 1.0


def bootstrap_mean(
    scores: Sequence[float],
    weights: Sequence[float] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    confidence: float = CONFIDENCE,
) -> Interval:
    """The percentile bootstrap interval of a mean (Efron 1979), by weights if given. The order makes no difference.

    Percentiles and not BCa: a mean of scores from 0 to 1 is hardly biased or skewed once there are cases enough,
    BCa costs as many means again as there are cases, and this interval can be explained in a sentence. Cases are
    drawn with their weights. Equal scores show no spread to draw from: then the interval holds what so many cases
    cannot exclude, as Clopper and Pearson's does for all passed or none. No scores say nothing: 0 to 1.

    Args:
        scores: 0 to 1.
        weights: at least 0, one a score; None, or all 0: all alike.
        resamples: how many means are drawn.
        seed: of the draws.
        confidence: between 0 and 1.

    Raises:
        ValueError: there is not one weight a score, one is negative, or a number is not finite.
    """
    return _bootstrap(scores, weights, resamples, seed, confidence, Interval(0.0, 1.0))


def paired_bootstrap(
    before: Sequence[float],
    after: Sequence[float],
    weights: Sequence[float] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
    confidence: float = CONFIDENCE,
) -> Interval:
    """The same of the mean difference, `after` less `before`, of cases that both have: within -1 to 1."""
    differences = [new - old for old, new in zip(before, after, strict=True)]
    return _bootstrap(differences, weights, resamples, seed, confidence, Interval(-1.0, 1.0))


def percentile(values: Sequence[float], q: float) -> float:
    """The smallest of the values that at least `q` percent of them do not exceed (nearest rank); 0 for no values.

    Raises:
        ValueError: `q` is not between 0 and 100.
    """
    if not 0 <= q <= 100:  # noqa: PLR2004 - percent
        raise ValueError(f"there is no percentile {q}")
    if not values:
        return 0.0
    rank = math.ceil(round(q * len(values) / 100, 9))  # 7 % of 100 are 7, not 7.000000000000001
    return sorted(values)[max(rank, 1) - 1]


def unseen(cases: float, confidence: float = CONFIDENCE) -> float:
    """The largest share of something that may not have come up in so many cases; by two-sided confidence, 0 to 1."""
    return float(-math.expm1(math.log(_tail(confidence)) / cases)) if cases > 0 else 1.0


def verdict(
    improved: int, regressed: int, p: float | None, interval: Interval | None, cases: int | None = None
) -> Verdict:
    """What a comparison of two runs says in a word.

    better, worse: McNemar's p is below `SIGNIFICANT`. same: it is not, and the interval of the mean difference lies
    within `SAME_WITHIN` of 0; with `cases` given, these are also enough to have seen a larger change (183 are).
    Otherwise too_few.

    Args:
        improved: cases that failed and now pass.
        regressed: cases that passed and now fail.
        p: of `mcnemar_exact`; None if nothing was compared.
        interval: of `paired_bootstrap`; None likewise.
        cases: how many were compared; None to go by the interval alone.
    """
    if p is not None and p < SIGNIFICANT and improved != regressed:
        return "better" if improved > regressed else "worse"
    if interval is None or max(-interval.low, interval.high) > SAME_WITHIN:
        return "too_few"
    return "same" if cases is None or unseen(cases) <= SAME_WITHIN else "too_few"


def _tail(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence of {confidence}")
    return (1 - confidence) / 2


def _bootstrap(
    values: Sequence[float],
    weights: Sequence[float] | None,
    resamples: int,
    seed: int,
    confidence: float,
    bounds: Interval,
) -> Interval:
    tail = _tail(confidence)
    if weights is None or not any(weights):
        weights = [1.0] * len(values)
    if len(weights) != len(values) or min(weights, default=0.0) < 0 or resamples < 1:
        raise ValueError("one weight of at least 0 a value, and at least one resample")
    if not all(map(math.isfinite, (*values, *weights))):
        raise ValueError("a value or a weight is not finite")
    # Shares of the greatest: squares of the least weights that there can be are 0.
    most = max(weights, default=1.0)
    kept = sorted(pair for pair in zip(values, (one / most for one in weights), strict=True) if pair[1] > 0)
    if not kept:
        return bounds
    if kept[0][0] == kept[-1][0]:
        value = kept[0][0]
        # As many cases as would say as much if all weighed alike (Kish).
        effective = math.fsum(weight for _, weight in kept) ** 2 / math.fsum(weight**2 for _, weight in kept)
        share = unseen(effective, confidence)
        return Interval(value - share * (value - bounds.low), value + share * (bounds.high - value))
    low, high = _quantiles(_means(kept, resamples, seed), tail)
    return Interval(max(low, bounds.low), min(high, bounds.high))


def _quantiles(means: NDArray[np.float64], tail: float) -> tuple[float, float]:
    import numpy as np  # noqa: PLC0415 - see the module

    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def _means(pairs: Sequence[tuple[float, float]], resamples: int, seed: int) -> NDArray[np.float64]:
    """Weighted means of resamples of (value, weight) pairs, each as many as there are."""
    import numpy as np  # noqa: PLC0415 - see the module

    chance = np.random.default_rng(seed)
    distinct, counts = np.unique(np.asarray(pairs), axis=0, return_counts=True)
    few = _FEW * len(distinct) <= len(pairs)
    values, weights = np.ascontiguousarray((distinct if few else np.asarray(pairs)).T)
    weighted = values * weights
    sums, totals = np.empty(resamples), np.full(resamples, len(pairs) * weights[0])
    asked = [(weighted, sums)] if (weights == weights[0]).all() else [(weighted, sums), (weights, totals)]
    step = min(resamples, max(1, _AT_ONCE // len(values)))
    # The same memory all the time: new arrays of this size would each be fetched from the system anew.
    share, place = np.empty((step, len(values))), np.empty((step, len(values)), dtype=np.intp)
    for start in range(0, resamples, step):
        rows = slice(start, min(start + step, resamples))
        size = rows.stop - start
        if few:
            drawn = chance.multinomial(len(pairs), counts / len(pairs), size=size)
            for column, out in asked:
                out[rows] = drawn @ column
            continue
        chance.random(out=share[:size])
        np.multiply(share[:size], len(pairs), out=place[:size], casting="unsafe")
        for column, out in asked:
            column.take(place[:size], out=share[:size], mode="clip").sum(axis=1, out=out[rows])
    means: NDArray[np.float64] = sums / totals
    return means
