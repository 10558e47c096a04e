"""How an answer is compared where a case names no way. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from trainer.evaluation.checks import default_check

if TYPE_CHECKING:
    from trainer.evaluation.cases import Check

_ZERO_BEFORE_DIGITS = re.compile(r"[+-]?0\d")
_DIGITS_OF_A_FLOAT = 15


def default_checks(expected: tuple[str, ...]) -> tuple[Check, ...]:
    """The checks for an answer of which only the right texts are known, any of which will do.

    By the shape of the texts, as `checks.default_check` measured it: nothing means that the bot must abstain, numbers
    are looked for as numbers, yes and no at the beginning, one to four words as words in the answer, and statements
    are compared by what they mean, as generated answers paraphrase. But codes are looked for as they are written:
    `007` is not 7, and of an identifier of twenty digits each one counts, which no floating-point number holds.
    """
    check = default_check(expected)
    if check.kind == "numeric" and any(map(_is_code, check.values)):
        check = msgspec.structs.replace(check, kind="contains")
    return (check,)


def _is_code(text: str) -> bool:
    return _ZERO_BEFORE_DIGITS.match(text) is not None or sum(map(str.isdigit, text)) > _DIGITS_OF_A_FLOAT
