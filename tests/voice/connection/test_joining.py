"""Joining a channel: both sides hear each other, however the voice server goes about it."""

from __future__ import annotations

import pytest

from tests.voice.connection.sidecar import channel_with, sidecar
from tests.voice.discord import AES, XCHACHA, Committer, Rules, until
from tests.voice.discord.running import in_loop
from tests.voice.talker import decoded, same, spoken
from voice_sidecar.receiving.transport import aes_is_available

WAYS = {
    "as it is": Rules(),
    "first transition 0": Rules(first_transition_is_zero=True),
    "op 25 before op 4": Rules(early_external_sender=True),
    "op 25 twice": Rules(repeated_external_sender=True),
    "the bot commits": Rules(committer=Committer.BOT),
    "a person commits": Rules(committer=Committer.HUMAN),
    "no speaking on join": Rules(speaking_on_join=False),
    "op 12": Rules(client_connect=True),
    "messages twice": Rules(repeated_messages=True),
    "only XChaCha20": Rules(modes=(XCHACHA,)),
    "XChaCha20 first": Rules(modes=(XCHACHA, AES)),
}


@pytest.mark.parametrize("way", WAYS)
@in_loop
async def test_both_hear_each_other_exactly(way: str) -> None:
    async with channel_with("Ada", rules=WAYS[way]) as (emulator, channel, [ada]):
        guild = channel.guild
        ada.sequence, ada.timestamp = 65_530, 2**32 - 4 * 960
        async with sidecar(emulator) as it:
            line, voice = await it.join(channel)
            assert (line.guild_id, line.channel_id, line.connected) == (guild.id, channel.id, True)
            await until(lambda: line.ready, "there are keys")
            assert all(await it.say(line, spoken(25, seed=3)))
            await ada.speak(spoken(20), padding=(0, 4, 200))
            said = decoded(spoken(20))
            await until(lambda: len(ada.heard_packets()) == 25, "she heard all")
            await until(lambda: len(it.sound(guild, 11)) >= len(said), "the bot heard all")
            assert same(it.sound(guild, 11)[: len(said)], said)
        assert ada.heard_packets() == list(spoken(25, seed=3))
        assert all(one.sealed for one in ada.heard)
        assert ada.unheard == []
        assert voice.speaking_states == [0, 1]
        offers_aes = AES in WAYS[way].modes and aes_is_available()
        assert voice.mode == (AES if offers_aes else XCHACHA)
        assert emulator.violations == []
