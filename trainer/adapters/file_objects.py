"""One object as one file: a fixed line that carries its ETag and size, then its bytes.

The line makes the ETag, a SHA-256 of the content, known from the first hundred bytes, is written with the content
in one atomic rename, and survives copying and archiving, which extended attributes and side files do not.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import os
import re
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from trainer.ports import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _typeshed import ReadableBuffer, WriteableBuffer

HEADER_BYTES: Final = 103
_HEADER: Final = re.compile(rb"trainger-object 1 ([0-9a-f]{64}) ([0-9]{19})\n")


class Damaged(StoreUnavailable):
    """The file of an object is not as this store wrote it."""


class Stored(NamedTuple):
    """What the file of an object tells of it."""

    etag: str
    size: int
    modified_at: float


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn the system's errors into `StoreUnavailable`, which names the error but no path: a path holds the key."""
    try:
        yield
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, type(error).__name__)
        raise StoreUnavailable(f"the folder does not store or give objects: {name}") from None


class ObjectFile(io.RawIOBase):
    """An object's file, open for reading its bytes once, from the first to the last."""

    def __init__(self, file: io.FileIO, stored: Stored) -> None:
        self._file = file
        self.stored = stored

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        """Read the next bytes of the object into `buffer`."""
        with storage_errors():
            return self._file.readinto(buffer)

    def readall(self) -> bytes:
        """The rest of the object."""
        with storage_errors():
            return self._file.readall()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def open_object(path: Path) -> ObjectFile:
    """Open the file of an object.

    Raises:
        FileNotFoundError: there is no such object.
        Damaged: the file is not as this store wrote it.
    """
    file = path.open("rb", buffering=0)
    try:
        return ObjectFile(file, _read_header(file))
    except BaseException:
        file.close()
        raise


def _read_header(file: io.FileIO) -> Stored:
    header = _HEADER.fullmatch(file.read(HEADER_BYTES))
    status = os.fstat(file.fileno())
    if header is None or int(header[2]) != status.st_size - HEADER_BYTES:
        raise Damaged("a file of the store is damaged")
    return Stored(header[1].decode(), int(header[2]), status.st_mtime)


def stored(path: Path) -> Stored | None:
    """What is known of the object in this file, or None if there is none."""
    try:
        with open_object(path) as file:
            return file.stored
    except FileNotFoundError:
        return None


class StagedFile(io.RawIOBase):
    """An object's file while it is being written, under a temporary name.

    Its owner holds a lock on it, which ends with the owner however that ends: so a file without one is a left-over.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / f"{uuid.uuid4().hex}.tmp"
        self._digest = hashlib.sha256()
        self._size = 0
        self._discarded = False
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.lseek(self._fd, HEADER_BYTES, os.SEEK_SET)
        except BaseException:
            self.discard()
            raise

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Append to the object; may take less than all of `data`, and says how much."""
        view = memoryview(data).cast("B")
        if self._discarded:
            return len(view)  # what a buffer above still holds when the block has failed
        with storage_errors():
            written = os.write(self._fd, view)
        self._digest.update(view[:written])
        self._size += written
        return written

    def seal(self) -> str:
        """Make it a whole object, on the disk; returns the ETag."""
        etag = self._digest.hexdigest()
        os.pwrite(self._fd, b"trainger-object 1 %b %019d\n" % (etag.encode(), self._size), 0)
        os.fsync(self._fd)
        return etag

    def discard(self) -> None:
        """Give the file up: remove it unless it was renamed, take no more bytes, and let the lock go."""
        if not self._discarded:
            self._discarded = True
            self.path.unlink(missing_ok=True)
            os.close(self._fd)


def remove_left_over(path: Path, *, older_than: float) -> None:
    """Remove a temporary file last written before that time, unless somebody is still writing it."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if os.fstat(fd).st_mtime < older_than:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
    except BlockingIOError:
        pass  # its owner lives
    finally:
        os.close(fd)
