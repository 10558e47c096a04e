"""Who is where, from the gateway's cache of voice states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voice_sidecar.parts import Person

if TYPE_CHECKING:
    from collections.abc import Iterator

    import discord

    from voice_sidecar.connection.door import VoiceChannel


def channels(guild: discord.Guild) -> Iterator[VoiceChannel]:
    """The channels in which people can be."""
    yield from guild.voice_channels
    yield from guild.stage_channels


def channel_of(guild: discord.Guild, user_id: int) -> int | None:
    """The channel that somebody is in."""
    return next((channel.id for channel in channels(guild) if user_id in channel.voice_states), None)


def people_in(guild: discord.Guild, channel_id: int) -> dict[int, Person]:
    """Everybody in a channel but ourselves. Whose name is not known has their id for one."""
    channel = next((channel for channel in channels(guild) if channel.id == channel_id), None)
    own_id = guild.me.id
    if channel is None:
        return {}
    return {
        user_id: _person(guild.get_member(user_id), user_id, state)
        for user_id, state in channel.voice_states.items()
        if user_id != own_id
    }


def _person(member: discord.Member | None, user_id: int, state: discord.VoiceState) -> Person:
    muted = state.mute or state.self_mute or state.suppress
    if member is None:
        return Person(user_id, str(user_id), muted=muted)
    return Person(user_id, member.display_name, bot=member.bot, muted=muted)
