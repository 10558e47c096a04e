"""A voice server: its gateway (version 8, over TLS) and its UDP port, on loopback."""

from __future__ import annotations

import asyncio
import json
import struct
import time
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from tests.voice.discord.human import answer
from tests.voice.discord.outbox import Outbox
from tests.voice.discord.voice_session import DISCOVERY_SIZE, Address, VoiceSession

if TYPE_CHECKING:
    import ssl

    from tests.voice.discord.emulator import Discord
    from tests.voice.discord.guild import Guild


class Refused(Exception):
    """A message that the voice gateway closes for."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code


class VoiceServer(asyncio.DatagramProtocol):
    """One of several: a guild is told which is its own."""

    def __init__(self, discord: Discord) -> None:
        self.discord = discord
        self.endpoint = ""
        self.sessions: dict[int, VoiceSession] = {}
        """By SSRC."""
        self._datagrams: asyncio.DatagramTransport | None = None
        self._runner: web.AppRunner | None = None

    async def start(self, tls: ssl.SSLContext) -> None:
        app = web.Application()
        app.router.add_get("/", self._connection)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        self.endpoint = f"127.0.0.1:{self._runner.addresses[0][1]}"
        loop = asyncio.get_running_loop()
        self._datagrams, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))

    async def stop(self) -> None:
        for session in self.sessions.values():
            session.close(1001)
        if self._datagrams is not None:
            self._datagrams.close()
        if self._runner is not None:
            await self._runner.cleanup()

    # UDP

    @property
    def udp_port(self) -> int:
        assert self._datagrams is not None
        return int(self._datagrams.get_extra_info("sockname")[1])

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if len(data) == DISCOVERY_SIZE and data[:4] == b"\x00\x01\x00\x46":
            session = self.sessions.get(struct.unpack_from(">I", data, 4)[0])
            if session is None:
                self.discord.complain("IP discovery for an SSRC that nobody has")
            else:
                session.discover(data, addr)
            return
        for session in self.sessions.values():
            if not session.over and addr in (session.address, session.discovered):
                session.receive(data, addr)
                return
        if len(data) >= 12 and data[0] & 0xC0 == 0x80:
            session = self.sessions.get(struct.unpack_from(">I", data, 8)[0])
            if session is not None:
                session.receive(data, addr)

    def _send_datagram(self, datagram: bytes, address: Address) -> None:
        if self._datagrams is not None and not self._datagrams.is_closing():
            self._datagrams.sendto(datagram, address)

    # The gateway

    async def _connection(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(timeout=1.0)
        await socket.prepare(request)
        outbox = Outbox(socket, request)
        session: VoiceSession | None = None
        hello = {"v": 8, "heartbeat_interval": 1000 * self.discord.rules.voice_heartbeat}
        outbox.send(json.dumps({"op": 8, "d": hello}))
        try:
            if request.query.get("v") != "8":
                raise Refused(4001, "asks for another version than 8")
            async for message in outbox.messages():
                if message.type is WSMsgType.TEXT:
                    session = self._text(session, outbox, message.data)
                elif message.type is WSMsgType.BINARY:
                    self._binary(session, message.data)
        except Refused as refused:
            self.discord.complain(f"voice gateway: {refused}")
            (outbox if session is None else session).close(refused.code)
        finally:
            await outbox.finish()
            if session is not None and session.outbox is outbox:
                session.lost(socket.close_code)
        return socket

    def _text(self, session: VoiceSession | None, outbox: Outbox, text: str) -> VoiceSession:
        try:
            message = json.loads(text)
            op, data = message["op"], message["d"]
        except (ValueError, KeyError, TypeError):
            raise Refused(4002, "a message has no op or no d") from None
        if session is None:
            if op == 0 and isinstance(data, dict):
                return self._identify(outbox, data)
            if op == 7 and isinstance(data, dict):
                return self._resume(outbox, data)
            raise Refused(4003, f"op {op} came before op 0")
        if not isinstance(op, int) or not isinstance(data, dict):
            raise Refused(4002, "a message has no op or no d")
        session.received.append((op, data))
        if op == 1:
            self._select(session, data)
        elif op == 3:
            self._heartbeat(session, data)
        elif op == 5:
            self._speaking(session, data)
        elif op in (0, 7):
            raise Refused(4005, f"op {op} came twice")
        elif not answer(session.channel.call, session.user_id, op, data):
            raise Refused(4001, f"op {op} is unknown, or not as it should be")
        return session

    def _binary(self, session: VoiceSession | None, message: bytes) -> None:
        if session is None:
            raise Refused(4003, "a binary message came before op 0")
        op, payload = message[0] if message else -1, message[1:]
        session.received.append((op, payload))
        if not answer(session.channel.call, session.user_id, op, payload):
            raise Refused(4001, f"binary op {op} is unknown")

    def _guild(self, data: dict[str, Any]) -> Guild | None:
        server_id = str(data.get("server_id"))
        return self.discord.guilds.get(int(server_id)) if server_id.isdigit() else None

    def _identify(self, outbox: Outbox, data: dict[str, Any]) -> VoiceSession:
        guild = self._guild(data)
        if guild is None or guild.voice_server is not self:
            raise Refused(4011, "a server that is not here")
        if data.get("token") != guild.voice_token:
            raise Refused(4004, "another token than the one that was given")
        state = guild.voice_states.get(self.discord.bot_id)
        if state is None or (data.get("user_id"), data.get("session_id")) != (str(state.user_id), state.session_id):
            raise Refused(4006, "a session that is not valid")
        channel = guild.channel_of(state)
        if not data.get("max_dave_protocol_version") and not channel.stage:
            raise Refused(4017, "DAVE is required")
        if guild.voice is not None and not guild.voice.over:
            guild.voice.close(4006)
        session = VoiceSession(
            guild, channel, state.user_id, state.session_id, guild.voice_token, self._send_datagram
        )
        session.outbox = outbox
        guild.voice = session
        guild.voices.append(session)
        self.sessions[session.ssrc] = session
        ready = {
            "ssrc": session.ssrc,
            "ip": "127.0.0.1",
            "port": self.udp_port,
            "modes": list(self.discord.rules.modes),
            "heartbeat_interval": 1,
        }
        session.tell(2, ready)
        return session

    def _resume(self, outbox: Outbox, data: dict[str, Any]) -> VoiceSession:
        guild = self._guild(data)
        session = guild.voice if guild else None
        if session is None or session.over or session.transport is None:
            raise Refused(4006, "a session that cannot be resumed")
        if (data.get("session_id"), data.get("token")) != (session.session_id, session.token):
            raise Refused(4006, "a resume of somebody else's session")
        acknowledged = data.get("seq_ack")
        if not isinstance(acknowledged, int) or not -1 <= acknowledged <= 0xFFFF:
            raise Refused(4002, "a resume without seq_ack")
        session.resume(outbox, acknowledged)
        return session

    def _select(self, session: VoiceSession, data: dict[str, Any]) -> None:
        choice = data.get("data", {})
        if data.get("protocol") != "udp":
            raise Refused(4012, "another protocol than UDP")
        if choice.get("mode") not in self.discord.rules.modes:
            raise Refused(4016, "a mode that was not offered")
        if session.transport is not None:
            raise Refused(4005, "op 1 came twice")
        if session.discovered is None or (choice.get("address"), choice.get("port")) != session.discovered:
            self.discord.complain("op 1 names another address than IP discovery found")
        session.describe(choice["mode"])

    def _heartbeat(self, session: VoiceSession, data: dict[str, Any]) -> None:
        acknowledged, nonce = data.get("seq_ack"), data.get("t")
        if not isinstance(acknowledged, int) or not isinstance(nonce, int):
            raise Refused(4020, "a heartbeat without t or seq_ack")
        session.heartbeats.append(time.monotonic())
        session.tell(6, {"t": nonce})

    def _speaking(self, session: VoiceSession, data: dict[str, Any]) -> None:
        if data.get("ssrc") != session.ssrc:
            session.complain("op 5 names another SSRC than the session's")
        flags = data.get("speaking")
        if not isinstance(flags, int) or not 0 <= flags < 8:
            session.complain("op 5 has no flags")
            return
        session.speaking_states.append(flags)
        if session.user_id in session.channel.call.callers:
            session.channel.call.announce_speaking(session, flags)
