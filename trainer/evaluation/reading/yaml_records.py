"""YAML documents: a list of records, an object that holds such a list, or one record a document.

Records are built from the parser's events, one at a time, so that memory is bounded, each has its line, and no tag
makes anything but text, numbers, flags, lists and objects. Scalars stay what was written: `yes` and `12:30` are text,
as in YAML 1.2, and numbers keep their digits. An alias costs what it stands for, so a few lines cannot become
millions of values. Merge keys (`<<`) are followed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import yaml

from trainer.evaluation.reading.rejections import CaseRejection, CaseRejectionReason
from trainer.importers import decoding, shapes
from trainer.importers.examples import BROKEN
from trainer.importers.json_value import MAX_DEPTH, MAX_RECORD, Number
from trainer.importers.records import Record
from trainer.importers.rejections import FileRefusal, Place, RefusalReason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_CHARS: Final = 8 << 20
"""Characters of a file."""
_ALIASES_MOST: Final = 16 << 20
"""Characters and values that the aliases of a file stand for, all together."""
_ENDLESS_DEPTH = 500
_EVENTS_MOST = 1_000_000
"""Beginnings and ends of all values. From here, or from that depth on, the rest of the file is not read."""
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The parser; its constructors, safe as they are, are not used."""
_STAND_IN = "\uf8ef"
"""For bytes that do not decode, in the midst of YAML, which allows no surrogates: a sign of private use."""
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_TAG: Final = "tag:yaml.org,2002:"
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
_NULLS: Final = frozenset(("", "~", "null", "Null", "NULL", ".nan", ".NaN", ".NAN", ".inf", ".Inf", "-.inf", "-.Inf"))
_FLAGS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_MERGE: Final = "<<"


def read_records(path: Path, encoding: str, containers: frozenset[str]) -> Iterator[Record | CaseRejection]:
    """Every record with its line; `containers` are the canonical names of lists that hold records.

    Broken syntax is a rejection with its line, and the end. Raises `FileRefusal` for a file that is too large.
    """
    yield from _guarded(_Document(_text(path, encoding)).records(containers))


def read_field(path: Path, encoding: str, name: str) -> object:
    """The value of this field of the first document that is an object and has it; None where there is none.

    Where it cannot be read, it is the word for the reason. Raises `FileRefusal` for a file that is too large.
    """
    found = next(_guarded(_Document(_text(path, encoding)).fields(name)), None)
    return found.reason.value if isinstance(found, CaseRejection) else found and found.value


def _text(path: Path, encoding: str) -> str:
    with decoding.open_text(path, encoding) as stream:
        text = stream.read(MAX_CHARS + 1)
    if len(text) > MAX_CHARS:
        raise FileRefusal(RefusalReason.TOO_LARGE)
    return _FORBIDDEN.sub("", text.replace(BROKEN, _STAND_IN))


def _guarded(records: Iterator[Record | CaseRejection]) -> Iterator[Record | CaseRejection]:
    try:
        yield from records
    except yaml.YAMLError as error:
        yield CaseRejection(Place("line", _line_of(error)), CaseRejectionReason.NOT_YAML)
    except _Endless as error:
        yield CaseRejection(Place("line", error.line), error.reason)


def _line_of(error: yaml.YAMLError) -> int:
    """Where the syntax breaks, from 1: of a text whose quotation mark is never closed, where that stands."""
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    if isinstance(error, yaml.scanner.ScannerError) and "plain scalar" not in (error.context or ""):
        mark = error.context_mark or mark
    return mark.line + 1 if mark else 1


class _Endless(Exception):
    """So deep or so long that nobody looks for the end."""

    def __init__(self, line: int, reason: CaseRejectionReason) -> None:
        super().__init__(reason.value)
        self.line = line
        self.reason = reason


