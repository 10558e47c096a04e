"""Looks at every byte of an archive before anything of it is believed. The zip is hostile until then.

What bounds the work: how many members a zip may list is counted before its index is read into memory; the sizes that
it declares are added up before anything is unpacked, and nothing is unpacked beyond them.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
import zipfile
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final, NamedTuple

import msgspec

from trainer.archive_census import Census
from trainer.archive_checks import Unfit, check_id, chunks_of, read_line, read_record
from trainer.archive_format import (
    CHUNK_NAME,
    FORMAT,
    LINE_MOST,
    MANIFEST,
    MANIFEST_MOST,
    MARK_NAME,
    MARKS,
    MARKS_MOST,
    MEMBERS_MOST,
    RATIO_FROM,
    RATIO_MOST,
    RECORD_MOST,
    RECORD_NAME,
    SCOPE_NAME,
    TOTAL_MOST,
    VERSION,
    ArchiveProgress,
    ArchiveRefused,
    Manifest,
)
from trainer.batches import Batch
from trainer.datasets import BadName, dataset_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LOCAL_HEADER: Final = b"PK\x03\x04"
CENTRAL_HEADER: Final = b"PK\x01\x02"
PIECE: Final = 256 * 1024
ENCRYPTED: Final = 0x1 | 0x40
_OURS: Final = re.compile(rb"datasets/|archives/|exports/|originals/|reports/|trainger\.json")
_BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    IndexError,
    NotImplementedError,
    RuntimeError,
)
"""What reading a broken zip raises."""


class _Label(msgspec.Struct, frozen=True):
    """The part of a manifest that stays the same in all versions."""

    format: str = ""
    v: int = 0


class Contents(NamedTuple):
    """What a verified archive holds."""

    manifest: Manifest
    census: Census
    chunks: dict[str, list[str]]
    """The chunks of each batch that has some, by their names below the dataset's root."""
    marks: list[str]
    """The names of empty objects below the dataset's root."""

    @property
    def root(self) -> str:
        """What the names of its members begin with."""
        return f"datasets/{self.manifest.dataset}/"

    @property
    def keys_root(self) -> str:
        """What the keys in its records begin with."""
        return f"{self.manifest.scope}/{self.root}"


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile | None]:
    """The zip, if it is one of our archives; None for every other file. Raises `ArchiveRefused`."""
    with path.open("rb") as file:
        head = file.read(1024)
        if not head.startswith(LOCAL_HEADER):
            yield None
            return
        if _count_members(file) > MEMBERS_MOST:
            raise ArchiveRefused("too_large")
        try:
            zipped = zipfile.ZipFile(file)
        except _BROKEN:
            if _OURS.match(head, 30):  # the first member's name: its header has 30 bytes
                raise ArchiveRefused("damaged") from None
            yield None
            return
        with zipped:
            yield zipped if MANIFEST in zipped.namelist() else None


def is_archive(path: Path) -> bool:
    """Whether the file says that it is an archive of ours, by its content. Raises `ArchiveRefused`."""
    with opened(path) as zipped:
        return zipped is not None


def verify(zipped: zipfile.ZipFile, before: str, on_progress: Callable[[ArchiveProgress], None]) -> Contents | None:
    """Look at everything in an archive; None if it is none of ours after all.

    Args:
        zipped: the zip, as `opened` gives it.
        before: the interaction that restores it: what it holds is older.
        on_progress: told how far it is.

    Raises:
        ArchiveRefused: it will not be restored.
    """
    try:
        manifest = _manifest(zipped)
        if manifest is None:
            return None
        return _Verification(zipped, manifest, before, on_progress).run()
    except Unfit:
        raise ArchiveRefused("altered") from None
    except _BROKEN:
        raise ArchiveRefused("damaged") from None


def pieces(zipped: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """A member's content: no more of it than it declares, and never more of it in memory than a piece.

    Reading a member at once would unpack all that it holds before what is beyond its declared size is cut off.
    """
    with zipped.open(name) as stream:
        while piece := stream.read(PIECE):
            yield piece


def _count_members(file: IO[bytes]) -> int:
    """How many members a zip can list at most: `zipfile` reads all of them into memory."""
    file.seek(0)
    count, rest = 0, b""
    while piece := file.read(PIECE):
        piece = rest + piece
        count += piece.count(CENTRAL_HEADER)
        rest = piece[-(len(CENTRAL_HEADER) - 1) :]
    return count


def _manifest(zipped: zipfile.ZipFile) -> Manifest | None:
    total = sum(info.file_size for info in zipped.infolist())
    if total > TOTAL_MOST or (total > RATIO_FROM and total > RATIO_MOST * _size(zipped)):
        raise ArchiveRefused("too_large")
    info = zipped.getinfo(MANIFEST)
    _check_way(info)
    if info.file_size > MANIFEST_MOST:
        raise ArchiveRefused("too_large")
    data = b"".join(pieces(zipped, MANIFEST))
    try:
        label = msgspec.json.decode(data, type=_Label)
        if label.format != FORMAT:
            return None
        if label.v > VERSION:
            raise ArchiveRefused("newer")
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, RecursionError):
        raise Unfit from None
    if manifest.what == "files":
        raise ArchiveRefused("files")
    return manifest


