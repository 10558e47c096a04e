"""How well questions find what was taught, by words and by meaning, and how fast, beside plain FTS5.

FTS5 has the unicode61 tokenizer. Meanings are those of the local embedder; the index has them all before it is asked.

CLINC150 (Larson et al. 2019, "An Evaluation Dataset for Intent Classification and Out-of-Scope Prediction") is read
from the file that `TRAINGER_CLINC150` names, or from `shared/data/clinc150.json` beside the repository: 10 examples
of each of 150 classes are taught, each with an answer that holds no word of its class, and questions of the test
split are asked. An answer is wrong when it is another class's, or when there is any for a question out of scope.
Without the file, only the speed over made-up questions is measured.
"""

from __future__ import annotations

import json
import os
import random
import re
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from bench.report import Result, table_of
from trainer.adapters.local_embedder import LocalEmbedder
from trainer.embeddings import Embeddings
from trainer.index import Entry, ExampleIndex
from trainer.matching import ANSWER_AT, SUGGEST_AT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.report import Value

    Find = Callable[[str], tuple[str | None, float]]

SEED = 20
EXAMPLES = 10
IN_SCOPE, OUT_OF_SCOPE = 1_500, 500
LARGE = 50_000
LARGE_BY_MEANING = 10_000
EMBEDDING_S = 600.0


class Asked(NamedTuple):
    """What became of one question of the test split."""

    label: str
    """Its class; "oos" when nothing that was taught answers it."""
    found: str | None
    """The class of the best entry."""
    confidence: float
    seconds: float


