"""The job queue in one SQLite file, for one machine: any number of threads and processes, no server.

A job is a row. `due_at` says from when it may be handed out: the moment it was sent, the end of its delay, or the
end of its lease. Leasing moves `due_at` into the future and writes a new receipt, so a worker that dies needs no
cleaning up after: its jobs fall due again by themselves. Times are the wall clock's, the only one that processes
share and that survives a restart. `docs/decisions/0003-sqlite-queue.md` says why this is not a library.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from trainer.ports import BodyTooLarge, DeadJob, Job, LeaseLost, QueueDepth, QueueUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

MAX_BODY: Final = 255 * 1024
"""Bytes; what the SQS adapter takes too, so a job that fits here fits there."""
SCHEMA_VERSION: Final = 1
SHORTEST_PAUSE_S: Final = 0.02
LONGEST_PAUSE_S: Final = 0.2
"""Between two looks of a waiting worker. Jobs sent by the same process wake it at once."""

_SCHEMA: Final = """
CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    body BLOB NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at REAL NOT NULL,
    receipt TEXT
);
CREATE INDEX jobs_by_due_at ON jobs (due_at);
CREATE TABLE dead_letters (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    body BLOB NOT NULL,
    reason TEXT NOT NULL,
    buried_at REAL NOT NULL
);
"""

_TAKE: Final = """
UPDATE jobs SET attempts = attempts + 1, due_at = ?, receipt = ?
WHERE seq IN (SELECT seq FROM jobs WHERE due_at <= ? ORDER BY due_at, seq LIMIT ?)
RETURNING seq, id, body, attempts, receipt
"""

_DEPTH: Final = """
SELECT count(*) FILTER (WHERE due_at <= :now),
       count(*) FILTER (WHERE due_at > :now AND receipt IS NOT NULL),
       count(*) FILTER (WHERE due_at > :now AND receipt IS NULL),
       (SELECT count(*) FROM dead_letters)
