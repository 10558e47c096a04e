"""The statistics, beside those of SciPy and statsmodels."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from trainer.evaluation.statistics import (
    Interval,
    bootstrap_mean,
    mcnemar_exact,
    paired_bootstrap,
    percentile,
    unseen,
    verdict,
    wilson,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

COUNTS = st.integers(0, 20_000)
SCORES = st.lists(st.floats(0, 1), min_size=2, max_size=60)


# --- Wilson -----------------------------------------------------------------------------------------------------


def peers_wilson(passed: int, total: int, confidence: float) -> tuple[float, float]:
    low, high = proportion_confint(passed, total, alpha=1 - confidence, method="wilson")
    return float(low), float(high)


@pytest.mark.parametrize("total", [1, 2, 3, 10, 37, 200, 20_000])
@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95, 0.999])
def test_wilson_agrees_over_a_grid(total: int, confidence: float) -> None:
    for passed in {0, 1, total // 3, total // 2, total - 1, total}:
        found = wilson(passed, total, confidence)
        assert found == pytest.approx(peers_wilson(passed, total, confidence), abs=1e-12)
        scipys = scipy.stats.binomtest(passed, total).proportion_ci(confidence, method="wilson")
        assert found == pytest.approx((scipys.low, scipys.high), abs=1e-12)


@given(st.tuples(COUNTS, COUNTS).filter(any))
def test_wilson_agrees_everywhere(counts: tuple[int, int]) -> None:
    passed, total = counts[0], sum(counts)
    found = wilson(passed, total)
    assert found == pytest.approx(peers_wilson(passed, total, 0.95), abs=1e-12)
    assert 0 <= found.low <= passed / total <= found.high <= 1


def test_wilson_at_the_edges() -> None:
    assert wilson(0, 0) == Interval(0, 1)
    assert wilson(0, 7).low == 0
    assert wilson(7, 7).high == 1


@pytest.mark.parametrize(("passed", "total"), [(-1, 5), (6, 5), (1, 0), (0, -1)])
def test_wilson_of_no_counts(passed: int, total: int) -> None:
    with pytest.raises(ValueError, match=f"{passed} of {total}"):
        wilson(passed, total)


@pytest.mark.parametrize("confidence", [0, 1, -1, math.nan])
def test_no_confidence(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        wilson(1, 2, confidence)
    with pytest.raises(ValueError, match="confidence"):
        bootstrap_mean([0, 1], confidence=confidence)
    with pytest.raises(ValueError, match="confidence"):
        unseen(5, confidence)


# --- McNemar ----------------------------------------------------------------------------------------------------


def test_mcnemar_agrees_over_a_grid() -> None:
    for improved in range(0, 40, 3):
        for regressed in range(40):
            found = mcnemar_exact(improved, regressed)
            peer = mcnemar([[5, improved], [regressed, 7]], exact=True).pvalue
            assert found == pytest.approx(min(1.0, float(peer)), rel=1e-10)
            if improved + regressed:
                scipys = scipy.stats.binomtest(improved, improved + regressed).pvalue
                assert found == pytest.approx(scipys, rel=1e-10)


@given(st.integers(0, 3_000), st.integers(0, 3_000))
@settings(max_examples=30)
def test_mcnemar_agrees_everywhere(improved: int, regressed: int) -> None:
    found = mcnemar_exact(improved, regressed)
    assert found == mcnemar_exact(regressed, improved)
    assert 0 <= found <= 1
    if improved + regressed:
        scipys = scipy.stats.binomtest(improved, improved + regressed).pvalue
        assert found == pytest.approx(scipys, rel=1e-9, abs=1e-250)


def test_mcnemar_by_hand() -> None:
    assert mcnemar_exact(0, 0) == 1
    assert mcnemar_exact(1, 0) == 1
    assert mcnemar_exact(5, 0) == pytest.approx(2 / 32)
    assert mcnemar_exact(6, 0) == pytest.approx(2 / 64)
    assert mcnemar_exact(8, 1) == pytest.approx(2 * 10 / 512)
    assert mcnemar_exact(4, 4) == 1


def test_mcnemar_of_more_cases_than_a_float_can_count() -> None:
    assert mcnemar_exact(20_000, 0) == 0
    assert 0 < mcnemar_exact(10_200, 9_800) < 0.05


def test_mcnemar_of_no_counts() -> None:
    with pytest.raises(ValueError, match="-1"):
        mcnemar_exact(-1, 3)


# --- bootstrap --------------------------------------------------------------------------------------------------


def peers_bootstrap(values: Sequence[float], resamples: int = 20_000) -> tuple[float, float]:
    found = scipy.stats.bootstrap(
        (np.asarray(values),),
        np.mean,
        n_resamples=resamples,
        batch=500,
        vectorized=True,
        method="percentile",
        rng=np.random.default_rng(7),
    ).confidence_interval
    return float(found.low), float(found.high)


def made(kind: str, cases: int) -> list[float]:
    chance = random.Random(cases)
    if kind == "yes or no":
        return [float(chance.random() < 0.8) for _ in range(cases)]
    return [round(chance.betavariate(4, 1), 2) if kind == "hundredths" else chance.random() for _ in range(cases)]


@pytest.mark.parametrize("cases", [12, 50, 200, 3_000])
@pytest.mark.parametrize("kind", ["yes or no", "hundredths", "any"])
def test_the_bootstrap_agrees(kind: str, cases: int) -> None:
    values = made(kind, cases)
    found, peer = bootstrap_mean(values, resamples=20_000), peers_bootstrap(values)
    # Both are random: a bound wanders by about sqrt(0.025 * 0.975 / 20 000) / density, 0.02 of a standard error.
    error = float(np.std(values)) / math.sqrt(cases)
    assert found == pytest.approx(peer, abs=max(0.12 * error, 1.01 / cases if kind == "yes or no" else 0))


@pytest.mark.parametrize("cases", [40, 2_000])
def test_the_paired_bootstrap_agrees(cases: int) -> None:
    before, after = made("any", cases), made("hundredths", cases)
    differences = [new - old for old, new in zip(before, after, strict=True)]
    found = paired_bootstrap(before, after)
    assert found == pytest.approx(
        peers_bootstrap(differences), abs=0.15 * float(np.std(differences)) / math.sqrt(cases)
    )
    worse = paired_bootstrap(after, before)
    assert (worse.low, worse.high) == pytest.approx((-found.high, -found.low), abs=0.01)


@pytest.mark.parametrize("kind", ["yes or no", "any"])
def test_weights_count_as_scipy_counts_them(kind: str) -> None:
    values = np.asarray(made(kind, 300))
    weights = np.asarray([random.Random(i).choice([0.5, 1.0, 3.0]) for i in range(300)])

    def mean(scores: np.ndarray, shares: np.ndarray, axis: int) -> np.ndarray:
        found: np.ndarray = (scores * shares).sum(axis=axis) / shares.sum(axis=axis)
        return found

    peer = scipy.stats.bootstrap(
        (values, weights), mean, paired=True, vectorized=True, n_resamples=20_000, batch=500,
        method="percentile", rng=np.random.default_rng(7),
    ).confidence_interval  # fmt: skip
    found = bootstrap_mean(values.tolist(), weights.tolist(), resamples=20_000)
    assert found == pytest.approx((peer.low, peer.high), abs=0.004)


def test_weights_that_are_all_alike_change_little() -> None:
    values = made("any", 100)
    assert bootstrap_mean(values, [2.5] * 100) == pytest.approx(bootstrap_mean(values))
    assert bootstrap_mean(values, [0.0] * 100) == pytest.approx(bootstrap_mean(values))


def test_cases_without_weight_do_not_count() -> None:
    values = made("any", 100)
    assert bootstrap_mean([*values, 0, 0], [*[1.0] * 100, 0, 0]) == bootstrap_mean(values)


@given(SCORES, st.randoms())
@settings(max_examples=40, deadline=None)
def test_the_bootstrap_is_the_same_in_any_order(values: list[float], chance: random.Random) -> None:
    found = bootstrap_mean(values, resamples=200)
    shuffled = chance.sample(values, len(values))
    assert bootstrap_mean(shuffled, resamples=200) == pytest.approx(found)
    assert 0 <= found.low <= found.high <= 1


@given(SCORES)
@settings(max_examples=40, deadline=None)
def test_a_difference_stays_within_its_bounds(values: list[float]) -> None:
    found = paired_bootstrap(values, [1 - value for value in values], resamples=200)
    assert -1 <= found.low <= found.high <= 1


def test_another_seed_gives_other_draws() -> None:
    values = made("any", 100)
    assert bootstrap_mean(values, seed=1) != bootstrap_mean(values, seed=2)


def test_more_confidence_is_a_wider_interval() -> None:
    values = made("any", 100)
    sure, surer = bootstrap_mean(values, confidence=0.8), bootstrap_mean(values, confidence=0.99)
    assert surer.low < sure.low < sure.high < surer.high


@pytest.mark.parametrize("cases", [1, 5, 200])
def test_equal_scores_are_as_sure_as_clopper_and_pearson(cases: int) -> None:
    exact = scipy.stats.binomtest(cases, cases).proportion_ci(method="exact")
    assert bootstrap_mean([1.0] * cases) == pytest.approx((exact.low, exact.high))
    none = scipy.stats.binomtest(0, cases).proportion_ci(method="exact")
    assert bootstrap_mean([0.0] * cases) == pytest.approx((none.low, none.high))


def test_equal_scores_between() -> None:
    share = unseen(10)
    assert bootstrap_mean([0.5] * 10) == pytest.approx((0.5 - share / 2, 0.5 + share / 2))
    assert paired_bootstrap([0.3] * 10, [0.3] * 10) == pytest.approx((-share, share))
    few, many = bootstrap_mean([1.0, 1.0], [1.0, 9.0]), bootstrap_mean([1.0, 1.0])
    assert few.low < many.low  # a case that outweighs the others is nearly alone


def test_no_scores_say_nothing() -> None:
    assert bootstrap_mean([]) == Interval(0, 1)
    assert paired_bootstrap([], []) == Interval(-1, 1)


@pytest.mark.parametrize(
    ("values", "weights", "resamples"),
    [
        ([0.5, 1], [1.0], 10),
        ([0.5, 1], [1.0, -1.0], 10),
        ([0.5, math.nan], None, 10),
        ([0.5, 1], [1.0, math.inf], 10),
        ([0.5, 1], None, 0),
    ],
)
def test_what_cannot_be_drawn_from(values: list[float], weights: list[float] | None, resamples: int) -> None:
    with pytest.raises(ValueError, match=r"weight|finite"):
        bootstrap_mean(values, weights, resamples)


def test_pairs_have_two_sides() -> None:
    with pytest.raises(ValueError, match="zip"):
        paired_bootstrap([0.5], [0.5, 1])


def test_many_cases_fit_in_little_memory() -> None:
    import tracemalloc

    values = made("any", 20_000)
    tracemalloc.start()
    try:
        bootstrap_mean(values, resamples=200)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 << 20


# --- percentiles ------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200), st.integers(0, 100))
def test_percentiles_are_nearest_ranks(values: list[float], q: int) -> None:
    assert percentile(values, q) == np.percentile(values, q, method="inverted_cdf")


@pytest.mark.parametrize(
    ("q", "value"), [(0, 1), (7, 7), (7.01, 8), (50, 50), (95, 95), (99.9, 100), (100, 100), (29, 29)]
)
def test_percentiles_of_a_hundred(q: float, value: int) -> None:
    values = list(range(1, 101))
    random.Random(1).shuffle(values)
    assert percentile(values, q) == value


def test_percentiles_at_the_edges() -> None:
    assert percentile([], 50) == 0
    assert percentile([3], 0) == percentile([3], 100) == 3
    for q in (-1, 101, math.nan):
        with pytest.raises(ValueError, match="percentile"):
            percentile([1], q)


# --- what a comparison says -------------------------------------------------------------------------------------

WIDE, NARROW = Interval(-0.1, 0.1), Interval(-0.02, 0.02)


@pytest.mark.parametrize(
    ("improved", "regressed", "interval", "cases", "word"),
    [
        (6, 0, Interval(0.01, 0.05), None, "better"),
        (0, 6, Interval(-0.05, -0.01), None, "worse"),
        (5, 0, Interval(0.01, 0.05), None, "too_few"),
        (6, 0, NARROW, None, "better"),
        (0, 0, NARROW, None, "same"),
        (0, 0, NARROW, 183, "same"),
        (0, 0, NARROW, 182, "too_few"),
        (1, 1, NARROW, 1_000, "same"),
        (2, 1, WIDE, 1_000, "too_few"),
        (0, 0, Interval(0, 0.021), None, "too_few"),
        (0, 0, Interval(-0.021, 0), None, "too_few"),
        (0, 0, None, None, "too_few"),
    ],
)
def test_the_verdict(improved: int, regressed: int, interval: Interval | None, cases: int | None, word: str) -> None:
    assert verdict(improved, regressed, mcnemar_exact(improved, regressed), interval, cases) == word


def test_nothing_compared_is_too_few() -> None:
    assert verdict(0, 0, None, None) == "too_few"
    assert verdict(0, 0, 1.0, paired_bootstrap([], []), 0) == "too_few"


@pytest.mark.parametrize(("cases", "word"), [(1, "too_few"), (3, "too_few"), (182, "too_few"), (200, "same")])
def test_runs_that_are_equal_are_the_same_if_there_are_cases_enough(cases: int, word: str) -> None:
    interval = paired_bootstrap([1.0] * cases, [1.0] * cases)
    assert verdict(0, 0, mcnemar_exact(0, 0), interval) == word
    assert verdict(0, 0, mcnemar_exact(0, 0), interval, cases) == word


@pytest.mark.parametrize("weight", [5e-324, 1e-320, 1e-200, 1e300])
def test_any_weight_is_taken(weight: float) -> None:
    for scores in ([1.0], [0.25, 0.25], [0.0, 0.5, 1.0]):
        assert bootstrap_mean(scores, [weight] * len(scores)) == bootstrap_mean(scores)
    mixed = bootstrap_mean([0.0, 1.0, 1.0], [weight, 1.0, 1e9], 500)
    assert 0 <= mixed.low <= mixed.high <= 1
