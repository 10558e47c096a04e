"""Runs as they are kept: begun once, each stretch of results written once, deleted without a trace of words."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.unit.evaluation.rooms import ADA, BOB, SCOPE, Room, case, cases
from trainer.evaluation import store as store_module
from trainer.evaluation.detail import drop_detail
from trainer.evaluation.history import comparable_run, finished_runs, run_ids
from trainer.evaluation.keys import RunKeys, author_in
from trainer.evaluation.results import CaseResult, Run
from trainer.evaluation.store import DetailGone, NoCases, Told, TooManyCases, Words, shards_of
from trainer.ports import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainer.evaluation.cases import Case


class Numbers(msgspec.Struct, frozen=True):
    """Stands for a summary."""

    passed: int


def result(number: int, text: str = "x") -> CaseResult:
    return CaseResult(number=number, case=case(number), verdict="passed", score=1.0, answer=text)


def keys(room: Room, prefix: str = "g42/evaluations/") -> list[str]:
    return [info.key.removeprefix(prefix) for info in room.store.list(prefix)]


def authors(room: Room, run: Run) -> set[tuple[str, str]]:
    found = [author_in(SCOPE, info.key) for info in room.store.list(RunKeys(SCOPE, run.id).authors)]
    return {(one.user_id, one.words) for one in found if one is not None}


# --- beginning ------------------------------------------------------------------------------------------------------


def test_a_run_is_begun_once(room: Room) -> None:
    draft = room.draft()
    run = room.runs.begin(SCOPE, draft, cases(25), lambda: 3)
    assert (run.cases, run.rejected, run.cases_key) == (25, 3, f"g42/evaluations/{run.id}/cases.jsonl")
    assert list(room.runs.cases(SCOPE, run.id)) == cases(25)
    assert room.runs.begin(SCOPE, draft, cases(3)) == run
    assert room.runs.load(SCOPE, run.id) == run
    assert [one.id for one in room.runs.identities(SCOPE, run.id)] == [f"c{n}" for n in range(25)]


def test_a_worker_that_died_after_the_cases_is_made_up_for(room: Room) -> None:
    draft = room.draft()
    run = room.runs.begin(SCOPE, draft, cases(25))
    room.store.delete(RunKeys(SCOPE, run.id).run)
    # What has been taught since makes other cases; those that were there first count.
    assert room.runs.begin(SCOPE, draft, cases(7)) == run


def test_nothing_is_stored_of_what_cannot_be_read(room: Room) -> None:
    def broken() -> Iterator[Case]:
        yield case(1)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        room.begin(broken())
    with pytest.raises(NoCases):
        room.begin([])
    assert keys(room) == []


def test_there_is_a_limit(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "CASES_MOST", 5)
    assert room.begin(cases(5)).cases == 5
    with pytest.raises(TooManyCases):
        room.begin(cases(6))


def test_ids_are_made_unique(room: Room) -> None:
    run = room.begin([case(1), case(1, question="Other?"), case(1), case(2, id="c1-2")])
    assert [one.id for one in room.runs.identities(SCOPE, run.id)] == ["c1", "c1-2", "c1-3", "c1-2-2"]


def test_the_same_cases_are_the_same_set_whatever_their_order(room: Room) -> None:
    one, other = room.begin(cases(12)), room.begin(list(reversed(cases(12))))
    assert one.set_id == other.set_id
    assert room.begin(cases(13)).set_id != one.set_id


def test_other_questions_with_the_same_ids_are_another_set(room: Room) -> None:
    one = finished(room, 12)
    other = room.begin([case(n, question=f"Whose is thing {n}?") for n in range(12)])
    assert other.set_id != one.set_id
    assert comparable_run(room.store, SCOPE, other) is None
    asked = [case(n, question="WHAT IS thing 1" if n == 1 else f"What is thing {n}?") for n in range(12)]
    assert room.begin(asked).set_id == one.set_id


@pytest.mark.parametrize("run_id", ["", "x", "../1", "1/2", "١"])
def test_ids_from_outside_are_of_no_run(room: Room, run_id: str) -> None:
    assert room.runs.load(SCOPE, run_id) is None
    assert room.runs.cancel(SCOPE, run_id, "7") is None


# --- results --------------------------------------------------------------------------------------------------------


def test_results_come_in_order_and_the_first_write_stands(room: Room) -> None:
    run = room.begin(cases(25))
    room.runs.save_shard(SCOPE, run.id, 2, [result(n) for n in range(20, 25)])
    room.runs.save_shard(SCOPE, run.id, 0, [result(n) for n in range(10)])
    room.runs.save_shard(SCOPE, run.id, 0, [result(n, "other") for n in range(10)])
    assert room.runs.shards(SCOPE, run.id) == {0, 2}
    found = room.results(run)
    assert [one.number for one in found] == [*range(10), *range(20, 25)]
    assert {one.answer for one in found} == {"x"}
    assert room.runs.shards(SCOPE, run.id, "baseline") == set()


def test_line_ends_in_answers_do_no_harm(room: Room) -> None:
    run = room.begin(cases(1))
    room.runs.save_shard(SCOPE, run.id, 0, [result(0, "a\nb\r\nc\u2028d\x0be\x85f")])
    assert room.results(run)[0].answer == "a\nb\r\nc\u2028d\x0be\x85f"


def test_of_two_writers_at_once_one_stands(room: Room) -> None:
    run = room.begin(cases(10))

    def write(text: str) -> None:
        room.runs.save_shard(SCOPE, run.id, 0, [result(n, text) for n in range(10)])

    threads = [threading.Thread(target=write, args=(text,)) for text in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.answer for one in room.results(run)}) == 1


@pytest.mark.parametrize(("count", "shards"), [(1, 1), (9, 1), (10, 1), (11, 2), (200, 20)])
def test_stretches(count: int, shards: int) -> None:
    assert shards_of(count) == shards


def test_the_summary_is_kept_once(room: Room) -> None:
    run = room.begin(cases(1))
    assert room.runs.summary(SCOPE, run.id, Numbers) is None
    assert room.runs.save_summary(SCOPE, run.id, Numbers(1)) == Numbers(1)
    assert room.runs.save_summary(SCOPE, run.id, Numbers(2)) == Numbers(1)


# --- ending it early ------------------------------------------------------------------------------------------------


def test_the_first_who_cancels_counts(room: Room) -> None:
    run = room.begin(cases(1))
    assert room.runs.cancelled(SCOPE, run.id) is None
    first = room.runs.cancel(SCOPE, run.id, "7")
    assert first is not None
    assert room.runs.cancel(SCOPE, run.id, "8") == first
    assert room.runs.cancelled(SCOPE, run.id) == first


def test_what_is_over_cannot_be_cancelled(room: Room) -> None:
    run = room.begin(cases(1))
    room.runs.save_summary(SCOPE, run.id, Numbers(1))
    assert room.runs.cancel(SCOPE, run.id, "7") is None
    assert room.runs.cancelled(SCOPE, run.id) is None


# --- whose words ----------------------------------------------------------------------------------------------------


def test_it_is_noted_whose_words_are_in_a_run(room: Room) -> None:
    told = [Told(case(1), (Words("7", 500), Words("8", 600))), Told(case(2), (Words("7", 400),)), Told(case(3), ())]
    run = room.begin([*told, case(4), case(5, author="9")], author=BOB)
    assert authors(room, run) == {("7", "400"), ("8", "600"), (BOB.user_id, run.id), ("9", run.id)}
    again = room.begin(cases(2), author=ADA, reruns=run.id, source="failures")
    assert authors(room, again) == authors(room, run)


def test_an_author_that_is_no_person_is_not_noted(room: Room) -> None:
    assert authors(room, room.begin([case(1, author="ci/7")])) == set()


# --- detail that goes -----------------------------------------------------------------------------------------------


def finished(room: Room, count: int = 25, **more: object) -> Run:
    run = room.begin(cases(count), **more)
    room.runs.enter(SCOPE, run)
    for shard in range(shards_of(count)):
        stretch = range(10 * shard, min(count, 10 * shard + 10))
        room.runs.save_shard(SCOPE, run.id, shard, [result(n) for n in stretch])
        room.runs.save_shard(SCOPE, run.id, shard, [result(n) for n in stretch], "baseline")
    room.runs.save_summary(SCOPE, run.id, Numbers(count))
    return run


def test_detail_goes_and_numbers_stay(room: Room) -> None:
    run, other = finished(room), finished(room)
    room.store.put(f"g42/reports/{run.id}-report.html", b"<p>words")
    room.store.put(f"g42/reports/{run.id}0-report.html", b"<p>words")
    assert drop_detail(room.store, SCOPE, run.id) == 9
    assert keys(room, f"g42/evaluations/{run.id}/") == ["run.json", "summary.json"]
    assert keys(room, "g42/reports/") == [f"{run.id}0-report.html"]
    left = room.runs.load(SCOPE, run.id)
    assert left is not None
    assert (left.file_name, left.cases) == ("", 25)
    assert room.runs.summary(SCOPE, run.id, Numbers) == Numbers(25)
    assert len(room.results(other)) == 25
    assert drop_detail(room.store, SCOPE, run.id) == 0
    with pytest.raises(DetailGone):
        list(room.runs.cases(SCOPE, run.id))


def test_results_that_come_late_are_taken_back(room: Room) -> None:
    run = room.begin(cases(25))
    drop_detail(room.store, SCOPE, run.id)
    with pytest.raises(DetailGone):
        room.runs.save_shard(SCOPE, run.id, 0, [result(0)])
    assert keys(room, f"g42/evaluations/{run.id}/") == ["run.json"]
    # The run is not begun anew either.
    assert room.runs.begin(SCOPE, room.draft(id=run.id), cases(25)).cases == 25
    assert not room.runs.has_detail(SCOPE, run.id)


def test_a_run_that_never_began_can_be_taken_back(room: Room) -> None:
    run = room.begin(cases(2))
    room.runs.discard(SCOPE, run.id)
    assert keys(room) == []


def test_deleting_can_be_interrupted_anywhere(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    run = finished(room)
    left = len(keys(room, f"g42/evaluations/{run.id}/"))
    whole = type(room.store).delete
    for allowed in range(left):
        count = iter([True] * allowed)

        def delete(self: object, key: str, count: Iterator[bool] = count) -> None:
            if not next(count, False):
                raise StoreUnavailable("broken")
            whole(room.store, key)

        monkeypatch.setattr(type(room.store), "delete", delete)
        try:
            drop_detail(room.store, SCOPE, run.id)
        except StoreUnavailable:
            there = keys(room, f"g42/evaluations/{run.id}/")
            assert any(key.startswith("authors/") for key in there) or there == ["run.json", "summary.json"]
        monkeypatch.undo()
    assert keys(room, f"g42/evaluations/{run.id}/") == ["run.json", "summary.json"]


# --- the runs of a dataset ------------------------------------------------------------------------------------------


def test_runs_are_listed_the_newest_first(room: Room) -> None:
    runs = [finished(room, 3) for _ in range(4)]
    running = room.begin(cases(3))
    room.runs.enter(SCOPE, running)
    assert run_ids(room.store, SCOPE, "default", most=3) == [running.id, runs[3].id, runs[2].id]
    assert run_ids(room.store, SCOPE, "default", most=9, before=runs[1].id) == [runs[0].id]
    assert run_ids(room.store, SCOPE, "other", most=3) == []
    past = list(finished_runs(room.store, SCOPE, "default", Numbers, most=3))
    assert [one.run.id for one in past] == [runs[3].id, runs[2].id]
    assert past[0].summary == Numbers(3)


def test_a_run_is_compared_with_the_last_one_of_the_same_cases(room: Room) -> None:
    same = finished(room, 12)
    finished(room, 11)
    assert comparable_run(room.store, SCOPE, finished(room, 12)) == same


def test_else_with_the_last_one_that_shares_most_of_them(room: Room) -> None:
    finished(room, 30)
    before = finished(room, 12)
    assert comparable_run(room.store, SCOPE, finished(room, 14)) == before


@pytest.mark.parametrize("why", ["running", "cancelled", "forgotten", "gate", "first", "other"])
def test_some_runs_cannot_be_compared_with(room: Room, why: str) -> None:
    if why == "running":
        room.runs.enter(SCOPE, room.begin(cases(12)))
    elif why == "cancelled":
        early = room.begin(cases(12))
        room.runs.enter(SCOPE, early)
        room.runs.save_shard(SCOPE, early.id, 0, [result(n) for n in range(10)])
        room.runs.save_summary(SCOPE, early.id, Numbers(10))
    elif why == "forgotten":
        drop_detail(room.store, SCOPE, finished(room, 12).id)
    elif why == "gate":
        finished(room, 12, source="gate")
    elif why == "other":
        other = room.begin([case(n, id=f"other-{n}") for n in range(12)])
        room.runs.enter(SCOPE, other)
        for shard in (0, 1):
            room.runs.save_shard(SCOPE, other.id, shard, [result(0)])
        room.runs.save_summary(SCOPE, other.id, Numbers(1))
    run = finished(room, 12)
    assert comparable_run(room.store, SCOPE, run) is None


def test_the_run_of_a_gate_can_be_asked_for(room: Room) -> None:
    gate = finished(room, 12, source="gate")
    run = finished(room, 12)
    assert comparable_run(room.store, SCOPE, run, sources={"gate"}) == gate
    drop_detail(room.store, SCOPE, run.id)
    assert comparable_run(room.store, SCOPE, msgspec.structs.replace(run, set_id="?"), sources={"gate"}) is None
