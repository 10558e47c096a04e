"""An export that is too large to be handed over, cut into zips that each open by themselves.

What fits goes into a part whole, in the order in which it is in the export. A file that no part can hold is cut into
pieces, `name.001`, `name.002` and so on, which are joined by putting one behind the other, as other programs do it.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Final, NamedTuple, cast

from trainer.datasets import personal_key
from trainer.ports import PreconditionFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from trainer.ports import ObjectStore
    from trainer.scope import Actor

PART_LEAST: Final = 4 * 1024
"""Bytes: smaller parts would be more headers than content."""
PARTS_MOST: Final = 40
"""More than so many nobody fetches one by one."""
ZIP_TYPE: Final = "application/zip"
PIECE: Final = 64 * 1024
END: Final = 100
"""Bytes at the end of a zip, and some to spare."""
PER_ENTRY: Final = 200
"""Bytes that an entry takes besides its content and, twice, its name, and some to spare."""


class Part(NamedTuple):
    """One zip."""

    key: str
    number: int
    """From 1."""
    of: int
    size: int
    """Bytes."""


class Split(NamedTuple):
    """A whole export in parts."""

    parts: list[Part]
    cut: bool
    """Some file is in pieces."""


class Piece(NamedTuple):
    """A file, or a stretch of one, as it goes into a part."""

    source: str
    name: str
    start: int = 0
    length: int | None = None
    """Bytes; None for the whole file, which is then packed."""


def split(store: ObjectStore, actor: Actor, interaction_id: str, most: int) -> Split | None:
    """Cut the export of this interaction into parts of at most `most` bytes.

    None if that would be too small, or too many. A second delivery finds the first one's.
    """
    if most < PART_LEAST:
        return None
    with tempfile.TemporaryFile() as copy:
        with store.open_read(personal_key(actor.scope, actor.user_id, f"{interaction_id}.zip")) as whole:
            shutil.copyfileobj(whole, copy)
        with zipfile.ZipFile(cast("IO[bytes]", copy)) as bundle:
            planned = list(plan(bundle.infolist(), most))
            if len(planned) > PARTS_MOST:
                return None
            for number, pieces in enumerate(planned, start=1):
                name = f"{interaction_id}-{number}of{len(planned)}.zip"
                _write(store, personal_key(actor.scope, actor.user_id, name), bundle, pieces)
    cut = any(piece.length is not None for pieces in planned for piece in pieces)
    return Split(parts_of(store, actor, interaction_id), cut)


def parts_of(store: ObjectStore, actor: Actor, interaction_id: str) -> list[Part]:
    """The parts of an export, in order; empty if there are none, or no longer all of them."""
    prefix = personal_key(actor.scope, actor.user_id, f"{interaction_id}-")
    found: list[Part] = []
    for info in store.list(prefix):
        number, _, total = info.key.removeprefix(prefix).removesuffix(".zip").partition("of")
        if number.isdecimal() and total.isdecimal():
            found.append(Part(info.key, int(number), int(total), info.size))
    found.sort(key=lambda part: part.number)
    return found if found and len(found) == found[0].of else []


def plan(infos: Iterable[zipfile.ZipInfo], most: int) -> Iterator[list[Piece]]:
    """What goes into which part. Pure."""
    pieces: list[Piece] = []
    room = most - END
    for info in infos:
        for piece, size in _pieces(info, most):
            if pieces and size > room:
                yield pieces
                pieces, room = [], most - END
            pieces.append(piece)
            room -= size
    if pieces:
        yield pieces


def _pieces(info: zipfile.ZipInfo, most: int) -> Iterator[tuple[Piece, int]]:
    """A file, in one or more pieces, each with the bytes that it takes at most."""
    headers = PER_ENTRY + 2 * (len(info.filename.encode()) + len(".0001"))
    packed = headers + info.compress_size + info.compress_size // 1000
    if packed <= most - END:
        yield Piece(info.filename, info.filename), packed
        return
    # What is cut is not packed, so that it is known beforehand how much a part holds.
    length = most - END - headers
    for number, start in enumerate(range(0, info.file_size, length), start=1):
        taken = min(length, info.file_size - start)
        yield Piece(info.filename, f"{info.filename}.{number:03}", start, taken), headers + taken


def _write(store: ObjectStore, key: str, bundle: zipfile.ZipFile, pieces: list[Piece]) -> None:
    if store.head(key) is not None:
        return
    with (
        suppress(PreconditionFailed),  # another delivery of the job was faster
        store.open_write(key, if_absent=True, content_type=ZIP_TYPE) as target,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as part,
    ):
        for piece in pieces:
            info = zipfile.ZipInfo(piece.name, bundle.getinfo(piece.source).date_time)
            info.compress_type = zipfile.ZIP_DEFLATED if piece.length is None else zipfile.ZIP_STORED
            with bundle.open(piece.source) as source, part.open(info, "w", force_zip64=True) as entry:
                if piece.length is None:
                    shutil.copyfileobj(source, entry)
                else:
                    source.seek(piece.start)
                    _copy(cast("BinaryIO", source), entry, piece.length)


def _copy(source: BinaryIO, target: IO[bytes], length: int) -> None:
    while length and (data := source.read(min(PIECE, length))):
        target.write(data)
        length -= len(data)
