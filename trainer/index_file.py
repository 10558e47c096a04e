"""A SQLite file of derived data, shared by threads and processes, that may be deleted at any time.

Each instance has one connection that writes, behind a lock, and as many that read as are reading at once; SQLite's
write-ahead log keeps readers from waiting for the writer. A file that is damaged, or was written by another version,
is removed and started anew, empty; so is one that somebody deleted while it was in use.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSY_S: Final = 30.0
"""How long to wait for another process that writes."""

_WHOLE: Final = ("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK")
_PART: Final = ("SAVEPOINT part", "RELEASE part", "ROLLBACK TO part; RELEASE part")


class IndexDamaged(Exception):
    """The file turned out to be damaged; it was removed, and its next use starts it anew."""


class IndexBusy(Exception):
    """Somebody else is writing, and the caller did not want to wait."""


class IndexClosed(Exception):
    """The file was used after it was closed."""


class _Connection(NamedTuple):
    db: sqlite3.Connection
    file: tuple[int, int] | None
    """Device and number of the file it has open; no other file gets them while it is open."""


class IndexFile:
    """The file and its connections. Safe to use from several threads.

    Args:
        path: where the file is.
        schema: statements that make its tables.
        version: of the schema and of what is written into the tables; a positive number.
    """

    fresh: bool
    """This instance had to start the file anew, when it was made or since."""
    used_at: float
    """When this instance last began to read or write, by `time.monotonic`."""

    def __init__(self, path: Path, *, schema: str, version: int) -> None:
        self._path = path
        self._schema = schema
        self._version = version
        self._closed = False
        self.used_at = time.monotonic()
        self._writing = threading.RLock()
        self._writer: _Connection | None = None
        self._owner: int | None = None
        self._pool = threading.Lock()
        self._readers: list[_Connection] = []
        self._readers.append(self._current(None))

    def close(self) -> None:
        """Close every connection: those that read now as soon as they are done, after waiting for who writes."""
        with self._writing, self._pool:
            self._closed = True
            for one in (*self._readers, *filter(None, [self._writer])):
                one.db.close()
            self._readers.clear()
            self._writer = None

    def rest(self) -> None:
        """Close the connections that nobody uses at this moment: each holds files. The next use opens others."""
        with self._pool:
            for one in self._readers:
                one.db.close()
            self._readers.clear()
        if self._writing.acquire(blocking=False):
            try:
                if self._owner is None and self._writer is not None:
                    self._writer.db.close()
                    self._writer = None
            finally:
                self._writing.release()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one state of the file; this thread's own transaction, where there is one."""
        if self._owner == threading.get_ident() and self._writer is not None:
            yield self._writer.db
            return
        self.used_at = time.monotonic()
        with self._pool:
            idle = self._readers.pop() if self._readers else None
        reader = self._current(idle)
        try:
            with self._watching(reader):
                reader.db.execute("BEGIN")
                yield reader.db
        finally:
            with suppress(sqlite3.Error):
                reader.db.rollback()
            with self._pool:
                if self._closed:
                    reader.db.close()
                else:
                    self._readers.append(reader)

    @contextmanager
    def transaction(self, *, wait: bool = True) -> Iterator[sqlite3.Connection]:
        """The connection that writes: all or nothing of what the block does.

        Within another transaction of the same thread, the block is a part of it that can fail alone. Raises
        `IndexBusy` when somebody else is writing and this is not to `wait`.
        """
        if not self._writing.acquire(blocking=wait):
            raise IndexBusy
        self.used_at = time.monotonic()
        with self._writing:
            self._writing.release()  # held once more by the block
            nested = self._owner is not None and self._writer is not None
            if not nested:
                # Not kept if it cannot be opened: then it is closed already.
                previous, self._writer = self._writer, None
                self._writer = self._current(previous)
            assert self._writer is not None  # noqa: S101 - for the type checker: set above or by the outer block
            writer = self._writer
            begin, commit, rollback = _PART if nested else _WHOLE
            with self._watching(writer):
                _begin(writer.db, begin, wait=wait)
                self._owner = threading.get_ident()
                try:
                    yield writer.db
                    writer.db.execute(commit)
                except BaseException:
                    with suppress(sqlite3.Error):
                        for statement in rollback.split(";"):
                            writer.db.execute(statement)
                    raise
                finally:
                    if not nested:
                        self._owner = None

    def begin_log_anew(self) -> None:
        """Truncate the write-ahead log, which keeps what was deleted until then; not while others read or write.

        The next one to do this does it then, or whoever is the last to close the file.
        """
        with self._writing, suppress(sqlite3.Error):
            if self._writer is not None:
                db = self._writer.db
                db.execute("PRAGMA busy_timeout = 0")
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                db.execute(f"PRAGMA busy_timeout = {1000 * BUSY_S:.0f}")

    def copy(self, path: Path) -> None:
        """Write another file with the same content, as it is now; the path must be free."""
        with self.reading() as db, closing(_connect(path)) as target:
            db.backup(target)

    def _current(self, connection: _Connection | None) -> _Connection:
        """This connection, or a new one if there is none or its file was removed or replaced."""
        if connection is not None:
            if not self._closed and connection.file == _identity(self._path):
                return connection
            connection.db.close()
        if self._closed:
            raise IndexClosed("the index is closed")
        return self._open()

    def _open(self) -> _Connection:
        with _alone(self._path):
            db = _connect(self._path)
            try:
                fresh = _version(db) != self._version
                if fresh:
                    db.close()
                    _delete(self._path)
                    db = _connect(self._path)
                    db.execute("PRAGMA journal_mode = WAL")
                    db.executescript(f"BEGIN; {self._schema} PRAGMA user_version = {self._version}; COMMIT;")
                db.execute("PRAGMA synchronous = NORMAL")  # what a loss of power takes is derived again
                db.execute("PRAGMA secure_delete = ON")  # what people had deleted leaves no trace in free pages
            except BaseException:
                db.close()
                raise
            if fresh or not hasattr(self, "fresh"):
                self.fresh = fresh
            return _Connection(db, _identity(self._path))

    @contextmanager
    def _watching(self, connection: _Connection) -> Iterator[None]:
        """Remove the file when it turns out to be damaged, unless somebody else has done so."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            with _alone(self._path):
                if _identity(self._path) == connection.file:
                    _delete(self._path)
            raise IndexDamaged("the index file is damaged and was removed") from None


def remove(path: Path) -> None:
    """Remove a file and what SQLite keeps beside it. Whoever opens it next starts it anew, empty."""
    with _alone(path):
        _delete(path)


def _begin(db: sqlite3.Connection, statement: str, *, wait: bool) -> None:
    if wait:
        db.execute(statement)
        return
    db.execute("PRAGMA busy_timeout = 0")
    try:
        db.execute(statement)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        raise IndexBusy from None
    finally:
        db.execute(f"PRAGMA busy_timeout = {1000 * BUSY_S:.0f}")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return primary in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def parts(path: Path) -> list[Path]:
    """The files of which a file consists."""
    return [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm")]


def _delete(path: Path) -> None:
    for part in parts(path):
        part.unlink(missing_ok=True)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold off every other thread and process that would open or remove the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # SQLite's own locks are the portable ones; nothing is ever written to this file.
    with closing(sqlite3.connect(path.with_name(path.name + ".lock"), timeout=BUSY_S, isolation_level=None)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        yield


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)


def _version(db: sqlite3.Connection) -> int:
    """The version of the file's tables; 0 if there are none or the file cannot be read."""
    try:
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return int(db.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.DatabaseError as error:
        if _is_damage(error):
            return 0
        raise