def dataset() -> Path | None:
    """Where CLINC150 is, if it is there."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data" / "clinc150.json"
    path = Path(os.environ.get("TRAINGER_CLINC150") or beside)
    return path if path.is_file() else None


def ask(questions: Sequence[tuple[str, str]], *finders: Find) -> list[list[Asked]]:
    """Ask each finder each question, in turns, so that all meet the same machine."""
    asked: list[list[Asked]] = [[] for _ in finders]
    for question, label in questions:
        for find, answers in zip(finders, asked, strict=True):
            started = time.perf_counter()
            found, confidence = find(question)
            answers.append(Asked(label, found, confidence, time.perf_counter() - started))
    return asked


def score(asked: Sequence[Asked], threshold: float) -> dict[str, Value]:
    """Rates over the questions in scope and, for `out_of_scope_answered`, over those out of scope."""
    inside = [one for one in asked if one.label != "oos"]
    outside = [one for one in asked if one.label == "oos"]
    answered = [one for one in inside if one.found is not None and one.confidence >= threshold]
    right = sum(one.found == one.label for one in answered)
    return {
        "coverage": round(len(answered) / len(inside), 3),
        "right_when_answered": round(right / max(1, len(answered)), 3),
        "answered_right": round(right / len(inside), 3),
        "answered_wrong": round((len(answered) - right) / len(inside), 3),
        "out_of_scope_answered": round(sum(one.confidence >= threshold for one in outside) / max(1, len(outside)), 3),
    }


def timing(asked: Sequence[Asked]) -> dict[str, Value]:
    seconds = sorted(one.seconds for one in asked)
    return {
        "median_ms": round(1000 * median(seconds), 2),
        "p95_ms": round(1000 * seconds[int(0.95 * len(seconds))], 2),
    }


def peer(db: sqlite3.Connection, rows: Sequence[tuple[str, str]]) -> Find:
    """The nearest row by BM25 over unicode61 words; it knows no confidence, and so always answers."""
    db.execute("CREATE VIRTUAL TABLE plain USING fts5 (question, tokenize = 'unicode61')")
    db.executemany("INSERT INTO plain (rowid, question) VALUES (?, ?)", enumerate(question for question, _ in rows))

    def find(question: str) -> tuple[str | None, float]:
        terms = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", question))
        row = db.execute("SELECT rowid FROM plain WHERE plain MATCH ? ORDER BY rank LIMIT 1", (terms,)).fetchone()
        return (rows[row[0]][1], 1.0) if row else (None, 0.0)

    return find


def nearest(index: ExampleIndex) -> Find:
    def find(question: str) -> tuple[str | None, float]:
        hits = index.search(question, limit=1)
        return (hits[0].entry.source, hits[0].confidence) if hits else (None, 0.0)

    return find


def teach(index: ExampleIndex, rows: Sequence[tuple[str, str]]) -> float:
    """Teach (question, class) rows; returns the seconds it took. The class is known to the source alone."""
    numbers = {label: f"№{number}" for number, label in enumerate(dict.fromkeys(label for _, label in rows))}
    started = time.perf_counter()
    index.add(
        Entry(id=f"bench/{i}", kind="pair", question=question, answer=numbers[label], source=label, order=i)
        for i, (question, label) in enumerate(rows)
    )
    return time.perf_counter() - started


def embed(index: ExampleIndex) -> float:
    """Have the index make all its vectors; returns the seconds it took."""
    started = time.perf_counter()
    assert index.catch_up(EMBEDDING_S)
    return time.perf_counter() - started


def accuracy(path: Path, folder: Path) -> Mapping[str, Mapping[str, Value]]:
    data = json.loads(path.read_text(encoding="utf-8"))
    chance = random.Random(SEED)
    classes: dict[str, list[str]] = {}
    for question, label in data["train"]:
        classes.setdefault(label, []).append(question)
    rows = [(text, label) for label, texts in classes.items() for text in chance.sample(texts, EXAMPLES)]
    asked = chance.sample(data["test"], IN_SCOPE) + chance.sample(data["oos_test"], OUT_OF_SCOPE)
    with (
        closing(ExampleIndex(folder / "words.sqlite3")) as words,
        closing(ExampleIndex(folder / "meaning.sqlite3", Embeddings(LocalEmbedder()))) as meaning,
        closing(sqlite3.connect(":memory:")) as db,
    ):
        teach(words, rows)
        teach(meaning, rows)
        embed(meaning)
        by_words, by_both, plain = ask(asked, nearest(words), nearest(meaning), peer(db, rows))
    return {
        "words, ANSWER_AT": score(by_words, ANSWER_AT),
        "words and meaning, ANSWER_AT": score(by_both, ANSWER_AT),
        "words, SUGGEST_AT": score(by_words, SUGGEST_AT),
        "words and meaning, SUGGEST_AT": score(by_both, SUGGEST_AT),
        "words, always the nearest": score(by_words, 0.0),
        "words and meaning, always the nearest": score(by_both, 0.0),
        "FTS5 unicode61, always the nearest": score(plain, 0.0),
    }


def speed(folder: Path) -> Mapping[str, Mapping[str, Value]]:
    """The largest dataset one file may bring: questions of Zipf-distributed made-up words in common frames."""
    chance = random.Random(SEED)
    syllables = [a + b for a in "bcdfghjklmnprstvz" for b in "aeiou"]
    vocabulary = ["".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(8_000)]
    weights = [1 / rank for rank in range(1, len(vocabulary) + 1)]
    frames = ("How do I {} the {} {}?", "What is the {} of my {} {} account?", "Why does the {} {} {} on the server?")

    def question() -> str:
        return chance.choice(frames).format(*chance.choices(vocabulary, weights, k=3))

    rows = [(question(), str(i)) for i in range(LARGE)]
    asked = [(question(), "") for _ in range(200)]
    found: dict[str, dict[str, Value]] = {}
    for count in (LARGE_BY_MEANING, LARGE):
        path = folder / f"{count}.sqlite3"
        with closing(ExampleIndex(path)) as index, closing(sqlite3.connect(":memory:")) as db:
            seconds = teach(index, rows[:count])
            ours, plain = ask(asked, nearest(index), peer(db, rows[:count]))
            found[f"words, {count}"] = {**timing(ours), "add_s": round(seconds, 2), "file_mib": _mib(path)}
            found[f"FTS5 unicode61, {count}"] = timing(plain)
    path = folder / "meaning.sqlite3"
    with closing(ExampleIndex(path, Embeddings(LocalEmbedder()))) as index:
        seconds = teach(index, rows[:LARGE_BY_MEANING])
        made = embed(index)
        (ours,) = ask(asked, nearest(index))
        added: dict[str, Value] = {"add_s": round(seconds, 2), "file_mib": _mib(path), "embed_s": round(made, 1)}
        found[f"words and meaning, {LARGE_BY_MEANING}"] = {**timing(ours), **added}
    return found


def _mib(path: Path) -> float:
    return round(path.stat().st_size / 2**20, 1)


def measure() -> Result:
    """Accuracy where the data is at hand, and speed."""
    path = dataset()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tables = [table_of(f"CLINC150, {EXAMPLES} examples a class", "way", accuracy(path, folder))] if path else []
        tables.append(table_of("Speed", "way, entries", speed(folder)))
    notes = () if path else ("CLINC150 was not measured: TRAINGER_CLINC150 names its file.",)
    return Result("Search by words, and by words and meaning, beside plain FTS5.", tuple(tables), notes=notes)
