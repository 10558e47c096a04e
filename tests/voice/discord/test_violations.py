"""Each check of what a bot sends, with a bot that does it wrong: discord.py, tampered with."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from tests.voice.discord import AES, XCHACHA, Discord, Rules, until
from tests.voice.discord.checks import PacketChecks
from tests.voice.discord.libdave_client import LibdaveClient
from tests.voice.discord.plain_bot import discord, join, plain_bot
from tests.voice.discord.running import in_loop
from tests.voice.discord.sealing import SILENCE, RtpPacket, Transport, Unsealed, read_rtp
from tests.voice.talker import spoken

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.voice.discord import VoiceSession

SEALED = bytes(20) + b"\xfa\xfa"


def packet(
    sequence: int, timestamp: int, media: bytes = SEALED, ssrc: int = 1, payload_type: int = 0x78
) -> RtpPacket:
    return RtpPacket(ssrc, sequence, timestamp, media, payload_type=payload_type)


def complaints(
    *packets: RtpPacket, nonces: tuple[int, ...] = (), plain: bool = False, spoken: bool = True
) -> list[str]:
    found: list[str] = []
    checks = PacketChecks(found.append, 1)
    for index, one in enumerate(packets):
        checks.check(one, nonces[index] if nonces else index, plain_allowed=plain, has_spoken=spoken)
    return found


def test_packets_in_order_are_right_also_where_counters_wrap() -> None:
    assert complaints(packet(65_535, 2**32 - 960), packet(0, 0), packet(1, 48_000)) == []
    assert complaints(packet(1, 0, SILENCE), packet(2, 960)) == []
    assert complaints(packet(1, 0, b"opus"), plain=True) == []


@pytest.mark.parametrize(
    ("found", "what"),
    [
        (complaints(packet(1, 0), packet(2, 960), nonces=(4, 4)), "nonce 4 was used twice"),
        (complaints(packet(1, 0), packet(1, 960)), "sequence went from 1 to 1"),
        (complaints(packet(1, 0), packet(3, 960)), "sequence went from 1 to 3"),
        (complaints(packet(1, 0), packet(2, 0)), "timestamp went from 0 to 0"),
        (complaints(packet(1, 0), packet(2, 961)), "timestamp went from 0 to 961"),
        (complaints(packet(1, 960), packet(2, 0)), "timestamp went from 960 to 0"),
        (complaints(packet(1, 0, b"opus")), "sound came in plaintext while DAVE is negotiated"),
        (complaints(packet(1, 0, b"")), "a packet has no media"),
        (complaints(packet(1, 0, ssrc=2)), "SSRC 2 is not the session's, which is 1"),
        (complaints(packet(1, 0, payload_type=0x60)), "payload type 0x60 is not Opus"),
        (complaints(packet(1, 0), spoken=False), "sound came before any op 5"),
    ],
)
def test_what_is_wrong_with_packets_is_said(found: list[str], what: str) -> None:
    assert found == [what]


@pytest.mark.parametrize("mode", [AES, XCHACHA])
def test_a_changed_packet_does_not_open(mode: str) -> None:
    sent = RtpPacket(7, 65_535, 12, b"media", b"\xbe\xde\x00\x01abcd", 3)
    datagram = Transport(mode, bytes(32)).seal(*sent.parts())
    assert read_rtp(datagram, Transport(mode, bytes(32))) == (sent, 0)
    for place in (3, 20, len(datagram) - 1):
        changed = datagram[:place] + bytes([datagram[place] ^ 1]) + datagram[place + 1 :]
        with pytest.raises(Unsealed):
            read_rtp(changed, Transport(mode, bytes(32)))
    with pytest.raises(Unsealed):
        read_rtp(datagram, Transport(mode, bytes(31) + b"x"))
    with pytest.raises(ValueError, match="not RTP"):
        read_rtp(b"keepalive", Transport(mode, bytes(32)))


@contextlib.asynccontextmanager
async def call(rules: Rules | None = None) -> AsyncIterator[tuple[Discord, VoiceSession, discord.VoiceClient]]:
    """discord.py in a channel with somebody."""
    async with Discord(rules) as emulator:
        guild = emulator.add_guild()
        channel = guild.add_voice_channel()
        await guild.add_human(11, "Ada").join(channel)
        async with plain_bot(emulator) as bot:
            client = await join(bot, channel)
            yield emulator, await guild.bot_in(channel), client


async def sent(voice: VoiceSession, client: discord.VoiceClient, *packets: bytes) -> None:
    before = len(voice.sent)
    for one in packets:
        client.send_audio_packet(one, encode=False)
    await until(lambda: len(voice.sent) == before + len(packets), "the packets are there")


@in_loop
async def test_a_bot_that_sends_plaintext_a_nonce_twice_or_jumps_is_reported() -> None:
    async with call() as (emulator, voice, client):
        await client.ws.speak()
        await until(lambda: voice.speaking_states[-1] == 1, "op 5 is there")
        await sent(voice, client, *spoken(3))
        assert emulator.violations == []
        client._incr_nonce -= 1
        await sent(voice, client, *spoken(1))
        assert [one.split(": ")[1] for one in emulator.violations] == ["nonce 2 was used twice"]
        emulator.violations.clear()
        client.sequence += 5
        await sent(voice, client, *spoken(1))
        assert "sequence went from" in emulator.violations.pop()
        session, client._connection.dave_session = client._connection.dave_session, None
        await sent(voice, client, SILENCE)
        assert emulator.violations == []
        await sent(voice, client, *spoken(1))
        assert "in plaintext while DAVE is negotiated" in emulator.violations.pop()
        client._connection.dave_session = session
        client._connection.ssrc += 1
        await sent(voice, client, *spoken(1))
        assert "is not the session's" in emulator.violations.pop()
        client._connection.ssrc -= 1
        key = client._connection.secret_key
        client._connection.secret_key = [1] * 32
        client.send_audio_packet(spoken(1)[0], encode=False)
        await until(lambda: emulator.violations, "it is reported")
        assert "not sealed with the session's key" in emulator.violations.pop()
        client._connection.secret_key = key
        assert emulator.violations == []


@in_loop
async def test_a_bot_that_commits_somebody_unannounced_or_is_not_ready_is_reported() -> None:
    async with call(Rules(patience=0.3)) as (emulator, voice, client):
        channel = voice.channel
        group = channel.call.group
        # A stranger with a key package of their own, whom no op 11 announced.
        stranger = voice.guild.add_human(99, "Mallory")
        said: dict[int, object] = {}
        stranger.dave = LibdaveClient(99, channel.id, 1, said.__setitem__)
        stranger.dave.receive_binary(25, group.service.external_sender())
        package = said[26]
        assert isinstance(package, bytes)
        proposal = group.service.add(group.epoch, package)
        group.propose(proposal)
        await until(lambda: emulator.violations, "discord.py commits it, which it should not")
        assert emulator.violations == [f"call in Voice: {emulator.bot_id} committed a proposal that it should refuse"]
        emulator.violations.clear()
        group.revoke(proposal)
        # It hears no more of what the voice gateway says.
        assert client._connection._runner is not None
        client._connection._runner.cancel()
        carol = voice.guild.add_human(33, "Carol")
        await carol.join(channel)
        assert emulator.violations == [f"call in Voice: {emulator.bot_id} did not say to be ready for transition 2"]


@in_loop
async def test_a_bot_that_sends_nothing_is_sent_nothing() -> None:
    async with call(Rules(deaf_after=0.2)) as (_, voice, client):
        got: list[bytes] = []
        client._connection.add_socket_listener(got.append)
        ada = voice.guild.humans[11]
        client.send_audio_packet(SILENCE, encode=False)
        await until(lambda: voice.sent, "it is there")
        await ada.speak(spoken(1), silence=0)
        await until(lambda: len(got) == 1, "the bot is not deaf")
        await until(lambda: voice.deaf, "the bot is deaf")
        await ada.speak(spoken(3), silence=0)
        client._connection.send_packet(bytes(8))
        await until(lambda: voice.keepalives, "the keepalive is there")
        await ada.speak(spoken(1), silence=0)
        await until(lambda: len(got) == 2, "the bot hears again")
        sequences = [int.from_bytes(one[2:4], "big") for one in got]
        assert sequences[1] - sequences[0] == 4
