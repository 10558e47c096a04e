"""What the HTTP side asks of the voice sidecar, as it goes through `TRAINGER_VOICE_QUEUE`. Pure.

One JSON object a job: `{"v": 1, "order": {"kind": "join", ...}}`. The queue delivers at least once, in no particular
order and perhaps late, so every order says how long it is of use, and doing one twice must change nothing:

- who is answered, for `Join` and `Leave`, is settled by a claim (`trainer.voice_calls`);
- `Consent` and `SettingsChanged` only say that something changed: what holds now is in the store;
- `Say` is said once for its id.

`id` is the interaction's, ids are Discord's, as text, and moments are seconds since the epoch.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from trainer.struct_types import ready

VERSION: Final = 1
REPLIED_S: Final = 60.0
"""How long a `Join` or a `Leave` is of use: by then, somebody else has answered it long ago."""
SAID_S: Final = 30.0
"""How long a `Say`: whoever asked does not wait for it any longer."""
TOLD_S: Final = 3600.0
"""How long a `Consent` or a `SettingsChanged`: whoever joins later reads the store."""
SAID_MOST: Final = 8_000
"""Characters of what one `Say` has said."""

Id = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,20}\Z")]
Token = Annotated[str, msgspec.Meta(min_length=1, max_length=1024, pattern=r"^[\w.~-]+\Z")]
Locale = Annotated[str, msgspec.Meta(max_length=35)]


_NONCHARACTERS: Final = ((b"\xef\xbf\xbe", b"\\ufffe"), (b"\xef\xbf\xbf", b"\\uffff"))
"""Characters that SQS does not take. In JSON they can only stand inside a text, where an escape means the same."""


class BadOrder(Exception):
    """Not an order that this version understands. The message never repeats anything of it."""


class _Order(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What all orders have."""

    guild_id: Id
    expires: float
    """An order is dropped from this moment on."""


class _Asked(_Order, frozen=True, kw_only=True):
    """A command whose reply whoever claims it (`trainer.voice_calls.claim`) edits by the interaction's token."""

    id: Id
    application_id: Id
    token: Token
    user_id: Id
    channel_id: Id
    """Of the channel where it was typed."""
    locale: Locale
    """The person's."""
    at: float


class Join(_Asked, frozen=True, kw_only=True, tag="join"):
    """Somebody wants the bot in the voice channel where they are. Their consent is in the store already."""


class Leave(_Asked, frozen=True, kw_only=True, tag="leave"):
    """Somebody wants the bot to leave."""


class Consent(_Order, frozen=True, kw_only=True, tag="consent"):
    """Somebody agreed to be heard, or does no longer. The store is changed already."""

    user_id: Id
    agreed: bool
    at: float


class Say(_Order, frozen=True, kw_only=True, tag="say"):
    """Say an answer in the channel where this person is, if we are there, too."""

    id: Id
    user_id: Id
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=SAID_MOST)]
    """As it is shown in Discord: whoever says it makes it speakable."""
    language: Annotated[str, msgspec.Meta(max_length=35)]
    """A language tag; empty: it is found by the text's letters."""
    at: float


class SettingsChanged(_Order, frozen=True, kw_only=True, tag="settings"):
    """The server's settings were changed: read them again."""


Order = Join | Leave | Consent | Say | SettingsChanged


class _Envelope(msgspec.Struct, frozen=True):
    v: int
    order: Order


class _Version(msgspec.Struct, frozen=True):
    v: int


def encode(order: Order) -> bytes:
    """The body of the order's job."""
    body = msgspec.json.encode(_Envelope(VERSION, order))
    for raw, escaped in _NONCHARACTERS:
        body = body.replace(raw, escaped)
    return body


def decode(body: bytes) -> Order:
    """The order of a job's body. Raises `BadOrder` for another version, an unknown kind, and what is malformed."""
    ready(_Version)
    ready(_Envelope)
    try:
        if msgspec.json.decode(body, type=_Version).v != VERSION:
            raise BadOrder("an order of another version")
        return msgspec.json.decode(body, type=_Envelope).order
    except (msgspec.DecodeError, ValueError):
        raise BadOrder("not an order") from None


def expired(order: Order, now: float) -> bool:
    """Whether it is too late for an order."""
    return now >= order.expires


def shard_of(guild_id: str, shards: int) -> int:
    """Which shard has a server.

    Source: https://discord.com/developers/docs/events/gateway#sharding-sharding-formula
    """
    return (int(guild_id) >> 22) % shards
