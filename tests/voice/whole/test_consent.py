"""Who did not agree is not heard; who takes it back is not heard from that moment on."""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from tests.voice.discord import until
from tests.voice.discord.running import in_loop
from tests.voice.whole.listening import Listener, says
from tests.voice.whole.sounds import STORY, packets
from tests.voice.whole.stage import LONG, NOON, THERE, WHEN, WHERE, Stage, slow_ears, stage
from voice_sidecar.calls.calls import Calls
from voice_sidecar.calls.consents import Consents
from voice_sidecar.receiving.counters import Dropped
from voice_sidecar.receiving.transport import Opener

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMED = "Trainger, when do we meet?"
SILENT = 5
"""Packets of silence at the end of all that people say."""


@pytest.fixture
def opened() -> Iterator[set[int]]:
    """The sources of which packets were opened."""
    sources: set[int] = set()
    real = Opener.open

    def spy(self: Opener, datagram: bytes, size: int) -> Any:
        sources.add(struct.unpack_from(">I", datagram, 8)[0])
        return real(self, datagram, size)

    with patch.object(Opener, "open", spy):
        yield sources


async def bob_did_not_agree(it: Stage, opened: set[int], within: float = 20.0) -> None:
    """Both speak at once: Ada is answered, and Bob's packets are not opened."""
    it.recogniser.knows.append(NAMED)
    await it.begin(it.ada, it.bob)
    listener = Listener(it.ada)
    await asyncio.gather(says(it.bob, NAMED), says(it.ada, WHERE))
    await listener.hears(THERE, within=within)
    assert it.recogniser.understood == [WHERE]
    assert not it.recogniser.was_given(NAMED)
    assert it.ada.ssrc in opened
    assert it.bob.ssrc not in opened
    counters = it.counters()
    assert counters.dropped == {Dropped.NO_CONSENT: len(packets(NAMED)) + SILENT}
    assert counters.heard == len(packets(WHERE))


@in_loop
async def test_who_did_not_agree_is_not_opened_and_who_agrees_is_heard(tmp_path: Path, opened: set[int]) -> None:
    async with stage(tmp_path) as it:
        await bob_did_not_agree(it, opened)
        await it.desk.consent(it.bob, on=True)
        await until(lambda: it.sidecar.calls.heard(it.guild.id, it.bob.user_id), "Bob is heard")
        await it.answers(it.bob, NAMED, NOON)
        assert it.recogniser.understood == [WHERE, NAMED]
        assert it.bob.ssrc in opened


@pytest.mark.parametrize("wrong", ["connection", "everywhere"])
@in_loop
async def test_letting_everybody_through_is_noticed(tmp_path: Path, wrong: str, opened: set[int]) -> None:
    """The wrong variant: consent that is not asked for."""
    everybody = patch.object(Calls if wrong == "connection" else Consents, "heard", lambda *_: True)
    rooms = patch.object(Consents, "all_heard", lambda *_: {11, 12})
    with everybody, rooms if wrong == "everywhere" else patch.object(Calls, "unused", None, create=True):
        async with stage(tmp_path) as it:
            with pytest.raises(AssertionError):
                await bob_did_not_agree(it, opened, within=4)
            assert it.bob.ssrc in opened
            assert it.recogniser.was_given(NAMED) == (wrong == "everywhere")


async def taken_back_in_mid_speech(it: Stage, within: float = 20.0) -> None:
    """Ada takes it back while she asks, and nothing of it is answered or recognised."""
    await it.begin(it.ada, it.bob)
    said = packets(WHERE)
    it.ada.announce(1)
    await it.ada.speak(said[:25], announce=False, silence=0)
    await until(lambda: it.counters().heard == 25, "the beginning has come in")
    await it.desk.consent(it.ada, on=False)
    await until(
        lambda: not it.sidecar.calls.heard(it.guild.id, it.ada.user_id), "she is heard no more", within=within
    )
    await it.ada.speak(said[25:])
    await it.quiet(it.ada)
    assert it.recogniser.heard == []
    assert it.counters().heard == 25
    assert it.counters().dropped[Dropped.NO_CONSENT] == len(said) - 25 + SILENT
    assert it.ada.heard_packets() == []


@in_loop
async def test_taken_back_in_mid_speech_nothing_of_it_is_used(tmp_path: Path) -> None:
    with patch("tests.voice.whole.stage.ear_settings", slow_ears):
        async with stage(tmp_path, TRAINGER_VOICE_SILENCE_SECONDS="5") as it:
            await taken_back_in_mid_speech(it)
            await it.desk.consent(it.ada, on=True)
            await until(lambda: it.sidecar.calls.heard(it.guild.id, it.ada.user_id), "she is heard again")
            await it.answers(it.ada, WHEN, NOON)
            assert it.recogniser.understood == [WHEN]


@in_loop
async def test_not_heeding_that_it_is_taken_back_is_noticed(tmp_path: Path) -> None:
    """The wrong variant."""

    async def deaf(*_: object, **__: object) -> None:
        """Does not listen."""

    with patch.object(Calls, "consent", deaf):
        async with stage(tmp_path) as it:
            with pytest.raises(AssertionError, match="she is heard no more"):
                await taken_back_in_mid_speech(it, within=2)


@in_loop
async def test_taken_back_while_it_is_answered_it_falls_silent(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.begin()
        listener = Listener(it.ada)
        await says(it.ada, LONG)
        await until(lambda: listener.count > 10, "it speaks", within=20)
        await it.desk.consent(it.ada, on=False)
        await until(lambda: it.ada.speakers.get(it.emulator.bot_id) == 0, "it falls silent", within=20)
        assert listener.count < len(packets(STORY)) - 10
