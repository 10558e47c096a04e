"""JSON documents: an array of records, an object that holds such an array, one record, or several in a row.

The document is cut into the texts of its records, which are decoded one at a time. Cutting them out first, and not
parsing the document as a whole, keeps memory bounded whatever is nested, and a record that is broken costs itself
alone: reading goes on at the next place that begins as the broken record does.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

from trainer.importers import decoding, json_value, shapes
from trainer.importers.json_value import MAX_DEPTH, MAX_RECORD, TOKEN, Undecodable
from trainer.importers.records import Broken, Record
from trainer.importers.rejections import Place, Rejection, RejectionReason

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path
    from typing import TextIO

    from trainer.importers.examples import Item

_CHUNK = 1 << 16
_ENDLESS_DEPTH = 10_000
"""From this depth on nobody looks for the brackets that close it all."""
_LOOK_AHEAD = 256
"""Characters that decide what something is: the longest beginning of a record, a name with its colon."""
_REREAD_LIMIT = 1 << 23
"""Characters that may be read a second time after broken records: a file of nothing else must not take for ever."""
CONTAINERS: Final = frozenset(
    (
        "data", "dataset", "entries", "examples", "faq", "faqs", "instances", "items", "pairs", "qa", "questions",
        "records", "rows", "samples", "train", "train_data", "training", "training_data",
        "вопросы", "данные", "примеры",
    )
)  # fmt: skip
"""Names of arrays that hold records. Not `test` or `validation`: what is to be tested must not be learnt."""

_SPACE = re.compile(r"[\s,\ufeff]*")
_SCALAR = re.compile(r'[^\s,\[{"\]]+')
_COLON = re.compile(r"\s*:")
_ARRAY_FOLLOWS = re.compile(r"\s*:\s*\[")
_STRING_END = re.compile(r'(?:[^"\\]++|\\.)*+"', re.DOTALL)
_ROOT = re.compile(r"[\[{]")
_FIRST_KEY = re.compile(r'\{\s*("[^"\\\n]{1,64}")\s*:')


def read_json_document(path: Path, encoding: str) -> Iterator[Item]:
    """Every record's examples, or its rejection."""
    for found in read_records(path, encoding):
        if isinstance(found, Broken):
            yield Rejection(found.place, found.reason)
        else:
            yield from shapes.examples_of(found.value, found.place)


def read_records(path: Path, encoding: str, containers: frozenset[str] = CONTAINERS) -> Iterator[Record | Broken]:
    """Every record; `containers` are the canonical names of arrays that hold records."""
    with decoding.open_text(path, encoding) as stream:
        document = _Document(stream, containers)
        for number, found in enumerate(document.records(), start=1):
            place = Place("record", number)
            if isinstance(found, RejectionReason):
                yield Broken(place, found, document.broken_line)
            else:
                yield Record(place, found.value)


def read_field(path: Path, encoding: str, name: str) -> Record | Broken | None:
    """The value of this field of the object that the document is; None where there is none."""
    with decoding.open_text(path, encoding) as stream:
        document = _Document(stream, frozenset())
        found = document.field(name)
        if found is None:
            return None
        place = Place("record", 1)
        if isinstance(found, RejectionReason):
            return Broken(place, found, document.broken_line)
        return Record(place, found.value)


