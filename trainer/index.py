"""What has been taught, ready to be searched: one SQLite file a dataset.

The file is derived from the stored examples and may be deleted at any time: its next use starts it anew, empty and
without marks, by which whoever keeps it up to date sees that. Any number of threads and processes may use one file.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from hashlib import blake2b
from itertools import islice
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeVar

import msgspec

from trainer import matching
from trainer.index_file import IndexClosed, IndexDamaged, IndexFile

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = ["Counts", "Entry", "ExampleIndex", "Hit", "IndexClosed", "IndexDamaged"]

T = TypeVar("T")

VERSION: Final = 1
"""Of the file's layout and of what is written into it: a file of another version is started anew."""
BATCH: Final = 500
"""Entries written at a time, in a transaction each unless the caller began one."""
MAX_CHARS: Final = 20_000
"""Characters of a question, and of an answer, that are searched; all of them are kept."""
MAX_TERMS: Final = 24
"""Stems of a query that are looked up: its rarest."""
MAX_GRAMS: Final = 32
"""Threes of characters of a query that are looked up: those of its rarest words."""
BY_STEMS: Final = 24
BY_GRAMS: Final = 12
PASSAGES: Final = 10
CORRECTIONS: Final = 6
"""How many candidates each way of looking may bring."""
CORRECTION_LEAD: Final = 0.08
"""How much more confident a taught pair must be than a correction of nearly the same question to come before it."""
BY_ANSWER: Final = 0.6
"""What finding a query in a pair's answer counts for, beside finding it in a passage."""

_SCHEMA: Final = """
CREATE TABLE entry (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, question TEXT NOT NULL,
    answer TEXT NOT NULL, source TEXT NOT NULL, taught INTEGER NOT NULL, same BLOB, fingerprint TEXT NOT NULL
);
CREATE INDEX entry_same ON entry (same) WHERE same IS NOT NULL;
CREATE INDEX entry_fingerprint ON entry (fingerprint);
CREATE INDEX entry_kind ON entry (kind);
CREATE TABLE frequency (stem TEXT PRIMARY KEY, entries INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE mark (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE stem USING fts5 (question, answer, kind, tokenize = "ascii tokenchars '+#.'");
CREATE VIRTUAL TABLE gram USING fts5 (words, tokenize = 'trigram');
"""


class Entry(msgspec.Struct, frozen=True):
    """Something that was taught."""

    id: str
    """Unique and stable, such as `<interaction id>/<number>`."""
    kind: Literal["pair", "passage", "correction"]
    question: str
    """The question, or a passage's title."""
    answer: str
    """The answer, or a passage's text."""
    source: str
    """Opaque."""
    order: int
    """The interaction's snowflake: of two that say otherwise, the later wins."""


class Hit(msgspec.Struct, frozen=True):
    """An entry that may answer a query."""

    entry: Entry
    confidence: float
    """How sure one can be that it does, 0 to 1: see `trainer.matching`."""
    exact: bool
    """The query is the very question of this pair or correction."""


class Counts(NamedTuple):
    """How many entries there are."""

    pairs: int
    passages: int
    corrections: int


