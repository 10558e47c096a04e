"""The health check of a container, against a server and a file."""

from __future__ import annotations

import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from infra import healthcheck
from trainer import watchdog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class _Health(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    handler = type("Handler", (_Health,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.02,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.mark.parametrize(("role", "name"), [("http", "PORT"), ("sidecar", "TRAINGER_SIDECAR_PORT")])
@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_a_role_is_asked(
    role: str,
    name: str,
    status: int,
    code: int,
    server: ThreadingHTTPServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server.RequestHandlerClass.status = status  # type: ignore[attr-defined] # the class made above
    monkeypatch.setenv(name, str(server.server_port))
    assert healthcheck.main([role]) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert ("503" in said.err) == (status == 503)


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PORT", str(bound.getsockname()[1]))
        assert healthcheck.main(["http"]) == 1
    assert "nothing answers on port" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["", " ", "9001"])
def test_an_empty_port_is_the_default(given: str) -> None:
    assert healthcheck.port({"PORT": given}, "http") == (int(given) if given.strip() else 8080)
    assert healthcheck.port({}, "sidecar") == 8081


@pytest.mark.parametrize("given", ["http", "70000", "-1", "²"])
def test_a_port_that_is_none_is_told(given: str) -> None:
    with pytest.raises(healthcheck.Unwell, match="PORT"):
        healthcheck.port({"PORT": given}, "http")


def test_a_heart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.delenv(watchdog.HEARTBEAT, raising=False)
    assert healthcheck.main([]) == 1
    heart = tmp_path / "heart"
    monkeypatch.setenv(watchdog.HEARTBEAT, str(heart))
    assert healthcheck.main([]) == 1
    watchdog.alive()
    assert healthcheck.main([]) == 0
    os.utime(heart, (1, 1))
    assert healthcheck.main([]) == 1
    assert "names no file" in (said := capsys.readouterr().err)
    assert "there is no heartbeat" in said
    assert "the last heartbeat was" in said
