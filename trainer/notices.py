"""Outcomes that could not be shown when they came, kept for the person's next /ask to mention."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from trainer import records

if TYPE_CHECKING:
    from trainer.ports import ObjectStore
    from trainer.scope import Actor, Scope


class Notice(msgspec.Struct, frozen=True):
    """One outcome that its person has not seen."""

    id: str
    """The interaction's."""
    text: str
    private: bool = False
    """Only for this person's eyes: never mentioned where others read along."""
    v: int = 1


def leave(store: ObjectStore, scope: Scope, user_id: str, notice: Notice) -> None:
    """Keep a notice; leaving it twice changes nothing."""
    records.save_once(store, _key(scope, user_id, notice.id), notice)


def waiting(store: ObjectStore, actor: Actor, *, most: int = 3) -> list[Notice]:
    """The oldest notices of a person that wait in this scope."""
    found: list[Notice] = []
    for info in store.list(_prefix(actor.scope, actor.user_id)):
        notice = records.load(store, info.key, Notice)
        if notice is not None:
            found.append(notice)
        if len(found) == most:
            break
    return found


def seen(store: ObjectStore, actor: Actor, notice_ids: list[str]) -> None:
    """The person has seen these."""
    for notice_id in notice_ids:
        store.delete(_key(actor.scope, actor.user_id, notice_id))


def _prefix(scope: Scope, user_id: str) -> str:
    return f"{scope.prefix}/unseen/{user_id}/"


def _key(scope: Scope, user_id: str, notice_id: str) -> str:
    return f"{_prefix(scope, user_id)}{notice_id}.json"
