"""The ids of cases: the same from run to run, and unique in a set. Pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from trainer.matching import normalise

if TYPE_CHECKING:
    from trainer.evaluation.cases import Exchange

ID_MOST: Final = 100
"""Characters of an id."""


def case_id(question: str, former: tuple[Exchange, ...] = ()) -> str:
    """The id of a case that has none of its own, by what is asked and what was said before: 12 hex digits.

    Questions that differ only in case, punctuation or spacing have the same one.
    """
    said = (text for exchange in former for text in (exchange.question, exchange.answer))
    parts = "\0".join(normalise(text) for text in (question, *said))
    return hashlib.blake2b(parts.encode(), digest_size=6).hexdigest()


def bounded(text: str) -> str:
    """A given id on one line and not too long; what is cut off is replaced by a hash of the whole."""
    text = " ".join(text.split())
    if len(text) <= ID_MOST:
        return text
    digest = hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
    return f"{text[: ID_MOST - len(digest) - 1]}-{digest}"


class Ids:
    """Ids already given in a set. The second case of an id gets `-2` behind it, the third `-3`."""

    def __init__(self) -> None:
        self._next: dict[str, int] = {}

    def unique(self, wanted: str) -> str:
        """The id itself, or with the first number behind it that is free."""
        number = self._next.get(wanted)
        if number is None:
            self._next[wanted] = 2
            return wanted
        while (suffixed := f"{wanted[: ID_MOST - len(str(number)) - 1]}-{number}") in self._next:
            number += 1
        self._next[wanted] = number + 1
        self._next[suffixed] = 2
        return suffixed
