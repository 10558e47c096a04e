"""Runs that are stopped, cancelled, forgotten or worked on by two, and stores that fail: the results are the same."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.evaluation.rooms import SCOPE, Answers, Room, case, cases, runner, timeless, undisturbed
from trainer.evaluation import claims, delivery, examining, running
from trainer.evaluation.cases import Check
from trainer.evaluation.detail import drop_detail
from trainer.evaluation.keys import active_key
from trainer.evaluation.results import CheckResult
from trainer.ports import StoreUnavailable
from trainer.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.answers import Answer
    from trainer.evaluation.delivery import Progress, RunOutcome

pytestmark = pytest.mark.usefixtures("_quick")
COUNT = 47


class Stop:
    """Wants the work to stop after so many cases were taken."""

    def __init__(self, after: int) -> None:
        self.after = after
        self.done = 0

    def progress(self, progress: Progress) -> None:
        self.done = progress.done

    def __call__(self) -> bool:
        return self.done >= self.after


# --- stopping and going on ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [0, 1, 10, 25, 46])
def test_a_run_that_is_stopped_goes_on_elsewhere(room: Room, after: int) -> None:
    run = room.begin(cases(COUNT))
    stop = Stop(after)
    answers = Answers()
    first = runner(room, answers).run(SCOPE, run, progress=stop.progress, must_stop=stop)
    assert first.state in {"stopped", "finished"}
    assert first.done == len(room.results(run)) == min(COUNT, 10 * first.stored)
    assert (after > 0) == (first.stored > 0)
    second = runner(room, answers).run(SCOPE, run)
    assert (second.state, second.done) == ("finished", COUNT)
    assert timeless(room.results(run)) == undisturbed(room, COUNT)
    # What had been begun was finished and stored: nothing was answered in vain.
    assert set(answers.count.values()) == {1}


def test_a_slow_case_does_not_hold_up_the_end(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "LAST_S", 0.1)
    going_on = threading.Event()

    def hang(number: int) -> Answer | None:
        if number == 15:
            going_on.wait(20)
        return None

    run = room.begin(cases(COUNT))
    stop = Stop(10)
    outcome = runner(room, Answers(hang)).run(SCOPE, run, progress=stop.progress, must_stop=stop)
    going_on.set()
    assert (outcome.state, outcome.stored) == ("stopped", 1)
    assert runner(room).run(SCOPE, run).state == "finished"
    assert timeless(room.results(run)) == undisturbed(room, COUNT)


def test_nothing_is_checked_that_nobody_waits_for(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "LAST_S", 0.05)
    stop, going_on, checked = threading.Event(), threading.Event(), []

    def check(check: Check, *_: object) -> CheckResult:
        checked.append(check)
        stop.set()
        going_on.wait(20)
        return CheckResult(check.kind, passed=True, score=1.0)

    monkeypatch.setattr(examining, "run_check", check)
    run = room.begin([case(1, checks=(Check("abstain"),) * 20)])
    assert runner(room).run(SCOPE, run, must_stop=stop.is_set).state == "stopped"
    (busy,) = (one for one in threading.enumerate() if one.name.startswith("evaluation-"))
    going_on.set()
    busy.join(20)
    assert not busy.is_alive()
    assert len(checked) == 1


def test_stopping_during_the_baseline_goes_on_there(room: Room) -> None:
    run = room.begin(cases(COUNT))

    class Late(Stop):
        def progress(self, progress: Progress) -> None:
            self.done = progress.done if progress.stream == "baseline" else 0

    stop = Late(10)
    outcome = runner(room).run(SCOPE, run, progress=stop.progress, must_stop=stop, baseline=True)
    assert (outcome.state, outcome.baseline, outcome.done) == ("stopped", False, COUNT)
    outcome = runner(room).run(SCOPE, run, baseline=True)
    assert (outcome.state, outcome.baseline) == ("finished", True)
    assert len(room.results(run, "baseline")) == COUNT


def test_a_run_can_be_cancelled(room: Room) -> None:
    run = room.begin(cases(COUNT))

    def cancel(progress: Progress) -> None:
        if progress.done >= 10:
            room.runs.cancel(SCOPE, run.id, "7")

    outcome = runner(room).run(SCOPE, run, progress=cancel)
    assert outcome.state == "cancelled"
    assert outcome.done == len(room.results(run))
    assert 10 <= outcome.done < COUNT
    # A second delivery tells the same, and does no more.
    answers = Answers()
    assert runner(room, answers).run(SCOPE, run)._replace(stored=outcome.stored) == outcome
    assert not answers.count


def test_a_cancel_that_comes_after_the_last_case_changes_nothing(room: Room) -> None:
    run = room.begin(cases(3))
    runner(room).run(SCOPE, run)
    room.runs.cancel(SCOPE, run.id, "7")
    assert runner(room).run(SCOPE, run).state == "finished"


def test_a_run_whose_cases_are_deleted_ends(room: Room) -> None:
    run = room.begin(cases(COUNT))

    def forget(progress: Progress) -> None:
        if progress.done == 10:
            drop_detail(room.store, SCOPE, run.id)

    outcome = runner(room).run(SCOPE, run, progress=forget)
    assert outcome.state == "forgotten"
    assert room.results(run) == []
    assert runner(room).run(SCOPE, run).state == "forgotten"
    left = {info.key.rpartition("/")[2] for info in room.store.list(f"g42/evaluations/{run.id}/")}
    assert left == {"run.json"}


# --- two at a time --------------------------------------------------------------------------------------------------


def together(*acts: Callable[[], RunOutcome]) -> list[RunOutcome]:
    found: dict[int, RunOutcome] = {}
    threads = [
        threading.Thread(target=lambda n=n, act=act: found.__setitem__(n, act())) for n, act in enumerate(acts)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return [found[number] for number in range(len(acts))]


def test_two_deliveries_at_once_do_the_work_once(room: Room) -> None:
    run = room.begin(cases(COUNT))
    answers = Answers(lambda _: time.sleep(0.005))
    one, other = runner(room, answers), runner(room, answers)
    outcomes = together(lambda: one.run(SCOPE, run), lambda: other.run(SCOPE, run))
    assert [outcome.state for outcome in outcomes] == ["finished", "finished"]
    assert sum(outcome.stored for outcome in outcomes) == 5
    assert timeless(room.results(run)) == undisturbed(room, COUNT)
    assert set(answers.count.values()) == {1}


def test_a_second_run_of_a_scope_is_told_of_the_first(room: Room) -> None:
    first, second = room.begin(cases(COUNT)), room.begin(cases(3))
    working = threading.Event()
    going_on = threading.Event()

    def wait(number: int) -> Answer | None:
        working.set()
        going_on.wait(20)
        return None

    thread = threading.Thread(target=lambda: runner(room, Answers(wait)).run(SCOPE, first))
    thread.start()
    assert working.wait(20)
    assert room.runner.active(SCOPE) == first.id
    assert runner(room).run(SCOPE, second) == delivery.RunOutcome("busy", 0, 3, running=first.id)
    elsewhere = Scope("guild", "43")
    other = room.runs.begin(elsewhere, room.draft(), cases(3))
    assert runner(room).run(elsewhere, other).state == "finished"
    going_on.set()
    thread.join(60)
    assert room.runner.active(SCOPE) == ""
    assert runner(room).run(SCOPE, second).state == "finished"


def test_a_process_works_on_few_runs_at_a_time(room: Room) -> None:
    busy = runner(room, runs_most=1)
    assert busy._places.acquire(blocking=False)
    now = time.time()
    assert busy.run(SCOPE, room.begin(cases(3), created_at=now)).state == "waiting"
    assert busy.run(SCOPE, room.begin(cases(3), created_at=now - 4000)).state == "busy"
    busy._places.release()
    assert busy.run(SCOPE, room.begin(cases(3), created_at=now)).state == "finished"


def test_a_dead_run_blocks_nobody_for_long(room: Room) -> None:
    dead, run = room.begin(cases(3)), room.begin(cases(3))
    assert isinstance(claims.claim(room.store, SCOPE, dead.id, lasts_s=0.2), claims.Claim)
    assert runner(room).run(SCOPE, run).state == "busy"
    time.sleep(0.25)
    assert runner(room).run(SCOPE, run).state == "finished"


def test_the_next_delivery_waits_until_the_dead_one_is_silent(room: Room) -> None:
    run = room.begin(cases(3))
    assert isinstance(claims.claim(room.store, SCOPE, run.id, lasts_s=0.3), claims.Claim)
    assert runner(room).run(SCOPE, run).state == "finished"


def test_who_waits_in_vain_for_another_delivery_has_not_failed(room: Room) -> None:
    run = room.begin(cases(3))
    assert isinstance(claims.claim(room.store, SCOPE, run.id, lasts_s=60), claims.Claim)
    outcome = runner(room).run(SCOPE, run, must_stop=lambda: True)
    assert outcome == delivery.RunOutcome("waiting", 0, 3, delay_s=running.TURN_S)


def test_a_worker_that_was_taken_for_dead_lets_the_other_go_on(room: Room) -> None:
    run = room.begin(cases(COUNT))
    stolen: list[object] = []

    def steal(progress: Progress) -> None:
        if progress.done >= 10 and not stolen:
            room.store.delete(active_key(SCOPE))
            stolen.append(claims.claim(room.store, SCOPE, run.id, lasts_s=0.3))

    outcome = runner(room, Answers(lambda _: time.sleep(0.01)), lasts_s=0.2).run(SCOPE, run, progress=steal)
    assert outcome.state == "finished"
    assert timeless(room.results(run)) == undisturbed(room, COUNT)


# --- a store that fails ---------------------------------------------------------------------------------------------


def test_a_store_that_fails_later_is_tried_by_another_job(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "STORE_TRIES", 1)
    run = room.begin(cases(COUNT))
    save = room.runs.save_shard
    working = runner(room)

    def fail(scope: Scope, run_id: str, number: int, *more: Any) -> None:
        if number == 2:
            raise StoreUnavailable("gone")
        save(scope, run_id, number, *more)

    monkeypatch.setattr(working.runs, "save_shard", fail)
    outcome = working.run(SCOPE, run)
    assert (outcome.state, outcome.stored, outcome.delay_s > 0) == ("stopped", 2, True)
    # When it gets nowhere, that is a failure.
    with pytest.raises(StoreUnavailable):
        working.run(SCOPE, run)
    assert runner(room).run(SCOPE, run).state == "finished"
    assert timeless(room.results(run)) == undisturbed(room, COUNT)


def test_a_store_that_fails_for_a_moment_is_tried_again(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    run = room.begin(cases(3))
    save, fails = room.runs.save_shard, iter([True, True])
    working = runner(room)

    def fail(*more: Any) -> None:
        if next(fails, False):
            raise StoreUnavailable("gone")
        save(*more)

    monkeypatch.setattr(working.runs, "save_shard", fail)
    assert working.run(SCOPE, run).state == "finished"
