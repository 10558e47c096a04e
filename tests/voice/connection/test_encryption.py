"""End-to-end encryption through everything that happens in a call. The others have Discord's own library."""

from __future__ import annotations

import asyncio
from unittest.mock import patch

import dave
import davey
import pytest

from tests.voice.connection.sidecar import both_hear, channel_with, sidecar
from tests.voice.discord import Human, Rules, VoiceChannel, until
from tests.voice.discord.running import in_loop
from tests.voice.mls import proposals_payload
from tests.voice.talker import decoded, same, spoken
from voice_sidecar.connection.counters import Refused, Unsendable
from voice_sidecar.connection.group import Group
from voice_sidecar.connection.media import Media
from voice_sidecar.connection.outcomes import Why

VOICE = b"\xfc" + bytes(range(60))
WELCOMES = {"damaged once": 1, "damaged four times": 4}


@in_loop
async def test_keys_change_in_mid_speech() -> None:
    """Somebody comes and goes while another speaks; not a word is lost, even if sealed with the key before."""
    async with channel_with("Ada", absent=["Carol"]) as (emulator, channel, [ada, carol]), sidecar(emulator) as it:
        ada.late_frames = 3
        line, _ = await it.join(channel)
        said = spoken(60)
        speaking = asyncio.create_task(ada.speak(said, pace=0.01))
        await asyncio.sleep(0.1)
        await carol.join(channel)
        await carol.leave()
        await carol.join(channel)
        await speaking
        whole = decoded(said)
        await until(lambda: len(it.sound(channel.guild, 11)) >= len(whole), "all is heard")
        assert same(it.sound(channel.guild, 11)[: len(whole)], whole)
        assert line.receiver.counters.undecryptable == {}
        await both_hear(it, line, carol)
    assert emulator.violations == []


@in_loop
async def test_everybody_leaves_and_comes_back() -> None:
    async with channel_with(absent=("Ada",)) as (emulator, channel, [ada]), sidecar(emulator) as it:
        line, voice = await it.join(channel)
        assert not line.ready
        for seed in range(3):
            await ada.join(channel)
            await both_hear(it, line, ada, seed=seed)
            assert line.privacy_code is not None
            await ada.leave()
        assert channel.guild.voices == [voice]
        assert not line.ready
    assert emulator.violations == []


@pytest.mark.parametrize("way", WELCOMES)
@in_loop
async def test_damaged_welcomes(way: str) -> None:
    rules = Rules(corrupt_welcomes=WELCOMES[way])
    async with channel_with("Ada", "Carol", rules=rules) as (emulator, channel, [ada, _]), sidecar(emulator) as it:
        line, voice = await it.join(channel)
        await both_hear(it, line, ada)
        assert len(channel.call.group.refused) == WELCOMES[way] == it.counters.recoveries
        assert it.counters.refused[Refused.WELCOME] == WELCOMES[way]
        assert channel.guild.voices == [voice]
    assert emulator.violations == []


@in_loop
async def test_a_group_that_cannot_be_joined_gets_another_session() -> None:
    rules = Rules(corrupt_welcomes=Group.MOST_RECOVERIES + 1)
    async with channel_with("Ada", "Carol", rules=rules) as (emulator, channel, [ada, _]), sidecar(emulator) as it:
        line = await it.connections.join(channel.guild.id, channel.id)
        await until(lambda: len(channel.guild.voices) == 2, "there is another session")
        await channel.guild.bot_in(channel)
        await both_hear(it, line, ada)
        assert it.counters.reconnects == {Why.NO_GROUP: 1}


@in_loop
async def test_a_damaged_commit() -> None:
    async with channel_with("Ada", absent=["Carol"]) as (emulator, channel, [ada, carol]), sidecar(emulator) as it:
        line, _ = await it.join(channel)
        await both_hear(it, line, ada)
        emulator.rules.corrupt_commits = 1
        await carol.join(channel)
        await both_hear(it, line, carol)
        await both_hear(it, line, ada, seed=30)
        assert it.counters.refused[Refused.COMMIT] == 1
    assert emulator.violations == []


GARBAGE = [b"", b"\0", b"\x01", b"\x07abc", b"\xff" * 7, bytes(200)]


