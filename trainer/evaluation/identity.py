"""What tells cases apart across runs: besides their ids, which files may give to other questions later. Pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from trainer.matching import normalise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainer.evaluation.cases import Exchange


class Identity(NamedTuple):
    """Which case it is."""

    id: str
    asked: str
    """See `asked`."""


def asked(question: str, former: Sequence[Exchange] = ()) -> str:
    """Names what is asked, and what was said before: the same for wordings that count as the very same question.

    16 hexadecimal digits.
    """
    said = (text for exchange in former for text in (exchange.question, exchange.answer))
    digest = hashlib.blake2b(digest_size=8)
    for text in (question, *said):
        digest.update(normalise(text).encode("utf-8", "replace") + b"\0")
    return digest.hexdigest()
