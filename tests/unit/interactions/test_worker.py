"""Leases are kept, settled and given back."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from interactions.performing import DONE, Verdict
from interactions.worker import Worker
from trainer.adapters.sqlite_queue import SqliteQueue
from trainer.ports import LeaseLost, QueueUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from trainer.ports import Job


class Performer:
    """Does with a job what the test says."""

    def __init__(self, act: Callable[[bytes, int], Verdict]) -> None:
        self.act = act
        self.seen: list[tuple[bytes, int]] = []

    def perform(
        self, body: bytes, attempts: int, abandoned: Callable[[], bool], must_stop: Callable[[], bool]
    ) -> Verdict:
        self.seen.append((body, attempts))
        self.must_stop = must_stop
        return self.act(body, attempts)


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[SqliteQueue]:
    made = SqliteQueue(tmp_path / "queue.sqlite3")
    yield made
    made.close()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_every_verdict_is_carried_out(queue: SqliteQueue) -> None:
    def act(body: bytes, attempts: int) -> Verdict:
        if body == b"bad":
            return Verdict("bury", "Why")
        return Verdict("retry", "Later", 0.01) if body == b"later" and attempts == 1 else DONE

    performer = Performer(act)
    worker = Worker(queue, performer, threads=2, lease_s=5, poll_s=0.1)
    for body in (b"good", b"bad", b"later"):
        queue.send(body)
    worker.start()
    until(lambda: len(performer.seen) == 4 and queue.depth().leased == 0)
    assert worker.stop()
    assert sorted(performer.seen) == [(b"bad", 1), (b"good", 1), (b"later", 1), (b"later", 2)]
    assert [dead.reason for dead in queue.dead()] == ["Why"]
    assert queue.depth() == (0, 0, 0, 1)


def test_a_long_job_keeps_its_lease(queue: SqliteQueue) -> None:
    def act(body: bytes, attempts: int) -> Verdict:
        time.sleep(2.5)
        return DONE

    performer = Performer(act)
    worker = Worker(queue, performer, threads=2, lease_s=1, poll_s=0.1)
    queue.send(b"long")
    worker.start()
    until(lambda: queue.depth() == (0, 0, 0, 0))
    assert worker.stop()
    assert performer.seen == [(b"long", 1)]


def test_stopping_waits_for_the_running_job_and_takes_no_other(queue: SqliteQueue) -> None:
    running = threading.Event()

    def act(body: bytes, attempts: int) -> Verdict:
        running.set()
        time.sleep(0.3)
        return DONE

    performer = Performer(act)
    worker = Worker(queue, performer, threads=1, lease_s=5, poll_s=0.1)
    queue.send(b"first")
    worker.start()
    assert running.wait(10)
    queue.send(b"second")
    assert worker.stop()
    assert performer.seen == [(b"first", 1)]
    assert queue.depth().ready == 1


class Broken:
    """A queue that fails when it is told to."""

    def __init__(self, queue: SqliteQueue, *, leases_fail: int = 0, settle: Exception | None = None) -> None:
        self._queue = queue
        self._leases_fail = leases_fail
        self._settle = settle

    def lease(self, *, wait_s: float, visibility_s: float, limit: int = 1) -> Sequence[Job]:
        if self._leases_fail:
            self._leases_fail -= 1
            raise QueueUnavailable("gone")
        return self._queue.lease(wait_s=wait_s, visibility_s=visibility_s, limit=limit)

    def complete(self, job: Job) -> None:
        if self._settle is not None:
            error, self._settle = self._settle, None
            raise error
        self._queue.complete(job)

    def __getattr__(self, name: str) -> object:
        return getattr(self._queue, name)


def test_a_queue_that_comes_back_is_worked_off(queue: SqliteQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interactions.worker.PAUSE_S", 0.01)
    performer = Performer(lambda body, attempts: DONE)
    worker = Worker(Broken(queue, leases_fail=3), performer, threads=1, poll_s=0.1)  # type: ignore[arg-type]
    queue.send(b"x")
    worker.start()
    until(lambda: queue.depth() == (0, 0, 0, 0))
    assert worker.stop()


@pytest.mark.parametrize("error", [LeaseLost("late"), QueueUnavailable("gone")])
def test_a_job_that_cannot_be_settled_comes_again(queue: SqliteQueue, error: Exception) -> None:
    performer = Performer(lambda body, attempts: DONE)
    worker = Worker(Broken(queue, settle=error), performer, threads=1, lease_s=1, poll_s=0.1)  # type: ignore[arg-type]
    queue.send(b"x")
    worker.start()
    until(lambda: queue.depth() == (0, 0, 0, 0))
    assert worker.stop()
    assert performer.seen == [(b"x", 1), (b"x", 2)]


def test_a_job_that_hands_itself_on_begins_anew(queue: SqliteQueue) -> None:
    steps = iter([Verdict("retry", "Later", 0.0), Verdict("again", "HandOn"), DONE])
    performer = Performer(lambda body, attempts: next(steps))
    worker = Worker(queue, performer, threads=1, lease_s=5, poll_s=0.1)
    queue.send(b"long")
    worker.start()
    until(lambda: queue.depth() == (0, 0, 0, 0))
    assert worker.stop()
    assert performer.seen == [(b"long", 1), (b"long", 2), (b"long", 1)]


def test_handing_on_may_wait(queue: SqliteQueue) -> None:
    performer = Performer(lambda body, attempts: Verdict("again", "HandOn", 60))
    worker = Worker(queue, performer, threads=1, lease_s=5, poll_s=0.1)
    queue.send(b"long")
    worker.start()
    until(lambda: queue.depth().delayed == 1)
    assert worker.stop()
    assert queue.depth() == (0, 0, 1, 0)


def test_a_crash_between_sending_and_completing_loses_nothing(queue: SqliteQueue) -> None:
    """The old job comes again beside the new one: both are the same job."""
    steps = iter([Verdict("again", "HandOn"), DONE, DONE])
    performer = Performer(lambda body, attempts: next(steps))
    broken = Broken(queue, settle=QueueUnavailable("gone"))
    worker = Worker(broken, performer, threads=1, lease_s=1, poll_s=0.1)  # type: ignore[arg-type]
    queue.send(b"long")
    worker.start()
    until(lambda: len(performer.seen) == 3 and queue.depth() == (0, 0, 0, 0))
    assert worker.stop()
    assert sorted(performer.seen) == [(b"long", 1), (b"long", 1), (b"long", 2)]


def test_a_job_is_asked_to_stop_with_the_worker(queue: SqliteQueue) -> None:
    asked = []
    running = threading.Event()

    def act(body: bytes, attempts: int) -> Verdict:
        asked.append(performer.must_stop())
        running.set()
        until(performer.must_stop)
        return Verdict("again", "HandOn")

    performer = Performer(act)
    worker = Worker(queue, performer, threads=1, lease_s=5, poll_s=0.1)
    queue.send(b"long")
    worker.start()
    assert running.wait(10)
    assert worker.stop()
    assert asked == [False]
    assert queue.depth() == (1, 0, 0, 0)


def test_a_job_is_asked_to_stop_after_a_while(queue: SqliteQueue) -> None:
    def act(body: bytes, attempts: int) -> Verdict:
        until(performer.must_stop)
        return DONE

    performer = Performer(act)
    worker = Worker(queue, performer, threads=1, lease_s=5, poll_s=0.1, job_s=0.1)
    queue.send(b"long")
    worker.start()
    until(lambda: queue.depth() == (0, 0, 0, 0))
    assert worker.stop()
