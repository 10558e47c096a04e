"""What becomes of a batch of jobs that the platform took from the queue."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from interactions import batches
from interactions.performing import DONE, Verdict
from trainer.adapters.sqlite_queue import SqliteQueue
from trainer.ports import Job, LeaseLost, QueueUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def forever() -> float:
    return 900.0


class Verdicts:
    """Performs by a table: what a job's body says is looked up."""

    def __init__(self, table: dict[bytes, Verdict] | None = None) -> None:
        self.table = table or {}
        self.attempts: list[int] = []

    def perform(
        self, body: bytes, attempts: int, abandoned: Callable[[], bool], must_stop: Callable[[], bool]
    ) -> Verdict:
        self.attempts.append(attempts)
        return self.table.get(body, DONE)


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[SqliteQueue]:
    with closing(SqliteQueue(tmp_path / "queue.sqlite3")) as queue:
        yield queue


def leased(queue: SqliteQueue, *bodies: bytes, visibility_s: float = 60) -> dict[bytes, Job]:
    for body in bodies:
        queue.send(body)
    found = queue.lease(wait_s=0, visibility_s=visibility_s, limit=10)
    assert len(found) == len(bodies)
    return {job.body: job for job in found}


def test_each_job_of_a_batch_goes_its_own_way(queue: SqliteQueue) -> None:
    verdicts = Verdicts(
        {
            b"later": Verdict("retry", "StoreUnavailable", 120),
            b"never": Verdict("bury", "Bug 7KQ2MX"),
            b"on": Verdict("again", "HandOn", 30),
        }
    )
    jobs = leased(queue, b"done", b"later", b"never", b"on")

    failed = batches.work_off(list(jobs.values()), queue, verdicts, lease_s=30, remaining_s=forever)

    assert failed == [jobs[b"later"].id]
    assert queue.depth() == (0, 0, 2, 1)
    (dead,) = queue.dead()
    assert (dead.body, dead.reason) == (b"never", "Bug 7KQ2MX")


def test_the_number_of_deliveries_is_told(queue: SqliteQueue) -> None:
    verdicts = Verdicts()
    queue.send(b"job")
    (job,) = queue.lease(wait_s=0, visibility_s=60)

    batches.work_off([job._replace(attempts=5)], queue, verdicts, lease_s=30, remaining_s=forever)

    assert verdicts.attempts == [5]


def test_nothing_to_do(queue: SqliteQueue) -> None:
    assert batches.work_off([], queue, Verdicts(), lease_s=30, remaining_s=forever) == []


def test_what_lost_its_lease_before_it_began_is_left_to_others(queue: SqliteQueue) -> None:
    verdicts = Verdicts()
    jobs = leased(queue, b"mine", b"theirs")
    queue.release(jobs[b"theirs"])

    failed = batches.work_off(list(jobs.values()), queue, verdicts, lease_s=30, remaining_s=forever)

    assert failed == [jobs[b"theirs"].id]
    assert len(verdicts.attempts) == 1
    assert queue.depth() == (1, 0, 0, 0)


def test_leases_are_renewed_while_a_job_runs(queue: SqliteQueue) -> None:
    class Slow(Verdicts):
        def perform(
            self, body: bytes, attempts: int, abandoned: Callable[[], bool], must_stop: Callable[[], bool]
        ) -> Verdict:
            if body == b"slow":
                end = time.monotonic() + 1.2
                while time.monotonic() < end:
                    assert queue.lease(wait_s=0, visibility_s=60) == []
                    time.sleep(0.05)
                assert not abandoned()
            return DONE

    jobs = leased(queue, b"slow", b"quick", visibility_s=0.5)

    assert batches.work_off(list(jobs.values()), queue, Slow(), lease_s=0.5, remaining_s=forever) == []
    assert queue.depth() == (0, 0, 0, 0)


def test_a_job_that_was_taken_over_meanwhile_is_told_so_and_left_there(queue: SqliteQueue) -> None:
    class Watches(Verdicts):
        def perform(
            self, body: bytes, attempts: int, abandoned: Callable[[], bool], must_stop: Callable[[], bool]
        ) -> Verdict:
            queue.release(job)
            (self.taken,) = queue.lease(wait_s=0, visibility_s=60)
            deadline = time.monotonic() + 20
            while not abandoned():
                assert time.monotonic() < deadline
                time.sleep(0.01)
            return DONE

    job = leased(queue, b"job")[b"job"]
    performer = Watches()

    assert batches.work_off([job], queue, performer, lease_s=0.3, remaining_s=forever) == [job.id]
    queue.complete(performer.taken)


