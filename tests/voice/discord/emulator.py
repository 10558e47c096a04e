"""Discord on loopback, for a voice bot: REST, gateway, voice gateways, UDP, and the people in voice channels."""

from __future__ import annotations

import ssl
import tempfile
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Self

from aiohttp import web

from tests.voice.discord import payloads
from tests.voice.discord.certificate import make_authority
from tests.voice.discord.channels import Channel, VoiceChannel
from tests.voice.discord.gateway import Gateway
from tests.voice.discord.guild import Guild
from tests.voice.discord.rest import Rest
from tests.voice.discord.rules import Rules
from tests.voice.discord.voice_server import VoiceServer
from tests.voice.discord.waiting import Timers

if TYPE_CHECKING:
    from tests.voice.discord.rest import Edited, Message

FIRST_ID = 1_400_000_000_000_000_000


class Discord:
    """An asynchronous context; lives in the loop that enters it.

    Attributes:
        rules: Change how it behaves, at any time.
        violations: What a bot did that Discord would refuse, or that shows anybody what people say.
    """

    def __init__(self, rules: Rules | None = None, *, token: str = "bot-token", bot_name: str = "Trainger") -> None:
        self.rules = rules or Rules()
        self.token = token
        self.bot_name = bot_name
        self._ids = count(FIRST_ID)
        self.bot_id = self.new_id()
        self.violations: list[str] = []
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.voice_servers = [VoiceServer(self), VoiceServer(self)]
        self.gateway = Gateway(self)
        self.rest = Rest(self)
        self.api_base_url = ""
        self.gateway_url = ""
        self.certificate = Path()
        self.timers = Timers()
        self._runners: list[web.AppRunner] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    async def __aenter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory()
        self.certificate, tls = make_authority(Path(self._folder.name))
        rest = web.Application(client_max_size=50 << 20)
        rest.router.add_route("*", "/{path:.*}", self.rest.request)
        self.api_base_url = f"http://127.0.0.1:{await self._serve(rest, None)}/api/v10"
        gateway = web.Application()
        gateway.router.add_get("/", self.gateway.connection)
        self.gateway_url = f"wss://127.0.0.1:{await self._serve(gateway, tls)}/"
        for server in self.voice_servers:
            await server.start(tls)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.timers.cancel()
        for shard in {session.shard[0] for session in self.gateway.sessions}:
            self.gateway.drop(1001, shard=shard)
        for server in self.voice_servers:
            await server.stop()
        for runner in self._runners:
            await runner.cleanup()
        for channel in self.channels.values():
            if isinstance(channel, VoiceChannel):
                channel.call.close()
        if self._folder is not None:
            self._folder.cleanup()

    async def _serve(self, app: web.Application, tls: ssl.SSLContext | None) -> int:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        self._runners.append(runner)
        return int(runner.addresses[0][1])

    def ssl_context(self) -> ssl.SSLContext:
        """For a client in this process."""
        return ssl.create_default_context(cafile=str(self.certificate))

    # The world

    def add_guild(self, name: str = "Guild", *, shard: int = 0, shards: int = 1) -> Guild:
        """A server that the bot is in; its id falls to the given one of so many shards."""
        guild_id = self.new_id()
        while (guild_id >> 22) % shards != shard:
            guild_id += 1 << 22
        guild = Guild(self, guild_id, name)
        self.guilds[guild_id] = guild
        self.gateway.dispatch(guild_id, "GUILD_CREATE", payloads.guild_create(guild))
        return guild

    def new_id(self) -> int:
        return next(self._ids)

    def complain(self, what: str) -> None:
        self.violations.append(what)

    # Accidents

    def close_voice(self, guild: Guild, code: int) -> None:
        guild.close_voice(code)

    def drop_gateway(self, code: int = 1006, *, resumable: bool = True, shard: int = 0) -> None:
        self.gateway.drop(code, resumable=resumable, shard=shard)

    # What the bot wrote

    @property
    def sent_messages(self) -> list[Message]:
        return self.rest.messages

    @property
    def edits(self) -> list[Edited]:
        """Of replies to interactions."""
        return self.rest.edits
