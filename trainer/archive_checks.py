"""Whether what lies in an archive is what the product itself would have written. Pure.

Whoever can make a zip can make one whose hashes agree, so each record is looked at by itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from trainer.archive_format import CHUNK_NAME, RECORDS
from trainer.batches import Batch
from trainer.corrections import Correction, Verdict
from trainer.importers import Example, RefusalReason, Rejection
from trainer.importers.examples import MAX_ANSWER, MAX_QUESTION

if TYPE_CHECKING:
    from trainer.archive_format import Record

WORDS_MOST: Final = 20_000
"""Characters of a text of a correction: an answer may have been written by a model."""
NAME_MOST: Final = 200
DETAIL_MOST: Final = 100
COUNT_MOST: Final = 1_000_000_000
LATEST: Final = 1e11
"""Seconds since the epoch: some thousand years hence."""
ID_MOST: Final = (1 << 63) - 1

_ID: Final = re.compile(r"[0-9]{1,20}")
_REFUSALS: Final = frozenset(reason.value for reason in RefusalReason)


class Unfit(Exception):
    """The product has not written this."""


def check_id(name: str, before: str) -> None:
    """An interaction's id: one that is older than the interaction `before`. Raises `Unfit`."""
    if not 0 <= int(name) < min(int(before), ID_MOST) or str(int(name)) != name:
        raise Unfit


def read_record(folder: str, name: str, data: bytes) -> Record:
    """The record that is kept in this folder of a dataset under this interaction's id. Raises `Unfit`."""
    try:
        record = msgspec.json.decode(data, type=RECORDS[folder])
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise Unfit from None
    if isinstance(record, Batch):
        fits = record.id == name and _fits_batch(record)
    elif isinstance(record, Correction):
        fits = record.id == name and _fits_correction(record)
    elif isinstance(record, Verdict):
        fits = record.correction_id == name and _person(record.by) and _moment(record.decided_at)
    else:
        fits = record.correction_id == name and _person(record.by) and _moment(record.undone_at)
    if not fits:
        raise Unfit
    return record


def read_line(line: bytes, *, rejection: bool) -> Example | Rejection:
    """One line of a chunk. Raises `Unfit`."""
    try:
        if rejection:
            rejected = msgspec.json.decode(line, type=Rejection)
            fits = _fits_rejection(rejected)
            found: Example | Rejection = rejected
        else:
            found = example = msgspec.json.decode(line, type=Example)
            fits = _fits_example(example)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise Unfit from None
    if not fits:
        raise Unfit
    return found


def chunks_of(batch: Batch, root: str) -> list[str]:
    """The chunks of a batch by their names below the dataset's `root`: its own alone. Raises `Unfit`."""
    keys = [*batch.chunks, *filter(None, [batch.rejections_key])]
    names = [key.removeprefix(root) for key in keys]
    for name, key in zip(names, keys, strict=True):
        match = CHUNK_NAME.fullmatch(name)
        own = name != key and match is not None and match[1] == batch.id
        if not own or (CHUNK_NAME.sub(r"\2", name) == "rejections") != (key == batch.rejections_key):
            raise Unfit
    if len(set(names)) != len(names):
        raise Unfit
    return names


def moved(data: bytes, before: str, after: str) -> bytes:
    """A batch's record with the keys of its chunks moved from one dataset's root to another's; as it is if equal."""
    if before == after:
        return data
    record = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    batch = msgspec.json.decode(data, type=Batch)
    if batch.chunks:
        record["chunks"] = msgspec.Raw(
            msgspec.json.encode([after + key.removeprefix(before) for key in batch.chunks])
        )
    if batch.rejections_key:
        record["rejections_key"] = msgspec.Raw(msgspec.json.encode(after + batch.rejections_key.removeprefix(before)))
    return msgspec.json.encode(record)


def _fits_batch(batch: Batch) -> bool:
    report = batch.report
    counts = (report.pairs, report.passages, report.duplicates, report.rejected)
    inline = bool(batch.examples)
    return (
        _person(batch.author)
        and _moment(batch.created_at)
        and len(batch.origin.name) <= NAME_MOST
        and (not batch.origin.name or batch.origin.name.isprintable())
        and all(0 <= count <= COUNT_MOST for count in counts)
        and batch.refusal in _REFUSALS | {""}
        and len(batch.refusal_detail) <= DETAIL_MOST
        and not (inline and batch.chunks)
        and (bool(batch.chunks) or len(batch.examples) == report.accepted)
        and all(map(_fits_example, batch.examples))
        and all(map(_fits_rejection, batch.rejections))
    )


def _fits_correction(correction: Correction) -> bool:
    texts = (correction.question, correction.wrong, correction.right, correction.lesson)
    return (
        _person(correction.author)
        and _ID.fullmatch(correction.answer_id) is not None
        and _moment(correction.created_at)
        and bool(correction.question and correction.right)
        and all(_text(text, WORDS_MOST) for text in texts)
    )


def _fits_example(example: Example) -> bool:
    return (
        _text(example.question, MAX_QUESTION)
        and _text(example.answer, MAX_ANSWER)
        and bool(example.answer)
        and bool(example.question or example.kind == "passage")
        and 0 <= example.place.number <= COUNT_MOST
    )


def _fits_rejection(rejection: Rejection) -> bool:
    return len(rejection.field) <= DETAIL_MOST and 0 <= rejection.place.number <= COUNT_MOST


def _text(text: str, most: int) -> bool:
    return len(text) <= most and "\0" not in text


def _person(user_id: str) -> bool:
    return _ID.fullmatch(user_id) is not None


def _moment(seconds: float) -> bool:
    return 0 <= seconds < LATEST
