"""The UDP side of a voice session: finding our own address, keeping the way open, media in and out."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import struct
from typing import TYPE_CHECKING, Final, Self

from voice_sidecar.connection.wire import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable

    from voice_sidecar.connection.counters import Counters

_DISCOVERY: Final = struct.Struct(">HHI64sH")
_REQUEST, _REPLY, _REST = 1, 2, 70
_RECEIVE_BUFFER: Final = 1 << 20
"""Bytes that may wait in the kernel while the event loop is busy; what comes beyond them is lost there."""
_AT_ONCE: Final = 500
"""Datagrams that are taken before anything else is done: what ten people send in a second."""
_LARGEST: Final = 1 << 16


def discovery_request(ssrc: int) -> bytes:
    """The datagram that asks the voice server how it sees us."""
    return _DISCOVERY.pack(_REQUEST, _REST, ssrc, b"", 0)


def read_discovery(datagram: bytes, ssrc: int) -> tuple[str, int] | None:
    """Our address and port as the voice server sees them; None if the datagram is something else."""
    if len(datagram) != _DISCOVERY.size:
        return None
    kind, rest, source, address, port = _DISCOVERY.unpack(datagram)
    if (kind, rest, source) != (_REPLY, _REST, ssrc):
        return None
    try:
        return str(ipaddress.ip_address(address.rstrip(b"\0").decode("ascii"))), port
    except ValueError:
        return None


class UdpSocket(asyncio.DatagramProtocol):
    """A connected socket to the voice server. Made by `open`.

    Attributes:
        failures: Keepalives in a row that could not be sent.
    """

    KEEPALIVE: float = 5.0
    """Seconds. Without anything from us, voice servers stop sending after some minutes."""
    _ASK_AGAIN: Final = 0.5

    def __init__(self, sock: socket.socket, on_datagram: Callable[[bytes], None], counters: Counters) -> None:
        self.failures = 0
        self._socket = sock
        self._on_datagram = on_datagram
        self._counters = counters
        self._found: asyncio.Future[tuple[str, int]] | None = None
        self._ssrc = 0
        self._transport: asyncio.DatagramTransport | None = None
        self._keeping: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, ip: str, port: int, on_datagram: Callable[[bytes], None], counters: Counters) -> Self:
        """Opens a socket to the voice server.

        Args:
            ip: Its address, as the voice gateway gave it.
            port: And its port.
            on_datagram: Told, in the event loop, each datagram that comes.
            counters: To count in.

        Raises:
            Malformed: If the address is none.
            OSError: If there is no way to it.
        """
        try:
            family = socket.AF_INET if ipaddress.ip_address(ip).version == 4 else socket.AF_INET6  # noqa: PLR2004
        except ValueError:
            raise Malformed("the voice server's address is none") from None
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            sock.connect((ip, port))
            made = cls(sock, on_datagram, counters)
            loop = asyncio.get_running_loop()
            made._transport, _ = await loop.create_datagram_endpoint(lambda: made, sock=sock)  # ours
        except BaseException:
            sock.close()
            raise
        return made

    async def discover(self, ssrc: int) -> tuple[str, int]:
        """Asks how the voice server sees us, again and again: neither question nor answer is sure to arrive."""
        self._ssrc = ssrc
        self._found = asyncio.get_running_loop().create_future()
        try:
            while True:
                with contextlib.suppress(OSError):
                    self.send(discovery_request(ssrc))
                done, _ = await asyncio.wait({self._found}, timeout=self._ASK_AGAIN)
                if done:
                    return self._found.result()
        finally:
            self._found = None

    def keep_open(self) -> None:
        """Sends keepalives from now on."""
        self._keeping = asyncio.create_task(self._keep(), name="voice keepalive")

    async def _keep(self) -> None:
        count = 0
        while True:
            # Big-endian, so that an echo never looks like RTP: the first byte stays 0.
            try:
                self.send(struct.pack(">Q", count))
            except OSError:
                self.failures += 1
            else:
                self.failures = 0
                self._counters.keepalives += 1
            count += 1
            await asyncio.sleep(self.KEEPALIVE)

    def send(self, datagram: bytes) -> None:
        """Sends at once or not at all. From any thread, as long as `close` is not called.

        Raises:
            OSError: If it could not be sent.
        """
        self._socket.send(datagram)

    def close(self) -> None:
        """Ends all of it."""
        if self._keeping is not None:
            self._keeping.cancel()
        if self._transport is not None:
            self._transport.abort()

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002  # connected: from nobody else
        """See `asyncio.DatagramProtocol`, which gives one at a time, and lets timers run in between.

        All that wait are taken at once: while the event loop was busy people went on speaking, and a timer that ran
        before it was known what they said would take that for a pause.
        """
        self._received(data)
        for _ in range(_AT_ONCE - 1):
            try:
                more = self._socket.recv(_LARGEST)
            except OSError:  # there are no more, or it is closed; what else is wrong, sending tells
                return
            self._received(more)

    def _received(self, data: bytes) -> None:
        self._counters.datagrams += 1
        if self._found is not None and not self._found.done():
            found = read_discovery(data, self._ssrc)
            if found is not None:
                self._found.set_result(found)
                return
        self._on_datagram(data)

    def error_received(self, exc: Exception) -> None:
        """See `asyncio.DatagramProtocol`. The websocket tells whether the session lives; sending tells the rest."""
