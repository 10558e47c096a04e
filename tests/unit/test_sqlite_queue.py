"""What the SQLite queue promises beyond the contract suite: durability, several processes, damaged files."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from trainer.adapters import sqlite_queue
from trainer.adapters.sqlite_queue import SqliteQueue
from trainer.ports import Job, QueueDepth, QueueUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0

SEND_AND_STAY = """
import sys, time
from pathlib import Path
from trainer.adapters.sqlite_queue import SqliteQueue
print(SqliteQueue(Path(sys.argv[1])).send(b"precious"), flush=True)
time.sleep(600)
"""

SEND_MANY = """
import sys
from pathlib import Path
from trainer.adapters.sqlite_queue import SqliteQueue
queue = SqliteQueue(Path(sys.argv[1]), busy_timeout_s=60)
sys.stdin.read()  # all start at the same time
for _ in range(10):
    print(queue.send(b"job"))
queue.close()
"""

WORK = """
import os, sys, time
from pathlib import Path
from trainer.adapters.sqlite_queue import SqliteQueue
from trainer.ports import LeaseLost
queue = SqliteQueue(Path(sys.argv[1]), busy_timeout_s=60)
done = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND)
while True:
    for job in queue.lease(wait_s=60, visibility_s=1, limit=3):
        time.sleep(0.005)
        os.write(done, f"{job.id}\\n".encode())
        try:
            queue.complete(job)
        except LeaseLost:
            pass
"""

FORK = """
import os, sys, threading, warnings
from pathlib import Path
from trainer.adapters.sqlite_queue import SqliteQueue
warnings.simplefilter("ignore", DeprecationWarning)  # forking with threads is what this is about
queue = SqliteQueue(Path(sys.argv[1]), busy_timeout_s=60)
queue.send(b"first")
def send_meanwhile():
    for _ in range(100):
        queue.send(b"thread")
thread = threading.Thread(target=send_meanwhile)
thread.start()
children = []
for number in range(10):
    child = os.fork()
    if child == 0:
        queue.send(b"child")
        queue.close()
        os._exit(0)
    children.append(child)
    queue.send(b"parent")
assert [os.waitpid(child, 0)[1] for child in children] == [0] * 10
thread.join()
queue.close()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "queue.sqlite3"


@pytest.fixture
def queue(path: Path) -> Iterator[SqliteQueue]:
    with contextlib.closing(SqliteQueue(path, busy_timeout_s=0.1)) as queue:
        yield queue


