"""Runs that are over, put together to be told of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.unit.evaluation.rooms import ADA, BOB, SCOPE, Room, case, cases
from trainer.evaluation.detail import drop_detail
from trainer.evaluation.keys import RunKeys, author_in
from trainer.evaluation.results import Run, Subject
from trainer.evaluation.reviewing import HISTORY_MOST, Spool, baseline_of, failures, line_of, reviewed
from trainer.evaluation.store import DetailGone
from trainer.evaluation.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trainer.evaluation.cases import Case

COUNT = 24


def over(room: Room, given: Iterable[Case] | None = None, *, baseline: bool = False, **more: Any) -> Run:
    """A run that is over, with a summary."""
    run = room.begin(given if given is not None else cases(COUNT), **more)
    assert room.runner.run(SCOPE, run, baseline=baseline).state == "finished"
    with reviewed(room.store, SCOPE, run):
        pass
    return run


def teach(room: Room, numbers: Iterable[int]) -> None:
    for number in numbers:
        room.teach(f"What is thing {number}?", f"Answer {number}")


def test_a_run_is_read_once_and_told_of_as_often_as_wanted(room: Room) -> None:
    teach(room, range(0, COUNT, 2))
    run = over(room)
    listed: list[str] = []
    listing = room.store.list

    def counted(prefix: str, **more: Any) -> Any:
        listed.append(prefix)
        return listing(prefix, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room.store, "list", counted)
        with reviewed(room.store, SCOPE, run) as review:
            numbers = [result.number for result in review.view.results()]
            again = zip(review.view.results(), review.view.results(), strict=True)
            assert all(one == two for one, two in again)
    assert numbers == list(range(COUNT))
    assert len([prefix for prefix in listed if "/results/" in prefix]) == 1
    assert (review.view.summary.numbers.passed, review.view.comparison, review.worst) == (12, None, [])
    assert room.runs.summary(SCOPE, run.id, Summary) == review.view.summary


def test_a_summary_that_is_kept_stands(room: Room) -> None:
    run = over(room)
    kept = room.runs.summary(SCOPE, run.id, Summary)
    assert kept is not None
    room.store.put(RunKeys(SCOPE, run.id).summary, msgspec.json.encode(msgspec.structs.replace(kept, leaked=7)))
    with reviewed(room.store, SCOPE, run) as review:
        assert review.view.summary.leaked == 7


def test_an_earlier_run_and_the_untrained_bot_are_compared_with(room: Room) -> None:
    teach(room, range(12))
    first = over(room)
    for number in range(3):
        room.correct(f"What is thing {number}?", "Something else")
    teach(room, range(12, 16))
    second = over(room, baseline=True)
    with reviewed(room.store, SCOPE, second, earlier=first, baseline=second.id, most=2) as review:
        compared, untrained = review.view.comparison, review.view.baseline
        assert compared is not None
        assert (len(compared.improved), len(compared.regressed)) == (4, 3)
        assert untrained is not None
        assert (untrained.before_rate, len(untrained.improved)) == (0.0, 13)
        assert [pair.before.answer for pair in review.worst] == [
            f"Answer {pair.after.case.id.removeprefix('c')}" for pair in review.worst
        ]
        assert [pair.after.answer for pair in review.worst] == ["Something else"] * 2
        before = review.view.before("c15")
        assert before is not None
        assert before.verdict == "failed"
        assert review.view.before("c99") is None


def test_whose_words_the_earlier_run_holds_is_noted_for_the_later_one(room: Room) -> None:
    first = over(room, [case(1, author=BOB.user_id)])
    second = over(room, [case(1)])
    with reviewed(room.store, SCOPE, second, earlier=first):
        pass
    authors = {author_in(SCOPE, info.key) for info in room.store.list(RunKeys(SCOPE, second.id).authors)}
    assert {author.user_id for author in authors if author is not None} == {ADA.user_id, BOB.user_id}


@pytest.mark.parametrize("gone", ["run", "earlier"])
def test_runs_whose_words_are_gone_are_not_told_of(room: Room, gone: str) -> None:
    first, second = over(room), over(room)
    drop_detail(room.store, SCOPE, (second if gone == "run" else first).id)
    with pytest.raises(DetailGone), reviewed(room.store, SCOPE, second, earlier=first):
        raise AssertionError


def test_no_summary_is_kept_of_a_run_that_is_gone(room: Room) -> None:
    run = room.begin(cases(3))
    room.runner.run(SCOPE, run)
    drop_detail(room.store, SCOPE, run.id)
    with pytest.raises(DetailGone), reviewed(room.store, SCOPE, run):
        raise AssertionError
    assert room.runs.summary(SCOPE, run.id, Summary) is None


def test_failures_are_all_that_did_not_pass(room: Room) -> None:
    teach(room, range(20))
    run = over(room)
    assert [one.id for one in failures(room.runs, SCOPE, run)] == ["c20", "c21", "c22", "c23"]
    drop_detail(room.store, SCOPE, run.id)
    with pytest.raises(DetailGone):
        failures(room.runs, SCOPE, run)


def test_what_the_untrained_bot_says_is_asked_once(room: Room) -> None:
    first = over(room)
    assert baseline_of(room.store, SCOPE, first) == ""
    second = over(room, baseline=True)
    assert baseline_of(room.store, SCOPE, second) == second.id
    teach(room, range(3))
    assert baseline_of(room.store, SCOPE, over(room)) == second.id
    # Other cases by the same ids, other means, and other cases altogether are another matter.
    moved = [case(number, tags=("moved",)) for number in range(COUNT)]
    assert baseline_of(room.store, SCOPE, over(room, moved)) == ""
    means = msgspec.structs.replace(room.runner.subject(SCOPE, "default"), judge="another")
    assert baseline_of(room.store, SCOPE, over(room, subject=means)) == ""
    assert baseline_of(room.store, SCOPE, over(room, cases(COUNT - 1))) == ""
    # Where a case stands in its file makes no difference.
    from trainer.importers import Place

    placed = [case(number, place=Place("line", number + 5)) for number in range(COUNT)]
    assert baseline_of(room.store, SCOPE, over(room, placed)) == second.id
    drop_detail(room.store, SCOPE, second.id)
    assert baseline_of(room.store, SCOPE, over(room)) == ""


def test_runs_of_one_kind_make_a_line(room: Room) -> None:
    one = over(room, cases(3))
    renamed = over(room, cases(3), file_name="renamed.csv")
    other = over(room, cases(4))
    over(room, cases(3), file_name="other.csv", subject=Subject(dataset="another"))
    own = over(room, cases(3), source="regression")
    cancelled = room.begin(cases(30))
    room.runs.cancel(SCOPE, cancelled.id, "1")
    room.runner.run(SCOPE, cancelled)
    with reviewed(room.store, SCOPE, cancelled):
        pass
    grown = over(room, cases(5), source="regression")
    last = over(room, cases(3))
    summary = room.runs.summary(SCOPE, last.id, Summary)
    assert summary is not None
    assert [past.run.id for past in line_of(room.store, SCOPE, last, summary)] == [
        one.id,
        renamed.id,
        other.id,
        last.id,
    ]
    assert [past.run.id for past in line_of(room.store, SCOPE, grown, summary)] == [own.id, grown.id]


def test_a_line_has_only_so_many_runs(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.evaluation.reviewing.HISTORY_MOST", 3)
    assert HISTORY_MOST > 3
    runs = [over(room, cases(1)) for _ in range(5)]
    summary = room.runs.summary(SCOPE, runs[-1].id, Summary)
    assert summary is not None
    assert [past.run.id for past in line_of(room.store, SCOPE, runs[-1], summary)] == [run.id for run in runs[-3:]]


def test_results_can_be_read_in_any_order_at_once(room: Room) -> None:
    run = over(room)
    with Spool() as spool:
        spool.fill(room.runs.results(SCOPE, run.id))
        first = iter(spool)
        assert next(first).number == 0
        found = spool.get("c17")
        assert found is not None
        assert found.number == 17
        assert next(first).number == 1
        assert spool.get("c99") is None
        assert len(spool.outcomes) == COUNT
