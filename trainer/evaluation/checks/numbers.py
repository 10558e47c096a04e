"""The numeric check: the expected number is among those in the answer.

Numbers are read as English and Russian write them: 1,234.5 · 1 234,5 · 1.5e3 · .5 · −3 · минус 3 · 15km · $5 ·
5 тыс. · 2 million · 50 %. Digits after a letter belong to a name (mp3, GPT4) and are no number. Where a notation can
mean two things, either may be meant:

1,234     1234 (English) and 1.234 (Russian); 0,234 and 1,23 can only be the second, and 1.234 is never 1234.
1 234     1234, and 1 and 234 beside each other; with a no-break space only 1234.
50%       50, and 0.5 where the other number bears no percent sign.
3.11.4    3 and 11 and 4, as in dates, versions and 10:30; but 1.234.567 is one number, in groups of three.
5-10      5 and 10. A minus is one only where no word, number or bracket ends just before it.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from trainer.evaluation.checks.compared import Compared, Unusable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trainer.evaluation.cases import Check

_FIXED: Final = "\u00a0\u2007\u2009\u202f"
"""Spaces that stand inside numbers: no-break, figure, thin, narrow no-break."""
_SPACED: Final = re.compile(rf"(?<![\d.,])\d{{1,3}}(?:[ {_FIXED}]\d{{3}})+(?!\d)(?:[.,]\d+)?")
_SOLID: Final = re.compile(r"(?:\d+(?:[.,]\d+)*|(?<![\w.])\.\d+)(?:[eE][+\-−]?\d{1,3}(?!\w))?")
_BY_COMMAS: Final = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
_BY_POINTS: Final = re.compile(r"[1-9]\d{0,2}(?:(?:\.\d{3}){2,}|(?:\.\d{3})+,\d+)")
_EITHER: Final = re.compile(r"[1-9]\d{0,2},\d{3}")
_PERCENT: Final = re.compile(
    r"\s?(?:%|(?:percent|per cent|pct|процент(?:а|ов|у|ам|ами|ах|ом|е)?|проц)\b)", re.IGNORECASE
)
_SCALES: Final = tuple(
    (re.compile(rf"\s?(?:{names})\b", re.IGNORECASE), factor)
    for names, factor in (
        ("thousand|тыс|тысяч(?:а|и|у|е|ей|ам|ами|ах)?", 1e3),
        ("million|mln|млн|миллион(?:а|ов|у|ам|ами|ах|ом|е)?", 1e6),
        ("billion|bn|млрд|миллиард(?:а|ов|у|ам|ами|ах|ом|е)?", 1e9),
    )
)
_CURRENCY: Final = "$€£¥₽₴₸"
_MINUS_WORD: Final = re.compile(r"(?<!\w)(?:minus|минус)\s$", re.IGNORECASE)
_BEFORE_SIGN: Final = frozenset("([{=:;,<>≈~*\"'«“|/±" + _CURRENCY)
_ROUNDING: Final = 1e-9
"""Of the larger of two numbers: what counts as the same in binary fractions."""
_LONGEST: Final = 400
"""Characters; more digits than this are beyond any number."""


class Number(NamedTuple):
    """A number in a text."""

    start: int
    end: int
    """Where its digits stand."""
    readings: tuple[float, ...]
    """What it may mean; at least one, all finite."""
    percent: bool


def numbers(text: str) -> list[Number]:
    """All numbers in a text. Digits in groups by ordinary spaces are there twice: as one number, and apart."""
    found: list[Number] = []
    whole: list[tuple[int, int]] = []
    for match in _SPACED.finditer(text):
        digits = re.sub(rf"[ {_FIXED}]", "", match[0]).replace(",", ".")
        found += _number(text, match.start(), match.end(), [digits])
        if " " not in match[0]:
            whole.append(match.span())
    parts = iter([*whole, (len(text), len(text))])
    start, end = next(parts)
    for match in _SOLID.finditer(text):
        while match.start() >= end and start < len(text):
            start, end = next(parts)
        if not start <= match.start() < end:
            found += _solid(text, match)
    return found


def _solid(text: str, match: re.Match[str]) -> Iterator[Number]:
    mantissa, mark, exponent = match[0].replace("−", "-").replace("E", "e").partition("e")
    if _BY_COMMAS.fullmatch(mantissa):
        readings = [mantissa.replace(",", "")]
        if _EITHER.fullmatch(mantissa):
            readings.append(mantissa.replace(",", "."))
    elif _BY_POINTS.fullmatch(mantissa):
        readings = [mantissa.replace(".", "").replace(",", ".")]
    elif len(re.findall(r"[.,]", mantissa)) <= 1:
        readings = [mantissa.replace(",", ".")]
    else:  # a date, a version, a list
        for part in re.finditer(r"\d+", mantissa):
            start = match.start() + part.start()
            yield from _number(text, start, start + len(part[0]), [part[0]])
        return
    yield from _number(text, match.start(), match.end(), [reading + mark + exponent for reading in readings])


def _number(text: str, start: int, end: int, readings: Sequence[str]) -> Iterator[Number]:
    """The number at a place with its sign and unit, unless it is part of a name or beyond all bounds."""
    if end - start > _LONGEST or (start and (text[start - 1].isalpha() or text[start - 1] == "_")):
        return
    factor = -1.0 if _is_negative(text, start) else 1.0
    factor *= next((scale for pattern, scale in _SCALES if pattern.match(text, end)), 1.0)
    values = tuple(value for value in (factor * float(reading) for reading in readings) if math.isfinite(value))
    if values:
        yield Number(start, end, values, _PERCENT.match(text, end) is not None)


def _is_negative(text: str, start: int) -> bool:
    if _MINUS_WORD.search(text[max(0, start - 7) : start]):
        return True
    at = start - 1 if start and text[start - 1] in _CURRENCY else start
    sign, before = text[max(0, at - 1) : at], text[max(0, at - 3) : max(0, at - 1)]
    if sign == "–":  # a dash as long as this stands for a minus seldom, and between numbers often
        return not before.strip() or (before[-1].isspace() and not before.strip()[-1].isdigit())
    return sign in {"-", "−"} and (not before or before[-1].isspace() or before[-1] in _BEFORE_SIGN)


def expected_number(text: str) -> Number | None:
    """The number that a text expects: the only one in it; None if there is none, or several."""
    whole: list[Number] = []
    for one in sorted(numbers(text), key=lambda number: (number.start, -number.end)):
        if not whole or one.end > whole[-1].end:  # else it is a part of that
            whole.append(one)
    return whole[0] if len(whole) == 1 else None


def is_number(text: str) -> bool:
    """Whether a text is nothing but a number, perhaps with a currency or percent sign."""
    number = expected_number(text)
    if number is None:
        return False
    rest = text[: number.start] + text[number.end :]
    return not rest.strip(f" \t\r\n{_FIXED}%+-−–{_CURRENCY}.")


def agrees(expected: Number, given: Number, tolerance: float, *, relative: bool) -> bool:
    """Whether a number is the expected one, within the tolerance, in one of their readings.

    The tolerance is in the units of the expected number, percent points if that is a percentage, or if `relative` a
    share of it.
    """
    scale = 1.0
    if expected.percent != given.percent:
        scale = 100.0 if expected.percent else 0.01
    for wanted in expected.readings:
        margin = max(0.0, tolerance) * (abs(wanted) if relative else 1.0)
        for value in given.readings:
            for candidate in {value, value * scale}:
                if abs(candidate - wanted) <= margin + _ROUNDING * max(abs(candidate), abs(wanted)):
                    return True
    return False


def numeric(check: Check, answer: str) -> Compared:
    """1 if a number in the answer is one of the expected ones. Raises `Unusable` if none of the texts is a number."""
    expected = [number for number in map(expected_number, check.values) if number is not None]
    if not expected:
        raise Unusable("no number is expected")
    given = numbers(answer)
    found = any(
        agrees(wanted, number, check.tolerance, relative=check.relative) for wanted in expected for number in given
    )
    return Compared(float(found))