def start(script: str, *arguments: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def bodies(queue: SqliteQueue) -> list[bytes]:
    return [job.body for job in queue.lease(wait_s=0, visibility_s=60, limit=100)]


def test_making_a_queue_touches_nothing(tmp_path: Path) -> None:
    SqliteQueue(tmp_path / "new" / "queue.sqlite3").close()
    assert list(tmp_path.iterdir()) == []


def test_jobs_come_in_the_order_they_were_sent(queue: SqliteQueue) -> None:
    sent = [f"job {number}".encode() for number in range(20)]
    for body in sent:
        queue.send(body)
    assert bodies(queue) == sent


def test_jobs_survive_closing(queue: SqliteQueue, path: Path) -> None:
    queue.send(b"job")
    queue.close()
    with contextlib.closing(SqliteQueue(path)) as again:
        assert bodies(again) == [b"job"]


def test_a_closed_queue_does_nothing(queue: SqliteQueue) -> None:
    queue.send(b"job")
    queue.close()
    for call in (queue.ping, queue.depth, lambda: queue.send(b"job"), lambda: queue.lease(wait_s=0, visibility_s=1)):
        with pytest.raises(QueueUnavailable, match="closed"):
            call()


def test_closing_meanwhile_leaves_no_connection_open(queue: SqliteQueue) -> None:
    with queue._connection():
        queue.close()
    assert not queue._open.idle


def test_waiting_looks_seldom(queue: SqliteQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    take = queue._take
    looks: list[float] = []

    def counted(visibility_s: float, limit: int) -> list[Job]:
        looks.append(visibility_s)
        return take(visibility_s, limit)

    monkeypatch.setattr(queue, "_take", counted)
    assert queue.lease(wait_s=0.3, visibility_s=1) == []
    assert 2 <= len(looks) <= 10


def test_a_job_of_the_same_process_wakes_who_waits(queue: SqliteQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_queue, "SHORTEST_PAUSE_S", 2 * PATIENCE_S)
    monkeypatch.setattr(sqlite_queue, "LONGEST_PAUSE_S", 2 * PATIENCE_S)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(queue.lease, wait_s=2 * PATIENCE_S, visibility_s=60)
        queue.send(b"job")
        assert [job.body for job in waiting.result(PATIENCE_S)] == [b"job"]


def test_a_job_released_with_a_delay_counts_as_delayed(queue: SqliteQueue) -> None:
    queue.send(b"job")
    queue.release(queue.lease(wait_s=0, visibility_s=60)[0], delay_s=60)
    assert queue.depth() == QueueDepth(ready=0, leased=0, delayed=1, dead=0)


def test_what_send_returned_survives_a_killed_sender(queue: SqliteQueue, path: Path) -> None:
    sender = start(SEND_AND_STAY, path)
    try:
        assert sender.stdout is not None
        job_id = sender.stdout.readline().strip()
    finally:
        kill(sender)
    assert sender.returncode == -signal.SIGKILL
    (job,) = queue.lease(wait_s=0, visibility_s=60)
    assert (job.id, job.body) == (job_id, b"precious")


def test_processes_that_start_together_make_one_database(queue: SqliteQueue, path: Path) -> None:
    senders = [start(SEND_MANY, path) for _ in range(4)]
    for sender in senders:
        assert sender.stdin is not None
        sender.stdin.close()
        sender.stdin = None
    sent = [line for sender in senders for line in sender.communicate(timeout=PATIENCE_S)[0].split()]
    assert [sender.returncode for sender in senders] == [0] * len(senders)
    assert len(sent) == 40
    assert sorted(job.id for job in queue.lease(wait_s=0, visibility_s=60, limit=100)) == sorted(sent)


def test_no_job_is_lost_when_workers_are_killed(queue: SqliteQueue, path: Path, tmp_path: Path) -> None:
    done_path = tmp_path / "done"
    done_path.touch()
    sent = {queue.send(f"job {number}".encode()) for number in range(300)}
    workers = [start(WORK, path, done_path) for _ in range(3)]
    killed = 0
    deadline = time.monotonic() + PATIENCE_S
    try:
        while queue.depth() != QueueDepth(0, 0, 0, 0):
            assert time.monotonic() < deadline
            if killed < 8 and done_path.stat().st_size > killed * 30 * 33:  # 33 bytes a job: spread over the run
                kill(workers.pop(0))
                workers.append(start(WORK, path, done_path))
                killed += 1
            time.sleep(0.01)
    finally:
        for worker in workers:
            kill(worker)
    assert killed >= 5
    assert set(done_path.read_text().split()) == sent


def test_forking_loses_no_job_of_parent_or_child(queue: SqliteQueue, path: Path) -> None:
    process = start(FORK, path)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    jobs = [job.body for job in queue.lease(wait_s=0, visibility_s=60, limit=1000)]
    assert Counter(jobs) == {b"first": 1, b"thread": 100, b"child": 10, b"parent": 10}


def test_nothing_is_open_in_the_moment_of_a_fork(queue: SqliteQueue) -> None:
    queue.send(b"job")
    assert queue._open.idle
    queue._before_fork()
    assert not queue._open.idle
    queue._after_fork_in_parent()
    assert bodies(queue) == [b"job"]


def test_a_fork_inside_an_operation_does_not_wait_for_ever(queue: SqliteQueue) -> None:
    with queue._connection():
        queue._before_fork()
        queue._after_fork_in_parent()
    queue.send(b"job")
    assert bodies(queue) == [b"job"]


def test_a_deleted_database_is_made_anew(queue: SqliteQueue, path: Path) -> None:
    queue.send(b"lost with the file")
    for each in path.parent.iterdir():
        each.unlink()
    queue.send(b"kept")
    with contextlib.closing(SqliteQueue(path)) as other:
        assert bodies(other) == [b"kept"]
    path.parent.joinpath("elsewhere").mkdir()
    path.rename(path.parent / "elsewhere" / path.name)
    assert bodies(queue) == []


def test_other_writers_are_waited_for_only_so_long(queue: SqliteQueue, path: Path) -> None:
    queue.send(b"first")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(QueueUnavailable, match="SQLITE_BUSY"):
            queue.send(b"second")
        assert queue.depth().ready == 1  # readers do not wait
        other.execute("ROLLBACK")
    queue.send(b"third")
    assert bodies(queue) == [b"first", b"third"]


def test_other_threads_are_waited_for_only_so_long(queue: SqliteQueue) -> None:
    with queue._open.writing, pytest.raises(QueueUnavailable, match="busy"):
        queue.send(b"job")
    queue.send(b"job")


def test_a_database_that_others_make_is_waited_for_only_so_long(queue: SqliteQueue, path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(QueueUnavailable, match="SQLITE_BUSY"):
            queue.send(b"job")
        other.execute("ROLLBACK")
    queue.send(b"job")


def test_a_full_disk_is_reported_and_nothing_half_written(queue: SqliteQueue) -> None:
    queue.send(b"small")
    with queue._connection() as db:  # the next operation uses the same connection
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(QueueUnavailable, match="SQLITE_FULL"):
        queue.send(b"x" * queue.max_body)
    assert bodies(queue) == [b"small"]


def test_the_database_of_another_version_is_refused(queue: SqliteQueue, path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 99")
    with pytest.raises(QueueUnavailable, match="schema 99"):
        queue.send(b"job")


def test_a_damaged_database_is_reported(queue: SqliteQueue, path: Path) -> None:
    queue.send(b"x" * 100_000)
    queue.close()
    data = path.read_bytes()
    path.write_bytes(data[:100] + b"\xff" * (len(data) - 100))
    with contextlib.closing(SqliteQueue(path)) as damaged, pytest.raises(QueueUnavailable):
        damaged.lease(wait_s=0, visibility_s=1)


def test_finished_jobs_leave_no_words_behind(queue: SqliteQueue, path: Path) -> None:
    for _ in range(3):
        queue.send(b"a private question " * 500)
    for job in queue.lease(wait_s=0, visibility_s=60, limit=3):
        queue.complete(job)
    queue.close()
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert b"private" not in path.read_bytes()


def test_of_a_dead_letter_that_was_deleted_no_word_stays(tmp_path: Path) -> None:
    with contextlib.closing(SqliteQueue(tmp_path / "queue.sqlite3")) as queue:
        job_id = queue.send(b"xylophone " * 2000)
        (job,) = queue.lease(wait_s=5, visibility_s=30)
        queue.bury(job, reason="Boom")
        assert b"xylophone" in files(tmp_path)
        assert queue.discard(job_id)
        assert b"xylophone" not in files(tmp_path)


def files(folder: Path) -> bytes:
    """All that the database's files hold."""
    return b"".join(path.read_bytes() for path in folder.iterdir())
