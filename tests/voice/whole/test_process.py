"""The sidecar as a process of its own: started, asked, watched, stopped, killed."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest

from tests.voice.discord import until
from tests.voice.discord.running import in_loop
from tests.voice.whole.listening import Listener, says
from tests.voice.whole.models import words_once
from tests.voice.whole.processes import answered, town
from tests.voice.whole.stage import NOON, THERE, WHEN, WHERE
from trainer.voice_calls import call_state, clear_call_state

if TYPE_CHECKING:
    from pathlib import Path

    from tests.voice.discord import Human, VoiceChannel
    from tests.voice.whole.processes import Process, Town


@in_loop
async def test_it_answers_and_ends_in_order(tmp_path: Path) -> None:
    async with town(tmp_path) as it:
        guild, channel, ada = it.settle()
        process = await it.start(TRAINGER_LOG_LEVEL="DEBUG")
        await process.well()
        voice = await it.begin(ada, channel)
        listener = Listener(ada)
        await says(ada, WHERE)
        await listener.hears(THERE)
        assert words_once(it.providers.recognised) == [WHERE]
        assert it.providers.said.count(THERE) == 1
        await answered(process, 1)
        health = await process.health()
        assert (health["ok"], health["calls"], health["gateway"], health["queue"]) == (True, 1, "ok", "ok")
        assert health["models"] == {
            "turns": health["models"]["turns"],
            "recognition": "whisper-1",
            "chat": "test-model",
            "voices": "gpt-4o-mini-tts",
        }
        (turn,) = [record for record in process.records if record["message"] == "spoken turn"]
        assert turn["outcome"] == "answered"
        stages = [turn[f"{name}_ms"] for name in ("turn_decided", "transcript", "first_token", "first_audio")]
        assert stages == sorted(stages)
        assert await process.stop() == 0
        assert process.records[-1]["message"] == "sidecar stopped"
        assert (voice.over, guild.bot_channel) == (True, None)
        assert call_state(it.services.store, str(guild.id)) is not None  # it is to come back
        assert "I listen here" not in it.desk.texts(channel)[0]
        second = await it.start()
        await comes_back(second, channel)
        assert "I listen here" in it.desk.texts(channel)[0]


async def killed_in_a_call(it: Town) -> tuple[Process, Human, VoiceChannel]:
    """A process that has a call is killed, and another one is started."""
    guild, channel, ada = it.settle()
    first = await it.start()
    await first.well()
    voice = await it.begin(ada, channel)
    assert await first.stop(signal.SIGKILL) == -signal.SIGKILL
    await until(lambda: voice.outbox is None, "its connections break")
    assert guild.bot_channel is channel  # Discord does not know yet
    return await it.start(), ada, channel


async def comes_back(process: Process, channel: VoiceChannel, within: float = 30.0) -> None:
    await process.well()
    await process.logged("joined", within=within)
    await channel.guild.bot_in(channel, within=20)


@in_loop
async def test_killed_in_a_call_the_next_one_comes_back_and_answers(tmp_path: Path) -> None:
    async with town(tmp_path) as it:
        second, ada, channel = await killed_in_a_call(it)
        await comes_back(second, channel)
        listener = Listener(ada)
        await says(ada, WHEN)
        await listener.hears(NOON)
        assert len(it.desk.texts(channel)) == 1
        assert await second.stop(signal.SIGINT) == 0


@in_loop
async def test_not_coming_back_is_noticed(tmp_path: Path) -> None:
    """The wrong variant: nothing is kept of where it was."""
    async with town(tmp_path) as it:
        second, _, channel = await killed_in_a_call(it)
        clear_call_state(it.services.store, str(channel.guild.id))
        with pytest.raises(AssertionError, match="until it logs: joined"):
            await comes_back(second, channel, within=3)


@in_loop
async def test_killed_before_it_has_answered_the_next_one_answers(tmp_path: Path) -> None:
    """The first one has taken the command on, and waits for Discord. The order's lease has to run out."""
    async with town(tmp_path) as it:
        guild, channel, ada = it.settle()
        guild._may_enter = lambda channel: False  # type: ignore[method-assign] # so op 4 is never answered
        first = await it.start()
        await first.well()
        await ada.join(channel)
        joining = asyncio.ensure_future(it.desk.join(ada, within=60))
        await until(lambda: any(one["op"] == 4 for one in it.emulator.gateway.received), "it is about to join")
        await until(lambda: it.desk.taken_on(guild) == 1, "it has taken it on")
        assert await first.stop(signal.SIGKILL) == -signal.SIGKILL
        del guild._may_enter
        second = await it.start()
        await second.well()
        assert "and I hear you" in await joining
        await until(lambda: it.queue.depth()[:3] == (0, 0, 0), "nothing is left to do")


@in_loop
async def test_orders_that_it_had_no_time_for_are_done_by_the_next_one(tmp_path: Path) -> None:
    """The first one is stopped while it waits for Discord, with one order begun and another one behind it."""
    async with town(tmp_path) as it:
        guild, channel, ada = it.settle()
        guild._may_enter = lambda channel: False  # type: ignore[method-assign] # so op 4 is never answered
        first = await it.start()
        await first.well()
        await ada.join(channel)
        joining = asyncio.ensure_future(it.desk.join(ada))
        await until(lambda: any(one["op"] == 4 for one in it.emulator.gateway.received), "it is about to join")
        leaving = asyncio.ensure_future(it.desk.leave(ada))
        await until(lambda: it.desk.taken_on(guild) == 2, "it has taken both on")
        assert await first.stop() == 0
        depth = it.queue.depth()
        assert (depth.ready, depth.leased) == (2, 0)
        del guild._may_enter
        second = await it.start()
        await second.well()
        replies = await asyncio.gather(joining, leaving)
        assert all(f"<#{channel.id}>" in reply or reply == "I'm in no voice channel." for reply in replies), replies
        await until(lambda: it.queue.depth()[:3] == (0, 0, 0), "nothing is left to do")
