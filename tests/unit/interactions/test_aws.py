"""The functions of AWS Lambda: what they make of their events. A folder and SQLite stand for S3 and SQS."""

from __future__ import annotations

import json
import logging
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest

from interactions import aws, installation_jobs
from interactions.batches import NotABatch
from interactions.discord_api import DiscordUnavailable
from interactions.events import Installation
from interactions.jobs import unpack
from interactions.performing import TRIES_MOST
from interactions.publishing import Publisher
from tests import interactions_made as made
from tests.contract import queues
from tests.unit.interactions.invocations import Context, messages, request, signature_headers, signed
from trainer import records
from trainer.adapters.file_store import FileStore
from trainer.adapters.sqlite_queue import SqliteQueue
from trainer.installation import Clock, clock_key
from trainer.ports import QueueUnavailable, StoreUnavailable
from trainer.scope import Scope
from trainer.selection import mark_dataset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers import AwsServer
    from trainer.ports import Job


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The environment of a fresh function."""
    variables = {
        "DISCORD_PUBLIC_KEY": made.KEY.verify_key.encode().hex(),
        "DISCORD_APPLICATION_ID": made.APPLICATION,
        "DISCORD_API_BASE_URL": "http://127.0.0.1:9/api/v10",
        "TRAINGER_STORE": f"file:{tmp_path / 'store'}",
        "TRAINGER_QUEUE": f"sqlite:{tmp_path / 'queue.sqlite3'}",
        "TRAINGER_CACHE": str(tmp_path / "cache"),
        "TRAINGER_EMBEDDINGS": "none",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    before = root.handlers[:], root.level, threading.excepthook
    caches = (aws._front, aws._configuration, aws._queue, aws._services, aws._room)
    for each in caches:
        each.cache_clear()
    yield tmp_path
    if aws._front.cache_info().currsize:
        aws._front().queue.close()
    if aws._services.cache_info().currsize:
        aws._services().close()
        aws._queue().close()
    for each in caches:
        each.cache_clear()
    # Functions set up the logs of their process.
    root.handlers[:], root.level, threading.excepthook = before


@pytest.fixture
def queue(folder: Path) -> Iterator[SqliteQueue]:
    with closing(SqliteQueue(folder / "queue.sqlite3")) as queue:
        yield queue


def jobs(queue: SqliteQueue) -> list[Job]:
    return list(queue.lease(wait_s=0, visibility_s=60, limit=10))


@pytest.mark.parametrize("in_base64", [False, True])
def test_a_command_is_deferred_and_enqueued(queue: SqliteQueue, in_base64: bool) -> None:
    interaction = made.slash("ask", {"prompt": "Wie groß ist 🦊?"})

    answered = aws.ack(signed(interaction, in_base64=in_base64), None)

    assert answered["statusCode"] == 200
    assert answered["headers"]["content-type"] == "application/json"
    assert json.loads(answered["body"])["type"] == 5
    (job,) = jobs(queue)
    assert unpack(job.body).id == interaction["id"]


def test_a_ping_is_answered(queue: SqliteQueue) -> None:
    answered = aws.ack(signed({"id": "1", "application_id": made.APPLICATION, "type": 1, "token": "t"}), None)

    assert (answered["statusCode"], json.loads(answered["body"])) == (200, {"type": 1})
    assert jobs(queue) == []


def test_a_wrong_signature_is_refused(queue: SqliteQueue) -> None:
    event = signed(made.slash("hi"))
    event["body"] += " "

    assert aws.ack(event, None)["statusCode"] == 401
    assert aws.ack(request(b"{}"), None)["statusCode"] == 401
    assert jobs(queue) == []


def test_suggestions_are_looked_up_in_the_store(folder: Path) -> None:
    mark_dataset(FileStore(folder / "store"), Scope("guild", made.GUILD), "recipes", "1")
    typed = {"name": "name", "type": 3, "value": "rec", "focused": True}
    data = {"id": "9", "name": "select_dataset", "type": 1, "options": [typed]}

    answered = aws.ack(signed(made.base(4, data)), None)

    choices = json.loads(answered["body"])["data"]["choices"]
    assert "recipes" in [choice["value"] for choice in choices]


def test_a_queue_that_does_not_answer_is_told_to_the_person(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> str:
        raise QueueUnavailable("SendMessage: AccessDenied")

    monkeypatch.setattr(aws._front().queue, "send", fails)

    answered = aws.ack(signed(made.slash("ask", {"prompt": "Who?"})), None)

    said = json.loads(answered["body"])
    assert (said["type"], said["data"]["flags"]) == (4, 64)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/interactions", 405),
        ("POST", "/healthz", 405),
        ("GET", "/events", 405),
        ("GET", "/", 404),
        ("GET", "/.env", 404),
        ("POST", "/interactions/", 401),
    ],
)
def test_other_requests(method: str, path: str, status: int) -> None:
    assert aws.ack(request(b"{}", method=method, path=path), None)["statusCode"] == status


@pytest.mark.parametrize(
    "event",
    [{}, None, [], {"Records": []}, {**request(b""), "body": "no base64!", "isBase64Encoded": True}],
    ids=["empty", "none", "list", "batch", "base64"],
)
def test_what_is_no_request(event: object) -> None:
    assert aws.ack(event, None)["statusCode"] == 400


def test_a_body_that_is_no_text_is_refused() -> None:
    body, signature, timestamp = made.signed(b"\xff\xfe")

    answered = aws.ack(request(body, in_base64=True, headers=signature_headers(signature, timestamp)), None)

    assert answered["statusCode"] == 400


def test_health(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise StoreUnavailable("S3 answered 403 AccessDenied")

    well = aws.ack(request(b"", path="/healthz", method="GET"), None)
    monkeypatch.setattr(aws._front().store(), "ping", fails)
    ill = aws.ack(request(b"", path="/healthz", method="GET"), None)

    assert (well["statusCode"], json.loads(well["body"])["ok"]) == (200, True)
    assert (ill["statusCode"], json.loads(ill["body"])["ok"]) == (503, False)


def event_of(kind: str, at: str) -> dict[str, Any]:
    user = {"id": made.ADA, "username": "ada"}
    payload = {"version": 1, "application_id": made.APPLICATION, "type": 1}
    return signed(payload | {"event": {"type": kind, "timestamp": at, "data": {"user": user}}}, path="/events")


def moment(ago_s: float = 0) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() - ago_s))


def test_an_event_becomes_a_job_that_sets_the_clock(folder: Path, queue: SqliteQueue) -> None:
    answered = aws.ack(event_of("APPLICATION_DEAUTHORIZED", moment()), None)
    assert (answered["statusCode"], answered["body"]) == (204, "")
    store = FileStore(folder / "store")
    assert records.load(store, clock_key(made.ADA), Clock) is None

    assert aws.work(messages(*jobs(queue)), Context()) == {"batchItemFailures": []}

    clock = records.load(store, clock_key(made.ADA), Clock)
    assert clock is not None
    assert clock.running
    assert queue.depth() == (0, 0, 0, 0)


def test_an_old_event_changes_nothing(queue: SqliteQueue) -> None:
    assert aws.ack(event_of("APPLICATION_DEAUTHORIZED", moment(ago_s=7200)), None)["statusCode"] == 204
    assert jobs(queue) == []


def test_an_event_that_cannot_be_taken_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> str:
        raise QueueUnavailable("SendMessage: Throttling")

    monkeypatch.setattr(aws._front().queue, "send", fails)

    assert aws.ack(event_of("APPLICATION_AUTHORIZED", moment()), None)["statusCode"] == 503


def test_a_clock_that_cannot_be_set_is_tried_again_and_given_up_in_the_end(
    queue: SqliteQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> bool:
        raise StoreUnavailable("S3 answered 503 SlowDown")

    monkeypatch.setattr("trainer.installation.set_clock", fails)
    job = installation_jobs.pack(Installation(made.ADA, 1.0, installed=True))
    queue.send(job)
    (lease,) = jobs(queue)

    assert aws.work(messages(lease), Context()) == {"batchItemFailures": [{"itemIdentifier": lease.id}]}
    assert queue.depth().delayed == 1

    queue.send(job)
    (last,) = jobs(queue)
    assert aws.work(messages(last._replace(attempts=TRIES_MOST)), Context()) == {"batchItemFailures": []}
    assert [dead.reason for dead in queue.dead()] == ["StoreUnavailable"]


@pytest.mark.parametrize("server", ["ministack_server", "moto_server"])
def test_a_warm_function_performs_what_it_gets_again(
    server: str, folder: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Over SQS, whose leases the function also watches by its own clock."""
    aws_server = cast("AwsServer", request.getfixturevalue(server))
    for name, value in aws_server.environment().items():
        monkeypatch.setenv(name, value)
    with queues.sqs(aws_server) as opener:
        platform = opener()
        monkeypatch.setenv("TRAINGER_QUEUE", platform._url)
        store, key = FileStore(folder / "store"), clock_key(made.ADA)
        store.put(key, b"not a record")
        monkeypatch.setattr(aws, "TRY_EVENT_S", 0)
        platform.send(installation_jobs.pack(Installation(made.ADA, 1.0, installed=False)))

        for attempt in (1, 2):
            job = queues.one(platform)
            assert job.attempts == attempt
            assert aws.work(messages(job), Context()) == {"batchItemFailures": [{"itemIdentifier": job.id}]}
        store.delete(key)
        assert aws.work(messages(queues.one(platform)), Context()) == {"batchItemFailures": []}

        clock = records.load(store, key, Clock)
        assert clock is not None
        assert clock.running
        assert platform.depth() == (0, 0, 0, 0)


