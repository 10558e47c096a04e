"""Plain text and Markdown: questions with their answers where they are labelled as such, else passages of prose.

One labelled pair decides: the text is then read as pairs. What stands before the first of them, or under a heading
after an answer, is prose still. A question that nobody answers is rejected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from trainer.importers import decoding, labels
from trainer.importers.examples import BROKEN, MAX_ANSWER, MAX_QUESTION, Example, Item, make_pair
from trainer.importers.prose import FENCE, HEADING, RULE, Passage, PassageCutter
from trainer.importers.rejections import Place, Rejection, RejectionReason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from trainer.importers.labels import Kind

    _Lines = Callable[[], Iterable[tuple[int, str]]]

_LONGEST_PIECE: Final = 1 << 14
_KEPT: Final = {"question": 5 * MAX_QUESTION, "answer": 5 * MAX_ANSWER}
"""Characters kept of a part that goes on and on: enough to see that it is too long."""


def read_text(text: str) -> Iterator[Item]:
    """What somebody typed: the items, their places counted as blocks."""
    for number, item in enumerate(_items(lambda: enumerate(_split(text), start=1)), start=1):
        yield msgspec.structs.replace(item, place=Place("block", number))


def items_at(text: str, place: Place, *, title: str = "") -> Iterator[Item]:
    """The items of a text that is a part of something: all at its place."""
    for item in _items(lambda: enumerate(_split(text), start=1), title):
        yield msgspec.structs.replace(item, place=place)


def read_text_file(path: Path, encoding: str) -> Iterator[Item]:
    """The items of a file, their places counted as lines. It is read twice, in bounded memory."""

    def lines() -> Iterator[tuple[int, str]]:
        with decoding.open_text(path, encoding) as stream:
            yield from _whole_words(decoding.read_lines(stream, _LONGEST_PIECE))

    yield from _items(lines)


def passage_item(passage: Passage, place: Place | None = None) -> Example:
    """A passage as an example, at its line unless another place is given."""
    return Example("passage", passage.title, passage.text, place or Place("line", passage.line))


def _split(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _whole_words(lines: Iterable[decoding.Line]) -> Iterator[tuple[int, str]]:
    """Numbered lines; one that is cut into pieces is cut before a question, or else between words."""
    rest = ""
    number = 1
    for line in lines:
        text, rest, number = rest + line.text, "", line.number
        if not line.complete and len(line.text) >= _LONGEST_PIECE:
            end = labels.last_question(text) or text.rfind(" ") + 1 or len(text)
            text, rest = text[:end], text[end:]
        yield number, text
    if rest:
        yield number, rest


def _items(lines: _Lines, title: str = "") -> Iterator[Item]:
    if _has_pair(lines()):
        pairs = _PairReader(title)
        for number, line in lines():
            yield from pairs.feed(number, line)
        yield from pairs.finish()
        return
    cutter = PassageCutter(title)
    for number, line in lines():
        if BROKEN in line:
            yield Rejection(Place("line", number), RejectionReason.BAD_ENCODING)
        else:
            yield from map(passage_item, cutter.feed(number, line))
    yield from map(passage_item, cutter.finish())


def _has_pair(lines: Iterable[tuple[int, str]]) -> bool:
    """Whether an answer's label follows a question's anywhere."""
    pairs = _PairReader("")
    for number, line in lines:
        for _ in pairs.feed(number, line):
            pass
        if pairs.answered:
            return True
    return False


class _PairReader:
    """Takes lines, gives pairs, and passages of what stands between them."""

    def __init__(self, title: str) -> None:
        self.answered = False
        """Whether a question has met its answer, be they empty or too long."""
        self._cutter = PassageCutter(title)
        self._state: Kind | None = None
        self._parts: dict[Kind, list[str]] = {"question": [], "answer": []}
        self._sizes: dict[Kind, int] = {"question": 0, "answer": 0}
        self._family = ""
        self._line = 0
        self._broken_line = 0
        self._fence = ""

    def feed(self, number: int, line: str) -> Iterator[Item]:
        """Take the line of that number, without its end."""
        if self._in_fence(line):
            yield from self._continue(number, line)
            return
        parts = labels.parts_of(line, self._state, self._family)
        if self._state and parts[0].kind is None and len(parts) == 1 and (HEADING.match(line) or RULE.match(line)):
            yield from self._end_pair()
        for part in parts:
            if part.kind is None:
                # A whole line keeps its indentation.
                yield from self._continue(number, line if len(parts) == 1 else part.text)
                continue
            self.answered |= (self._state, part.kind) == ("question", "answer")
            if part.kind == "question" or self._state is None:
                yield from self._end_pair()
                yield from map(passage_item, self._cutter.finish())
                self._line, self._family = number, part.family
            self._state = part.kind
            yield from self._continue(number, part.text)

    def finish(self) -> Iterator[Item]:
        """What is left after the last line."""
        yield from self._end_pair()
        yield from map(passage_item, self._cutter.finish())

    def _in_fence(self, line: str) -> bool:
        """Whether the line stands in a fence of code, where nothing is a label, or begins or ends one."""
        marks = FENCE.match(line)
        if not self._fence:
            self._fence = marks[1] if marks else ""
            return bool(marks)
        if self._state and self._sizes[self._state] >= _KEPT[self._state]:
            self._fence = ""  # nobody closed it: what follows must not be lost with this pair
            return False
        if marks and marks[1].startswith(self._fence) and not line.strip().strip(self._fence[0]):
            self._fence = ""
        return True

    def _continue(self, number: int, text: str) -> Iterator[Item]:
        if self._state is None:
            if BROKEN in text:
                yield Rejection(Place("line", number), RejectionReason.BAD_ENCODING)
            else:
                yield from map(passage_item, self._cutter.feed(number, text))
            return
        if BROKEN in text:
            self._broken_line = self._broken_line or number
        if self._sizes[self._state] < _KEPT[self._state]:
            self._parts[self._state].append(text)
        self._sizes[self._state] += len(text) + 1

    def _end_pair(self) -> Iterator[Item]:
        if self._state is None:
            return
        question, answer = ("\n".join(self._parts[kind]) for kind in ("question", "answer"))
        if self._broken_line:
            yield Rejection(Place("line", self._broken_line), RejectionReason.BAD_ENCODING)
        else:
            yield make_pair(question, answer, Place("line", self._line))
        self._state, self._broken_line, self._fence = None, 0, ""
        self._parts = {"question": [], "answer": []}
        self._sizes = {"question": 0, "answer": 0}
