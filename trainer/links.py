"""What a link to a file leads to, as the HTTP door sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager


class LinkedFile(NamedTuple):
    """A file that somebody may download."""

    disposition: str
    """The value of `Content-Disposition`."""
    size: int
    """Bytes."""
    open: Callable[[], AbstractContextManager[BinaryIO]]


class NoFile(Exception):
    """A link leads to no file.

    Attributes:
        reason: `invalid` it is none of ours, or was changed; `expired`; `gone` the file was deleted since.
    """

    def __init__(self, reason: Literal["invalid", "expired", "gone"]) -> None:
        super().__init__(f"the link is {reason}")
        self.reason: Literal["invalid", "expired", "gone"] = reason
