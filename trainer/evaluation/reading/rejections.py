"""Why a part of a file makes no test case. Fixed words and places only, never content. Pure."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import msgspec

from trainer.importers.rejections import Place, RejectionReason

if TYPE_CHECKING:
    from trainer.importers.records import Broken


class CaseRejectionReason(enum.StrEnum):
    """Why one line, row or record was left out. Words that `RejectionReason` has too mean the same."""

    NOT_JSON = "not_json"
    NOT_YAML = "not_yaml"
    """It is not valid YAML; what follows in the file is not read."""
    NOT_AN_OBJECT = "not_an_object"
    UNKNOWN_SHAPE = "unknown_shape"
    MISSING_QUESTION = "missing_question"
    MISSING_ANSWER = "missing_answer"
    """Nothing says what makes an answer right."""
    EMPTY = "empty"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_ROLE = "unknown_role"
    TOO_LONG = "too_long"
    TOO_DEEP = "too_deep"
    TOO_MANY = "too_many"
    """More values, checks, tags or turns than a case may have; without a field, more cases than a file may have: the
    rest was left out."""
    ROW_WIDTH = "row_width"
    UNCLOSED_QUOTE = "unclosed_quote"
    BAD_ENCODING = "bad_encoding"
    TRUNCATED = "truncated"
    UNKNOWN_MATCH = "unknown_match"
    """There is no way of comparing of this name."""
    UNSUPPORTED_ASSERTION = "unsupported_assertion"
    """Another tool knows this assertion, and nothing here can score it."""
    BAD_THRESHOLD = "bad_threshold"
    """Not a number from 0 to 1."""
    BAD_NUMBER = "bad_number"
    """Not a number that can stand there."""
    BAD_REGEX = "bad_regex"
    """No regular expression of RE2's syntax, or too long a one."""
    BAD_CHOICE = "bad_choice"
    """The right choice is none of those given."""


class CaseRejection(msgspec.Struct, frozen=True):
    """One thing that was left out.

    `field` names the field or column at fault, of the known names only; `assert.javascript` is the assertion of that
    type.
    """

    place: Place
    reason: CaseRejectionReason
    field: str = ""


class BadCase(Exception):
    """The record makes no case, for this reason and because of this field."""

    def __init__(self, reason: CaseRejectionReason, field: str = "") -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.field = field


_SYNTAX = (RejectionReason.NOT_JSON, RejectionReason.TRUNCATED)


def rejection_of(broken: Broken) -> CaseRejection:
    """The rejection of what could not be decoded; broken syntax is told by its line where the file has lines."""
    place = broken.place
    if broken.reason in _SYNTAX and (broken.line > 1 or (broken.line == 1 and place.number == 1)):
        place = Place("line", broken.line)
    return CaseRejection(place, CaseRejectionReason(broken.reason.value))
