"""Who is meant, where two people are heard."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from tests.voice.discord import until
from tests.voice.discord.running import in_loop
from tests.voice.whole.listening import Listener, says
from tests.voice.whole.stage import NOON, THERE, WHEN, Stage, stage
from voice_sidecar.conversation.conversation import Conversation

if TYPE_CHECKING:
    from pathlib import Path

NAMED = "Trainger, where is the key?"
AGAIN = "Trainger, when do we meet?"


async def only_the_name_counts(it: Stage) -> None:
    """What is said without the name is recognised and left alone; with it, it is answered."""
    it.recogniser.knows += [NAMED, AGAIN]
    it.desk.agreed(it.bob)
    await it.begin(it.ada, it.bob)
    await until(lambda: it.sidecar.calls.heard(it.guild.id, it.bob.user_id), "Bob is heard")
    listener = Listener(it.bob)
    await says(it.ada, WHEN)
    await until(lambda: it.recogniser.understood == [WHEN], "it is recognised")
    await says(it.bob, NAMED)
    await listener.hears(THERE)
    assert NOON not in it.reader.said


@in_loop
async def test_with_the_name_it_is_answered_and_then_for_a_while_without(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await only_the_name_counts(it)
        await says(it.ada, WHEN)
        await until(lambda: it.recogniser.understood == [WHEN, NAMED, WHEN], "it is recognised")
        so_far = len(it.recogniser.heard)
        await it.answers(it.bob, WHEN, NOON)
        assert it.reader.said.count(NOON) == 1  # for Bob, who was being answered
        assert set(it.recogniser.heard[so_far:]) - {""} == {WHEN}


@in_loop
async def test_after_that_while_it_needs_the_name_again(tmp_path: Path) -> None:
    async with stage(tmp_path, TRAINGER_VOICE_FOLLOW_UP_SECONDS="0.1") as it:
        await only_the_name_counts(it)
        await until(lambda: it.bob.speakers[it.emulator.bot_id] == 0, "the bot has finished")
        await asyncio.sleep(0.2)
        await says(it.bob, WHEN)
        await until(lambda: it.recogniser.understood == [WHEN, NAMED, WHEN], "it is recognised")
        await it.answers(it.bob, AGAIN, NOON)
        assert it.reader.said.count(NOON) == 1


@in_loop
async def test_answering_everything_is_noticed(tmp_path: Path) -> None:
    """The wrong variant: everything is taken to be meant for the bot."""
    with patch.object(Conversation, "_alone", lambda *_: True):
        async with stage(tmp_path) as it:
            with pytest.raises(AssertionError):
                await only_the_name_counts(it)
            assert NOON in it.reader.said
