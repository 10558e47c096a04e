"""The gateway client: shards, certificates, what is kept, what is logged, and what is used of discord.py."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import ssl
from importlib.metadata import version
from unittest.mock import patch

import discord
import pytest

from tests.voice.connection.sidecar import channel_with, sidecar
from tests.voice.discord import Discord, until
from tests.voice.discord.running import in_loop
from voice_sidecar.connection import library
from voice_sidecar.connection.client import SidecarClient, check_shards, make_client


def test_what_is_used_of_discord_py_is_there() -> None:
    assert version("discord.py") == "2.7.1"
    for owner, name in library.UNDOCUMENTED:
        assert hasattr(owner, name), f"{owner.__name__}.{name}"
    assert [*inspect.signature(discord.http.HTTPClient.edit_my_voice_state).parameters] == [
        "self",
        "guild_id",
        "payload",
    ]
    methods = {"connect", "disconnect", "on_voice_state_update", "on_voice_server_update", "cleanup"}
    assert methods <= set(vars(discord.VoiceProtocol))


def test_nothing_else_is_used_that_has_no_name_in_public() -> None:
    """Of a private name, only the file that lists them knows."""
    from voice_sidecar import connection

    sources = [inspect.getsource(__import__(f"{connection.__name__}.{name}", fromlist=["_"])) for name in MODULES]
    for source in sources:
        assert "_connection" not in source.replace("voice_connection", "")
        assert "discord.gateway" not in source
        assert "discord.http" not in source


MODULES = ("bulletin", "call", "client", "connections", "door", "keeper", "line", "media", "people", "session")

WRONG_SHARDS = [([0], None), ([], 2), ([2], 2), ([-1], 2), ([0, 0], 2), (None, 0)]


@pytest.mark.parametrize(("ids", "count"), WRONG_SHARDS)
def test_shards_that_make_no_sense(ids: list[int] | None, count: int | None) -> None:
    with pytest.raises(ValueError, match="shard"):
        check_shards(ids, count)


def test_shards_that_do() -> None:
    for ids, count in (([0, 1], 2), (None, 4), (None, None)):
        check_shards(ids, count)


@in_loop
async def test_only_guilds_and_voice_states_and_nothing_is_kept_beside_them() -> None:
    async with channel_with("Ada", absent=["Carol"]) as (emulator, channel, _), sidecar(emulator) as it:
        assert it.client.intents == discord.Intents(guilds=True, voice_states=True)
        cached = it.client.get_guild(channel.guild.id)
        assert cached is not None
        assert {member.id for member in cached.members} == {11, emulator.bot_id}
        assert len(it.client.cached_messages) == 0
        assert not [message for message in emulator.gateway.received if message["op"] == 8]
    assert emulator.violations == []


@in_loop
async def test_the_authority_in_ssl_cert_file_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    async with channel_with() as (emulator, channel, _):
        monkeypatch.setattr(emulator, "ssl_context", lambda: None)
        monkeypatch.setenv("SSL_CERT_FILE", str(emulator.certificate))
        async with sidecar(emulator) as it:
            await it.join(channel)


@in_loop
async def test_others_are_not(caplog: pytest.LogCaptureFixture) -> None:
    """Neither by the gateway's connection nor by the voice server's."""
    async with channel_with() as (emulator, channel, _), sidecar(emulator) as it:
        it.client.tls = ssl.create_default_context()
        with contextlib.suppress(Exception):
            await asyncio.wait_for(it.connections.join(channel.guild.id, channel.id), 1)
        assert channel.guild.voices == []
    assert "ClientConnectorCertificateError" in caplog.text
    with patch.object(library, "use_api"), patch.object(discord.http.Route, "BASE", emulator.api_base_url):
        client = make_client()
        running = asyncio.create_task(client.start(emulator.token))
        before = len(emulator.gateway.sessions)
        await asyncio.sleep(0.3)
        assert len(emulator.gateway.sessions) == before
        await client.close()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@in_loop
async def test_identifying_again_waits_its_turn() -> None:
    client = SidecarClient()
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    with patch("voice_sidecar.connection.client.asyncio.sleep", sleep):
        await client.before_identify_hook(0, initial=True)
        assert slept == []
        await client.before_identify_hook(1)
        await client.before_identify_hook(None)
    assert len(slept) == 2
    assert all(4.5 < seconds <= 5.0 for seconds in slept)


def test_secrets_are_kept_out_of_logs() -> None:
    logger = logging.getLogger("discord")
    level = logger.level
    try:
        logger.setLevel(logging.DEBUG)
        library.keep_secrets_out_of_logs()
        assert not logging.getLogger("discord.gateway").isEnabledFor(logging.DEBUG)
        logger.setLevel(logging.ERROR)
        library.keep_secrets_out_of_logs()
        assert logger.level == logging.ERROR
    finally:
        logger.setLevel(level)


@in_loop
async def test_nothing_secret_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with channel_with() as (emulator, channel, _), sidecar(emulator) as it:
        _, voice = await it.join(channel)
        channel.guild.close_voice(4006)
        await until(lambda: channel.guild.voice is not voice, "there is another")
    ours = [record for record in caplog.records if record.name.split(".")[0] in ("voice_sidecar", "discord")]
    text = "\n".join(record.getMessage() + str(vars(record)) for record in ours)
    assert ours
    for secret in (emulator.token, voice.token, str(list(voice.key))):
        assert secret not in text


@in_loop
async def test_closing_a_client_that_listens_to_nobody() -> None:
    async with Discord() as emulator:
        emulator.add_guild()
        async with sidecar(emulator) as it:
            await it.client.close()
            await it.client.close()
            for event in (it.client.on_shard_connect, it.client.on_shard_resumed, it.client.on_shard_disconnect):
                await event(0)


@in_loop
async def test_what_was_never_started_can_be_closed() -> None:
    client = make_client()
    await client.close()
    assert not client.up
