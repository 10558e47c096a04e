"""A copy of what a server on one machine keeps, made while it runs: `python -m infra.backup create|restore FILE`.

In it are the store and the queue: a compressed tar archive whose last member lists the others with their SHA-256.
`-` for FILE is standard output or input. What is not in it is made again (indexes) or is of use for minutes alone
(orders to the voice sidecar, links to files).

Why the copy is consistent: the queue is copied first, by SQLite's own backup, so a job whose results are in the store
may be in the queue as well, where doing it again changes nothing; a job is never in neither. Then every object gets a
second name in a folder of the backup's own (a hard link), which takes no room; objects are never changed in place.
What refers to an object is written after it. So once a round through the store has linked what it found, a second one
links whatever that refers to and came meanwhile. What is deleted in these moments may still be in the copy.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import gzip
import hashlib
import io
import os
import re
import shutil
import sqlite3
import sys
import tarfile
import tempfile
import time
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, Final, cast

import msgspec

from trainer import bootstrap
from trainer.configuration import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trainer.configuration import Configuration

OBJECTS: Final = "objects"
QUEUE: Final = "queue.sqlite3"
MANIFEST: Final = "manifest.json"
VERSION: Final = 1
MANIFEST_MOST: Final = 1 << 30
"""Bytes; some millions of objects."""
COMPRESSION: Final = 6
PREFIX: Final = ".backup-"
LINKED: Final = "new"
"""What an object is called in the copy until it is sure that it belongs there: none of their names."""
CHUNK: Final = 1 << 20
_NAME: Final = re.compile(rf"{re.escape(QUEUE)}|{OBJECTS}(?:/[dm]\.[a-z0-9_.%-]+)*/o\.[a-z0-9_.%-]+")
"""What the names in an archive look like: those of `trainer.adapters.file_names`."""


class Refused(Exception):
    """Why nothing was done, and what to do."""


class Manifest(msgspec.Struct, frozen=True):
    """The last member of an archive."""

    files: dict[str, str]
    """The SHA-256 of each, in hexadecimal digits."""
    created_at: float
    """In seconds since the epoch."""
    v: int = VERSION


class Place(msgspec.Struct, frozen=True):
    """Where things lie on this machine."""

    store: Path
    queue: Path | None
    """None if the queue is not a file: then it is not ours to copy."""


def place(configuration: Configuration) -> Place:
    """Where store and queue lie. Raises `Refused` for a store that is elsewhere."""
    kind, _, rest = configuration.store.partition(":")
    if kind != "file":
        command = f"aws s3 sync {configuration.store} FOLDER"
        raise Refused(
            f"the store is {configuration.store}. Copy it with `{command}`, and back with `aws s3 sync FOLDER "
            f"{configuration.store}`, and AWS's own means: versions, replication, AWS Backup."
        )
    queue = configuration.queue
    return Place(Path(rest).absolute(), Path(queue.removeprefix("sqlite:")) if queue.startswith("sqlite:") else None)


def create(where: Place, out: BinaryIO) -> Manifest:
    """Write an archive of what is there now. Raises `Refused`."""
    if not (where.store / OBJECTS).is_dir():
        raise Refused(f"there is nothing in {where.store} to copy")
    files: dict[str, str] = {}
    with _working_folder(where.store) as folder:
        if where.queue is not None and where.queue.is_file():
            _copy_queue(where.queue, folder / QUEUE)
        _link_objects(where.store / OBJECTS, folder / OBJECTS)
        with (
            gzip.GzipFile("", "wb", COMPRESSION, fileobj=out) as packed,
            tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as archive,
        ):
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                name = path.relative_to(folder).as_posix()
                files[name] = _add(archive, path, name)
            manifest = Manifest(files, time.time())
            data = msgspec.json.encode(manifest)
            info = tarfile.TarInfo(MANIFEST)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return manifest


def restore(where: Place, source: BinaryIO) -> Manifest:
    """Put back what an archive holds, where nothing is yet. Raises `Refused`: then nothing was put back."""
    _refuse_over(where)
    where.store.mkdir(0o700, parents=True, exist_ok=True)
    with _working_folder(where.store) as folder:
        try:
            manifest = _unpack(source, folder)
        except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, OverflowError, ValueError):
            raise Refused("the archive is damaged, or is none of ours: nothing was put back") from None
        if QUEUE in manifest.files and where.queue is None:
            raise Refused("there is a queue in the archive, and TRAINGER_QUEUE is no sqlite:<file> here")
        _sync_all(folder)
        _refuse_over(where)
        _remove_empty(where.store / OBJECTS)
        (folder / OBJECTS).rename(where.store / OBJECTS)
        if QUEUE in manifest.files and where.queue is not None:
            _place_queue(folder / QUEUE, where.queue)
    _sync(where.store)
    _sync(where.store.parent)
    return manifest


@contextlib.contextmanager
def _working_folder(store: Path) -> Iterator[Path]:
    """A folder in the store's own, thus on its file system, for one backup at a time; those of killed ones go."""
    lock = os.open(store, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for left in store.glob(f"{PREFIX}*"):
            shutil.rmtree(left)
        with tempfile.TemporaryDirectory(prefix=PREFIX, dir=store) as name:
            yield Path(name)
    except BlockingIOError:
        raise Refused(f"another backup is at work in {store}") from None
    finally:
        os.close(lock)


def _copy_queue(source: Path, target: Path) -> None:
    """One snapshot of the queue, also while others write. Raises `Refused`."""
    try:
        with (
            contextlib.closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True, timeout=30)) as db,
            contextlib.closing(sqlite3.connect(target)) as copy,
        ):
            db.backup(copy)
            (state,) = copy.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorname", type(error).__name__)
        raise Refused(f"the queue {source.name} cannot be copied: {code}") from None
    if state != "ok":
        raise Refused(f"the queue {source.name} is damaged: SQLite's integrity check fails")


