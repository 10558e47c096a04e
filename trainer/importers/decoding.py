"""Bytes to text: which encoding a file has, and reading it line by line in bounded memory.

Accepted are UTF-8, UTF-16 and UTF-32 with a byte order mark, UTF-8 without one (also with a few broken bytes), and
what charset-normalizer recognises otherwise, Windows-1251 and Latin-1 above all. Bytes that do not decode become
`examples.BROKEN`, so that the readers can tell which line or record they stand in.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from trainer.importers.examples import BROKEN
from trainer.importers.rejections import FileRefusal, RefusalReason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TextIO

MAX_LINES: Final = 2_000_000
"""More than any file of the size that is read has, but one of next to nothing but line ends."""
_ERRORS: Final = "trainger-mark-broken"
_CHUNK = 1 << 18
_SAMPLE_BYTES = 1 << 16
_MARKS: Final = (
    # The longer marks first: UTF-16 little endian's is the beginning of UTF-32's.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LIKELY: Final = ["cp1251", "cp1252", "koi8_r", "cp866"]
_VALID_FOR_BROKEN = 3
"""UTF-8 if one valid character of several bytes stands against at most this many broken bytes. In Windows-1251 and
Latin-1 such characters come about by accident only, at a few in a hundred."""
_FIRST_LETTER_BYTE = 0xC0
_WORD = re.compile(r"[^\W\d_]+")
_LATIN = re.compile("[A-Za-z]")
_CYRILLIC_IO: Final = frozenset(b"\xa8\xb8")


def _mark(error: UnicodeError) -> tuple[str, int]:
    if isinstance(error, UnicodeDecodeError):
        return BROKEN, error.end
    raise error


codecs.register_error(_ERRORS, _mark)


class Line(NamedTuple):
    """A line without its end, or a piece of one that is over the limit."""

    number: int
    """Of the line, from 1; pieces of one line share it."""
    text: str
    complete: bool
    """The line's end is there: false for all but the last piece, and for a last line that no line feed ends."""


def encoding_of_mark(head: bytes) -> str | None:
    """The encoding that the byte order mark at the beginning of `head` names."""
    return next((name for mark, name in _MARKS if head.startswith(mark)), None)


def find_encoding(path: Path) -> str:
    """The name of the encoding to read the file with. It reads the whole file once, in pieces."""
    valid = broken = 0
    sample = bytearray()
    decoder = codecs.getincrementaldecoder("utf-8")(_ERRORS)
    with path.open("rb") as file:
        if marked := encoding_of_mark(file.read(4)):
            return marked
        file.seek(0)
        # An incomplete character at the very end is a cut, not another encoding: never decoded as final.
        while chunk := file.read(_CHUNK):
            text = decoder.decode(chunk)
            marks = text.count(BROKEN)
            broken += marks
            valid += len(text) - len(text.encode("ascii", "ignore")) - marks
            if len(sample) < _SAMPLE_BYTES and not chunk.isascii():
                sample += b"\n".join(line for line in chunk.splitlines() if not line.isascii())
    if broken <= _VALID_FOR_BROKEN * valid:
        return "utf-8"
    return _guess(bytes(sample[:_SAMPLE_BYTES])) or "utf-8"


def _guess(sample: bytes) -> str | None:
    """The 8-bit or Asian encoding of lines that are not ASCII, or None if they look like none."""
    from charset_normalizer import from_bytes  # noqa: PLC0415  it is slow to import and seldom needed

    high = {byte for byte in sample if byte >= 0x80}  # noqa: PLR2004  everything above is not ASCII
    if not any(byte >= _FIRST_LETTER_BYTE or byte in _CYRILLIC_IO for byte in high):
        return "cp1252"  # typographic signs only, which the two common Windows encodings share but for the euro
    likely = from_bytes(sample, cp_isolation=_LIKELY)
    for found in likely:
        if _is_plausible(str(found), found.encoding):
            return found.encoding
    other = None if likely else from_bytes(sample).best()
    # A mark where a line begins is none of the file's: read so, the file would have to begin with it.
    return other.encoding if other and not other.encoding.startswith("utf") else None


def _is_plausible(text: str, encoding: str) -> bool:
    """Whether this can be what somebody wrote: broken bytes in plain English can be read as something as well."""
    if encoding == "cp1252":
        return "ÿ" not in text  # in next to no text, but the byte 255 is in much that is none
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    mixed = sum(1 for word in words if _LATIN.search(word))
    return mixed * 2 <= len(words)


def open_text(path: Path, encoding: str) -> TextIO:
    """Open for reading: line ends of all kinds become line feeds, broken bytes become `BROKEN`."""
    return path.open("r", encoding=encoding, errors=_ERRORS, newline=None)


def read_lines(stream: TextIO, limit: int) -> Iterator[Line]:
    """The lines, in pieces of at most `limit` characters where they are longer.

    Raises `FileRefusal` after `MAX_LINES`.
    """
    number = 1
    while piece := stream.readline(limit):
        complete = piece.endswith("\n")
        if number > MAX_LINES:
            raise FileRefusal(RefusalReason.TOO_LARGE, "lines")
        yield Line(number, piece.removesuffix("\n"), complete)
        number += complete
