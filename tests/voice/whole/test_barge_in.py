"""Whoever speaks while the bot does, silences it. All in packets of 20 ms: a busy machine delays both sides alike."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from tests.voice.discord import until
from tests.voice.discord.running import in_loop
from tests.voice.discord.sealing import SILENCE
from tests.voice.whole.listening import Listener, says
from tests.voice.whole.sounds import PACKETS_A_S, STORY, packets, seconds_of, tape
from tests.voice.whole.stage import LONG, NOON, WHEN, Stage, stage
from trainer.speech.audio_pcm import RATE
from voice_sidecar.conversation.barge_in import BargeIn

if TYPE_CHECKING:
    from pathlib import Path

    from tests.voice.discord import Human

REMARK = "Well."
STOP = "Stop talking."
INTERRUPTS_S = 0.25
"""Speech that is meant to interrupt."""
REACTS_S = 0.1
SLOT = 1 / PACKETS_A_S
GOES_ON = 32
"""Packets after which the turn of a remark may be over: it, and the silence behind it."""


async def telling(it: Stage) -> Listener:
    """The bot tells something long, and has begun."""
    it.recogniser.knows += [REMARK, STOP]
    await it.begin()
    listener = Listener(it.ada)
    await says(it.ada, LONG)
    await until(lambda: listener.count > PACKETS_A_S, "it has told a second of it", within=20)
    return listener


async def last_heard(human: Human, listener: Listener, text: str) -> int:
    """Somebody speaks; after how many of their packets the bot was heard last, before it may go on."""
    sound = [*packets(text), *[SILENCE] * PACKETS_A_S]
    last, before, began = 0, listener.count, time.monotonic()
    human.announce(1)
    for number, packet in enumerate(sound):
        await asyncio.sleep(max(0.0, began + number * SLOT - time.monotonic()))
        if listener.count != before and number < GOES_ON:
            last, before = number, listener.count
        human.send(packet if packet == SILENCE else human.seal(packet))
    human.announce(0)
    return last


async def falls_silent(it: Stage, text: str) -> Listener:
    listener = await telling(it)
    told = listener.count
    last = await last_heard(it.ada, listener, text)
    assert last <= (INTERRUPTS_S + REACTS_S) * PACKETS_A_S
    assert told < listener.count < seconds_of(STORY) * PACKETS_A_S - PACKETS_A_S
    return listener


@in_loop
async def test_a_remark_pauses_it_and_it_goes_on(tmp_path: Path) -> None:
    assert seconds_of(REMARK) == 0.3
    async with stage(tmp_path) as it:
        listener = await falls_silent(it, REMARK)
        await until(lambda: REMARK in it.recogniser.heard, "the remark is recognised")
        await listener.hears_sound(tape(STORY)[3 * RATE :], "the rest of it")
        assert it.reader.said.count(STORY) == 1


@in_loop
async def test_stop_ends_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        listener = await falls_silent(it, STOP)
        told = listener.count
        await until(lambda: STOP in it.recogniser.heard, "that is recognised")
        await it.quiet(it.ada)
        assert listener.count == told
        await it.answers(it.ada, WHEN, NOON)


@in_loop
async def test_another_question_ends_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        listener = await telling(it)
        await says(it.ada, WHEN)
        await listener.hears(NOON)
        assert listener.count < PACKETS_A_S
        with pytest.raises(AssertionError, match="until Ada hears"):
            await listener.hears_sound(tape(STORY)[-RATE:], "the rest of the story", within=3)


@in_loop
async def test_going_on_all_the_same_is_noticed(tmp_path: Path) -> None:
    """The wrong variant: nobody falls silent."""
    with patch.object(BargeIn, "speech", lambda *_: False):
        async with stage(tmp_path) as it:
            with pytest.raises(AssertionError):
                await falls_silent(it, STOP)
