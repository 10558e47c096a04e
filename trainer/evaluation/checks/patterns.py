"""The regex check, on RE2: its time grows with the text and never explodes, whatever the pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from trainer.evaluation.cases import EXPECTED_MOST
from trainer.evaluation.checks.compared import Compared, Unusable

if TYPE_CHECKING:
    from trainer.evaluation.cases import Check

MEMORY: Final = 1 << 20
"""Bytes that a compiled pattern may take, its automaton included; RE2 refuses larger ones. It keeps the last 128."""


def compiled(pattern: str) -> Any:  # noqa: ANN401 - the package has no types
    """A pattern of RE2's syntax, ready for `search`. Raises `Unusable` if it is none, or too large."""
    import re2  # noqa: PLC0415 - a library of C++ that only this kind needs

    if len(pattern) > EXPECTED_MOST:
        raise Unusable("the pattern is too long")
    options = re2.Options()
    options.max_mem = MEMORY
    options.log_errors = False  # it would write the pattern to the log
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError):
        raise Unusable("the pattern is not one of RE2's syntax, or is too large") from None


def regex(check: Check, answer: str) -> Compared:
    """1 if one of the patterns is found in the answer as it stands."""
    text = answer.encode(errors="replace").decode()
    patterns = [compiled(value) for value in check.values]
    return Compared(float(any(pattern.search(text) is not None for pattern in patterns)))
