"""What an import yields, and what a text must be like to become part of it. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import Final, Literal

import msgspec

from trainer.importers.rejections import Place, Rejection, RejectionReason

MAX_QUESTION: Final = 2_000
"""Characters of a question: what fits into one Discord message."""
MAX_ANSWER: Final = 4_000
MAX_PASSAGE: Final = 2_000
MAX_TITLE: Final = 300

BROKEN: Final = "\udcff"
"""Stands in decoded text for bytes that could not be decoded. A lone surrogate: no valid text has it."""

_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_FORBIDDEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_RAW_FACTOR = 4
"""A raw text this many times over its limit is refused before any work is spent on cleaning it."""


class Example(msgspec.Struct, frozen=True):
    """Something to learn: a question with its answer, or a passage of knowledge.

    `question` of a passage is its heading, or empty.
    """

    kind: Literal["pair", "passage"]
    question: str
    answer: str
    place: Place


Item = Example | Rejection


def clean(text: str) -> str:
    """Text as it is kept: Unicode normal form C, line feeds only, no control characters but tab, trimmed.

    Half surrogates, which JSON escapes can smuggle in and no encoder takes, go too.
    """
    text = _FORBIDDEN.sub("", _LINE_ENDS.sub("\n", text))
    return unicodedata.normalize("NFC", text).strip().strip("\ufeff").strip()


def is_blank(text: str) -> bool:
    """Whether nothing in `text` can be seen: only spaces, zero-width characters and the like."""
    return not any(char.isprintable() and not char.isspace() for char in text)


def make_pair(
    question: str, answer: str, place: Place, *, question_field: str = "question", answer_field: str = "answer"
) -> Item:
    """A pair from raw texts, or why they make none."""
    parts: list[str] = []
    for raw, field, limit in (
        (question, question_field, MAX_QUESTION),
        (answer, answer_field, MAX_ANSWER),
    ):
        if len(raw) > _RAW_FACTOR * limit and len(raw.strip()) > _RAW_FACTOR * limit:
            return Rejection(place, RejectionReason.TOO_LONG, field)
        text = clean(raw)
        if len(text) > limit:
            return Rejection(place, RejectionReason.TOO_LONG, field)
        parts.append("" if is_blank(text) else text)
    match parts:
        case "", "":
            return Rejection(place, RejectionReason.EMPTY)
        case "", _:
            return Rejection(place, RejectionReason.MISSING_QUESTION, question_field)
        case _, "":
            return Rejection(place, RejectionReason.MISSING_ANSWER, answer_field)
    return Example(kind="pair", question=parts[0], answer=parts[1], place=place)
