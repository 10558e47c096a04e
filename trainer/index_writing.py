"""How entries are written into an index's file: taken apart into what is searched, and inserted."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

from trainer import matching

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from trainer.index import Entry

MAX_CHARS: Final = 20_000
"""Characters of a question, and of an answer, that are searched; all of them are kept."""


class Prepared(NamedTuple):
    """An entry as it is written."""

    entry: Entry
    same: bytes | None
    fingerprint: str
    question: str
    answer: str
    words: str


def _storable(text: str) -> str:
    """Without halves of characters, which no file takes."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def same(normal: str) -> bytes:
    """Names a question by its normal form."""
    return blake2b(normal.encode(), digest_size=16).digest()


def prepare(entry: Entry) -> Prepared:
    """Take an entry apart for searching."""
    question, answer = entry.question[:MAX_CHARS], entry.answer[:MAX_CHARS]
    content = matching.content_words(question)
    normal = matching.normalise(entry.question)
    if entry.kind == "passage":
        content = list(dict.fromkeys(content + matching.content_words(answer)))
    return Prepared(
        entry,
        None if entry.kind == "passage" or not normal else same(normal),
        matching.fingerprint(entry.question, entry.answer),
        " ".join(matching.stems(question)),
        " ".join(matching.stems(answer)),
        f" {' '.join(content)} ",
    )


def counted(question: str, answer: str, kind: str) -> set[str]:
    """The stems of an entry that say how common a stem is in what can be asked."""
    return set(question.split()).union(answer.split() if kind == "passage" else ())


def insert(db: sqlite3.Connection, batch: Iterable[Prepared]) -> int:
    """Write entries whose ids are not known; how many those were."""
    added = 0
    frequency: Counter[str] = Counter()
    for one in batch:
        entry = one.entry
        texts = map(_storable, (entry.question, entry.answer, entry.source))
        row = (entry.id, entry.kind, *texts, entry.order, one.same, one.fingerprint)
        cursor = db.execute("INSERT OR IGNORE INTO entry VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        if cursor.rowcount:
            number = cursor.lastrowid
            columns = (number, one.question, one.answer, entry.kind)
            db.execute("INSERT INTO stem (rowid, question, answer, kind) VALUES (?, ?, ?, ?)", columns)
            db.execute("INSERT INTO gram (rowid, words) VALUES (?, ?)", (number, one.words))
            frequency.update(counted(one.question, one.answer, entry.kind))
            added += 1
    db.executemany(
        "INSERT INTO frequency VALUES (?, ?) ON CONFLICT (stem) DO UPDATE SET entries = entries + excluded.entries",
        frequency.items(),
    )
    return added
