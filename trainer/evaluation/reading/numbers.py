"""Numbers, shares and flags as people write them into files of test cases. Pure."""

from __future__ import annotations

import math
from typing import Final

from trainer.evaluation.reading.rejections import BadCase, CaseRejectionReason
from trainer.importers.json_value import Number

_LONGEST = 40
_GREATEST: Final = 1e9
_ON: Final = frozenset(("true", "yes", "y", "on", "да", "д"))


def number_of(value: object, field: str, *, least: float = 0.0) -> float:
    """A number from `least` to a thousand million. Raises `BadCase`."""
    number = _parse(value)
    if number is None or not least <= number <= _GREATEST:
        raise BadCase(CaseRejectionReason.BAD_NUMBER, field)
    return number


def share_of(value: object, field: str) -> float:
    """A number from 0 to 1, also as a percentage with its sign. Raises `BadCase`."""
    text = value.strip() if isinstance(value, str) else value
    percent = isinstance(text, str) and text.endswith("%")
    number = _parse(text[:-1] if percent and isinstance(text, str) else text)
    if number is not None and percent:
        number /= 100
    if number is None or not 0 <= number <= 1:
        raise BadCase(CaseRejectionReason.BAD_THRESHOLD, field)
    return number


def tolerance_of(value: object, field: str) -> tuple[float, bool]:
    """How far off a number may be, and whether that is a share of it: `0.5`, or `5%`. Raises `BadCase`."""
    if isinstance(value, str) and value.strip().endswith("%"):
        return number_of(value.strip()[:-1], field) / 100, True
    return number_of(value, field), False


def weight_of(value: object, field: str) -> float:
    """A weight above zero. Raises `BadCase`."""
    weight = number_of(value, field)
    if weight == 0:
        raise BadCase(CaseRejectionReason.BAD_NUMBER, field)
    return weight


def is_on(value: object) -> bool:
    """Whether a flag says yes: true or a number other than 0, as JSON or as text."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().casefold() in _ON:
        return True
    return bool(_parse(value))


def _parse(value: object) -> float | None:
    """The finite number that a value is, as JSON or as text; None for anything else."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    text = value.strip()
    try:
        number = float(text if isinstance(value, Number) else text.replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) else None
