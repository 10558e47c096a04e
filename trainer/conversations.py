"""A short memory of what a person asked in a channel, so that the next question can lean on it.

    g42/conversations/<channel>/<person>.json           the last turns that others could read
    g42/conversations/<channel>-private/<person>.json   those that only the person saw

Private questions may lean on both, public ones on the first alone. A turn carries its interaction's id, so a second
delivery adds nothing, and sees what the first one saw: only what was asked before. Forgetting is part of it: after
half an hour of silence nothing is used any more, and it is deleted some time later, when somebody asks something.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from trainer import records
from trainer.consent import preferences
from trainer.ports import StoreUnavailable
from trainer.swapping import change_record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trainer.ports import ObjectStore
    from trainer.scope import Scope

IDLE_S: Final = 30 * 60
TURNS_MOST: Final = 6
CHARACTERS_MOST: Final = 2_000
"""Of all questions and answers of a conversation together."""
QUESTION_MOST: Final = 400
ANSWER_MOST: Final = 600
TRIES: Final = 5
SWEEP_EVERY: Final = 16
"""One question in so many looks for old conversations of others."""
SWEEP_MOST: Final = 1_000
"""Conversations that are looked at then: one request to the store."""

log = logging.getLogger(__name__)


class Turn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A question and what was answered."""

    id: str
    """The interaction's."""
    question: str
    answer: str
    """Empty if there was none."""
    topic: str
    """What a follow-up leans on: this question, or the one that it leaned on itself."""
    at: float
    """Seconds since the epoch."""
    fresh: bool = False
    """The person wanted to begin anew here."""


class Place(NamedTuple):
    """Whose conversation, and where."""

    scope: Scope
    channel_id: str
    user_id: str
    private: bool
    """Whether only the person sees the answers."""


class _Conversation(msgspec.Struct, frozen=True):
    turns: list[Turn] = []
    v: int = 1


def former_turns(store: ObjectStore, place: Place, interaction_id: str, now: float) -> list[Turn]:
    """The turns before an interaction, oldest first; none if the person wants none remembered."""
    if not preferences(store, place.scope, place.user_id).remember_conversations:
        return []
    turns = _turns(store, _key(place, private=False))
    if place.private:
        turns += _turns(store, _key(place, private=True))
    return _of_now((turn for turn in turns if int(turn.id) < int(interaction_id)), now)


def remember(store: ObjectStore, place: Place, turn: Turn, now: float) -> None:
    """Add a turn, once. It is a courtesy: a store that fails is only logged."""
    try:
        if preferences(store, place.scope, place.user_id).remember_conversations:
            _add(store, _key(place, private=place.private), turn, now)
        if (int(turn.id) >> 22) % SWEEP_EVERY == 0:
            sweep(store, place.scope, now)
    except StoreUnavailable:
        log.warning("turn not remembered")


def sweep(store: ObjectStore, scope: Scope, now: float) -> int:
    """Delete conversations that nobody goes on with; returns how many."""
    old = []
    for number, info in enumerate(store.list(_prefix(scope))):
        if number == SWEEP_MOST:
            break
        if info.modified_at < now - IDLE_S:
            old.append(info.key)
    for key in old:
        store.delete(key)
    return len(old)


def forget(store: ObjectStore, scope: Scope, user_id: str) -> int:
    """Delete all conversations of a person in a scope; returns how many there were."""
    keys = [info.key for info in store.list(_prefix(scope)) if info.key.endswith(f"/{user_id}.json")]
    for key in keys:
        store.delete(key)
    return len(keys)


def _add(store: ObjectStore, key: str, turn: Turn, now: float) -> None:
    turn = msgspec.structs.replace(
        turn,
        question=turn.question[:QUESTION_MOST],
        answer=turn.answer[:ANSWER_MOST],
        topic=turn.topic[:QUESTION_MOST],
    )

    def add(before: _Conversation) -> _Conversation:
        if any(known.id == turn.id for known in before.turns):
            return before
        return _Conversation(_of_now([*before.turns, turn], now))

    change_record(store, key, _Conversation, _Conversation(), add, tries=TRIES)


def _of_now(turns: Iterable[Turn], now: float) -> list[Turn]:
    """What still belongs to the conversation: the last turns that are not too old, not too many and not too long."""
    ordered = sorted(turns, key=lambda turn: int(turn.id))
    begin = max((at for at, turn in enumerate(ordered) if turn.fresh), default=0)
    ordered = ordered[begin:][-TURNS_MOST:]
    if not ordered or max(turn.at for turn in ordered) < now - IDLE_S:
        return []
    while sum(len(turn.question) + len(turn.answer) for turn in ordered) > CHARACTERS_MOST:
        ordered = ordered[1:]
    return ordered


def _turns(store: ObjectStore, key: str) -> list[Turn]:
    conversation = records.load(store, key, _Conversation)
    return [] if conversation is None else list(conversation.turns)


def _prefix(scope: Scope) -> str:
    return f"{scope.prefix}/conversations/"


def _key(place: Place, *, private: bool) -> str:
    channel = f"{place.channel_id}-private" if private else place.channel_id
    return f"{_prefix(place.scope)}{channel}/{place.user_id}.json"
