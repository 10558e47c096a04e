"""The gateway: with two clients of discord.py, and with one that does what no proper client does."""

from __future__ import annotations

import json
import zlib
from functools import partial
from typing import Any

import aiohttp
import pytest

from tests.voice.discord import Discord, Rules, permissions, until
from tests.voice.discord.plain_bot import discord, plain_bot
from tests.voice.discord.raw_client import RawSocket, gateway, identity
from tests.voice.discord.running import in_loop


@in_loop
async def test_two_shards_side_by_side_see_their_own_servers() -> None:
    async with Discord() as emulator:
        ours, theirs = emulator.add_guild("Ours", shard=0, shards=2), emulator.add_guild("Theirs", shard=1, shards=2)
        async with (
            plain_bot(emulator, shard_id=0, shard_count=2) as first,
            plain_bot(emulator, shard_id=1, shard_count=2) as second,
        ):
            assert [guild.id for guild in first.guilds] == [ours.id]
            assert [guild.id for guild in second.guilds] == [theirs.id]
            assert [session.shard for session in emulator.gateway.sessions] == [(0, 2), (1, 2)]
            channels = ours.add_voice_channel(), theirs.add_voice_channel()
            voices = []
            for bot, guild, channel in zip((first, second), (ours, theirs), channels, strict=True):
                await until(partial(bot.get_channel, channel.id), "the channel is known")
                found = bot.get_channel(channel.id)
                assert isinstance(found, discord.VoiceChannel)
                await found.connect()
                voices.append(await guild.bot_in(channel))
            emulator.drop_gateway(shard=1)
            await until(lambda: emulator.gateway.sessions[1].resumed, "the second has resumed")
            assert emulator.gateway.sessions[0].resumed == 0
            assert [voice.over for voice in voices] == [False, False]
        assert emulator.violations == []


@in_loop
async def test_what_discord_py_makes_of_a_server() -> None:
    async with Discord(bot_name="Trainger") as emulator:
        guild = emulator.add_guild("Guild")
        guild.locale, guild.bot_nick = "ru", "Teacher"
        text, channel = guild.add_text_channel(), guild.add_voice_channel("Voice", user_limit=3)
        stage, ada, carol = (
            guild.add_voice_channel("Stage", stage=True),
            guild.add_human(11, "Ada"),
            guild.add_human(33, "C"),
        )
        await ada.join(channel)
        async with plain_bot(emulator) as bot:
            found = bot.get_guild(guild.id)
            assert found is not None
            assert (found.name, str(found.preferred_locale), found.me.display_name) == ("Guild", "ru", "Teacher")
            voice = found.get_channel(channel.id)
            assert isinstance(voice, discord.VoiceChannel)
            assert isinstance(found.get_channel(stage.id), discord.StageChannel)
            assert isinstance(found.get_channel(text.id), discord.TextChannel)
            assert ([member.display_name for member in voice.members], voice.user_limit) == (["Ada"], 3)
            assert voice.permissions_for(found.me).connect
            channel.deny(permissions.CONNECT)
            await until(lambda: not voice.permissions_for(found.me).connect, "the overwrite is known")
            guild.set_bot_permissions(0)
            await until(lambda: not found.me.guild_permissions.speak, "the permissions are known")
            await carol.join(channel)
            carol.mute(by_self=True)
            await until(
                lambda: [one.id for one in voice.members if one.voice and one.voice.self_mute] == [33], "it is known"
            )
            await ada.move(stage)
            await carol.leave()
            await until(lambda: not voice.members, "they are gone")
            assert [member.id for member in found.stage_channels[0].members] == [11]
            channel.delete()
            await until(lambda: found.get_channel(channel.id) is None, "it is deleted")
            guild.fail()
            await until(lambda: found.unavailable, "it fails")
            guild.recover()
            await until(lambda: bot.get_guild(guild.id) and not bot.guilds[0].unavailable, "it recovers")
            guild.delete()
            await until(lambda: not bot.guilds, "the bot is out of it")
        assert emulator.violations == []


@pytest.mark.parametrize("wrong", ["token", "shard", "properties", "twice", "late", "unknown", "json", "version"])
@in_loop
async def test_what_it_closes_for(wrong: str) -> None:
    code = {
        "token": 4004,
        "shard": 4010,
        "properties": 4002,
        "twice": 4005,
        "late": 4003,
        "unknown": 4001,
        "json": 4002,
        "version": 4012,
    }
    async with Discord() as emulator:
        async with gateway(emulator, "?v=9&encoding=json" if wrong == "version" else "?v=10") as raw:
            sent: dict[str, dict[str, Any]] = {
                "token": {"token": "x"},
                "shard": {"shard": [2, 2]},
                "properties": {"properties": {}},
            }
            if wrong == "late":
                await raw.send(4, {"guild_id": "1"})
            elif wrong == "json":
                await raw.websocket.send_str("{")
            else:
                await raw.send(2, identity(emulator, **sent.get(wrong, {})))
            if wrong == "twice":
                await raw.send(2, identity(emulator))
            if wrong == "unknown":
                await raw.send(99, {})
            assert await raw.close_code() == code[wrong]
        assert len(emulator.violations) == 1


