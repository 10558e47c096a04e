"""What to do when a voice session ends, and what it means to be out of the channel. Pure.

Close codes: https://discord.com/developers/docs/topics/opcodes-and-status-codes#voice, and what servers were seen to
send.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final, NamedTuple

from voice_sidecar.connection.outcomes import Lost

NOT_IN_CALL: Final = (4014, 4022)  # kicked, moved, channel deleted, gateway session dropped; call terminated
_FOR_GOOD: Final = (
    4012,  # unknown protocol
    4016,  # unknown encryption mode
    4017,  # end-to-end encryption required, which we offered
    4021,  # rate limited; the documentation says not to reconnect
)
_SESSION_GONE: Final = (
    1000,  # closed in order, but not by us
    4001,  # unknown opcode
    4002,  # failed to decode
    4003,  # not authenticated
    4004,  # authentication failed: credentials of another session
    4005,  # already authenticated
    4006,  # session no longer valid
    4009,  # session timed out
    4011,  # server not found
    4020,  # bad request
)


class Next(Enum):
    """What follows a close."""

    RESUME = auto()  # the session may still be there
    REJOIN = auto()  # it is not
    ASK_GATEWAY = auto()  # the gateway will tell in a moment: moved, removed, or another server
    STOP = auto()


def after_close(code: int | None) -> Next:
    """What to do about a close code; None if the connection broke without one."""
    if code in NOT_IN_CALL:
        return Next.ASK_GATEWAY
    if code in _FOR_GOOD:
        return Next.STOP
    if code in _SESSION_GONE:
        return Next.REJOIN
    return Next.RESUME  # 4015 (the server crashed), 1006 and its like


class Situation(NamedTuple):
    """What is known at the moment in which the gateway says that we are in no channel, which we did not ask for.

    Attributes:
        in_guild: We are a member of the guild.
        channel_exists: In as far as the cache can tell.
        gateway_steady: The gateway connection stands, and is not catching up on what it missed.
        voice_alive: The voice server answered our last heartbeats, or closed because we are out of the call.
    """

    in_guild: bool
    channel_exists: bool
    gateway_steady: bool
    voice_alive: bool


def why_removed(situation: Situation) -> Lost | None:
    """Whether somebody took us out of the channel. None if we fell out of it and may go back.

    Whoever kicks us does so while everything works; being dropped follows some trouble with a connection.
    """
    if not situation.in_guild:
        return Lost.GUILD_REMOVED
    if not situation.channel_exists:
        return Lost.CHANNEL_DELETED
    if situation.gateway_steady and situation.voice_alive:
        return Lost.KICKED
    return None
