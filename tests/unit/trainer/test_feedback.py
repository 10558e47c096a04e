"""Votes: one a person and answer, the latest press wins, and what all of them come to."""

from __future__ import annotations

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given as with_examples
from hypothesis import strategies as st

from trainer import feedback_summary
from trainer.adapters.file_store import FileStore
from trainer.answers import AnswerRecord, save_answer
from trainer.feedback import (
    COMMENT_MOST,
    RECENT_MOST,
    NoSuchAnswer,
    Opinion,
    Rating,
    Vote,
    changed,
    give,
    last_answer,
    vote_of,
)
from trainer.feedback_summary import DAY_S, FORMULA, Judged, Tally, harmless, read_feedback, summarise, table
from trainer.ports import PreconditionFailed, StoreUnavailable
from trainer.scope import Actor, Scope
from trainer.snowflakes import first_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from trainer.ports import ObjectInfo

SCOPE = Scope("guild", "42")
ADA = Actor(SCOPE, "7", is_manager=True)
BOB = Actor(SCOPE, "8", is_manager=False)
NOW = 1_800_000_000.0
UP, DOWN = Opinion(rating="up", toggle=True), Opinion(rating="down", toggle=True)
EMPTY = Vote(answer_id="100", user_id="8")


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path)


def answered(
    store: FileStore, answer_id: str = "100", *, author: str = "8", scope: Scope = SCOPE, text: str = "Press M."
) -> str:
    record = AnswerRecord(
        id=answer_id,
        dataset="default",
        question=f"Question {answer_id}?",
        text=text,
        kind="trained",
        author=author,
        created_at=NOW,
    )
    save_answer(store, scope, record)
    return answer_id


def pressed(*presses: tuple[str, Opinion]) -> Vote:
    vote = EMPTY
    for interaction_id, opinion in presses:
        vote = changed(vote, opinion, interaction_id, NOW)
    return vote


def test_a_vote_is_given_changed_and_taken_back() -> None:
    assert pressed(("1", UP)).rating == "up"
    assert pressed(("1", UP), ("2", DOWN)).rating == "down"
    assert pressed(("1", UP), ("2", DOWN), ("3", DOWN)).rating is None
    assert pressed(("1", UP), ("2", UP), ("3", UP)).rating == "up"


def test_ids_are_compared_as_numbers() -> None:
    assert pressed(("9", UP), ("10", DOWN)).rating == "down"
    assert pressed(("10", DOWN), ("9", UP)).rating == "down"


def test_what_is_said_in_a_command_is_not_toggled() -> None:
    assert pressed(("1", UP), ("2", Opinion(rating="up"))).rating == "up"


@pytest.mark.parametrize("order", list(permutations([("1", UP), ("2", DOWN), ("2", DOWN), ("1", UP)])))
def test_whatever_comes_late_or_again_the_latest_press_stands(order: tuple[tuple[str, Opinion], ...]) -> None:
    assert pressed(*order).rating == "down"


def test_a_comment_stays_when_the_vote_changes_and_goes_when_it_is_taken_back() -> None:
    said = Opinion(comment="Hm.")
    assert pressed(("1", UP), ("2", said), ("3", DOWN)).comment == "Hm."
    assert pressed(("1", UP), ("2", said), ("3", UP)).comment == ""
    assert pressed(("1", UP), ("2", said), ("3", UP), ("2", said)).comment == ""
    assert pressed(("1", said), ("3", Opinion(comment="Later.")), ("2", said)).comment == "Later."
    assert pressed(("1", UP), ("4", said), ("3", UP)).comment == "Hm."
    assert len(pressed(("1", Opinion(comment="x" * 9999))).comment) == COMMENT_MOST


def test_where_it_is_seen_is_remembered() -> None:
    vote = pressed(("1", Opinion(rating="up", link="https://x")), ("2", DOWN))
    assert vote.link == "https://x"
    assert pressed(("1", Opinion(rating="up", private=True)), ("2", DOWN)).private


