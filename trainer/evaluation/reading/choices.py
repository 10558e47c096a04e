"""Questions with choices: how they are put, and which answer is right. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from trainer.evaluation.reading import names
from trainer.evaluation.reading.kinds import PATTERN_MOST, make_check
from trainer.evaluation.reading.rejections import BadCase, CaseRejectionReason
from trainer.evaluation.reading.texts import tidy
from trainer.matching import normalise

if TYPE_CHECKING:
    from trainer.evaluation.cases import Check

_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTER = re.compile(r"\(?([A-Za-z])[).]?")
_BOUND: Final = r"[^\pL\pN_]"
"""What stands before and after a word, in RE2's syntax."""


def choices_of(value: object, field: str) -> tuple[str, ...]:
    """The choices: a list of texts, or an object with one, as of ARC. Raises `BadCase`."""
    if isinstance(value, dict):
        value = names.named(value).get("text")
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise BadCase(CaseRejectionReason.WRONG_TYPE, field)
    if len(value) > len(_LETTERS):
        raise BadCase(CaseRejectionReason.TOO_MANY, field)
    texts = tuple(tidy(one, field, PATTERN_MOST) for one in value)
    if not all(texts):
        raise BadCase(CaseRejectionReason.EMPTY, field)
    return texts


def question_with(question: str, choices: tuple[str, ...]) -> str:
    """The question with its choices below, each with its letter."""
    lines = (f"{letter}) {text}" for letter, text in zip(_LETTERS, choices, strict=False))
    return "\n".join((question, "", *lines))


def chosen(expected: tuple[str, ...], choices: tuple[str, ...], field: str) -> tuple[str, ...]:
    """The texts of the right choices, which may be named by letter, by number from 0, or by their text.

    Raises `BadCase` for a letter or number without a choice. Any other text is expected as it stands.
    """
    by_text = {normalise(text): text for text in choices}
    found: list[str] = []
    for text in expected:
        letter = _LETTER.fullmatch(text)
        place = None
        if known := by_text.get(normalise(text)):
            found.append(known)
            continue
        if letter:
            place = _LETTERS.index(letter[1].upper())
        elif text.isdecimal() and len(text) <= len(str(len(_LETTERS))):
            place = int(text)
        if place is not None and place >= len(choices):
            raise BadCase(CaseRejectionReason.BAD_CHOICE, field)
        found.append(text if place is None else choices[place])
    return tuple(dict.fromkeys(found))


def checks_of(expected: tuple[str, ...], choices: tuple[str, ...]) -> tuple[Check, ...]:
    """The default check of choices: several must all be named; one by its text or by its letter.

    A letter alone counts, or with its bracket; a mere word `a` in the answer is none.
    """
    if len(expected) > 1:
        return (make_check("contains_all", expected, "target"),)
    if expected[0] not in choices:
        return (make_check("contains", expected, "target"),)
    letter = _LETTERS[choices.index(expected[0])]
    text = r"\s+".join(re.escape(word) for word in expected[0].split())
    start = rf"(?:^|{_BOUND})"
    return (make_check("regex", (rf"(?i)^\W*{letter}\W*$|{start}(?:{letter}\)|{text}(?:$|{_BOUND}))",), "target"),)
