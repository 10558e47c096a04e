"""What happens to a call, and the conversation that goes on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from tests.voice.discord import AES, XCHACHA, Rules, permissions, until
from tests.voice.discord.running import in_loop
from tests.voice.whole.listening import Listener, says
from tests.voice.whole.sounds import PACKETS_A_S, STORY, packets, tape
from tests.voice.whole.stage import LONG, NOON, WHEN, WHERE, Stage, slow_ears, stage
from trainer.speech.audio_pcm import RATE
from trainer.voice_calls import call_state
from voice_sidecar.connection.group import Answer, Group
from voice_sidecar.connection.keeper import Keeper

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

REQUEST_TO_SPEAK = 1 << 32
KINDS: Mapping[str, Mapping[str, Any]] = {
    "AES": {"modes": (AES,)},
    "XChaCha20": {"modes": (XCHACHA,)},
    "transition 0": {"first_transition_is_zero": True},
    "op 25 before op 4": {"early_external_sender": True},
    "op 25 twice": {"repeated_external_sender": True, "repeated_messages": True},
    "a corrupted welcome": {"corrupt_welcomes": 1},
}


@pytest.mark.parametrize("kind", KINDS)
@in_loop
async def test_however_the_call_is_made_people_understand_each_other(tmp_path: Path, kind: str) -> None:
    rules = Rules(**KINDS[kind])
    async with stage(tmp_path, rules) as it:
        voice = await it.begin()
        assert voice.mode in rules.modes
        await it.answers(it.ada)
        assert rules.corrupt_welcomes == 0
        assert (it.sidecar.connections.counters.recoveries > 0) == (kind == "a corrupted welcome")


@in_loop
async def test_a_welcome_that_is_not_asked_for_again_is_noticed(tmp_path: Path) -> None:
    """The wrong variant: nothing is done about a corrupted one, nor about a call without keys."""
    with (
        patch.object(Group, "_recover", lambda *_: Answer()),
        patch.object(Keeper, "WATCH", 1000.0),
    ):
        async with stage(tmp_path, Rules(corrupt_welcomes=1, patience=60)) as it:
            await it.ada.join(it.channel)
            await it.desk.join(it.ada)
            with pytest.raises(AssertionError, match="until the bot is in Voice"):
                await it.guild.bot_in(it.channel, within=3)


@in_loop
async def test_on_a_stage_it_becomes_a_speaker(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        it.guild.set_bot_permissions(permissions.ALL_THAT_A_VOICE_BOT_NEEDS | permissions.MUTE_MEMBERS)
        where = it.guild.add_voice_channel("Stage", stage=True)
        await it.begin(channel=where)
        await it.answers(it.ada)
        assert not any(one.sealed for one in it.ada.heard)  # stages have no end-to-end encryption


@in_loop
async def test_in_the_audience_of_a_stage_it_says_so_and_speaks_once_it_may(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        it.guild.set_bot_permissions(permissions.ALL_THAT_A_VOICE_BOT_NEEDS | REQUEST_TO_SPEAK)
        where = it.guild.add_voice_channel("Stage", stage=True)
        await it.ada.join(where)
        await it.desk.join(it.ada)
        await it.guild.bot_in(where)
        await says(it.ada, WHERE)
        await until(lambda: any("in the audience" in text for text in it.desk.texts(where)), "it says so", within=20)
        await it.silent()
        assert it.ada.heard == []
        it.guild.change_voice_state(it.emulator.bot_id, suppress=False)
        await it.ready(where)
        await it.answers(it.ada, WHEN, NOON)
        assert not any("cannot speak" in text for text in it.desk.texts(where))


@in_loop
async def test_thrown_out_it_stays_out_until_it_is_called(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.begin()
        listener = Listener(it.ada)
        await says(it.ada, LONG)
        await until(lambda: listener.count > PACKETS_A_S // 2, "it tells", within=20)
        it.guild.kick_bot()
        await until(lambda: len(it.sidecar.calls) == 0, "the call is over")
        await until(lambda: call_state(it.services.store, str(it.guild.id)) is None, "nothing is kept of it")
        await until(lambda: "I have left" in it.desk.texts(it.channel)[0], "the notice says so")
        assert it.guild.bot_channel is None
        await it.begin()
        await it.answers(it.ada, WHEN, NOON)


@in_loop
async def test_moved_by_a_moderator_it_talks_with_those_who_are_there(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        other = it.guild.add_voice_channel("Other")
        it.desk.agreed(it.bob)
        await it.bob.join(other)
        await it.begin()
        await it.answers(it.ada)
        it.guild.move_bot(other)
        await it.ready(other)
        await until(lambda: it.sidecar.calls.heard(it.guild.id, it.bob.user_id), "Bob is heard")
        await it.answers(it.bob, WHEN, NOON)
        assert f"<#{other.id}>" in it.desk.texts(it.channel)[0]
        assert it.desk.texts(other)[0].startswith("**I listen here")


@in_loop
async def test_another_voice_server_takes_over_while_it_tells(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        first = await it.begin()
        listener = Listener(it.ada)
        await says(it.ada, LONG)
        await until(lambda: listener.count > PACKETS_A_S // 2, "it tells", within=20)
        it.guild.change_voice_server()
        await until(lambda: it.guild.voice is not first, "it is there")
        await it.ready()
        await listener.hears_sound(tape(STORY)[-2 * RATE :], "the end of the story")
        await it.silent()
        await it.answers(it.ada, WHEN, NOON)
        assert it.reader.said.count(STORY) == 1


@pytest.mark.parametrize("resumable", [True, False])
@in_loop
async def test_without_the_gateway_for_a_moment(tmp_path: Path, resumable: bool) -> None:
    async with stage(tmp_path) as it:
        first = await it.begin()
        await it.answers(it.ada)
        it.emulator.drop_gateway(resumable=resumable)
        if resumable:
            await until(lambda: it.emulator.gateway.sessions[0].resumed == 1, "it is resumed", within=20)
        else:
            await until(lambda: it.guild.voice is not first, "it joins again", within=30)
        await it.ready()
        await until(lambda: it.sidecar.calls.heard(it.guild.id, it.ada.user_id), "Ada is heard")
        await it.answers(it.ada, WHEN, NOON)
        assert (it.guild.voice is first) == resumable


@in_loop
async def test_the_voice_connection_breaks_while_somebody_speaks(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        voice = await it.begin()
        said = packets(WHERE)
        it.ada.announce(1)
        await it.ada.speak(said[:20], pace=0, announce=False, silence=0)
        it.guild.close_voice(1006)
        listener = Listener(it.ada)
        await it.ada.speak(said[20:], pace=0)
        await until(lambda: voice.resumed == 1, "it is resumed")
        await listener.hears("Behind the blue door.")
        assert it.recogniser.understood == [WHERE]


@in_loop
async def test_keys_change_while_both_speak(tmp_path: Path) -> None:
    """Somebody comes while Ada asks, and goes while she is answered."""
    with patch("tests.voice.whole.stage.ear_settings", slow_ears):
        async with stage(tmp_path, TRAINGER_VOICE_SILENCE_SECONDS="2") as it:
            await it.begin()
            said = packets(WHERE)
            listener = Listener(it.ada)
            it.ada.announce(1)
            await it.ada.speak(said[:20], pace=0, announce=False, silence=0)
            coming = asyncio.ensure_future(it.bob.join(it.channel))
            await it.ada.speak(said[20:], pace=1 / PACKETS_A_S)
            await coming
            await until(lambda: listener.count > PACKETS_A_S // 4, "it answers", within=20)
            await it.bob.leave()
            await listener.hears("Behind the blue door.")
            assert it.recogniser.understood == [WHERE]


async def left_alone(it: Stage, within: float = 20.0) -> None:
    await it.begin()
    await it.answers(it.ada)
    await it.ada.leave()
    await until(lambda: it.guild.bot_channel is None, "it leaves", within=within)
    await until(lambda: len(it.desk.texts(it.channel)) == 2, "it says so")
    notice, goodbye = it.desk.texts(it.channel)
    assert notice == "I listened here. I have left, and hear nothing any more."
    assert goodbye == "I have left, as nobody is here. `/join` calls me back."
    assert call_state(it.services.store, str(it.guild.id)) is None


@in_loop
async def test_left_alone_it_leaves_and_says_so(tmp_path: Path) -> None:
    async with stage(tmp_path, TRAINGER_VOICE_EMPTY_MINUTES="0.003") as it:
        await left_alone(it)


@in_loop
async def test_staying_alone_is_noticed(tmp_path: Path) -> None:
    """The wrong variant: it waits for too long."""
    async with stage(tmp_path, TRAINGER_VOICE_EMPTY_MINUTES="5") as it:
        with pytest.raises(AssertionError, match="until it leaves"):
            await left_alone(it, within=2)