class _Value:
    """A decoded record: whatever JSON holds, told apart from a rejection by its type."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value


class _Cut(Exception):
    """The document ends inside the value."""


class _Overlong(Exception):
    """The value is longer than a record may be."""


class _TooDeep(Exception):
    """The value is nested more deeply than a record may be."""


class _Document:
    """The records of a document, over a window of its text that is dropped as they are taken.

    Attributes:
        broken_line: where the syntax of what was rejected last breaks, from 1.
    """

    def __init__(self, stream: TextIO, containers: frozenset[str]) -> None:
        self._stream = stream
        self._containers = containers
        self._text = ""
        self._at = 0
        self._ended = False
        self._reread = 0
        # Line feeds before the place `_counted` of the window.
        self._lines = 0
        self._counted = 0
        self.broken_line = 0

    def records(self) -> Iterator[_Value | RejectionReason]:
        """Records in order; a rejection stands where a record should."""
        while first := self._peek():
            if first == "[":
                self._at += 1
                yield from self._array()
            elif first == "{":
                yield from self._object()
            else:
                self.broken_line = self._line()
                yield RejectionReason.NOT_JSON
                self._at += 1
                self._skip_to(_ROOT)

    def _array(self) -> Generator[_Value | RejectionReason, None, bool]:
        """Elements up to the bracket that closes the array, which is taken too; returns whether it is there."""
        while first := self._peek():
            if first == "]":
                self._at += 1
                return True
            element = self._element()
            yield element
            if element is RejectionReason.TRUNCATED:
                return False
        self.broken_line = self._line()
        yield RejectionReason.TRUNCATED
        return False

    def _object(self) -> Iterator[_Value | RejectionReason]:
        """An object at the top: a record, or one that holds arrays of records."""
        begin = self._find_container()
        if begin is None:
            yield self._element()
            return
        self._at = begin
        while (yield from self._array()):
            match self._skip(1, to_container=True):
                case "end":
                    return
                case "cut":
                    self.broken_line = self._line()
                    yield RejectionReason.TRUNCATED
                    return

    def field(self, name: str) -> _Value | RejectionReason | None:
        """The value of a field of the object that begins here, or None; what stands before it is taken."""
        if self._peek() != "{":
            return None
        depth = 0
        for mark in self._tokens():
            depth += (mark in {"{", "["}) - (mark in {"}", "]"})
            if depth == 0 or depth > _ENDLESS_DEPTH:
                return None
            colon = _COLON.match(self._text, self._at) if depth == 1 and mark == f'"{name}"' else None
            if colon:
                self._at = colon.end()
                return self._element() if self._peek() else RejectionReason.TRUNCATED
        return None

    def _find_container(self) -> int | None:
        """Where the first array of records of the object that begins here begins, if it holds one near its start."""
        while len(self._text) - self._at < MAX_RECORD and self._more():
            pass
        depth = 0
        for token in TOKEN.finditer(self._text, self._at):
            match token[0]:
                case "{" | "[":
                    depth += 1
                case "}" | "]":
                    depth -= 1
                    if depth == 0:
                        return None
                case '"':
                    return None  # a string that reaches out of the window
                case name if depth == 1:
                    if begin := self._container_after(name, token.end()):
                        return begin
        return None

    def _container_after(self, name: str, end: int) -> int | None:
        """The place after the bracket if `name`, a string that ends at `end`, is that of an array of records."""
        if shapes.canonical(name[1:-1]) in self._containers and (follows := _ARRAY_FOLLOWS.match(self._text, end)):
            return follows.end()
        return None

    def _element(self) -> _Value | RejectionReason:
        """The value at the current place, which is taken; or why there is none, and then what can be is skipped."""
        line = self.broken_line = self._line()
        try:
            end = self._end_of_value()
        except _Cut:
            return RejectionReason.NOT_JSON if self._resume(len(self._text)) else RejectionReason.TRUNCATED
        except _TooDeep:
            self._skip(0)
            return RejectionReason.TOO_DEEP
        except _Overlong:
            # Perhaps a quotation mark is missing, and brackets tell nothing: go by how records begin.
            prefix = self._prefix() if self._reread < _REREAD_LIMIT else None
            self._reread += MAX_RECORD
            if prefix:
                self._at += 1
                self._skip_to(prefix)
            else:
                self._skip(0)
            return RejectionReason.TOO_LONG
        try:
            value = json_value.decode(self._text[self._at : end])
        except Undecodable as error:
            self.broken_line = line + self._text.count("\n", self._at, self._at + error.at)
            if error.reason is not RejectionReason.NOT_JSON or not self._resume(end):
                self._at = end
            return error.reason
        self._at = end
        return _Value(value)

    def _end_of_value(self) -> int:
        """Where the value that begins here ends, reading on as far as needed.

        Raises `_Cut`, `_Overlong` and `_TooDeep`.
        """
        if self._text[self._at] not in '{["':
            scalar = _SCALAR.match(self._text, self._at)
            return scalar.end() if scalar else self._at + 1
        done = depth = 0
        while True:
            for token in TOKEN.finditer(self._text, self._at + done):
                mark = token[0]
                if mark == '"':
                    done = token.start() - self._at
                    break
                depth += (mark in {"{", "["}) - (mark in {"}", "]"})
                if depth == 0:
                    return token.end()
                if depth > MAX_DEPTH:
                    raise _TooDeep
            else:
                done = len(self._text) - self._at
            if len(self._text) - self._at > MAX_RECORD:
                raise _Overlong
            if not self._more():
                raise _Cut

    def _skip(self, depth: int, *, to_container: bool = False) -> Literal["end", "array", "cut"]:
        """Go on to the end of the value that is open, however long it is.

        Args:
            depth: how many of its brackets are open already; 0 if it begins here.
            to_container: stop at the next array of records in it, after its bracket.
        """
        for mark in self._tokens():
            depth += (mark in {"{", "["}) - (mark in {"}", "]"})
            if depth == 0:
                return "end"
            if depth > _ENDLESS_DEPTH:
                self._skip_to(None)
                return "cut"
            begin = self._container_after(mark, self._at) if to_container and depth == 1 else None
            if begin:
                self._at = begin
                return "array"
        return "cut"

    def _tokens(self) -> Iterator[str]:
        """Strings and brackets from here on, each taken before it is given.

        A string that is too long for the window is a quotation mark alone. Behind each token, what decides about a
        name is in the window.
        """
        while True:
            known = len(self._text) if self._ended else len(self._text) - _LOOK_AHEAD
            token = TOKEN.search(self._text, self._at)
            if token and token.end() <= known:
                self._at = token.end()
                if token[0] == '"':
                    self._skip_string()
                yield token[0]
                continue
            if token is None:
                self._at = len(self._text)
            if self._ended:
                return
            self._more()

    def _prefix(self) -> re.Pattern[str] | None:
        """What records that begin as this one does begin with."""
        first = _FIRST_KEY.match(self._text, self._at)
        return re.compile(r"\{\s*" + re.escape(first[1]) + r"\s*:") if first else None

    def _resume(self, end: int) -> bool:
        """After a broken record that seems to reach to `end`: go to the next record inside of it, if one is there.

        Otherwise everything up to `end` is taken.
        """
        prefix = self._prefix()
        found = prefix.search(self._text, self._at + 1, end) if prefix and self._reread < _REREAD_LIMIT else None
        if found is None:
            self._at = end
            return False
        self._reread += end - found.start()
        self._at = found.start()
        return True

    def _skip_to(self, pattern: re.Pattern[str] | None) -> None:
        """Go to where `pattern` is found next, or to the end."""
        while True:
            found = pattern.search(self._text, self._at) if pattern else None
            if found:
                self._at = found.start()
                return
            # The pattern may stand across the end of the window.
            self._at = max(self._at, len(self._text) - _LOOK_AHEAD if pattern else len(self._text))
            if not self._more():
                self._at = len(self._text)
                return

    def _skip_string(self) -> None:
        """Go to the end of the string inside of which we are, however long it is."""
        while not (rest := _STRING_END.match(self._text, self._at)):
            # An escape may stand across the end of the window.
            slashes = len(self._text) - max(self._at, len(self._text.rstrip("\\")))
            self._at = len(self._text) - slashes % 2
            if not self._more():
                self._at = len(self._text)
                return
        self._at = rest.end()

    def _peek(self) -> str:
        """The next character that is neither space nor comma, which are skipped; empty at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _line(self) -> int:
        """The line of the current place, from 1."""
        self._lines += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._lines + 1

    def _more(self) -> bool:
        """Read on, dropping what was taken; false at the end of the document."""
        chunk = self._stream.read(_CHUNK)
        if chunk:
            self._line()
            self._counted = 0
            self._text = self._text[self._at :] + chunk
            self._at = 0
        else:
            self._ended = True
        return bool(chunk)
