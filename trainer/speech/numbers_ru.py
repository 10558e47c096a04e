"""Numbers of a Russian text in words: amounts, units, dates, times, years, ordinals. Pure.

The case of a number depends on its sentence, which is not parsed: numbers are said in the nominative, and years and
days of a month in the case that the words beside them show.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from trainer.speech.units import RUSSIAN_CENTS, RUSSIAN_MONTHS, RUSSIAN_UNITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.speech.units import Gender

DIGITS_MOST: Final = 15
"""Digits of a number that is read as one; longer ones are read digit by digit."""
_NUMBER: Final = r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?:,\d+)?|\d+(?:[.,]\d+)?"
_UNITS: Final = "|".join(
    re.escape(unit) + (r"\.?" if unit[-1].isalpha() else "")
    for unit in sorted(RUSSIAN_UNITS, key=len, reverse=True)
    if unit not in RUSSIAN_CENTS
)
_MONEY_UNITS: Final = r"руб\.?|₽|\$|€|£|¥"
_MONTHS: Final = "|".join(RUSSIAN_MONTHS)
_BEFORE: Final = r"(?<![\w.,:/-])"

_ISO_DATE: Final = re.compile(rf"{_BEFORE}(\d{{4}})-(\d{{2}})-(\d{{2}})(?![\w-])")
_POINT_DATE: Final = re.compile(rf"{_BEFORE}(\d{{1,2}})\.(\d{{2}})\.(\d{{4}})(?:\s?г(?:\.|ода\b))?(?![\w])")
_DAY_MONTH: Final = re.compile(rf"{_BEFORE}(\d{{1,2}})\s({_MONTHS})(?:\s(\d{{4}})(?:\s?г(?:\.|ода\b))?)?(?!\w)")
_HOURS: Final = re.compile(rf"{_BEFORE}(\d{{1,2}}:\d\d)\s?[-–—]\s?(?=\d{{1,2}}:\d\d(?!\d))")
_TIME: Final = re.compile(rf"{_BEFORE}([01]?\d|2[0-3]):([0-5]\d)(?![\d:])")
_YEARS: Final = re.compile(rf"{_BEFORE}(\d{{4}})\s?[-–—]\s?(\d{{4}})\s?гг?\.")
_YEAR: Final = re.compile(r"(\b[вВ]\s)?(?<![\w.,-])(\d{4})\s?(году|года|год|гг?\.)(?!\w)")
_ORDINAL: Final = re.compile(rf"{_BEFORE}(\d{{1,6}})-(го|му|ого|ому|ый|ой|ий|ая|яя|ое|ее|ую|юю|ых|их|м|й|я|е|ю|х)\b")
_VERSION: Final = re.compile(r"(?<![\w.])([vV])?(\d+(?:\.\d+){2,})(?![\w])")
_FROM_TO: Final = re.compile(
    rf"{_BEFORE}([$€£₽¥]\s?(?:{_NUMBER})|(?:{_NUMBER})(?:\s?(?:тыс\.?|млн|млрд))?\s?(?:{_UNITS}|{_MONEY_UNITS}))"
    r"(?:[-–—]|\s[-–—]\s)(?=[$€£₽¥]?\d)"
)
_MONEY_BEFORE: Final = re.compile(rf"(-)?([$€£₽¥])\s?({_NUMBER})(?:\s?(тыс\.?|млн|млрд))?(?!\w)")
_MONEY: Final = re.compile(rf"{_BEFORE}([-−])?({_NUMBER})(?:\s?(тыс\.?|млн|млрд))?\s?({_MONEY_UNITS})(?!\w)")
_RANGE: Final = re.compile(rf"{_BEFORE}({_NUMBER})\s?[-–—]\s?({_NUMBER})(?![\w-])")
_WITH_UNIT: Final = re.compile(rf"(?<![\w.,])([-−])?({_NUMBER})\s?({_UNITS})(?![\w/])")
_PLAIN: Final = re.compile(
    rf"(?<![\w.,])([-−])?({_NUMBER})(?!\w)(?=(?:(?:\s(?:и|или|либо)\s(?:{_NUMBER}))?\s([а-яё]+))?)", re.IGNORECASE
)
_INSIDE: Final = re.compile(r"\d+")
_ENDINGS: Final = {
    "го": ("genitive", "m"), "ого": ("genitive", "m"), "му": ("dative", "m"), "ому": ("dative", "m"),
    "й": ("nominative", "m"), "ый": ("nominative", "m"), "ой": ("nominative", "m"), "ий": ("nominative", "m"),
    "я": ("nominative", "f"), "ая": ("nominative", "f"), "яя": ("nominative", "f"), "ю": ("accusative", "f"),
    "ую": ("accusative", "f"), "юю": ("accusative", "f"), "е": ("nominative", "n"), "ое": ("nominative", "n"),
    "ее": ("nominative", "n"), "м": ("prepositional", "m"), "х": ("genitive", "p"), "ых": ("genitive", "p"),
    "их": ("genitive", "p"),
}  # fmt: skip


_NO_NOUNS: Final = frozenset(
    {"а", "бы", "во", "для", "до", "же", "за", "и", "или", "ко", "либо", "на", "не", "ни", "но", "о", "по", "со"}
)
"""Words after a number that end like nouns and say nothing of its gender."""


def spoken_numbers(text: str) -> str:
    """The text with its numbers in words."""
    for pattern, say in _RULES:
        text = pattern.sub(say, text)
    return text


def cardinal(digits: str, gender: Gender = "m") -> str:
    """A number as it is written in Russian, in words: `1 234,5` begins with одна тысяча двести."""
    from num2words import num2words  # noqa: PLC0415 - only where something is spoken

    bare = re.sub(r"[ \u00a0\u202f]", "", digits).replace(",", ".")
    whole, _, fraction = bare.partition(".")
    if len(whole) > DIGITS_MOST or (len(whole) > 1 and whole.startswith("0")):
        said = one_by_one(whole)
        return f"{said} точка {one_by_one(fraction)}" if fraction else said
    if not fraction.strip("0"):
        return str(num2words(int(whole), lang="ru", gender=gender))
    if len(fraction) > 6:  # noqa: PLR2004 - millionths are the last that anybody says
        return f"{num2words(int(whole), lang='ru')} запятая {one_by_one(fraction)}"
    return str(num2words(Decimal(bare), lang="ru"))


def ordinal(number: int, case: str = "nominative", gender: str = "m") -> str:
    """A place in an order, in words."""
    from num2words import num2words  # noqa: PLC0415

    return str(num2words(number, lang="ru", to="ordinal", case=case, gender=gender))


def one_by_one(digits: str) -> str:
    """Digits, each for itself."""
    from num2words import num2words  # noqa: PLC0415

    return " ".join(str(num2words(int(digit), lang="ru")) for digit in digits)


def _date(day: int, month: int, year: str | None, as_is: str) -> str:
    if not (1 <= month <= len(RUSSIAN_MONTHS) and 1 <= day <= 31):  # noqa: PLR2004 - days of a month
        return as_is
    said = f"{ordinal(day, 'genitive')} {RUSSIAN_MONTHS[month - 1]}"
    return f"{said} {ordinal(int(year), 'genitive')} года" if year else said


def _iso_date(match: re.Match[str]) -> str:
    return _date(int(match[3]), int(match[2]), match[1], match[0])


def _point_date(match: re.Match[str]) -> str:
    return _date(int(match[1]), int(match[2]), match[3], match[0])


def _day_month(match: re.Match[str]) -> str:
    return _date(int(match[1]), RUSSIAN_MONTHS.index(match[2]) + 1, match[3], match[0])


def _time(match: re.Match[str]) -> str:
    hour, minute = int(match[1]), int(match[2])
    hours = f"{cardinal(str(hour))} {RUSSIAN_UNITS['ч'].after(hour)}"
    if not minute:
        return hours
    return f"{hours} {cardinal(str(minute), 'f')} {RUSSIAN_UNITS['мин'].after(minute)}"


def _years(match: re.Match[str]) -> str:
    return f"с {ordinal(int(match[1]), 'genitive')} по {ordinal(int(match[2]))} год"


def _year(match: re.Match[str]) -> str:
    word = match[3]
    if word == "году" or (match[1] and word == "г."):
        return f"{match[1] or ''}{ordinal(int(match[2]), 'prepositional')} году"
    if word in {"года", "г."}:
        return f"{match[1] or ''}{ordinal(int(match[2]), 'genitive')} года"
    if word == "год":
        return f"{match[1] or ''}{ordinal(int(match[2]))} год"
    return f"{match[1] or ''}{cardinal(match[2])} годы"


def _ordinal(match: re.Match[str]) -> str:
    case, gender = _ENDINGS[match[2]]
    return ordinal(int(match[1]), case, gender)


def _version(match: re.Match[str]) -> str:
    said = " точка ".join(cardinal(part) for part in match[2].split("."))
    return f"версия {said}" if match[1] else said


def _money_before(match: re.Match[str]) -> str:
    return _amount(match[1], match[3], match[4], match[2])


def _money(match: re.Match[str]) -> str:
    return _amount(match[1], match[2], match[3], match[4])


def _amount(minus: str | None, digits: str, scale: str | None, sign: str) -> str:
    unit = RUSSIAN_UNITS[sign.rstrip(".")]
    sign_word = "минус " if minus else ""
    if scale:
        return f"{sign_word}{_counted(digits, scale.rstrip('.'))} {unit.many}"
    bare = re.sub(r"[ \u00a0\u202f]", "", digits).replace(",", ".")
    if len(bare.partition(".")[0]) > DIGITS_MOST:
        return f"{sign_word}{cardinal(bare)} {unit.many}"
    amount = Decimal(bare)
    whole, hundredths = int(amount), int(amount * 100) % 100
    said = f"{cardinal(str(whole), unit.gender)} {unit.after(whole)}"
    cents = RUSSIAN_CENTS.get(sign.rstrip(".").replace("руб", "₽"))
    if hundredths and cents is not None:
        said += f" {cardinal(str(hundredths), cents.gender)} {cents.after(hundredths)}"
    return sign_word + said


def _range(match: re.Match[str]) -> str:
    return f"{match[1]} – {match[2]}"


def _from_to(match: re.Match[str]) -> str:
    return f"{match[1]} – "


def _with_unit(match: re.Match[str]) -> str:
    name = match[3] if match[3] in RUSSIAN_UNITS else match[3].rstrip(".")
    return f"{'минус ' if match[1] else ''}{_counted(match[2], name)}{_end(match)}"


def _end(match: re.Match[str]) -> str:
    """The full stop after an abbreviation, where it seems to end the sentence as well."""
    rest = match.string[match.end() :].lstrip()
    return "." if match[0].endswith(".") and (not rest or rest[0].isupper()) else ""


def _counted(digits: str, name: str) -> str:
    """A number with its unit, which is in the genitive singular after a fraction."""
    unit = RUSSIAN_UNITS[name]
    bare = re.sub(r"[ \u00a0\u202f]", "", digits).replace(",", ".")
    whole, _, fraction = bare.partition(".")
    if fraction.strip("0"):
        return f"{cardinal(digits)} {unit.few}"
    return f"{cardinal(digits, unit.gender)} {unit.after(int(whole[-DIGITS_MOST:]))}"


def _plain(match: re.Match[str]) -> str:
    gender = _gender(match[2], match[3] or "")
    return f"{'минус ' if match[1] else ''}{cardinal(match[2], gender)}"


def _gender(digits: str, noun: str) -> Gender:
    """The gender that the word after a number shows: it matters after 1 and 2 alone."""
    ends = "" if noun.casefold() in _NO_NOUNS else noun[-1:].casefold()
    if digits.endswith("1") and not digits.endswith("11"):
        return "f" if ends in {"а", "я"} else "n" if ends in {"о", "е"} else "m"
    if digits.endswith("2") and not digits.endswith("12"):
        return "f" if ends in {"и", "ы"} else "m"
    return "m"


def _inside(match: re.Match[str]) -> str:
    """Digits that stand in a word, as in `А4`."""
    return f" {cardinal(match[0])} "


_RULES: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...]] = (
    (_ISO_DATE, _iso_date),
    (_POINT_DATE, _point_date),
    (_DAY_MONTH, _day_month),
    (_HOURS, _from_to),
    (_TIME, _time),
    (_YEARS, _years),
    (_YEAR, _year),
    (_ORDINAL, _ordinal),
    (_VERSION, _version),
    (_FROM_TO, _from_to),
    (_MONEY_BEFORE, _money_before),
    (_MONEY, _money),
    (_RANGE, _range),
    (_WITH_UNIT, _with_unit),
    (_PLAIN, _plain),
    (_INSIDE, _inside),
)
"""In this order: what is more particular comes first."""
