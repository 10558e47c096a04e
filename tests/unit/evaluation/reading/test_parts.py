"""What the readers are made of: default checks, ids, numbers."""

from __future__ import annotations

from typing import get_args

import pytest

from trainer.evaluation.cases import CheckKind, Exchange
from trainer.evaluation.reading import case_id, default_checks
from trainer.evaluation.reading.identity import Ids
from trainer.evaluation.reading.kinds import KINDS, UNSUPPORTED
from trainer.evaluation.reading.numbers import is_on, share_of, tolerance_of
from trainer.evaluation.reading.rejections import CaseRejectionReason
from trainer.importers.json_value import Number
from trainer.importers.rejections import RejectionReason

STATEMENT = "Return it to the shop within a fortnight."


@pytest.mark.parametrize(
    ("expected", "kind"),
    [
        ((), "abstain"),
        (("42",), "numeric"), (("-3,5", "1 500"), "numeric"), (("$5",), "numeric"), (("50%",), "numeric"),
        (("0.5",), "numeric"), (("0",), "numeric"),
        (("007",), "contains"), (("123456789012345678",), "contains"), (("42", "0042"), "contains"),
        (("four", "4"), "contains"), (("Paris",), "contains"), (("play.example.org",), "contains"),
        (("2026-01-05",), "contains"), (("в Новом году",), "contains"),
        (("yes",), "starts_with"), (("Нет.",), "starts_with"),
        ((STATEMENT,), "semantic"), (("Paris", STATEMENT), "semantic"),
    ],
)  # fmt: skip
def test_default_checks(expected: tuple[str, ...], kind: str) -> None:
    (check,) = default_checks(expected)
    assert (check.kind, check.values) == (kind, expected)
    assert check.threshold is None
    assert not check.negate


def test_ids_tell_questions_apart_and_nothing_else() -> None:
    assert case_id("Where is IT?") == case_id(" where  is it ") == case_id("Where is it?", ())
    different = [
        case_id("Where is it?"),
        case_id("Where is he?"),
        case_id("???"),
        case_id("Where is it?", (Exchange("Hi"),)),
        case_id("Where is it?", (Exchange("Hi", "Hello"),)),
        case_id("Where is it?", (Exchange("Hi", "Hello"), Exchange("What?"))),
    ]
    assert len(set(different)) == len(different)
    assert all(len(one) == 12 and int(one, 16) >= 0 for one in different)


def test_ids_are_the_same_tomorrow() -> None:
    assert case_id("Where is it?") == "5b8b0d8fcfdb"


def test_many_equal_ids_take_no_time() -> None:
    ids = Ids()
    found = [ids.unique("x" * 100) for _ in range(20_000)]
    assert len(set(found)) == 20_000
    assert found[-1].endswith("x-20000")
    assert max(map(len, found)) == 100


def test_a_number_that_is_taken_is_passed_over() -> None:
    ids = Ids()
    assert [ids.unique(one) for one in ("a-2", "a", "a", "a-2")] == ["a-2", "a", "a-3", "a-2-2"]


@pytest.mark.parametrize(
    ("value", "on"),
    [(True, True), (False, False), ("true", True), (" Да ", True), ("no", False), (Number("2"), True), ("0.0", False),
     (None, False), ([1], False), ("", False), ("nan", False)],
)  # fmt: skip
def test_flags(value: object, on: bool) -> None:
    assert is_on(value) is on


def test_shares_and_tolerances() -> None:
    assert [share_of(value, "f") for value in (Number("1"), "0,25", " 80 % ", "0")] == [1.0, 0.25, 0.8, 0.0]
    assert tolerance_of(" 5 %", "f") == (0.05, True)
    assert tolerance_of(Number("1e3"), "f") == (1000.0, False)


def test_reasons_share_their_words() -> None:
    """Whatever may come of cutting a file into records has a reason here."""
    of_pages = {"no_text_on_page", "unreadable_page", "too_slow", "negative_label"}
    assert {reason.value for reason in RejectionReason} - of_pages <= {reason.value for reason in CaseRejectionReason}


def test_names_of_kinds_and_of_what_is_unsupported_differ() -> None:
    assert not UNSUPPORTED & KINDS.keys()
    assert set(KINDS.values()) == set(get_args(CheckKind))