def test_votes_are_kept_by_person_and_answer(store: FileStore) -> None:
    answered(store)
    vote, answer = give(store, BOB, "200", "100", UP)
    assert (vote.rating, answer.question) == ("up", "Question 100?")
    give(store, ADA, "201", "100", DOWN)
    assert vote_of(store, BOB, "100") == vote
    assert give(store, BOB, "200", "100", UP)[0] == vote
    assert vote_of(store, Actor(SCOPE, "9", is_manager=False), "100") is None


def test_only_answers_of_this_scope_are_voted_on(store: FileStore) -> None:
    answered(store)
    with pytest.raises(NoSuchAnswer):
        give(store, Actor(Scope("user", "42"), "42", is_manager=True), "200", "100", UP)
    with pytest.raises(NoSuchAnswer):
        give(store, BOB, "200", "101", UP)


def test_presses_at_the_same_time_end_with_the_latest(store: FileStore) -> None:
    answered(store)
    presses: list[tuple[str, Rating]] = [(str(200 + n), "up" if n % 2 else "down") for n in range(6)]
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda one: give(store, BOB, one[0], "100", Opinion(rating=one[1])), presses))
    vote = vote_of(store, BOB, "100")
    assert vote is not None
    assert (vote.rating, vote.rated_by) == ("up", "205")


