"""Discord's gateway, version 10, in JSON: sessions of shards, which survive their websockets."""

from __future__ import annotations

import json
import secrets
import time
import zlib
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from tests.voice.discord import payloads
from tests.voice.discord.outbox import Outbox

if TYPE_CHECKING:
    from tests.voice.discord.emulator import Discord

INTENTS = 1 << 0 | 1 << 7
"""GUILDS and GUILD_VOICE_STATES."""
MOST_MESSAGES, WINDOW = 120, 60.0


class Refused(Exception):
    """A message that the gateway closes for."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code


class GatewaySession:
    """One shard of the bot."""

    def __init__(self, discord: Discord, shard: tuple[int, int]) -> None:
        self.discord = discord
        self.id = secrets.token_hex(16)
        self.shard = shard
        self.sequence = 0
        self.events: list[tuple[int, str]] = []
        self.socket: Socket | None = None
        self.over = False
        self.resumed = 0

    def has(self, guild_id: int) -> bool:
        number, total = self.shard
        return (guild_id >> 22) % total == number

    def dispatch(self, event: str, data: dict[str, Any]) -> None:
        self.sequence += 1
        text = json.dumps({"op": 0, "t": event, "s": self.sequence, "d": data})
        self.events.append((self.sequence, text))
        if self.socket is not None:
            self.socket.send(text)

    def end(self) -> None:
        """With it, the bot leaves the voice channels that it joined by this session."""
        if self.over:
            return
        self.over = True
        for guild in list(self.discord.guilds.values()):
            if guild.bot_state is not None and guild.bot_state.session_id == self.id:
                guild.kick_bot()


class Socket:
    """One websocket, with its compression."""

    def __init__(self, outbox: Outbox, *, compressed: bool) -> None:
        self.outbox = outbox
        self._zlib = zlib.compressobj() if compressed else None
        self.messages: list[float] = []
        self.session: GatewaySession | None = None

    def send(self, text: str) -> None:
        if self._zlib is None:
            self.outbox.send(text)
        else:
            self.outbox.send(self._zlib.compress(text.encode()) + self._zlib.flush(zlib.Z_SYNC_FLUSH))


class Gateway:
    """Of one bot."""

    def __init__(self, discord: Discord) -> None:
        self.discord = discord
        self.sessions: list[GatewaySession] = []
        self.heartbeats: list[float] = []
        self.received: list[dict[str, Any]] = []

    def dispatch(self, guild_id: int, event: str, data: dict[str, Any]) -> None:
        for session in self.sessions:
            if not session.over and session.has(guild_id):
                session.dispatch(event, data)

    def drop(self, code: int = 1006, *, resumable: bool = True, shard: int = 0) -> None:
        """Closes the websocket of a shard. Not `resumable`, the session is over."""
        for session in self._living(shard):
            if session.socket is not None:
                session.socket.outbox.close(code)
                session.socket = None
            if not resumable:
                session.end()

    def ask_to_reconnect(self, shard: int = 0) -> None:
        """Op 7."""
        for session in self._living(shard):
            if session.socket is not None:
                session.socket.send(json.dumps({"op": 7, "d": None}))

    def _living(self, shard: int) -> list[GatewaySession]:
        return [session for session in self.sessions if not session.over and session.shard[0] == shard]

    async def connection(self, request: web.Request) -> web.WebSocketResponse:
        response = web.WebSocketResponse(timeout=1.0)
        await response.prepare(request)
        outbox = Outbox(response, request)
        socket = Socket(outbox, compressed=request.query.get("compress") == "zlib-stream")
        interval = 1000 * self.discord.rules.gateway_heartbeat
        socket.send(json.dumps({"op": 10, "d": {"heartbeat_interval": interval, "_trace": []}}))
        try:
            if (request.query.get("v"), request.query.get("encoding", "json")) != ("10", "json"):
                raise Refused(4012, "another version than 10, or another encoding than JSON")
            async for message in outbox.messages():
                if message.type is WSMsgType.TEXT:
                    self._receive(socket, message.data)
        except Refused as refused:
            self.discord.complain(f"gateway: {refused}")
            outbox.close(refused.code)
        finally:
            await outbox.finish()
            self._lost(socket, response.close_code)
        return response

    def _lost(self, socket: Socket, code: int | None) -> None:
        session = socket.session
        if session is None or session.socket not in (socket, None):
            return
        session.socket = None
        if code in (1000, 1001):
            session.end()
        else:
            self.discord.timers.later(self.discord.rules.session_lives, lambda: self._give_up(session))

    def _give_up(self, session: GatewaySession) -> None:
        if session.socket is None:
            session.end()

    def _receive(self, socket: Socket, text: str) -> None:
        try:
            message = json.loads(text)
            op, data = message["op"], message["d"]
        except (ValueError, KeyError, TypeError):
            raise Refused(4002, "a message has no op or no d") from None
        now = time.monotonic()
        socket.messages = [at for at in socket.messages if at > now - WINDOW] + [now]
        if len(socket.messages) > MOST_MESSAGES:
            raise Refused(4008, f"more than {MOST_MESSAGES} messages in {WINDOW:g} s")
        self.received.append(message)
        if op == 1:
            self.heartbeats.append(now)
            socket.send(json.dumps({"op": 11, "d": None}))
        elif op == 2:
            self._identify(socket, data)
        elif op == 6:
            self._resume(socket, data)
        elif socket.session is None:
            raise Refused(4003, f"op {op} came before op 2")
        elif op == 4:
            self._voice_state(socket.session, data)
        elif op not in (3, 8, 31):
            raise Refused(4001, f"op {op} is unknown")

    def _identify(self, socket: Socket, data: dict[str, Any]) -> None:
        if socket.session is not None:
            raise Refused(4005, "op 2 came twice")
        if data.get("token") != self.discord.token:
            raise Refused(4004, "another token than the bot's")
        shard = data.get("shard", [0, 1])
        if not isinstance(shard, list) or len(shard) != 2 or not 0 <= shard[0] < shard[1]:
            raise Refused(4010, "a shard that cannot be")
        if data.get("intents") != INTENTS:
            self.discord.complain(f"gateway: intents are {data.get('intents')}, not {INTENTS}")
        if not {"os", "browser", "device"} <= data.get("properties", {}).keys():
            raise Refused(4002, "op 2 without properties")
        session = GatewaySession(self.discord, (shard[0], shard[1]))
        session.socket = socket
        socket.session = session
        self.sessions.append(session)
        guilds = [guild for guild in self.discord.guilds.values() if session.has(guild.id)]
        ready = {
            "v": 10,
            "user": payloads.own_user(self.discord.bot_id, self.discord.bot_name),
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self.discord.gateway_url,
            "shard": shard,
            "application": {"id": str(self.discord.bot_id), "flags": 0},
            "private_channels": [],
            "presences": [],
            "relationships": [],
            "_trace": [],
        }
        session.dispatch("READY", ready)
        for guild in guilds:
            session.dispatch("GUILD_CREATE", payloads.guild_create(guild))

    def _resume(self, socket: Socket, data: dict[str, Any]) -> None:
        if data.get("token") != self.discord.token:
            raise Refused(4004, "another token than the bot's")
        session = next((one for one in self.sessions if one.id == data.get("session_id") and not one.over), None)
        if session is None:
            socket.send(json.dumps({"op": 9, "d": False}))
            return
        last = data.get("seq")
        if not isinstance(last, int) or not 0 <= last <= session.sequence:
            raise Refused(4007, f"seq {last} was never sent")
        session.socket = socket
        socket.session = session
        session.resumed += 1
        for number, text in session.events:
            if number > last:
                socket.send(text)
        session.dispatch("RESUMED", {"_trace": []})

    def _voice_state(self, session: GatewaySession, data: dict[str, Any]) -> None:
        guild = self.discord.guilds.get(_id(data.get("guild_id")) or 0)
        if guild is None or not session.has(guild.id):
            self.discord.complain("gateway: op 4 for a server that is not the shard's")
            return
        muted, deaf = bool(data.get("self_mute")), bool(data.get("self_deaf"))
        guild.bot_asks(session.id, _id(data.get("channel_id")), self_mute=muted, self_deaf=deaf)


def _id(value: object) -> int | None:
    return int(str(value)) if value is not None and str(value).isdigit() else None
