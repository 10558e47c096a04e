"""Where an object lies in the folder of a `FileStore`: keys to paths and back. Pure.

Every name on disk is one letter that says what it is, a dot, and a piece of the key:

    o.  an object; the piece is the rest of the key
    d.  a directory; the piece is a whole segment, and a `/` follows
    m.  a directory; the piece is the next 80 bytes of a segment that goes on inside

so that `a` and `a/b` are both objects (`o.a` and `d.a/o.b`), and no name is special to any system (`.`, `CON`).
Bytes other than a-z, 0-9, `-`, `_` and `.` are written `%xx`: upper-case letters too, for file systems that do not
tell them apart, and everything beyond ASCII, for file systems that change its Unicode form. A dot at the end is
escaped because some systems drop it, and an empty piece is written `%`. So a name has at most 2 + 3 * 80 bytes, of
the 255 that file systems allow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

PIECE_BYTES: Final = 80
"""A segment of this length or more is split, so a name of exactly this length is always an `m.` directory."""

_PLAIN: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_.")
_EMPTY: Final = "%"
_UNCHANGED: Final = re.compile(rb"[a-z0-9_.-]*[a-z0-9_-]")
"""What stays as it is: most names, told quickly."""


class Kind(Enum):
    """What a name on disk stands for, by its first letter."""

    OBJECT = "o"
    DIRECTORY = "d"
    MORE = "m"


@dataclass(frozen=True, slots=True)
class Entry:
    """A name on disk, understood."""

    kind: Kind
    piece: bytes
    """The bytes of the key that the name stands for, with the `/` where one follows."""


def object_path(key: str) -> list[str]:
    """The names from the root to the object; `key` has passed `check_key`."""
    *directories, last = key.encode().split(b"/")
    path = [name for segment in directories for name in _names(segment, Kind.DIRECTORY)]
    return path + _names(last, Kind.OBJECT)


def directory_path(prefix: str) -> tuple[list[str], bytes]:
    """The names from the root to the directory that holds all keys with this prefix, and the prefix it stands for."""
    complete = prefix.encode().split(b"/")[:-1]
    path = [name for segment in complete for name in _names(segment, Kind.DIRECTORY)]
    return path, b"".join(segment + b"/" for segment in complete)


def read_name(name: str, *, inside_segment: bool) -> Entry | None:
    """Understand a name on disk, or None if this store did not write it.

    Args:
        name: one name, as the directory lists it.
        inside_segment: whether the directory is an `m.` one; only there may a piece be empty.
    """
    letter, dot, escaped = name.partition(".")
    try:
        kind = Kind(letter)
        piece = _unescape(escaped)
    except ValueError:
        return None
    fits = len(piece) == PIECE_BYTES if kind is Kind.MORE else (inside_segment or piece) and len(piece) < PIECE_BYTES
    # One spelling each: a name that says the same otherwise would be a second file for the same key.
    if not dot or not fits or b"/" in piece or _escape(piece) != escaped:
        return None
    return Entry(kind, piece + b"/" if kind is Kind.DIRECTORY else piece)


def _names(segment: bytes, kind: Kind) -> list[str]:
    names = []
    while len(segment) >= PIECE_BYTES:
        names.append(f"{Kind.MORE.value}.{_escape(segment[:PIECE_BYTES])}")
        segment = segment[PIECE_BYTES:]
    return [*names, f"{kind.value}.{_escape(segment)}"]


def _escape(piece: bytes) -> str:
    if _UNCHANGED.fullmatch(piece):
        return piece.decode()
    if not piece:
        return _EMPTY
    escaped = "".join(chr(byte) if byte in _PLAIN else f"%{byte:02x}" for byte in piece)
    return f"{escaped[:-1]}%2e" if escaped.endswith(".") else escaped


def _unescape(escaped: str) -> bytes:
    """The inverse of `_escape`; ValueError if `escaped` is not what it writes."""
    if escaped == _EMPTY:
        return b""
    first, *rest = escaped.encode("ascii").split(b"%")
    return first + b"".join(bytes([int(part[:2], 16)]) + part[2:] for part in rest)
