"""Variables in the values of promptfoo's assertions: `{{name}}`, and nothing else of its template language. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from trainer.evaluation.reading.names import name_of
from trainer.evaluation.reading.rejections import BadCase, CaseRejectionReason

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLE = re.compile(r"\{\{-?\s*([\w.-]{1,100})\s*-?\}\}")
_LEFT: Final = ("{{", "{%")
_LONGEST: Final = 1 << 17
"""Characters of a filled text: many variables in it could each be long."""


def fill(text: str, vars_: Mapping[str, object], field: str) -> str:
    """The text with its variables filled in; what they hold is not filled again.

    Raises `BadCase` for a variable that is not there or holds no text, and for filters and blocks.
    """
    if not any(mark in text for mark in _LEFT):
        return text
    pieces: list[str] = []
    size = end = 0
    for found in _VARIABLE.finditer(text):
        value = vars_.get(name_of(found[1]))
        if not isinstance(value, str):
            raise BadCase(CaseRejectionReason.UNSUPPORTED_ASSERTION, f"{field}.template")
        pieces += (text[end : found.start()], value)
        end = found.end()
        size += len(value)
        if size > _LONGEST:
            raise BadCase(CaseRejectionReason.TOO_LONG, field)
    pieces.append(text[end:])
    if any(mark in piece for piece in pieces[::2] for mark in _LEFT):
        raise BadCase(CaseRejectionReason.UNSUPPORTED_ASSERTION, f"{field}.template")
    return "".join(pieces)
