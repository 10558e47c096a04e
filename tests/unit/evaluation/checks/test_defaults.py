"""How an answer is compared where the case does not say."""

from __future__ import annotations

from typing import get_args

import pytest

from trainer.evaluation.cases import Check, CheckKind
from trainer.evaluation.checks import default_check, threshold_of


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ((), "abstain"),
        (("", "  "), "abstain"),
        (("42",), "numeric"),
        (("1 234,5", "$7"), "numeric"),
        (("42", "forty-two"), "contains"),
        (("Yes",), "starts_with"),
        (("Да.", "yes"), "starts_with"),
        (("Paris",), "contains"),
        (("the Eiffel Tower, Paris",), "contains"),
        (("Donaudampfschifffahrtsgesellschaftskapitänswitwe",), "semantic"),
        (("Support is open from 9 to 18 on weekdays.",), "semantic"),
        (("Paris", "It is the city of light, Paris."), "semantic"),
    ],
)
def test_the_shape_decides(values: tuple[str, ...], kind: CheckKind) -> None:
    found = default_check(values)
    assert found == Check(kind, tuple(value for value in values if value.strip()))


def test_a_threshold_of_ones_own_comes_first() -> None:
    assert threshold_of(Check("fuzzy", ("x",), 0.0)) == 0
    assert threshold_of(Check("fuzzy", ("x",))) == 0.85
    assert threshold_of(Check("exact", ("x",))) == 1


@pytest.mark.parametrize("kind", get_args(CheckKind))
def test_every_kind_has_a_threshold_that_can_be_failed_and_reached(kind: CheckKind) -> None:
    assert 0 < threshold_of(Check(kind)) <= 1
