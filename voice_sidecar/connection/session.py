"""One voice session: a websocket and a UDP socket, from identifying to the close, and over resumes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from voice_sidecar.connection import wire
from voice_sidecar.connection.group import MAX_VERSION
from voice_sidecar.connection.outcomes import Dropped, Why
from voice_sidecar.connection.sending import Route
from voice_sidecar.connection.udp import UdpSocket
from voice_sidecar.connection.voice_socket import SocketClosed, VoiceSocket
from voice_sidecar.connection.wire import Malformed, Op, Text
from voice_sidecar.receiving.transport import Mode, choose_mode

if TYPE_CHECKING:
    from collections.abc import Callable

    import aiohttp

    from voice_sidecar.connection.counters import Counters
    from voice_sidecar.connection.group import Answer
    from voice_sidecar.connection.media import Media
    from voice_sidecar.connection.wire import Credentials

_DONE: Final = 1000
_DEAD_CONNECTION: Final = 4000
"""What we close a websocket with whose other side does not answer; such a session may be resumed."""


class Identity(NamedTuple):
    """Who connects, and for which guild."""

    user_id: int
    guild_id: int


class Session:
    """A voice session.

    Args:
        http: For the websocket; it decides about certificates.
        identity: Who connects.
        credentials: What the gateway gave.
        media: Where sound comes from and goes to.
        counters: To count in.
    """

    PATIENCE: float = 10.0
    """Seconds that a handshake may take."""
    RESUME_PATIENCE: float = 5.0
    _SLOW: Final = 2.0
    """Seconds without an acknowledgement after which the server may be gone."""
    _MOST_FAILURES: Final = 3
    _SHORTEST_BEAT: Final = 0.05

    def __init__(
        self,
        http: aiohttp.ClientSession,
        identity: Identity,
        credentials: Credentials,
        media: Media,
        counters: Counters,
    ) -> None:
        self.credentials = credentials
        self._http = http
        self._identity = identity
        self._media = media
        self._counters = counters
        self._socket: VoiceSocket | None = None
        self._udp: UdpSocket | None = None
        self._ssrc = 0
        self._finding: asyncio.Task[None] | None = None
        self._heart: asyncio.Task[None] | None = None
        self._beaten: float | None = None  # when the heartbeat was sent that is not acknowledged yet
        self._stands = False

    async def run(self, on_stands: Callable[[], None], *, resume: bool = False) -> None:
        """Opens the session, or resumes it, and keeps it up until it breaks.

        Args:
            on_stands: Told once sound can be sent and received.
            resume: Go on with the session after its websocket broke.

        Raises:
            SocketClosed: When the websocket is gone.
            Dropped: When the session cannot go on for another reason.
        """
        if resume and not (self._socket is not None and self._udp is not None):
            raise Dropped(Why.CLOSED)
        self._stands = False
        try:
            async with asyncio.timeout(self.RESUME_PATIENCE if resume else self.PATIENCE):
                await self._open(resume=resume)
                while not self._stands:
                    await self._step()
        except TimeoutError:
            await self._hang_up(_DEAD_CONNECTION)
            raise Dropped(Why.NETWORK) from None
        except BaseException:
            await self._hang_up(_DEAD_CONNECTION)
            raise
        on_stands()
        try:
            while True:
                await self._step()
        except asyncio.CancelledError:
            await self._hang_up(_DONE)
            raise
        finally:
            self._stands = False
            await self._hang_up(_DEAD_CONNECTION)

    @property
    def alive(self) -> bool:
        """Whether the session stands, and the server answers."""
        return self._stands and (
            self._beaten is None or asyncio.get_running_loop().time() - self._beaten < self._SLOW
        )

    @property
    def way_is_gone(self) -> bool:
        """Whether nothing can be sent over UDP any more, as after a change of networks."""
        return self._udp is not None and self._udp.failures >= self._MOST_FAILURES

    async def show_speaking(self) -> None:
        """Tells the others whether we speak."""
        if self._stands and self._socket is not None:
            try:
                await self._socket.send(self._speaking_message())
            except SocketClosed:
                return  # the next session says it

    async def close(self) -> None:
        """Ends the session for good."""
        self._media.detach()
        if self._udp is not None:
            self._udp.close()
            self._udp = None
        await self._hang_up(_DONE)
        self._socket = None

    async def _open(self, *, resume: bool) -> None:
        seq = self._socket.seq if resume and self._socket is not None else -1
        self._socket = socket = await VoiceSocket.open(self._http, self.credentials.endpoint, seq=seq)
        user_id, guild_id = self._identity
        data: dict[str, object] = {
            "server_id": str(guild_id),
            "session_id": self.credentials.session_id,
            "token": self.credentials.token,
        }
        if resume:
            await socket.send(Text(Op.RESUME, {**data, "seq_ack": seq}))
            return
        self._media.group.begin()
        await socket.send(
            Text(Op.IDENTIFY, {**data, "user_id": str(user_id), "max_dave_protocol_version": MAX_VERSION})
        )

    async def _hang_up(self, code: int) -> None:
        self._select(None)
        if self._heart is not None:
            self._heart.cancel()
            self._heart = None
        if self._socket is not None:
            await self._socket.close(code)

    async def _step(self) -> None:
        """Takes one message."""
        socket = self._the_socket
        try:
            message = await socket.receive()
            answer = await self._text(message) if isinstance(message, Text) else self._media.binary(message)
        except Malformed:
            self._counters.malformed += 1
            if not self._stands:
                raise Dropped(Why.PROTOCOL) from None
            return
        for reply in answer.send:
            await socket.send(reply)
        if isinstance(message, Text) and message.op == Op.SESSION_DESCRIPTION:
            # Tells the server our source, which it asks for before any sound.
            await socket.send(self._speaking_message())
            self._stands = True
            self._counters.sessions += 1
        if answer.broken:
            raise Dropped(Why.NO_GROUP)

    async def _text(self, message: Text) -> Answer:
        match message.op:
            case Op.HELLO:
                self._start_heart(wire.read_hello(message.data).heartbeat_interval / 1000)
            case Op.HEARTBEAT_ACK:
                self._beaten = None
            case Op.READY:
                await self._ready(wire.read_ready(message.data))
            case Op.RESUMED:
                self._stands = True
                self._counters.resumes += 1
        answer = self._media.text(message)
        if message.op == Op.SESSION_DESCRIPTION:
            if self._udp is None:
                raise Malformed("described before it was ready")
            self._media.attach(Route(self._udp.send, self._ssrc), message.data)
        return answer

    async def _ready(self, ready: wire.Ready) -> None:
        try:
            mode = choose_mode(ready.modes)
        except ValueError:
            raise Malformed("no encryption that is known here") from None
        if self._udp is not None:
            self._media.detach()
            self._udp.close()
        self._ssrc = ready.ssrc
        try:
            self._udp = await UdpSocket.open(ready.ip, ready.port, self._media.datagram, self._counters)
        except OSError:
            raise Dropped(Why.NETWORK) from None
        self._select(asyncio.create_task(self._find_way(self._udp, mode), name="voice discovery"))

    async def _find_way(self, udp: UdpSocket, mode: Mode) -> None:
        """Finds our address and says how we want to be sent to. Meanwhile the websocket is listened to."""
        address, port = await udp.discover(self._ssrc)
        udp.keep_open()
        data = {"address": address, "port": port, "mode": mode.value}
        with contextlib.suppress(SocketClosed):  # whoever receives learns it, too
            await self._the_socket.send(Text(Op.SELECT_PROTOCOL, {"protocol": "udp", "data": data}))

    def _select(self, finding: asyncio.Task[None] | None) -> None:
        if self._finding is not None:
            self._finding.cancel()
        self._finding = finding

    def _start_heart(self, interval: float) -> None:
        if self._heart is not None:
            self._heart.cancel()
        self._beaten = None
        self._heart = asyncio.create_task(
            self._beat(self._the_socket, max(interval, self._SHORTEST_BEAT)), name="voice heartbeat"
        )

    async def _beat(self, socket: VoiceSocket, interval: float) -> None:
        """Sends heartbeats; closes a websocket that did not answer the last one."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(interval)
            if self._beaten is not None:
                await socket.close(_DEAD_CONNECTION)
                return
            self._beaten = loop.time()
            try:
                await socket.send(Text(Op.HEARTBEAT, {"t": time.time_ns() // 1_000_000, "seq_ack": socket.seq}))
            except SocketClosed:
                return  # whoever receives learns it, too

    @property
    def _the_socket(self) -> VoiceSocket:
        if self._socket is None:
            raise SocketClosed(None)
        return self._socket

    def _speaking_message(self) -> Text:
        return Text(Op.SPEAKING, {"speaking": int(self._media.speaking), "delay": 0, "ssrc": self._ssrc})
