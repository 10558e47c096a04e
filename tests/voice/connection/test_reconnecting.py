"""Losing a voice connection and finding it again: the line stays the same, and both sides hear each other."""

from __future__ import annotations

import asyncio
from unittest.mock import patch

import pytest

from tests.voice.connection.sidecar import QUICK, another_session, both_hear, channel_with, sidecar
from tests.voice.discord import Rules, VoiceChannel, permissions, until
from tests.voice.discord.running import in_loop
from voice_sidecar.connection.door import GuildDoor
from voice_sidecar.connection.keeper import Keeper
from voice_sidecar.connection.outcomes import Lost, Why
from voice_sidecar.connection.patience import Patience
from voice_sidecar.connection.session import Session
from voice_sidecar.connection.udp import UdpSocket

RESUMED = (1006, 4015)
JOINED_AGAIN = (1000, 1001, 4006, 4009)


@pytest.mark.parametrize("code", RESUMED)
@in_loop
async def test_a_broken_websocket_is_resumed(code: int) -> None:
    async with channel_with("Ada") as (emulator, channel, [ada]), sidecar(emulator) as it:
        line, voice = await it.join(channel)
        await both_hear(it, line, ada)
        channel.guild.close_voice(code)
        await until(lambda: voice.resumed == 1 and line.connected, "it is resumed")
        await both_hear(it, line, ada, seed=9)
        assert channel.guild.voices == [voice]
        assert (it.counters.resumes, it.counters.sessions) == (1, 1)
        # Not only once: the group goes on, too.
        carol = channel.guild.add_human(12, "Carol")
        await carol.join(channel)
        await both_hear(it, line, carol)
    assert emulator.violations == []


@in_loop
async def test_what_was_missed_meanwhile_is_caught_up_with() -> None:
    async with channel_with("Ada", absent=["Carol"]) as (emulator, channel, [_, carol]), sidecar(emulator) as it:
        line, voice = await it.join(channel)
        channel.guild.close_voice(4015)
        await carol.join(channel, wait=False)
        await until(lambda: voice.resumed == 1, "it is resumed")
        await both_hear(it, line, carol)
    assert emulator.violations == []


@pytest.mark.parametrize("code", JOINED_AGAIN)
@in_loop
async def test_a_session_that_is_gone_is_followed_by_another(code: int) -> None:
    async with (
        channel_with("Ada", rules=Rules(resumable=0.0 if code == 1001 else 10.0)) as (emulator, channel, [ada]),
        sidecar(emulator) as it,
    ):
        line, voice = await it.join(channel)
        channel.guild.close_voice(code)
        assert await another_session(channel, voice, within=2) is not voice
        await both_hear(it, line, ada)
        assert it.connections.line(channel.guild.id) is line
    assert it.lost == []
    assert not [one for one in emulator.violations if "resume" not in one]


@in_loop
async def test_a_voice_server_that_falls_silent_is_left() -> None:
    async with (
        channel_with("Ada", rules=Rules(voice_heartbeat=0.1)) as (emulator, channel, [ada]),
        sidecar(emulator) as it,
    ):
        line, voice = await it.join(channel)
        tell = voice.tell
        with patch.object(voice, "tell", lambda op, data: None if op == 6 else tell(op, data)):
            await until(lambda: voice.resumed == 1, "it is resumed")
        await both_hear(it, line, ada)
    assert emulator.violations == []


@pytest.mark.parametrize("awaited", [False, True])
@in_loop
async def test_another_voice_server(awaited: bool) -> None:
    async with channel_with("Ada") as (emulator, channel, [ada]), sidecar(emulator) as it:
        guild = channel.guild
        line, voice = await it.join(channel)
        guild.change_voice_server(awaited=awaited)
        if awaited:
            await until(lambda: not line.connected, "the old one is left")
            assert not line.send(b"\xfc" * 40)
            await asyncio.sleep(0.1)
            guild.change_voice_server()
        await until(lambda: guild.voice is not voice and line.connected, "there is another")
        await guild.bot_in(channel)
        await both_hear(it, line, ada)
        assert it.counters.reconnects == {Why.SERVER_CHANGED: 1}
    assert emulator.violations == []