def test_jobs_are_performed_and_what_is_no_job_is_buried(queue: SqliteQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise DiscordUnavailable

    monkeypatch.setattr(Publisher, "publish", fails)
    interaction = made.slash("stats")
    assert aws.ack(signed(interaction), None)["statusCode"] == 200
    queue.send(b"poison")
    leased = jobs(queue)
    command = next(job for job in leased if interaction["id"].encode() in job.body)

    failed = aws.work(messages(*leased), Context())

    assert failed == {"batchItemFailures": [{"itemIdentifier": command.id}]}
    assert [(dead.body, dead.reason) for dead in queue.dead()] == [(b"poison", "MalformedJob")]
    assert queue.depth().delayed == 1


def test_a_batch_must_be_one(queue: SqliteQueue) -> None:
    # An error and no empty answer: the platform would delete all that it named.
    with pytest.raises(NotABatch):
        aws.work({}, Context())


def test_a_tick_sweeps(folder: Path) -> None:
    store = FileStore(folder / "store")
    old = f"g{made.GUILD}/answers/100.json"
    store.put(old, b"an answer of 2015")

    aws.tick({"source": "aws.events"}, Context())

    assert store.head(old) is None


def test_a_tick_ends_in_time(folder: Path) -> None:
    store = FileStore(folder / "store")
    old = f"g{made.GUILD}/answers/100.json"
    store.put(old, b"an answer of 2015")

    aws.tick({"source": "aws.events"}, Context(aws.TICK_RESERVE_S - 1))

    assert store.head(old) is not None


def test_jobs_of_events_tell_themselves_apart() -> None:
    change = Installation("7", 1.5, installed=False)

    assert installation_jobs.unpack(installation_jobs.pack(change)) == change
    for other in (
        b"{}",
        b"",
        b"\xff",
        b"[" * 100_000,
        msgspec.json.encode({"v": 1, "interaction": {}, "installation": {}}),
        msgspec.json.encode({"installation": {"user_id": "../x", "at": 1, "installed": True}}),
    ):
        assert installation_jobs.unpack(other) is None


def test_secrets_come_from_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINGER_SECRETS", "/trainger/test")
    monkeypatch.setenv("OPENAI_API_KEY", "")
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setenv("DISCORD_TOKEN", "the real variable")
    monkeypatch.setattr(
        "interactions.aws_secrets.read",
        lambda path: {"OPENAI_API_KEY": f"of {path}", "DISCORD_TOKEN": "stored"},
    )

    configuration = aws._configuration()

    assert configuration.openai_api_key == "of /trainger/test"
    assert configuration.token == "the real variable"


def test_acknowledging_reads_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> dict[str, str]:
        raise AssertionError(path)

    monkeypatch.setenv("TRAINGER_SECRETS", "/trainger/test")
    monkeypatch.setattr("interactions.aws_secrets.read", refuse)

    assert aws.ack(signed(made.slash("hi")), None)["statusCode"] == 200


@pytest.mark.parametrize("handler", ["", "interactions.aws.ack", "interactions.aws.other", "somebody.elses.ack"])
def test_a_function_is_made_ready_while_it_starts(handler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_HANDLER", handler)

    aws._make_ready()

    assert aws._front.cache_info().currsize == (handler == "interactions.aws.ack")
