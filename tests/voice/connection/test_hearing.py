"""What is heard in a call: several people, accidents of the network, sources without a name, consent."""

from __future__ import annotations

import asyncio
from unittest.mock import patch

import pytest

from tests.voice.connection.sidecar import both_hear, channel_with, sidecar
from tests.voice.discord import AES, XCHACHA, Discord, Network, Rules, until
from tests.voice.discord.running import in_loop
from tests.voice.talker import decoded, same, spoken
from voice_sidecar.connection.client import SidecarClient
from voice_sidecar.connection.udp import UdpSocket
from voice_sidecar.receiving.counters import Dropped
from voice_sidecar.receiving.speaker import Sound
from voice_sidecar.receiving.transport import aes_is_available

ACCIDENTS = Network(duplicates=0.2, late=0.1, lateness=0.03, jitter=0.005)


@pytest.mark.parametrize("mode", [AES, XCHACHA])
@in_loop
async def test_several_speak_at_once_through_accidents(mode: str) -> None:
    if mode == AES and not aes_is_available():
        pytest.skip("this machine has no instructions for AES")
    async with Discord(Rules(modes=(mode,) if mode == XCHACHA else (XCHACHA, AES), network=ACCIDENTS)) as emulator:
        guild = emulator.add_guild()
        channel = guild.add_voice_channel()
        people = [guild.add_human(11 + number, f"{number}") for number in range(4)]
        await asyncio.gather(*(human.join(channel) for human in people))
        async with sidecar(emulator, consenting=(11, 12, 13)) as it:
            line, voice = await it.join(channel)
            assert voice.mode == mode
            said = {human.user_id: spoken(40, seed=human.user_id) for human in people}
            await asyncio.gather(*(human.speak(said[human.user_id]) for human in people))
            for user_id in (11, 12, 13):
                whole = decoded(said[user_id])
                await until(lambda: len(it.sound(guild, user_id)) >= len(whole), "all is heard")  # noqa: B023  # at once
                assert same(it.sound(guild, user_id)[: len(whole)], whole)
            assert it.sound(guild, 14) == b""
            counters = line.receiver.counters
            assert counters.dropped[Dropped.NO_CONSENT] >= 40
            assert counters.dropped[Dropped.DUPLICATE] + counters.dropped[Dropped.REPLAYED] > 0
            assert (counters.undecryptable, counters.lost) == ({}, 0)
        assert emulator.violations == []


@in_loop
async def test_what_is_lost_is_concealed() -> None:
    async with channel_with("Ada") as (emulator, channel, [ada]), sidecar(emulator) as it:
        line, _ = await it.join(channel)
        packets = spoken(12)
        await ada.speak(packets[:6], silence=0)
        ada.skip(2)
        await ada.speak(packets[8:])
        await until(lambda: line.receiver.counters.lost == 2, "two are missing")
        chunks = it.chunks[channel.guild.id]
        assert [chunk.sound for chunk in chunks[:12]].count(Sound.CONCEALED) == 2
    assert emulator.violations == []


@in_loop
async def test_a_pause_is_heard_as_silence_though_nothing_comes() -> None:
    """By the timer alone."""
    async with channel_with("Ada") as (emulator, channel, [ada]), sidecar(emulator) as it:
        await it.join(channel)
        await ada.speak(spoken(5), silence=0)
        chunks = it.chunks[channel.guild.id]
        await until(lambda: sum(chunk.sound is Sound.SILENCE for chunk in chunks) >= 15, "there is silence")


@in_loop
async def test_a_source_without_a_name_waits_for_it() -> None:
    async with channel_with("Ada", rules=Rules(speaking_on_join=False)) as (emulator, channel, [ada]):
        ada.announce(1)  # before we come
        async with sidecar(emulator) as it:
            line, _ = await it.join(channel)
            await ada.speak(spoken(10), announce=False, silence=0)
            await until(lambda: line.receiver.counters.held == 10, "they wait")
            assert it.sound(channel.guild, 11) == b""
            ada.announce(1)
            whole = decoded(spoken(10))
            await until(lambda: len(it.sound(channel.guild, 11)) >= len(whole), "all is heard")
            assert same(it.sound(channel.guild, 11), whole)


