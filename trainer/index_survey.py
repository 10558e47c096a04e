"""What an index holds as a whole, beside single questions: for measuring what was taught."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

from trainer import matching
from trainer.index_entries import Counts
from trainer.index_writing import same

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

PAGE: Final = 500
"""Rows, or questions, of one statement."""

_LATEST: Final = """
SELECT e.id, e.kind, e.question, e.answer, e.source, e.taught FROM entry e
WHERE e.kind = 'correction' AND e.same IS NOT NULL AND (e.taught, e.id) > (?, ?) AND NOT EXISTS (
    SELECT 1 FROM entry l WHERE l.same = e.same AND l.kind = 'correction' AND (l.taught, l.id) > (e.taught, e.id)
)
ORDER BY e.taught, e.id LIMIT ?
"""


class Row(NamedTuple):
    """An entry's columns, as `trainer.index.Entry` takes them."""

    id: str
    kind: str
    question: str
    answer: str
    source: str
    order: int


def count(db: sqlite3.Connection) -> Counts:
    """How many entries there are of each kind."""
    counts = dict(db.execute("SELECT kind, count(*) FROM entry GROUP BY kind"))
    return Counts(counts.get("pair", 0), counts.get("passage", 0), counts.get("correction", 0))


def latest_corrections(db: sqlite3.Connection, after: tuple[int, str]) -> list[Row]:
    """The next corrections in the order in which they were made, of each question only the latest.

    `after` is the order and the id of the last one that is known.
    """
    return [Row(*row) for row in db.execute(_LATEST, (*after, PAGE))]


def taught_questions(db: sqlite3.Connection, questions: Sequence[str]) -> list[bool]:
    """Of each question, whether it is the very question of a pair or of a correction."""
    named = [same(normal) if (normal := matching.normalise(question)) else None for question in questions]
    there: set[bytes] = set()
    for at in range(0, len(named), PAGE):
        some = [name for name in named[at : at + PAGE] if name is not None]
        sql = f"SELECT DISTINCT same FROM entry WHERE same IN ({','.join('?' * len(some))})"  # noqa: S608 - marks
        there.update(row[0] for row in db.execute(sql, some))
    return [name in there for name in named]


def newest_texts(db: sqlite3.Connection, most: int) -> list[str]:
    """The questions and answers of the newest entries."""
    rows = db.execute("SELECT question, answer FROM entry ORDER BY number DESC LIMIT ?", (most,))
    return [text for row in rows for text in row if text]


def fingerprint(db: sqlite3.Connection) -> str:
    """Names all that there is: equal for equal content, however it came in. 32 hexadecimal digits."""
    digest = blake2b(digest_size=16)
    for row in db.execute("SELECT id, kind, fingerprint FROM entry ORDER BY id"):
        digest.update("\0".join(row).encode("utf-8", "replace") + b"\n")
    return digest.hexdigest()
