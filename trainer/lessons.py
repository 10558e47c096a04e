"""What a correction teaches, in one line: what changed between the wrong answer and the right one. Pure.

It is made of people's own words and arrows, so it reads the same in every language.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LESSON_MOST: Final = 240
"""Characters of a lesson."""
_QUESTION_MOST: Final = 90
_PART_MOST: Final = 60
"""Characters of a text that a lesson repeats."""
_CHANGES_MOST: Final = 3
"""More changes than these are told as a whole new answer."""
_WORDS_MOST: Final = 400
"""Longer answers are not compared word by word: it takes time by their square."""
_ALIKE: Final = 0.5
"""From here on two answers are the same but for some words, by the ratio of words that they share."""


def lesson(question: str, wrong: str, right: str) -> str:
    """One line, such as `When does it start: Thursday → Friday`."""
    asked = _short(question, _QUESTION_MOST).rstrip("?？!. ")
    before, after = wrong.split(), right.split()
    if not before:
        told = f"→ {_short(right, 2 * _PART_MOST)}"
    else:
        changes = list(_changes(before, after))
        if not 0 < len(changes) <= _CHANGES_MOST:
            changes = [f"{_short(wrong, _PART_MOST)} → {_short(right, _PART_MOST)}"]
        told = "; ".join(changes)
    return _short(f"{asked}: {told}", LESSON_MOST)


def _changes(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    """The words that were replaced, if the two are otherwise alike."""
    if len(before) > _WORDS_MOST or len(after) > _WORDS_MOST:
        return
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return
    for kind, start, end, new_start, new_end in matcher.get_opcodes():
        if kind == "equal":
            continue
        old = _bare(" ".join(before[start:end]))
        new = _bare(" ".join(after[new_start:new_end]))
        if old or new:
            yield f"{_short(old, _PART_MOST) or '+'} → {_short(new, _PART_MOST) or '−'}"


def _bare(text: str) -> str:
    return re.sub(r"^\W+|[\s.,;:!?]+$", "", text)


def _short(text: str, most: int) -> str:
    """The beginning of a text, on one line, ending between words where it is cut."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    cut = line[: most - 1]
    head, space, _ = cut.rpartition(" ")
    return (head if space and len(head) > most // 2 else cut).rstrip() + "…"