def _size(zipped: zipfile.ZipFile) -> int:
    """Bytes of the zip itself: what its members claim to take may be a lie."""
    file = zipped.fp
    assert file is not None  # noqa: S101 - for mypy: it is open
    return file.seek(0, os.SEEK_END)


def _check_way(info: zipfile.ZipInfo) -> None:
    """A member must be packed in the way that we pack, under the name that it seems to have."""
    plain = info.compress_type in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} and not info.flag_bits & ENCRYPTED
    if not plain or info.filename != info.orig_filename:
        raise Unfit


class _Verification:
    """The looking at one archive."""

    def __init__(
        self,
        zipped: zipfile.ZipFile,
        manifest: Manifest,
        before: str,
        on_progress: Callable[[ArchiveProgress], None],
    ) -> None:
        self._zipped = zipped
        self._before = before
        self._on_progress = on_progress
        self._lines: dict[str, int] = {}
        """Examples in each chunk."""
        self._batches: dict[str, int] = {}
        """Examples that each batch with chunks says it has."""
        self._contents = Contents(manifest, Census(), {}, [])
        self._done = ArchiveProgress("check", 0, 0)

    def run(self) -> Contents:
        contents = self._contents
        self._check_manifest()
        for member in contents.manifest.members:
            name = member.name.removeprefix(contents.root)
            if name == member.name:
                raise Unfit
            self._check_member(name, self._zipped.getinfo(member.name), member.sha256)
            self._done = ArchiveProgress("check", self._done.objects + 1, self._done.bytes + member.size)
            self._on_progress(self._done)
        for batch, chunks in contents.chunks.items():
            if any(chunk not in self._lines for chunk in chunks):
                raise Unfit
            if sum(self._lines[chunk] for chunk in chunks) != self._batches[batch]:
                raise Unfit
        return contents

    def _check_manifest(self) -> None:
        """Its members must be those of the zip, each once."""
        manifest = self._contents.manifest
        try:
            if dataset_name(manifest.dataset) != manifest.dataset:
                raise Unfit
        except BadName:
            raise Unfit from None
        if SCOPE_NAME.fullmatch(manifest.scope) is None:
            raise Unfit
        infos = self._zipped.infolist()
        names = {info.filename for info in infos}
        listed = {member.name: member.size for member in manifest.members}
        if len(names) != len(infos) or len(listed) != len(manifest.members) or names != {*listed, MANIFEST}:
            raise Unfit
        for info in infos:
            _check_way(info)
            if info.filename != MANIFEST and info.file_size != listed[info.filename]:
                raise Unfit

    def _check_member(self, name: str, info: zipfile.ZipInfo, sha256: str) -> None:
        digest = hashlib.sha256()
        record, chunk = RECORD_NAME.fullmatch(name), CHUNK_NAME.fullmatch(name)
        if record is not None:
            data = self._whole(info, RECORD_MOST)
            digest.update(data)
            self._record(record[1], record[2], data)
        elif name == MARKS:
            data = self._whole(info, MARKS_MOST)
            digest.update(data)
            self._marks(data)
        elif chunk is not None:
            check_id(chunk[1], self._before)
            lines = self._count(info, digest.update, rejections=bool(chunk[2]))
            self._lines[name] = 0 if chunk[2] else lines
        else:
            raise Unfit
        if digest.hexdigest() != sha256:
            raise Unfit

    def _whole(self, info: zipfile.ZipInfo, most: int) -> bytes:
        if info.file_size > most:
            raise ArchiveRefused("too_large")
        return b"".join(pieces(self._zipped, info.filename))

    def _record(self, folder: str, name: str, data: bytes) -> None:
        check_id(name, self._before)
        record = read_record(folder, name, data)
        self._contents.census.add(name, record)
        if isinstance(record, Batch):
            chunks = chunks_of(record, self._contents.keys_root)
            if chunks:
                self._contents.chunks[name] = chunks
                self._batches[name] = record.report.accepted if record.chunks else 0

    def _marks(self, data: bytes) -> None:
        for line in data.decode("ascii").splitlines():
            match = MARK_NAME.fullmatch(line)
            if match is None:
                raise Unfit
            check_id(match[1], self._before)
            if line.startswith("removed/"):
                self._contents.census.removed.add(match[1])
            self._contents.marks.append(line)

    def _count(self, info: zipfile.ZipInfo, update: Callable[[bytes], None], *, rejections: bool) -> int:
        """How many lines a chunk has, each looked at."""
        count = 0
        with self._zipped.open(info) as stream:
            while line := stream.readline(LINE_MOST + 1):
                if len(line) > LINE_MOST:
                    raise ArchiveRefused("too_large")
                update(line)
                read_line(line, rejection=rejections)
                count += 1
        return count
