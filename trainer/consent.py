"""What a person allows the bot in one scope: switches that /privacy shows, changed only by conditional writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from trainer import records
from trainer.ports import ObjectNotFound, PreconditionFailed, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.ports import ObjectStore
    from trainer.scope import Scope

TRIES: Final = 10

Learning = Literal["ask", "always", "never"]
"""What happens when somebody uses "Train on this" on a message of this person."""


class Preferences(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person's switches."""

    remember_conversations: bool = True
    """Follow-up questions may build on what was said before."""
    train_on_my_messages: Learning = "ask"
    voice: bool = False
    """Whether the bot may listen to this person in a voice channel."""


def preferences_key(scope: Scope, user_id: str) -> str:
    """Where a person's switches lie."""
    return f"{scope.prefix}/preferences/{user_id}.json"


def preferences(store: ObjectStore, scope: Scope, user_id: str) -> Preferences:
    """A person's switches; the defaults where they changed none."""
    return records.load(store, preferences_key(scope, user_id), Preferences) or Preferences()


def change_preferences(
    store: ObjectStore, scope: Scope, user_id: str, change: Callable[[Preferences], Preferences]
) -> Preferences:
    """Change a person's switches; what they are now.

    `change` is called again with the newer ones when somebody else wrote in between. Raises `StoreUnavailable` when
    that happens again and again.
    """
    key = preferences_key(scope, user_id)
    for _ in range(TRIES):
        try:
            stored = store.get(key)
        except ObjectNotFound:
            before, etag = Preferences(), None
        else:
            before, etag = records.decode(stored.data, Preferences), stored.etag
        after = change(before)
        if after == before:
            return before
        try:
            data = msgspec.json.encode(after)
            store.put(key, data, if_absent=etag is None, if_match=etag, content_type=records.JSON_TYPE)
        except PreconditionFailed:
            continue
        return after
    raise StoreUnavailable("too many changes of the switches at once")
