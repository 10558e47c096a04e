"""The text of PDF files, page by page, as passages.

A PDF is a program of sorts, and pypdf is told where to stop: limits of decompressed size and of drawing operations,
a number of pages, and a time for the whole file that is looked at between drawing operations.
"""

from __future__ import annotations

import logging
import re
from time import monotonic
from typing import TYPE_CHECKING, Final

from trainer.importers.examples import clean, is_blank
from trainer.importers.prose import PassageCutter
from trainer.importers.rejections import FileRefusal, Place, RefusalReason, Rejection, RejectionReason
from trainer.importers.text import passage_item

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pypdf import Configuration, PdfReader

    from trainer.importers.examples import Item

MAX_PAGES: Final = 2_000
MAX_SECONDS: Final = 120.0
"""For reading the text of all pages together."""
MAX_PAGE_CHARACTERS: Final = 100_000
_HYPHENATED = re.compile(r"(?<=[a-zа-яё])[-\u00ad\u2010]\n(?=[a-zа-яё])")
_LINE_END = re.compile(r"[ \t]*\n[ \t]*")
_BREAK = re.compile(r"[.!?:…»”\"')\]]$")
_ITEM = re.compile(r"(?:[-*+•‣▪]|\d{1,3}[.)])\s")


class _OutOfTime(Exception):
    pass


def read_pdf(path: Path) -> Iterator[Item]:
    """Each page's passages. Raises `FileRefusal`: ENCRYPTED, DAMAGED, or NO_TEXT if no page has any."""
    # It logs what is odd about a file, quoting from it.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL + 1)
    with path.open("rb") as file:
        reader, pages = _open(file)
        deadline = monotonic() + MAX_SECONDS
        silent: list[Rejection] = []
        found = False
        for number in range(1, min(pages, MAX_PAGES) + 1):
            place = Place("page", number)
            outcome = _page_text(reader, number - 1, deadline)
            items = [Rejection(place, outcome)] if isinstance(outcome, RejectionReason) else _passages(outcome, place)
            if not found and all(isinstance(item, Rejection) for item in items):
                silent.extend(item for item in items if isinstance(item, Rejection))
            else:
                found = True
                yield from silent
                silent.clear()
                yield from items
            if outcome is RejectionReason.TOO_SLOW:
                break
        if not found and all(item.reason is RejectionReason.NO_TEXT_ON_PAGE for item in silent):
            raise FileRefusal(RefusalReason.NO_TEXT)
        yield from silent
        if pages > MAX_PAGES:
            yield Rejection(Place("page", MAX_PAGES + 1), RejectionReason.TOO_MANY)


def _limits() -> Configuration:
    """How far pypdf may go. A page of dense text decompresses to some 20 KiB and 10,000 operations."""
    from pypdf import Configuration  # noqa: PLC0415  slow to import and needed for PDF files only

    return Configuration(
        maximum_declared_stream_length=32 << 20,
        array_based_stream_maximum_output_length=16 << 20,
        lzw_maximum_output_length=16 << 20,
        run_length_maximum_output_length=16 << 20,
        zlib_maximum_output_length=16 << 20,
        brotli_maximum_output_length=16 << 20,
        stream_decoding_work_maximum_length=64 << 20,
        stream_parsing_work_maximum_count=500_000,
        page_tree_maximum_entries=20_000,
        xform_maximum_invocations_per_extraction=1_000,
        jbig2dec_binary=None,  # no other program is run
    )


def _open(file: object) -> tuple[PdfReader, int]:
    """The reader and how many pages there are."""
    from pypdf import PdfReader, apply_configuration  # noqa: PLC0415  as above
    from pypdf.errors import DependencyError, FileNotDecryptedError  # noqa: PLC0415  as above

    try:
        with apply_configuration(_limits()):
            reader = PdfReader(file)  # type: ignore[arg-type]  # a binary file, which the caller opened
            # Counting decrypts, so it tells whether the empty password is the right one.
            return reader, len(reader.pages)
    except (FileNotDecryptedError, DependencyError):
        raise FileRefusal(RefusalReason.ENCRYPTED) from None
    except Exception:  # noqa: BLE001  pypdf says that broken files may raise anything
        raise FileRefusal(RefusalReason.DAMAGED) from None


def _page_text(reader: PdfReader, index: int, deadline: float) -> str | RejectionReason:
    from pypdf import apply_configuration  # noqa: PLC0415  as above

    def watch(*_operation: object) -> None:
        if monotonic() > deadline:
            raise _OutOfTime

    try:
        watch()
        with apply_configuration(_limits()):
            text = reader.pages[index].extract_text(visitor_operand_before=watch)
    except _OutOfTime:
        return RejectionReason.TOO_SLOW
    except Exception:  # noqa: BLE001  pypdf says that broken files may raise anything
        return RejectionReason.UNREADABLE_PAGE
    if len(text) > MAX_PAGE_CHARACTERS:
        return RejectionReason.TOO_LONG
    return RejectionReason.NO_TEXT_ON_PAGE if is_blank(text) else text


def _passages(text: str, place: Place) -> list[Item]:
    cutter = PassageCutter()
    items: list[Item] = []
    for number, line in enumerate(unwrap(text).split("\n"), start=1):
        items.extend(passage_item(passage, place) for passage in cutter.feed(number, line))
    items.extend(passage_item(passage, place) for passage in cutter.finish())
    return items or [Rejection(place, RejectionReason.NO_TEXT_ON_PAGE)]


def unwrap(text: str) -> str:
    """The lines as drawn, put together to paragraphs, one a line: words that were hyphenated are whole again.

    A line goes on the one before unless that ends a sentence well before the right edge, or this begins an item of
    a list.
    """
    lines = _LINE_END.split(_HYPHENATED.sub("", clean(text)))
    edge = max(map(len, lines))
    out = ""
    previous = ""
    for line in lines:
        ended = not previous or not line or (_BREAK.search(previous) and len(previous) < edge * 0.75)
        if ended or _ITEM.match(line):
            out += "\n" + line if line else "\n\n"
        else:
            out += " " + line
        previous = line
    return out.strip()
