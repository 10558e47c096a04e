"""The meanings of taught questions in an index: vectors of an embedder, kept in 8 bits a number.

They are made when they are first needed, the newest questions first, and go with their entries. A search compares the
query with every one of them: at 512 numbers that is 50 MB for 100,000 questions, read a stretch at a time.
"""

from __future__ import annotations

import heapq
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from trainer.index_file import IndexBusy

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from trainer.embeddings import Embeddings
    from trainer.index_file import IndexFile
    from trainer.ports import Vector

SCHEMA: Final = """
CREATE TABLE vector (number INTEGER PRIMARY KEY, space TEXT NOT NULL, numbers BLOB NOT NULL);
CREATE INDEX vector_space ON vector (space);
CREATE TRIGGER vector_gone AFTER DELETE ON entry BEGIN DELETE FROM vector WHERE number = old.number; END;
"""
AT_ONCE: Final = 64
"""Questions that are embedded before the time is looked at again."""
BUDGET_S: Final = 0.3
"""How long a search may spend on vectors that were not made yet, beyond the first `AT_ONCE`."""
NEAREST: Final = 24
"""How many candidates meaning may bring."""
MAX_CHARS: Final = 2_000
"""Characters of a question whose meaning is compared."""
_STRETCH: Final = 4_096
"""Vectors that are compared at a time: 10 MB."""


class _Pending(NamedTuple):
    number: int
    same: bytes
    question: str


class Meanings(NamedTuple):
    """How near taught questions are to a query in meaning: cosines by the numbers of their entries."""

    nearest: dict[int, float]
    """The nearest of all."""
    asked: dict[int, float]
    """Those asked for."""


def compare(file: IndexFile, embeddings: Embeddings, query: str, numbers: Sequence[int]) -> Meanings | None:
    """Compare a query with what was taught; with the entries of these numbers in any case.

    None if there are no vectors to be had now: then words alone can be compared.
    """
    vectors = embeddings.of([query[:MAX_CHARS]])
    if vectors is None:
        return None
    space = embeddings.space
    fresh = _make(file, embeddings, space, numbers, BUDGET_S)
    if fresh is None:
        return None
    with file.reading() as db:
        asked = _kept(db, space, numbers) | {number: fresh[number] for number in numbers if number in fresh}
        found = dict(_nearest(db, space, vectors[0], NEAREST))
    # What could not be stored just now counts all the same.
    found |= dict(zip(fresh, _cosines(vectors[0], fresh.values()), strict=True))
    best = heapq.nlargest(NEAREST, found.items(), key=lambda item: (item[1], item[0]))
    return Meanings(dict(best), dict(zip(asked, _cosines(vectors[0], asked.values()), strict=True)))


def catch_up(file: IndexFile, embeddings: Embeddings, budget_s: float) -> bool:
    """Make vectors that are missing, for about so many seconds; whether there are none left to make."""
    if embeddings.of([""]) is None:  # the size of vectors may be known only when there is one
        return False
    if _make(file, embeddings, embeddings.space, (), budget_s) is None:
        return False
    with file.reading() as db:
        return not _behind(db, embeddings.space)


def _make(
    file: IndexFile, embeddings: Embeddings, space: str, first: Sequence[int], budget_s: float
) -> dict[int, bytes] | None:
    """Make vectors that are missing: of these numbers, then of the newest while there is time. None if that fails.

    Returns those that were made.
    """
    ends = time.monotonic() + budget_s
    made: dict[int, bytes] = {}
    with file.reading() as db:
        wanted = _missing(db, space, first)
        behind = _behind(db, space)
    while wanted or behind:
        if len(wanted) < AT_ONCE:
            with file.reading() as db:
                newest = _newest_missing(db, space, AT_ONCE + len(wanted))
            wanted += [one for one in newest if one not in wanted][: AT_ONCE - len(wanted)]
        if not wanted:
            break
        vectors = embeddings.of([one.question[:MAX_CHARS] for one in wanted])
        if vectors is None:
            return None
        packed = [_packed(vector) for vector in vectors]
        made |= {one.number: numbers for one, numbers in zip(wanted, packed, strict=True)}
        stored = _store(file, space, wanted, packed)
        wanted = []
        if not stored or time.monotonic() >= ends:
            break
    return made


