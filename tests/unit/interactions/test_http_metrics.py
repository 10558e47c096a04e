"""`/metrics`: what is counted, read by Prometheus's own parser, and who gets it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.datastructures import Headers

from interactions import core
from interactions.app import make_app
from interactions.http_metrics import FORWARDED, Metrics, is_local
from interactions.lookups import Lookups
from interactions.performing import DONE, Verdict, never
from interactions.registry import registry
from tests import interactions_made as made
from trainer.adapters.file_store import FileStore
from trainer.adapters.sqlite_queue import SqliteQueue
from trainer.ports import QueueUnavailable, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask.testing import FlaskClient

    from interactions.events import Installation
    from trainer.ports import JobQueue

ROOT = Path(__file__).parents[3]


class Fails:
    """A queue that takes nothing, and a store that changes nothing."""

    def send(self, body: bytes, *, delay_s: float = 0) -> str:
        raise QueueUnavailable("no")

    def depth(self) -> object:
        raise QueueUnavailable("no")

    def take(self, change: Installation) -> None:
        raise StoreUnavailable("no")


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[SqliteQueue]:
    opened = SqliteQueue(tmp_path / "queue.sqlite3")
    yield opened
    opened.close()


def client(metrics: Metrics | None, queue: object, folder: Path, take: Any = None) -> FlaskClient:
    door = core.Door(made.KEY.verify_key, registry(), Lookups(lambda: FileStore(folder / "store")))
    app = make_app(door, cast("JobQueue", queue), lambda: {"ok": True}, take_installation=take, metrics=metrics)
    return app.test_client()


def post(to: FlaskClient, body: bytes, path: str = "/interactions", **headers: str) -> int:
    _, signature, timestamp = made.signed(body)
    signed = {"X-Signature-Ed25519": signature, "X-Signature-Timestamp": timestamp}
    return to.post(path, data=body, headers=signed | headers).status_code


class Samples:
    """What Prometheus reads out of a text."""

    def __init__(self, text: str) -> None:
        self._found = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def of(self, name: str, **labels: str) -> float | None:
        return self._found.get((f"trainger_{name}", frozenset(labels.items())))

    def all(self, name: str) -> dict[tuple[str, ...], float]:
        """By the labels' values, in order of the labels' names."""
        return {
            tuple(value for _, value in sorted(labels)): count
            for (full, labels), count in self._found.items()
            if full == f"trainger_{name}"
        }


def read(to: FlaskClient) -> Samples:
    response = to.get("/metrics")
    assert response.status_code == 200
    assert response.content_type.startswith("text/plain; version=")
    return Samples(response.get_data(as_text=True))


def test_requests_are_counted_by_what_they_came_to(queue: SqliteQueue, tmp_path: Path) -> None:
    metrics = Metrics()
    metrics.watch(queue)
    door = client(metrics, queue, tmp_path)
    assert post(door, b'{"type":1}') == 200
    assert post(door, made.encode(made.slash("ask", {"prompt": "a secret question"}))) == 200
    assert post(door, made.encode(made.slash("ask", {"prompt": "another"}))) == 200
    assert post(door, made.encode(made.slash("hi"))) == 200
    assert post(door, b"not JSON") == 400
    assert post(door, b'{"type":1}', **{"X-Signature-Ed25519": "00" * 64}) == 401
    found = read(door)
    assert found.all("acknowledgements_total") == {
        ("answered", "ping"): 1,
        ("deferred", "command"): 2,
        ("answered", "command"): 1,
        ("malformed", "unknown"): 1,
        ("unauthorized", "unknown"): 1,
    }
    assert found.of("acknowledgement_seconds_count", type="command") == 3
    assert (found.of("acknowledgement_seconds_sum", type="command") or 0) > 0
    assert found.of("queue_jobs", state="ready") == 2
    assert found.of("queue_jobs", state="dead") == 0
    assert found.of("queue_up") == 1
    assert "secret" not in door.get("/metrics").get_data(as_text=True)


def test_what_fails_is_counted_as_that(tmp_path: Path) -> None:
    fails, metrics = Fails(), Metrics()
    metrics.watch(cast("JobQueue", fails))
    door = client(metrics, fails, tmp_path, fails.take)
    assert post(door, made.encode(made.slash("ask", {"prompt": "x"}))) == 200
    assert post(door, b'{"type":0}', "/events") == 204
    assert post(door, b'{"type":7}', "/events") == 400
    failed = core.Response(200, b"", failure={"error": "KeyError"}, kind="modal")
    metrics.acknowledged(failed, failed, 0.1)
    metrics.took_event(core.Response(503, b""), 0.1)
    found = read(door)
    assert found.all("acknowledgements_total") == {
        ("not_queued", "command"): 1,
        ("answered", "event"): 1,
        ("malformed", "event"): 1,
        ("failed", "modal"): 1,
        ("unavailable", "event"): 1,
    }
    assert found.of("queue_up") == 0
    assert found.all("queue_jobs") == {}


class Performer:
    """Comes to whatever it is told."""

    def __init__(self) -> None:
        self.verdict = DONE
        self.told: list[tuple[bytes, int]] = []

    def perform(
        self, body: bytes, attempts: int, abandoned: Callable[[], bool], must_stop: Callable[[], bool]
    ) -> Verdict:
        self.told.append((body, attempts))
        return self.verdict


def test_jobs_are_counted_by_what_became_of_them() -> None:
    metrics, performer = Metrics(), Performer()
    measured = metrics.measured(performer)
    assert measured.perform(b"job", 1, never, never) == DONE
    assert measured.perform(b"job", 1, never, never) == DONE
    performer.verdict = Verdict("bury", "whatever")
    assert measured.perform(b"job", 3, never, never) == performer.verdict
    assert performer.told == [(b"job", 1), (b"job", 1), (b"job", 3)]
    found = Samples(metrics.text().decode())
    assert found.of("job_seconds_count", verdict="complete") == 2
    assert found.of("job_seconds_count", verdict="bury") == 1
    assert found.of("job_seconds_bucket", verdict="bury", le="+Inf") == 1


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "[::1]:8080"])
def test_programs_on_this_machine_get_it(peer: str, host: str) -> None:
    assert is_local(peer, host, Headers({"Accept": "text/plain"}))


@pytest.mark.parametrize(
    ("peer", "host"),
    [
        ("10.0.0.7", "127.0.0.1:8080"),
        ("::ffff:10.0.0.7", "localhost"),
        ("", "localhost"),
        ("unix", "localhost"),
        ("127.0.0.1", "bot.example.org"),
        ("127.0.0.1", "127.0.0.1.example.org"),
        ("127.0.0.1", ""),
        ("127.0.0.1", "[::1"),
        ("127.0.0.1", "localhost@bot.example.org"),
    ],
)
def test_others_do_not(peer: str, host: str) -> None:
    assert not is_local(peer, host, Headers())


@pytest.mark.parametrize("name", FORWARDED)
def test_what_came_through_a_proxy_does_not(name: str) -> None:
    assert not is_local("127.0.0.1", "localhost", Headers({name.lower(): "127.0.0.1"}))


def test_it_is_not_there_for_others_unless_it_is_public(queue: SqliteQueue, tmp_path: Path) -> None:
    door = client(Metrics(), queue, tmp_path)
    far = {"REMOTE_ADDR": "203.0.113.9"}
    assert door.get("/metrics").status_code == 200
    assert door.get("/metrics", environ_base=far).status_code == 404
    assert door.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 404
    assert door.get("/metrics", headers={"Host": "bot.example.org"}).status_code == 404
    assert client(Metrics(public=True), queue, tmp_path).get("/metrics", environ_base=far).status_code == 200
    assert client(None, queue, tmp_path).get("/metrics").status_code == 404


def test_whoever_counts_nothing_does_not_import_prometheus() -> None:
    """What a function that acknowledges imports, and the door where nothing is counted."""
    code = "import sys, interactions.app, interactions.aws\nprint([m for m in sys.modules if m[:10] == 'prometheus'])"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