def test_a_store_that_never_lets_us_write_is_unavailable(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    answered(store)

    def lost(*_: object, **__: object) -> str:
        raise PreconditionFailed

    monkeypatch.setattr(store, "put", lost)
    with pytest.raises(StoreUnavailable):
        give(store, BOB, "200", "100", UP)


def test_the_latest_answer_is_the_persons_own_and_recent(store: FileStore) -> None:
    ids = [str(first_of(NOW + seconds)) for seconds in (-4000, -3000, -2000, -1000, 1000)]
    for answer_id, author in zip(ids, ["8", "8", "8", "7", "8"], strict=True):
        answered(store, answer_id, author=author)
    found = last_answer(store, BOB, str(first_of(NOW)))
    assert found is not None
    assert found.id == ids[2]
    assert last_answer(store, Actor(SCOPE, "9", is_manager=False), str(first_of(NOW))) is None
    assert last_answer(store, BOB, str(first_of(NOW - 3500))) is not None
    assert last_answer(store, BOB, str(first_of(NOW + 9000))) is None
    assert last_answer(store, BOB, "5") is None


def test_on_a_busy_server_only_so_many_answers_are_looked_at(store: FileStore) -> None:
    answered(store, str(first_of(NOW) - RECENT_MOST - 1))
    for number in range(RECENT_MOST):
        answered(store, str(first_of(NOW) - number - 1), author="7")
    assert last_answer(store, BOB, str(first_of(NOW))) is None


def voted(answer_id: str, user_id: str, rating: Rating | None, *, ago_s: float = 0, comment: str = "") -> Vote:
    return Vote(answer_id=answer_id, user_id=user_id, rating=rating, rated_at=NOW - ago_s, comment=comment)


def test_votes_are_counted_over_time() -> None:
    votes = [
        voted("1", "1", "up", ago_s=10),
        voted("1", "2", "down", ago_s=2 * DAY_S),
        voted("1", "3", "up", ago_s=20 * DAY_S),
        voted("1", "4", "up", ago_s=200 * DAY_S),
        voted("1", "5", None, comment="Hm."),
    ]
    summary = summarise(feedback_summary.Feedback([Judged("1", votes)], left_out=False), NOW)
    assert summary.periods == (Tally(1, 0), Tally(1, 1), Tally(2, 1), Tally(3, 1))
    assert (summary.comments, summary.worst, summary.left_out) == (1, [], False)
    assert summary.periods[-1].share == 0.75
    assert Tally().share == 0.0


def test_the_worst_answers_come_first_and_the_latest_of_equals() -> None:
    judged = [
        Judged(str(n), [voted(str(n), str(person), "down" if person < downs else "up") for person in range(4)])
        for n, downs in enumerate([0, 2, 3, 4, 3, 3, 3, 3], 1)
    ]
    summary = summarise(feedback_summary.Feedback(judged, left_out=True), NOW)
    assert [one.answer_id for one in summary.worst] == ["4", "8", "7", "6", "5"]
    assert summary.left_out


def test_all_votes_are_read_with_one_listing(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback_summary, "STRETCH", 3)
    for answer_id in ("100", "101"):
        answered(store, answer_id)
        for person in range(4):
            actor = Actor(SCOPE, str(person), is_manager=False)
            give(store, actor, "200", answer_id, UP if person else Opinion(comment="Only a comment."))
    give(store, Actor(SCOPE, "3", is_manager=False), "300", "101", UP)
    answered(store, "100", scope=Scope("guild", "43"))
    give(store, Actor(Scope("guild", "43"), "1", is_manager=False), "200", "100", DOWN)
    listings: list[str] = []
    seen: list[int] = []
    listed = store.list

    def listing(prefix: str) -> Iterator[ObjectInfo]:
        listings.append(prefix)
        return listed(prefix)

    monkeypatch.setattr(store, "list", listing)
    feedback = read_feedback(store, SCOPE, seen.append)
    assert [(judged.answer_id, judged.tally) for judged in feedback.judged] == [
        ("100", Tally(3, 0)),
        ("101", Tally(2, 0)),
    ]
    assert seen == [3, 6, 8]
    assert listings == ["g42/votes/"]
    assert not feedback.left_out


def test_of_too_many_votes_the_latest_are_read(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback_summary, "VOTES_MOST", 2)
    for answer_id in ("100", "101", "102"):
        give(store, BOB, "200", answered(store, answer_id), UP)
    feedback = read_feedback(store, SCOPE)
    assert [judged.answer_id for judged in feedback.judged] == ["101", "102"]
    assert feedback.left_out


def rows(store: FileStore, scope: Scope = SCOPE) -> list[dict[str, str]]:
    text = "".join(table(store, scope, read_feedback(store, scope)))
    assert text.startswith("\ufeffanswer_id,")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_the_table_has_a_row_an_answer(store: FileStore) -> None:
    answered(store, "100", text='=HYPERLINK("http://evil")')
    give(store, BOB, "200", "100", Opinion(rating="down", comment="+1, \n“no”", link="https://x"), lambda: NOW)
    give(store, ADA, "201", "100", Opinion(comment="Second."), lambda: NOW + 60)
    (row,) = rows(store)
    assert row == {
        "answer_id": "100",
        "asked_at": "2027-01-15T08:00:00+00:00",
        "question": "Question 100?",
        "answer": '\'=HYPERLINK("http://evil")',
        "kind": "trained",
        "votes_up": "0",
        "votes_down": "1",
        "comments": "'+1, \n“no”\nSecond." if row["comments"].startswith("'+1") else "Second.\n+1, \n“no”",
        "first_vote_at": "2027-01-15T08:00:00+00:00",
        "last_vote_at": "2027-01-15T08:01:00+00:00",
        "link": "https://x",
    }


def test_the_table_does_without_answers_that_were_deleted_or_private(store: FileStore) -> None:
    answered(store, "100")
    give(store, BOB, "200", "100", Opinion(rating="up", private=True))
    give(store, BOB, "201", answered(store, "101"), UP)
    store.delete("g42/answers/101.json")
    private, deleted = rows(store)
    assert (private["question"], private["kind"]) == ("", "trained")
    assert (deleted["question"], deleted["kind"], deleted["votes_up"]) == ("", "", "1")
    own = Scope("user", "8")
    answered(store, "100", scope=own)
    give(store, Actor(own, "8", is_manager=True), "200", "100", Opinion(rating="up", private=True))
    assert rows(store, own)[0]["question"] == "Question 100?"


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "  =1", "＝1"])
def test_formulas_are_made_harmless(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "1+1", "a=b", "'=1", " "])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert harmless(cell) == cell


@with_examples(st.text())
def test_no_cell_begins_like_a_formula(cell: str) -> None:
    assert harmless(cell).lstrip(" ")[:1] not in FORMULA
