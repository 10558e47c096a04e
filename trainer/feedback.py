"""What people think of answers: one vote a person and answer, which can be changed and taken back, and a comment.

A vote is a small mutable record, changed by compare-and-swap. It remembers which interaction changed it last, and ids
of interactions are ordered by time: a press that is delivered again, or late, changes nothing that came after it.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from trainer import records
from trainer.answers import load_answer
from trainer.datasets import answer_key, vote_key
from trainer.snowflakes import TIME_BITS
from trainer.swapping import change_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.answers import AnswerRecord
    from trainer.ports import ObjectStore
    from trainer.scope import Actor

COMMENT_MOST: Final = 1000
"""Characters of a comment."""
RECENT_MS: Final = 3_600_000
"""How old an answer may be to be meant by somebody who names none."""
RECENT_MOST: Final = 50
"""Answers of that time that are looked at, the latest first: on a busy server nobody's may be among them."""

Rating = Literal["up", "down"]


class Vote(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one person thinks of an answer."""

    answer_id: str
    user_id: str
    rating: Rating | None = None
    """None when it was taken back, or never given."""
    rated_by: str = "0"
    """The interaction that changed the rating last."""
    rated_at: float = 0
    """Seconds since the epoch."""
    comment: str = ""
    commented_by: str = "0"
    """The interaction that changed the comment last."""
    commented_at: float = 0
    """Seconds since the epoch."""
    link: str = ""
    """Where the answer can be seen; empty if that is not known."""
    private: bool = False
    """The answer was only for the person who asked."""
    v: int = 1


class Opinion(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody does to their vote."""

    rating: Rating | None = None
    toggle: bool = False
    """Giving the same rating again takes the vote back, with its comment."""
    comment: str = ""
    link: str = ""
    private: bool = False


class NoSuchAnswer(Exception):
    """There is no such answer here."""


def changed(vote: Vote, opinion: Opinion, interaction_id: str, now: float) -> Vote:
    """The vote after an interaction; the same if that interaction, or a later one, has changed it already. Pure."""
    mine = int(interaction_id)
    after = vote
    if opinion.rating is not None and mine > int(vote.rated_by):
        takes_back = opinion.toggle and vote.rating == opinion.rating
        rating = None if takes_back else opinion.rating
        after = msgspec.structs.replace(after, rating=rating, rated_by=interaction_id, rated_at=now)
        if takes_back and mine > int(vote.commented_by):
            after = msgspec.structs.replace(after, comment="", commented_by=interaction_id, commented_at=now)
    if opinion.comment and mine > int(vote.commented_by):
        comment = opinion.comment[:COMMENT_MOST]
        after = msgspec.structs.replace(after, comment=comment, commented_by=interaction_id, commented_at=now)
    if after is vote:
        return vote
    return msgspec.structs.replace(after, link=opinion.link or vote.link, private=opinion.private or vote.private)


def give(
    store: ObjectStore,
    actor: Actor,
    interaction_id: str,
    answer_id: str,
    opinion: Opinion,
    clock: Callable[[], float] = time.time,
) -> tuple[Vote, AnswerRecord]:
    """Change somebody's vote on an answer of this scope; the vote as it is now. Raises `NoSuchAnswer`."""
    answer = load_answer(store, actor.scope, answer_id)
    if answer is None or (answer.private and answer.author != actor.user_id):
        raise NoSuchAnswer
    if answer.private:
        # Nobody else could follow a link to it.
        opinion = msgspec.structs.replace(opinion, link="", private=True)
    key = vote_key(actor.scope, answer_id, actor.user_id)
    absent = Vote(answer_id=answer_id, user_id=actor.user_id)
    _, after = change_record(
        store, key, Vote, absent, lambda before: changed(before, opinion, interaction_id, clock())
    )
    return after, answer


def vote_of(store: ObjectStore, actor: Actor, answer_id: str) -> Vote | None:
    """Somebody's vote on an answer, or None."""
    return records.load(store, vote_key(actor.scope, answer_id, actor.user_id), Vote)


def last_answer(store: ObjectStore, actor: Actor, interaction_id: str) -> AnswerRecord | None:
    """The person's own latest answer before an interaction, if it is recent."""
    since = max(0, int(interaction_id) - (RECENT_MS << TIME_BITS))
    prefix = answer_key(actor.scope, "").removesuffix(".json")
    keys: deque[str] = deque(maxlen=RECENT_MOST)
    for info in store.list(prefix, start_after=f"{prefix}{since}"):
        name = info.key.removeprefix(prefix).removesuffix(".json")
        if name.isdecimal() and since < int(name) < int(interaction_id):
            keys.append(name)
    for answer_id in reversed(keys):
        answer = load_answer(store, actor.scope, answer_id)
        if answer is not None and answer.author == actor.user_id:
            return answer
    return None
