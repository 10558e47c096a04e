"""What becomes of a webhook event that Discord POSTs to us. Sans-I/O: knows no web framework, no store and no clock.

`receive` verifies and decides; the caller applies the change before it sends the response, and if it cannot, it
answers 503: Discord repeats an event for ten minutes, and wants an answer within three seconds. Events come in any
order and more than once, so a change carries the moment at which its event happened. What is much older than that may
be somebody's who saw it once: it changes nothing.

Source: https://discord.com/developers/docs/events/webhook-events
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import msgspec

from interactions.core import MAX_BODY, Response, genuine
from interactions.payloads import Snowflake

if TYPE_CHECKING:
    from nacl.signing import VerifyKey

AUTHORIZED: Final = "APPLICATION_AUTHORIZED"
DEAUTHORIZED: Final = "APPLICATION_DEAUTHORIZED"
PING: Final = 0
EVENT: Final = 1
OLDEST_S: Final = 3600.0
"""How old an event may be, and its signature: Discord gives up after ten minutes."""
FASTEST_S: Final = 300.0
"""How much faster than ours Discord's clock may be."""


class Installation(NamedTuple):
    """A person installed the bot, or removed it."""

    user_id: str
    at: float
    """When, in seconds since the epoch."""
    installed: bool


class Decision(NamedTuple):
    """The answer to Discord, and what to change before it is sent."""

    response: Response
    change: Installation | None = None
    ignored_age_s: float | None = None
    """For the log: how old an event was that changes nothing, since it is too old or of the future."""


class _User(msgspec.Struct, frozen=True):
    id: Snowflake


class _Data(msgspec.Struct, frozen=True):
    user: _User | None = None


class _Event(msgspec.Struct, frozen=True):
    type: str
    timestamp: datetime
    data: msgspec.Raw = msgspec.Raw(b"{}")


class _Body(msgspec.Struct, frozen=True):
    type: Annotated[int, msgspec.Meta(ge=PING, le=EVENT)]
    event: _Event | None = None


def receive(body: bytes, signature: str | None, timestamp: str | None, *, key: VerifyKey, now: float) -> Decision:
    """Decide about one request at a moment, in seconds since the epoch; other arguments as for `core.receive`.

    No input leads to an exception.
    """
    if len(body) > MAX_BODY:
        return _refuse(413, f"The body is larger than {MAX_BODY} bytes.")
    if not genuine(body, signature, timestamp, key):
        return _refuse(401, "The request signature is missing or wrong.")
    try:
        received = msgspec.json.decode(body, type=_Body)
        if received.type == PING:
            return Decision(_NOTHING)
        if received.event is None:
            return _refuse(400, "The event is missing.")
        change = _change(received.event)
        ages = (now - float(timestamp or ""), now - _at(received.event))
    except (msgspec.DecodeError, ValueError, OverflowError, RecursionError):
        return _refuse(400, "The event is malformed.")
    wrong = [age for age in ages if not -FASTEST_S <= age <= OLDEST_S]
    return Decision(_NOTHING, ignored_age_s=wrong[0]) if wrong else Decision(_NOTHING, change)


def not_now() -> Response:
    """What to answer when the change could not be made."""
    return _refuse(503, "The event could not be taken in just now.").response


def _change(event: _Event) -> Installation | None:
    """What an event changes; kinds that we make nothing of change nothing."""
    if event.type not in {AUTHORIZED, DEAUTHORIZED}:
        return None
    user = msgspec.json.decode(event.data, type=_Data).user
    if user is None:
        raise ValueError
    return Installation(user.id, _at(event), event.type == AUTHORIZED)


def _at(event: _Event) -> float:
    """When it happened, in seconds since the epoch."""
    at = event.timestamp if event.timestamp.tzinfo is not None else event.timestamp.replace(tzinfo=UTC)
    return at.timestamp()


def _refuse(status: int, sentence: str) -> Decision:
    return Decision(Response(status, msgspec.json.encode({"error": sentence})))


_NOTHING: Final = Response(204, b"")
