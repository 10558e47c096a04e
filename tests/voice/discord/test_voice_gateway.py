"""The voice gateway and UDP, with a client that does what no proper client does; and all its close codes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.voice.discord import AES, XCHACHA, Discord, Network, Rules, until
from tests.voice.discord.plain_bot import Listener, Packets, discord, join, plain_bot
from tests.voice.discord.raw_client import described, joined, voice
from tests.voice.discord.running import in_loop
from tests.voice.talker import spoken


class AesClient(discord.VoiceClient):
    """discord.py with the mode that it lacks."""

    supported_modes = (AES,)  # type: ignore[assignment]

    def _encrypt_aead_aes256_gcm_rtpsize(self, header: bytes, data: bytes) -> bytes:
        short = self._incr_nonce.to_bytes(4, "big")
        self.checked_add("_incr_nonce", 1, 2**32 - 1)
        sealed = AESGCM(bytes(self.secret_key)).encrypt(short + bytes(8), bytes(data), bytes(header))
        return bytes(header) + sealed + short


@in_loop
async def test_the_other_mode() -> None:
    async with Discord() as emulator:
        guild = emulator.add_guild()
        channel = guild.add_voice_channel()
        ada = guild.add_human(11, "Ada")
        await ada.join(channel)
        async with plain_bot(emulator) as bot:
            client = await join(bot, channel, cls=AesClient)
            session = await guild.bot_in(channel)
            listener = Listener(client, ada)
            client.play(Packets(spoken(5)))
            await ada.speak(spoken(5))
            session.send_rtcp()
            await until(
                lambda: len(ada.heard) == 10 and listener.silence == 5 and listener.reports, "both have heard all"
            )
        assert session.mode == AES
        assert ada.heard_packets() == listener.opened == list(spoken(5))
        assert emulator.violations == []


WRONG_IDENTITIES: dict[str, tuple[int, dict[str, object]]] = {
    "token": (4004, {"token": "x"}),
    "session": (4006, {"session_id": "x"}),
    "user": (4006, {"user_id": "5"}),
    "server": (4011, {"server_id": "5"}),
    "no server": (4011, {"server_id": None}),
    "no DAVE": (4017, {"max_dave_protocol_version": 0}),
}


@pytest.mark.parametrize("wrong", WRONG_IDENTITIES)
@in_loop
async def test_identities_that_it_closes_for(wrong: str) -> None:
    code, changes = WRONG_IDENTITIES[wrong]
    async with Discord() as emulator:
        guild = emulator.add_guild()
        async with joined(emulator, guild, guild.add_voice_channel()) as (_, identity), voice(emulator, guild) as raw:
            assert (await raw.op(8))["heartbeat_interval"] == 13_750
            await raw.send(0, identity | changes)
            assert await raw.close_code() == code
        assert len(emulator.violations) == 1


@in_loop
async def test_a_stage_takes_a_client_without_dave_and_an_old_version_is_refused() -> None:
    async with Discord() as emulator:
        guild = emulator.add_guild()
        async with joined(emulator, guild, guild.add_voice_channel(stage=True)) as (_, identity):
            async with voice(emulator, guild, "?v=4") as raw:
                assert await raw.close_code() == 4001
            async with voice(emulator, guild) as raw:
                await raw.send(0, identity | {"max_dave_protocol_version": 0})
                udp, description = await described(raw, await raw.op(2), XCHACHA)
                udp.close()
                assert description["dave_protocol_version"] == 0
        assert emulator.violations == ["voice gateway: asks for another version than 8"]


WRONG_MESSAGES: dict[str, tuple[int, int, object]] = {
    "protocol": (4012, 1, {"protocol": "webrtc", "data": {}}),
    "mode": (4016, 1, {"protocol": "udp", "data": {"mode": "xsalsa20_poly1305"}}),
    "heartbeat": (4020, 3, {"t": 1}),
    "twice": (4005, 0, {}),
    "unknown": (4001, 99, {}),
    "transition": (4001, 23, {}),
    "no content": (4002, 3, None),
}


@pytest.mark.parametrize("wrong", WRONG_MESSAGES)
@in_loop
async def test_messages_that_it_closes_for(wrong: str) -> None:
    code, op, data = WRONG_MESSAGES[wrong]
    async with Discord() as emulator:
        guild = emulator.add_guild()
        async with joined(emulator, guild, guild.add_voice_channel()) as (_, identity):
            async with voice(emulator, guild) as raw:
                await raw.send(op, data or {})
                assert await raw.close_code() == (4003 if op else 4011)
            async with voice(emulator, guild) as raw:
                await raw.send(0, identity)
                ready = await raw.op(2)
                assert ready["modes"] == [AES, XCHACHA]
                await raw.send(3, {"t": 7, "seq_ack": -1})
                assert await raw.op(6) == {"t": 7}
                await raw.send(op, data)
                assert await raw.close_code() == code
        assert len(emulator.violations) == 2


@in_loop
async def test_what_is_sent_before_and_beside_the_call_is_reported() -> None:
    async with Discord() as emulator:
        guild = emulator.add_guild()
        async with joined(emulator, guild, guild.add_voice_channel()) as (_, identity), voice(emulator, guild) as raw:
            await raw.send(0, identity)
            ready = await raw.op(2)
            select = {"protocol": "udp", "data": {"address": "127.0.0.1", "port": 9, "mode": XCHACHA}}
            udp, _ = await described(raw, ready, AES)
            await raw.send(5, {"speaking": 1, "delay": 0, "ssrc": 1})
            await raw.send(5, {"speaking": "1", "delay": 0, "ssrc": ready["ssrc"]})
            await raw.send_binary(26, b"garbage")
            await raw.send_binary(28, b"garbage")
            await raw.send(23, {"transition_id": 0})
            await raw.send(23, {"transition_id": 9})
            await raw.send(31, {"transition_id": 9})
            await asyncio.get_running_loop().sock_sendall(udp, b"\x80\x78" + bytes(40))
            await asyncio.get_running_loop().sock_sendall(udp, b"\x90\x78" + bytes(10))
            await until(lambda: len(emulator.violations) == 9, "it is reported")
            udp.close()
            await raw.send(1, select)
            assert await raw.close_code() == 4005
        assert [one.split(": ", 1)[1] for one in sorted(emulator.violations[:9])] == sorted_reports(emulator.bot_id)


def sorted_reports(bot_id: int) -> list[str]:
    return [
        f"{bot_id} could not process transition 9, which is in order",
        f"{bot_id} said to be ready for transition 0, which is executed at once",
        f"{bot_id} said to be ready for transition 9, which nobody prepared",
        f"{bot_id} sent a commit that cannot be read: ",
        f"{bot_id} sent a key package that is not MLS 1.0",
        "a packet ends within its header",
        "a packet is not sealed with the session's key",
        "op 5 has no flags",
        "op 5 names another SSRC than the session's",
    ]


@pytest.mark.parametrize("early", [False, True])
@in_loop
async def test_the_order_of_messages(early: bool) -> None:
    async with Discord(Rules(early_external_sender=early, repeated_external_sender=True)) as emulator:
        guild = emulator.add_guild()
        channel = guild.add_voice_channel()
        ada = guild.add_human(11, "Ada")
        await ada.join(channel)
        ada.announce(1)
        async with joined(emulator, guild, channel) as (_, identity), voice(emulator, guild) as raw:
            await raw.send(0, identity)
            udp, _ = await described(raw, await raw.op(2), XCHACHA)
            udp.close()
            await raw.until(lambda message: message["op"] == (5 if early else 25))
            if not early:
                await raw.op(25)
            ops = [message["op"] for message in raw.received]
            assert ops == ([8, 2, 25, 25, 4, 11, 5] if early else [8, 2, 4, 11, 5, 25, 25])
            numbers = [message.get("seq") for message in raw.received]
            assert numbers == [None, None, 0, 1, 2, 3, 4]
        assert emulator.violations == []


@pytest.mark.parametrize("code", [1006, 4015])
@in_loop
async def test_a_session_is_resumed_with_what_was_not_acknowledged(code: int) -> None:
    async with Discord() as emulator:
        guild = emulator.add_guild()
        channel = guild.add_voice_channel()
        carol = guild.add_human(33, "Carol")
        async with joined(emulator, guild, channel) as (_, identity):
            async with voice(emulator, guild) as raw:
                await raw.send(0, identity)
                udp, description = await described(raw, await raw.op(2), XCHACHA)
                udp.close()
                await raw.op(25)
                guild.close_voice(code)
                assert await raw.close_code() == code
            await carol.join(channel, wait=False)
            resume = {name: identity[name] for name in ("server_id", "session_id", "token")}
            async with voice(emulator, guild) as raw:
                await raw.send(7, resume | {"seq_ack": 1})
                await raw.op(9)
                assert await raw.op(11) == {"user_ids": ["33"]}
                assert [message.get("seq") for message in raw.received] == [None, None, 2]
                assert guild.voice is not None
                assert (guild.voice.key, guild.voice.resumed) == (bytes(description["secret_key"]), 1)
                guild.close_voice(4009)
                assert await raw.close_code() == 4009
            assert guild.voice.over
            async with voice(emulator, guild) as raw:
                await raw.send(7, resume | {"seq_ack": 1})
                assert await raw.close_code() == 4006
        assert emulator.violations == ["voice gateway: a session that cannot be resumed"]


@in_loop
async def test_a_session_that_is_not_resumed_is_over() -> None:
    async with Discord(Rules(resumable=0.1)) as emulator:
        guild = emulator.add_guild()
        async with joined(emulator, guild, guild.add_voice_channel()) as (_, identity), voice(emulator, guild) as raw:
            await raw.send(0, identity)
            await raw.op(2)
            session = guild.voice
            assert session is not None
            guild.close_voice(1006)
            await until(lambda: session.over, "it is over")


@in_loop
async def test_how_the_bot_is_put_out_and_sent_elsewhere() -> None:
    async with Discord() as emulator:
        guild = emulator.add_guild()
        first, second = guild.add_voice_channel("First"), guild.add_voice_channel("Second")

        async def code_of(what: Any, *args: Any, **options: Any) -> int | None:
            async with voice(emulator, guild) as raw:
                await raw.send(0, identity)
                await raw.op(2)
                what(*args, **options)
                return await raw.close_code()

        async with joined(emulator, guild, first) as (gateway, identity):
            assert await code_of(emulator.close_voice, guild, 4006) == 4006
            assert await code_of(guild.move_bot, second) == 4014
            assert (await gateway.event("VOICE_STATE_UPDATE"))["channel_id"] == str(second.id)
            server = await gateway.event("VOICE_SERVER_UPDATE")
            identity["token"] = server["token"]
            assert await code_of(guild.change_voice_server, awaited=True) == 4014
            assert (await gateway.event("VOICE_SERVER_UPDATE"))["endpoint"] is None
            guild.change_voice_server()
            other = await gateway.event("VOICE_SERVER_UPDATE")
            assert other["endpoint"] != server["endpoint"]
            identity["token"] = other["token"]
            assert await code_of(second.delete) == 4022
            assert (await gateway.event("VOICE_STATE_UPDATE"))["channel_id"] is None
            assert (await gateway.event("CHANNEL_DELETE"))["id"] == str(second.id)
        assert emulator.violations == []


def test_a_network_has_the_same_accidents_each_time() -> None:
    journeys = [Network(loss=0.2, duplicates=0.2, late=0.2, jitter=0.01).journeys() for _ in range(2)]
    assert journeys[0] == journeys[1]
    network = Network(loss=0.2, duplicates=0.3, late=0.1, lateness=0.06, seed=5)
    many = [network.journeys() for _ in range(2000)]
    assert 0.17 < sum(not one for one in many) / 2000 < 0.23
    assert 0.2 < sum(len(one) == 2 for one in many) / 2000 < 0.28
    assert {delay for one in many for delay in one} == {0.0, 0.06}
    assert [Network().journeys() for _ in range(3)] == [[0.0]] * 3


@in_loop
async def test_packets_are_lost_late_and_come_twice() -> None:
    async with Discord(Rules(network=Network(loss=0.2, duplicates=0.2, late=0.2))) as emulator:
        guild = emulator.add_guild()
        channel = guild.add_voice_channel()
        ada = guild.add_human(11, "Ada")
        await ada.join(channel)
        async with plain_bot(emulator) as bot:
            client = await join(bot, channel)
            session = await guild.bot_in(channel)
            listener = Listener(client, ada)
            await ada.speak(spoken(40), pace=0.002, silence=0)
            # One packet that nobody seals is no sound.
            session.send_raw(bytes(8))
            expected = session.transport.nonce if session.transport else 0
            await until(lambda: len(listener.sequences) >= max(expected, 30), "all have arrived")
        found = listener.sequences
        assert set(found) < set(range(100, 140))
        assert len(set(found)) < len(found)
        assert found != sorted(found)
        assert emulator.violations == []
