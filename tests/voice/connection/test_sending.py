"""What we send: numbers, nonces, pauses, threads, and who cannot be heard."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.voice.connection.sidecar import another_session, both_hear, channel_with, sidecar
from tests.voice.discord import Discord, permissions, until
from tests.voice.discord.running import in_loop
from tests.voice.talker import spoken
from voice_sidecar.connection.counters import Unsendable
from voice_sidecar.connection.outcomes import CannotJoin, Hushed, Refusal

VOICE = b"\xfc" + bytes(range(60))


@in_loop
async def test_pauses_are_in_the_timestamps_and_not_in_the_sequence() -> None:
    async with channel_with("Ada") as (emulator, channel, [ada]), sidecar(emulator) as it:
        line, _ = await it.join(channel)
        await until(lambda: line.ready, "there are keys")
        await it.say(line, [VOICE] * 3, pace=0.02)
        await asyncio.sleep(0.4)
        await it.say(line, [VOICE] * 2, pace=0.02)
        await until(lambda: len(ada.heard) == 5, "all is heard")
    ticks = [(two.timestamp - one.timestamp) & 0xFFFFFFFF for one, two in zip(ada.heard, ada.heard[1:], strict=False)]
    assert ticks[:2] == ticks[3:] * 2 == [960, 960]
    assert 15 * 960 < ticks[2] < 60 * 960
    assert emulator.violations == []  # the sequence is looked at there


@in_loop
async def test_from_several_threads_at_once() -> None:
    async with channel_with("Ada", absent=["Carol"]) as (emulator, channel, [ada, carol]), sidecar(emulator) as it:
        line, voice = await it.join(channel)
        await until(lambda: line.ready, "there are keys")
        await asyncio.to_thread(line.speaking, True)
        await until(lambda: voice.speaking_states[-1:] == [1], "that is told")

        def send() -> list[bool]:
            results = []
            for _ in range(100):
                results.append(line.send(VOICE))
                time.sleep(0.001)
            return results

        sending = [asyncio.create_task(asyncio.to_thread(send)) for _ in range(3)]
        speaking = asyncio.create_task(ada.speak(spoken(30), pace=0.001))
        await carol.join(channel)
        await speaking
        results = [sent for results in await asyncio.gather(*sending) for sent in results]
        await until(lambda: len(voice.sent) == results.count(True), "all has come")
        assert results.count(True) > 250
        assert it.counters.sent == len(voice.sent)
    assert emulator.violations == []


@in_loop
async def test_nothing_is_sent_once_it_is_over() -> None:
    async with channel_with("Ada") as (emulator, channel, _):
        async with sidecar(emulator) as it:
            line, _ = await it.join(channel)
            await until(lambda: line.ready, "there are keys")
            await line.close()
            await line.close()
            line.speaking(True)
            assert (line.send(VOICE), line.ready, line.connected) == (False, False, False)
            assert it.counters.unsendable == {Unsendable.NO_SESSION: 1}
        await asyncio.to_thread(line.speaking, False)
        assert emulator.violations == []


@in_loop
async def test_speaking_is_said_again_in_another_session() -> None:
    async with channel_with("Ada") as (emulator, channel, [ada]), sidecar(emulator) as it:
        line, voice = await it.join(channel)
        line.speaking(True)
        await until(lambda: ada.speakers.get(emulator.bot_id) == 1, "that is told")
        channel.guild.close_voice(4006)
        again = await another_session(channel, voice)
        assert again.speaking_states == [1]
        line.speaking(False)
        await until(lambda: ada.speakers.get(emulator.bot_id) == 0, "that is told")


@in_loop
async def test_muted_by_a_moderator() -> None:
    async with channel_with("Ada") as (emulator, channel, [ada]), sidecar(emulator) as it:
        guild = channel.guild
        line, _ = await it.join(channel)
        await both_hear(it, line, ada)
        guild.change_voice_state(emulator.bot_id, mute=True)
        await until(lambda: line.hushed is Hushed.MUTED, "that is known")
        assert (line.ready, line.send(VOICE)) == (False, False)
        guild.change_voice_state(emulator.bot_id, mute=False)
        await both_hear(it, line, ada, seed=20)
    assert emulator.violations == []


@in_loop
async def test_a_stage_where_we_may_make_ourselves_a_speaker() -> None:
    allowed = permissions.ALL_THAT_A_VOICE_BOT_NEEDS | permissions.MUTE_MEMBERS
    async with channel_with("Ada", stage=True, allowed=allowed) as (emulator, channel, [ada]):
        guild = channel.guild
        guild.change_voice_state(11, suppress=False)
        async with sidecar(emulator) as it:
            line, _ = await it.join(channel)
            await until(lambda: line.hushed is None and line.ready, "it is a speaker")
            await both_hear(it, line, ada)
            assert not ada.heard[-1].sealed
            # After another session, again; but not if a moderator sends us back.
            guild.close_voice(4006)
            await until(lambda: it.counters.sessions == 2, "there is another session")
            await both_hear(it, line, ada, seed=20)
            guild.change_voice_state(emulator.bot_id, suppress=True)
            await until(lambda: line.hushed is Hushed.AUDIENCE, "it is in the audience")
            await asyncio.sleep(0.1)
            assert line.hushed is Hushed.AUDIENCE
        assert emulator.violations == []


@in_loop
async def test_a_stage_where_we_have_to_ask() -> None:
    allowed = permissions.ALL_THAT_A_VOICE_BOT_NEEDS | 1 << 32  # Request to Speak
    async with (
        channel_with("Ada", stage=True, allowed=allowed) as (emulator, channel, [ada]),
        sidecar(emulator) as it,
    ):
        guild = channel.guild
        line, _ = await it.join(channel)
        await until(lambda: asks_to_speak(emulator), "it asks")
        assert (line.hushed, line.connected, line.send(VOICE)) == (Hushed.AUDIENCE, True, False)
        await ada.speak(spoken(5))
        await until(lambda: bool(it.sound(guild, 11)), "it hears all the same")
        guild.change_voice_state(emulator.bot_id, suppress=False)
        await both_hear(it, line, ada)


def asks_to_speak(emulator: Discord) -> bool:
    return any(
        isinstance(one.body, dict) and "request_to_speak_timestamp" in one.body for one in emulator.rest.requests
    )


@in_loop
async def test_a_stage_where_we_may_not_even_ask() -> None:
    allowed = permissions.ALL_THAT_A_VOICE_BOT_NEEDS & ~permissions.SPEAK
    async with channel_with(stage=True, allowed=allowed) as (emulator, channel, _), sidecar(emulator) as it:
        guild = channel.guild
        with pytest.raises(CannotJoin) as refused:
            await it.connections.join(guild.id, channel.id)
        assert (refused.value.reason, refused.value.missing) == (Refusal.NO_PERMISSION, ("request_to_speak",))
