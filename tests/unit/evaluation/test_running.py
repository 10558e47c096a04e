"""Runs that are worked off from beginning to end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.unit.evaluation.rooms import ADA, SCOPE, Answers, Model, Room, case, cases, runner, timeless, undisturbed
from trainer.answering import Answering
from trainer.evaluation import delivery
from trainer.evaluation.cases import Check, Exchange

if TYPE_CHECKING:
    from trainer.evaluation.delivery import Progress
    from trainer.evaluation.results import Run

pytestmark = pytest.mark.usefixtures("_quick")
COUNT = 47


# --- a run from beginning to end ------------------------------------------------------------------------------------


def test_a_run_answers_all_cases_in_order(room: Room) -> None:
    run = room.begin(cases(COUNT))
    answers = Answers()
    assert runner(room, answers).run(SCOPE, run) == delivery.RunOutcome("finished", COUNT, COUNT, stored=5)
    results = room.results(run)
    assert [one.number for one in results] == list(range(COUNT))
    assert [one.case for one in results] == cases(COUNT)
    assert [one.verdict == "failed" for one in results] == [number % 7 == 6 for number in range(COUNT)]
    assert [one.score for one in results[5:8]] == [1.0, 0.0, 1.0]
    assert results[0].answer == "Answer 0"
    assert results[0].kind == "trained"
    assert results[0].checks[0].passed
    assert set(answers.count.values()) == {1}


def test_a_run_that_is_finished_is_not_done_again(room: Room) -> None:
    run = room.begin(cases(COUNT))
    answers = Answers()
    for stored in (5, 0):
        assert runner(room, answers).run(SCOPE, run) == delivery.RunOutcome("finished", COUNT, COUNT, stored=stored)
    assert set(answers.count.values()) == {1}


def test_what_is_taught_is_what_is_tested(room: Room) -> None:
    room.teach("What is thing 1?", "Answer 1")
    room.teach("How do I reset my password?", "Press Forgot.")
    asked = case(
        2, question="I forgot my password, how can I reset it?", checks=(Check("exact", ("Press Forgot.",)),)
    )
    run = room.begin([case(1), asked, case(3, question="Is it cold on Mars?", checks=(Check("abstain"),)), case(4)])
    assert room.runner.run(SCOPE, run).state == "finished"
    results = room.results(run)
    assert [one.verdict for one in results] == ["passed", "passed", "passed", "failed"]
    assert [one.leaked for one in results] == [True, False, False, False]
    assert [one.kind for one in results] == ["trained", "trained", "unknown", "unknown"]
    assert results[3].answer == ""
    assert run.subject.examples == 2


def test_the_baseline_is_the_same_with_nothing_taught(room: Room) -> None:
    room.teach("What is thing 1?", "Answer 1")
    run = room.begin([case(1), case(2, checks=(Check("abstain"),))])
    outcome = room.runner.run(SCOPE, run, baseline=True)
    assert (outcome.state, outcome.baseline, outcome.stored) == ("finished", True, 2)
    assert [one.verdict for one in room.results(run)] == ["passed", "passed"]
    assert [one.verdict for one in room.results(run, "baseline")] == ["failed", "passed"]


def test_a_case_may_be_a_conversation(room: Room) -> None:
    room.teach("How do I reset my password?", "Press Forgot.")
    room.teach("How do I reset my password on mobile?", "Shake the phone.")
    former = (Exchange("How do I reset my password?", "Press Forgot."), Exchange("ok", ""))
    follow_up = Check("exact", ("Shake the phone.",))
    run = room.begin(
        [
            case(1, question="And on mobile?", former=former, checks=(follow_up,)),
            case(2, question="And on mobile?", former=former[:1], checks=(follow_up,)),
            case(3, question="And on mobile?", checks=(follow_up,)),
        ]
    )
    room.runner.run(SCOPE, run)
    assert [one.verdict for one in room.results(run)][1:] == ["passed", "failed"]


def test_corrections_can_be_tried_before_they_count(room: Room) -> None:
    room.teach("What is thing 1?", "Something old")
    proposal = room.corrections.correct(
        ADA._replace(is_manager=False), room.id(), room.answered("What is thing 1?").id, "Answer 1"
    )
    told = list(room.runner.regression(SCOPE, "default", overlay=[proposal]))
    assert [one.case.question for one in told] == ["What is thing 1?"]
    assert not list(room.runner.regression(SCOPE, "default"))
    run = room.begin([case(1)], source="gate", subject=room.runner.subject(SCOPE, "default", overlay=[proposal]))
    outcome = room.runner.run(SCOPE, run, overlay=[proposal])
    assert (outcome.state, outcome.changed) == ("finished", False)
    assert [one.kind for one in room.results(run)] == ["correction"]
    # Nothing of it is in force.
    assert room.answering.answer(SCOPE, "default", "What is thing 1?").text == "Something old"
    assert not list((room.library._cache).glob("overlaid-*"))


def test_an_instruction_can_be_tried(room: Room) -> None:
    room.teach("What is thing 1?", "Answer 1")
    told: list[str] = []

    class Listening(Model):
        def reply(self, messages: Any, **more: Any) -> Any:
            told.append(messages[0].content)
            return super().reply(messages, **more)

    answering = Answering(room.library, Listening("Answer 1"), "Be kind.")
    run = room.begin([case(1)])
    runner(room, answering).run(SCOPE, run, instruction="Speak like a pirate.")
    assert "pirate" in told[0]
    assert "Be kind." not in told[0]


def test_teaching_during_a_run_is_told(room: Room) -> None:
    run = room.begin(cases(3))
    assert not room.runner.run(SCOPE, run).changed
    run = room.begin(cases(3))
    room.teach("What is thing 1?", "Answer 1")
    assert room.runner.run(SCOPE, run).changed


def test_progress_goes_up_to_the_end(room: Room) -> None:
    seen: list[Progress] = []
    run = room.begin(cases(COUNT))
    runner(room).run(SCOPE, run, progress=seen.append, baseline=True)
    for stream in ("results", "baseline"):
        mine = [one for one in seen if one.stream == stream]
        assert [one.done for one in mine] == sorted(one.done for one in mine)
        assert (mine[0].done, mine[-1].done, mine[0].total) == (0, COUNT, COUNT)
        assert mine[0].seconds_left is None
        assert mine[-1].seconds_left == 0


def test_who_is_told_of_progress_may_end_the_work(room: Room) -> None:
    class Abandoned(Exception):
        pass

    def abandon(progress: Progress) -> None:
        if progress.done >= 10:
            raise Abandoned

    run = room.begin(cases(COUNT))
    with pytest.raises(Abandoned):
        runner(room).run(SCOPE, run, progress=abandon)
    assert room.runner.active(SCOPE) == ""
    assert runner(room).run(SCOPE, run).state == "finished"
    assert timeless(room.results(run)) == undisturbed(room, COUNT)


def test_subjects_tell_what_is_tested(room: Room) -> None:
    empty = room.runner.subject(SCOPE, "default")
    first = room.teach("What is thing 1?", "Answer 1")
    one = room.runner.subject(SCOPE, "default")
    assert (empty.examples, one.examples) == (0, 1)
    assert empty.snapshot != one.snapshot
    assert room.runner.subject(SCOPE, "default") == one
    assert room.runner.subject(SCOPE, "default", instruction="draft 7").instruction == "draft 7"
    proposal = room.corrections.correct(
        ADA._replace(is_manager=False), room.id(), room.answered("What is thing 1?").id, "Right"
    )
    assert room.runner.subject(SCOPE, "default", overlay=[proposal]).examples == 2
    assert first
    full = runner(room, Answering(room.library, Model(), ""), judge=Model(), embedder=Named())
    told = full.subject(SCOPE, "default")
    assert (told.model, told.judge, told.embedder) == ("a model", "a model", "vectors")


class Named:
    """An embedder's name."""

    name = "vectors"
    size = 2

    def embed(self, texts: Any) -> list[Any]:
        return [[1.0, 0.0] for _ in texts]


def test_runs_are_listed_as_soon_as_they_are_worked_on(room: Room) -> None:
    from trainer.evaluation.history import run_ids

    run: Run = room.begin(cases(3))
    assert run_ids(room.store, SCOPE, "default", most=5) == []
    runner(room).run(SCOPE, run)
    assert run_ids(room.store, SCOPE, "default", most=5) == [run.id]
    assert msgspec.structs.replace(run) == run
