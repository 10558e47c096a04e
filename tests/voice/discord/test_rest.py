"""REST: as discord.py uses it, and as Discord's OpenAPI document has it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.voice.discord import Discord, permissions
from tests.voice.discord.plain_bot import discord, plain_bot
from tests.voice.discord.rest import Fault
from tests.voice.discord.running import in_loop

if TYPE_CHECKING:
    from tests.discord import OpenApi


@in_loop
async def test_what_discord_py_asks_for_and_gets_is_as_documented(discord_openapi: OpenApi) -> None:
    async with Discord() as emulator:
        guild = emulator.add_guild()
        text, channel = guild.add_text_channel(), guild.add_voice_channel()
        ada = guild.add_human(11, "Ada")
        await ada.join(channel)
        async with plain_bot(emulator) as bot:
            place = bot.get_channel(text.id)
            assert isinstance(place, discord.TextChannel)
            message = await place.send("Hello", silent=True)
            await message.edit(content="Hello again")
            await place.send(file=discord.File(io.BytesIO(b"x"), "x.txt"))
            await message.delete()
            found = await bot.fetch_guild(guild.id, with_counts=False)
            state = await (await found.fetch_member(11)).fetch_voice()
            assert (state.session_id, state.self_mute) == (guild.voice_states[11].session_id, False)
            await bot.fetch_channel(channel.id)
            voice = bot.get_channel(channel.id)
            assert isinstance(voice, discord.VoiceChannel)
            await voice.edit(status="Lesson")
            await bot.http.request(discord.http.Route("GET", "/gateway/bot"))
        requests = emulator.rest.requests
        assert [one.status for one in requests if one.status >= 300] == []
        problems = []
        for one in requests:
            if one.body is not None and not one.files:
                # discord.py names it in edits too, where the document does not have it.
                one.body.pop("tts", None)
                problems.append((one.path, discord_openapi.request_errors(one.method, one.path, one.body)))
            problems.append((one.path, discord_openapi.answer_errors(one.method, one.path, one.status, one.answer)))
        assert [(path, problem) for path, problem in problems if problem] == []
        assert len(requests) > 8
        assert emulator.violations == []


@in_loop
async def test_what_the_bot_writes_is_kept() -> None:
    async with Discord() as emulator:
        guild = emulator.add_guild()
        text = guild.add_text_channel()
        async with plain_bot(emulator) as bot:
            place = bot.get_channel(text.id)
            assert isinstance(place, discord.TextChannel)
            message = await place.send("Hello")
            await message.edit(content="Bye")
            await place.send("A file", file=discord.File(io.BytesIO(b"x"), "x.txt"))
            text.deny(permissions.SEND_MESSAGES)
            with pytest.raises(discord.Forbidden):
                await place.send("No")
            emulator.rest.faults.append(Fault("POST", "/channels/.*", 400, {"code": 50035, "message": "Invalid"}))
            text.deny(0)
            with pytest.raises(discord.HTTPException):
                await place.send("No")
            await place.send("Yes")
            with pytest.raises(discord.HTTPException):
                await place.send("x" * 2001)
        assert [(one.channel_id, one.content, one.files) for one in emulator.sent_messages] == [
            (text.id, "Bye", ()),
            (text.id, "A file", ("x.txt",)),
            (text.id, "Yes", ()),
        ]


@in_loop
async def test_replies_to_interactions_and_what_is_refused() -> None:
    async with Discord() as emulator, aiohttp.ClientSession() as session:
        guild = emulator.add_guild()
        stage = guild.add_voice_channel(stage=True)
        agent = {"User-Agent": "DiscordBot (https://example.org, 1)"}
        token = {"Authorization": f"Bot {emulator.token}"}

        async def ask(method: str, path: str, headers: dict[str, str], **more: object) -> tuple[int, object]:
            async with session.request(method, emulator.api_base_url + path, headers=headers, **more) as answer:  # type: ignore[arg-type]
                return answer.status, await answer.json() if answer.status != 204 else None

        hook = f"/webhooks/{emulator.bot_id}/abc"
        body = {"content": "Joined"}
        assert (await ask("PATCH", f"{hook}/messages/@original", agent, json=body))[0] == 200
        assert (await ask("POST", hook, agent, json=body))[0] == 200
        assert (await ask("POST", hook, agent, json={}))[0] == 400
        assert (await ask("PATCH", "/webhooks/5/abc/messages/@original", agent, json=body))[0] == 404
        assert [(one.method, one.token, one.content) for one in emulator.edits] == [
            ("PATCH", "abc", "Joined"),
            ("POST", "abc", "Joined"),
        ]
        me = f"/guilds/{guild.id}/voice-states/@me"
        assert (await ask("GET", me, agent | token))[1] == {"code": 10065, "message": "Unknown Voice State"}
        guild.place(emulator.bot_id, stage, "session")
        assert (await ask("PATCH", me, agent | token, json={"suppress": False}))[0] == 403
        guild.set_bot_permissions(guild.bot_permissions | permissions.MUTE_MEMBERS)
        assert (await ask("PATCH", me, agent | token, json={"suppress": False}))[0] == 204
        assert guild.bot_state is not None
        assert not guild.bot_state.suppress
        assert emulator.violations == []
        assert (await ask("GET", "/users/@me", agent))[0] == 401
        assert (await ask("GET", "/users/@me", token))[0] == 200
        assert "User-Agent" in emulator.violations.pop()
        assert (await ask("GET", "/nothing", agent | token))[0] == 404
        assert emulator.violations == ["REST: there is no GET /nothing"]