def test_jobs_run_beside_each_other(queue: SqliteQueue) -> None:
    together = threading.Barrier(3, timeout=20)

    class Meets(Verdicts):
        def perform(
            self, body: bytes, attempts: int, abandoned: Callable[[], bool], must_stop: Callable[[], bool]
        ) -> Verdict:
            together.wait()
            return DONE

    jobs = leased(queue, b"1", b"2", b"3")

    assert batches.work_off(list(jobs.values()), queue, Meets(), lease_s=30, remaining_s=forever) == []


@pytest.mark.parametrize(
    ("at_first", "later", "stops"), [(900, 91, False), (900, 89, True), (90, 31, False), (90, 29, True)]
)
def test_what_takes_long_ends_before_the_platform_ends_it(
    queue: SqliteQueue, at_first: float, later: float, stops: bool
) -> None:
    remaining = [at_first]
    asked: list[bool] = []

    class Asks(Verdicts):
        def perform(
            self, body: bytes, attempts: int, abandoned: Callable[[], bool], must_stop: Callable[[], bool]
        ) -> Verdict:
            asked.append(must_stop())
            remaining[0] = later
            asked.append(must_stop())
            return DONE

    batches.work_off(
        list(leased(queue, b"job").values()), queue, Asks(), lease_s=30, remaining_s=lambda: remaining[0]
    )

    assert asked == [False, stops]


class Deaf:
    """A queue that does not answer some calls."""

    max_body = 1000

    def __init__(self, queue: SqliteQueue, calls: set[str], error: Exception) -> None:
        self._queue = queue
        self._calls = calls
        self._error = error

    def __getattr__(self, name: str) -> object:
        def fails(*_: object, **__: object) -> None:
            raise self._error

        return fails if name in self._calls else getattr(self._queue, name)


@pytest.mark.parametrize(
    ("verdict", "stays"),
    [
        (DONE, False),
        (Verdict("retry", "StoreUnavailable", 1), True),
        (Verdict("bury", "Bug"), True),
        (Verdict("again", "HandOn"), True),
    ],
    ids=lambda value: value.do if isinstance(value, Verdict) else "",
)
def test_a_queue_that_does_not_hear(queue: SqliteQueue, verdict: Verdict, stays: bool) -> None:
    (job,) = leased(queue, b"job").values()
    deaf = Deaf(queue, {"extend", "complete", "release", "bury"}, QueueUnavailable("no"))

    failed = batches.work_off([job], deaf, Verdicts({b"job": verdict}), lease_s=30, remaining_s=forever)  # type: ignore[arg-type] # some of it

    # What is done may be deleted by the platform; all else must come again.
    assert failed == ([job.id] if stays else [])


def test_a_done_job_that_somebody_else_has_is_not_deleted(queue: SqliteQueue) -> None:
    (job,) = leased(queue, b"job").values()
    deaf = Deaf(queue, {"complete"}, LeaseLost("gone"))

    assert batches.work_off([job], deaf, Verdicts(), lease_s=30, remaining_s=forever) == [job.id]  # type: ignore[arg-type] # some of it


def test_an_unexpected_error_fails_its_job_alone(queue: SqliteQueue, caplog: pytest.LogCaptureFixture) -> None:
    class Breaks(Verdicts):
        def perform(
            self, body: bytes, attempts: int, abandoned: Callable[[], bool], must_stop: Callable[[], bool]
        ) -> Verdict:
            if body == b"bad":
                raise RuntimeError("the words of somebody")
            return DONE

    jobs = leased(queue, b"good", b"bad")

    failed = batches.work_off(list(jobs.values()), queue, Breaks(), lease_s=30, remaining_s=forever)

    assert failed == [jobs[b"bad"].id]
    assert "the words of somebody" not in caplog.text


def record(**more: object) -> dict[str, object]:
    """A message as Lambda hands it over."""
    return {
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": "Größe",
        "attributes": {"ApproximateReceiveCount": "3", "SentTimestamp": "1545082649183", "SenderId": "AIDA"},
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:jobs",
        "awsRegion": "eu-west-1",
    } | more


def test_a_batch_is_read() -> None:
    first, second = batches.read({"Records": [record(), record(messageId="2", body="\ud800", attributes={})]})

    assert first == Job(
        "059f36b4-87a3-44ab-83d2-661975830a7d", "Größe".encode(), 3, "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a"
    )
    assert (second.body, second.attempts) == (b"?", 1)


@pytest.mark.parametrize(
    "event",
    [
        {},
        None,
        {"Records": [{"messageId": "1"}]},
        {"Records": [record(attributes={"ApproximateReceiveCount": "many"})]},
    ],
)
def test_what_is_no_batch(event: object) -> None:
    with pytest.raises(batches.NotABatch):
        batches.read(event)


def test_failures_are_named_as_the_platform_wants() -> None:
    assert batches.answer(["1", "2"]) == {"batchItemFailures": [{"itemIdentifier": "1"}, {"itemIdentifier": "2"}]}
