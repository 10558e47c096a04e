"""The HTTP server, with clients that take their time. Each waits for something to happen, and nothing is timed."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask

from interactions.__main__ import listen
from interactions.downloads import AT_ONCE, add_downloads
from interactions.pace import PATIENCE, Patience
from interactions.serving import make_server
from trainer.adapters.file_store import FileStore
from trainer.links import LinkedFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KEY = "g42/archives/1-default.zip"
DATA = bytes(range(256)) * (24 * 4096)
"""24 MiB: more than the buffers of a connection and of the server."""
BRIEF = Patience(window_s=0.4, least=64 * 1024, total_s=60)


@contextmanager
def serving(tmp_path: Path, patience: Patience, app_patience: Patience = PATIENCE) -> Iterator[Any]:
    """A server with one file."""
    store = FileStore(tmp_path)
    store.put(KEY, DATA)
    app = Flask("test", static_folder=None)
    add_downloads(
        app, lambda _: LinkedFile("attachment", len(DATA), lambda: store.open_read(KEY)), patience=app_patience
    )
    listener = listen("127.0.0.1", 0)
    server = make_server(app, listener, threads=8, patience=patience)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.task_dispatcher.shutdown()
        for channel in list(server.active_channels.values()):
            channel.will_close = True
        server.close()
        until(lambda: not thread.is_alive())
        listener.close()


def until(true: Callable[[], bool], *, timeout: float = 30) -> None:
    deadline = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def port_of(server: Any) -> int:
    return int(server.effective_port)


def stalled(port: int) -> socket.socket:
    """A client that asks for the file, and reads no more than the beginning."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(30)
    client.connect(("127.0.0.1", port))
    client.sendall(b"GET /files/x HTTP/1.1\r\nHost: bot\r\n\r\n")
    assert client.recv(12) == b"HTTP/1.1 200"
    return client


def download(port: int) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/files/x")
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_stalled_clients_do_not_keep_others_from_their_files(tmp_path: Path) -> None:
    with serving(tmp_path, BRIEF) as server, ExitStack() as stack:
        for _ in range(AT_ONCE):
            stack.callback(stalled(port_of(server)).close)
        # Whoever comes first may still be refused; then the stalled ones lose their places.
        answers: list[tuple[int, bytes]] = []

        def served() -> bool:
            answers.append(download(port_of(server)))
            return answers[-1][0] != 503

        until(served)
        assert answers[-1] == (200, DATA)


def test_a_client_that_drips_is_hung_up_on(tmp_path: Path) -> None:
    """What is in the buffers between us may still reach it: that is for the machine, and no longer for us."""
    with serving(tmp_path, BRIEF) as server, stalled(port_of(server)) as client:
        assert len(server.active_channels) == 1

        def over() -> bool:
            with suppress(ConnectionResetError):
                client.recv(512)
            return not server.active_channels

        until(over)


def test_one_that_takes_its_time_but_goes_on_gets_all(tmp_path: Path) -> None:
    with serving(tmp_path, Patience(window_s=0.2, least=1024, total_s=60)) as server:
        connection = http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=30)
        connection.request("GET", "/files/x")
        response = connection.getresponse()
        taken = bytearray()
        while piece := response.read(2 * 1024 * 1024):
            taken += piece
            time.sleep(0.05)
        connection.close()
        assert taken == DATA


@pytest.mark.parametrize("app_patience", [Patience(total_s=0), Patience(window_s=0, least=len(DATA))])
def test_a_download_ends_by_itself_on_any_server(tmp_path: Path, app_patience: Patience) -> None:
    with serving(tmp_path, PATIENCE, app_patience) as server, pytest.raises(http.client.IncompleteRead):
        download(port_of(server))
