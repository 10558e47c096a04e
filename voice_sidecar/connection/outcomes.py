"""What can become of a voice connection, in words that its users decide by."""

from __future__ import annotations

import traceback
from enum import StrEnum


class Refusal(StrEnum):
    """Why a channel cannot be joined."""

    UNKNOWN_GUILD = "unknown_guild"  # not a member of it, or another shard's
    UNKNOWN_CHANNEL = "unknown_channel"
    NOT_VOICE = "not_voice"
    NO_PERMISSION = "no_permission"
    FULL = "full"
    GATEWAY_DOWN = "gateway_down"
    TIMEOUT = "timeout"
    REFUSED = "refused"  # by the voice server, for good
    REMOVED = "removed"  # kicked, or the channel vanished, while joining
    LEFT = "left"  # somebody asked us to leave while joining


class CannotJoin(Exception):
    """A channel that was not joined.

    Attributes:
        reason: Why.
        missing: For `NO_PERMISSION`, the permissions that are not given, by Discord's names such as `view_channel`.
    """

    def __init__(self, reason: Refusal, missing: tuple[str, ...] = ()) -> None:
        super().__init__(f"{reason}: {', '.join(missing)}" if missing else reason.value)
        self.reason = reason
        self.missing = missing


class Lost(StrEnum):
    """Why a voice connection ended that nobody asked to end."""

    KICKED = "kicked"
    CHANNEL_DELETED = "channel_deleted"
    GUILD_REMOVED = "guild_removed"
    REFUSED = "refused"  # the voice server does not want us back: rate limited, or it asks for what we cannot do
    GAVE_UP = "gave_up"


class Hushed(StrEnum):
    """Why nobody would hear us although the connection stands."""

    AUDIENCE = "audience"  # of a stage; asked to speak, and waiting for a moderator
    MUTED = "muted"  # by a moderator


class Why(StrEnum):
    """What made a new voice session necessary."""

    CLOSED = "closed"  # by the voice server
    NETWORK = "network"  # no answer, no acknowledgement, a broken connection
    PROTOCOL = "protocol"  # the voice server said what cannot be understood
    SERVER_CHANGED = "server_changed"
    MOVED = "moved"
    REMOVED = "removed"  # out of the channel though nobody kicked us
    GATEWAY = "gateway"  # the gateway session is another one, or is down
    NO_ANSWER = "no_answer"  # the gateway did not say where the voice server is
    NO_GROUP = "no_group"  # end-to-end encryption did not come about
    NONCES = "nonces"  # the transport key has sealed all that it may
    FAULT = "fault"  # an error of our own


class Dropped(Exception):
    """A voice session that is over and needs another."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


class Stopped(Exception):
    """A voice connection that is over for good."""

    def __init__(self, lost: Lost) -> None:
        super().__init__(lost.value)
        self.lost = lost


def describe(error: BaseException) -> str:
    """An unexpected error for the log: its type and place, and not its message, which may quote what people said."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].name}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + place
