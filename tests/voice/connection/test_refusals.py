"""Channels that cannot be joined: said before trying where the cache tells, and after a while where it does not."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from tests.voice.connection.sidecar import QUICK, channel_with, sidecar
from tests.voice.discord import Discord, permissions, until
from tests.voice.discord.running import in_loop
from voice_sidecar.connection.door import GuildDoor
from voice_sidecar.connection.outcomes import CannotJoin, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.voice.discord import VoiceChannel

MISSING = {
    "view_channel": permissions.VIEW_CHANNEL,
    "connect": permissions.CONNECT,
    "speak": permissions.SPEAK,
}


@pytest.mark.parametrize("name", MISSING)
@in_loop
async def test_permissions(name: str) -> None:
    async with channel_with() as (emulator, channel, _):
        channel.deny(MISSING[name])
        async with sidecar(emulator) as it:
            reason = await refusal_of(it.connections.join, channel.guild.id, channel.id)
            assert reason.reason is Refusal.NO_PERMISSION
            assert name in reason.missing
            assert name in str(reason)
            assert not channel.guild.voices
            assert not [message for message in emulator.gateway.received if message["op"] == 4]


@in_loop
async def test_channels_that_are_none() -> None:
    async with Discord() as emulator:
        guild = emulator.add_guild()
        text = guild.add_text_channel()
        async with sidecar(emulator) as it:
            join = it.connections.join
            assert (await refusal_of(join, guild.id, text.id)).reason is Refusal.NOT_VOICE
            assert (await refusal_of(join, guild.id, 5)).reason is Refusal.UNKNOWN_CHANNEL
            assert (await refusal_of(join, 5, text.id)).reason is Refusal.UNKNOWN_GUILD


@in_loop
async def test_a_full_channel() -> None:
    async with Discord() as emulator:
        guild = emulator.add_guild()
        channel = guild.add_voice_channel(user_limit=1)
        ada = guild.add_human(11, "Ada")
        await ada.join(channel)
        async with sidecar(emulator) as it:
            assert (await refusal_of(it.connections.join, guild.id, channel.id)).reason is Refusal.FULL
            guild.set_bot_permissions(permissions.ALL_THAT_A_VOICE_BOT_NEEDS | permissions.MOVE_MEMBERS)
            door = GuildDoor(it.client, guild.id)
            await until(lambda: (place := door.place(channel.id)) is not None and place.enters_full, "that is known")
            await it.join(channel)


@in_loop
async def test_what_the_cache_does_not_know() -> None:
    async with (
        channel_with() as (emulator, channel, _),
        sidecar(emulator, patience=replace(QUICK, answer=0.1, join=0.3)) as it,
    ):
        channel.bot_denied = permissions.CONNECT
        reason = await refusal_of(it.connections.join, channel.guild.id, channel.id)
        assert reason.reason is Refusal.TIMEOUT
        assert (it.connections.lines, it.lost) == ([], [])
        channel.bot_denied = 0
        await it.join(channel)


@in_loop
async def test_while_the_gateway_is_down() -> None:
    async with channel_with() as (emulator, channel, _):
        guild = channel.guild
        other = guild.add_voice_channel("Other")
        async with sidecar(emulator, patience=replace(QUICK, join=0.3)) as it:
            guild.fail()
            await until(lambda: GuildDoor(it.client, guild.id).guild is None, "that is known")
            reason = await refusal_of(it.connections.join, guild.id, channel.id)
            assert reason.reason is Refusal.GATEWAY_DOWN
            guild.recover()
            await until(lambda: GuildDoor(it.client, guild.id).usable, "it is back")
            line, _ = await it.join(channel)
            with patch("discord.Guild.change_voice_state", side_effect=ConnectionResetError):
                reason = await refusal_of(it.connections.join, guild.id, other.id)
            assert (reason.reason, line.channel_id, line.connected) == (Refusal.GATEWAY_DOWN, channel.id, True)


WAYS: dict[str, tuple[Callable[[VoiceChannel], None], Refusal]] = {
    "the channel is deleted": (lambda channel: channel.delete(), Refusal.UNKNOWN_CHANNEL),
    "the server is gone": (lambda channel: channel.guild.delete(), Refusal.UNKNOWN_GUILD),
    "the voice server refuses": (lambda channel: channel.guild.close_voice(4017), Refusal.REFUSED),
}


@pytest.mark.parametrize("way", WAYS)
@in_loop
async def test_what_happens_while_joining(way: str) -> None:
    happens, reason = WAYS[way]
    async with channel_with() as (emulator, channel, _), sidecar(emulator) as it:
        with patch("voice_sidecar.connection.udp.UdpSocket.discover", lambda *_: asyncio.Event().wait()):
            joining = asyncio.create_task(refusal_of(it.connections.join, channel.guild.id, channel.id))
            await until(lambda: channel.guild.voice is not None, "it is about to join")
            happens(channel)
            assert (await joining).reason is reason
        assert (it.connections.lines, it.lost) == ([], [])


async def refusal_of(join: object, *where: int) -> CannotJoin:
    with pytest.raises(CannotJoin) as refused:
        await join(*where)  # type: ignore[operator]
    return refused.value
