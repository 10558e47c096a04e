"""The regex check."""

from __future__ import annotations

import pytest

from trainer.evaluation.cases import EXPECTED_MOST, Check
from trainer.evaluation.checks.compared import Unusable
from trainer.evaluation.checks.patterns import compiled, regex


@pytest.mark.parametrize(
    ("pattern", "answer", "found"),
    [
        (r"\d{2}:\d{2}", "at 19:00", True),
        (r"^\d+$", "at 19", False),
        ("paris", "Paris", False),
        ("(?i)paris", "in PARIS", True),
        (r"(?i)привет", "ПРИВЕТ", True),
        (r"\p{Cyrillic}+", "да", True),
        ("", "", True),
        ("^$", "x", False),
        ("x", "\ud800x", True),
    ],
)
def test_a_pattern_is_found_or_not(pattern: str, answer: str, found: bool) -> None:
    assert regex(Check("regex", (pattern,)), answer).score == found


def test_any_pattern_will_do() -> None:
    assert regex(Check("regex", ("x", "a+")), "aa").score == 1


@pytest.mark.parametrize("pattern", ["(", "a{2000}", r"(a)\1", "(?=a)", "[", "\ud800", r"\p{L}{1000}", "*"])
def test_what_is_no_pattern_is_refused(pattern: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Unusable) as caught:
        regex(Check("regex", ("a", pattern)), "a")
    assert pattern not in str(caught.value)
    assert capfd.readouterr() == ("", "")  # the library would write the pattern to the log


def test_a_pattern_that_is_too_long_is_refused() -> None:
    compiled("a" * EXPECTED_MOST)
    with pytest.raises(Unusable):
        compiled("a" * (EXPECTED_MOST + 1))


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(a|aa)+$", r"(.*)*x", r"(a*)*b", r"(\w+\s?)*!$"])
@pytest.mark.timeout(20)
def test_no_pattern_takes_for_ever(pattern: str) -> None:
    """Each of these keeps Python's own expressions busy for longer than anybody lives."""
    assert regex(Check("regex", (pattern,)), "a" * 50_000 + "?").score == 0
