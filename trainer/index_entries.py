"""What an index holds and what it finds."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import msgspec

from trainer.matching import CORRECTION_AT

CORRECTION_LEAD: Final = 0.08
"""How much more confident a taught pair must be than a correction of nearly the same question to come before it."""


class Entry(msgspec.Struct, frozen=True):
    """Something that was taught."""

    id: str
    """Unique and stable, such as `<interaction id>/<number>`."""
    kind: Literal["pair", "passage", "correction"]
    question: str
    """The question, or a passage's title."""
    answer: str
    """The answer, or a passage's text."""
    source: str
    """Opaque."""
    order: int
    """The interaction's snowflake: of two that say otherwise, the later wins."""


class Hit(msgspec.Struct, frozen=True):
    """An entry that may answer a query."""

    entry: Entry
    confidence: float
    """How sure one can be that it does, 0 to 1: see `trainer.matching`."""
    exact: bool
    """The query is the very question of this pair or correction."""


class Counts(NamedTuple):
    """How many entries there are."""

    pairs: int
    passages: int
    corrections: int


class Judged(NamedTuple):
    """A hit among others."""

    hit: Hit
    nearness: float
    """What hits are ordered by: their confidence, where wording decides between those of the same content."""


def rank(judged: Judged) -> tuple[bool, float, bool, int]:
    """What hits are sorted by, the greatest first."""
    hit = judged.hit
    correction = hit.entry.kind == "correction"
    lead = CORRECTION_LEAD if correction and hit.confidence >= CORRECTION_AT else 0.0
    return hit.exact, judged.nearness + lead, correction, hit.entry.order