@in_loop
async def test_garbage_does_not_end_the_connection() -> None:
    async with channel_with("Ada", absent=["Carol"]) as (emulator, channel, [ada, carol]), sidecar(emulator) as it:
        line, voice = await it.join(channel)
        await both_hear(it, line, ada)
        for payload in GARBAGE:
            for op in (25, 27, 99):
                voice.tell_binary(op, payload)
        # Which have nothing to do with the group at all: signed by somebody else, for another epoch, unknown.
        service = channel.call.group.service
        stranger = dave.Session(lambda *_: None)
        stranger.init(1, channel.id, "12", None)
        stranger.set_external_sender(service.external_sender())
        package = stranger.get_marshalled_key_package()
        assert package is not None
        voice.tell_binary(27, proposals_payload(service.add(40, package)))
        voice.tell_binary(27, b"\x01\x21\x20" + bytes(32))
        await carol.join(channel)
        await both_hear(it, line, carol)
        assert channel.guild.voices == [voice]
        assert it.counters.recoveries == 0
        assert it.counters.refused[Refused.PROPOSALS] >= 3
    assert emulator.violations == []


@in_loop
async def test_nobody_is_let_in_who_was_not_announced() -> None:
    async with channel_with("Ada") as (emulator, channel, [ada]), sidecar(emulator) as it:
        line, _ = await it.join(channel)
        await both_hear(it, line, ada)
        await propose_a_stranger(channel)
        await until(lambda: it.counters.refused[Refused.STRANGER] == 1, "it is refused")
    assert emulator.violations == []


@in_loop
async def test_without_the_list_of_those_who_were_announced_a_stranger_is_let_in() -> None:
    """So the test above can fail."""
    process = davey.DaveSession.process_proposals

    class Credulous:
        def __init__(self, session: davey.DaveSession) -> None:
            self.session = session

        def __getattr__(self, name: str) -> object:
            if name != "process_proposals":
                return getattr(self.session, name)
            return lambda kind, proposals, expected: process(self.session, kind, proposals)

    need = Group._need_session
    with patch.object(Group, "_need_session", lambda group: Credulous(need(group))):
        async with channel_with("Ada") as (emulator, channel, [ada]), sidecar(emulator) as it:
            line, _ = await it.join(channel)
            await both_hear(it, line, ada)
            await propose_a_stranger(channel)
            await until(lambda: emulator.violations, "the bot commits it")
    assert "committed a proposal that it should refuse" in emulator.violations[0]


async def propose_a_stranger(channel: VoiceChannel) -> None:
    group = channel.call.group
    stranger = davey.DaveSession(1, 666, channel.id)
    group.propose(group.service.add(group.epoch, stranger.get_serialized_key_package()))


@in_loop
async def test_downgrade_and_upgrade() -> None:
    async with channel_with("Ada") as (emulator, channel, [ada]), sidecar(emulator) as it:
        line, voice = await it.join(channel)
        await both_hear(it, line, ada)
        channel.call.group.downgrade()
        await until(lambda: channel.call.version == 0 and channel.call.group.settled(), "it is done")
        await both_hear(it, line, ada, seed=20)
        assert not last_is_sealed(ada)
        channel.call.group.upgrade()
        await until(lambda: channel.call.version == 1 and channel.call.group.settled(), "it is done")
        await until(lambda: line.receiver.transitions.version == 1, "that is known")
        await both_hear(it, line, ada, seed=30)
        assert last_is_sealed(ada)
        channel.call.group.regroup()
        while line._media.group.ready:  # noqa: ASYNC110  # it is soon there again: every turn of the loop counts
            await asyncio.sleep(0)
        assert not line.send(VOICE)
        await both_hear(it, line, ada, seed=40)
        assert channel.guild.voices == [voice]
    assert emulator.violations == []


def last_is_sealed(human: Human) -> bool:
    return human.heard[-1].sealed


@in_loop
async def test_nothing_is_sent_in_the_clear_while_there_is_no_key() -> None:
    assert await violations_without_a_key() == []


@in_loop
async def test_without_the_gate_plaintext_is_sent() -> None:
    """So the test above can fail."""
    with patch.object(Media, "_protect", lambda media, frame: frame):
        assert "plaintext" in (await violations_without_a_key())[0]


async def violations_without_a_key() -> list[str]:
    """Sends all the time, from before the group is formed until after a damaged welcome was mended."""
    rules = Rules(corrupt_welcomes=2)
    async with channel_with("Ada", "Carol", rules=rules) as (emulator, channel, _), sidecar(emulator) as it:
        line = await it.connections.join(channel.guild.id, channel.id)
        results: list[bool] = []
        line.speaking(True)
        await asyncio.sleep(0)
        while not line.ready or len(results) < 200:
            results.append(line.send(VOICE))
            await asyncio.sleep(0)
        await channel.guild.bot_in(channel)
        if not emulator.violations:
            assert not results[0]
            assert results[-1]
            assert it.counters.unsendable[Unsendable.NO_KEY] == results.count(False)
    return emulator.violations
