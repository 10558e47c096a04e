"""What keeping a voice connection needs of the gateway: asking for a channel, and looking into its cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import discord

from voice_sidecar.connection import library
from voice_sidecar.connection.permission import Place

if TYPE_CHECKING:
    from voice_sidecar.connection.client import SidecarClient

VoiceChannel = discord.VoiceChannel | discord.StageChannel


class GatewayDown(Exception):
    """The gateway cannot be told anything at the moment."""


class Door(Protocol):
    """The gateway as one guild's voice connection sees it."""

    @property
    def usable(self) -> bool:
        """Whether the gateway connection stands and the guild is there."""
        ...

    @property
    def steady(self) -> bool:
        """Whether the gateway connection stands and is not catching up."""
        ...

    @property
    def in_guild(self) -> bool:
        """Whether we are a member, as far as known."""
        ...

    def channel_exists(self, channel_id: int) -> bool:
        """Whether there is such a channel, as far as known: True while the guild is not available."""
        ...

    def own_channel(self) -> int | None:
        """The channel that we are in by the cache of voice states."""
        ...

    async def ask_for(self, channel_id: int | None) -> None:
        """Asks to be in a channel, or in none.

        Raises:
            GatewayDown: If that cannot be said.
        """
        ...

    async def ask_to_speak(self, channel_id: int) -> None:
        """In a stage's audience: becomes a speaker, or raises a hand. Failing is not told."""
        ...


class GuildDoor:
    """`Door` by discord.py. A guild's objects are looked up each time: new gateway sessions replace them."""

    def __init__(self, client: SidecarClient, guild_id: int) -> None:
        self._client = client
        self._guild_id = guild_id

    @property
    def guild(self) -> discord.Guild | None:
        """The guild, if it is there and available."""
        guild = self._client.get_guild(self._guild_id)
        return None if guild is None or guild.unavailable else guild

    @property
    def usable(self) -> bool:
        """See `Door`."""
        return self.steady and self.guild is not None

    @property
    def steady(self) -> bool:
        """See `Door`."""
        return self._client.shard_is_up(self._guild_id)

    @property
    def in_guild(self) -> bool:
        """See `Door`."""
        return self._client.get_guild(self._guild_id) is not None

    def channel_exists(self, channel_id: int) -> bool:
        """See `Door`."""
        guild = self.guild
        return guild is None or guild.get_channel(channel_id) is not None

    def own_channel(self) -> int | None:
        """See `Door`."""
        guild = self.guild
        state = guild.me.voice if guild is not None and guild.me is not None else None
        return state.channel.id if state is not None and state.channel is not None else None

    async def ask_for(self, channel_id: int | None) -> None:
        """See `Door`."""
        guild = self.guild
        if guild is None or not self.steady:
            raise GatewayDown
        channel = None if channel_id is None else discord.Object(channel_id)
        try:
            await guild.change_voice_state(channel=channel)
        except Exception:  # noqa: BLE001  # a closed or replaced websocket shows itself in half a dozen ways
            raise GatewayDown from None

    async def ask_to_speak(self, channel_id: int) -> None:
        """See `Door`."""
        guild = self.guild
        channel = guild.get_channel(channel_id) if guild is not None else None
        if guild is None or not isinstance(channel, discord.StageChannel):
            return
        try:
            changes: dict[str, object] = {"channel_id": str(channel_id)}
            if channel.permissions_for(guild.me).mute_members:
                changes["suppress"] = False
            else:
                changes["request_to_speak_timestamp"] = discord.utils.utcnow().isoformat()
            await library.edit_own_voice_state(self._client, self._guild_id, changes)
        except discord.DiscordException:
            return

    def place(self, channel_id: int) -> Place | None:
        """The channel and what we may do in it, by the cache; None if there is no such channel."""
        guild = self.guild
        channel = guild.get_channel(channel_id) if guild is not None else None
        if guild is None or channel is None:
            return None
        if not isinstance(channel, VoiceChannel):
            return Place(voice=False)
        given = channel.permissions_for(guild.me)
        present = set(channel.voice_states)
        own_id = guild.me.id
        return Place(
            stage=isinstance(channel, discord.StageChannel),
            view=given.view_channel,
            connect=given.connect,
            speak=given.speak,
            request_to_speak=given.request_to_speak,
            moderates_stage=given.mute_members,
            enters_full=given.move_members,
            limit=channel.user_limit,
            present=len(present - {own_id}),
            inside=own_id in present,
        )
