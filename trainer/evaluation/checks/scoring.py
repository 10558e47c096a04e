"""What becomes of a case by what its checks say."""

from __future__ import annotations

from math import fsum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trainer.evaluation.cases import Case
    from trainer.evaluation.results import CheckResult, ErrorReason

ROUNDING: Final = 1e-9
"""Of sums and products of fractions: 0.1 + 0.2 reaches 0.3."""


def reaches(score: float, threshold: float) -> bool:
    """Whether a score is at least the threshold."""
    return score + ROUNDING >= threshold


def first_error(results: Iterable[CheckResult]) -> ErrorReason | None:
    """Why a case can be judged neither right nor wrong; None if it can."""
    return next((result.error for result in results if result.error is not None), None)


def score_case(case: Case, results: Sequence[CheckResult]) -> tuple[bool, float]:
    """Whether a case passes, and the mean of its checks' scores by their weights, 0 to 1.

    Without a threshold of its own it passes if every check does, those of no weight too. Not so if there is none,
    or if one ended with an error: that case is neither right nor wrong (see `first_error`), and its score is 0.

    Args:
        case: the case.
        results: of its checks, in their order.

    Raises:
        ValueError: there is not one result for each check.
    """
    pairs = list(zip(case.checks, results, strict=True))
    if not pairs or first_error(results) is not None:
        return False, 0.0
    weights = [max(check.weight, 0.0) for check, _ in pairs]
    if not any(weights):
        weights = [1.0] * len(pairs)
    score = fsum(weight * result.score for weight, result in zip(weights, results, strict=True)) / fsum(weights)
    score = min(max(score, 0.0), 1.0)
    if case.threshold is None:
        return all(result.passed for result in results), score
    return reaches(score, case.threshold), score
