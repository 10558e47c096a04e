"""A proxy that loses requests and answers on purpose, once each."""

from __future__ import annotations

import http.client
import socket
import threading
from contextlib import contextmanager
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Fault(Enum):
    """What goes wrong."""

    LOSE_REQUEST = "the server never sees it"
    LOSE_ANSWER = "the server does it, and nobody hears"
    CUT_BODY = "the answer ends in the middle"


class FlakyProxy:
    """Passes requests on to one server, but for those that were chosen."""

    def __init__(self, port: int) -> None:
        self.endpoint_url = f"http://127.0.0.1:{port}"
        self._faults: dict[str, tuple[Fault, Callable[[], object]]] = {}

    def fail_next(self, method: str, fault: Fault, *, then: Callable[[], object] = lambda: None) -> None:
        """Let the fault befall the next request of this method, and then do something."""
        self._faults[method] = (fault, then)

    def take(self, method: str) -> tuple[Fault | None, Callable[[], object]]:
        """The fault of this request."""
        return self._faults.pop(method, (None, lambda: None))


@contextmanager
def flaky_proxy(upstream: str) -> Iterator[FlakyProxy]:
    """Run a proxy before the server at the URL `upstream`."""
    address = urlsplit(upstream).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10  # a connection that a failed test left open does not keep its thread for ever

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            fault, then = proxy.take(self.command)
            if fault is Fault.LOSE_REQUEST:
                then()
                self._hang_up()
                return
            connection = http.client.HTTPConnection(address, timeout=60)
            connection.request(self.command, self.path, body, dict(self.headers.items()))
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            then()
            if fault is Fault.LOSE_ANSWER:
                self._hang_up()
                return
            self.send_response_only(answer.status)
            length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
            for name, value in answer.getheaders():
                if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", length or "0")
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if fault is Fault.CUT_BODY else content)
            self.close_connection = self.close_connection or fault is Fault.CUT_BODY

        def _hang_up(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    for method in ("GET", "PUT", "POST", "HEAD", "DELETE"):
        setattr(Handler, f"do_{method}", Handler._pass_on)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    proxy = FlakyProxy(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
