"""An HTTP server in a thread, which closes all its connections when it stops."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

HOST: Final = "127.0.0.1"
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 seconds: closing sends RST instead of FIN
_JOIN_S: Final = 5.0


class _Handler(WSGIRequestHandler):
    """Silent; the playground keeps its own record of requests."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002, ANN401 - werkzeug's signature
        """Write nothing."""


class _Server(ThreadedWSGIServer):
    """Remembers its connections."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int, app: WSGIApplication) -> None:
        self._open: set[socket.socket] = set()
        self._threads_now: set[threading.Thread] = set()
        self._lock = threading.Lock()
        with socket.create_server((HOST, port), backlog=self.request_queue_size) as listening:
            # werkzeug would end the whole process if the port were taken
            super().__init__(HOST, port, app, _Handler, fd=listening.fileno())

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - socketserver's signature
        """Handle a connection in a thread of its own."""
        thread = threading.Thread(
            target=self._handle, args=(request, client_address), name="playground-connection", daemon=True
        )
        with self._lock:
            self._open.add(request)
            self._threads_now.add(thread)
        thread.start()

    def _handle(self, request: socket.socket, client_address: object) -> None:
        try:
            self.process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._open.discard(request)
                self._threads_now.discard(threading.current_thread())

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - socketserver's signature
        """A connection that broke is no news; anything else is."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def close_connections(self) -> None:
        """Close every connection and wait for its thread."""
        with self._lock:
            connections, threads = list(self._open), list(self._threads_now)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(_JOIN_S)


class Server:
    """Serves a WSGI application on the loopback interface from a thread. Raises OSError if the port is taken."""

    def __init__(self, app: WSGIApplication, *, port: int) -> None:
        self._server = _Server(port, app)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="playground", daemon=True
        )

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"http://{HOST}:{self._server.port}"

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Serve no more."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.close_connections()
        self._server.server_close()


def reset_connection(environ: WSGIEnvironment) -> None:
    """Break the TCP connection of a request so that its client sees a reset. Always raises ConnectionResetError."""
    connection: socket.socket = environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    socket.close(connection.detach())
    raise ConnectionResetError("reset on purpose")