@in_loop
async def test_other_intents_are_reported() -> None:
    async with Discord() as emulator:
        async with gateway(emulator) as raw:
            await raw.send(2, identity(emulator, intents=129 | 1 << 15))
            ready = await raw.event("READY")
        assert ready["user"]["id"] == str(emulator.bot_id)
        assert emulator.violations == ["gateway: intents are 32897, not 129"]


@in_loop
async def test_too_many_messages() -> None:
    async with Discord() as emulator, gateway(emulator) as raw:
        await raw.send(2, identity(emulator))
        for _ in range(119):
            await raw.send(1, None)
        await raw.until(lambda _: len([one for one in raw.received if one["op"] == 11]) == 119)
        assert emulator.violations == []
        await raw.send(1, None)
        assert await raw.close_code() == 4008


@in_loop
async def test_a_session_is_resumed_with_what_it_missed_unless_it_is_over() -> None:
    async with Discord(Rules(session_lives=60)) as emulator:
        guild = emulator.add_guild()
        async with gateway(emulator) as raw:
            await raw.send(2, identity(emulator))
            ready = await raw.event("READY")
            await raw.event("GUILD_CREATE")
            emulator.drop_gateway()
            assert await raw.close_code() == 1006
        guild.add_voice_channel("Missed")
        resume = {"token": emulator.token, "session_id": ready["session_id"], "seq": 2}
        async with gateway(emulator) as raw:
            await raw.send(6, resume)
            assert (await raw.event("CHANNEL_CREATE"))["name"] == "Missed"
            await raw.event("RESUMED")
            emulator.gateway.ask_to_reconnect()
            await raw.op(7)
            emulator.drop_gateway(4009, resumable=False)
            assert await raw.close_code() == 4009
        async with gateway(emulator) as raw:
            await raw.send(6, resume)
            assert await raw.op(9) is False
            await raw.send(2, identity(emulator))
            second = await raw.event("READY")
        async with gateway(emulator) as raw:
            await raw.send(6, resume | {"session_id": second["session_id"], "seq": 1000})
            assert await raw.op(9) is False  # closed by the client: the session is over
        assert emulator.violations == []


@in_loop
async def test_a_session_that_is_not_resumed_leaves_its_channels() -> None:
    async with Discord(Rules(session_lives=0.1)) as emulator:
        guild = emulator.add_guild()
        channel = guild.add_voice_channel()
        async with gateway(emulator) as raw:
            await raw.send(2, identity(emulator))
            await raw.event("GUILD_CREATE")
            await raw.send(4, {"guild_id": str(guild.id), "channel_id": str(channel.id)})
            await raw.event("VOICE_SERVER_UPDATE")
            assert guild.bot_channel is channel
            emulator.drop_gateway()
            await raw.close_code()
        await until(lambda: guild.bot_channel is None, "it has left")


@in_loop
async def test_op_4_is_answered_only_if_the_bot_may_enter() -> None:
    async with Discord() as emulator:
        guild = emulator.add_guild()
        text, small, closed = (
            guild.add_text_channel(),
            guild.add_voice_channel(user_limit=1),
            guild.add_voice_channel(),
        )
        hidden, open_ = guild.add_voice_channel(), guild.add_voice_channel()
        await guild.add_human(11, "Ada").join(small)
        closed.deny(permissions.CONNECT)
        hidden.deny(permissions.VIEW_CHANNEL)
        async with gateway(emulator) as raw:
            await raw.send(2, identity(emulator))
            for channel_id in (text.id, small.id, closed.id, hidden.id, 5, open_.id, open_.id):
                await raw.send(4, {"guild_id": str(guild.id), "channel_id": str(channel_id)})
            await raw.send(4, {"guild_id": str(guild.id), "channel_id": str(open_.id), "self_mute": True})
            await raw.until(lambda message: message.get("t") == "VOICE_STATE_UPDATE" and message["d"]["self_mute"])
            states = [one["d"]["channel_id"] for one in raw.received if one.get("t") == "VOICE_STATE_UPDATE"]
            assert states == [str(open_.id)] * 2
            guild.set_bot_permissions(guild.bot_permissions | permissions.MOVE_MEMBERS)
            await raw.send(4, {"guild_id": str(guild.id), "channel_id": str(small.id)})
            assert (await raw.event("VOICE_STATE_UPDATE"))["channel_id"] == str(small.id)
            await raw.send(4, {"guild_id": str(guild.id), "channel_id": None})
            assert (await raw.event("VOICE_STATE_UPDATE"))["channel_id"] is None
            await raw.send(4, {"guild_id": "12", "channel_id": None})
            await until(lambda: emulator.violations, "it is reported")
        assert emulator.violations == ["gateway: op 4 for a server that is not the shard's"]


@in_loop
async def test_compression_as_a_stream() -> None:
    async with Discord() as emulator:
        emulator.add_guild()
        async with gateway(emulator, "?v=10&encoding=json&compress=zlib-stream") as raw:
            inflate = zlib.decompressobj()

            async def read(raw: RawSocket = raw) -> int:
                message = await raw.websocket.receive()
                assert message.type is aiohttp.WSMsgType.BINARY
                op: int = json.loads(inflate.decompress(message.data))["op"]
                return op

            assert await read() == 10
            await raw.send(2, identity(emulator))
            assert [await read(), await read()] == [0, 0]
