"""A server on loopback that answers for as long as somebody listens, and notices when nobody does any more.

    with EndlessServer() as server:
        ... something that asks server.base_url, and takes it back ...
        assert server.hung_up.wait(30)

Chat Completions are streamed a word at a time, speech a tenth of a second at a time. Nothing is checked: that is what
`tests.openai_server` is for.
"""

from __future__ import annotations

import json
import select
import threading
from http.server import BaseHTTPRequestHandler
from typing import Final

from tests.loopback import LoopbackHttp, LoopbackServer

STEP_S: Final = 0.01
PIECES_MOST: Final = 3_000
"""A client that never hangs up is not served for ever."""
SOUND: Final = b"\1\0" * 2_400


class EndlessServer(LoopbackServer):
    """Serves while its `with` block lasts.

    Args:
        pieces: how many pieces it sends before it falls silent, keeping the connection; None: it never does.
        drops: whether it drops the connection then.
    """

    def __init__(self, pieces: int | None = None, *, drops: bool = False) -> None:
        super().__init__(_HttpServer, _Handler, "endless-server")
        self.pieces = pieces
        self.drops = drops
        self.requests: list[str] = []
        """The paths that were asked for."""
        self.sent = 0
        """Pieces of answers."""
        self.hung_up = threading.Event()
        """Set when a client goes before the end of its answer."""


class _HttpServer(LoopbackHttp):
    owner: EndlessServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _HttpServer

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        """Nothing is logged."""

    def do_POST(self) -> None:
        owner = self.server.owner
        self.rfile.read(int(self.headers["Content-Length"]))
        owner.requests.append(self.path)
        self.close_connection = True
        speech = self.path.endswith("/speech")
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream" if speech else "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(PIECES_MOST):
            if owner.stopping.is_set():
                return
            if self._gone():
                owner.hung_up.set()
                return
            if owner.pieces is None or number < owner.pieces:
                piece = SOUND if speech else _event(number)
                try:
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                except ConnectionError:
                    owner.hung_up.set()
                    return
                owner.sent += 1
            elif owner.drops:
                return

    def _gone(self) -> bool:
        """Whether the client closed the connection, within a moment: it has nothing more to say but that."""
        readable, _, _ = select.select([self.connection], [], [], STEP_S)
        if not readable:
            return False
        try:
            return not self.connection.recv(1)
        except ConnectionError:
            return True


def _event(number: int) -> bytes:
    delta = {"content": f"word{number} "}
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "endless",
        "choices": [{"index": 0, "delta": delta, "finish_reason": None}],
    }
    return f"data: {json.dumps(chunk)}\n\n".encode()
