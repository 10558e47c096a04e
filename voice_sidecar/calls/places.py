"""Where people and channels are, as the gateway tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from voice_sidecar.parts import Person


class Spot(NamedTuple):
    """A voice channel that is there. Whether we may join it, and how, is for the connection to say."""

    away: bool = False
    """The server's channel for people who are away."""


class Places(Protocol):
    """The gateway's cache. Used in the event loop's thread."""

    def mine(self, guild_id: int) -> bool:
        """Whether a server belongs to one of our shards."""
        ...

    def known(self, guild_id: int) -> bool:
        """Whether the gateway has told of it, and it is not out of order."""
        ...

    def where(self, guild_id: int, user_id: int) -> int | None:
        """The voice channel that somebody is in."""
        ...

    def spot(self, guild_id: int, channel_id: int) -> Spot | None:
        """A voice channel; None if there is none that we know of."""
        ...

    def people(self, guild_id: int, channel_id: int) -> Mapping[int, Person]:
        """Who is in a voice channel, by id, but for us; bots are marked."""
        ...

    def may_write(self, guild_id: int, channel_id: int) -> bool:
        """Whether we may post messages in a channel's chat."""
        ...

    def locale(self, guild_id: int) -> str:
        """The server's preferred locale."""
        ...

    def bot_name(self, guild_id: int) -> str:
        """Our display name there."""
        ...
