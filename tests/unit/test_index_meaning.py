"""The index where meanings are compared beside words: what it finds, keeps, and does without."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.unit.test_matching import FAQ, UNRELATED
from trainer import embeddings, index_vectors
from trainer.adapters.local_embedder import LocalEmbedder
from trainer.embeddings import Embeddings
from trainer.index import Entry, ExampleIndex
from trainer.index_file import IndexBusy, IndexFile
from trainer.matching import ANSWER_AT, SUGGEST_AT
from trainer.ports import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from trainer.ports import Vector

REFUND = ("How do I get a refund?", "I would like my money back")
"""A question and a rewording that shares no word with it."""


class Counting:
    """The local model, counting what it is asked for; fails while `broken`."""

    def __init__(self, name: str = "counting") -> None:
        self.name = name
        self.size = LocalEmbedder.size
        self.texts: list[str] = []
        self.broken = False

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        if self.broken:
            raise ModelUnavailable("server", retryable=True)
        self.texts += texts
        return LocalEmbedder().embed(texts)


@pytest.fixture
def embedder() -> Counting:
    return Counting()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index.sqlite3"


@pytest.fixture
def index(path: Path, embedder: Counting) -> Iterator[ExampleIndex]:
    with closing(ExampleIndex(path, Embeddings(embedder))) as index:
        yield index


def pairs(rows: Sequence[tuple[str, str]], batch: str = "1") -> list[Entry]:
    return [
        Entry(f"{batch}/{number}", "pair", question, answer, "{}", number)
        for number, (question, answer) in enumerate(rows)
    ]


def faq() -> list[Entry]:
    return pairs([(row[0], f"№{number}") for number, row in enumerate(FAQ)])


def stored(path: Path) -> list[tuple[int, str, int]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT number, space, length(numbers) FROM vector ORDER BY number").fetchall()


# --- what is found ----------------------------------------------------------------------------------------------


def test_a_rewording_without_a_common_word_is_found_first(index: ExampleIndex, tmp_path: Path) -> None:
    question, asked = REFUND
    index.add(faq())
    assert index.search(asked)[0].entry.question == question
    with closing(ExampleIndex(tmp_path / "words.sqlite3")) as by_words:
        by_words.add(faq())
        assert question not in [hit.entry.question for hit in by_words.search(asked)]


def test_an_faq_answers_its_rewordings_and_nothing_else(index: ExampleIndex) -> None:
    index.add(faq())
    best = [(index.search(query)[0], row[0]) for row in FAQ for query in row[1:]]
    sure = [hit.entry.question == right for hit, right in best if hit.confidence >= ANSWER_AT]
    assert all(sure)
    assert len(sure) >= 0.75 * len(best)
    assert sum(hit.entry.question == right for hit, right in best) >= 0.95 * len(best)
    assert all(hit.confidence < ANSWER_AT for query in UNRELATED for hit in index.search(query))


def test_several_wordings_answer_another_one_without_a_common_word(index: ExampleIndex) -> None:
    wordings = ("How do I get a refund?", "can you give me my cash back", "return my payment", "reimburse me please")
    index.add([*pairs([(wording, "Ask us.") for wording in wordings], "2"), *faq()])
    assert index.search("I'd like to have the money returned")[0].confidence >= ANSWER_AT


def test_the_opposite_is_not_answered(index: ExampleIndex) -> None:
    index.add(faq())
    assert all(hit.confidence < ANSWER_AT for hit in index.search("how do I disable two-factor authentication"))


def test_the_very_question_comes_first_and_is_certain(index: ExampleIndex) -> None:
    index.add(faq())
    hit = index.search("how do i get a REFUND")[0]
    assert (hit.exact, hit.confidence, hit.entry.question) == (True, 1.0, REFUND[0])


def test_a_correction_of_nearly_the_same_question_leads(index: ExampleIndex) -> None:
    index.add([*faq(), Entry("9/0", "correction", "How can I get a refund?", "Write to us.", "{}", 9)])
    assert index.search("how do I get refunds")[0].entry.kind == "correction"


def test_passages_are_found_as_ever_and_have_no_vectors(index: ExampleIndex, path: Path) -> None:
    index.add([Entry("1/0", "passage", "Refunds", "A season pass is refunded within fourteen days.", "{}", 1)])
    (hit,) = index.search("refund for a season pass")
    assert hit.confidence >= ANSWER_AT
    assert stored(path) == []


@pytest.mark.parametrize("query", ["", "\ud800", "?", "x" * 20_000, "\x00", '*" OR NEAR('])
def test_any_text_can_be_taught_and_asked(index: ExampleIndex, query: str) -> None:
    index.add(pairs([(query, "A"), REFUND]))
    hits = index.search(query)
    assert not hits or hits[0].exact


# --- what is kept -----------------------------------------------------------------------------------------------


def test_each_question_is_embedded_once(index: ExampleIndex, path: Path, embedder: Counting) -> None:
    index.add(faq())
    index.search("one")
    assert sorted(embedder.texts) == sorted(["one", *(row[0] for row in FAQ)])
    assert {(space, size) for _, space, size in stored(path)} == {("counting/512", 512)}
    embedder.texts.clear()
    index.search("two")
    assert embedder.texts == ["two"]
    with closing(ExampleIndex(path, Embeddings(embedder))) as again:
        again.search("three")
    assert embedder.texts == ["two", "three"]


def test_what_is_removed_takes_its_vector_along(index: ExampleIndex, path: Path, embedder: Counting) -> None:
    index.add([*pairs([REFUND]), *pairs([("Is there a wiki?", "Yes")], "2")])
    index.search("one")
    index.remove("1/")
    assert len(stored(path)) == 1
    index.add(pairs([("How do I appeal a ban?", "So")], "3"))
    embedder.texts.clear()
    assert index.search("unban me please")[0].entry.id == "3/0"
    assert embedder.texts == ["unban me please", "How do I appeal a ban?"]


def test_another_model_makes_its_own(index: ExampleIndex, path: Path) -> None:
    index.add(faq())
    index.search("one")
    other = Counting("other")
    with closing(ExampleIndex(path, Embeddings(other))) as again:
        again.search("one")
    assert len(other.texts) == 1 + len(FAQ)
    assert {space for _, space, _ in stored(path)} == {"other/512"}


def test_a_search_makes_what_it_has_time_for_the_newest_first_but_what_words_find_at_once(
    index: ExampleIndex, path: Path, embedder: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_vectors, "BUDGET_S", 0.0)
    monkeypatch.setattr(index_vectors, "AT_ONCE", 4)
    index.add(faq())
    index.search("qqq")
    assert [number for number, _, _ in stored(path)] == list(range(len(FAQ) - 3, len(FAQ) + 1))
    embedder.texts.clear()
    assert index.search("refund policy")[0].entry.question == REFUND[0]
    assert REFUND[0] in embedder.texts
    while (before := len(stored(path))) < len(FAQ):
        index.search("qqq")
        assert len(stored(path)) == min(before + 4, len(FAQ))
    embedder.texts.clear()
    index.search("qqq")
    assert embedder.texts == ["qqq"]


def test_catching_up(index: ExampleIndex, tmp_path: Path, embedder: Counting) -> None:
    assert index.catch_up(0)
    index.add(faq())
    assert index.catch_up(60)
    embedder.texts.clear()
    index.search(REFUND[1])
    assert embedder.texts == [REFUND[1]]
    embedder.broken = True
    assert not index.catch_up(60)
    with closing(ExampleIndex(tmp_path / "words.sqlite3")) as by_words:
        assert by_words.catch_up(0)


def test_catching_up_ends_in_time(index: ExampleIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_vectors, "AT_ONCE", 40)
    index.add(faq())
    assert not index.catch_up(0)
    assert index.catch_up(0)


def test_a_copy_has_the_vectors(index: ExampleIndex, tmp_path: Path, embedder: Counting) -> None:
    index.add(faq())
    index.search("one")
    embedder.texts.clear()
    with closing(index.copy(tmp_path / "copy.sqlite3")) as copy:
        assert copy.search(REFUND[1])[0].entry.question == REFUND[0]
    assert embedder.texts == [REFUND[1]]


def test_more_than_a_stretch_is_compared(index: ExampleIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_vectors, "_STRETCH", 5)
    monkeypatch.setattr(index_vectors, "NEAREST", 3)
    index.add(faq())
    assert index.search(REFUND[1])[0].entry.question == REFUND[0]


# --- what it does without ---------------------------------------------------------------------------------------


def test_while_somebody_writes_it_is_found_all_the_same(index: ExampleIndex, path: Path, embedder: Counting) -> None:
    index.add(faq())
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert index.search(REFUND[1])[0].entry.question == REFUND[0]
        other.execute("ROLLBACK")
    assert stored(path) == []
    index.search(REFUND[1])
    assert len(stored(path)) == len(FAQ)


def test_a_failing_model_leaves_the_words_and_its_own_peace(
    index: ExampleIndex, embedder: Counting, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    index.add(faq())
    embedder.broken = True
    assert index.search("refund policy")[0].entry.question == REFUND[0]
    embedder.broken = False
    index.search("refund policy")
    assert not embedder.texts  # it rests
    monkeypatch.setattr(embeddings, "REST_S", 0.0)
    assert [record.getMessage() for record in caplog.records] == ["embedder failed"]
    assert "refund" not in str(vars(caplog.records[0]))
    rested = Embeddings(embedder)
    embedder.broken = True
    assert rested.of(["x"]) is None
    embedder.broken = False
    assert rested.of(["x"])


def test_a_model_that_fails_half_way_leaves_the_words(index: ExampleIndex, embedder: Counting) -> None:
    index.add(faq())
    embed = embedder.embed

    def only_queries(texts: Sequence[str]) -> list[Vector]:
        embedder.broken = len(texts) > 1
        return embed(texts)

    embedder.embed = only_queries  # type: ignore[method-assign]
    by_words = index.search("refund policy")[0]
    assert (by_words.entry.question, by_words.confidence >= SUGGEST_AT) == (REFUND[0], True)


def test_without_an_embedder_nothing_changes(tmp_path: Path, embedder: Counting) -> None:
    with closing(ExampleIndex(tmp_path / "words.sqlite3")) as index:
        index.add(faq())
        index.search("refund policy")
    assert stored(tmp_path / "words.sqlite3") == []


def test_writing_at_once_or_not_at_all(tmp_path: Path) -> None:
    with closing(IndexFile(tmp_path / "file.sqlite3", schema="CREATE TABLE t (a);", version=1)) as file:
        with file.transaction(wait=False) as db, file.transaction(wait=False) as inner:
            assert inner is db  # a part of one's own transaction waits for nobody
        refused: list[bool] = []

        def write() -> None:
            try:
                with file.transaction(wait=False):
                    refused.append(False)
            except IndexBusy:
                refused.append(True)

        with file.transaction():
            thread = threading.Thread(target=write)
            thread.start()
            thread.join()
        write()
        assert refused == [True, False]
