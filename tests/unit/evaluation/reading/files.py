"""What the tests of reading share: reading content as a file, and looking at what comes of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from trainer.evaluation.cases import Case
from trainer.evaluation.reading import CaseRejection, read_cases

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from trainer.evaluation.cases import Check

Found = Case | CaseRejection


def read(folder: Path, content: str | bytes, name: str) -> list[Found]:
    """The cases and rejections of a file of this content."""
    path = folder / "upload"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_cases(path, name))


def read_rows(folder: Path, *records: object) -> list[Found]:
    """The same of these records as JSON Lines."""
    return read(folder, "".join(json.dumps(record) + "\n" for record in (*records, {})), "cases.jsonl")[:-1]


def one(folder: Path, record: object) -> Case:
    """The case that this record makes."""
    (found,) = read_rows(folder, record)
    assert isinstance(found, Case), found
    return found


def checks(folder: Path, record: object) -> tuple[Check, ...]:
    return one(folder, record).checks


def reason(folder: Path, record: object) -> tuple[str, str]:
    """Why this record makes no case."""
    (found,) = read_rows(folder, record)
    assert isinstance(found, CaseRejection), found
    return found.reason.value, found.field


def cases(found: Iterable[Found]) -> list[Case]:
    return [one for one in found if isinstance(one, Case)]


def asked(found: Iterable[Found]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Each case's question, and its only check."""
    return [(case.question, case.checks[0].kind, case.checks[0].values) for case in cases(found)]


def rejections(found: Iterable[Found]) -> list[tuple[str, int, str, str]]:
    return [
        (one.place.unit, one.place.number, one.reason.value, one.field)
        for one in found
        if isinstance(one, CaseRejection)
    ]
