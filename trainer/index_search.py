"""Searching an index: which entries may answer a query, and how sure each of them is."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias, TypeVar

from trainer import index_survey, index_writing, matching, meaning
from trainer.index_entries import Counts, Entry, Hit, Judged
from trainer.index_writing import MAX_CHARS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    Cosines: TypeAlias = Mapping[int, float]
    """By an entry's number, how near a query it is in meaning."""

T = TypeVar("T")

MAX_TERMS: Final = 24
"""Stems of a query that are looked up: its rarest."""
MAX_GRAMS: Final = 32
"""Threes of characters of a query that are looked up: those of its rarest words."""
BY_STEMS: Final = 24
BY_GRAMS: Final = 12
PASSAGES: Final = 10
CORRECTIONS: Final = 6
"""How many candidates each way of looking may bring."""
BY_ANSWER: Final = 0.6
"""What finding a query in a pair's answer counts for, beside finding it in a passage."""


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items, so many at a time."""
    pending = iter(items)
    while chunk := list(islice(pending, size)):
        yield chunk


def _quote(terms: Iterable[str]) -> str:
    """Any of these terms, in FTS5's language, whatever they hold."""
    return " OR ".join('"' + term.replace('"', '""') + '"' for term in terms)


def frequencies(db: sqlite3.Connection, stems: Iterable[str]) -> dict[str, int]:
    """In how many entries each stem is; those in none are left out."""
    found: dict[str, int] = {}
    for one in chunks(stems, 500):
        marks = ",".join("?" * len(one))
        found.update(db.execute(f"SELECT stem, entries FROM frequency WHERE stem IN ({marks})", one))  # noqa: S608 - marks
    return found


class Row(NamedTuple):
    """A candidate as it is stored."""

    number: int
    entry: Entry
    question: str
    """The stems of its question or title."""
    answer: str
    """The stems of its answer or text."""

    @property
    def told(self) -> frozenset[str]:
        """All these stems."""
        return frozenset(self.question.split()).union(self.answer.split())


class Found(NamedTuple):
    """Everything that a query's candidates are judged by."""

    exact: list[Row]
    others: list[Row]
    frequency: dict[str, int]
    total: int

    def weight(self, stem: str) -> float:
        """How much finding this stem tells."""
        return matching.rarity(stem, self.frequency.get(stem, 0), self.total)


def find(db: sqlite3.Connection, asked: matching.Question, limit: int) -> Found:
    """The candidates for a question, by its words: of those that are the very question, so many at most."""
    counts = index_survey.count(db)
    frequency = frequencies(db, asked.stems)
    weight = Found([], [], frequency, sum(counts)).weight
    sql = "SELECT number FROM entry WHERE same = ? ORDER BY kind = 'correction' DESC, taught DESC LIMIT ?"
    exact = [number for (number,) in db.execute(sql, (index_writing.same(asked.same), limit))]
    # Stems nobody taught find nothing, and so come last; of the others the rarest narrow most.
    terms = sorted(asked.stems, key=lambda stem: (stem not in frequency, -weight(stem)))[:MAX_TERMS]
    near = _by_stems(db, terms, counts)
    near += _match(db, "gram", _quote(_telling(asked, weight)), BY_GRAMS)
    others = [number for number in dict.fromkeys(near) if number not in exact]
    rows = rows_of(db, exact + others)
    taught = {stem for row in rows.values() if row.entry.kind != "passage" for stem in row.question.split()}
    frequency |= frequencies(db, taught.difference(frequency))
    return Found([rows[number] for number in exact], [rows[number] for number in others], frequency, sum(counts))


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


def rows_of(db: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, Row]:
    """Entries by their numbers; those that are not there are left out."""
    sql = (
        "SELECT e.number, e.id, e.kind, e.question, e.answer, e.source, e.taught, s.question, s.answer"  # noqa: S608
        f" FROM entry e JOIN stem s ON s.rowid = e.number WHERE e.number IN ({','.join('?' * len(numbers))})"
    )
    return {row[0]: Row(row[0], Entry(*row[1:7]), *row[7:9]) for row in db.execute(sql, numbers)}


# --- judging --------------------------------------------------------------------------------------------------------


def taught_hits(asked: matching.Question, found: Found) -> Iterator[Judged]:
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
        by_answer = _by_answer(asked, found, row)
        yield Judged(Hit(row.entry, max(confidence, by_answer), exact=False), max(nearness, by_answer))


def meant_hits(asked: matching.Question, found: Found, cosines: Cosines) -> Iterator[Judged]:
    """The same where meanings are known: both judge."""
    rows = [row for row in found.others if row.entry.kind != "passage"]
    questions = [matching.read(row.entry.question[:MAX_CHARS]) for row in rows]
    candidates = [
        meaning.Candidate(
            question.same,
            row.entry.answer,
            matching.evidence(asked, question, found.weight),
            matching.phrasing(asked, question),
            cosines[row.number],
        )
        for row, question in zip(rows, questions, strict=True)
    ]
    for row, (confidence, nearness) in zip(rows, meaning.judge(candidates), strict=True):
        by_answer = _by_answer(asked, found, row)
        yield Judged(Hit(row.entry, max(confidence, by_answer), exact=False), max(nearness, by_answer))


def _by_answer(asked: matching.Question, found: Found, row: Row) -> float:
    """How sure one can be by the words of an answer: worth a mention, never an answer."""
    told = matching.passage_confidence(asked, row.told, found.weight)
    return min(BY_ANSWER * told, matching.ANSWER_AT - 0.01)


def passage_hits(asked: matching.Question, found: Found) -> Iterator[Judged]:
    """Passages, by how much of the question is in them."""
    for row in found.others:
        if row.entry.kind == "passage":
            confidence = matching.passage_confidence(asked, row.told, found.weight)
            yield Judged(Hit(row.entry, confidence, exact=False), confidence)
