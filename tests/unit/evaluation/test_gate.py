"""The gate: what passes, what is held back, and that both sides are tested as little as need be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.unit.evaluation.results_made import made
from tests.unit.evaluation.rooms import ADA, BOB, NOW, SCOPE, Model, Room, case
from trainer.answering import Answering
from trainer.answers import save_answer
from trainer.evaluation import gate as gate_module
from trainer.evaluation.cases import Check
from trainer.evaluation.comparison import compare
from trainer.evaluation.delivery import RunOutcome
from trainer.evaluation.detail import drop_detail
from trainer.evaluation.gate import (
    Candidate,
    Gate,
    GateVerdict,
    Unfinished,
    _other_id,
    against_last,
    judged,
    verdict_of,
)
from trainer.evaluation.regression import add_cases
from trainer.evaluation.running import Runner
from trainer.evaluation.store import Runs
from trainer.evaluation.summary import outcomes_of, summarise
from trainer.person_data import find

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainer.corrections import Correction
    from trainer.evaluation.results import CaseResult, Run

COUNT = 12


def question(number: int) -> str:
    return f"What is the code of room number {number}?"


def verdicts(text: str) -> list[CaseResult]:
    """Results by a letter each: p(assed), f(ailed), e(rror)."""
    names: dict[str, Any] = {"p": "passed", "f": "failed", "e": "error"}
    return [made(number, names[letter]) for number, letter in enumerate(text)]


def outcome(before: str, after: str) -> str:
    return judged(compare(outcomes_of(verdicts(before)), outcomes_of(verdicts(after))))


# --- the rule -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("p" * 40, "p" * 40, "passed"),
        ("f" * 6 + "p" * 34, "p" * 40, "passed"),
        ("p" * 40, "f" * 6 + "p" * 34, "worse"),  # McNemar: 0.031
        ("p" * 40, "f" + "p" * 39, "passed"),
        ("p" * 4, "fffp", "worse"),  # McNemar: 0.25, but the mean falls by more than chance explains
        ("p" * 3, "ffp", "passed"),
        ("p", "f", "passed"),
        ("pppppppp", "epppppppp"[:8], "passed"),
        ("p" * 10, "ee" + "p" * 8, "passed"),
        ("p" * 10, "eee" + "p" * 7, "untestable"),
        ("eee" + "p" * 7, "p" * 10, "untestable"),
        ("p" * 10, "e" * 10, "untestable"),
        ("f" * 10, "f" * 10, "passed"),
    ],
)
def test_what_is_held_back(before: str, after: str, expected: str) -> None:
    assert outcome(before, after) == expected


def test_scores_that_nobody_would_tell_apart_are_no_harm() -> None:
    before = [made(number, "passed", 0.95) for number in range(100)]
    slightly = [made(number, "passed", 0.94 if number % 9 else 0.93) for number in range(100)]
    clearly = [made(number, "passed", 0.85 if number % 9 else 0.84) for number in range(100)]
    assert judged(compare(outcomes_of(before), outcomes_of(slightly))) == "passed"
    assert judged(compare(outcomes_of(before), outcomes_of(clearly))) == "worse"


def test_the_other_id_is_of_the_same_moment() -> None:
    ids = [str((NOW_ID + number) << 22 | number) for number in range(200)]
    others = [_other_id(one) for one in ids]
    assert all(int(one) >> 22 == int(other) >> 22 and one != other for one, other in zip(ids, others, strict=True))
    assert len({*ids, *others}) == 400
    assert others == [_other_id(one) for one in ids]


NOW_ID = 370_000_000_000


# --- judging --------------------------------------------------------------------------------------------------------


class Counting(Answering):
    """Counts what it is asked."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.asked: list[tuple[str, str]] = []

    def answer(self, scope: Any, dataset: str, question: str, **more: Any) -> Any:
        self.asked.append((dataset, question))
        return super().answer(scope, dataset, question, **more)