def _place_queue(copy: Path, target: Path) -> None:
    """Make a copy the queue: whole or not at all, also on another file system."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.partial")
    shutil.copyfile(copy, partial)
    _sync(partial)
    partial.rename(target)
    _sync(target.parent)


def _link_objects(source: Path, target: Path) -> None:
    """Give each object a second name: all that is found, then what came until that was done, and nothing later."""
    target.mkdir()
    linked: dict[str, int] = {}
    _link_round(source, target, linked)
    _link_round(source, target, linked, until_ns=_moment(target))


def _link_round(source: Path, target: Path, linked: dict[str, int], until_ns: int | None = None) -> None:
    """Link what is not linked as it is now. `linked` has the inodes, which nobody else gets while they are linked."""
    for path, inode in _walk(source):
        name = os.path.relpath(path, source)
        if linked.get(name) == inode:
            continue
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        new = copy.with_name(LINKED)
        # While it is open, nobody else gets its inode. It may have been deleted since it was seen.
        with contextlib.suppress(FileNotFoundError), Path(path).open("rb") as file:
            came = os.fstat(file.fileno())
            os.link(path, new)
            found = new.stat().st_ino
            # Since it was opened, another may have come in its place, which refers to what came later still.
            if until_ns is None or (found == came.st_ino and came.st_ctime_ns <= until_ns):
                new.replace(copy)
                linked[name] = found
            new.unlink(missing_ok=True)


def _moment(folder: Path) -> int:
    """Now, in nanoseconds, by the clock of the file system: the one that says when objects came."""
    with tempfile.TemporaryFile(dir=folder) as file:
        return os.fstat(file.fileno()).st_ctime_ns


def _walk(folder: Path) -> Iterator[tuple[str, int]]:
    """The paths of the objects below a folder, and their inodes: a changed object has another."""
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(Path(entry.path))
            elif entry.name.startswith("o."):
                yield entry.path, entry.inode()


def _add(archive: tarfile.TarFile, path: Path, name: str) -> str:
    """Add a file without its owner's name; its SHA-256."""
    info = tarfile.TarInfo(name)
    status = path.stat()
    info.size, info.mtime, info.mode = status.st_size, status.st_mtime, 0o600
    with path.open("rb") as file:
        reading = _Hashing(file)
        archive.addfile(info, cast("IO[bytes]", reading))
    return reading.digest.hexdigest()


