"""Whoever goes on after the bot took them for finished gets one answer, to all that they said."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from tests.voice.discord import until
from tests.voice.discord.running import in_loop
from tests.voice.whole.listening import Listener, says
from tests.voice.whole.sounds import PACKETS_A_S, STORY, seconds_of, tape
from tests.voice.whole.stage import LONG, stage
from trainer.speech.audio_pcm import RATE
from voice_sidecar.conversation import going_on, replies

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MORE = "Under snow."
COLD = "Nobody is there and the doors are shut."


@contextlib.contextmanager
def patient() -> Iterator[None]:
    """The bot waits for longer than it does: a busy machine speaks late."""
    with patch.object(going_on, "WITHIN_S", 30.0), patch.object(going_on, "UNAWARE_S", 30.0):
        yield


async def goes_on(folder: Path, within: float = 20.0) -> None:
    async with stage(folder) as it:
        it.recogniser.knows.append(MORE)
        it.desk.teach_pair(it.guild, f"{LONG} {MORE}", COLD)
        await it.begin()
        listener = Listener(it.ada)
        await says(it.ada, LONG)
        await until(lambda: listener.count > 3, "the bot takes her for finished, and begins", within=20)
        await says(it.ada, MORE)
        turns = it.sidecar.metrics.registry.get_sample_value
        await until(
            lambda: turns("trainger_voice_turns_total", {"outcome": "continued"}) == 1, "it is told", within=within
        )
        await listener.hears(COLD)
        assert listener.count < PACKETS_A_S
        assert it.recogniser.heard[-1] == MORE
        assert (it.reader.said.count(STORY), it.reader.said.count(COLD)) == (1, 1)
        with pytest.raises(AssertionError, match="until Ada hears"):
            await listener.hears_sound(tape(STORY)[-RATE:], "the rest of the story", within=seconds_of(STORY))


@in_loop
async def test_both_parts_are_one_question(tmp_path: Path) -> None:
    with patient():
        await goes_on(tmp_path)


@in_loop
async def test_two_questions_of_it_are_noticed(tmp_path: Path) -> None:
    """The wrong variant: everything is something new."""
    with patch.object(replies, "relation", lambda *_: "new"), pytest.raises(AssertionError):
        await goes_on(tmp_path, within=5.0)
