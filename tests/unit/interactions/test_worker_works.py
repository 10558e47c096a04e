"""When a worker says that it works, and when its watchdog is to hear nothing."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from interactions import worker as module
from interactions.performing import DONE, Verdict
from interactions.worker import Worker
from trainer.adapters.sqlite_queue import SqliteQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from trainer.ports import Job

LONG_S = 20.0


class Slow:
    """A performer whose commands take until they are let go."""

    def __init__(self) -> None:
        self.began, self.go_on = threading.Event(), threading.Event()

    def perform(
        self, body: bytes, attempts: int, abandoned: Callable[[], bool], must_stop: Callable[[], bool]
    ) -> Verdict:
        self.began.set()
        assert self.go_on.wait(LONG_S)
        return DONE


class Hanging(SqliteQueue):
    """A queue that does not answer, nor fail."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked, self.go_on = threading.Event(), threading.Event()

    def lease(self, *, wait_s: float, visibility_s: float, limit: int = 1) -> Sequence[Job]:
        self.asked.set()
        assert self.go_on.wait(LONG_S)
        return []


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[SqliteQueue]:
    made = SqliteQueue(tmp_path / "queue.sqlite3")
    yield made
    made.close()


def test_it_works_from_start_to_stop(queue: SqliteQueue) -> None:
    worker = Worker(queue, Slow(), threads=2, lease_s=1, poll_s=0.05)
    assert not worker.works()
    worker.start()
    assert worker.works()
    assert worker.stop()
    assert not worker.works()


def test_a_command_may_take_as_long_as_it_likes(queue: SqliteQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow()
    worker = Worker(queue, slow, threads=1, lease_s=LONG_S * 3, poll_s=0.05)
    queue.send(b"slow")
    worker.start()
    assert slow.began.wait(LONG_S)
    monkeypatch.setattr(module, "HANGS_S", -1_000.0)
    assert worker.works()
    slow.go_on.set()
    assert worker.stop()


def test_a_queue_that_never_answers_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Hanging(tmp_path / "queue.sqlite3")
    worker = Worker(queue, Slow(), threads=1, lease_s=1, poll_s=0.05)
    worker.start()
    assert queue.asked.wait(LONG_S)
    assert worker.works()
    monkeypatch.setattr(module, "HANGS_S", -1_000.0)
    assert not worker.works()
    queue.go_on.set()
    assert worker.stop()
    queue.close()
