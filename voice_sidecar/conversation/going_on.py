"""Whether somebody goes on with what they said, although that was taken for finished. Pure.

People pause in the middle of a question, and some of these pauses end a turn. What they say soon after it is no new
question then: both are one, which is answered once. Not without end: what has been put together often enough, or has
been going on for as long as a turn may last, is answered as it is, and what is said after it has its own turn.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from voice_sidecar.conversation.deciding import QUESTION_MOST

WITHIN_S: Final = 1.5
"""Seconds after a turn was taken for finished in which the same person goes on with it."""
UNAWARE_S: Final = 0.7
"""Seconds of our answer in which who speaks has not taken notice of it. Who begins later answers what they heard."""
PARTS_MOST: Final = 4
LONGEST_S: Final = 60.0
"""Seconds from the first word in which parts may begin: as long as a turn in one go may be."""

Relation = Literal["new", "more", "too_much"]
"""Something else; more of the same; the same, but the answer is not to wait for it."""


class Course(NamedTuple):
    """Something that somebody said in one go, or in a few. Times in seconds."""

    began_at: float
    """When its first part began."""
    over_at: float
    """When its last part was taken for finished."""
    parts: int = 1
    answered_at: float | None = None
    """When the answer began to be heard; None: nothing of it was."""


def relation(said: Course, began_at: float) -> Relation:
    """What something that the same person began to say at a time is to what they said before."""
    aware = said.answered_at is not None and began_at - said.answered_at > UNAWARE_S
    if aware or began_at - said.over_at > WITHIN_S:
        return "new"
    if said.parts >= PARTS_MOST or began_at - said.began_at >= LONGEST_S:
        return "too_much"
    return "more"


def joined(first: str, then: str) -> str:
    """Both parts as one question. Recognisers end each as a sentence, which neither search nor models mind."""
    return " ".join(filter(None, (first, then)))[:QUESTION_MOST]
