"""Moving, being moved, being thrown out, leaving; several servers; and several sidecars."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from tests.voice.connection.sidecar import QUICK, both_hear, channel_with, sidecar
from tests.voice.discord import Discord, Rules, permissions, until
from tests.voice.discord.running import in_loop
from voice_sidecar.connection.outcomes import CannotJoin, Lost, Refusal
from voice_sidecar.connection.udp import UdpSocket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.voice.discord import Human, VoiceChannel

ORDERS = {"closed before the new server is known": True, "closed after": False}


@contextlib.asynccontextmanager
async def two_channels(
    *, closed_first: bool = True, stage: bool = False
) -> AsyncIterator[tuple[Discord, VoiceChannel, VoiceChannel, Human, Human]]:
    """One with Ada in it, and another, or a stage, with Carol."""
    rules = Rules(close_before_server=closed_first)
    async with channel_with("Ada", absent=["Carol"], rules=rules) as (emulator, one, [ada, carol]):
        two = one.guild.add_voice_channel("Two", stage=stage)
        await carol.join(two)
        yield emulator, one, two, ada, carol


@pytest.mark.parametrize("order", ORDERS)
@in_loop
async def test_join_in_another_channel_moves(order: str) -> None:
    moving = two_channels(closed_first=ORDERS[order])
    async with moving as (emulator, one, two, ada, carol), sidecar(emulator) as it:
        guild = one.guild
        line, _ = await it.join(one)
        await both_hear(it, line, ada)
        again, voice = await it.join(two)
        assert (again, line.channel_id, voice.channel) == (line, two.id, two)
        await both_hear(it, line, carol)
        assert (it.moved, it.lost) == ([], [])
        assert it.connections.people(guild.id).keys() == {12}
    assert emulator.violations == []


@pytest.mark.parametrize("order", ORDERS)
@in_loop
async def test_a_moderator_moves_us(order: str) -> None:
    moving = two_channels(closed_first=ORDERS[order])
    async with moving as (emulator, one, two, ada, carol), sidecar(emulator) as it:
        guild = one.guild
        line, _ = await it.join(one)
        guild.move_bot(two)
        await guild.bot_in(two)
        await both_hear(it, line, carol)
        assert it.moved == [(guild.id, two.id)]
        assert (it.connections.line(guild.id), line.channel_id) == (line, two.id)
        guild.move_bot(one)
        await guild.bot_in(one)
        await both_hear(it, line, ada)
        assert it.moved == [(guild.id, two.id), (guild.id, one.id)]
    assert it.lost == []
    assert emulator.violations == []


@in_loop
async def test_joining_where_we_are_changes_nothing() -> None:
    async with channel_with() as (emulator, channel, _), sidecar(emulator) as it:
        line, voice = await it.join(channel)
        assert await it.join(channel) == (line, voice)
        both = await asyncio.gather(*(it.connections.join(channel.guild.id, channel.id) for _ in range(3)))
        assert set(both) == {line}
    assert len(channel.guild.voices) == 1


@in_loop
async def test_joins_at_the_same_time_end_in_the_last_channel() -> None:
    async with Discord() as emulator:
        guild = emulator.add_guild()
        channels = [guild.add_voice_channel(f"{number}") for number in range(3)]
        async with sidecar(emulator) as it:
            lines = await asyncio.gather(*(it.connections.join(guild.id, channel.id) for channel in channels))
            assert len(set(lines)) == 1
            assert (lines[0].channel_id, guild.bot_channel) == (channels[2].id, channels[2])
        assert emulator.violations == []


@in_loop
async def test_a_move_that_is_not_answered_leaves_us_where_we_are() -> None:
    async with channel_with("Ada") as (emulator, one, [ada]):
        guild = one.guild
        two = guild.add_voice_channel("Two")
        async with sidecar(emulator, patience=replace(QUICK, join=0.2)) as it:
            line, _ = await it.join(one)
            two.bot_denied = 1 << 20  # which the cache does not know
            with pytest.raises(CannotJoin) as refused:
                await it.connections.join(guild.id, two.id)
            assert refused.value.reason is Refusal.TIMEOUT
            assert line.channel_id == one.id
            await both_hear(it, line, ada)
            # Being moved there later is somebody else's doing.
            two.bot_denied = 0
            guild.move_bot(two)
            await until(lambda: it.moved == [(guild.id, two.id)], "that is told")


@in_loop
async def test_to_a_stage_and_back() -> None:
    """From encrypted to not, and to encrypted."""
    async with two_channels(stage=True) as (emulator, room, stage, ada, carol):
        room.guild.set_bot_permissions(permissions.ALL_THAT_A_VOICE_BOT_NEEDS | permissions.MUTE_MEMBERS)
        async with sidecar(emulator) as it:
            line, _ = await it.join(room)
            for seed in (1, 11):
                await it.join(stage)
                await both_hear(it, line, carol, seed=seed)
                await it.join(room)
                await both_hear(it, line, ada, seed=seed)
            assert [one.sealed for one in (carol.heard[-1], ada.heard[-1])] == [False, True]
        assert emulator.violations == []


@in_loop
async def test_being_kicked() -> None:
    async with channel_with("Ada") as (emulator, channel, [ada]), sidecar(emulator) as it:
        guild = channel.guild
        line, _ = await it.join(channel)
        guild.kick_bot()
        await until(lambda: it.lost == [(guild.id, Lost.KICKED)], "it is told", within=2)
        assert it.connections.line(guild.id) is None
        assert not line.connected
        assert not line.send(b"\xfc" * 40)
        await line.close()
        # Nothing of the old connection is in the way of a new one.
        again, _ = await it.join(channel)
        assert again is not line
        await both_hear(it, again, ada)
        assert len(guild.voices) == 2
    assert it.lost == [(guild.id, Lost.KICKED)]
    assert emulator.violations == []


@in_loop
async def test_the_channel_is_deleted() -> None:
    async with channel_with() as (emulator, channel, _):
        guild = channel.guild
        other = guild.add_voice_channel("Other")
        async with sidecar(emulator) as it:
            await it.join(channel)
            other.delete()
            channel.delete()
            await until(lambda: bool(it.lost), "it is told", within=2)
            assert it.lost == [(guild.id, Lost.CHANNEL_DELETED)]
        assert emulator.violations == []


@in_loop
async def test_being_removed_from_the_server() -> None:
    async with channel_with() as (emulator, channel, _), sidecar(emulator) as it:
        guild = channel.guild
        await it.join(channel)
        guild.delete()
        await until(lambda: bool(it.lost), "it is told", within=2)
        assert it.lost == [(guild.id, Lost.GUILD_REMOVED)]
        with pytest.raises(CannotJoin) as refused:
            await it.connections.join(guild.id, channel.id)
        assert refused.value.reason is Refusal.UNKNOWN_GUILD
    assert emulator.violations == []


@in_loop
async def test_leaving_and_coming_back_at_once() -> None:
    async with channel_with("Ada") as (emulator, channel, [ada]), sidecar(emulator) as it:
        guild = channel.guild
        for _ in range(3):
            line, _ = await it.join(channel)
            leaving = asyncio.create_task(it.connections.leave(guild.id))
            await asyncio.sleep(0)
            assert it.connections.line(guild.id) is None
            line, _ = await it.join(channel)
            await leaving
            assert it.connections.line(guild.id) is line
            await line.close()
            assert guild.bot_state is None
        line, _ = await it.join(channel)
        await both_hear(it, line, ada)
    assert (it.lost, guild.bot_state) == ([], None)
    assert emulator.violations == []


@in_loop
async def test_leaving_while_joining() -> None:
    async with channel_with() as (emulator, channel, _), sidecar(emulator) as it:
        with patch.object(UdpSocket, "discover", lambda *_: asyncio.Event().wait()):
            joining = asyncio.create_task(it.connections.join(channel.guild.id, channel.id))
            await until(lambda: channel.guild.voice is not None, "it is about to join")
        await it.connections.leave(channel.guild.id)
        with pytest.raises(CannotJoin) as refused:
            await joining
        assert refused.value.reason is Refusal.LEFT
        assert (channel.guild.bot_state, it.connections.lines, it.lost) == (None, [], [])
        await it.connections.leave(channel.guild.id)


@in_loop
async def test_two_servers_at_once() -> None:
    async with Discord() as emulator:
        guilds = [emulator.add_guild("One"), emulator.add_guild("Two")]
        people = [guild.add_human(11, "Ada") for guild in guilds]
        channels = [guild.add_voice_channel() for guild in guilds]
        for human, channel in zip(people, channels, strict=True):
            await human.join(channel)
        async with sidecar(emulator) as it:
            (one, _), (two, _) = await asyncio.gather(*(it.join(channel) for channel in channels))
            await asyncio.gather(both_hear(it, one, people[0]), both_hear(it, two, people[1], seed=20))
            assert set(it.connections.lines) == {one, two}
            guilds[0].kick_bot()
            await until(lambda: it.lost == [(guilds[0].id, Lost.KICKED)], "it is told")
            await both_hear(it, two, people[1])
            assert it.connections.lines == [two]
        assert emulator.violations == []


@in_loop
async def test_two_sidecars_side_by_side() -> None:
    async with Discord() as emulator:
        guilds = [emulator.add_guild(f"{shard}", shard=shard, shards=2) for shard in range(2)]
        people = [guild.add_human(11, "Ada") for guild in guilds]
        channels = [guild.add_voice_channel() for guild in guilds]
        for human, channel in zip(people, channels, strict=True):
            await human.join(channel)
        async with (
            sidecar(emulator, shard_ids=[0], shard_count=2) as first,
            sidecar(emulator, shard_ids=[1], shard_count=2) as second,
        ):
            (one, _), (two, _) = await asyncio.gather(first.join(channels[0]), second.join(channels[1]))
            await asyncio.gather(both_hear(first, one, people[0]), both_hear(second, two, people[1]))
            with pytest.raises(CannotJoin) as refused:
                await first.connections.join(guilds[1].id, channels[1].id)
            assert refused.value.reason is Refusal.UNKNOWN_GUILD
        assert sorted(session.shard for session in emulator.gateway.sessions) == [(0, 2), (1, 2)]
        assert emulator.violations == []


@in_loop
async def test_one_sidecar_with_all_shards_loses_one() -> None:
    async with Discord() as emulator:
        guilds = [emulator.add_guild(f"{shard}", shard=shard, shards=2) for shard in range(2)]
        channels = [guild.add_voice_channel() for guild in guilds]
        async with sidecar(emulator, shard_count=2) as it:
            (one, first), (two, second) = [await it.join(channel) for channel in channels]
            emulator.drop_gateway(1006, resumable=False, shard=1)
            await until(lambda: guilds[1].voice is not second, "the second is joined again")
            await guilds[1].bot_in(channels[1])
            assert guilds[0].voice is first
            assert one.connected
            await until(lambda: two.connected, "it stands")
        assert it.lost == []


@in_loop
async def test_after_a_crash_the_next_process_joins() -> None:
    """The place of the process before is still there, and Discord answers nothing to joining where one is."""
    async with channel_with("Ada") as (emulator, channel, [ada]), sidecar(emulator) as it:
        guild = channel.guild
        guild.place(emulator.bot_id, channel, session_id=emulator.gateway.sessions[0].id)
        await until(lambda: it.connections.channel_of(guild.id, emulator.bot_id) == channel.id, "that is known")
        line, _ = await it.join(channel)
        await both_hear(it, line, ada)
    assert emulator.violations == []