class ExampleIndex:
    """The entries of one dataset. Methods may raise `IndexDamaged`, `IndexClosed` or `sqlite3.OperationalError`."""

    def __init__(self, path: Path) -> None:
        self._file = IndexFile(path, schema=_SCHEMA, version=VERSION)

    @property
    def fresh(self) -> bool:
        """This instance had to start the file anew, when it was made or since."""
        return self._file.fresh

    # --- writing ------------------------------------------------------------------------------------------------

    def add(self, entries: Iterable[Entry]) -> int:
        """Add entries, in bounded memory; returns how many were new. An id that is known changes nothing."""
        added = 0
        pending = iter(entries)
        while batch := list(islice(pending, BATCH)):
            prepared = [_prepare(entry) for entry in batch]
            with self._file.transaction() as db:
                added += _insert(db, prepared)
        return added

    def remove(self, id_prefix: str) -> int:
        """Remove all entries whose id starts so; returns how many there were."""
        with self._file.transaction() as db:
            sql = "SELECT number FROM entry WHERE id >= ? AND substr(id, 1, length(?)) = ?"
            numbers = [number for (number,) in db.execute(sql, (id_prefix,) * 3)]
            for number in numbers:
                question, answer, kind = db.execute("SELECT * FROM stem WHERE rowid = ?", (number,)).fetchone()
                counted = [(stem,) for stem in _counted(question, answer, kind)]
                db.executemany("UPDATE frequency SET entries = entries - 1 WHERE stem = ?", counted)
                db.execute("DELETE FROM stem WHERE rowid = ?", (number,))
                db.execute("DELETE FROM gram WHERE rowid = ?", (number,))
                db.execute("DELETE FROM entry WHERE number = ?", (number,))
            db.execute("DELETE FROM frequency WHERE entries <= 0")
            return len(numbers)

    def set_mark(self, name: str, value: str) -> None:
        """Remember a small text of the caller's, in the caller's transaction if there is one."""
        with self._file.transaction() as db:
            db.execute("INSERT OR REPLACE INTO mark VALUES (?, ?)", (name, value))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing of what this thread adds, removes and marks; others see it at the end of the block."""
        with self._file.transaction():
            yield

    # --- reading ------------------------------------------------------------------------------------------------

    def get_mark(self, name: str) -> str:
        """What was remembered under this name, or an empty text."""
        with self._file.reading() as db:
            row: tuple[str] | None = db.execute("SELECT value FROM mark WHERE name = ?", (name,)).fetchone()
            return row[0] if row else ""

    def count(self) -> Counts:
        """How many entries there are of each kind."""
        with self._file.reading() as db:
            return _count(db)

    def known(self, fingerprints: Sequence[str], *, except_prefix: str = "") -> set[str]:
        """Which of these pairs are there already, in entries whose id does not start with `except_prefix`."""
        found: set[str] = set()
        with self._file.reading() as db:
            for one in _chunks(fingerprints, 500):
                sql = (
                    f"SELECT DISTINCT fingerprint FROM entry WHERE fingerprint IN ({','.join('?' * len(one))})"  # noqa: S608 - marks
                    " AND (? = '' OR substr(id, 1, length(?)) <> ?)"
                )
                found.update(row[0] for row in db.execute(sql, (*one, *[except_prefix] * 3)))
        return found

    def search(self, query: str, *, limit: int = 8) -> list[Hit]:
        """The entries that may answer a query, best first.

        The query's own question comes first, with corrections before pairs and the latest before older ones. The
        rest is ordered by confidence and, among those about the same thing, by wording; a correction of nearly the
        same question has a small lead.
        """
        asked = matching.read(query[:MAX_CHARS])
        if not asked.same or limit < 1:
            return []
        with self._file.reading() as db:
            found = _find(db, asked, limit)
        judged = [_Judged(Hit(row.entry, 1.0, exact=True), 1.0) for row in found.exact]
        judged += [*_taught_hits(asked, found), *_passage_hits(asked, found)]
        return [one.hit for one in sorted(judged, key=_rank, reverse=True)[:limit]]

    def close(self) -> None:
        """Close the file."""
        self._file.close()


# --- writing --------------------------------------------------------------------------------------------------------


class _Prepared(NamedTuple):
    entry: Entry
    same: bytes | None
    fingerprint: str
    question: str
    answer: str
    words: str


def _storable(text: str) -> str:
    """Without halves of characters, which no file takes."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _same(normal: str) -> bytes:
    return blake2b(normal.encode(), digest_size=16).digest()


def _prepare(entry: Entry) -> _Prepared:
    question, answer = entry.question[:MAX_CHARS], entry.answer[:MAX_CHARS]
    content = matching.content_words(question)
    normal = matching.normalise(entry.question)
    if entry.kind == "passage":
        content = list(dict.fromkeys(content + matching.content_words(answer)))
    return _Prepared(
        entry,
        None if entry.kind == "passage" or not normal else _same(normal),
        matching.fingerprint(entry.question, entry.answer),
        " ".join(matching.stems(question)),
        " ".join(matching.stems(answer)),
        f" {' '.join(content)} ",
    )


def _counted(question: str, answer: str, kind: str) -> set[str]:
    """The stems of an entry that say how common a stem is in what can be asked."""
    return set(question.split()).union(answer.split() if kind == "passage" else ())


def _insert(db: sqlite3.Connection, batch: Iterable[_Prepared]) -> int:
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
            frequency.update(_counted(one.question, one.answer, entry.kind))
            added += 1
    db.executemany(
        "INSERT INTO frequency VALUES (?, ?) ON CONFLICT (stem) DO UPDATE SET entries = entries + excluded.entries",
        frequency.items(),
    )
    return added


# --- searching ------------------------------------------------------------------------------------------------------


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    pending = iter(items)
    while chunk := list(islice(pending, size)):
        yield chunk


def _count(db: sqlite3.Connection) -> Counts:
    counts = dict(db.execute("SELECT kind, count(*) FROM entry GROUP BY kind"))
    return Counts(counts.get("pair", 0), counts.get("passage", 0), counts.get("correction", 0))


def _quote(terms: Iterable[str]) -> str:
    """Any of these terms, in FTS5's language, whatever they hold."""
    return " OR ".join('"' + term.replace('"', '""') + '"' for term in terms)


