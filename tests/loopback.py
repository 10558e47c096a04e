"""What the HTTP servers of the tests have in common: they serve on loopback, while a `with` block lasts."""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType


class LoopbackHttp(ThreadingHTTPServer):
    """Listens on a free port, and answers with a handler, which finds the server of the tests in `owner`."""

    daemon_threads = False  # closing waits for the threads, so that no socket is left to the garbage collector
    request_queue_size = 64

    def __init__(self, handler: type[BaseHTTPRequestHandler], owner: LoopbackServer) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.owner = owner

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is none of our problems; a script that raises is."""
        error = sys.exception()
        if not isinstance(error, ConnectionError):
            self.owner.problems.append(repr(error))


class LoopbackServer:
    """Serves while its `with` block lasts, which raises at its end what was noted in `problems`."""

    def __init__(self, http: type[LoopbackHttp], handler: type[BaseHTTPRequestHandler], name: str) -> None:
        self.problems: list[str] = []
        self.stopping = threading.Event()
        self._http = http(handler, self)
        self.base_url = f"http://127.0.0.1:{self._http.server_port}/v1"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), name=name)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        if kind is None and self.problems:
            raise AssertionError("The server of the tests says no: " + "; ".join(self.problems))
