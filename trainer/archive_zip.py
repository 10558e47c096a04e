"""Writes a zip as a stream, and its manifest along the way. In memory are a piece of a file and the zip's index."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
import zipfile
from typing import IO, TYPE_CHECKING, BinaryIO, Final, Self, cast

import msgspec

from trainer.archive_format import MANIFEST, Manifest, Member

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.archive_census import Counted

PIECE: Final = 256 * 1024
SPOOL: Final = 1024 * 1024
"""Bytes of the manifest that are held in memory."""
FIRST: Final = (1980, 1, 1, 0, 0, 0)
LAST_YEAR: Final = 2107
"""A zip tells no other times."""


class ZipWriter:
    """A zip that is being written; used in a `with` block."""

    def __init__(self, target: BinaryIO) -> None:
        # What a store gives to write into has no way back, so sizes and checksums follow each member.
        self._zip = zipfile.ZipFile(cast("IO[bytes]", target), "w", zipfile.ZIP_DEFLATED)
        self._members = tempfile.SpooledTemporaryFile(SPOOL)  # noqa: SIM115 - closed with this object
        self._count = 0
        self.objects = 0
        """Stored objects so far."""
        self.bytes = 0
        """Their bytes so far."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._members.close()
        self._zip.close()

    def add(self, name: str, modified_at: float, data: bytes, *, object_: bool = False) -> None:
        """Add a member that is in memory."""
        self._zip.writestr(_info(name, modified_at, len(data)), data)
        self._note(name, len(data), hashlib.sha256(data).hexdigest(), object_=object_)

    def copy(self, name: str, modified_at: float, source: BinaryIO, size: int, tell: Callable[[int], None]) -> None:
        """Add a stored object of about this size from a stream, telling how many bytes are done."""
        digest = hashlib.sha256()
        copied = 0
        with self._zip.open(_info(name, modified_at, size), "w", force_zip64=size >= zipfile.ZIP64_LIMIT // 2) as out:
            while piece := source.read(PIECE):
                digest.update(piece)
                out.write(piece)
                copied += len(piece)
                tell(copied)
        self._note(name, copied, digest.hexdigest(), object_=True)

    def finish(self, head: Manifest, counted: Counted) -> None:
        """Write the manifest: what `head` says, and what has been added."""
        head = msgspec.structs.replace(
            head,
            made_at=time.time(),
            objects=self.objects,
            examples=counted.examples,
            corrections=counted.corrections,
        )
        before, after = msgspec.json.encode(head).split(b'"members":[]')
        self._members.seek(0)
        with self._zip.open(_info(MANIFEST, time.time(), 0), "w") as out:
            out.write(before + b'"members":[')
            shutil.copyfileobj(self._members, out)
            out.write(b"\n]" + after)

    def _note(self, name: str, size: int, sha256: str, *, object_: bool) -> None:
        self._members.write((b",\n" if self._count else b"\n") + msgspec.json.encode(Member(name, size, sha256)))
        self._count += 1
        if object_:
            self.objects += 1
            self.bytes += size


def _info(name: str, modified_at: float, size: int) -> zipfile.ZipInfo:
    moment = time.gmtime(max(0.0, modified_at))[:6]
    info = zipfile.ZipInfo(name, moment if FIRST[0] <= moment[0] <= LAST_YEAR else FIRST)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.file_size = size
    info.external_attr = 0o600 << 16
    return info
