"""Objects in a local folder.

    objects/   one file an object (`file_objects`), at a path made from its key (`file_names`)
    staging/   files being written; each is renamed into `objects` when it is whole and on the disk
    locks/     empty files, locked while an object is replaced or removed

Whatever the moment at which a process or the machine stops, an object is there as it was or as it was to be. Locks
are the system's (flock), so they end with the process that holds them. For local file systems: over a network, locks
and renames may mean less.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import logging
import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from trainer.adapters.file_links import FileLinks, LinkRefused, SignedFile
from trainer.adapters.file_names import Kind, directory_path, object_path, read_name
from trainer.adapters.file_objects import (
    Damaged,
    StagedFile,
    open_object,
    remove_left_over,
    storage_errors,
    stored,
)
from trainer.adapters.key_ranges import check_range
from trainer.keys import check_key
from trainer.ports import (
    InvalidKey,
    ObjectInfo,
    ObjectNotFound,
    ObjectStore,
    PreconditionFailed,
    StoredObject,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from trainer.adapters.file_objects import ObjectFile

__all__ = ["FileStore", "LinkRefused", "SignedFile"]

LEFT_OVER_S: Final = 3600
"""Age of a temporary file that nobody writes any more at which it is removed."""
BUFFER_BYTES: Final = 256 * 1024
PLACING_ATTEMPTS: Final = 1000
"""Each failed one means that another process removed a directory in between."""

_log = logging.getLogger(__name__)


class FileStore(ObjectStore):
    """The `ObjectStore` in a folder, which is made when first written to.

    Content types are not kept: nothing here reads them.

    Args:
        root: the folder. It belongs to this store alone.
        url_base: where the HTTP door is reached from outside; with `url_secret`, `url` makes links to it.
        url_secret: signs the links. Whoever knows it can make links to every object.
    """

    def __init__(self, root: Path, *, url_base: str | None = None, url_secret: bytes | None = None) -> None:
        self._root = root
        self._objects = root / "objects"
        self._staging = root / "staging"
        self._locks = root / "locks"
        self._links = FileLinks(url_base, url_secret) if url_base and url_secret else None
        self._next_sweep = 0.0
        self._sweeping = threading.Lock()

    def get(self, key: str) -> StoredObject:
        """The whole object."""
        with self._open(key) as file:
            return StoredObject(file.readall(), file.stored.etag)

    @contextmanager
    def open_read(self, key: str) -> Iterator[BinaryIO]:
        """The object as a stream."""
        with io.BufferedReader(self._open(key), BUFFER_BYTES) as stream:
            yield stream

    def head(self, key: str) -> ObjectInfo | None:
        """What is known of the object."""
        with storage_errors():
            found = stored(self._path(key))
        return found and ObjectInfo(key, found.size, found.etag, found.modified_at)

    def put(
        self,
        key: str,
        data: bytes,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        content_type: str = "application/octet-stream",  # noqa: ARG002 - the port's; nothing reads it here
    ) -> str:
        """Write a whole object."""
        path = self._path(key)
        # A lost condition is mostly known before anything is written. What counts is the check under the lock.
        _check(path, if_absent=if_absent, if_match=if_match)
        staged = self._stage()
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[staged.write(rest) :]
            return self._place(staged, path, if_absent=if_absent, if_match=if_match)
        finally:
            staged.discard()

    @contextmanager
    def open_write(
        self,
        key: str,
        *,
        if_absent: bool = False,
        content_type: str = "application/octet-stream",  # noqa: ARG002 - the port's; nothing reads it here
    ) -> Iterator[BinaryIO]:
        """Write an object as a stream."""
        path = self._path(key)
        staged = self._stage()
        stream = io.BufferedWriter(staged, BUFFER_BYTES)
        try:
            yield stream
            if not stream.closed:
                stream.flush()
            self._place(staged, path, if_absent=if_absent, if_match=None)
        finally:
            staged.discard()
            stream.close()

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectInfo]:
        """The objects in order of their keys."""
        check_range(prefix, start_after)
        names, base = directory_path(prefix)
        return self._walk(self._objects.joinpath(*names), base, prefix.encode(), start_after.encode())

    def delete(self, key: str) -> None:
        """Remove the object."""
        path = self._path(key)
        with storage_errors():
            try:
                path.lstat()  # mostly, what is to be removed is there: only then is there something to lock
                with self._locked(path):
                    path.unlink()
            except FileNotFoundError:
                return
            directory = path.parent
            with contextlib.suppress(OSError):  # it is not empty, or gone, or in use: then it stays
                while directory != self._objects:
                    directory.rmdir()
                    directory = directory.parent
            self._make_durable(directory)

    def url(self, key: str, *, expires_s: int, filename: str) -> str | None:
        """A link through the HTTP door, if that can be reached."""
        check_key(key)
        if self._links is None:
            return None
        return self._links.make(SignedFile(key, filename), expires_s=expires_s)

    def resolve(self, token: str) -> SignedFile:
        """What a link that `url` made stands for, by the part after `/files/`.

        Raises:
            LinkRefused: it is none of this store's links, was changed, or is too old.
        """
        if self._links is None:
            raise LinkRefused("invalid")
        return self._links.resolve(token)

    def ping(self) -> None:
        """Raise `StoreUnavailable` unless the folder can be written to."""
        self._stage().discard()

    def _path(self, key: str) -> Path:
        check_key(key)
        return self._objects.joinpath(*object_path(key))

    def _open(self, key: str) -> ObjectFile:
        path = self._path(key)
        with storage_errors():
            try:
                return open_object(path)
            except FileNotFoundError:
                raise ObjectNotFound("there is no such object") from None

    def _stage(self) -> StagedFile:
        with storage_errors():
            if not self._root.exists():
                self._root.mkdir(0o700, parents=True, exist_ok=True)
                for directory in self._root.absolute().parents:
                    with contextlib.suppress(OSError):  # a directory of others, which may be closed to us
                        _sync(directory)
            for directory in (self._objects, self._staging):
                directory.mkdir(0o700, exist_ok=True)
            self._sweep()
            return StagedFile(self._staging)

    def _sweep(self) -> None:
        """Once an hour, remove the temporary files of processes that ended while they were writing."""
        with self._sweeping:
            if time.monotonic() < self._next_sweep:
                return
            self._next_sweep = time.monotonic() + LEFT_OVER_S
        with contextlib.suppress(OSError):  # another process sweeps too; what stays is found the next time
            for path in self._staging.iterdir():
                remove_left_over(path, older_than=time.time() - LEFT_OVER_S)

    def _place(self, staged: StagedFile, path: Path, *, if_absent: bool, if_match: str | None) -> str:
        """Make the staged file the object, if the condition holds; returns its ETag."""
        with storage_errors():
            etag = staged.seal()
            with self._locked(path):
                _check(path, if_absent=if_absent, if_match=if_match)
                for attempt in range(1, PLACING_ATTEMPTS + 1):
                    try:
                        path.parent.mkdir(0o700, parents=True, exist_ok=True)
                        staged.path.replace(path)
                        break
                    except (FileNotFoundError, FileExistsError):
                        # Somebody deleted the last object of a directory in between, and the directory with it.
                        if attempt == PLACING_ATTEMPTS:
                            raise
            self._make_durable(path.parent)
            return etag

    @contextmanager
    def _locked(self, path: Path) -> Iterator[None]:
        """Alone among the threads and processes that change this object.

        Every change takes the lock, not only conditional ones: otherwise a plain write or a deletion could come
        between another's comparison and its renaming, and be lost. A lock of the system's (flock on a descriptor
        of its own) excludes threads as well as processes and ends with its holder even after kill -9. The lock
        files are a fixed number and never removed: a removed one could be locked by two.
        """
        stripe = hashlib.blake2b(os.fsencode(path.relative_to(self._objects)), digest_size=1).hexdigest()
        self._locks.mkdir(0o700, exist_ok=True)
        fd = os.open(self._locks / stripe, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def _make_durable(self, directory: Path) -> None:
        """Put a changed directory on the disk, and those above it, which somebody may have made a moment ago."""
        while directory != self._root.parent:
            with contextlib.suppress(FileNotFoundError):  # removed since, by whoever deleted what was in it
                _sync(directory)
            directory = directory.parent

    def _walk(self, directory: Path, base: bytes, prefix: bytes, after: bytes) -> Iterator[ObjectInfo]:
        """The objects below `directory`, depth first; reads a directory only when its turn has come."""
        levels = [iter(_entries(directory, base, prefix, after))]
        while levels:
            found = next(levels[-1], None)
            if found is None:
                levels.pop()
            elif found.kind is not Kind.OBJECT:
                levels.append(iter(_entries(found.path, found.start, prefix, after)))
            elif (info := _listed(found)) is not None:
                yield info


class _Found(NamedTuple):
    """A name on disk and the key that it stands for, or with which all keys below it begin."""

    start: bytes
    kind: Kind
    path: Path


def _entries(directory: Path, base: bytes, prefix: bytes, after: bytes) -> list[_Found]:
    """What the directory holds, in the order of the keys, as far as it can hold keys that are asked for."""
    with storage_errors():
        try:
            names = os.listdir(directory)  # noqa: PTH208 - the names alone: there may be tens of thousands
        except FileNotFoundError:
            return []
    found = []
    inside_segment = bool(base) and not base.endswith(b"/")
    for name in names:
        entry = read_name(name, inside_segment=inside_segment)
        if entry is None:
            continue
        start = base + entry.piece
        if entry.kind is Kind.OBJECT:
            asked_for = start.startswith(prefix) and start > after
        else:
            asked_for = (start.startswith(prefix) or prefix.startswith(start)) and (
                start > after or after.startswith(start)
            )
        if asked_for:
            found.append(_Found(start, entry.kind, directory / name))
    # A `d.` name stands for `name/`, so it comes where its `/` puts it, after `name-`. No start begins another
    # directory's, except an `m.` one's, and of its length there are no others.
    found.sort()
    return found


def _listed(found: _Found) -> ObjectInfo | None:
    """The object as a listing shows it; None if it is gone by now, or no object of this store."""
    try:
        key = found.start.decode()
        check_key(key)
        with storage_errors():
            info = stored(found.path)
    except (UnicodeDecodeError, InvalidKey):
        return None
    except Damaged:
        # One damaged file must not hide all others; reading the object says what is wrong.
        _log.warning("a damaged file is left out of a listing")
        return None
    return info and ObjectInfo(key, info.size, info.etag, info.modified_at)


def _check(path: Path, *, if_absent: bool, if_match: str | None) -> None:
    """Raise `PreconditionFailed` unless the object is as the caller wants it."""
    if not if_absent and if_match is None:
        return
    with storage_errors():
        current = stored(path)
    if if_absent and current is not None:
        raise PreconditionFailed("the object exists already")
    if if_match is not None and (current is None or current.etag != if_match):
        raise PreconditionFailed("the object is gone or was changed")


def _sync(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
