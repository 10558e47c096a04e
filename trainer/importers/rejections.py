"""Why something that was sent does not become an example. Fixed words and places only, never content. Pure."""

from __future__ import annotations

import enum
from typing import Literal

import msgspec


class Place(msgspec.Struct, frozen=True):
    """Where in what was sent something stands, in a form that every language can word.

    `line` counts lines of a text or JSON Lines file, `row` the rows of a table as a spreadsheet shows them (the
    header is row 1), `record` the elements of a JSON document, `page` the pages of a PDF, `block` the pairs or
    passages of a text that was typed. All count from 1.
    """

    unit: Literal["line", "row", "record", "page", "block"]
    number: int


class RejectionReason(enum.StrEnum):
    """Why one line, row, record or page was left out."""

    NOT_JSON = "not_json"
    """It is not valid JSON."""
    NOT_AN_OBJECT = "not_an_object"
    """It is JSON, but not an object: a number, a list, a string."""
    UNKNOWN_SHAPE = "unknown_shape"
    """An object without any of the known fields."""
    MISSING_QUESTION = "missing_question"
    MISSING_ANSWER = "missing_answer"
    EMPTY = "empty"
    """Neither a question nor an answer."""
    WRONG_TYPE = "wrong_type"
    """The field holds something other than text: an image, a tool call, true or false, a nested object."""
    UNKNOWN_ROLE = "unknown_role"
    """A message of a chat is from nobody known."""
    NEGATIVE_LABEL = "negative_label"
    """The row says of itself that its answer is a bad one."""
    TOO_LONG = "too_long"
    TOO_DEEP = "too_deep"
    """Nested more deeply than any data set is."""
    TOO_MANY = "too_many"
    """The file has more items or pages than are read; the rest was left out."""
    TOO_SLOW = "too_slow"
    """Reading took too long; this page and the ones after it were left out."""
    ROW_WIDTH = "row_width"
    """The row has more cells than the header."""
    UNCLOSED_QUOTE = "unclosed_quote"
    """A cell opens with a quotation mark that is never closed."""
    BAD_ENCODING = "bad_encoding"
    """Bytes that are not text in the file's encoding."""
    TRUNCATED = "truncated"
    """The file ends in the middle of this."""
    NO_TEXT_ON_PAGE = "no_text_on_page"
    """The page has no text, as a scanned one."""
    UNREADABLE_PAGE = "unreadable_page"
    """The page is damaged, or larger than is read."""


class Rejection(msgspec.Struct, frozen=True):
    """One thing that was left out. `field` names the field or column at fault, of the known names only."""

    place: Place
    reason: RejectionReason
    field: str = ""


class RefusalReason(enum.StrEnum):
    """Why a whole file is refused."""

    EMPTY = "empty"
    """There is nothing in it to learn."""
    BINARY = "binary"
    """It is not text."""
    UNSUPPORTED = "unsupported"
    """Of a known kind that is not read; the detail is the kind."""
    ENCRYPTED = "encrypted"
    """It needs a password."""
    DAMAGED = "damaged"
    TOO_LARGE = "too_large"
    NO_TEXT = "no_text"
    """A PDF of which no page has text."""
    NOT_TABULAR = "not_tabular"
    """A table without recognisable columns of questions and answers; the detail is the one missing, if one is not."""


class FileRefusal(Exception):
    """The whole file is refused.

    Attributes:
        reason: why.
        detail: a fixed word that says more, such as `xlsx` or `image`; never content.
    """

    def __init__(self, reason: RefusalReason, detail: str = "") -> None:
        super().__init__(f"the file is refused: {reason.value}" + (f" ({detail})" if detail else ""))
        self.reason = reason
        self.detail = detail
