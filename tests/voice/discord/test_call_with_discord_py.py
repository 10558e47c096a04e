"""A call with discord.py and davey on one side and Discord's own libdave on the other: neither is ours."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.voice.discord import Committer, Discord, Rules, until
from tests.voice.discord.plain_bot import Listener, Packets, join, plain_bot
from tests.voice.discord.running import in_loop
from tests.voice.talker import spoken

WAYS = {
    "as it is": Rules(),
    "first transition 0": Rules(first_transition_is_zero=True),
    "the bot commits": Rules(committer=Committer.BOT),
    "a person commits": Rules(committer=Committer.HUMAN),
    "no speaking on join": Rules(speaking_on_join=False),
    "op 12": Rules(client_connect=True),
    "messages twice": Rules(repeated_messages=True),
}


@pytest.mark.parametrize("way", WAYS)
@in_loop
async def test_both_hear_each_other_exactly(way: str) -> None:
    async with Discord(WAYS[way]) as emulator:
        guild = emulator.add_guild()
        channel = guild.add_voice_channel()
        ada = guild.add_human(11, "Ada")
        await ada.join(channel)
        ada.sequence, ada.timestamp = 65_530, 2**32 - 4 * 960
        async with plain_bot(emulator) as bot:
            client = await join(bot, channel)
            voice = await guild.bot_in(channel)
            # Nobody says to be ready for transition 0.
            await until(lambda: client._connection.can_encrypt, "the bot has its keys")
            listener = Listener(client, ada)
            client.play(Packets(spoken(10, seed=3)))
            await ada.speak(spoken(15), padding=(0, 4, 200), extended=(True, False))
            await until(lambda: len(ada.heard) == 15 and listener.silence == 5, "both have heard all")
        assert ada.heard_packets() == list(spoken(10, seed=3))
        assert all(one.sealed for one in ada.heard[:10])
        assert listener.opened == list(spoken(15))
        assert listener.sequences == [(65_530 + index) % 65_536 for index in range(20)]
        assert voice.speaking_states[:2] == [0, 1]
        assert voice.close_code == 1000
        assert (ada.unheard, listener.problems, emulator.violations) == ([], [], [])


@in_loop
async def test_keys_change_in_mid_speech_as_others_come_and_go() -> None:
    async with Discord() as emulator:
        guild = emulator.add_guild()
        channel = guild.add_voice_channel()
        ada, carol, dora = (
            guild.add_human(number, name) for number, name in ((11, "Ada"), (33, "Carol"), (44, "Dora"))
        )
        ada.late_frames = 3
        await ada.join(channel)
        async with plain_bot(emulator) as bot:
            client = await join(bot, channel)
            await guild.bot_in(channel)
            listener = Listener(client, ada)
            client.play(Packets(spoken(60, seed=3)))
            speech = asyncio.create_task(ada.speak(spoken(60)))
            await carol.join(channel)
            await dora.join(channel)
            await carol.leave()
            await carol.join(channel)
            assert not speech.done()
            await speech
            await until(lambda: len(ada.heard_packets()) == 60 and listener.silence == 5, "both have heard all")
            assert channel.call.group.epoch == 5
            assert (ada.unheard, listener.problems) == ([], [])
            assert listener.opened == list(spoken(60))
            assert ada.heard_packets() == list(spoken(60, seed=3))
            assert carol.heard_packets()[-1:] == dora.heard_packets()[-1:] == list(spoken(60, seed=3)[-1:])
            # All but one leave: the group begins anew for the bot alone, and again when somebody comes.
            for human in (ada, carol, dora):
                await human.leave()
            assert channel.call.group.epoch == 0
            await ada.join(channel)
            await ada.speak(spoken(5))
            await until(lambda: len(listener.opened) == 65, "the bot hears again")
        assert emulator.violations == []


@pytest.mark.parametrize("damaged", ["corrupt_welcomes", "corrupt_commits"])
@in_loop
async def test_a_damaged_message_is_refused_and_the_bot_is_added_again(damaged: str) -> None:
    async with Discord(Rules(committer=Committer.HUMAN)) as emulator:
        guild = emulator.add_guild()
        channel = guild.add_voice_channel()
        ada, carol = guild.add_human(11, "Ada"), guild.add_human(33, "Carol")
        await ada.join(channel)
        async with plain_bot(emulator) as bot:
            setattr(emulator.rules, damaged, 1)
            client = await join(bot, channel)
            await guild.bot_in(channel)
            await carol.join(channel)
            group = channel.call.group
            assert [user_id for user_id, _ in group.refused] == [emulator.bot_id]
            assert getattr(emulator.rules, damaged) == 0
            client.play(Packets(spoken(5)))
            await until(lambda: len(carol.heard_packets()) == 5, "the bot is heard")
        assert ada.heard_packets() == carol.heard_packets() == list(spoken(5))
        assert emulator.violations == []


@in_loop
async def test_to_no_encryption_and_back() -> None:
    async with Discord() as emulator:
        guild = emulator.add_guild()
        channel = guild.add_voice_channel()
        ada = guild.add_human(11, "Ada")
        await ada.join(channel)
        async with plain_bot(emulator) as bot:
            client = await join(bot, channel)
            await guild.bot_in(channel)
            listener = Listener(client, ada)
            group = channel.call.group

            async def both_speak() -> list[bool]:
                before = len(ada.heard)
                client.play(Packets(spoken(5)))
                await ada.speak(spoken(5), silence=0)
                await until(lambda: len(ada.heard) == before + 10, "the bot is heard")
                return [one.sealed for one in ada.heard[before : before + 5]]

            assert await both_speak() == [True] * 5
            group.downgrade()
            await until(group.settled, "the call is downgraded")
            # The server has said it; what the bot sends until it has read that may still be sealed.
            await until(lambda: client._connection.dave_protocol_version == 0, "the bot knows")
            assert (group.version, await both_speak()) == (0, [False] * 5)
            group.upgrade()
            await until(group.settled, "the call is upgraded")
            await until(lambda: client._connection.dave_protocol_version == 1, "the bot knows")
            assert (group.version, await both_speak()) == (1, [True] * 5)
            await until(lambda: len(listener.opened) == 15, "the bot has heard all")
        assert (listener.problems, emulator.violations) == ([], [])


@in_loop
async def test_a_stage_has_no_encryption_and_the_bot_must_be_let_speak() -> None:
    async with Discord() as emulator:
        guild = emulator.add_guild()
        stage = guild.add_voice_channel("Stage", stage=True)
        ada = guild.add_human(11, "Ada")
        await ada.join(stage)
        async with plain_bot(emulator) as bot:
            client = await join(bot, stage)
            voice = await guild.bot_in(stage)
            listener = Listener(client, ada)
            client.play(Packets(spoken(3)))
            await until(lambda: len(voice.sent) == 8, "the bot has spoken")
            assert ada.heard == []
            guild.change_voice_state(emulator.bot_id, suppress=False)
            client.play(Packets(spoken(3)))
            await ada.speak(spoken(4))
            await until(lambda: len(ada.heard) == 8 and listener.silence == 5, "both have heard all")
        assert ada.heard_packets() == list(spoken(3))
        assert listener.opened == list(spoken(4))
        assert emulator.violations == []


# discord.py forgets its old UDP socket when it is given another voice server.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize("closed_first", [True, False])
@in_loop
async def test_the_bot_moves_is_moved_and_changes_servers(closed_first: bool) -> None:
    async with Discord(Rules(close_before_server=closed_first)) as emulator:
        guild = emulator.add_guild()
        first, second, third = (guild.add_voice_channel(name) for name in ("First", "Second", "Third"))
        ada = guild.add_human(11, "Ada")
        async with plain_bot(emulator) as bot:
            client = await join(bot, first)
            await guild.bot_in(first)

            async def heard() -> None:
                before = len(ada.heard_packets())
                client.play(Packets(spoken(3)))
                await until(lambda: len(ada.heard_packets()) == before + 3, "the bot is heard")
                client.stop()

            # Its reader would wait for the old socket for up to 30 s, and not hear the answer to IP discovery.
            client._connection.socket.shutdown(socket.SHUT_RDWR)
            await client.move_to(bot.get_channel(second.id))
            await ada.join(second)
            await guild.bot_in(second)
            await heard()
            guild.move_bot(third)
            await ada.move(third)
            await guild.bot_in(third)
            await heard()
            guild.change_voice_server()
            await until(
                lambda: len(guild.voices) == 4 and guild.voice is not None and guild.voice.ready, "it is there"
            )
            await heard()
        assert [voice.channel for voice in guild.voices] == [first, second, third, third]
        assert ada.heard_packets() == 3 * list(spoken(3))
        assert emulator.violations == []


@in_loop
async def test_a_kicked_bot_is_out() -> None:
    async with Discord() as emulator:
        guild = emulator.add_guild()
        channel = guild.add_voice_channel()
        async with plain_bot(emulator) as bot:
            client = await join(bot, channel, reconnect=False)
            voice = await guild.bot_in(channel)
            guild.kick_bot()
            await until(lambda: not client.is_connected() and not bot.voice_clients, "discord.py knows")
            assert (voice.close_code, voice.over, guild.bot_channel) == (4014, True, None)
        assert emulator.violations == []
