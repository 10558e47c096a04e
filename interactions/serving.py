"""The HTTP server for hosts that have none: waitress, which hangs up on those who do not take what they asked for.

A response that is larger than waitress holds keeps a thread, and a place for downloads, until it has been taken. Left
to itself, waitress waits for that as long as the connection lasts.
"""

from __future__ import annotations

import logging
import socket
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import waitress
from waitress.channel import HTTPChannel

from interactions.pace import PATIENCE, Pace, Patience

if TYPE_CHECKING:
    from flask import Flask

AHEAD: Final = 1024 * 1024
"""Bytes of a response that waitress holds while they are not taken; beyond them the app waits."""

log = logging.getLogger(__name__)


class _Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """One connection. waitress's loop asks each at least once a second whether it has something to write."""

    will_close: bool

    def __init__(self, *args: object, patience: Patience, **more: object) -> None:
        self._patience = patience
        self._pace: Pace | None = None
        self._taken = 0
        super().__init__(*args, **more)

    def send(self, data: bytes, do_close: bool = True) -> int:
        sent: int = super().send(data, do_close=do_close)
        self._taken += sent
        return sent

    def writable(self) -> bool:
        if not self.total_outbufs_len:
            self._pace = None  # all has been taken: it is for us to go on
        elif self._pace is None:
            self._pace = Pace(self._patience, time.monotonic(), self._taken)
        elif self.connected and not self.will_close and self._pace.too_slow(time.monotonic(), self._taken):
            log.info("hung up", extra={"taken": self._taken})
            self.will_close = True
            # A socket whose other end does not read never becomes writable, and so would not be closed, without this.
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)
        return bool(super().writable())


def make_server(app: Flask, listener: socket.socket, *, threads: int, patience: Patience = PATIENCE) -> Any:  # noqa: ANN401 - waitress has no types
    """A server, not yet running, on a socket that listens."""
    server = waitress.create_server(
        app,
        sockets=[listener],
        threads=threads,
        ident=None,
        outbuf_high_watermark=AHEAD,
        # Nothing trusts what proxies say; that there is one is what tells a local request from somebody else's.
        clear_untrusted_proxy_headers=False,
    )
    server.channel_class = partial(_Channel, patience=patience)
    return server