@in_loop
async def test_the_gateway_breaks_and_voice_goes_on() -> None:
    async with channel_with("Ada") as (emulator, channel, [ada]), sidecar(emulator) as it:
        line, voice = await it.join(channel)
        emulator.drop_gateway(1006)
        await until(lambda: emulator.gateway.sessions[0].resumed == 1, "the gateway is resumed")
        emulator.gateway.ask_to_reconnect()
        await until(lambda: emulator.gateway.sessions[0].resumed == 2, "the gateway is resumed")
        await both_hear(it, line, ada)
        assert channel.guild.voices == [voice]
        await until(lambda: it.client.shard_is_up(channel.guild.id), "that is known")
        await it.connections.leave(channel.guild.id)
        assert channel.guild.bot_state is None
    assert emulator.violations == []


@in_loop
async def test_a_lost_gateway_session_is_followed_by_joining_again() -> None:
    async with channel_with("Ada") as (emulator, channel, [ada]), sidecar(emulator) as it:
        line, voice = await it.join(channel)
        emulator.drop_gateway(1006, resumable=False)
        await another_session(channel, voice)
        await both_hear(it, line, ada)
        assert it.connections.line(channel.guild.id) is line
        assert len(emulator.gateway.sessions) == 2
    assert it.lost == []
    assert emulator.violations == []


@in_loop
async def test_an_outage_of_the_server() -> None:
    async with channel_with("Ada") as (emulator, channel, [ada]), sidecar(emulator) as it:
        guild = channel.guild
        line, voice = await it.join(channel)
        guild.fail()
        guild.close_voice(4006)
        await until(lambda: not line.connected, "the session is over")
        guild.recover()
        await another_session(channel, voice)
        await both_hear(it, line, ada)
    assert it.lost == []


@in_loop
async def test_falling_out_of_the_channel_is_not_being_kicked() -> None:
    """The voice connection breaks, and Discord takes us out before we could come back."""
    async with channel_with("Ada") as (emulator, channel, [ada]), sidecar(emulator) as it:
        guild = channel.guild
        line, voice = await it.join(channel)
        guild.close_voice(4006)
        guild.place(emulator.bot_id, None)
        await another_session(channel, voice)
        await both_hear(it, line, ada)
    assert it.lost == []


@in_loop
async def test_what_the_gateway_catches_up_on_is_not_being_kicked() -> None:
    async with channel_with("Ada") as (emulator, channel, [ada]), sidecar(emulator) as it:
        guild = channel.guild
        line, voice = await it.join(channel)
        emulator.drop_gateway(1006)
        guild.kick_bot()
        await another_session(channel, voice)
        await both_hear(it, line, ada)
    assert it.lost == []


@in_loop
async def test_giving_up() -> None:
    patience = Patience(answer=0.1, leave=0.1, give_up=0.5, first_pause=0.05, longest_pause=0.1)
    async with channel_with() as (emulator, channel, _), sidecar(emulator, patience=patience) as it:
        guild = channel.guild
        await it.join(channel)
        channel.deny(permissions.CONNECT)
        guild.close_voice(4006)
        await until(lambda: it.lost == [(guild.id, Lost.GAVE_UP)], "it gives up")
        assert it.connections.line(guild.id) is None
        assert it.counters.lost == {Lost.GAVE_UP: 1}
        assert it.counters.reconnects[Why.NO_ANSWER] >= 2
        channel.deny(0)
        door = GuildDoor(it.client, guild.id)
        await until(lambda: (place := door.place(channel.id)) is not None and place.connect, "that is known")
        await it.join(channel)


