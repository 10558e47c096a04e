"""Which run says how good the answers are now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.evaluation.rooms import SCOPE, cases, runner
from trainer.evaluation.history import LOOK_BACK, last_test
from trainer.evaluation.summary import Summary, summarise
from trainer.scope import Scope
from trainer.statistics import statistics

if TYPE_CHECKING:
    from tests.unit.evaluation.rooms import Room
    from trainer.evaluation.results import Run


def whole_run(room: Room, count: int, **more: object) -> Run:
    """A run that is over: of 7 answers, one is wrong."""
    run = room.begin(cases(count), **more)
    assert runner(room).run(SCOPE, run).state == "finished"
    room.runs.save_summary(SCOPE, run.id, summarise(room.results(run)))
    return run


def test_the_last_whole_run_of_any_dataset_is_told_of(room: Room) -> None:
    assert last_test(room.store, SCOPE, Summary) is None
    whole_run(room, 3)
    subject = room.runner.subject(SCOPE, "events")
    run = whole_run(room, 14, source="regression", subject=subject)
    whole_run(room, 2, source="failures")
    whole_run(room, 4, source="gate")
    stopped = whole_run(room, 5)
    room.store.delete(f"{SCOPE.prefix}/evaluations/{stopped.id}/summary.json")
    assert room.runs.cancel(SCOPE, stopped.id, "7") is not None
    room.runs.save_summary(SCOPE, stopped.id, summarise(room.results(stopped)))
    room.runs.enter(SCOPE, room.begin(cases(6)))  # not over

    found = last_test(room.store, SCOPE, Summary)
    assert found is not None
    assert found.run == run
    counted = statistics(room.store, room.library, SCOPE, counts_cost=False).tested
    assert counted is not None
    assert (counted.dataset, counted.at, counted.numbers.passed) == ("events", run.created_at, 12)
    assert last_test(room.store, Scope("guild", "4"), Summary) is None


def test_it_is_read_cheaply(room: Room) -> None:
    for _ in range(LOOK_BACK + 5):
        run = room.draft(source="gate")
        room.runs.begin(SCOPE, run, cases(1))
        room.runs.enter(SCOPE, run)
    read: list[str] = []
    get = room.store.get

    def counting(key: str) -> object:
        read.append(key)
        return get(key)

    room.store.get = counting  # type: ignore[method-assign,assignment]
    assert last_test(room.store, SCOPE, Summary) is None
    assert len(read) == LOOK_BACK
