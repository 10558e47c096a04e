"""The columns with two underscores that promptfoo gives a meaning in tables. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trainer.evaluation.cases import QUESTION_MOST
from trainer.evaluation.reading import names
from trainer.evaluation.reading.assertions import check_of_text
from trainer.evaluation.reading.numbers import share_of
from trainer.evaluation.reading.texts import tidy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainer.evaluation.cases import Check

_METADATA = "__metadata:"
_THRESHOLD = re.compile(r"__config:_expected(?P<number>\d{0,3}):threshold")
"""`__config:__expected2:threshold`, as `names.name_of` gives it; without a number it is for all."""


def checks_of(fields: Mapping[str, object], vars_: Mapping[str, object]) -> list[Check]:
    """The checks of `__expected`, `__expected1` and so on, in the order of the columns. Raises `BadCase`."""
    thresholds = {
        found["number"]: share_of(value, name)
        for name, value in fields.items()
        if (found := _THRESHOLD.fullmatch(name)) and not names.is_absent(value)
    }
    checks = []
    for name, value in fields.items():
        if names.is_expected_column(name) and isinstance(value, str) and not names.is_absent(value):
            threshold = thresholds.get(name.removeprefix("__expected"), thresholds.get(""))
            checks.append(check_of_text(value, name, vars_, threshold=threshold))
    return checks


def surrounded(question: str, fields: Mapping[str, object]) -> str:
    """The question with the row's `__prefix` and `__suffix`. Raises `BadCase` where it becomes too long."""
    prefix, suffix = fields.get("__prefix"), fields.get("__suffix")
    if not isinstance(prefix, str) and not isinstance(suffix, str):
        return question
    before, after = (text if isinstance(text, str) else "" for text in (prefix, suffix))
    return tidy(f"{before}{question}{after}", "__prefix" if before else "__suffix", QUESTION_MOST)


def metadata_of(fields: Mapping[str, object]) -> dict[str, object]:
    """What the `__metadata:…` columns hold, by what comes after the colon."""
    return {
        name.removeprefix(_METADATA).removesuffix("[]").strip("_ "): value
        for name, value in fields.items()
        if name.startswith(_METADATA)
    }