FROM jobs
"""

_Identity = tuple[int, int]
"""Device and inode: tells whether the file at the path is still the one that was opened."""


class _Open:
    """What a queue has open in this process, and who is using it."""

    __slots__ = ("arrivals", "arrived", "forking", "idle", "in_use", "turn", "writing")

    def __init__(self) -> None:
        self.idle: list[tuple[sqlite3.Connection, _Identity]] = []
        self.arrived = threading.Condition()
        self.arrivals = 0
        # One writer a process: waiting for this lock is prompt, while SQLite's waiting is sleep and try again.
        self.writing = threading.Lock()
        self.turn = threading.Condition()
        self.in_use = 0
        self.forking = False


class SqliteQueue:
    """A `trainer.ports.JobQueue` in the SQLite file at `path`, made with its folder when first used.

    Args:
        path: the database file.
        max_body: the largest body it takes, in bytes.
        busy_timeout_s: how long an operation waits for other writers before it raises `QueueUnavailable`: so long for
            the threads of this process, and so long for other processes.
    """

    def __init__(self, path: Path, *, max_body: int = MAX_BODY, busy_timeout_s: float = 1.0) -> None:
        self.max_body = max_body
        self._path = path.absolute()
        self._busy_timeout_s = busy_timeout_s
        self._open = _Open()
        self._closed = False
        _queues.add(self)

    def send(self, body: bytes, *, delay_s: float = 0) -> str:
        """Add a job; it survives a crash of the machine when this returns. Raises `BodyTooLarge`."""
        if len(body) > self.max_body:
            raise BodyTooLarge(f"{len(body)} bytes; the queue takes {self.max_body}")
        job_id = os.urandom(16).hex()
        with self._transaction() as db:
            db.execute(
                "INSERT INTO jobs (id, body, due_at) VALUES (?, ?, ?)", (job_id, body, time.time() + max(delay_s, 0))
            )
        self._announce(delay_s)
        return job_id

    def lease(self, *, wait_s: float, visibility_s: float, limit: int = 1) -> Sequence[Job]:
        """Take up to `limit` jobs, waiting up to `wait_s` seconds for the first."""
        deadline = time.monotonic() + wait_s
        pause = SHORTEST_PAUSE_S
        while True:
            arrivals = self._open.arrivals
            jobs = self._take(visibility_s, limit)
            remaining = deadline - time.monotonic()
            if jobs or remaining <= 0:
                return jobs
            with self._open.arrived:
                if self._open.arrivals == arrivals:
                    self._open.arrived.wait(min(pause, remaining))
            pause = min(pause * 1.5, LONGEST_PAUSE_S)

    def extend(self, job: Job, *, visibility_s: float) -> None:
        """Keep the lease for `visibility_s` seconds from now. Raises `LeaseLost`."""
        with self._transaction() as db:
            _must_hold(
                db.execute(
                    "UPDATE jobs SET due_at = ? WHERE id = ? AND receipt = ?",
                    (time.time() + visibility_s, job.id, job.receipt),
                )
            )

    def complete(self, job: Job) -> None:
        """The job is done and goes away. Raises `LeaseLost`."""
        with self._transaction() as db:
            _must_hold(db.execute("DELETE FROM jobs WHERE id = ? AND receipt = ?", (job.id, job.receipt)))

    def release(self, job: Job, *, delay_s: float = 0) -> None:
        """Give the job back, to be handed out again after `delay_s` seconds. Raises `LeaseLost`."""
        with self._transaction() as db:
            _must_hold(
                db.execute(
                    "UPDATE jobs SET due_at = ?, receipt = NULL WHERE id = ? AND receipt = ?",
                    (time.time() + max(delay_s, 0), job.id, job.receipt),
                )
            )
        self._announce(delay_s)

    def bury(self, job: Job, *, reason: str) -> None:
        """Move the job to the dead letters. Raises `LeaseLost`."""
        with self._transaction() as db:
            _must_hold(
                db.execute(
                    "INSERT INTO dead_letters (id, body, reason, buried_at)"
                    " SELECT id, body, ?, ? FROM jobs WHERE id = ? AND receipt = ?",
                    (reason, time.time(), job.id, job.receipt),
                )
            )
            db.execute("DELETE FROM jobs WHERE id = ?", (job.id,))

    def dead(self, *, limit: int = 100) -> Sequence[DeadJob]:
        """The dead letters, oldest first."""
        with self._connection() as db:
            rows = db.execute(
                "SELECT id, body, reason, buried_at FROM dead_letters ORDER BY seq LIMIT ?", (max(limit, 0),)
            ).fetchall()
        return [DeadJob(*row) for row in rows]

    def redrive(self, job_id: str) -> bool:
        """Put a dead letter back, under the same id; False if there is none."""
        with self._transaction() as db:
            found = db.execute(
                "INSERT INTO jobs (id, body, due_at) SELECT id, body, ? FROM dead_letters WHERE id = ?",
                (time.time(), job_id),
            ).rowcount
            db.execute("DELETE FROM dead_letters WHERE id = ?", (job_id,))
        if found:
            self._announce(0)
        return bool(found)

    def discard(self, job_id: str) -> bool:
        """Delete a dead letter; False if there is none. As far as others let it, also from the write-ahead log."""
        with self._transaction() as db:
            found = db.execute("DELETE FROM dead_letters WHERE id = ?", (job_id,)).rowcount
        if found:
            with self._connection() as db:
                # Pages in free space are overwritten, but the log keeps earlier ones until it begins anew. Who reads
                # or writes at this moment keeps it: then the next one to do this, or the last one to leave, does it.
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return bool(found)

    def depth(self) -> QueueDepth:
        """How many jobs there are, exactly; one whose lease ran out counts as ready."""
        with self._connection() as db:
            return QueueDepth(*db.execute(_DEPTH, {"now": time.time()}).fetchone())

    def ping(self) -> None:
        """Raise `QueueUnavailable` unless the database can be written to."""
        with self._transaction():
            pass

    def close(self) -> None:
        """Close the connections; using the queue afterwards raises `QueueUnavailable`."""
        self._closed = True
        self._close_idle()

    def _take(self, visibility_s: float, limit: int) -> list[Job]:
        with self._connection() as db:  # looking takes no lock, so idle workers do not hold up senders
            if db.execute("SELECT 1 FROM jobs WHERE due_at <= ? LIMIT 1", (time.time(),)).fetchone() is None:
                return []
        with self._transaction() as db:
            now = time.time()
            rows = db.execute(_TAKE, (now + visibility_s, os.urandom(16).hex(), now, limit)).fetchall()
        return [Job(*row[1:]) for row in sorted(rows)]

    def _announce(self, delay_s: float) -> None:
        """Wake a waiting `lease` of this process; those of other processes look again by themselves."""
        if delay_s > 0:
            return
        with self._open.arrived:
            self._open.arrivals += 1
            self._open.arrived.notify()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection holding the write lock: all of the block is durable after it, or nothing of it."""
        writing = self._open.writing
        if not writing.acquire(timeout=self._busy_timeout_s):
            raise QueueUnavailable("the queue's database is busy")
        try:
            with self._connection() as db:
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.execute("COMMIT")
        finally:
            writing.release()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A connection that no other thread uses meanwhile. What goes wrong ends it, and so rolls back."""
        connection: sqlite3.Connection | None = None
        with self._open.turn:
            while self._open.forking:
                self._open.turn.wait()
            self._open.in_use += 1
        try:
            connection, identity = self._idle_connection() or self._connect()
            yield connection
            self._open.idle.append((connection, identity))
        except BaseException as error:
            if connection is not None:
                connection.close()
            if isinstance(error, sqlite3.Error | OSError):
                raise QueueUnavailable(f"the queue's database does not answer: {_code(error)}") from None
            raise
        finally:
            if self._closed:
                self._close_idle()
            with self._open.turn:
                self._open.in_use -= 1
                self._open.turn.notify_all()

    def _close_idle(self) -> None:
        idle = self._open.idle
        while idle:
            idle.pop()[0].close()

    def _idle_connection(self) -> tuple[sqlite3.Connection, _Identity] | None:
        """A connection to reuse. A job written to a file that was deleted or replaced would be lost."""
        if self._closed:
            raise QueueUnavailable("the queue is closed")
        try:
            connection, identity = self._open.idle.pop()
        except IndexError:
            return None
        try:
            if identity == self._identity():
                return connection, identity
        except OSError:
            pass
        connection.close()
        return self._idle_connection()

    def _connect(self) -> tuple[sqlite3.Connection, _Identity]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self._path, timeout=self._busy_timeout_s, isolation_level=None, check_same_thread=False)
        try:
            if not _is_ready(db):
                _write_schema(db, self._busy_timeout_s)
            db.execute("PRAGMA synchronous = FULL")  # an fsync a commit: `send` promises durability
            db.execute("PRAGMA fullfsync = ON")  # on macOS nothing less reaches the disk
            db.execute("PRAGMA secure_delete = ON")  # finished jobs hold people's words: no trace in free pages
            return db, self._identity()
        except BaseException:
            db.close()
            raise

    def _identity(self) -> _Identity:
        status = self._path.stat()
        return status.st_dev, status.st_ino

    def _before_fork(self) -> None:
        """Have nothing open in the moment of a fork.

        A child inherits SQLite's own record of the locks that its parent holds, so that connections made later,
        too, would go without locks and lose jobs.
        """
        with self._open.turn:
            self._open.forking = True
            # Bounded, because the thread that forks may be inside an operation itself.
            self._open.turn.wait_for(lambda: self._open.in_use == 0, self._busy_timeout_s)
            self._close_idle()

    def _after_fork_in_parent(self) -> None:
        with self._open.turn:
            self._open.forking = False
            self._open.turn.notify_all()

    def _after_fork_in_child(self) -> None:
        self._open = _Open()  # locks that other threads held stay locked for ever


_queues: weakref.WeakSet[SqliteQueue] = weakref.WeakSet()


def _tell_queues(method: Callable[[SqliteQueue], None]) -> Callable[[], None]:
    def tell() -> None:
        for queue in list(_queues):
            method(queue)

    return tell


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(
        before=_tell_queues(SqliteQueue._before_fork),  # noqa: SLF001 - of this very module
        after_in_parent=_tell_queues(SqliteQueue._after_fork_in_parent),  # noqa: SLF001
        after_in_child=_tell_queues(SqliteQueue._after_fork_in_child),  # noqa: SLF001
    )


def _is_ready(db: sqlite3.Connection) -> bool:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version not in {0, SCHEMA_VERSION}:
        raise QueueUnavailable(f"the queue's database has schema {version}, not {SCHEMA_VERSION}")
    return bool(version == SCHEMA_VERSION)


def _write_schema(db: sqlite3.Connection, patience_s: float) -> None:
    """Make the tables, once, however many processes try at the same time."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")  # kept in the file; readers and a writer do not wait
            break
        except sqlite3.OperationalError as error:
            # SQLite does not wait by itself when it changes this mode.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(SHORTEST_PAUSE_S)
    db.execute("BEGIN IMMEDIATE")
    if not _is_ready(db):
        for statement in filter(str.strip, _SCHEMA.split(";")):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    db.execute("COMMIT")


def _must_hold(cursor: sqlite3.Cursor) -> None:
    if cursor.rowcount != 1:
        raise LeaseLost("the job was taken over, or is gone")


def _code(error: Exception) -> str:
    """The error's code, without its text: that may name paths."""
    return getattr(error, "sqlite_errorname", None) or type(error).__name__
