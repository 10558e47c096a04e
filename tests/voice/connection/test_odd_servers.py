"""Voice servers and gateways that say too little, or what we do not understand."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from tests.voice.connection.sidecar import QUICK, another_session, both_hear, channel_with, sidecar
from tests.voice.discord import Rules, until
from tests.voice.discord.running import in_loop
from voice_sidecar.connection.outcomes import CannotJoin, Lost, Refusal, Why
from voice_sidecar.connection.session import Session
from voice_sidecar.connection.udp import UdpSocket

if TYPE_CHECKING:
    from tests.voice.connection.sidecar import Sidecar
    from tests.voice.discord import VoiceChannel

SHORT = replace(QUICK, join=1.0)


async def fails_to_join(it: Sidecar, channel: VoiceChannel) -> None:
    with pytest.raises(CannotJoin) as refused:
        await it.connections.join(channel.guild.id, channel.id)
    assert refused.value.reason is Refusal.TIMEOUT
    assert channel.guild.bot_state is None


@in_loop
async def test_encryption_that_is_not_known_here() -> None:
    async with (
        channel_with(rules=Rules(modes=("xsalsa20_poly1305",))) as (emulator, channel, _),
        sidecar(emulator, patience=SHORT) as it,
    ):
        await fails_to_join(it, channel)
        assert it.counters.reconnects[Why.PROTOCOL] >= 2
        emulator.rules.modes = Rules().modes
        await it.join(channel)


@in_loop
async def test_a_server_whose_address_is_none() -> None:
    async with channel_with() as (emulator, channel, _), sidecar(emulator, patience=SHORT) as it:
        open_socket = UdpSocket.open
        with patch.object(UdpSocket, "open", lambda ip, *rest: open_socket("voice.example", *rest)):
            await fails_to_join(it, channel)
        assert it.counters.reconnects[Why.PROTOCOL] >= 2


@in_loop
async def test_a_way_that_is_closed_to_udp() -> None:
    async with channel_with() as (emulator, channel, _), sidecar(emulator, patience=SHORT) as it:
        with patch.object(Session, "PATIENCE", 0.2), patch.object(UdpSocket, "send", side_effect=OSError):
            await fails_to_join(it, channel)
        assert it.counters.reconnects[Why.NETWORK] >= 2


@in_loop
async def test_a_socket_that_cannot_be_opened() -> None:
    async with channel_with() as (emulator, channel, _), sidecar(emulator, patience=SHORT) as it:
        with patch.object(UdpSocket, "open", side_effect=OSError):
            await fails_to_join(it, channel)
        assert it.counters.reconnects[Why.NETWORK] >= 2


@in_loop
async def test_answers_to_discovery_that_get_lost() -> None:
    async with channel_with() as (emulator, channel, _), sidecar(emulator) as it:
        send, lost = UdpSocket.send, [b"", b""]

        def loses(udp: UdpSocket, datagram: bytes) -> None:
            if not lost or len(datagram) != 74:
                send(udp, datagram)
            else:
                lost.pop()

        with patch.object(UdpSocket, "_ASK_AGAIN", 0.05), patch.object(UdpSocket, "send", loses):
            await it.join(channel)
        assert lost == []
    assert len(channel.guild.voices) == 1


@in_loop
async def test_a_resume_that_is_not_answered() -> None:
    async with channel_with("Ada") as (emulator, channel, [ada]), sidecar(emulator) as it:
        line, voice = await it.join(channel)
        with patch.object(Session, "RESUME_PATIENCE", 0.2), patch.object(voice, "resume"):
            channel.guild.close_voice(4015)
            await another_session(channel, voice)
        await both_hear(it, line, ada)
        assert (it.counters.resumes, it.counters.reconnects) == (0, {Why.NETWORK: 1})


@in_loop
async def test_a_session_that_breaks_right_after_it_was_resumed() -> None:
    async with channel_with("Ada") as (emulator, channel, [ada]), sidecar(emulator) as it:
        line, voice = await it.join(channel)
        channel.guild.close_voice(4015)
        await until(lambda: it.counters.resumes == 1, "it is resumed")
        channel.guild.close_voice(4015)
        await another_session(channel, voice)
        await both_hear(it, line, ada)


@in_loop
async def test_a_close_that_nobody_explains() -> None:
    """Such as 4014 for no reason: the channel is left and joined again."""
    async with (
        channel_with("Ada") as (emulator, channel, [ada]),
        sidecar(emulator, patience=replace(QUICK, explain=0.1)) as it,
    ):
        line, voice = await it.join(channel)
        channel.guild.close_voice(4014)
        await another_session(channel, voice)
        await both_hear(it, line, ada)
        assert it.counters.reconnects == {Why.CLOSED: 1}
    assert it.lost == []


@in_loop
async def test_a_move_after_which_no_server_is_named() -> None:
    async with channel_with(absent=["Carol"]) as (emulator, one, [carol]):
        guild = one.guild
        two = guild.add_voice_channel("Two")
        await carol.join(two)
        async with sidecar(emulator, patience=replace(QUICK, explain=0.1)) as it:
            line, _ = await it.join(one)
            await asyncio.sleep(0.2)  # so that the server of joining is not taken for one that follows the move
            guild.place(emulator.bot_id, two)
            await guild.bot_in(two)
            await both_hear(it, line, carol)
            assert it.moved == [(guild.id, two.id)]


@in_loop
async def test_moved_and_thrown_out_at_once() -> None:
    async with channel_with() as (emulator, one, _):
        guild = one.guild
        two = guild.add_voice_channel("Two")
        async with sidecar(emulator, patience=replace(QUICK, explain=0.3)) as it:
            await it.join(one)
            await asyncio.sleep(0.4)
            guild.place(emulator.bot_id, two)
            await until(lambda: bool(it.moved), "that is known")
            guild.kick_bot()
            await until(lambda: it.lost == [(guild.id, Lost.KICKED)], "that is told", within=2)
