"""A file of any format that is read, to its items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from trainer.importers.detect import Format, examine
from trainer.importers.json_document import read_json_document
from trainer.importers.json_lines import read_json_lines
from trainer.importers.pdf import read_pdf
from trainer.importers.rejections import FileRefusal, RefusalReason, Rejection, RejectionReason
from trainer.importers.tables import read_table
from trainer.importers.text import read_text_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from trainer.importers.examples import Item

MAX_ITEMS: Final = 250_000
"""Examples and rejections of one file: a file of nothing but line feeds and digits must not fill a report."""


def read_file(path: Path, name: str, declared_type: str | None = None) -> Iterator[Item]:  # noqa: ARG001  see below
    """Read the file at `path` as a stream, in bounded memory.

    Args:
        path: where the file is; it must not change meanwhile.
        name: what its sender called it. It decides only what the content leaves open.
        declared_type: the media type that its sender claims. Not believed, and not needed.

    Yields:
        Examples and rejections, in the order of the file.

    Raises:
        FileRefusal: before the first item or after some; those given by then are good.
    """
    found = examine(path, name)
    count = 0
    for count, item in enumerate(_items(path, found.format, found.encoding), start=1):
        if count > MAX_ITEMS:
            yield Rejection(item.place, RejectionReason.TOO_MANY)
            return
        yield item
    if count == 0:
        raise FileRefusal(RefusalReason.EMPTY)


def _items(path: Path, format_: Format, encoding: str) -> Iterator[Item]:
    match format_:
        case Format.PDF:
            return read_pdf(path)
        case Format.JSON_LINES:
            return read_json_lines(path, encoding)
        case Format.JSON_DOCUMENT:
            return read_json_document(path, encoding)
        case Format.TABLE:
            return read_table(path, encoding)
        case Format.TEXT:
            return read_text_file(path, encoding)
