"""Keeps a folder of indexes within a size: what was not used for longest goes, unless somebody has it open.

    <folder>/<store>/<scope>/<name>.sqlite3        an index, and what SQLite keeps beside it
    <folder>/<store>/<scope>/<name>.sqlite3.used   empty; locked (flock, shared) by each process that has it open,
                                                   and touched whenever the index is asked for

Locks are the system's, so they end with the process that holds them. The empty files stay: of one that was removed
and made again, two could be locked at once.
"""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, NamedTuple

from trainer.index_file import parts, remove

if TYPE_CHECKING:
    from pathlib import Path


class Hold:
    """While it lasts, no process deletes the index at this path. From opening the index until it is closed."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(_used(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_SH)  # waits for whoever is deleting it, which takes a moment
        except BaseException:
            os.close(self._fd)
            raise

    def touch(self) -> None:
        """The index is used now."""
        os.utime(self._fd)

    def release(self) -> None:
        """Let it go, once."""
        os.close(self._fd)


class _Kept(NamedTuple):
    used_at: float
    """Seconds since the epoch."""
    size: int
    path: Path


def size_of(folder: Path) -> int:
    """The bytes of all indexes."""
    return sum(one.size for one in _all(folder))


def shrink(folder: Path, most: float) -> int:
    """Delete indexes until they have at most so many bytes, as far as nobody has them open; how many.

    Each is made again from the store when it is next asked for.
    """
    found = sorted(_all(folder))
    size, deleted = sum(one.size for one in found), 0
    for one in found:
        if size <= most:
            break
        if _delete(one.path):
            size -= one.size
            deleted += 1
    return deleted


def _used(path: Path) -> Path:
    return path.with_name(f"{path.name}.used")


def _all(folder: Path) -> list[_Kept]:
    found = []
    for path in folder.glob("*/*/*.sqlite3"):
        sizes, used_at = 0, 0.0
        for part in (*parts(path), _used(path)):
            try:
                status = part.stat()
            except FileNotFoundError:
                continue
            sizes += status.st_size
            # Without the mark, it was last used by an earlier version: when it was written says enough.
            used_at = status.st_mtime
        if sizes:  # otherwise somebody has just deleted it
            found.append(_Kept(used_at, sizes, path))
    return found


def _delete(path: Path) -> bool:
    """Delete an index, unless somebody has it open."""
    fd = os.open(_used(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove(path)
    except BlockingIOError:
        return False
    finally:
        os.close(fd)
    return True
