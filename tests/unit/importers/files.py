"""What the tests of importers share: reading content as a file, and looking at the items."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from trainer.importers import Example, Item, Rejection, RejectionReason, read_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def read(folder: Path, content: str | bytes, name: str) -> list[Item]:
    """The items of a file of this content."""
    path = folder / "upload"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_file(path, name))


def json_lines(*records: object) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def pairs(items: Iterable[Item]) -> list[tuple[str, str]]:
    return [(item.question, item.answer) for item in items if isinstance(item, Example) and item.kind == "pair"]


def passages(items: Iterable[Item]) -> list[tuple[str, str]]:
    return [(item.question, item.answer) for item in items if isinstance(item, Example) and item.kind == "passage"]


def rejections(items: Iterable[Item]) -> list[tuple[int, RejectionReason, str]]:
    return [(item.place.number, item.reason, item.field) for item in items if isinstance(item, Rejection)]


def places(items: Iterable[Item]) -> list[tuple[str, int]]:
    return [(item.place.unit, item.place.number) for item in items]
