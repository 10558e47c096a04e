"""One JSON value from text, leniently where files of people are lenient, and safely. Pure.

Differences from strict JSON: NaN and the infinities, which data frames write for missing cells, are null; raw line
breaks may stand in strings; the last of equal keys wins. Numbers stay the text that they were, so that a number of a
million digits costs nothing and `3.10` remains what was written.
"""

from __future__ import annotations

import json
import re
from typing import Final

from trainer.importers.examples import BROKEN
from trainer.importers.rejections import RejectionReason

MAX_RECORD: Final = 1 << 19
"""Characters of one record; a chat of many turns fits."""
MAX_DEPTH: Final = 32
"""Levels of nesting of one record; the deepest known shape has 6."""

TOKEN: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"|["{}\[\]]', re.DOTALL)
"""A whole string, a quotation mark that nothing closes, or a bracket."""


class Undecodable(Exception):
    """The text is no usable JSON value.

    Attributes:
        reason: why.
        at: how many characters are good JSON, where that is the reason.
    """

    def __init__(self, reason: RejectionReason, at: int = 0) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.at = at


class Number(str):
    """A JSON number as it was written."""

    __slots__ = ()


def _null(_constant: str) -> None:
    return None


_DECODER = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=_null, strict=False)


def decode(text: str) -> object:
    """The value: dict, list, str, `Number`, bool or None. Raises `Undecodable`."""
    if BROKEN in text:
        raise Undecodable(RejectionReason.BAD_ENCODING)
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        raise Undecodable(RejectionReason.TOO_DEEP)
    try:
        value: object = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise Undecodable(RejectionReason.NOT_JSON, error.pos) from None
    return value


def _depth(text: str) -> int:
    deepest = depth = 0
    for token in TOKEN.finditer(text):
        match token[0]:
            case "{" | "[":
                depth += 1
                deepest = max(deepest, depth)
            case "}" | "]":
                depth -= 1
    return deepest