class Gated:
    """A room with a gate, in which twelve corrections are the cases."""

    def __init__(self, room: Room, chat: Model | None = None) -> None:
        self.room = room
        self.answering = Counting(room.library, chat, "Be kind.")
        self.runner = Runner(room.store, room.library, self.answering)
        self.gate = Gate(room.store, self.runner, lambda: NOW)
        for number in range(COUNT):
            room.correct(question(number), f"Code {number}")

    def judge(self, current: Candidate, candidate: Candidate, gate_id: str = "", **more: Any) -> GateVerdict:
        return self.gate.judge(SCOPE, gate_id or self.room.id(), ADA.user_id, current, candidate, **more)

    def teach(self, dataset: str, shift: int = 0) -> None:
        for number in range(COUNT):
            answer = self.room.answered(question(number))
            moved = msgspec.structs.replace(answer, id=self.room.id(), dataset=dataset)
            save_answer(self.room.store, SCOPE, moved)
            self.room.corrections.correct(ADA, self.room.id(), moved.id, f"Code {number + shift}")


DEFAULT = Candidate("default")


@pytest.fixture
def gated(room: Room) -> Gated:
    return Gated(room)


def test_the_same_needs_no_test(gated: Gated) -> None:
    assert gated.judge(DEFAULT, DEFAULT) == GateVerdict("passed", "alike")
    pirate = DEFAULT._replace(instruction_id="5", instruction="Arr.")
    assert gated.judge(DEFAULT, pirate) == GateVerdict("passed", "alike")
    assert not gated.answering.asked


def test_without_cases_it_passes(room: Room) -> None:
    gate = Gate(room.store, room.runner)
    verdict = gate.judge(SCOPE, room.id(), ADA.user_id, Candidate("a"), Candidate("b"))
    assert verdict == GateVerdict("passed", "no_cases")
    assert not list(room.store.list("g42/evaluations/"))


def test_a_dataset_that_knows_nothing_is_worse(gated: Gated) -> None:
    seen: list[tuple[int, int]] = []
    verdict = gated.judge(DEFAULT, Candidate("nothing"), progress=lambda *at: seen.append(at))
    assert (verdict.outcome, verdict.cases, verdict.changed) == ("worse", COUNT, False)
    assert verdict.comparison is not None
    assert len(verdict.comparison.regressed) == COUNT
    assert [(pair.before.verdict, pair.after.answer) for pair in verdict.worst] == [("passed", "")] * 3
    assert seen[0] == (0, 2 * COUNT)
    assert seen[-1] == (2 * COUNT, 2 * COUNT)
    assert [one[0] for one in seen] == sorted(one[0] for one in seen)
    for run_id in (verdict.before_run, verdict.after_run):
        run = gated.room.runs.load(SCOPE, run_id)
        assert run is not None
        assert (run.source, run.author, run.cases) == ("gate", ADA.user_id, COUNT)
    assert verdict.worst == gated.gate.worst(SCOPE, verdict.comparison, verdict.before_run, verdict.after_run)


def test_of_the_same_question_the_case_of_what_would_answer_counts(gated: Gated) -> None:
    gated.teach("moved", shift=1)
    verdict = gated.judge(DEFAULT, Candidate("moved"))
    assert verdict.outcome == "passed"
    assert verdict.comparison is not None
    assert len(verdict.comparison.improved) == COUNT
    # Seen from the other side, it is the same the other way round.
    back = gated.judge(Candidate("moved"), DEFAULT)
    assert back.comparison is not None
    assert len(back.comparison.improved) == COUNT


def propose(room: Room, number: int, right: str) -> Correction:
    return room.corrections.correct(BOB, room.id(), room.answered(question(number)).id, right)


def test_proposals_are_measured_by_what_they_contradict(gated: Gated) -> None:
    wrong = [propose(gated.room, number, "Nobody knows.") for number in range(COUNT)]
    verdict = gated.judge(DEFAULT, DEFAULT._replace(corrections=wrong))
    assert verdict.outcome == "worse"
    assert {pair.after.answer for pair in verdict.worst} == {"Nobody knows."}
    new = [propose(gated.room, COUNT + 1, "Code 13")]
    fine = gated.judge(DEFAULT, DEFAULT._replace(corrections=new))
    assert fine.outcome == "passed"
    # What they say is no case of theirs.
    assert fine.cases == COUNT
    asked = [one.question for one in gated.room.runs.cases(SCOPE, fine.after_run)]
    assert asked == [question(number) for number in range(COUNT)]


