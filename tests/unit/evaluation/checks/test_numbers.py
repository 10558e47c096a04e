"""The numeric check."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.evaluation.cases import Check
from trainer.evaluation.checks.compared import Unusable
from trainer.evaluation.checks.numbers import expected_number, is_number, numbers, numeric


def read(text: str) -> list[tuple[float, ...]]:
    return [number.readings for number in numbers(text)]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("15", [15]),
        ("It takes 15km.", [15]),
        ("1,234.5", [1234.5]),
        ("1,234,567", [1234567]),
        ("1.234,5", [1234.5]),
        ("1.234.567", [1234567]),
        ("1.234.567,25", [1234567.25]),
        ("1\u00a0234,5", [1234.5]),
        ("1\u202f234\u202f567", [1234567]),
        ("1,5", [1.5]),
        ("0,234", [0.234]),
        ("1.234", [1.234]),
        ("1,2345", [1.2345]),
        ("1.5e3", [1500]),
        ("1.5E-3", [0.0015]),
        ("2e3x", [2]),
        (".5", [0.5]),
        ("-3", [-3]),
        ("−3", [-3]),
        ("–3", [-3]),
        ("(-3)", [-3]),
        ("x = -3", [-3]),
        ("it is –3 now", [-3]),
        ("минус 3", [-3]),
        ("minus 3", [-3]),
        ("-$5", [-5]),
        ("$-5", [-5]),
        ("+5", [5]),
        ("5-10", [5, 10]),
        ("5–10", [5, 10]),
        ("5 – 10", [5, 10]),
        ("from 5 –10", [5, 10]),
        ("covid-19", [19]),
        ("2024-02-01", [2024, 2, 1]),
        ("01.02.2024", [1, 2, 2024]),
        ("3.11.4", [3, 11, 4]),
        ("10:30", [10, 30]),
        ("192.168.0.1", [192, 168, 0, 1]),
        ("1,2,3", [1, 2, 3]),
        ("1, 2 and 3", [1, 2, 3]),
        ("1/2", [1, 2]),
        ("2nd", [2]),
        ("5-й", [5]),
        ("№5", [5]),
        ("5 тыс. человек", [5000]),
        ("5 тысяч", [5000]),
        ("2 million", [2_000_000]),
        ("2,5 млн", [2_500_000]),
        ("1 миллиард", [1e9]),
        ("5 миллионеров", [5]),
        ("2 millionaires", [2]),
        ("mp3, GPT4, x_7, А4", []),
        ("no number", []),
        ("", []),
        ("10² and x²", [10]),
        ("٣", [3]),
        ("1e999", []),
        ("9" * 500, []),
        ("2024 500", [2024, 500]),
        ("12345 678", [12345, 678]),
    ],
)
def test_numbers_are_read(text: str, values: list[float]) -> None:
    found = read(text)
    assert all(len(readings) == 1 for readings in found)
    assert [readings[0] for readings in found] == pytest.approx(values)


def test_a_comma_before_three_digits_has_two_readings() -> None:
    assert read("1,234") == [(1234, 1.234)]
    assert read("80,443") == [(80443, 80.443)]


def test_groups_by_ordinary_spaces_are_read_both_ways() -> None:
    assert read("1 234") == [(1234,), (1,), (234,)]
    assert read("1 234 567,5") == [(1234567.5,), (1,), (234,), (567.5,)]
    assert read("1 234 5678") == [(1234,), (1,), (234,), (5678,)]


def test_numbers_in_and_after_groups_by_fixed_spaces() -> None:
    assert read("7, 1\u00a0234 and 2\u00a0345, 8") == [(1234,), (2345,), (7,), (8,)]


@pytest.mark.parametrize(
    ("value", "answer", "passes"),
    [
        ("1234.5", "1 234,5", True),
        ("1 234,5", "It is 1,234.5 in all", True),
        ("1234", "1,234", True),
        ("1,234", "1.234", True),
        ("5", "15", False),
        ("5", "5.5", False),
        ("5", "", False),
        ("50%", "50 percent", True),
        ("50%", "50", True),
        ("50%", "0.5", True),
        ("0.5", "50 %", True),
        ("50%", "0.5%", False),
        ("50%", "5%", False),
        ("50%", "50 процентов", True),
        ("-3", "минус 3 градуса", True),
        ("3", "-3", False),
        ("2000000", "2 million", True),
        ("2.3 million", "2 300 000", True),
        ("2", "2 million", False),
        ("$5", "5 dollars", True),
        ("0", "0", True),
        ("0", "1e-12", False),
        ("0.1", "0.1000000000001", True),
        ("1500", "1.5e3", True),
        ("2024", "on 01.02.2024", True),
    ],
)
def test_the_expected_number_is_there_or_not(value: str, answer: str, passes: bool) -> None:
    assert numeric(Check("numeric", (value,)), answer).score == passes


@pytest.mark.parametrize(
    ("check", "answer", "passes"),
    [
        (Check("numeric", ("100",), tolerance=5), "105", True),
        (Check("numeric", ("100",), tolerance=5), "105.1", False),
        (Check("numeric", ("100",), tolerance=5), "95", True),
        (Check("numeric", ("-100",), tolerance=0.1, relative=True), "-110", True),
        (Check("numeric", ("-100",), tolerance=0.1, relative=True), "-111", False),
        (Check("numeric", ("50%",), tolerance=1), "0.51", True),
        (Check("numeric", ("50%",), tolerance=1), "0.52", False),
        (Check("numeric", ("0.5",), tolerance=0.01), "51%", True),
        (Check("numeric", ("0.5",), tolerance=0.01), "52%", False),
        (Check("numeric", ("0",), tolerance=0.5, relative=True), "0.1", False),
        (Check("numeric", ("0.3",), tolerance=0.1), "0.2", True),
        (Check("numeric", ("1",), tolerance=-1), "1", True),
        (Check("numeric", ("1",), tolerance=math.nan), "1", True),
        (Check("numeric", ("1",), tolerance=math.nan), "2", False),
        (Check("numeric", ("7", "8")), "8", True),
        (Check("numeric", ("none", "8")), "8", True),
    ],
)
def test_tolerances(check: Check, answer: str, passes: bool) -> None:
    assert numeric(check, answer).score == passes


@pytest.mark.parametrize("values", [("none",), ("5-10", "1 and 2"), ("1e999",)])
def test_what_is_no_number_cannot_be_expected(values: tuple[str, ...]) -> None:
    with pytest.raises(Unusable):
        numeric(Check("numeric", values), "5")


def test_the_expected_number_is_the_only_one() -> None:
    for text in ("about 1 234,5 km", "1\u00a0234,5", "1,234.5"):
        number = expected_number(text)
        assert number is not None
        assert number.readings == (1234.5,)
    assert expected_number("10:30") is None
    assert expected_number("") is None


@pytest.mark.parametrize("text", ["5", " 5. ", "-5", "$5", "50 %", "1 234,5", "1,234", "5 ₽", "1e5", "+7", ".5"])
def test_what_is_nothing_but_a_number(text: str) -> None:
    assert is_number(text)


@pytest.mark.parametrize("text", ["", "five", "5 km", "10:30", "3.11.4", "A4", "5-10", "5 and 6"])
def test_what_is_more_or_less_than_a_number(text: str) -> None:
    assert not is_number(text)


@given(st.floats(min_value=-1e9, max_value=1e9).map(lambda value: round(value, 3)))
def test_any_number_is_found_in_english_and_russian(value: float) -> None:
    english = f"{value:,.3f}"
    russian = english.replace(",", "\u00a0").replace(".", ",")
    check = Check("numeric", (f"{value:.3f}",))
    assert numeric(check, f"It is {english}.").score == 1
    assert numeric(check, f"Это {russian}!").score == 1
    assert numeric(check, f"Это {russian.replace('-', '−')} км").score == 1


@given(st.text(alphabet="0123456789.,eE+-−– \u00a0%$aи"))
def test_any_text_is_read(text: str) -> None:
    for number in numbers(text):
        assert number.readings
        assert all(map(math.isfinite, number.readings))
        assert any(char.isdigit() for char in text[number.start : number.end])


@pytest.mark.timeout(20)
def test_many_numbers_where_one_is_expected_are_read() -> None:
    assert expected_number("1 2 " * 100_000) is None
    assert expected_number("1 234" + " 567" * 90) is not None


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", ["1" * 100_000, "1," * 50_000, "1 234" * 20_000, "1,234" * 20_000, ".1" * 50_000])
def test_a_hostile_text_is_read(text: str) -> None:
    assert numeric(Check("numeric", ("7",)), text).score == 0