def _frequencies(db: sqlite3.Connection, stems: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in _chunks(stems, 500):
        marks = ",".join("?" * len(one))
        found.update(db.execute(f"SELECT stem, entries FROM frequency WHERE stem IN ({marks})", one))  # noqa: S608 - marks
    return found


class _Row(NamedTuple):
    """A candidate as it is stored."""

    entry: Entry
    question: str
    """The stems of its question or title."""
    answer: str
    """The stems of its answer or text."""

    @property
    def told(self) -> frozenset[str]:
        """All these stems."""
        return frozenset(self.question.split()).union(self.answer.split())


class _Found(NamedTuple):
    """Everything that a query's candidates are judged by."""

    exact: list[_Row]
    others: list[_Row]
    frequency: dict[str, int]
    total: int

    def weight(self, stem: str) -> float:
        return matching.rarity(stem, self.frequency.get(stem, 0), self.total)


def _find(db: sqlite3.Connection, asked: matching.Question, limit: int) -> _Found:
    counts = _count(db)
    frequency = _frequencies(db, asked.stems)
    weight = _Found([], [], frequency, sum(counts)).weight
    sql = "SELECT number FROM entry WHERE same = ? ORDER BY kind = 'correction' DESC, taught DESC LIMIT ?"
    exact = [number for (number,) in db.execute(sql, (_same(asked.same), limit))]
    # Stems nobody taught find nothing, and so come last; of the others the rarest narrow most.
    terms = sorted(asked.stems, key=lambda stem: (stem not in frequency, -weight(stem)))[:MAX_TERMS]
    near = _by_stems(db, terms, counts)
    near += _match(db, "gram", _quote(_telling(asked, weight)), BY_GRAMS)
    others = [number for number in dict.fromkeys(near) if number not in exact]
    rows = _rows(db, exact + others)
    taught = {stem for row in rows.values() if row.entry.kind != "passage" for stem in row.question.split()}
    frequency |= _frequencies(db, taught.difference(frequency))
    return _Found([rows[number] for number in exact], [rows[number] for number in others], frequency, sum(counts))


def _by_stems(db: sqlite3.Connection, terms: Sequence[str], counts: Counts) -> list[int]:
    anywhere = f"{{question answer}} : ({_quote(terms)})"
    found = _match(db, "stem", f"({anywhere}) NOT kind : passage", BY_STEMS)
    if counts.corrections:
        found += _match(db, "stem", f"({anywhere}) AND kind : correction", CORRECTIONS)
    if counts.passages:
        found += _match(db, "stem", f"({anywhere}) AND kind : passage", PASSAGES)
    return found


def _match(db: sqlite3.Connection, table: Literal["stem", "gram"], expression: str, limit: int) -> list[int]:
    order = "bm25(stem, 4.0, 1.0, 0.0)" if table == "stem" else "bm25(gram)"
    sql = f"SELECT rowid FROM {table} WHERE {table} MATCH ? ORDER BY {order} LIMIT ?"  # noqa: S608 - fixed words
    return [number for (number,) in db.execute(sql, (expression, limit))]


def _telling(asked: matching.Question, weight: Callable[[str], float]) -> list[str]:
    found: dict[str, None] = {}
    for word in sorted(asked.content, key=lambda word: -weight(matching.stem(word))):
        found.update(dict.fromkeys(sorted(matching.grams(word))))
        if len(found) >= MAX_GRAMS:
            break
    return list(found)[:MAX_GRAMS]


def _rows(db: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, _Row]:
    sql = (
        "SELECT e.number, e.id, e.kind, e.question, e.answer, e.source, e.taught, s.question, s.answer"  # noqa: S608
        f" FROM entry e JOIN stem s ON s.rowid = e.number WHERE e.number IN ({','.join('?' * len(numbers))})"
    )
    return {row[0]: _Row(Entry(*row[1:7]), *row[7:9]) for row in db.execute(sql, numbers)}


# --- judging --------------------------------------------------------------------------------------------------------


class _Judged(NamedTuple):
    hit: Hit
    nearness: float
    """What hits are ordered by: their confidence, where wording decides between those of the same content."""


def _rank(judged: _Judged) -> tuple[bool, float, bool, int]:
    hit = judged.hit
    correction = hit.entry.kind == "correction"
    lead = CORRECTION_LEAD if correction and hit.confidence >= matching.CORRECTION_AT else 0.0
    return hit.exact, judged.nearness + lead, correction, hit.entry.order


def _taught_hits(asked: matching.Question, found: _Found) -> Iterator[_Judged]:
    """Pairs and corrections, each supported by other questions that were taught with the very same answer."""
    rows = [row for row in found.others if row.entry.kind != "passage"]
    questions = [matching.read(row.entry.question[:MAX_CHARS]) for row in rows]
    odds = [matching.evidence(asked, question, found.weight) for question in questions]
    answers: dict[str, dict[str, float]] = {}
    for row, question, one in zip(rows, questions, odds, strict=True):
        answers.setdefault(row.entry.answer, {})[question.same] = matching.sureness(one)
    for row, question, one in zip(rows, questions, odds, strict=True):
        others = (sure for same, sure in answers[row.entry.answer].items() if same != question.same)
        supported = one + matching.agreement(others)
        confidence = matching.sureness(supported)
        nearness = matching.sureness(supported + matching.phrasing(asked, question))
        told = matching.passage_confidence(asked, row.told, found.weight)
        by_answer = min(BY_ANSWER * told, matching.ANSWER_AT - 0.01)  # worth a mention, never an answer
        yield _Judged(Hit(row.entry, max(confidence, by_answer), exact=False), max(nearness, by_answer))


def _passage_hits(asked: matching.Question, found: _Found) -> Iterator[_Judged]:
    for row in found.others:
        if row.entry.kind == "passage":
            confidence = matching.passage_confidence(asked, row.told, found.weight)
            yield _Judged(Hit(row.entry, confidence, exact=False), confidence)
