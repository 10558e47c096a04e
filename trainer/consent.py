"""What a person allows the bot in one scope: by switches that /privacy shows, and for one message at a time.

Switches are changed only by conditional writes. Somebody's wish to teach another person's message is a record of its
own, which says who asks whom about which message and until when, and nothing of the message. Only such a wish can be
decided about, and only once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from trainer import records
from trainer.datasets import consent_key, request_key
from trainer.snowflakes import moment_of
from trainer.swapping import change_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.ports import ObjectStore
    from trainer.scope import Scope

REQUEST_DAYS: Final = 30
"""How long an author may take to decide about a message."""

Learning = Literal["ask", "always", "never"]
"""What happens when somebody uses "Train on this" on a message of this person."""


class Preferences(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person's switches."""

    remember_conversations: bool = True
    """Follow-up questions may build on what was said before."""
    train_on_my_messages: Learning = "ask"
    voice: bool = False
    """Whether the bot may listen to this person in a voice channel."""
    voice_by: str = "0"
    """The interaction by which they decided that last: one that is done late, or again, changes nothing."""
    voice_at: float = 0.0
    """When that was, in seconds since the epoch."""


Answer = Literal["allow", "always", "decline", "never"]
"""What an author may say, for this message or for all of theirs."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody asked whether a message may be learned from."""

    author: str
    """Whose message it is, who alone may decide."""
    requester: str
    message_id: str
    until: float
    """Seconds since the epoch."""
    v: int = 1


class Consent(msgspec.Struct, frozen=True):
    """What an author decided about one request."""

    answer: Answer
    author: str
    requester: str
    v: int = 1


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
    _, after = change_record(store, preferences_key(scope, user_id), Preferences, Preferences(), change)
    return after


def choose_voice(store: ObjectStore, scope: Scope, user_id: str, interaction_id: str, *, on: bool) -> Preferences:
    """Agree to be heard in voice channels, or no longer; the switches in force then.

    A choice that is done again, or late, changes nothing that was chosen after it.
    """

    def choose(before: Preferences) -> Preferences:
        if int(interaction_id) <= int(before.voice_by):
            return before
        at = moment_of(interaction_id) or 0.0
        return msgspec.structs.replace(before, voice=on, voice_by=interaction_id, voice_at=at)

    return change_preferences(store, scope, user_id, choose)


def unchoose_voice(store: ObjectStore, scope: Scope, user_id: str, interaction_id: str) -> Preferences:
    """Take back what this interaction agreed to, unless something was chosen since; the switches in force then."""

    def take_back(before: Preferences) -> Preferences:
        return msgspec.structs.replace(before, voice=False) if before.voice_by == interaction_id else before

    return change_preferences(store, scope, user_id, take_back)


def ask(store: ObjectStore, scope: Scope, request_id: str, request: Request) -> Request:
    """Note that an author is asked; `request_id` is the interaction's. A second delivery finds the first one's."""
    return records.save_once(store, request_key(scope, request.author, request_id), request)


def requested(store: ObjectStore, scope: Scope, author: str, request_id: str) -> Request | None:
    """What an author was asked; None if nobody did, or if whoever did asked to be forgotten since."""
    from trainer.privacy import NOBODY  # noqa: PLC0415 - acknowledging does without

    request = records.load(store, request_key(scope, author, request_id), Request)
    return None if request is None or request.requester == NOBODY else request


def decide(store: ObjectStore, scope: Scope, request_id: str, request: Request, answer: Answer) -> Consent:
    """What the author decided: of several answers the first one stands."""
    decision = Consent(answer, request.author, request.requester)
    return records.save_once(store, consent_key(scope, request.author, request_id), decision)
