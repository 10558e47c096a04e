"""Numbers and characters as they are shown."""

from __future__ import annotations

import pytest

from trainer.evaluation.cases import Check
from trainer.evaluation.report.safe_text import for_xml, visible
from trainer.evaluation.report.words import check_text, decimal, dollars, moment, p_value, percent, seconds, signed
from trainer.i18n import translator

T = translator("en")


@pytest.mark.parametrize(
    ("share", "wanted"),
    [
        (0.0, "0%"), (0.0004, "0.1%"), (0.004, "0.4%"), (0.01, "1%"), (0.875, "88%"), (0.99, "99%"),
        (0.996, "99.6%"), (0.9999, "99.9%"), (1.0, "100%"),
    ],
)  # fmt: skip
def test_only_all_is_all_and_only_nothing_is_nothing(share: float, wanted: str) -> None:
    assert percent(T, share) == wanted


@pytest.mark.parametrize(
    ("difference", "wanted"), [(0.0781, "+0.078"), (-0.25, "−0.250"), (0.0, "0.000"), (-0.0001, "0.000")]
)
def test_differences_have_a_sign(difference: float, wanted: str) -> None:
    assert signed(T, difference) == wanted


def test_amounts_are_as_exact_as_they_are_of_use() -> None:
    assert [p_value(T, p) for p in (1.0, 0.0312, 0.000_9)] == ["1.000", "0.031", "< 0.001"]
    assert [seconds(T, value) for value in (0.314, 12.345)] == ["0.31 s", "12.3 s"]
    assert [dollars(T, usd) for usd in (0.0, 0.0042, 3.14159)] == ["$0.00", "$0.0042", "$3.14"]
    assert moment(1_790_000_000.9) == "2026-09-21 14:13 UTC"


def test_numbers_are_written_as_the_language_writes_them() -> None:
    russian = translator("ru")
    assert decimal(russian, 0.5, 2) == "0,50"
    assert percent(russian, 0.5) == "50\u00a0%"
    assert check_text(russian, Check("numeric", ("5",), tolerance=0.5)) == "называет число (±0,5)"


def test_what_cannot_be_seen_is_shown() -> None:
    assert visible("a\u202eb\u2066c\u200bd\ufeff") == "a[U+202E]b[U+2066]c[U+200B]d[U+FEFF]"
    assert visible("\0\x07\x7f\x85\r") == "␀␇[U+007F][U+0085]␍"
    assert visible("half \ud83d, none \uffff") == "half \N{REPLACEMENT CHARACTER}, none \N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    "text", ["line\n\ttab", "שלום עולם", "\u200fע\u200e", "👩\u200d🚀", "می\u200cخواهم", "naïve – “ok”"]
)
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert visible(text) == for_xml(text) == text


def test_line_ends_of_windows_are_line_ends() -> None:
    assert visible("a\r\nb") == "a\nb"


def test_xml_gets_no_character_that_it_does_not_know() -> None:
    assert for_xml("a\0b\x1fc\ud800d\uffffe") == "a�b�c�d�e"
