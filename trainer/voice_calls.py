"""Who answers a `/join` or `/leave`, and in which voice channel of a server the bot is: small records in the store.

    g42/voice/claims/<interaction>.json        who edits the command's reply; whoever writes it first
    g42/voice/claims/<interaction>.done.json   the reply is there: a second delivery changes nothing
    g42/voice/call.json                        small and mutable: the voice channel where the bot is

The sidecar claims an order when it takes it, and answers. The worker that sent the order waits some seconds for
that, then claims it itself and says that nobody is there. A claim is never changed: a second delivery, on either
side, finds it and knows whether the reply is its own. It holds nobody's id. A sidecar that ended before it answered
leaves a claim that is not done: the next one goes on from there, or in the end a worker says what happened.

The call record tells where to go back to after a restart, and the HTTP side whether there is anybody to tell of a
change. So the sidecar writes it first, and reads who agreed to be heard after that: no change gets lost in between.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

import msgspec

from trainer import records
from trainer.ports import PreconditionFailed
from trainer.scope import Scope

if TYPE_CHECKING:
    from trainer.ports import ObjectStore

Side = Literal["sidecar", "worker"]


class Claim(msgspec.Struct, frozen=True):
    """Who answers a command."""

    by: Side
    at: float = 0.0
    """When, in seconds since the epoch."""
    v: int = 1


class Done(msgspec.Struct, frozen=True):
    """A command was answered."""

    by: Side = "sidecar"
    v: int = 1


class CallState(msgspec.Struct, frozen=True, kw_only=True):
    """Where the bot is in a server."""

    channel_id: str
    """The voice channel."""
    text_channel_id: str
    """Where it was asked to join."""
    joined_by: str
    """Who asked: their id, or "0" once they asked to be forgotten."""
    at: float
    """When it joined, in seconds since the epoch."""
    v: int = 1


def claim_key(guild_id: str, order_id: str) -> str:
    """Who answers a command."""
    return f"{Scope('guild', guild_id).prefix}/voice/claims/{order_id}.json"


def done_key(guild_id: str, order_id: str) -> str:
    """That a command was answered. Beside the claims, with which it goes."""
    return f"{Scope('guild', guild_id).prefix}/voice/claims/{order_id}.done.json"


def call_key(guild_id: str) -> str:
    """Where the bot is in a server."""
    return f"{Scope('guild', guild_id).prefix}/voice/call.json"


def claim(store: ObjectStore, guild_id: str, order_id: str, by: Side) -> Side:
    """Take the reply to a command on; whose it is. Of several sides the first one has it, and keeps it."""
    return records.save_once(store, claim_key(guild_id, order_id), Claim(by, time.time())).by


def claimed(store: ObjectStore, guild_id: str, order_id: str) -> Side | None:
    """Whose the reply to a command is; None while nobody took it on."""
    found = records.load(store, claim_key(guild_id, order_id), Claim)
    return None if found is None else found.by


def claimed_at(store: ObjectStore, guild_id: str, order_id: str) -> float:
    """When a command was taken on, in seconds since the epoch; 0 if nobody did."""
    found = records.load(store, claim_key(guild_id, order_id), Claim)
    return 0.0 if found is None else found.at


def do_once(store: ObjectStore, guild_id: str, order_id: str, by: Side = "sidecar") -> bool:
    """Note that an order is done, or that a worker says that it never will be; whether it was not before."""
    content = msgspec.json.encode(Done(by))
    try:
        store.put(done_key(guild_id, order_id), content, if_absent=True, content_type=records.JSON_TYPE)
    except PreconditionFailed:
        return False
    return True


def done_by(store: ObjectStore, guild_id: str, order_id: str) -> Side | None:
    """Who noted that an order is done; None while nobody did."""
    found = records.load(store, done_key(guild_id, order_id), Done)
    return None if found is None else found.by


def call_state(store: ObjectStore, guild_id: str) -> CallState | None:
    """Where the bot is in a server; None if it is in no voice channel."""
    return records.load(store, call_key(guild_id), CallState)


def save_call_state(store: ObjectStore, guild_id: str, state: CallState) -> None:
    """Remember where the bot is; what was there before no longer holds."""
    records.save(store, call_key(guild_id), state)


def clear_call_state(store: ObjectStore, guild_id: str) -> None:
    """The bot is in no voice channel of the server. Done again, it changes nothing."""
    store.delete(call_key(guild_id))
