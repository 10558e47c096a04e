"""What a run comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from tests.unit.evaluation.results_made import made
from trainer.evaluation.summary import (
    TAGS_MOST,
    Outcome,
    Outcomes,
    Summary,
    outcomes_of,
    recording,
    summarise,
    weighted_mean,
)

if TYPE_CHECKING:
    from trainer.evaluation.results import Verdict


def test_errors_are_neither_passes_nor_failures() -> None:
    results = [
        made(0),
        made(1),
        made(2),
        made(3, "failed"),
        made(4, "error"),
        made(5, "error", error="judge_unparsed"),
    ]
    numbers = summarise(results).numbers
    assert (numbers.cases, numbers.judged, numbers.passed, numbers.failed, numbers.errors) == (6, 4, 3, 1, 2)
    assert numbers.rate == 0.75
    assert numbers.score == 0.75
    low, high = proportion_confint(3, 4, method="wilson")
    assert numbers.interval == pytest.approx((low, high), abs=1e-9)
    assert summarise(results).errors == {"judge_unparsed": 1, "model": 1}


@pytest.mark.parametrize("errors", [0, 2])
def test_nothing_judged_has_no_rate(errors: int) -> None:
    summary = summarise(made(number, "error") for number in range(errors))
    assert (summary.numbers.cases, summary.numbers.errors) == (errors, errors)
    numbers = summary.numbers
    assert [numbers.rate, numbers.interval, numbers.score, numbers.score_interval] == [None] * 4
    assert [summary.fresh, summary.latency_p50, summary.latency_p95] == [None] * 3


def test_the_mean_score_goes_by_weight_and_has_an_interval() -> None:
    results = [made(0, "passed", 1.0, weight=3.0), made(1, "failed", 0.2), made(2, "error", 0.0, weight=100.0)]
    numbers = summarise(results).numbers
    assert numbers.score == pytest.approx((3 * 1.0 + 0.2) / 4)
    assert numbers.score_interval is not None
    assert numbers.score_interval.low <= 0.8 <= numbers.score_interval.high


def test_weights_that_are_all_zero_make_no_difference() -> None:
    numbers = summarise([made(0, "passed", weight=0.0), made(1, "failed", weight=0.0)]).numbers
    assert numbers.score == 0.5
    assert weighted_mean([], []) is None


def test_leaked_cases_are_counted_and_left_out_of_a_second_rate() -> None:
    summary = summarise([made(0, leaked=True), made(1), made(2, "failed"), made(3, "failed")])
    assert summary.leaked == 1
    assert summary.numbers.rate == 0.5
    assert summary.fresh is not None
    assert (summary.fresh.passed, summary.fresh.judged) == (1, 3)
    only_leaked = summarise([made(0, leaked=True)])
    assert only_leaked.fresh is not None
    assert only_leaked.fresh.rate is None


def test_tags_come_with_the_same_numbers_the_largest_first() -> None:
    results = [
        made(0, tags=["b", "a"]),
        made(1, "failed", tags=["b", "b"]),
        made(2, "error", tags=["b"]),
        made(3, tags=["c"]),
        made(4),
    ]
    summary = summarise(results)
    assert [tagged.tag for tagged in summary.tags] == ["b", "a", "c"]
    numbers = summary.tags[0].numbers
    assert (numbers.cases, numbers.passed, numbers.failed, numbers.errors) == (3, 1, 1, 1)
    assert numbers.interval is not None
    assert summary.more_tags == 0


def test_no_more_tags_are_told_than_can_be_read() -> None:
    results = [made(number, tags=[f"t{number:03}"]) for number in range(TAGS_MOST + 7)]
    results.append(made(99, tags=["t056"]))
    summary = summarise(results)
    assert len(summary.tags) == TAGS_MOST
    assert summary.more_tags == 7
    assert summary.tags[0].tag == "t056"
    assert summary.tags[1].tag == "t000"


def test_time_is_of_answers_not_of_failing_models() -> None:
    results = [made(number, seconds=number / 10) for number in range(1, 21)]
    results += [made(30, "error", seconds=60.0), made(31, "error", error="judge_unparsed", seconds=2.5)]
    summary = summarise(results)
    assert summary.latency_p50 == 1.1
    assert summary.latency_p95 == 2.0


def test_tokens_and_money_add_up() -> None:
    summary = summarise([made(0, usd=0.25, tokens=(100, 5)), made(1, usd=0.5, tokens=(50, 7))])
    assert (summary.input_tokens, summary.output_tokens) == (150, 12)
    assert (summary.usd, summary.usd_known, summary.usd_unknown) == (0.75, 0.75, 0)


def test_money_that_is_not_known_of_every_case_is_not_known() -> None:
    summary = summarise([made(0, usd=0.25), made(1, usd=None), made(2, usd=None)])
    assert summary.usd is None
    assert (summary.usd_known, summary.usd_unknown) == (0.25, 2)


def test_kinds_of_answers_are_counted_most_first() -> None:
    results = [made(0, kind="unknown"), made(1, kind="trained"), made(2, kind="correction"), made(3, kind="trained")]
    assert list(summarise(results).kinds.items()) == [("trained", 2), ("correction", 1), ("unknown", 1)]


def test_summary_and_outcomes_of_one_pass_survive_the_store() -> None:
    found: Outcomes = {}
    once = (result for result in [made(0, tags=["a"]), made(1, "failed", 0.4, weight=2.0), made(2, "error")])
    summary = summarise(recording(once, found))
    assert [msgspec.structs.replace(one, asked="") for one in found.values()] == [
        Outcome("passed", 1.0), Outcome("failed", 0.4, 2.0), Outcome("error", 0.0)
    ]  # fmt: skip
    assert len({one.asked for one in found.values()}) == len(found) == 3
    assert msgspec.json.decode(msgspec.json.encode(summary), type=Summary) == summary
    assert msgspec.json.decode(msgspec.json.encode(found), type=Outcomes) == found
    assert outcomes_of([made(0)]) == {"c0": found["c0"]}


verdicts = st.lists(st.tuples(st.sampled_from(["passed", "failed", "error"]), st.floats(0, 1)), max_size=30)


@given(verdicts)
def test_every_case_is_counted_once(cases: list[tuple[Verdict, float]]) -> None:
    results = [made(number, verdict, score, tags=["all"]) for number, (verdict, score) in enumerate(cases)]
    summary = summarise(results)
    numbers = summary.numbers
    assert numbers.passed + numbers.failed + numbers.errors == numbers.cases == len(cases)
    assert sum(summary.errors.values()) == numbers.errors
    assert [(tagged.numbers.cases, tagged.numbers.passed) for tagged in summary.tags] == (
        [(numbers.cases, numbers.passed)] if cases else []
    )
    if numbers.interval is not None and numbers.rate is not None:
        assert numbers.interval.low <= numbers.rate <= numbers.interval.high