@in_loop
async def test_a_connection_that_never_lasts_is_given_up() -> None:
    patience = Patience(give_up=1.0, first_pause=0.05, longest_pause=0.2)
    async with channel_with() as (emulator, channel, _), sidecar(emulator, patience=patience) as it:
        guild = channel.guild
        await it.join(channel)
        stop = asyncio.create_task(close_each(channel))
        await until(lambda: bool(it.lost), "it gives up")
        stop.cancel()
        assert it.lost == [(guild.id, Lost.GAVE_UP)]
        await until(lambda: guild.bot_state is None, "it has left")
        assert len(guild.voices) > 2


async def close_each(channel: VoiceChannel) -> None:
    """Closes every voice session as soon as it stands."""
    guild = channel.guild
    while True:
        if guild.voice is not None and guild.voice.transport is not None and not guild.voice.over:
            guild.close_voice(4009)
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("code", [4017, 4021])
@in_loop
async def test_a_server_that_does_not_want_us(code: int) -> None:
    async with channel_with() as (emulator, channel, _), sidecar(emulator) as it:
        guild = channel.guild
        await it.join(channel)
        guild.close_voice(code)
        await until(lambda: it.lost == [(guild.id, Lost.REFUSED)], "it is over")
        await until(lambda: guild.bot_state is None, "it has left")


@in_loop
async def test_an_error_of_our_own_does_not_end_the_connection() -> None:
    async with channel_with("Ada") as (emulator, channel, [ada]), sidecar(emulator) as it:
        line, voice = await it.join(channel)
        step, faults = Session._step, [RuntimeError("of ours")]

        async def fails_once(session: Session) -> None:
            await step(session)
            if faults:
                raise faults.pop()

        with patch.object(Session, "_step", fails_once):
            for speaking in (1, 0):
                voice.tell(5, {"user_id": "11", "ssrc": ada.ssrc, "speaking": speaking})
            await another_session(channel, voice)
            await both_hear(it, line, ada)
        assert it.counters.reconnects == {Why.FAULT: 1}


@in_loop
async def test_a_group_that_never_forms_is_given_another_session() -> None:
    patience = Patience(group=0.2, first_pause=0.05, leave=1.0)
    with patch.object(Keeper, "WATCH", 0.05):
        async with (
            channel_with(absent=["Ada"]) as (emulator, channel, [ada]),
            sidecar(emulator, patience=patience) as it,
        ):
            line, voice = await it.join(channel)
            with patch.object(voice, "tell_binary", lambda op, payload: None):
                await ada.join(channel, wait=False)
                await another_session(channel, voice)
            await both_hear(it, line, ada)
            assert it.counters.reconnects == {Why.NO_GROUP: 1}


@in_loop
async def test_a_network_that_is_gone_is_followed_by_another_socket() -> None:
    with patch.object(Keeper, "WATCH", 0.05), patch.object(UdpSocket, "KEEPALIVE", 0.05):
        async with channel_with("Ada") as (emulator, channel, [ada]), sidecar(emulator) as it:
            line, voice = await it.join(channel)
            session = it.connections._calls[channel.guild.id].keeper._session
            assert session is not None
            with patch.object(session._udp, "send", side_effect=OSError):
                await another_session(channel, voice)
            await both_hear(it, line, ada)
            assert it.counters.reconnects == {Why.NETWORK: 1}
    assert emulator.violations == []


@in_loop
async def test_used_up_nonces_are_followed_by_another_key() -> None:
    with patch.object(Keeper, "WATCH", 0.05):
        async with channel_with("Ada") as (emulator, channel, [ada]), sidecar(emulator) as it:
            line, voice = await it.join(channel)
            await until(lambda: line.ready, "there are keys")
            line._media.sender._sealer._next = 2**32  # type: ignore[union-attr]
            assert await it.say(line, [b"\xfc" * 40]) == [False]
            await another_session(channel, voice)
            await both_hear(it, line, ada)
            assert it.counters.reconnects == {Why.NONCES: 1}
    assert emulator.violations == []


assert QUICK.lasting > 5, "so that no test's connection counts as one that holds"