class _Hashing:
    """A file that is hashed as it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        """Read on."""
        data = self._file.read(size)
        self.digest.update(data)
        return data


def _unpack(source: BinaryIO, folder: Path) -> Manifest:
    """Write the files of an archive into an empty folder. Raises `ValueError` if it is not whole, and tarfile's."""
    (folder / OBJECTS).mkdir()
    found: dict[str, str] = {}
    manifest = None
    with gzip.GzipFile(fileobj=source, mode="rb") as plain, tarfile.open(fileobj=plain, mode="r|") as archive:
        for member in archive:
            data = archive.extractfile(member) if member.isreg() else None
            if data is None or manifest is not None:
                raise ValueError("not as we write it")
            if member.name == MANIFEST:
                manifest = msgspec.json.decode(data.read(MANIFEST_MOST), type=Manifest)
                continue
            if not _NAME.fullmatch(member.name) or member.name in found:
                raise ValueError("not a name of ours")
            path = folder / member.name
            path.parent.mkdir(0o700, parents=True, exist_ok=True)
            digest = hashlib.sha256()
            with path.open("xb") as file:
                os.fchmod(file.fileno(), 0o600)
                while chunk := data.read(CHUNK):
                    digest.update(chunk)
                    file.write(chunk)
            # Some of what is kept ends at a time that counts from when it was written.
            os.utime(path, (member.mtime, member.mtime))
            found[member.name] = digest.hexdigest()
        # Only at its end does the checksum of everything count, the headers included.
        while plain.read(CHUNK):
            pass
    if manifest is None or manifest.v != VERSION or manifest.files != found:
        raise ValueError("not whole")
    return manifest


def _refuse_over(where: Place) -> None:
    if next(_walk(where.store / OBJECTS), None) is not None:
        raise Refused(f"there is data in {where.store}. Stop Trainger, move that folder away, and restore again.")
    if where.queue is not None and where.queue.exists():
        raise Refused(f"there is a queue, {where.queue}. Stop Trainger, move that file away, and restore again.")


def _remove_empty(folder: Path) -> None:
    """Remove a folder in which there are folders alone."""
    if folder.is_dir():
        for below in sorted(folder.rglob("*"), reverse=True):
            below.rmdir()
        folder.rmdir()


def _sync_all(folder: Path) -> None:
    """Put everything below on the disk."""
    for path in folder.rglob("*"):
        _sync(path)


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextlib.contextmanager
def _new_file(name: str) -> Iterator[BinaryIO]:
    """The file to be written, there when it is whole; or standard output. Raises `Refused`."""
    if name == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    target = Path(name)
    if target.exists():
        raise Refused(f"there is a file {name} already")
    partial = target.with_name(f"{target.name}.partial")
    try:
        fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)


def _run(options: argparse.Namespace) -> str:
    """Do what the command line says; what there is to tell."""
    where = place(bootstrap.configure())
    if options.do == "create":
        with _new_file(options.file) as out:
            manifest = create(where, out)
        done = "copied"
    elif options.file == "-":
        manifest, done = restore(where, sys.stdin.buffer), "put back"
    else:
        with Path(options.file).open("rb") as source:
            manifest = restore(where, source)
        done = "put back"
    queue = "and the queue " if QUEUE in manifest.files else ""
    moment = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(manifest.created_at))
    return f"{len(manifest.files) - bool(queue)} objects {queue}{done}, as of {moment}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Copy, or put back."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.backup", description="Copies store and queue while they run."
    )
    parser.add_argument("do", choices=["create", "restore"], help="write an archive, or put back what is in one")
    parser.add_argument("file", metavar="FILE", help="the archive (.tar.gz); - for standard output or input")
    try:
        said, code = _run(parser.parse_args(arguments)), 0
    except (Refused, ConfigurationError) as reason:
        said, code = f"trainger: {reason}", 1
    except OSError as error:
        said, code = f"trainger: {error.strerror}: {error.filename}", 1
    print(said, file=sys.stderr)  # noqa: T201 - a command line speaks to its user
    return code


if __name__ == "__main__":
    sys.exit(main())
