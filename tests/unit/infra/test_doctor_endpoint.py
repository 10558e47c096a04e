"""The doctor before endpoints that are well, and before each that is not, over real connections."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, cast

import pytest
from nacl.signing import SigningKey
from werkzeug.serving import make_server

from infra.doctor_endpoint import DAYS_LEAST, Endpoint, Key
from infra.doctor_findings import Finding, examine
from interactions import core
from interactions.app import make_app
from interactions.http_metrics import Metrics
from interactions.lookups import Lookups
from interactions.registry import registry
from tests import interactions_made as made
from tests.voice.discord.certificate import make_authority
from trainer.adapters.file_store import FileStore

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from trainer.ports import JobQueue

PROBE = SigningKey(bytes(range(1, 33)))
GOOD: dict[str, Any] = {
    "ok": True,
    "store": "ok",
    "queue": "ok",
    "jobs": {"ready": 2, "leased": 0, "delayed": 0, "dead": 0},
    "voice": {"queue": "ok", "orders": {"ready": 3, "leased": 0, "delayed": 0, "dead": 0}},
    "models": {"chat": "none: trained answers as they stand"},
    "discord": "discord",
}


@contextmanager
def trainger(
    folder: Path,
    *,
    probe: SigningKey | None = PROBE,
    key: SigningKey = made.KEY,
    metrics: bool = False,
    **health: Any,
) -> Iterator[str]:
    """The real app, whose health is as told; its URL."""
    trusted = probe.verify_key if probe is not None else None
    door = core.Door(key.verify_key, registry(), Lookups(lambda: FileStore(folder / "store")), trusted)
    state = GOOD | health
    app = make_app(door, cast("JobQueue", None), lambda: state, metrics=Metrics() if metrics else None)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def other(
    status: int,
    body: bytes = b"",
    content_type: str = "application/json",
    *,
    tls: ssl.SSLContext | None = None,
    before: Callable[[], object] = lambda: None,
) -> Iterator[str]:
    """A server that answers everything alike; its address without the scheme."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            before()
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Location", "https://elsewhere.example.org/")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815 - the name that the server looks for

        def log_message(self, *_: object) -> None: ...

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None: ...

    server = Quiet(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def look(url: str, key: Key | None = None, **more: Any) -> dict[str, Finding]:
    endpoint = Endpoint(url, key, **more)
    try:
        return {finding.name: finding for finding in examine(endpoint.checks())}
    finally:
        endpoint.close()


def test_one_that_is_well(tmp_path: Path) -> None:
    with trainger(tmp_path) as url:
        found = look(f"{url}/interactions/", Key(PROBE))
    assert {name: finding.state for name, finding in found.items()} == {
        "certificate": "note",
        "signed PING": "ok",
        "probe": "ok",
        "bad signature": "ok",
        "missing headers": "ok",
        "latency": "ok",
        "health": "ok",
        "metrics": "ok",
    }
    assert found["signed PING"].text.startswith("PONG, median ")
    assert "of 17, from here; Discord waits 3000 ms" in found["latency"].text
    assert "2 jobs wait; 3 orders wait for the voice sidecar; chat: none" in found["health"].text
    assert "given up" not in found["health"].text
    assert PROBE.encode().hex() not in str(found)


def test_without_a_key_it_says_how_to_get_one(tmp_path: Path) -> None:
    with trainger(tmp_path, probe=None, metrics=True) as url:
        found = look(url)
    assert found["signed PING"].state == "note"
    assert "--new-key" in found["signed PING"].text
    assert "probe" not in found
    assert {found[name].state for name in ("bad signature", "missing headers", "latency", "health")} == {"ok"}
    assert "shown" in found["metrics"].text


def test_the_playgrounds_key_is_discords(tmp_path: Path) -> None:
    with trainger(tmp_path, probe=None) as url:
        assert look(url, Key(made.KEY, playground=True))["signed PING"].state == "ok"
        stranger = look(url, Key(PROBE, playground=True))["signed PING"]
    assert stranger.state == "bad"
    assert "make run" in stranger.text


def test_a_key_that_the_endpoint_does_not_trust(tmp_path: Path) -> None:
    with trainger(tmp_path, probe=None) as url:
        found = look(url, Key(PROBE))["signed PING"]
    assert found.state == "bad"
    assert f"TRAINGER_PROBE_PUBLIC_KEY={PROBE.verify_key.encode().hex()}" in found.text


def test_a_probe_whose_key_is_taken_for_discords(tmp_path: Path) -> None:
    with trainger(tmp_path, key=PROBE) as url:
        found = look(url, Key(PROBE))["probe"]
    assert found.state == "bad"
    assert "DISCORD_PUBLIC_KEY" in found.text


def test_one_that_takes_everything() -> None:
    with other(200, b'{"type": 1}') as address:
        found = look(f"http://{address}", Key(PROBE))
    assert found["signed PING"].state == "ok"
    for name in ("bad signature", "missing headers"):
        assert found[name].state == "bad"
        assert "TAKEN" in found[name].text


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"<html>", "text/html"), (b'{"type":1}', "text/plain"), (b'{"type":4}', "application/json"), (b"", "")],
)
def test_an_answer_that_is_no_pong(body: bytes, content_type: str) -> None:
    with other(200, body, content_type) as address:
        found = look(f"http://{address}", Key(PROBE))["signed PING"]
    assert found.state == "bad"
    assert "is not answered with" in found.text


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (307, "Discord does not follow"),
        (403, "function URL"),
        (404, "path"),
        (429, "limits"),
        (502, "proxy"),
        (400, "is it Trainger"),
    ],
)
def test_what_stands_before_it_is_told_by_its_status(status: int, hint: str) -> None:
    with other(status) as address:
        found = look(f"http://{address}", Key(PROBE))
    for name in ("signed PING", "bad signature", "missing headers", "health"):
        assert found[name].state == "bad"
        assert f"answers {status}" in found[name].text
        assert hint in found[name].text


