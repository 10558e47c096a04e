"""discord.py as it is, as the bot: the emulator is tested with a client that others wrote."""

from __future__ import annotations

import asyncio
import contextlib
import warnings
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import aiohttp
import davey
import yarl

from tests.voice.discord.sealing import SILENCE, TRAILER
from voice_sidecar.receiving.rtp import Kind, kind_of, media_of, parse_header
from voice_sidecar.receiving.transport import Mode, Opener

with warnings.catch_warnings():
    # It imports `audioop`, which Python is about to drop.
    warnings.simplefilter("ignore", DeprecationWarning)
    import discord
    from discord.gateway import DiscordWebSocket
    from discord.http import Route

__all__ = ["Listener", "Packets", "discord", "join", "plain_bot"]

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from tests.voice.discord.channels import VoiceChannel
    from tests.voice.discord.emulator import Discord
    from tests.voice.discord.human import Human


@contextlib.asynccontextmanager
async def plain_bot(emulator: Discord, **options: Any) -> AsyncIterator[discord.Client]:
    """A client that is connected and ready. Options are those of `discord.Client`."""
    options.setdefault("guild_ready_timeout", 0.1)
    options.setdefault("intents", discord.Intents(guilds=True, voice_states=True))
    gateway = yarl.URL(emulator.gateway_url)
    with (
        patch.object(Route, "BASE", emulator.api_base_url),
        patch.object(DiscordWebSocket, "DEFAULT_GATEWAY", gateway),
    ):
        connector = aiohttp.TCPConnector(ssl=emulator.ssl_context())
        client = discord.Client(connector=connector, **options)
        running = asyncio.create_task(client.start(emulator.token))
        try:
            await asyncio.wait(
                [running, asyncio.create_task(client.wait_until_ready())],
                return_when=asyncio.FIRST_COMPLETED,
                timeout=10,
            )
            if running.done():
                await running
            yield client
        finally:
            await client.close()
            await asyncio.gather(running, return_exceptions=True)


async def join(bot: discord.Client, channel: VoiceChannel, **options: Any) -> discord.VoiceClient:
    """discord.py's own voice connection."""
    found = bot.get_channel(channel.id)
    assert isinstance(found, discord.VoiceChannel | discord.StageChannel)
    client = await found.connect(timeout=10, **options)
    assert isinstance(client, discord.VoiceClient)
    return client


class Packets(discord.AudioSource):
    """Opus that is sent as it is."""

    def __init__(self, packets: Iterable[bytes]) -> None:
        self._packets = iter(packets)

    def read(self) -> bytes:
        return next(self._packets, b"")

    def is_opus(self) -> bool:
        return True


class Listener:
    """Opens what arrives, with the product's own RTP and with davey."""

    def __init__(self, client: discord.VoiceClient, *humans: Human) -> None:
        self.client = client
        self.opened: list[bytes] = []
        self.silence = 0
        self.reports = 0
        self.sequences: list[int] = []
        self.problems: list[str] = []
        self._users = {human.ssrc: human.user_id for human in humans}
        self._loop = client.loop
        client._connection.add_socket_listener(self._datagram)

    def _datagram(self, datagram: bytes) -> None:
        self._loop.call_soon_threadsafe(self._open, datagram)

    def _open(self, datagram: bytes) -> None:
        connection = self.client._connection
        opener = Opener(Mode(connection.mode), bytes(connection.secret_key))
        if kind_of(datagram) is Kind.RTCP:
            opener.open(datagram, 8)
            self.reports += 1
            return
        header = parse_header(datagram)
        frame = media_of(header, opener.open(datagram, header.size)[0])
        self.sequences.append(header.sequence)
        if frame == SILENCE:
            self.silence += 1
        elif not frame.endswith(TRAILER):
            self.opened.append(frame)
        else:
            assert connection.dave_session is not None
            try:
                user_id = self._users[header.ssrc]
                self.opened.append(connection.dave_session.decrypt(user_id, davey.MediaType.audio, frame))
            except ValueError as error:
                self.problems.append(str(error))