def _store(file: IndexFile, space: str, entries: Sequence[_Pending], packed: Sequence[bytes]) -> bool:
    """Keep vectors, unless somebody is writing: a search does not wait, and another one will make them again."""
    # An entry may have gone meanwhile, and its number may be another's by now.
    sql = "INSERT OR REPLACE INTO vector SELECT number, ?, ? FROM entry WHERE number = ? AND same = ?"
    rows = [(space, numbers, one.number, one.same) for one, numbers in zip(entries, packed, strict=True)]
    try:
        with file.transaction(wait=False) as db:
            db.executemany(sql, rows)
    except IndexBusy:
        return False
    return True


def _behind(db: sqlite3.Connection, space: str) -> bool:
    """Whether there are questions without a vector. Counting is quicker than looking for them."""
    (there,) = db.execute("SELECT count(*) FROM entry WHERE same IS NOT NULL").fetchone()
    (done,) = db.execute("SELECT count(*) FROM vector WHERE space = ?", (space,)).fetchone()
    return bool(there > done)


def _missing(db: sqlite3.Connection, space: str, numbers: Sequence[int]) -> list[_Pending]:
    sql = (
        f"SELECT number, same, question FROM entry WHERE number IN ({','.join('?' * len(numbers))})"  # noqa: S608 - marks
        " AND same IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM vector v WHERE v.number = entry.number AND v.space = ?)"
    )
    return [_Pending(*row) for row in db.execute(sql, (*numbers, space))]


def _newest_missing(db: sqlite3.Connection, space: str, limit: int) -> list[_Pending]:
    sql = (
        "SELECT number, same, question FROM entry WHERE same IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM vector v WHERE v.number = entry.number AND v.space = ?)"
        " ORDER BY number DESC LIMIT ?"
    )
    return [_Pending(*row) for row in db.execute(sql, (space, limit))]


def _kept(db: sqlite3.Connection, space: str, numbers: Sequence[int]) -> dict[int, bytes]:
    sql = (
        f"SELECT number, numbers FROM vector WHERE number IN ({','.join('?' * len(numbers))})"  # noqa: S608 - marks
        " AND +space = ?"
    )
    return dict(db.execute(sql, (*numbers, space)))


def _nearest(db: sqlite3.Connection, space: str, query: Vector, most: int) -> list[tuple[int, float]]:
    """The entries that are nearest to a vector, and their cosines; of equally near ones the newest."""
    best: list[tuple[float, int]] = []
    rows = db.execute("SELECT number, numbers FROM vector WHERE +space = ?", (space,))  # + reads the table in order
    while stretch := rows.fetchmany(_STRETCH):
        cosines = _cosines(query, [packed for _, packed in stretch])
        least = heapq.nlargest(most, cosines)[-1]
        found = [(cosine, number) for cosine, (number, _) in zip(cosines, stretch, strict=True) if cosine >= least]
        best = heapq.nlargest(most, [*best, *found])
    return [(number, cosine) for cosine, number in best]


# --- vectors as they are kept ---------------------------------------------------------------------------------------


def _packed(vector: Vector) -> bytes:
    """A direction in 8 bits a number, as large as they can be; cosines change by a thousandth."""
    import numpy as np  # noqa: PLC0415 - most of a process's life is spent without it

    numbers = np.frombuffer(vector, dtype=np.float32)
    packed: bytes = np.rint(numbers * (127 / np.abs(numbers).max())).astype(np.int8).tobytes()
    return packed


def _cosines(query: Vector, packed: Iterable[bytes]) -> list[float]:
    import numpy as np  # noqa: PLC0415 - as above

    rows = np.frombuffer(b"".join(packed), dtype=np.int8).reshape(-1, len(query)).astype(np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    found: list[float] = (rows @ np.frombuffer(query, dtype=np.float32) / lengths).tolist()
    return found
