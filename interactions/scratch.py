"""Temporary folders of jobs, and what killed workers left of them.

A folder is locked by the process that uses it; the system ends a lock with its process, however that ends. So a
folder that nobody locks is left over, but for the moment between making a folder and locking it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX: Final = "trainger-job-"
LOCK: Final = "lock"
LEFT_OVER_S: Final = 10.0
"""A folder is left alone for so long, whether it is locked or not."""


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder of the caller's own, gone when the block ends."""
    with tempfile.TemporaryDirectory(prefix=PREFIX) as name:
        folder = Path(name)
        with (folder / LOCK).open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder


def remove_left_over(now: float, *, root: Path | None = None) -> int:
    """Remove folders that no living process uses (`now` is in seconds since the epoch).

    Those of other users of the machine are theirs. Returns how many there were.
    """
    removed = 0
    for folder in (root or Path(tempfile.gettempdir())).glob(f"{PREFIX}*"):
        with suppress(OSError):
            removed += _remove(folder, now)
    return removed


def _remove(folder: Path, now: float) -> bool:
    found = folder.lstat()
    ours = found.st_uid == os.getuid() and folder.is_dir() and not folder.is_symlink()
    if not ours or found.st_mtime > now - LEFT_OVER_S:
        return False
    # A worker that died before it locked its folder has left no file to lock.
    with (folder / LOCK).open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
    return True
