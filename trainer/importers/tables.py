"""Comma- and tab-separated tables, and those with semicolons or bars between the cells.

The first row is a header if its cells name questions and answers (the names are those of `shapes`). Without one, a
table of two columns is taken for questions and answers. Rows are counted as a spreadsheet shows them: the header is
row 1, a cell with line breaks inside makes no new row, and empty rows count.
"""

from __future__ import annotations

import csv
import re
from collections import Counter, deque
from typing import TYPE_CHECKING, Final, NamedTuple

from trainer.importers import decoding, shapes
from trainer.importers.examples import BROKEN
from trainer.importers.records import Broken, Record
from trainer.importers.rejections import FileRefusal, Place, RefusalReason, Rejection, RejectionReason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from trainer.importers.examples import Item

DELIMITERS: Final = "\t,;|"
"""Where two serve equally well, the first one is it."""
SAMPLE: Final = 1 << 16
"""Characters that a layout is found out from."""
_MAX_LINE: Final = 1 << 16
_MAX_RECORD: Final = 1 << 16
"""Characters of a row; the csv module's own limit of a cell is 131,072."""
_MAX_RECORD_LINES: Final = 1_000
_REREAD_LIMIT: Final = 1 << 22
"""Characters that may be read a second time after quotation marks that nothing closes."""
_SAMPLE_ROWS: Final = 50
_PAIR: Final = 2
_EVEN_ENOUGH: Final = 0.6
"""Share of rows with the same number of cells, from which lines are taken for a table."""

_EXCEL_HINT = re.compile(r"sep=([,;\t|])\s*", re.IGNORECASE)
_MARKDOWN_RULE = re.compile(r"[ \t]*:?-{2,}:?[ \t]*")


class Layout(NamedTuple):
    """How a table is to be read."""

    delimiter: str
    columns: tuple[str, ...]
    """The canonical name of each column, empty where there is none."""
    has_header: bool


class Vocabulary(NamedTuple):
    """What the names of columns mean to a reader."""

    name_of: Callable[[str], str]
    """From the cell of a header to the name of its column."""
    serves: Callable[[frozenset[str]], bool]
    """Whether columns of these names are enough."""
    questions: frozenset[str]
    answers: frozenset[str]
    known: frozenset[str]
    """All names that make a first row a header, even one that is not enough."""


class _Unclosed(Exception):
    """The row has become longer than rows are: a quotation mark is not closed."""


def _serves(names: frozenset[str]) -> bool:
    """Whether columns of these names make examples: pairs, or texts alone."""
    pairs = names & set(shapes.QUESTIONS) and names & set(shapes.ANSWERS)
    return bool(pairs) or bool(names & set(shapes.TEXTS) and not names & set(shapes.QUESTIONS))


EXAMPLES: Final = Vocabulary(
    shapes.canonical, _serves, frozenset(shapes.QUESTIONS), frozenset(shapes.ANSWERS), shapes.KNOWN
)


def find_layout(sample: str, vocabulary: Vocabulary = EXAMPLES) -> Layout | None:
    """The layout of the table that begins with `sample`, or None if that is no table with questions and answers.

    The header decides about the delimiter where there is one: the names are there with the right one only.
    """
    lines = _sample_lines(sample)
    hint = _EXCEL_HINT.fullmatch(lines[0])
    delimiters = hint[1] if hint else DELIMITERS
    best: tuple[float, Layout] | None = None
    for delimiter in delimiters:
        rows = _sample_rows(lines[1:] if hint else lines, delimiter)
        if not rows:
            continue
        columns = tuple(vocabulary.name_of(cell) for cell in rows[0])
        if vocabulary.serves(frozenset(columns)):
            return Layout(delimiter, columns, has_header=True)
        width, count = Counter(map(len, rows)).most_common(1)[0]
        share = count / len(rows)
        named = any(name in vocabulary.known for name in columns)
        if width == _PAIR and share >= _EVEN_ENOUGH and not named and (best is None or share > best[0]):
            best = share, Layout(delimiter, ("question", "answer"), has_header=False)
    return best[1] if best else None


def looks_tabular(sample: str, vocabulary: Vocabulary = EXAMPLES) -> bool:
    """Whether the lines of `sample` are cut into even cells by some delimiter, whatever these hold."""
    lines = _sample_lines(sample)
    for delimiter in DELIMITERS:
        if rows := _sample_rows(lines, delimiter):
            width, count = Counter(map(len, rows)).most_common(1)[0]
            if width > 1 and count / len(rows) >= _EVEN_ENOUGH:
                return True
    return any(name in vocabulary.known for name in map(vocabulary.name_of, lines[:1]))


def _sample_lines(sample: str) -> list[str]:
    """Its lines; the last one does not count if it may be cut."""
    lines = sample.split("\n")
    return lines[:-1] if len(sample) >= SAMPLE and len(lines) > 1 else lines


def _sample_rows(lines: list[str], delimiter: str) -> list[list[str]]:
    """The first rows that are not blank."""
    rows: list[list[str]] = []
    reader = csv.reader((line + "\n" for line in lines), delimiter=delimiter)
    for row in reader:
        if any(cell.strip() for cell in row):
            rows.append(row)
        if len(rows) >= _SAMPLE_ROWS:
            break
    return rows


def read_table(path: Path, encoding: str) -> Iterator[Item]:
    """Every row's examples, or its rejection. Raises `FileRefusal` without columns of questions and answers."""
    layout = layout_of(path, encoding)
    for found in read_rows(path, encoding, layout):
        if isinstance(found, Broken):
            yield Rejection(found.place, found.reason)
        else:
            yield from shapes.examples_of(found.value, found.place)


