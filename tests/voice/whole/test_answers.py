"""Somebody asks aloud, and hears what was taught."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.voice.discord import until
from tests.voice.discord.running import in_loop
from tests.voice.discord.sealing import SILENCE
from tests.voice.whole.listening import Listener, says
from tests.voice.whole.models import Mumbler
from tests.voice.whole.stage import NOON, THERE, WHEN, WHERE, Stage, stage

if TYPE_CHECKING:
    from pathlib import Path

ANSWERED = 'trainger_voice_turns_total{outcome="answered"} 1.0'


@in_loop
async def test_asked_in_it_joins_hears_and_answers(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.ada.join(it.channel)
        said = await it.desk.join(it.ada)
        assert said == f"I'm in <#{it.channel.id}>, and I hear you. I hear others once they agree."
        await it.ready()
        (notice,) = [one for one in it.emulator.sent_messages if one.channel_id == it.channel.id]
        assert f"<@{it.ada.user_id}> asked me in" in notice.content
        assert "No audio is stored" in notice.content
        buttons = notice.body["components"][0]["components"]
        assert [button["label"] for button in buttons] == ["Agree", "What is kept", "Leave"]
        await it.answers(it.ada)
        assert it.recogniser.understood == [WHERE]
        assert it.reader.said.count(THERE) == 1
        assert all(one.sealed for one in it.ada.heard if one.packet != SILENCE)
        assert it.ada.unheard == []
        await measured(it)
        assert await it.desk.leave(it.ada) == f"I left <#{it.channel.id}>."
        await until(lambda: it.guild.bot_channel is None, "we are out")


async def measured(it: Stage) -> None:
    """An operator sees what happened."""
    port = it.sidecar.health_server.port
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
        async with http.get("/healthz") as answer:
            health = await answer.json()
            assert (answer.status, health["ok"], health["calls"], health["guilds"]) == (200, True, 1, 1)
        metrics = ""
        while ANSWERED not in metrics:  # it is counted once it is played to its end
            await asyncio.sleep(0.05)
            async with http.get("/metrics") as answer:
                metrics = await answer.text()
    assert 'trainger_voice_stage_seconds_count{stage="first_audio"} 1.0' in metrics
    assert "trainger_voice_calls 1.0" in metrics


@in_loop
async def test_a_voice_that_says_something_else_is_noticed(tmp_path: Path) -> None:
    """The wrong variant of hearing an answer."""
    async with stage(tmp_path) as it:
        await it.begin()
        it.services.speaker.voices = (Mumbler(),)  # type: ignore[union-attr]
        with pytest.raises(AssertionError, match="until Ada hears"):
            await it.answers(it.ada, within=4)


@in_loop
async def test_a_correction_wins(tmp_path: Path) -> None:
    right = "Ask Mira in the office."
    async with stage(tmp_path) as it:
        await it.begin()
        await it.answers(it.ada)
        it.desk.correct(it.guild, WHERE, THERE, right)
        await it.answers(it.ada, WHERE, right)
        assert it.reader.said.count(THERE) == 1  # before the correction


@in_loop
async def test_two_speak_at_once_and_both_are_answered(tmp_path: Path) -> None:
    where, when = "Trainger, where is the key?", "Trainger, when do we meet?"
    async with stage(tmp_path) as it:
        it.recogniser.knows += [where, when]
        it.desk.agreed(it.bob)
        await it.begin(it.ada, it.bob)
        await until(lambda: it.sidecar.calls.heard(it.guild.id, it.bob.user_id), "Bob is heard")
        listeners = [Listener(human) for human in (it.ada, it.bob)]
        await asyncio.gather(says(it.ada, where), says(it.bob, when))
        order = [THERE, NOON]
        await until(lambda: len(set(it.reader.said) & set(order)) == 2, "both answers are spoken", within=20)
        for answer in sorted(order, key=it.reader.said.index):
            for listener in listeners:
                await listener.hears(answer)
        assert set(it.recogniser.understood) == {where, when}


@in_loop
async def test_what_was_asked_in_writing_is_said(tmp_path: Path) -> None:
    written = "This was **written** to you."
    async with stage(tmp_path) as it:
        other = it.guild.add_voice_channel("Other")
        await it.bob.join(other)
        await it.begin()
        listener = Listener(it.ada)
        await it.desk.say(it.bob, "Nobody is to hear this.")
        await it.desk.say(it.ada, written)
        await listener.hears("This was written to you.")
        assert not [text for text in it.reader.said if text.startswith("Nobody")]
        assert it.recogniser.heard == []


@in_loop
async def test_the_end_of_a_turn_is_heard_by_its_meaning(tmp_path: Path) -> None:
    """With all models that are installed."""
    async with stage(tmp_path, None, True) as it:
        await it.begin()
        await it.answers(it.ada, WHEN, NOON)
