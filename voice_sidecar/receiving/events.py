"""What the voice gateway says that matters for hearing: typed, from its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec

_U16 = Annotated[int, msgspec.Meta(ge=0, le=2**16 - 1)]
_U32 = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
_Byte = Annotated[int, msgspec.Meta(ge=0, le=255)]


class MalformedEvent(ValueError):
    """An event that lacks what it must have; the message quotes none of it."""


class SessionDescribed(msgspec.Struct, frozen=True):
    """Op 4: the session's cipher and key. `dave_protocol_version` 0 means no end-to-end encryption."""

    mode: str
    secret_key: Annotated[list[_Byte], msgspec.Meta(min_length=32, max_length=32)]
    dave_protocol_version: _U16 = 0

    def __repr__(self) -> str:
        """Without the key."""
        return f"SessionDescribed({self.mode}, {self.dave_protocol_version})"


class Speaking(msgspec.Struct, frozen=True):
    """Op 5: whose stream a source is. Sent when somebody starts to speak, not to those who come later."""

    user_id: str
    ssrc: _U32


class SourcesAnnounced(msgspec.Struct, frozen=True):
    """Op 12 (undocumented): the sources of a member, also of one who was there before us. 0 is none."""

    user_id: str
    audio_ssrc: _U32 = 0


class MemberLeft(msgspec.Struct, frozen=True):
    """Op 13."""

    user_id: str


class TransitionPrepared(msgspec.Struct, frozen=True):
    """Op 21: to which protocol version a transition leads. Transition 0 is executed at once."""

    transition_id: _U16
    protocol_version: _U16


class TransitionExecuted(msgspec.Struct, frozen=True):
    """Op 22: from now on everybody sends as the transition says."""

    transition_id: _U16


class EpochPrepared(msgspec.Struct, frozen=True):
    """Op 24: epoch 1 is a new group."""

    epoch: int
    protocol_version: _U16


class KeysChanged(msgspec.Struct, frozen=True):
    """Ops 29 and 30, which are binary: fed once the group has taken the commit or the welcome."""

    transition_id: _U16


Event = (
    SessionDescribed
    | Speaking
    | SourcesAnnounced
    | MemberLeft
    | TransitionPrepared
    | TransitionExecuted
    | EpochPrepared
    | KeysChanged
)

_TYPES: Final[dict[int, type[Event]]] = {
    4: SessionDescribed,
    5: Speaking,
    12: SourcesAnnounced,
    13: MemberLeft,
    21: TransitionPrepared,
    22: TransitionExecuted,
    24: EpochPrepared,
    29: KeysChanged,
    30: KeysChanged,
}


def parse_event(op: int, data: object) -> Event | None:
    """Reads one voice gateway message.

    Args:
        op: Its opcode.
        data: Its `d`, decoded from JSON.

    Returns:
        The event, or None if the opcode does not concern hearing.

    Raises:
        MalformedEvent: If it lacks a field, or one is not what it must be.
    """
    kind = _TYPES.get(op)
    if kind is None:
        return None
    if not isinstance(data, Mapping):
        raise MalformedEvent(f"op {op} without an object")
    try:
        return msgspec.convert(dict(data), kind, strict=True)
    except (msgspec.ValidationError, TypeError):
        raise MalformedEvent(f"op {op} with unexpected fields") from None


def user_number(user_id: str) -> int:
    """A user id as a number.

    Raises:
        MalformedEvent: If it is none that Discord gives.
    """
    if not (user_id.isascii() and user_id.isdigit() and len(user_id) <= 20):  # noqa: PLR2004  # digits of 2**64
        raise MalformedEvent("not a user id")
    number = int(user_id)
    if not 0 < number < 2**64:
        raise MalformedEvent("not a user id")
    return number
