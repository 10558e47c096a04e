"""What a file really is: by its content first, by its name last, never by what its sender declares."""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from trainer.importers import decoding, json_value, labels, tables
from trainer.importers.rejections import FileRefusal, RefusalReason

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 32 << 20
"""Nothing larger is read, whatever the limit of uploads is."""
_HEAD_BYTES = 1 << 16
_SAMPLE_LINES = 20
_PDF_WITHIN = 1024
"""Readers accept rubbish before a PDF begins; it has to begin within this many bytes."""
_PDF = re.compile(rb"(^|[\r\n])?%PDF-")


class Format(enum.StrEnum):
    """A format that is read."""

    TEXT = "text"
    """Plain text or Markdown."""
    JSON_LINES = "json_lines"
    JSON_DOCUMENT = "json_document"
    TABLE = "table"
    PDF = "pdf"


class Detected(NamedTuple):
    """A format, and the encoding of the text formats."""

    format: Format
    encoding: str


class Text(NamedTuple):
    """A file that is text."""

    encoding: str
    sample: str
    """How it begins, without blank lines; not blank itself."""


_MAGIC: Final[tuple[tuple[int, bytes, str], ...]] = (
    # Offset, bytes, kind. From the formats' own specifications.
    (0, b"\x1f\x8b", "gzip"), (0, b"BZh", "bzip2"), (0, b"\xfd7zXZ\x00", "xz"), (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!\x1a\x07", "rar"), (0, b"\x28\xb5\x2f\xfd", "zstd"), (257, b"ustar", "tar"),
    (0, b"\x89PNG\r\n\x1a\n", "image"), (0, b"\xff\xd8\xff", "image"), (0, b"GIF87a", "image"),
    (0, b"GIF89a", "image"), (0, b"II*\x00", "image"), (0, b"MM\x00*", "image"), (8, b"WEBP", "image"),
    (4, b"ftypavif", "image"), (4, b"ftypheic", "image"), (4, b"ftypM4A", "audio"), (4, b"ftyp", "video"),
    (0, b"\x1aE\xdf\xa3", "video"), (8, b"AVI ", "video"),
    (0, b"ID3", "audio"), (0, b"OggS", "audio"), (0, b"fLaC", "audio"), (8, b"WAVE", "audio"),
    (0, b"\x7fELF", "program"), (0, b"\xcf\xfa\xed\xfe", "program"), (0, b"\xca\xfe\xba\xbe", "program"),
    (0, b"\x00asm", "program"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "office"), (0, b"SQLite format 3\0", "database"),
    (0, b"PAR1", "parquet"), (0, b"ARROW1", "arrow"), (0, b"{\\rtf", "rtf"),
)  # fmt: skip
_SHORT_MAGIC: Final = ((b"MZ", "program"), (b"BM", "image"), (b"\xff\xfb", "audio"), (b"\xff\xf3", "audio"))
"""Too short to believe unless there are NUL bytes as well."""
_INSIDE_ZIP: Final = (
    (b"xl/", "xlsx"), (b"word/", "docx"), (b"ppt/", "pptx"), (b"application/epub+zip", "epub"),
    (b"opendocument.spreadsheet", "ods"), (b"opendocument.text", "odt"),
)  # fmt: skip
_MARKUP = re.compile(r"\s*<(?:(?P<html>!doctype\s+html|html\b)|\?xml\b)", re.IGNORECASE)
_JSON_ARRAY = re.compile(r"\[\s*[\[{]")
_JSON_OBJECT = re.compile(r'\{\s*["}]')


def detect(path: Path, name: str) -> Format:
    """The format of the file. Raises `FileRefusal` for what is none of them."""
    return examine(path, name).format


def examine(path: Path, name: str) -> Detected:
    """The format and the encoding of the file that its sender called `name`. Raises `FileRefusal`."""
    text = look_at(path)
    if text is None:
        return Detected(Format.PDF, "")
    return Detected(format_of_text(text.sample, name), text.encoding)


def look_at(path: Path) -> Text | None:
    """How the text of the file begins; None of a PDF file. Raises `FileRefusal` for what is neither."""
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise FileRefusal(RefusalReason.TOO_LARGE)
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        file.seek(max(0, size - _HEAD_BYTES))
        tail = file.read(_HEAD_BYTES)
    pdf = _PDF.search(head, 0, _PDF_WITHIN)
    if pdf and (pdf[1] is not None or b"startxref" in tail):
        return None
    _refuse_binary(path, head, tail)
    encoding = decoding.find_encoding(path)
    with decoding.open_text(path, encoding) as stream:
        sample = stream.read(tables.SAMPLE).lstrip("\ufeff")
        blank = not sample.strip()
        while blank and (more := stream.read(tables.SAMPLE)):
            blank = not more.strip()
            sample = more.lstrip()
    if blank:
        raise FileRefusal(RefusalReason.EMPTY)
    if markup := _MARKUP.match(sample):
        raise FileRefusal(RefusalReason.UNSUPPORTED, "html" if markup["html"] else "xml")
    return Text(encoding, sample)


def _refuse_binary(path: Path, head: bytes, tail: bytes) -> None:
    if head.startswith(b"PK\x03\x04"):
        kind = next((kind for mark, kind in _INSIDE_ZIP if mark in head or mark in tail), "zip")
        raise FileRefusal(RefusalReason.UNSUPPORTED, kind)
    nothing_but_text = head.isascii() and b"\0" not in head
    for offset, mark, kind in _MAGIC:
        # Some marks are words, as text may begin with.
        if head.startswith(mark, offset) and not (nothing_but_text and mark.isalnum()):
            raise FileRefusal(RefusalReason.UNSUPPORTED, kind)
    if decoding.encoding_of_mark(head) in {"utf-16", "utf-32"} or not _has_nul(path):
        return
    for mark, kind in _SHORT_MAGIC:
        if head.startswith(mark):
            raise FileRefusal(RefusalReason.UNSUPPORTED, kind)
    raise FileRefusal(RefusalReason.BINARY)


def _has_nul(path: Path) -> bool:
    with path.open("rb") as file:
        while chunk := file.read(1 << 18):
            if b"\0" in chunk:
                return True
    return False


def format_of_text(sample: str, name: str, vocabulary: tables.Vocabulary = tables.EXAMPLES) -> Format:
    """The format of a text that begins with `sample`; `vocabulary` says what makes a table."""
    ending = name.rpartition(".")[2].strip().casefold() if "." in name else ""
    start = sample.lstrip()
    claims_json = ending in {"json", "jsonl", "ndjson"}
    if start.startswith("[") and (claims_json or _JSON_ARRAY.match(start)):
        return Format.JSON_DOCUMENT
    if start.startswith("{") and (claims_json or _JSON_OBJECT.match(start)):
        return Format.JSON_LINES if _is_json_lines(start, ending) else Format.JSON_DOCUMENT
    layout = tables.find_layout(sample, vocabulary)
    if layout and layout.has_header and len(layout.columns) > 1:
        return Format.TABLE
    if _is_json_lines(start, ""):
        return Format.JSON_LINES
    if claims_json:
        return Format.JSON_DOCUMENT if ending == "json" else Format.JSON_LINES
    if (
        ending in {"csv", "tsv", "tab"}
        and (layout or tables.looks_tabular(sample, vocabulary))
        and not _is_labelled(start)
    ):
        return Format.TABLE
    return Format.TEXT


def _is_labelled(sample: str) -> bool:
    """Whether lines are labelled as questions and answers."""
    kinds = {labels.kind_at_start(line) for line in sample.split("\n")[:_SAMPLE_LINES]}
    return {"question", "answer"} <= kinds


def _is_json_lines(sample: str, ending: str) -> bool:
    """Whether lines are records by themselves: the first one, or half of them, or any if the name says so too.

    One line alone is a document: what it holds may be an array of records.
    """
    lines = [line for line in sample.split("\n") if line.strip()][:_SAMPLE_LINES]
    if len(lines) == 1:
        return False
    if _is_object(lines[0].strip().removesuffix(",")):
        return True
    # Lines that end with a comma are the elements of an array that some line above begins.
    found = [_is_object(line) for line in lines]
    return sum(found) * 2 >= len(found) or (ending in {"jsonl", "ndjson"} and any(found))


def _is_object(line: str) -> bool:
    try:
        return isinstance(json_value.decode(line), dict)
    except json_value.Undecodable:
        return False