def test_one_that_does_not_run() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    found = look(f"http://127.0.0.1:{port}", Key(PROBE))
    assert found["bad signature"].state == "bad"
    assert "cannot be reached" in found["bad signature"].text
    assert found["latency"] == Finding("latency", "note", "nothing was answered")
    assert look(f"https://127.0.0.1:{port}")["certificate"].state == "bad"


def test_one_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.doctor_endpoint.TIMEOUT_S", 0.05)
    asked = threading.Event()
    with other(200, before=lambda: asked.wait(5)) as address:
        found = look(f"http://{address}")["bad signature"]
        asked.set()
    assert found.state == "bad"
    assert "no answer within" in found.text


def test_one_that_is_too_slow(tmp_path: Path) -> None:
    with trainger(tmp_path) as url:
        found = look(url, limit_s=0.000001)["latency"]
    assert found.state == "bad"
    assert "no longer" in found.text


@pytest.mark.parametrize(
    ("health", "state", "word"),
    [
        ({"ok": False, "store": "does not answer"}, "bad", "its store does not answer: see TRAINGER_STORE"),
        ({"ok": False, "queue": "does not answer"}, "bad", "TRAINGER_QUEUE"),
        ({"ok": False}, "bad", "its log"),
        ({"discord": "playground"}, "bad", "DISCORD_PUBLIC_KEY"),
        ({"jobs": {"ready": 0, "dead": 3}}, "ok", "3 were given up"),
        ({"models": {"chat": "\x1b[2J" + "x" * 999}}, "ok", "?[2J"),
    ],
)
def test_its_health(tmp_path: Path, health: dict[str, Any], state: str, word: str) -> None:
    with trainger(tmp_path, **health) as url:
        found = look(url)["health"]
    assert found.state == state
    assert word in found.text
    assert "\x1b" not in found.text
    assert len(found.text) < 400


def test_the_health_of_a_function() -> None:
    with other(200, json.dumps({"ok": True, "store": "ok"}).encode()) as address:
        assert look(f"http://{address}")["health"] == Finding("health", "ok", "store ok")


def test_a_playground_is_well_where_one_is_wanted(tmp_path: Path) -> None:
    with trainger(tmp_path, discord="playground") as url:
        assert look(url, real=False)["health"].state == "ok"


def test_metrics_that_everybody_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    with other(200) as address, monkeypatch.context() as patched:
        patched.setattr("infra.doctor_endpoint._is_here", lambda _: False)
        found = look(f"http://{address}")
    assert found["metrics"].state == "note"
    assert "TRAINGER_METRICS" in found["metrics"].text
    assert found["certificate"].state == "bad"
    assert "https" in found["certificate"].text
    with other(500) as address:
        assert look(f"http://{address}")["metrics"].state == "note"


def test_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, context = make_authority(tmp_path)

    def certificate(url: str, days_ago: float = 0) -> Finding:
        return look(url, clock=lambda: time.time() - days_ago * 86_400)["certificate"]

    with other(401, tls=context) as address:
        unknown = look(f"https://{address}")
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        soon, well = certificate(f"https://{address}"), certificate(f"https://{address}", DAYS_LEAST)
        refused = look(f"https://{address}")["missing headers"]
        wrong = certificate(f"https://{address.replace('127.0.0.1', '127.0.0.2')}")
    assert unknown["certificate"].state == "bad"
    assert "not trusted" in unknown["certificate"].text
    assert "see `certificate`" in unknown["bad signature"].text
    assert (soon.state, "ends in 1 days" in soon.text) == ("bad", True)
    assert (well.state, well.text) == ("ok", f"trusted, for {DAYS_LEAST + 1} more days")
    assert refused.state == "ok"
    assert wrong.state == "bad"


@pytest.mark.parametrize("url", ["trainger.example.org", "ftp://x", "https://", "https://me:pw@host", "https://[::1"])
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(ValueError, match=r"URL|IPv6"):
        Endpoint(url)
