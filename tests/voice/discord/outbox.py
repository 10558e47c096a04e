"""One websocket of a server: what is sent into it, in order, by code that need not wait, and what comes out of it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from aiohttp import WSMessage, WSMsgType

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import web


class Outbox:
    """Sends in a task of its own. `close` is the last that is done; the client's answer to it is waited for."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        self._socket = socket
        self._request = request
        self._queue: asyncio.Queue[str | bytes | int] = asyncio.Queue()
        self._receiving: asyncio.Future[WSMessage] | None = None
        self._stopping = asyncio.Event()
        self.closed = False
        self._task = asyncio.create_task(self._run())

    def send(self, message: str | bytes) -> None:
        if not self.closed:
            self._queue.put_nowait(message)

    def close(self, code: int) -> None:
        """Close with a code; 1006 is a connection that breaks without one."""
        if not self.closed:
            self.closed = True
            self._queue.put_nowait(code)

    async def messages(self) -> AsyncIterator[WSMessage]:
        """What comes in, until either side closes."""
        while not self._stopping.is_set():
            self._receiving = asyncio.ensure_future(self._socket.receive())
            try:
                message = await self._receiving
            except asyncio.CancelledError:
                if self._stopping.is_set():
                    return
                raise
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return
            yield message

    async def _run(self) -> None:
        with contextlib.suppress(ConnectionError):
            while not self._stopping.is_set():
                message = await self._queue.get()
                if isinstance(message, str):
                    await self._socket.send_str(message)
                elif isinstance(message, bytes):
                    await self._socket.send_bytes(message)
                else:
                    await self._end(message)
        self.closed = True

    async def _end(self, code: int) -> None:
        self._stopping.set()
        if code == 1006:
            if self._request.transport is not None:
                self._request.transport.abort()
            return
        # Nobody else may read while the answer is waited for.
        if self._receiving is not None:
            self._receiving.cancel()
            await asyncio.wait([self._receiving])
        await self._socket.close(code=code)

    async def finish(self) -> None:
        """The websocket has ended, or is being closed by us."""
        if self.closed:
            await asyncio.wait([self._task], timeout=2.0)
        self.closed = True
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