def test_an_instruction_is_measured_where_a_model_reads_it(room: Room) -> None:
    class Obedient(Model):
        def reply(self, messages: Any, **more: Any) -> Any:
            self.say = "Arr!" if messages[0].content.startswith("Arr") else "Code 1"
            return super().reply(messages, **more)

    gated = Gated(room, Obedient())
    asked = [case(number, checks=(Check("contains", ("Code 1",)),)) for number in range(8)]
    for one in asked:
        room.teach(one.question, "Code 1")
    add_cases(room.store, ADA, "default", asked, run_id=room.id(), owner=ADA.user_id)
    current = DEFAULT._replace(instruction="Be kind.")
    assert gated.judge(current, current._replace(instruction_id="5", instruction="Be nice.")).outcome == "passed"
    verdict = gated.judge(current, current._replace(instruction_id="6", instruction="Arr."))
    assert verdict.outcome == "worse"
    assert {pair.after.answer for pair in verdict.worst} == {"Arr!"}


def test_what_was_tested_before_is_not_tested_again(gated: Gated) -> None:
    first = gated.judge(DEFAULT, Candidate("nothing"))
    gated.answering.asked.clear()
    again = gated.judge(DEFAULT, Candidate("nothing"))
    assert not gated.answering.asked
    assert again == first
    other = gated.judge(DEFAULT, Candidate("neither"))
    assert {dataset for dataset, _ in gated.answering.asked} == {"neither"}
    assert other.before_run == first.before_run
    # What was taught since is another thing to test.
    gated.room.teach("Where is the map?", "Press M.")
    gated.answering.asked.clear()
    gated.judge(DEFAULT, Candidate("nothing"))
    assert {dataset for dataset, _ in gated.answering.asked} == {"default"}
    # And so are other cases.
    gated.room.correct("Where is the map?", "Press N.")
    gated.answering.asked.clear()
    gated.judge(DEFAULT, Candidate("nothing"))
    assert {dataset for dataset, _ in gated.answering.asked} == {"default", "nothing"}


def test_what_was_deleted_is_tested_again(gated: Gated) -> None:
    first = gated.judge(DEFAULT, Candidate("nothing"))
    drop_detail(gated.room.store, SCOPE, first.before_run)
    gated.answering.asked.clear()
    assert gated.judge(DEFAULT, Candidate("nothing")).outcome == "worse"
    assert {dataset for dataset, _ in gated.answering.asked} == {"default"}
    assert gated.gate.worst(SCOPE, first.comparison, first.before_run, first.after_run) == []  # type: ignore[arg-type]


def test_it_goes_on_where_it_stopped(gated: Gated) -> None:
    gate_id = gated.room.id()
    steps = iter([False, True])

    def stop() -> bool:
        return next(steps, True)

    with pytest.raises(Unfinished) as left:
        gated.judge(DEFAULT, Candidate("nothing"), gate_id, must_stop=stop)
    asked = len(gated.answering.asked)
    assert 0 < asked <= 2 * COUNT
    verdict = gated.judge(DEFAULT, Candidate("nothing"), gate_id)
    assert left.value.progressed == (asked >= 10)
    assert verdict.outcome == "worse"
    assert verdict.after_run == gate_id
    gated.answering.asked.clear()
    assert gated.judge(DEFAULT, Candidate("nothing"), gate_id) == verdict
    assert not gated.answering.asked


def test_teaching_during_the_test_is_told_and_not_believed_later(gated: Gated) -> None:
    taught: list[str] = []

    def teach(done: int, _: int) -> None:
        if done >= COUNT and not taught:
            taught.append(gated.room.correct("Where is the map?", "Press N.").id)
            gated.room.training.dataset_for(ADA, gated.room.id(), "nothing")
            gated.teach("nothing")

    verdict = gated.judge(DEFAULT, Candidate("nothing"), progress=teach)
    assert verdict.changed
    assert not list(gated.room.store.list("g42/gates/tested/"))


