"""The voice gateway's websocket: typed messages, sequence numbers, close codes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, Self

import aiohttp

from voice_sidecar.connection import wire

if TYPE_CHECKING:
    from voice_sidecar.connection.wire import Message

_log = logging.getLogger(__name__)
_LARGEST_MESSAGE: Final = 1 << 20
_GOODBYE: Final = 1.0
"""Seconds that the other side may take to answer a close."""
_BROKEN: Final = 1006


class SocketClosed(Exception):
    """The websocket is gone.

    Attributes:
        code: As the server gave it; None if it broke without one.
    """

    def __init__(self, code: int | None) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class VoiceSocket:
    """An open websocket. Made by `open`.

    Attributes:
        seq: The number of the last message that had one; -1 before there is any. Resuming continues after it.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, seq: int) -> None:
        self.seq = seq
        self._socket = socket

    @classmethod
    async def open(cls, http: aiohttp.ClientSession, endpoint: str, *, seq: int = -1) -> Self:
        """Connects.

        Args:
            http: Checks certificates as it is set up to.
            endpoint: Host, and port if there is one, as the gateway gave it.
            seq: What the socket before this one came to.

        Raises:
            SocketClosed: If there is no way to it.
        """
        url = f"wss://{endpoint.removeprefix('wss://')}/?v={wire.VERSION}"
        try:
            socket = await http.ws_connect(
                url, max_msg_size=_LARGEST_MESSAGE, timeout=aiohttp.ClientWSTimeout(ws_close=_GOODBYE)
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            _log.warning("The voice server cannot be reached: %s", type(error).__name__)  # a bad certificate, say
            raise SocketClosed(None) from None
        return cls(socket, seq)

    async def receive(self) -> Message:
        """Waits for the next message.

        Raises:
            SocketClosed: If there is none any more.
            wire.Malformed: If it cannot be read. The next one may be.
        """
        received = await self._socket.receive()
        if received.type is aiohttp.WSMsgType.TEXT:
            text, seq = wire.read_text(received.data)
            if seq is not None:
                self.seq = seq
            return text
        if received.type is aiohttp.WSMsgType.BINARY:
            binary, self.seq = wire.read_binary(received.data)
            return binary
        code = self._socket.close_code
        raise SocketClosed(None if code == _BROKEN else code)

    async def send(self, message: Message) -> None:
        """Sends a message.

        Raises:
            SocketClosed: If the websocket is gone.
        """
        try:
            if isinstance(message, wire.Text):
                await self._socket.send_str(wire.write_text(message))
            else:
                await self._socket.send_bytes(wire.write_binary(message))
        except (aiohttp.ClientError, OSError, RuntimeError):
            raise SocketClosed(self._socket.close_code) from None

    async def close(self, code: int = 1000) -> None:
        """Closes the websocket, within a second."""
        try:
            await self._socket.close(code=code)
        except (TimeoutError, aiohttp.ClientError, OSError):
            return
