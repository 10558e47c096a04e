"""Where people and channels are, from the cache of discord.py's client; and what it tells calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord

from voice_sidecar.calls.places import Spot
from voice_sidecar.connection.people import channel_of, people_in

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from voice_sidecar.calls.calls import Calls
    from voice_sidecar.calls.coming_back import ComingBack
    from voice_sidecar.parts import Person


class ClientCache:
    """Implements `voice_sidecar.calls.places.Places`.

    Args:
        client: with the intents GUILDS and GUILD_VOICE_STATES: of the members, it knows those in voice channels.
    """

    def __init__(self, client: discord.AutoShardedClient) -> None:
        self._client = client

    def mine(self, guild_id: int) -> bool:
        """Whether a server belongs to one of our shards.

        Source: https://discord.com/developers/docs/events/gateway#sharding-sharding-formula
        """
        ours, count = self._client.shard_ids, self._client.shard_count
        return ours is None or (guild_id >> 22) % (count or 1) in ours

    def known(self, guild_id: int) -> bool:
        """Whether the gateway has told of it, and it is not out of order."""
        return self._guild(guild_id) is not None

    def where(self, guild_id: int, user_id: int) -> int | None:
        """The voice channel that somebody is in."""
        guild = self._guild(guild_id)
        return None if guild is None else channel_of(guild, user_id)

    def spot(self, guild_id: int, channel_id: int) -> Spot | None:
        """A voice channel; None if there is none that we know of."""
        guild = self._guild(guild_id)
        channel = None if guild is None else guild.get_channel(channel_id)
        if guild is None or not isinstance(channel, discord.VoiceChannel | discord.StageChannel):
            return None
        away = guild.afk_channel
        return Spot(away=away is not None and away.id == channel.id)

    def people(self, guild_id: int, channel_id: int) -> Mapping[int, Person]:
        """Who is in a voice channel, by id, but for us; bots are marked. Who is not known counts as a person."""
        guild = self._guild(guild_id)
        return {} if guild is None else people_in(guild, channel_id)

    def may_write(self, guild_id: int, channel_id: int) -> bool:
        """Whether we may post messages in a channel's chat."""
        guild = self._guild(guild_id)
        channel = None if guild is None else guild.get_channel_or_thread(channel_id)
        if guild is None or channel is None:
            return False
        may = channel.permissions_for(guild.me)
        writes = may.send_messages_in_threads if isinstance(channel, discord.Thread) else may.send_messages
        return may.view_channel and writes

    def manages(self, guild_id: int, user_id: int) -> bool:
        """Whether somebody is known to manage the server. Who is in no voice channel may not be known."""
        guild = self._guild(guild_id)
        if guild is None:
            return False
        member = guild.get_member(user_id)
        return guild.owner_id == user_id or (member is not None and member.guild_permissions.manage_guild)

    def locale(self, guild_id: int) -> str:
        """The server's preferred locale."""
        guild = self._guild(guild_id)
        return "en-US" if guild is None else str(guild.preferred_locale)

    def bot_name(self, guild_id: int) -> str:
        """Our display name there."""
        guild = self._guild(guild_id)
        if guild is not None:
            return guild.me.display_name
        return "" if self._client.user is None else self._client.user.display_name

    def _guild(self, guild_id: int) -> discord.Guild | None:
        guild = self._client.get_guild(guild_id)
        return None if guild is None or guild.unavailable else guild


def attach(client: discord.AutoShardedClient, calls: Calls, coming_back: ComingBack) -> None:
    """Has the client tell which servers there are, after whatever it does about that itself.

    Who comes and goes, the connections tell.
    """

    async def on_guild_available(guild: discord.Guild) -> None:
        coming_back.guild_available(guild.id)

    async def on_guild_remove(guild: discord.Guild) -> None:
        calls.guild_removed(guild.id)

    for listener in (on_guild_available, on_guild_remove):
        _also(client, listener.__name__, listener)


def _also(client: discord.AutoShardedClient, name: str, listener: Callable[..., Awaitable[None]]) -> None:
    first: Callable[..., Awaitable[None]] | None = getattr(client, name, None)

    async def both(*args: object) -> None:
        if first is not None:
            await first(*args)
        await listener(*args)

    setattr(client, name, both)
