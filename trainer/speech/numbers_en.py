"""Numbers of an English text in words: amounts, units, dates, times, years, ordinals. Pure."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from trainer.speech.units import ENGLISH_MONEY, ENGLISH_MONTHS, ENGLISH_UNITS

if TYPE_CHECKING:
    from collections.abc import Callable

DIGITS_MOST: Final = 15
"""Digits of a number that is read as one; longer ones are read digit by digit."""
_NUMBER: Final = r"\d{1,3}(?:[,\u00a0\u202f]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_UNITS: Final = "|".join(re.escape(unit) for unit in sorted(ENGLISH_UNITS, key=len, reverse=True))
_SCALES: Final = r"(?:\s?(thousand|million|billion|trillion|[kKMB](?![\w/])))?"
_MONTHS: Final = "|".join([*ENGLISH_MONTHS, *(f"{month[:3]}\\.?" for month in ENGLISH_MONTHS)])
_LETTERS: Final = {"k": "thousand", "K": "thousand", "M": "million", "B": "billion"}
_BEFORE: Final = r"(?<![\w.,:/-])"

_ISO_DATE: Final = re.compile(rf"{_BEFORE}(\d{{4}})-(\d{{2}})-(\d{{2}})(?![\w-])")
_MONTH_DAY: Final = re.compile(rf"\b({_MONTHS})\s(\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s(\d{{4}}))?(?![\d:])")
_DAY_MONTH: Final = re.compile(rf"{_BEFORE}(\d{{1,2}})(?:st|nd|rd|th)?\s({_MONTHS})(?:,?\s(\d{{4}}))?(?![\d:])")
_HOURS: Final = re.compile(
    rf"{_BEFORE}(\d{{1,2}}:\d\d(?:\s?[ap]\.?m\.?)?|\d{{1,2}}\s?[ap]\.?m\.?)\s?[-–—]\s?"
    r"(?=\d{1,2}(?::\d\d(?!\d)|\s?[ap]\.?m))",
    re.IGNORECASE,
)
_TIME: Final = re.compile(rf"{_BEFORE}([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?(?:\s?([ap])\.?m\.?(?!\w))?(?![\d:])")
_HOUR: Final = re.compile(rf"{_BEFORE}(1[0-2]|0?[1-9])\s?([ap])\.?m\b\.?", re.IGNORECASE)
_DECADE: Final = re.compile(r"\b(1[1-9]\d0|20\d0)(s)(?!\w)")
_YEAR: Final = re.compile(
    r"\b(in|since|by|until|till|before|after|from|to|of|year|and|–|-)(\s)(1[1-9]\d\d|20\d\d)(?![\w%]|[.,]\d)",
    re.IGNORECASE,
)
_FROM_TO: Final = re.compile(
    rf"{_BEFORE}((?:[$€£₽¥]\s?)(?:{_NUMBER})(?:\s?[kKMB])?|(?:{_NUMBER})\s?(?:{_UNITS}|[$€£₽¥]))"
    r"(?:[-–—]|\s[-–—]\s)(?=[$€£₽¥]?\d)"
)
_MONEY: Final = re.compile(rf"(-)?([$€£₽¥])\s?({_NUMBER}){_SCALES}(?![\w])")
_MONEY_AFTER: Final = re.compile(rf"{_BEFORE}(-)?({_NUMBER})\s?([$€£₽¥])")
_ORDINAL: Final = re.compile(rf"{_BEFORE}(\d{{1,6}})(?:st|nd|rd|th)\b")
_VERSION: Final = re.compile(r"(?<![\w.])([vV])?(\d+(?:\.\d+){2,})(?![\w])")
_RANGE: Final = re.compile(rf"{_BEFORE}({_NUMBER})\s?[-–—]\s?({_NUMBER})(?![\w-])")
_WITH_UNIT: Final = re.compile(rf"(?<![\w.,])([-−])?({_NUMBER})\s?({_UNITS})(?![\w/])")
_PLAIN: Final = re.compile(rf"(?<![\w.,])([-−])?({_NUMBER})(?!\w)")
_INSIDE: Final = re.compile(r"\d+")


def spoken_numbers(text: str) -> str:
    """The text with its numbers in words."""
    for pattern, say in _RULES:
        text = pattern.sub(say, text)
    return text


def cardinal(digits: str) -> str:
    """A number as it is written in English, in words: `1,234.5` begins with one thousand two hundred."""
    from num2words import num2words  # noqa: PLC0415 - only where something is spoken

    bare = re.sub(r"[,\u00a0\u202f]", "", digits)
    whole, _, fraction = bare.partition(".")
    if len(whole) > DIGITS_MOST or (len(whole) > 1 and whole.startswith("0")):
        said = one_by_one(whole)
    else:
        said = str(num2words(int(whole), lang="en")).replace(",", "").replace("-", " ")
    return f"{said} point {one_by_one(fraction)}" if fraction else said


def ordinal(number: int) -> str:
    """A place in an order, in words."""
    from num2words import num2words  # noqa: PLC0415

    return str(num2words(number, lang="en", to="ordinal")).replace("-", " ").replace(",", "")


def year(number: int) -> str:
    """A year as it is spoken: nineteen ninety nine."""
    from num2words import num2words  # noqa: PLC0415

    return str(num2words(number, lang="en", to="year")).replace("-", " ").replace(",", "")


def one_by_one(digits: str) -> str:
    """Digits, each for itself."""
    from num2words import num2words  # noqa: PLC0415

    return " ".join(str(num2words(int(digit), lang="en")) for digit in digits)


def _iso_date(match: re.Match[str]) -> str:
    month, day = int(match[2]), int(match[3])
    if not (1 <= month <= len(ENGLISH_MONTHS) and 1 <= day <= 31):  # noqa: PLR2004 - days of a month
        return match[0]
    return f"{ENGLISH_MONTHS[month - 1]} {ordinal(day)}, {year(int(match[1]))}"


def _month_day(match: re.Match[str]) -> str:
    return _day(match[1], match[2], match[3], match[0])


def _day_month(match: re.Match[str]) -> str:
    return _day(match[2], match[1], match[3], match[0])


def _day(month: str, day: str, year_: str | None, as_is: str) -> str:
    if not 1 <= int(day) <= 31:  # noqa: PLR2004 - days of a month
        return as_is
    name = next(known for known in ENGLISH_MONTHS if known.startswith(month.rstrip(".")))
    return f"{name} {ordinal(int(day))}" + (f", {year(int(year_))}" if year_ else "")


def _time(match: re.Match[str]) -> str:
    hour, minute, half = int(match[1]), int(match[2]), match[4]
    if minute:
        said = f"{cardinal(str(hour))} {'oh ' if minute < 10 else ''}{cardinal(str(minute))}"  # noqa: PLR2004 - one digit
    else:
        said = cardinal(str(hour)) + ("" if half else " o'clock")
    if match[3]:
        said += f" and {cardinal(str(int(match[3])))} seconds"
    return f"{said} {half} m" if half else said


def _hour(match: re.Match[str]) -> str:
    return f"{cardinal(str(int(match[1])))} {match[2].lower()} m"


def _decade(match: re.Match[str]) -> str:
    said = year(int(match[1]))
    return f"{said[:-1]}ies" if said.endswith("y") else f"{said}s"


def _year(match: re.Match[str]) -> str:
    return f"{match[1]}{match[2]}{year(int(match[3]))}"


def _money(match: re.Match[str]) -> str:
    return _amount(match[1], match[3], match[2], match[4] or "")


def _money_after(match: re.Match[str]) -> str:
    return _amount(match[1], match[2], match[3], "")


def _amount(minus: str | None, digits: str, sign: str, scale: str) -> str:
    one, many, cent, cents = ENGLISH_MONEY[sign]
    sign_word = "minus " if minus else ""
    if scale:
        return f"{sign_word}{cardinal(digits)} {_LETTERS.get(scale, scale)} {many}"
    bare = re.sub(r"[,\u00a0\u202f]", "", digits)
    if len(bare.partition(".")[0]) > DIGITS_MOST:
        return f"{sign_word}{cardinal(bare)} {many}"
    amount = Decimal(bare)
    whole, hundredths = int(amount), int(amount * 100) % 100
    said = f"{cardinal(str(whole))} {one if whole == 1 else many}"
    if hundredths:
        said += f" and {cardinal(str(hundredths))} {cent if hundredths == 1 else cents}"
    return sign_word + said


def _ordinal(match: re.Match[str]) -> str:
    return ordinal(int(match[1]))


def _version(match: re.Match[str]) -> str:
    said = " point ".join(cardinal(part) for part in match[2].split("."))
    return f"version {said}" if match[1] else said


def _range(match: re.Match[str]) -> str:
    return f"{match[1]} to {match[2]}"


def _from_to(match: re.Match[str]) -> str:
    return f"{match[1]} to "


def _with_unit(match: re.Match[str]) -> str:
    one, many = ENGLISH_UNITS[match[3]]
    return f"{'minus ' if match[1] else ''}{cardinal(match[2])} {one if match[2] == '1' else many}"


def _plain(match: re.Match[str]) -> str:
    return f"{'minus ' if match[1] else ''}{cardinal(match[2])}"


def _inside(match: re.Match[str]) -> str:
    """Digits that stand in a word, as in `A4`."""
    return f" {cardinal(match[0])} "


_RULES: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...]] = (
    (_ISO_DATE, _iso_date),
    (_MONTH_DAY, _month_day),
    (_DAY_MONTH, _day_month),
    (_HOURS, _from_to),
    (_TIME, _time),
    (_HOUR, _hour),
    (_VERSION, _version),
    (_DECADE, _decade),
    (_YEAR, _year),
    (_FROM_TO, _from_to),
    (_MONEY, _money),
    (_MONEY_AFTER, _money_after),
    (_ORDINAL, _ordinal),
    (_RANGE, _range),
    (_WITH_UNIT, _with_unit),
    (_PLAIN, _plain),
    (_INSIDE, _inside),
)
"""In this order: what is more particular comes first."""
