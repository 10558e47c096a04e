"""How one text became another, to be read by people. Pure."""

from __future__ import annotations

import difflib
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CONTEXT: Final = 1
"""Unchanged lines that are shown around a change."""
COMPARED_MOST: Final = 1_000
"""Lines of either text, once what both begin and end with is set aside, that are compared line by line. The time that
this takes can grow with the square of their number; beyond it, all of the old gives way to all of the new."""


def changes(before: str, after: str) -> list[str]:
    """The lines that went (`-`), came (`+`) and stayed (a space), in stretches that an `@@` line begins.

    The unified format without the lines that name the files. Empty where no line differs; a line break at the very
    end makes no difference.
    """
    old, new = before.splitlines(), after.splitlines()
    head = _common(old, new)
    tail = _common(reversed(old[head:]), reversed(new[head:]))
    if max(len(old), len(new)) - head - tail <= COMPARED_MOST:
        return list(islice(difflib.unified_diff(old, new, n=CONTEXT, lineterm=""), 2, None))
    gone, come = old[head : len(old) - tail], new[head : len(new) - tail]
    return [
        f"@@ -{_span(head, gone)} +{_span(head, come)} @@",
        *(f"-{line}" for line in gone),
        *(f"+{line}" for line in come),
    ]


def _common(one: Sequence[str] | Iterator[str], other: Sequence[str] | Iterator[str]) -> int:
    """How many lines both begin with."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def _span(head: int, lines: Sequence[str]) -> str:
    """Where lines stand, as the unified format writes it: the first one's number and how many they are."""
    first = head + 1 if lines else head
    return f"{first}" if len(lines) == 1 else f"{first},{len(lines)}"