class _Unusable(Exception):
    """The value is taken, and of no use; nor is an alias of its anchor, if it has one."""

    def __init__(self, reason: CaseRejectionReason, anchor: str | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.anchor = anchor


class _Node(NamedTuple):
    """A complete value."""

    value: object
    weight: int
    """Characters and values in it, those that aliases stand for included."""
    anchor: str | None = None
    key: str | None = None
    """Its text, if it can be the key of an object."""
    fault: CaseRejectionReason | None = None
    """Why it is of no use, nor any alias of it."""


class _Open:
    """A list or an object that is not yet complete."""

    __slots__ = ("anchor", "fault", "key", "keyed", "value", "weight")

    def __init__(self, anchor: str | None, value: list[object] | dict[str, object]) -> None:
        self.anchor = anchor
        self.value = value
        self.fault: CaseRejectionReason | None = None
        self.weight = 1
        self.key: str | None = None
        self.keyed = False

    def take(self, node: _Node) -> None:
        """The next node in it: of an object, a key or a value in turn. Keys that are no text are left out."""
        self.weight += node.weight
        if isinstance(self.value, list):
            self.value.append(node.value)
        elif not self.keyed:
            self.key, self.keyed = node.key, True
        else:
            self.keyed = False
            if self.key == _MERGE:
                self._merge(node.value)
            elif self.key is not None:
                self.value[self.key] = node.value

    def _merge(self, value: object) -> None:
        for source in value if isinstance(value, list) else [value]:
            if isinstance(source, dict) and isinstance(self.value, dict):
                for key, inherited in source.items():
                    self.value.setdefault(key, inherited)


class _Document:
    """The records of a file, over the parser's events."""

    def __init__(self, text: str) -> None:
        self._events = _bounded(yaml.parse(text, Loader=_LOADER))
        self._anchors: dict[str, _Node] = {}
        self._aliased = 0

    def records(self, containers: frozenset[str]) -> Iterator[Record | CaseRejection]:
        """Records in order; a rejection stands where a record should."""
        for event in self._events:
            if isinstance(event, yaml.SequenceStartEvent):
                yield from self._items()
            elif isinstance(event, yaml.MappingStartEvent):
                yield from self._object(event, containers)
            elif isinstance(event, yaml.NodeEvent):
                found = self._record(event)
                if isinstance(found, CaseRejection) or found.value is not None:
                    yield found

    def fields(self, name: str) -> Iterator[Record | CaseRejection]:
        """The values of the field `name` of objects at the top."""
        for event in self._events:
            if isinstance(event, yaml.MappingStartEvent):
                for key, value in self._pairs():
                    found = self._record(value)
                    if key == name:
                        yield found
            elif isinstance(event, yaml.NodeEvent):
                self._record(event)

    def _items(self) -> Iterator[Record | CaseRejection]:
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                return
            yield self._record(event)

    def _pairs(self) -> Iterator[tuple[str | None, yaml.Event]]:
        """The keys of an object, each with the first event of its value, which must be taken before the next."""
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                return
            key = event.value if isinstance(event, yaml.ScalarEvent) else None
            self._record(event)
            yield key, next(self._events)

    def _object(self, start: yaml.Event, containers: frozenset[str]) -> Iterator[Record | CaseRejection]:
        """An object at the top: a record, or one that holds lists of records."""
        whole = _Open(None, {})
        fault: CaseRejection | None = None
        held = False
        for key, event in self._pairs():
            if key and isinstance(event, yaml.SequenceStartEvent) and shapes.canonical(key) in containers:
                held = True
                yield from self._items()
                continue
            found = self._record(event)
            if isinstance(found, CaseRejection):
                fault = fault or found
            elif not held:
                whole.take(_Node(key, 0, key=key))
                whole.take(_Node(found.value, 0))
        if not held:
            yield fault or Record(_place(start), whole.value)

    def _record(self, event: yaml.Event) -> Record | CaseRejection:
        try:
            return Record(_place(event), self._value(event))
        except _Unusable as error:
            return CaseRejection(_place(event), error.reason)

    def _value(self, event: yaml.Event) -> object:
        """The value that begins with this event, all of whose events are taken. Raises `_Unusable`, `_Endless`."""
        start = _place(event).number
        opened: list[_Open] = []
        fault: CaseRejectionReason | None = None
        size = 0
        while True:
            try:
                node = self._node(event, opened)
            except _Unusable as error:
                fault = fault or error.reason
                node = _Node(None, 0, error.anchor)
            if len(opened) > _ENDLESS_DEPTH:
                raise _Endless(start, CaseRejectionReason.TOO_DEEP)
            if node:
                size += 1 if isinstance(event, yaml.CollectionEndEvent) else node.weight
                if size > MAX_RECORD:
                    fault = fault or CaseRejectionReason.TOO_LONG
                if node.anchor:
                    self._anchors[node.anchor] = node if fault is None else node._replace(fault=fault)
                if not opened:
                    break
                if fault is None:
                    opened[-1].take(node)
            event = next(self._events)
        if fault:
            raise _Unusable(fault)
        return node.value

    def _node(self, event: yaml.Event, opened: list[_Open]) -> _Node | None:
        """The node that is complete with this event, or None if it begins a list or an object.

        Raises `_Unusable`, after `opened` is what it has to be.
        """
        if isinstance(event, yaml.CollectionStartEvent):
            is_object = isinstance(event, yaml.MappingStartEvent)
            opened.append(_Open(event.anchor, {} if is_object else []))
            if len(opened) > MAX_DEPTH:
                opened[-1].fault = CaseRejectionReason.TOO_DEEP
            elif event.tag not in {None, "!", _TAG + ("map" if is_object else "seq")}:
                opened[-1].fault = CaseRejectionReason.WRONG_TYPE
            return None
        if isinstance(event, yaml.CollectionEndEvent):
            done = opened.pop()
            if done.fault:
                raise _Unusable(done.fault, done.anchor)
            return _Node(done.value, done.weight, done.anchor)
        if isinstance(event, yaml.ScalarEvent):
            try:
                return _Node(_scalar(event), len(event.value) + 1, event.anchor, event.value)
            except _Unusable as error:
                raise _Unusable(error.reason, event.anchor) from None
        known = self._anchors.get(event.anchor or "") if isinstance(event, yaml.AliasEvent) else None
        if known is None:
            raise _Unusable(CaseRejectionReason.NOT_YAML)
        if known.fault:
            raise _Unusable(known.fault)
        self._aliased += known.weight
        if self._aliased > _ALIASES_MOST:
            raise _Unusable(CaseRejectionReason.TOO_LONG)
        return known._replace(anchor=None)  # it does not name it anew


def _bounded(events: Iterator[yaml.Event]) -> Iterator[yaml.Event]:
    for number, event in enumerate(events):
        if number > _EVENTS_MOST:
            raise _Endless(_place(event).number, CaseRejectionReason.TOO_MANY)
        yield event


def _place(event: yaml.Event) -> Place:
    return Place("line", event.start_mark.line + 1 if event.start_mark else 1)


def _scalar(event: yaml.ScalarEvent) -> object:
    """Text, a number as it was written, a flag or null, by the rules of YAML 1.2. Raises `_Unusable`."""
    text: str = event.value
    if _STAND_IN in text:
        raise _Unusable(CaseRejectionReason.BAD_ENCODING)
    plain = event.implicit[0] and event.tag is None
    match event.tag.removeprefix(_TAG) if event.tag else None:
        case None | "!" | "str" | "timestamp":
            pass
        case "int" | "float" | "bool" | "null":
            plain = True
        case _:
            raise _Unusable(CaseRejectionReason.WRONG_TYPE)
    if not plain:
        return text
    if text in _NULLS:
        return None
    if text in _FLAGS:
        return _FLAGS[text]
    return Number(text) if _NUMBER.fullmatch(text) else text
