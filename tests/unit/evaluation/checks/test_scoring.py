"""What becomes of a case by what its checks say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.evaluation.cases import Case, Check
from trainer.evaluation.checks import first_error, score_case
from trainer.evaluation.results import CheckResult


def case(*weights: float, threshold: float | None = None) -> Case:
    checks = tuple(Check("exact", ("x",), weight=weight) for weight in weights)
    return Case(id="1", question="?", checks=checks, threshold=threshold)


def result(score: float, *, passed: bool | None = None) -> CheckResult:
    return CheckResult("exact", passed=score == 1 if passed is None else passed, score=score)


BROKEN = CheckResult("judge", passed=False, score=0, error="judge_unparsed")


def test_every_check_must_pass_without_a_threshold() -> None:
    assert score_case(case(1, 1), [result(1), result(0)]) == (False, 0.5)
    assert score_case(case(1, 1), [result(1), result(1)]) == (True, 1)
    assert score_case(case(1, 0), [result(1), result(0)]) == (False, 1)


def test_weights_and_a_threshold() -> None:
    assert score_case(case(3, 1, threshold=0.75), [result(1), result(0)]) == (True, 0.75)
    assert score_case(case(1, 3, threshold=0.75), [result(1), result(0)]) == (False, 0.25)


def test_rounding_does_not_fail_a_case() -> None:
    passed, score = score_case(case(0.1, 0.2, 0.7, threshold=0.3), [result(1), result(1), result(0)])
    assert passed
    assert score == pytest.approx(0.3)


def test_no_weight_at_all_is_the_same_for_all() -> None:
    assert score_case(case(0, 0, threshold=0.5), [result(1), result(0)]) == (True, 0.5)


def test_no_checks_pass_nothing() -> None:
    assert score_case(case(threshold=0.0), []) == (False, 0)


def test_an_error_passes_nothing_and_is_named() -> None:
    missing = CheckResult("semantic", passed=False, score=0, error="embedder_missing")
    assert score_case(case(1, 1, threshold=0.0), [result(1), BROKEN]) == (False, 0)
    assert first_error([result(1), BROKEN, missing]) == "judge_unparsed"
    assert first_error([result(0)]) is None
    assert first_error([]) is None


def test_each_check_has_a_result() -> None:
    with pytest.raises(ValueError, match="zip"):
        score_case(case(1, 1), [result(1)])


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 100)), min_size=1, max_size=20))
def test_the_score_lies_between_those_of_the_checks(rows: list[tuple[float, float]]) -> None:
    _, score = score_case(case(*(weight for _, weight in rows)), [result(score) for score, _ in rows])
    assert min(score for score, _ in rows) - 1e-9 <= score <= max(score for score, _ in rows) + 1e-9
