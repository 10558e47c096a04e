"""People among themselves: the voice server's groups with Discord's own library on all sides."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from tests.voice.discord import Discord, Human, Rules, decode, encode
from tests.voice.discord.commits import package_identity, proposal_reference, read_commit, welcome_for
from tests.voice.discord.libdave_client import CannotOpen, LibdaveClient
from tests.voice.discord.roster import Proposal, Roster
from tests.voice.discord.running import in_loop
from tests.voice.discord.waiting import TookTooLong, until
from tests.voice.mls import DeliveryService, proposals_payload
from tests.voice.talker import speech, spoken


def understand_each_other(*humans: Human) -> None:
    for one, other in itertools.permutations(humans, 2):
        assert one.dave is not None
        assert other.dave is not None
        packet = f"{one.name} to {other.name}".encode()
        assert other.dave.open(one.user_id, one.dave.seal(packet)) == packet


@pytest.mark.parametrize("zero", [False, True])
@in_loop
async def test_all_who_come_and_stay_have_the_same_keys(zero: bool) -> None:
    async with Discord(Rules(first_transition_is_zero=zero, repeated_messages=True)) as emulator:
        guild = emulator.add_guild()
        channel, other = guild.add_voice_channel(), guild.add_voice_channel("Other")
        people = [guild.add_human(number, f"Person {number}") for number in range(11, 17)]
        group = channel.call.group
        await people[0].join(channel)
        assert (group.epoch, group.settled()) == (0, True)
        await people[1].join(channel)
        assert (group.epoch, group.executed) == (1, [0 if zero else 1])
        understand_each_other(*people[:2])
        await asyncio.gather(*(one.join(channel) for one in people[2:]))
        understand_each_other(*people)
        before = group.epoch
        await people[0].leave()
        await people[3].move(other)
        assert group.epoch == before + 2
        understand_each_other(people[1], people[2], *people[4:])
        client = people[1].dave
        assert client is not None
        with pytest.raises(CannotOpen):
            client.open(11, b"sealed by somebody else" + b"\xfa\xfa")
        await people[0].join(channel)
        group.regroup()
        await people[0].settled()
        assert group.epoch == 1
        understand_each_other(people[0], people[1], people[2], *people[4:])
        assert emulator.violations == []


@in_loop
async def test_many_come_at_once_and_go_before_they_are_in() -> None:
    async with Discord() as emulator:
        guild = emulator.add_guild()
        channel = guild.add_voice_channel()
        people = [guild.add_human(number, f"Person {number}") for number in range(11, 17)]
        for one in people:
            await one.join(channel, wait=False)
        await people[0].settled()
        understand_each_other(*people)
        # The one who would commit leaves, one who was to be added leaves, and one leaves and comes again.
        extra = guild.add_human(20, "Extra")
        await extra.join(channel, wait=False)
        await people[0].leave(wait=False)
        await asyncio.sleep(0)
        await extra.leave(wait=False)
        await people[1].leave(wait=False)
        await people[1].join(channel, wait=False)
        await people[1].settled()
        understand_each_other(*people[1:])
        assert emulator.violations == []


@in_loop
async def test_a_call_without_encryption_and_back() -> None:
    async with Discord() as emulator:
        guild = emulator.add_guild()
        channel = guild.add_voice_channel()
        ada, carol, dora = (
            guild.add_human(number, name) for number, name in ((11, "Ada"), (33, "Carol"), (44, "Dora"))
        )
        await ada.join(channel)
        await carol.join(channel)
        channel.call.group.downgrade()
        await ada.settled()
        assert ada.seal(b"plain") == b"plain"
        await dora.join(channel)
        channel.call.group.upgrade()
        await ada.settled()
        assert channel.call.version == 1
        understand_each_other(ada, carol, dora)
        for one in (carol, dora):
            await one.leave()
        channel.call.group.downgrade()
        await ada.settled()
        channel.call.group.upgrade()
        await ada.settled()
        await carol.join(channel)
        understand_each_other(ada, carol)
        assert emulator.violations == []


@in_loop
async def test_somebody_who_neither_commits_nor_is_ready_holds_nobody_up_for_long() -> None:
    async with Discord(Rules(patience=0.1)) as emulator:
        guild = emulator.add_guild()
        channel = guild.add_voice_channel()
        ada, carol = guild.add_human(11, "Ada"), guild.add_human(33, "Carol")
        await ada.join(channel)
        await carol.join(channel)
        group = channel.call.group
        ada._joins += 1  # what she says is not heard any more
        carol._joins += 1
        dora = guild.add_human(44, "Dora")
        await dora.join(channel, wait=False)
        await until(lambda: emulator.violations, "it is reported")
        assert "nobody committed in epoch 1, though 11, 33 should" in emulator.violations[0]
        assert group.epoch == 0


@in_loop
async def test_speaking_makes_packets_as_asked() -> None:
    async with Discord() as emulator:
        guild = emulator.add_guild()
        stage = guild.add_voice_channel(stage=True)
        ada = guild.add_human(11, "Ada")
        await ada.join(stage)
        sent = []
        stage.call.forward = lambda caller, packet: sent.append(packet)  # type: ignore[method-assign]
        ada.sequence = 65_535
        begin = asyncio.get_running_loop().time()
        await ada.speak(spoken(4), extended=(True, False), padding=(0, 4), silence=1)
        assert asyncio.get_running_loop().time() - begin >= 4 * 0.02
        ada.skip(2)
        await ada.speak(spoken(1), pace=0, silence=0, announce=False)
        assert [one.sequence for one in sent] == [65_535, 0, 1, 2, 3, 6]
        assert [one.timestamp - 5_000 for one in sent] == [0, 960, 1_920, 2_880, 3_840, 6_720]
        assert [len(one.extension) for one in sent] == [12, 0, 12, 0, 12, 12]
        assert [one.padding for one in sent] == [0, 4, 0, 4, 0, 0]
        assert [one.media for one in sent] == [*spoken(4), b"\xf8\xff\xfe", *spoken(1)]


def test_sound_to_packets_and_back() -> None:
    sound = speech(10)[:-100].tobytes()
    packets = encode(sound)
    assert len(packets) == 10
    assert len(decode(packets)) == 10 * 3840


@in_loop
async def test_waiting_has_an_end() -> None:
    with pytest.raises(TookTooLong, match="until it rains"):
        await until(lambda: False, "it rains", within=0.01)


def test_commits_and_welcomes_are_taken_apart() -> None:
    service = DeliveryService(5)
    said: dict[int, dict[int, object]] = {user_id: {} for user_id in (11, 33, 44)}
    clients = {user_id: LibdaveClient(user_id, 5, 1, said[user_id].__setitem__) for user_id in said}
    for client in clients.values():
        client.receive_binary(25, service.external_sender())
        client.receive(11, {"user_ids": list(said)})
    packages = {user_id: bytes_of(one[26]) for user_id, one in said.items()}
    assert [package_identity(one) for one in packages.values()] == list(packages)
    adds = [service.add(0, packages[user_id]) for user_id in (33, 44)]
    clients[11].receive_binary(27, proposals_payload(*adds))
    commit = read_commit(bytes_of(said[11][28]))
    assert (commit.group_id, commit.epoch, commit.leaf) == ((5).to_bytes(8, "big"), 0, 0)
    assert set(commit.references) == {proposal_reference(one) for one in adds}
    assert commit.welcome is not None
    for user_id in (33, 44):
        own = welcome_for(commit.welcome, packages[user_id])
        assert len(own) < len(commit.welcome)
        clients[user_id].receive_binary(30, b"\0\0" + own)
    clients[11].receive_binary(29, b"\0\0" + commit.message)
    assert clients[44].open(33, clients[33].seal(b"opus")) == b"opus"
    with pytest.raises(AssertionError, match="not for whom"):
        welcome_for(commit.welcome, packages[11])
    # Somebody whom nobody announced is not committed.
    clients[11].receive(13, {"user_id": "44"})
    del said[11][28]
    clients[11].receive_binary(27, proposals_payload(service.add(1, packages[44])))
    assert 28 not in said[11]


def bytes_of(value: object) -> bytes:
    assert isinstance(value, bytes)
    return value


def test_newcomers_get_the_leftmost_leaves() -> None:
    def add(user_id: int) -> Proposal:
        return Proposal(user_id, b"", b"package")

    roster = Roster()
    assert roster.take(11, [add(22), add(33), add(44)]) == {22: 1, 33: 2, 44: 3}
    roster.mark_stale(22)
    roster.mark_stale(22)
    assert (roster.stale, roster.members({11, 22, 33})) == ([1], [11, 33])
    assert roster.take(33, [add(55), Proposal(22, b"", leaf=1), add(66)]) == {55: 1, 66: 4}
    assert (roster.leaves, roster.epoch, roster.stale) == ([11, 55, 33, 44, 66], 2, [])
