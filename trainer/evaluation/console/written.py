"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def obstacle(path: Path) -> str:
    """Why nothing can be written to a path, in the system's words; empty if it seems that something can."""
    target = path.resolve()
    try:
        if target.is_dir():
            return os.strerror(errno.EISDIR)
        if target.exists() and not target.is_file():
            return ""
        if not target.parent.is_dir():
            return os.strerror(errno.ENOENT)
        return "" if os.access(target.parent, os.W_OK | os.X_OK) else os.strerror(errno.EACCES)
    except OSError as error:
        return error.strerror or type(error).__name__


@contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """A stream to a file that appears when the block ends, in the place of a former one; not when it raises.

    What is no file, such as a pipe, is written to directly. Raises `OSError`.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        with target.open("wb") as stream:
            yield stream
        return
    made = target.with_name(f".trainger-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        # As any other file: who may read it is decided by the umask.
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666), "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        made.replace(target)
    finally:
        with suppress(FileNotFoundError):
            made.unlink()