def layout_of(path: Path, encoding: str, vocabulary: Vocabulary = EXAMPLES) -> Layout:
    """The layout of the table. Raises `FileRefusal` without columns of questions and answers."""
    with decoding.open_text(path, encoding) as stream:
        sample = stream.read(SAMPLE).lstrip("\ufeff")
    layout = find_layout(sample, vocabulary)
    if layout is None:
        raise FileRefusal(RefusalReason.NOT_TABULAR, _missing_column(sample, vocabulary))
    return layout


def read_rows(path: Path, encoding: str, layout: Layout) -> Iterator[Record | Broken]:
    """Every row but the header and blank ones."""
    with decoding.open_text(path, encoding) as stream:
        header_seen = not layout.has_header
        for number, cells in _Rows(decoding.read_lines(stream, _MAX_LINE), layout):
            place = Place("row", number)
            if isinstance(cells, RejectionReason):
                yield Broken(place, cells)
            elif not any(cell.strip() for cell in cells):
                continue
            elif not header_seen:
                header_seen = True
            elif found := _row(cells, layout, place):
                yield found


def _missing_column(sample: str, vocabulary: Vocabulary) -> str:
    """`question` or `answer` if a header names the other one only."""
    for delimiter in DELIMITERS:
        rows = _sample_rows(_sample_lines(sample), delimiter)
        names = set(map(vocabulary.name_of, rows[0])) if rows else set()
        if names & vocabulary.questions:
            return "answer"
        if names & vocabulary.answers:
            return "question"
    return ""


def _row(cells: list[str], layout: Layout, place: Place) -> Record | Broken | None:
    if any(BROKEN in cell for cell in cells):
        return Broken(place, RejectionReason.BAD_ENCODING)
    if any(cell.strip() for cell in cells[len(layout.columns) :]):
        # A delimiter in a text that is not quoted: to cut the answer short would be worse than to leave it out.
        return Broken(place, RejectionReason.ROW_WIDTH)
    if layout.delimiter == "|" and all(not cell.strip() or _MARKDOWN_RULE.fullmatch(cell) for cell in cells):
        return None  # the line under the header of a Markdown table
    record: dict[str, str] = {}
    for name, cell in zip(layout.columns, cells, strict=False):
        if name:
            record.setdefault(name, cell)
    return Record(place, record)


class _Rows:
    """Numbered rows, or why there is none. Rows swallowed by a quotation mark that is never closed are given back."""

    def __init__(self, lines: Iterator[decoding.Line], layout: Layout) -> None:
        self._source = lines
        self._layout = layout
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        self._ended_inside = False
        self._reread = 0

    def __iter__(self) -> Iterator[tuple[int, list[str] | RejectionReason]]:
        number = 0
        first = self._next_line()
        if first is not None and not _EXCEL_HINT.fullmatch(first.strip().lstrip("\ufeff")):
            self._again.appendleft(first.lstrip("\ufeff"))
        reader = csv.reader(self._feed(), delimiter=self._layout.delimiter)
        while True:
            self._taken, self._ended_inside = [], False
            number += 1
            try:
                cells: list[str] | RejectionReason = next(reader)
            except StopIteration:
                return
            except (_Unclosed, csv.Error):
                cells = self._give_back()
                reader = csv.reader(self._feed(), delimiter=self._layout.delimiter)
            else:
                if self._ended_inside:
                    cells = self._give_back()
                    reader = csv.reader(self._feed(), delimiter=self._layout.delimiter)
                elif len(self._taken) == 1 and len(self._taken[0]) > _MAX_LINE:
                    cells = RejectionReason.TOO_LONG
            yield number, cells

    def _feed(self) -> Iterator[str]:
        """Lines for the reader, which takes several where a quoted cell goes over them."""
        size = 0
        while (line := self._next_line()) is not None:
            if not self._taken:
                size = 0
            self._taken.append(line)
            size += len(line)
            if len(self._taken) > 1 and (size > _MAX_RECORD or len(self._taken) > _MAX_RECORD_LINES):
                raise _Unclosed
            yield line
        self._ended_inside = bool(self._taken)

    def _next_line(self) -> str | None:
        """The next line with a line feed; one that is too long is cut, and ends in a longer text than lines have."""
        if self._again:
            return self._again.popleft()
        line = next(self._source, None)
        if line is None:
            return None
        if line.complete or len(line.text) < _MAX_LINE:
            return line.text + "\n"
        for piece in self._source:
            if piece.complete or len(piece.text) < _MAX_LINE:
                break
        # No cell of it is read: the quotation marks must not join it with the lines that follow.
        return line.text.replace('"', " ") + "\n"

    def _give_back(self) -> RejectionReason:
        """The reason to reject the row at hand by.

        Its other lines are read again where they look like rows. Where they do not, the row has one endless cell,
        which is skipped up to its closing quotation mark: its lines must not pass for rows.
        """
        others = self._taken[1:]
        size = sum(map(len, others))
        width = len(self._layout.columns)
        even = sum(len(next(csv.reader([line], delimiter=self._layout.delimiter), ())) == width for line in others)
        if others and even * 2 >= len(others) and self._reread + size <= _REREAD_LIMIT:
            self._reread += size
            self._again.extendleft(reversed(others))
            return RejectionReason.UNCLOSED_QUOTE
        if self._ended_inside:
            return RejectionReason.TRUNCATED
        line: str | None = self._taken[-1]
        while line is not None and line.count('"') % 2 == 0:
            line = self._next_line()
        return RejectionReason.TOO_LONG
