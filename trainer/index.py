"""What has been taught, ready to be searched: one SQLite file a dataset.

The file is derived from the stored examples and may be deleted at any time: its next use starts it anew, empty and
without marks, by which whoever keeps it up to date sees that. Any number of threads and processes may use one file.
"""

from __future__ import annotations

from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec

from trainer import index_survey, index_vectors, index_writing, matching
from trainer.index_entries import Counts, Entry, Hit, Judged, rank
from trainer.index_file import IndexBusy, IndexClosed, IndexDamaged, IndexFile
from trainer.index_search import chunks, find, frequencies, meant_hits, passage_hits, rows_of, taught_hits
from trainer.index_writing import MAX_CHARS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from trainer.embeddings import Embeddings
    from trainer.index_search import Cosines, Found

__all__ = ["Counts", "Entry", "ExampleIndex", "Hit", "IndexBusy", "IndexClosed", "IndexDamaged"]

VERSION: Final = 2
"""Of the file's layout and of what is written into it: a file of another version is started anew."""
BATCH: Final = 500
"""Entries written at a time, in a transaction each unless the caller began one."""
UNTIDY: Final = "untidy"
"""The mark that says that something was removed."""

_TABLES: Final = """
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
_SCHEMA: Final = _TABLES + index_vectors.SCHEMA


class ExampleIndex:
    """The entries of one dataset. Methods may raise `IndexDamaged`, `IndexClosed` or `sqlite3.OperationalError`.

    Args:
        path: where the file is.
        embeddings: tells what questions mean; None compares their words alone.
    """

    def __init__(self, path: Path, embeddings: Embeddings | None = None) -> None:
        self._file = IndexFile(path, schema=_SCHEMA, version=VERSION)
        self._embeddings = embeddings

    @property
    def fresh(self) -> bool:
        """This instance had to start the file anew, when it was made or since."""
        return self._file.fresh

    @property
    def used_at(self) -> float:
        """When something was last asked of this instance, or told to it, by `time.monotonic`."""
        return self._file.used_at

    # --- writing ------------------------------------------------------------------------------------------------

    def add(self, entries: Iterable[Entry]) -> int:
        """Add entries, in bounded memory; returns how many were new. An id that is known changes nothing."""
        added = 0
        pending = iter(entries)
        while batch := list(islice(pending, BATCH)):
            prepared = [index_writing.prepare(entry) for entry in batch]
            with self._file.transaction() as db:
                added += index_writing.insert(db, prepared)
        return added

    def remove(self, id_prefix: str) -> int:
        """Remove all entries whose id starts so; returns how many there were."""
        with self._file.transaction() as db:
            sql = "SELECT number FROM entry WHERE id >= ? AND substr(id, 1, length(?)) = ?"
            numbers = [number for (number,) in db.execute(sql, (id_prefix,) * 3)]
            for number in numbers:
                question, answer, kind = db.execute("SELECT * FROM stem WHERE rowid = ?", (number,)).fetchone()
                counted = [(stem,) for stem in index_writing.counted(question, answer, kind)]
                db.executemany("UPDATE frequency SET entries = entries - 1 WHERE stem = ?", counted)
                db.execute("DELETE FROM stem WHERE rowid = ?", (number,))
                db.execute("DELETE FROM gram WHERE rowid = ?", (number,))
                db.execute("DELETE FROM entry WHERE number = ?", (number,))
            db.execute("DELETE FROM frequency WHERE entries <= 0")
            if numbers:
                db.execute("INSERT OR REPLACE INTO mark VALUES (?, '1')", (UNTIDY,))
            return len(numbers)

    def tidy(self, *, wait: bool = True) -> bool:
        """Leave no trace of what was removed, which full-text tables and the log keep for a while; whether any was.

        It takes a second or two for 100,000 entries, in which others can read but not write. Raises `IndexBusy` when
        somebody else is writing and this is not to `wait`.
        """
        if not self.get_mark(UNTIDY):
            return False
        with self._file.transaction(wait=wait) as db:
            db.execute("INSERT INTO stem (stem) VALUES ('optimize')")
            db.execute("INSERT INTO gram (gram) VALUES ('optimize')")
            db.execute("DELETE FROM mark WHERE name = ?", (UNTIDY,))
        self._file.begin_log_anew()
        return True

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
            return index_survey.count(db)

    def known(self, fingerprints: Sequence[str], *, except_prefix: str = "") -> set[str]:
        """Which of these pairs are there already, in entries whose id does not start with `except_prefix`."""
        found: set[str] = set()
        with self._file.reading() as db:
            for one in chunks(fingerprints, 500):
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
            found = find(db, asked, limit)
        cosines: Cosines | None = None
        if self._embeddings is not None:
            found, cosines = self._with_meaning(query, found, self._embeddings)
        judged = [Judged(Hit(row.entry, 1.0, exact=True), 1.0) for row in found.exact]
        judged += taught_hits(asked, found) if cosines is None else meant_hits(asked, found, cosines)
        judged += passage_hits(asked, found)
        return [one.hit for one in sorted(judged, key=rank, reverse=True)[:limit]]

    def _with_meaning(self, query: str, found: Found, embeddings: Embeddings) -> tuple[Found, Cosines | None]:
        """What was found by words and by meaning, and how near in meaning it is; None if that is not known now."""
        numbers = [row.number for row in found.others if row.entry.kind != "passage"]
        meanings = index_vectors.compare(self._file, embeddings, query, numbers)
        if meanings is None:
            return found, None
        known = {row.number for row in (*found.exact, *found.others)}
        with self._file.reading() as db:
            rows = rows_of(db, [number for number in meanings.nearest if number not in known])
            stems = {stem for row in rows.values() for stem in row.question.split()}
            frequency = found.frequency | frequencies(db, stems.difference(found.frequency))
        cosines = meanings.nearest | meanings.asked
        every = (*found.others, *rows.values())  # but what was removed while its meaning was compared
        others = [row for row in every if row.entry.kind == "passage" or row.number in cosines]
        return found._replace(others=others, frequency=frequency), cosines

    def catch_up(self, budget_s: float) -> bool:
        """Find out what questions mean, the newest first, for about so many seconds; whether all is known then.

        A search does the same for a moment. Without an embedder there is nothing to know.
        """
        return self._embeddings is None or index_vectors.catch_up(self._file, self._embeddings, budget_s)

    def taught(self, questions: Sequence[str]) -> list[bool]:
        """Of each question, whether it is the very question of a pair or of a correction."""
        with self._file.reading() as db:
            return index_survey.taught_questions(db, questions)

    def corrections(self) -> Iterator[Entry]:
        """All corrections in the order in which they were made, of each question only the latest.

        They are read in stretches: what changes meanwhile may or may not be seen.
        """
        after = (-1, "")
        while True:
            with self._file.reading() as db:
                rows = index_survey.latest_corrections(db, after)
            yield from (msgspec.convert(row._asdict(), Entry) for row in rows)
            if len(rows) < index_survey.PAGE:
                return
            after = (rows[-1].order, rows[-1].id)

    def texts(self, most: int) -> list[str]:
        """The questions and answers of the newest entries, of so many at most."""
        with self._file.reading() as db:
            return index_survey.newest_texts(db, most)

    def snapshot(self) -> str:
        """Names all that there is: equal for equal content, however it came in. 32 hexadecimal digits."""
        with self._file.reading() as db:
            return index_survey.fingerprint(db)

    def copy(self, path: Path) -> ExampleIndex:
        """An index of its own at this path, with all that is in this one now."""
        self._file.copy(path)
        return ExampleIndex(path, self._embeddings)

    def rest(self) -> None:
        """Hold as few files as can be, until it is used again."""
        self._file.rest()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
