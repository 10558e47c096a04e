"""A file of test cases, to its cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from trainer.evaluation.cases import CASES_MOST
from trainer.evaluation.reading.identity import Ids
from trainer.evaluation.reading.rejections import BadCase, CaseRejection, CaseRejectionReason
from trainer.evaluation.reading.shapes import case_of, defaults_of, expected_size
from trainer.evaluation.reading.sources import open_source
from trainer.importers.rejections import FileRefusal, RefusalReason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from trainer.evaluation.cases import Case

ITEMS_MOST: Final = 100_000
"""Cases and rejections of one file: a file of nothing but broken lines must not fill a report."""
CHARS_MOST: Final = 64 << 20
"""Characters of all cases of a file. With variables and defaults, a small file can ask for very many."""


def read_cases(path: Path, name: str) -> Iterator[Case | CaseRejection]:
    """Read the file at `path` as a stream, in bounded memory.

    JSON, JSON Lines, YAML and tables, told apart by content first and by the name's ending where that leaves it open;
    the shapes are those of `shapes`. Ids are unique: the second case of the same id gets `-2` behind it.

    Args:
        path: where the file is; it must not change meanwhile.
        name: what its sender called it.

    Yields:
        Cases and rejections, in the order of the file. After `CASES_MOST` cases, `CHARS_MOST` characters of
        them or `ITEMS_MOST` of both, one rejection for too many, and no more.

    Raises:
        FileRefusal: before the first item or after some; those given by then are good.
    """
    source = open_source(path, name)
    defaults = defaults_of(source.default_test)
    ids = Ids()
    cases = items = chars = 0
    for items, record in enumerate(source.records, start=1):
        if items > ITEMS_MOST:
            yield CaseRejection(record.place, CaseRejectionReason.TOO_MANY)
            return
        if isinstance(record, CaseRejection):
            yield record
            continue
        try:
            case = case_of(record.value, record.place, defaults)
        except BadCase as error:
            yield CaseRejection(record.place, error.reason, error.field)
            continue
        cases += 1
        chars += _size(case)
        if cases > CASES_MOST or chars > CHARS_MOST:
            yield CaseRejection(record.place, CaseRejectionReason.TOO_MANY)
            return
        yield msgspec.structs.replace(case, id=ids.unique(case.id))
    if items == 0:
        raise FileRefusal(RefusalReason.EMPTY)


def _size(case: Case) -> int:
    """About how many characters a case has."""
    said = sum(len(one.question) + len(one.answer) for one in case.former)
    return len(case.question) + said + expected_size(case.checks)