@in_loop
async def test_consent_taken_back_and_given() -> None:
    async with channel_with("Ada") as (emulator, channel, [ada]), sidecar(emulator) as it:
        guild = channel.guild
        line, _ = await it.join(channel)
        await ada.speak(spoken(5))
        await until(lambda: len(it.sound(guild, 11)) >= len(decoded(spoken(5))), "she is heard")
        it.consenting.clear()
        it.connections.forget(guild.id, 11)
        it.chunks.clear()
        await ada.speak(spoken(5))
        await until(lambda: line.receiver.counters.dropped[Dropped.NO_CONSENT] >= 5, "she is not")
        assert it.chunks[guild.id] == []
        it.consenting.add(11)
        it.connections.agreed(guild.id)
        await ada.speak(spoken(5))
        await until(lambda: len(it.sound(guild, 11)) >= len(decoded(spoken(5))), "she is heard")
        it.connections.forget(0, 11)
        it.connections.agreed(0)


@in_loop
async def test_whatever_comes_over_udp_and_the_websocket() -> None:
    async with channel_with("Ada") as (emulator, channel, [ada]), sidecar(emulator) as it:
        line, voice = await it.join(channel)
        for datagram in (b"", b"\x80", b"\x80\x78" + bytes(10), b"\x80\x78" * 100, bytes(74), bytes(1500)):
            voice.send_raw(datagram)
        voice.send_rtcp()
        for op, data in ((5, {}), (5, {"user_id": "x", "ssrc": -1}), (11, {"user_ids": [1]}), (13, {}), (99, {})):
            voice.tell(op, data)
        voice.tell(21, None)
        voice._send_buffered("no json")
        voice._send_buffered("[]")
        voice._send_buffered(b"\x00")
        await both_hear(it, line, ada)
        assert it.counters.malformed == 3
        assert it.counters.reconnects == {}
    assert channel.guild.voices == [voice]


@in_loop
async def test_a_listener_that_fails_does_not_end_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    async with channel_with("Ada") as (emulator, channel, [ada]), sidecar(emulator) as it:
        line, _ = await it.join(channel)
        heard, problems = it._heard, [ValueError("a word that was said")]

        def fails_once(*what: object) -> None:
            if problems:
                raise problems.pop()
            heard(*what)  # type: ignore[arg-type]

        with patch.object(
            it.connections._calls[channel.guild.id]._media, "_on_chunks", lambda c: fails_once(line, c)
        ):
            await ada.speak(spoken(10))
            await until(lambda: not problems, "it has failed")
            await both_hear(it, line, ada)
    assert "ValueError" in caplog.text
    assert "a word that was said" not in caplog.text


async def is_heard_after_silence(keepalive: float) -> bool:
    """With a server that stops sending to those who send nothing for half a second."""
    rules = Rules(deaf_after=0.5)
    with patch.object(UdpSocket, "KEEPALIVE", keepalive):
        async with channel_with("Ada", rules=rules) as (emulator, channel, [ada]), sidecar(emulator) as it:
            _, voice = await it.join(channel)
            await asyncio.sleep(0.8)
            await ada.speak(spoken(10))
            await asyncio.sleep(0.2)
            assert it.counters.keepalives == pytest.approx(len(voice.keepalives), abs=1)
            return len(it.sound(channel.guild, 11)) > 0


@in_loop
async def test_keepalives_keep_the_way_open() -> None:
    assert await is_heard_after_silence(0.1)


@in_loop
async def test_without_keepalives_we_go_deaf() -> None:
    """So the test above can fail."""
    assert not await is_heard_after_silence(60.0)


@in_loop
async def test_people_and_where_they_are() -> None:
    async with channel_with("Ada", absent=["Carol"]) as (emulator, channel, [ada, carol]):
        guild = channel.guild
        other = guild.add_voice_channel("Other")
        async with sidecar(emulator) as it:
            assert it.connections.people(guild.id) == {}
            await it.join(channel)
            who = it.connections
            assert {user: person.name for user, person in who.people(guild.id).items()} == {11: "Ada"}
            assert (who.channel_of(guild.id, 11), who.channel_of(guild.id, 12)) == (channel.id, None)
            assert who.channel_of(guild.id, emulator.bot_id) == channel.id
            assert who.channel_of(1, 11) is None
            it.people_changed.clear()
            await carol.join(other)
            await until(lambda: who.channel_of(guild.id, 12) == other.id, "that is known")
            assert it.people_changed == []
            await carol.move(channel)
            await until(lambda: it.people_changed == [guild.id], "that is told")
            ada.mute(by_self=True)
            await until(lambda: who.people(guild.id)[11].muted, "that is known")
            assert [person.muted for person in who.people(guild.id).values()] == [True, False]
            await carol.leave()
            await until(lambda: who.people(guild.id).keys() == {11}, "that is known")
            await until(lambda: it.people_changed == [guild.id] * 3, "that is told")
        assert isinstance(it.client, SidecarClient)
