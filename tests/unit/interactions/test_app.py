"""The Flask app: headers in, status and body out, the queue in between."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, cast

import pytest

from interactions import core
from interactions.app import make_app
from interactions.attachments import AllowedOrigins
from interactions.lookups import NAMES_MOST, Lookups
from interactions.registry import registry
from interactions.uploads import Uploads
from tests import interactions_made as made
from trainer.adapters.file_store import FileStore
from trainer.ports import BodyTooLarge, QueueUnavailable, StoreUnavailable
from trainer.scope import Scope

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from interactions.payloads import Attachment
    from trainer.ports import JobQueue, ObjectStore

SCOPE = Scope("guild", made.GUILD)


class Queue:
    """Takes jobs, or fails as it is told."""

    def __init__(self) -> None:
        self.jobs: list[bytes] = []
        self.error: Exception | None = None

    def send(self, body: bytes, *, delay_s: float = 0) -> str:
        if self.error is not None:
            raise self.error
        self.jobs.append(body)
        return "1"


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def client(queue: Queue, tmp_path: Path) -> FlaskClient:
    door = core.Door(made.KEY.verify_key, registry(), Lookups(lambda: FileStore(tmp_path)))
    state = {"ok": True}
    app = make_app(door, cast("JobQueue", queue), lambda: dict(state), playground_url="")
    app.config["state"] = state
    return app.test_client()


def post(client: FlaskClient, body: bytes, **headers: str) -> Any:
    _, signature, timestamp = made.signed(body)
    signed = {"X-Signature-Ed25519": signature, "X-Signature-Timestamp": timestamp}
    return client.post("/interactions", data=body, headers=signed | headers)


def test_ping(client: FlaskClient) -> None:
    response = post(client, b'{"type":1}')
    assert (response.status_code, response.json) == (200, {"type": 1})
    assert response.content_type == "application/json"


def test_bad_and_missing_signatures(client: FlaskClient) -> None:
    assert client.post("/interactions", data=b'{"type":1}').status_code == 401
    assert post(client, b'{"type":1}', **{"X-Signature-Ed25519": "00" * 64}).status_code == 401


def test_a_deferred_command_lies_in_the_queue_before_it_is_acknowledged(client: FlaskClient, queue: Queue) -> None:
    response = post(client, made.encode(made.slash("ask", {"prompt": "Where?"})))
    assert response.json == {"type": 5}
    assert len(queue.jobs) == 1


@pytest.mark.parametrize(
    ("error", "word"), [(QueueUnavailable("x"), "try again in a minute"), (BodyTooLarge("x"), "as a file")]
)
def test_a_queue_that_fails_is_told(client: FlaskClient, queue: Queue, error: Exception, word: str) -> None:
    queue.error = error
    response = post(client, made.encode(made.slash("ask", {"prompt": "Where?"})))
    assert response.status_code == 200
    assert response.json["type"] == 4
    assert word in response.json["data"]["content"]


def test_too_large_a_body(client: FlaskClient) -> None:
    assert post(client, b" " * (core.MAX_BODY + 1)).status_code == 413


def test_health(client: FlaskClient) -> None:
    assert client.get("/healthz").status_code == 200
    client.application.config["state"]["ok"] = False
    assert client.get("/healthz").status_code == 503


def test_other_paths_and_methods(client: FlaskClient) -> None:
    assert b"Trainger is running" in client.get("/").data
    assert client.get("/interactions").status_code == 405
    assert client.get("/static/x").status_code == 404


def test_the_front_page_leads_to_the_playground(queue: Queue) -> None:
    door = core.Door(made.KEY.verify_key, registry(), Lookups(cast("Any", None)))
    app = make_app(door, cast("JobQueue", queue), dict, playground_url="http://127.0.0.1:8082")
    response = app.test_client().get("/")
    assert (response.status_code, response.headers["Location"]) == (302, "http://127.0.0.1:8082")


def test_datasets_are_found_in_the_store(client: FlaskClient, tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    for name in ("support", "events", "события"):
        for number in range(3):
            store.put(f"{SCOPE.prefix}/datasets/{name}/batches/{number}.json", b"{}")
    store.put("g1/datasets/foreign/batches/1.json", b"{}")
    response = post(client, made.encode(made.typing("train", "dataset", "")))
    assert [choice["value"] for choice in response.json["data"]["choices"]] == ["events", "support", "события"]


def test_a_store_that_fails_suggests_nothing() -> None:
    class Failing:
        def list(self, prefix: str, *, start_after: str = "") -> object:
            raise StoreUnavailable("x")

    assert Lookups(lambda: cast("ObjectStore", Failing())).dataset_names(SCOPE) == []


def test_a_store_that_hangs_suggests_nothing_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interactions.lookups.PATIENCE_S", 0.05)
    answer = threading.Event()

    class Hanging:
        def list(self, prefix: str, *, start_after: str = "") -> object:
            answer.wait(20)
            return iter(())

    assert Lookups(lambda: cast("ObjectStore", Hanging())).dataset_names(SCOPE) == []
    answer.set()


def test_suggestions_are_bounded(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    for number in range(NAMES_MOST + 5):
        store.put(f"{SCOPE.prefix}/datasets/d{number:04}/x", b"")
    assert len(Lookups(lambda: store).dataset_names(SCOPE)) == NAMES_MOST


def test_an_upload_is_downloaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[str] = []

    def fetch(url: str, *, into: Path, **_: object) -> None:
        fetched.append(url)
        into.write_bytes(b"Q: a A: b")

    monkeypatch.setattr("interactions.uploads.fetch", fetch)
    uploads = Uploads(FileStore(tmp_path), AllowedOrigins.parse("cdn.discordapp.com"))
    attachment: Attachment = cast("Any", type("A", (), {"id": "9", "url": "https://cdn.discordapp.com/x"}))
    for _ in range(2):
        with uploads.fetch(SCOPE, attachment) as path:
            assert path.read_bytes() == b"Q: a A: b"
        assert not path.exists()
    assert fetched == ["https://cdn.discordapp.com/x"]
    assert json.dumps([info.key for info in FileStore(tmp_path).list("")]) == f'["{SCOPE.prefix}/originals/9"]'
