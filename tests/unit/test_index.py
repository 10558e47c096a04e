"""The search index: what it keeps and what it finds."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.test_matching import FAQ, UNRELATED
from trainer.index import BATCH, Counts, Entry, ExampleIndex
from trainer.matching import ANSWER_AT, CORRECTION_AT, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Kind = Literal["pair", "passage", "correction"]


def entry(number: int, question: str, answer: str = "", kind: Kind = "pair", id: str = "") -> Entry:  # noqa: A002
    return Entry(
        id=id or f"{number}/0",
        kind=kind,
        question=question,
        answer=answer or f"answer {number}",
        source=f"source {number}",
        order=number,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "examples.sqlite3"


@pytest.fixture
def index(path: Path) -> Iterator[ExampleIndex]:
    with closing(ExampleIndex(path)) as opened:
        yield opened


def answers(index: ExampleIndex, query: str) -> list[str]:
    return [hit.entry.answer for hit in index.search(query)]


# --- keeping ----------------------------------------------------------------------------------------------------


def test_an_entry_comes_back_as_it_was(index: ExampleIndex) -> None:
    taught = entry(7, "How do I reset my password?", "Use the 'Forgot' link. \N{THUMBS UP SIGN}\n", id="7/3")
    assert index.add([taught]) == 1
    hit = index.search("how do i reset my PASSWORD")[0]
    assert (hit.entry, hit.confidence, hit.exact) == (taught, 1.0, True)


def test_adding_twice_changes_nothing(index: ExampleIndex) -> None:
    rows = [entry(1, "a b c"), entry(2, "d e f")]
    assert (index.add(rows), index.add(rows), index.add([entry(1, "something else")])) == (2, 0, 0)
    assert index.count() == Counts(pairs=2, passages=0, corrections=0)
    assert index.search("something else") == []


def test_more_than_a_batch_is_added_as_it_comes(index: ExampleIndex) -> None:
    seen: list[int] = []

    def rows() -> Iterator[Entry]:
        for number in range(2 * BATCH + 5):
            if number == 2 * BATCH:
                seen.append(index.count().pairs)  # what came before is written, not held
            yield entry(number, f"How do I build engine number {number}?")

    assert index.add(rows()) == 2 * BATCH + 5
    assert seen == [2 * BATCH]
    assert answers(index, "build engine number 777")[0] == "answer 777"


def test_removing_by_prefix_takes_all_of_it(index: ExampleIndex) -> None:
    index.add(entry(n, f"question {word}", id=f"{n}/{n}") for n, word in enumerate(("red", "green", "blue"), 10))
    index.add([entry(1, "question red too", id="1/0"), entry(2, "Title", "red text", kind="passage", id="10_/0")])
    assert index.remove("10/") == 1
    assert index.remove("10/") == 0
    assert {hit.entry.id for hit in index.search("question red")} >= {"1/0"}
    assert "10/10" not in {hit.entry.id for hit in index.search("question red")}
    assert index.remove("") == 4
    assert index.count() == Counts(0, 0, 0)
    assert index.search("question red") == []
    assert index.add([entry(10, "question red", id="10/10")]) == 1
    assert answers(index, "question red") == ["answer 10"]


def test_known_pairs(index: ExampleIndex) -> None:
    index.add([entry(1, "How?", "So."), entry(2, "When?", "Now.", id="2/0")])
    so, now, never = fingerprint("how", "so"), fingerprint("when", "now"), fingerprint("when", "never")
    assert index.known([so, now, never]) == {so, now}
    assert index.known([so, now], except_prefix="2/") == {so}
    assert index.known([]) == set()
    assert index.known([f"{n:032x}" for n in range(1_200)] + [so]) == {so}


def test_marks(index: ExampleIndex, path: Path) -> None:
    assert index.get_mark("journal") == ""
    index.set_mark("journal", "1")
    index.set_mark("journal", "2")
    index.set_mark("other", "ё")
    with closing(ExampleIndex(path)) as again:
        assert (again.get_mark("journal"), again.get_mark("other"), again.fresh) == ("2", "ё", False)


# --- finding ----------------------------------------------------------------------------------------------------


def test_an_faq_answers_its_rewordings_and_nothing_else(index: ExampleIndex) -> None:
    index.add(entry(number, row[0]) for number, row in enumerate(FAQ))
    asked = [(query, number) for number, row in enumerate(FAQ) for query in row[1:]]
    best = [(index.search(query)[0], f"answer {number}") for query, number in asked if index.search(query)]
    sure = [hit.entry.answer == right for hit, right in best if hit.confidence >= ANSWER_AT]
    assert len(sure) >= 0.75 * len(asked)
    assert all(sure)
    assert all(hit.confidence < ANSWER_AT for query in UNRELATED for hit in index.search(query))


@pytest.mark.parametrize("query", ["pasword", "passwrods", "reset-password", "userpassword"])
def test_typos_and_compounds_are_among_the_found(index: ExampleIndex, query: str) -> None:
    index.add([entry(1, "How do I reset my password?"), entry(2, "Where is the map?")])
    assert answers(index, query)[0] == "answer 1"


HOSTILE = """
?|a|I|how do I?|👍|日本語の質問|日|"|''|*|^a*|a AND|NEAR(a b, 2)|question : a|{question} : x|" OR kind : "pair|-a|(
a"b'c;--|%_|+#.|'; DROP TABLE entry; --|NOT|a\0b
""".strip().replace("\n", "|")
LONG = ("x " * 2_000, "x" * 4_000, " ".join(f"w{n}" for n in range(800)), "🏳️‍🌈" * 500)


@pytest.mark.parametrize("query", ["", " ", "\N{ZERO WIDTH SPACE}", "\ud800", "\0", *HOSTILE.split("|"), *LONG])
def test_any_query_works_and_finds_itself(index: ExampleIndex, query: str) -> None:
    index.add([entry(1, "How do I reset my password?"), entry(2, "Passage", "text " * 50, kind="passage")])
    index.search(query)
    assert index.add([entry(3, query, query)]) == 1
    hits = index.search(query)
    assert (not hits and not query.strip("\0 \u200b\ud800")) or (hits[0].entry.order == 3 and hits[0].exact)
    assert index.remove("3/") == 1


@given(st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_can_be_taught_and_asked(index: ExampleIndex, question: str, query: str) -> None:
    index.remove("")
    index.add([entry(1, question, query), entry(2, question, query, kind="passage")])
    assert all(0.0 <= hit.confidence <= 1.0 for hit in index.search(query))
    assert index.remove("") == 2


def test_limit(index: ExampleIndex) -> None:
    index.add(entry(n, f"red question {n}") for n in range(30))
    assert len(index.search("red question")) == 8
    assert len(index.search("red question", limit=3)) == 3
    assert index.search("red question", limit=0) == []


def test_of_the_same_question_corrections_then_the_latest_come_first(index: ExampleIndex) -> None:
    index.add([entry(5, "Where is the wiki?"), entry(9, "where is the WIKI"), entry(7, "Where is the wiki")])
    assert answers(index, "where is the wiki")[:3] == ["answer 9", "answer 7", "answer 5"]
    index.add([entry(3, "Where is the wiki?", kind="correction"), entry(4, "Where is the wiki?", kind="correction")])
    assert answers(index, "where is the wiki") == ["answer 4", "answer 3", "answer 9", "answer 7", "answer 5"]
    assert answers(index, "where is that wiki")[0] == "answer 4"


def test_a_correction_of_nearly_the_same_question_leads(index: ExampleIndex) -> None:
    index.add([entry(1, "How do I reset my password"), entry(9, "How can I reset the password?")])
    index.add(
        [entry(2, "how to reset a password", kind="correction"), entry(3, "where is the map", kind="correction")]
    )
    hits = index.search("how would I reset my password?")
    assert hits[0].entry.kind == "correction"
    assert hits[0].confidence >= CORRECTION_AT
    assert hits[0].entry.order == 2


def test_a_correction_of_another_question_does_not_lead(index: ExampleIndex) -> None:
    index.add([entry(1, "How do I reset my password?"), entry(2, "How do I delete my account?", kind="correction")])
    assert answers(index, "reset password")[0] == "answer 1"


def test_a_correction_is_found_among_hundreds_of_pairs(index: ExampleIndex) -> None:
    index.add(entry(n, f"How do I reset my password number {n}?") for n in range(400))
    index.add([entry(1_000, "How would one reset a password?", kind="correction")])
    assert "answer 1000" in answers(index, "can I reset the password")


def test_wordings_taught_with_the_same_answer_support_each_other(index: ExampleIndex) -> None:
    query = "someone stole my sword yesterday"
    index.add([entry(1, "my sword got stolen, what now", "Write to support.")])
    alone = index.search(query)[0].confidence
    index.add(
        [entry(n, f"stolen {thing} and sword", "Write to support.") for n, thing in enumerate(("axe", "bow"), 2)]
    )
    assert index.search(query)[0].confidence > alone
    # The same words twice are one wording.
    before = index.search(query)[0].confidence
    index.add([entry(8, "Stolen axe, and sword!", "Write to support.")])
    assert index.search(query)[0].confidence == pytest.approx(before, abs=0.05)


def test_a_passage_is_found_by_its_text_and_never_exact(index: ExampleIndex) -> None:
    text = "Season passes are refunded within fourteen days of the purchase, without questions."
    index.add([entry(1, "Refund policy", text, kind="passage"), entry(2, "Where is the map?")])
    hit = index.search("are season passes refunded")[0]
    assert (hit.entry.order, hit.exact) == (1, False)
    assert hit.confidence >= ANSWER_AT
    assert not index.search("Refund policy")[0].exact
    assert all(hit.confidence < ANSWER_AT for hit in index.search("how do I bake bread"))
    assert index.count() == Counts(pairs=1, passages=1, corrections=0)


def test_words_of_an_answer_find_it_but_do_not_make_it_sure(index: ExampleIndex) -> None:
    index.add([entry(1, "How do I get gold?", "Trade emeralds with the blacksmith in Riverwood.")])
    hit = index.search("blacksmith Riverwood emeralds")[0]
    assert hit.entry.order == 1
    assert 0 < hit.confidence < ANSWER_AT


def test_a_huge_passage_is_kept_whole(index: ExampleIndex) -> None:
    text = "word " * 40_000 + "end"
    index.add([entry(1, "Big", text, kind="passage")])
    assert index.search("big word")[0].entry.answer == text


def test_importing_it_is_light() -> None:
    program = (
        "import sys, trainer.index; print([m for m in ('snowballstemmer', 'rapidfuzz', 'numpy') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == "[]"
