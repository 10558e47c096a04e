"""The records of a file of any format that holds test cases, and what promptfoo's `defaultTest` adds to them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from trainer.evaluation.reading import names, yaml_records
from trainer.evaluation.reading.rejections import rejection_of
from trainer.importers import decoding, json_document, json_lines, json_value, tables
from trainer.importers.detect import Format, format_of_text, look_at
from trainer.importers.records import Broken, Record
from trainer.importers.rejections import FileRefusal, RefusalReason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from trainer.evaluation.reading.rejections import CaseRejection

_YAML_ENDINGS: Final = frozenset(("yaml", "yml"))
_YAML_START = re.compile(r"(?:#[^\n]*\n|\s*\n)*(?:---|- +(?:\{ *)?[\w\"']+ *:|(?P<key>[\w-]{1,40}):\s)")
_YAML_KEYS: Final = names.CONTAINERS | {"description", "prompts", "providers", "defaulttest"}
_CHUNK = 1 << 20
_STRUCTURE = re.compile(r"\{\s*[\"}].*\}|\[\s*[\[{\"].*\]", re.DOTALL)


class Source(NamedTuple):
    """What a file holds."""

    records: Iterator[Record | CaseRejection]
    default_test: object
    """The value of promptfoo's `defaultTest`; None where there is none."""


def open_source(path: Path, name: str) -> Source:
    """The records of the file that its sender called `name`. Raises `FileRefusal`, also while they are read."""
    text = look_at(path)
    if text is None:
        raise FileRefusal(RefusalReason.UNSUPPORTED, "pdf")
    ending = name.rpartition(".")[2].strip().casefold() if "." in name else ""
    found = format_of_text(text.sample, name, names.COLUMNS)
    if ending in _YAML_ENDINGS or (found is Format.TEXT and _looks_like_yaml(text.sample)):
        records = yaml_records.read_records(path, text.encoding, names.CONTAINERS)
        default = None
        if _mentions(path, text.encoding, names.DEFAULT_TEST):
            default = yaml_records.read_field(path, text.encoding, names.DEFAULT_TEST)
        return Source(records, default)
    match found:
        case Format.JSON_LINES:
            return Source(_converted(json_lines.read_records(path, text.encoding)), None)
        case Format.JSON_DOCUMENT:
            records = _converted(json_document.read_records(path, text.encoding, names.CONTAINERS))
            return Source(records, _default_in_json(path, text.encoding))
        case Format.TABLE:
            layout = tables.layout_of(path, text.encoding, names.COLUMNS)
            rows = tables.read_rows(path, text.encoding, layout)
            return Source(map(_with_structures, _converted(rows)), None)
        case _:
            raise FileRefusal(RefusalReason.UNSUPPORTED, "text")


def _looks_like_yaml(sample: str) -> bool:
    start = _YAML_START.match(sample)
    return start is not None and (start["key"] is None or start["key"].casefold() in _YAML_KEYS)


def _converted(found: Iterable[Record | Broken]) -> Iterator[Record | CaseRejection]:
    for one in found:
        yield rejection_of(one) if isinstance(one, Broken) else one


def _default_in_json(path: Path, encoding: str) -> object:
    if not _mentions(path, encoding, f'"{names.DEFAULT_TEST}"'):
        return None
    found = json_document.read_field(path, encoding, names.DEFAULT_TEST)
    # One that cannot be read is not as good as none: the cases would be judged by less than they ask for.
    return found.value if isinstance(found, Record) else found and found.reason.value


def _mentions(path: Path, encoding: str, word: str) -> bool:
    """Whether the word stands anywhere in the file."""
    before = ""
    with decoding.open_text(path, encoding) as stream:
        while chunk := stream.read(_CHUNK):
            if word in before + chunk:
                return True
            before = chunk[-len(word) :]
    return False


def _with_structures(row: Record | CaseRejection) -> Record | CaseRejection:
    """The row with cells that hold JSON objects or lists decoded, as other tools write them into tables."""
    if not isinstance(row, Record) or not isinstance(row.value, dict):
        return row
    return Record(row.place, {name: _structure(name, cell) for name, cell in row.value.items()})


def _structure(name: str, cell: object) -> object:
    if name.startswith("__") or not isinstance(cell, str) or not _STRUCTURE.fullmatch(cell.strip()):
        return cell
    try:
        return json_value.decode(cell)
    except json_value.Undecodable:
        return cell