@pytest.mark.parametrize(
    ("state", "reason"), [("cancelled", "interrupted"), ("forgotten", "interrupted"), ("busy", "busy")]
)
def test_what_cannot_be_finished_is_not_judged(
    gated: Gated, monkeypatch: pytest.MonkeyPatch, state: Any, reason: str
) -> None:
    monkeypatch.setattr(gate_module, "BUSY_MOST_S", -1.0)
    monkeypatch.setattr(gated.runner, "run", lambda *_, **__: RunOutcome(state, 0, COUNT))
    assert gated.judge(DEFAULT, Candidate("nothing")) == GateVerdict("untestable", reason, cases=COUNT)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "progressed", "delay"),
    [
        (RunOutcome("stopped", 0, COUNT), False, 0.0),
        (RunOutcome("stopped", 10, COUNT, stored=1, delay_s=15), True, 15),
        (RunOutcome("waiting", 0, COUNT, delay_s=10), True, 10),
        (RunOutcome("busy", 0, COUNT, running="7"), True, 10.0),
    ],
)
def test_what_goes_on_later(
    gated: Gated, monkeypatch: pytest.MonkeyPatch, given: RunOutcome, progressed: bool, delay: float
) -> None:
    monkeypatch.setattr(gated.runner, "run", lambda *_, **__: given)
    with pytest.raises(Unfinished) as left:
        gated.judge(DEFAULT, Candidate("nothing"))
    assert (left.value.progressed, left.value.delay_s) == (progressed, delay)


def test_cases_that_were_deleted_meanwhile(gated: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    gate_id = gated.room.id()
    run = gated.runner.run

    def deleted(scope: Any, one: Run, **more: Any) -> RunOutcome:
        found = run(scope, one, **more)
        drop_detail(gated.room.store, SCOPE, one.id)
        return found

    monkeypatch.setattr(gated.runner, "run", deleted)
    assert gated.judge(DEFAULT, Candidate("nothing"), gate_id).reason == "interrupted"


def test_whose_words_are_in_a_test_is_known_of_both_sides(gated: Gated) -> None:
    verdict = gated.judge(DEFAULT, Candidate("nothing"))
    keys = {found.key for found in find(gated.room.store, SCOPE, ADA.user_id)}
    for run_id in (verdict.before_run, verdict.after_run):
        assert any(key.startswith(f"g42/evaluations/{run_id}/authors/{ADA.user_id}.") for key in keys)


# --- another model --------------------------------------------------------------------------------------------------


def over(room: Room, results: Sequence[CaseResult], model: str) -> Run:
    subject = msgspec.structs.replace(room.runner.subject(SCOPE, "default"), model=model)
    run = room.begin([one.case for one in results], subject=subject)
    for shard in range(0, len(results), 10):
        room.runs.save_shard(SCOPE, run.id, shard // 10, results[shard : shard + 10])
    room.runs.save_summary(SCOPE, run.id, summarise(results))
    room.runs.enter(SCOPE, run)
    return run


def test_another_model_is_held_against_the_last_run(room: Room) -> None:
    first = over(room, verdicts("p" * 20), "old")
    assert against_last(room.store, SCOPE, first) is None
    better = over(room, verdicts("p" * 20), "new")
    verdict = against_last(room.store, SCOPE, better)
    assert verdict is not None
    assert (verdict.outcome, verdict.before_run, verdict.after_run) == ("passed", first.id, better.id)
    worse = against_last(room.store, SCOPE, over(room, verdicts("f" * 8 + "p" * 12), "tuned"))
    assert worse is not None
    assert (worse.outcome, len(worse.worst)) == ("worse", 3)
    down = against_last(room.store, SCOPE, over(room, verdicts("e" * 8 + "p" * 12), "broken"))
    assert down is not None
    assert (down.outcome, down.reason, down.errors) == ("untestable", "errors", {"model": 8})


def test_another_question_of_the_same_id_is_not_held_against_it(room: Room) -> None:
    before = verdicts("p" * 20)
    others = [msgspec.structs.replace(one.case, question=f"Where is {one.case.id}?") for one in before[:12]]
    after = [made(number, "failed", case=one) for number, one in enumerate(others)] + before[12:]
    verdict = verdict_of(room.runs, SCOPE, over(room, before, "old"), over(room, after, "new"))
    assert verdict.comparison is not None
    assert (verdict.outcome, verdict.comparison.shared) == ("passed", 8)


def test_a_run_whose_cases_are_gone_says_nothing(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    first = over(room, verdicts("p" * 20), "old")
    second = over(room, verdicts("p" * 20), "new")
    results = Runs.results

    def gone(self: Runs, scope: Any, run_id: str, stream: Any = "results") -> Any:
        return iter(()) if run_id == first.id else results(self, scope, run_id, stream)

    monkeypatch.setattr(Runs, "results", gone)
    assert against_last(room.store, SCOPE, second) is None
