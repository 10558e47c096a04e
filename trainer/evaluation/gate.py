"""The gate in front of what goes live: a change counts only if it does not make the answers significantly worse.

What is in force and what would be in force answer the same cases: those of the dataset that answers now, and those of
the dataset that would. Both sides are ordinary runs, so whichever worker goes on with them comes to the same. A side
that was tested before with the very same cases is not tested again.

It does not count if more cases get worse than chance explains (McNemar's exact test), or if the mean score falls by
more than anybody overlooks and chance explains (paired bootstrap). That few cases say little is no reason against a
change; that many could not be judged is.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from trainer.evaluation.cases import CASES_MOST
from trainer.evaluation.comparison import Comparison, Pair, compare, worst
from trainer.evaluation.gate_store import Gates
from trainer.evaluation.history import comparable_run
from trainer.evaluation.results import Run
from trainer.evaluation.running import TURN_S, never
from trainer.evaluation.statistics import SAME_WITHIN
from trainer.evaluation.store import DetailGone, NoCases, Runs, shards_of
from trainer.evaluation.summary import recording
from trainer.snowflakes import TIME_BITS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from trainer.corrections import Correction
    from trainer.evaluation.delivery import Progress
    from trainer.evaluation.gate_store import Outcome, Reason
    from trainer.evaluation.results import Subject
    from trainer.evaluation.running import Runner
    from trainer.evaluation.store import Told
    from trainer.evaluation.summary import Outcomes
    from trainer.ports import ObjectStore
    from trainer.scope import Scope

ERRORS_MOST: Final = 0.2
"""Share of cases that could not be judged beyond which nothing is known."""
WORST_MOST: Final = 3
BUSY_MOST_S: Final = 600.0
"""How long to wait for other tests of the scope to end."""


class Candidate(NamedTuple):
    """What would be in force."""

    dataset: str
    instruction_id: str = ""
    """Names the instruction: its version or draft; empty for the default text."""
    instruction: str | None = None
    """What a chat model is told first; None for whatever is in force."""
    corrections: Sequence[Correction] = ()
    """Those that count besides what the dataset holds."""


class GateVerdict(NamedTuple):
    """How a change is judged."""

    outcome: Outcome
    reason: Reason = ""
    comparison: Comparison | None = None
    """None if nothing was tested."""
    worst: Sequence[Pair] = ()
    """The regressions that lost most."""
    cases: int = 0
    errors: Mapping[str, int] = {}
    """How many answers could not be judged, on both sides, by reason."""
    changed: bool = False
    """Something was taught while it was tested."""
    before_run: str = ""
    after_run: str = ""


class Unfinished(Exception):
    """The test is not over, and goes on when the change is judged again.

    Attributes:
        progressed: whether it has come further, or waits for something that will end.
        delay_s: how long to wait before that, in seconds.
        waiting: whether it is another test's turn.
    """

    def __init__(self, *, progressed: bool, delay_s: float, waiting: bool = False) -> None:
        super().__init__("the test goes on later")
        self.progressed = progressed
        self.delay_s = delay_s
        self.waiting = waiting


class _Interrupted(Exception):
    """The test cannot be finished."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class _Side(NamedTuple):
    """One of the two sides, and the run that tests it."""

    candidate: Candidate
    subject: Subject
    """As it is now; that of the run is as it was when the run began."""
    run: Run
    known: bool
    """The run is an earlier one, and over."""


def unseen(done: int, total: int) -> None:
    """Nobody looks."""
    del done, total


class Gate:
    """Judges changes. `gate_id` is the interaction's by which one is wanted: judged again, it goes on."""

    def __init__(self, store: ObjectStore, runner: Runner, clock: Callable[[], float] = time.time) -> None:
        self._runner = runner
        self._runs = runner.runs
        self._gates = Gates(store, clock)
        self._clock = clock

    def judge(
        self,
        scope: Scope,
        gate_id: str,
        author: str,
        current: Candidate,
        candidate: Candidate,
        *,
        progress: Callable[[int, int], None] = unseen,
        must_stop: Callable[[], bool] = never,
    ) -> GateVerdict:
        """Test what is in force and what would be, and compare.

        Args:
            scope: whose answers change.
            gate_id: names the test.
            author: who wants the change.
            current: what is in force.
            candidate: what would be.
            progress: told how many answers there are, of how many. What it raises ends the work and passes.
            must_stop: as in `Runner.run`.

        Raises `Unfinished`, and `StoreUnavailable` as `Runner.run` does.
        """
        before, after = self._subject(scope, current), self._subject(scope, candidate)
        if _alike(before, after):
            return GateVerdict("passed", "alike")
        run = self._runs.load(scope, gate_id)
        if run is None:
            draft = self._draft(gate_id, author, after)
            try:
                run = self._runs.begin(scope, draft, self._cases(scope, current, candidate))
            except NoCases:
                return GateVerdict("passed", "no_cases")
        try:
            cases = self._digest(scope, run.id)
            sides = (
                self._side(scope, _other_id(gate_id), run, current, before, cases),
                self._side(scope, gate_id, run, candidate, after, cases),
            )
            changed = self._work(scope, run, sides, progress, must_stop)
            found = verdict_of(self._runs, scope, sides[0].run, sides[1].run)
        except (DetailGone, _Interrupted) as interrupted:
            reason: Reason = interrupted.reason if isinstance(interrupted, _Interrupted) else "interrupted"
            return GateVerdict("untestable", reason, cases=run.cases)
        if not changed and not found.errors:
            for side in sides:
                # Some models are known by name only once they have answered.
                self._gates.remember(scope, self._subject(scope, side.candidate), cases, side.run.id)
        return found._replace(changed=changed)

    def worst(self, scope: Scope, comparison: Comparison, before_run: str, after_run: str) -> list[Pair]:
        """The regressions of a change that was judged before; none if they were deleted since."""
        return _worst(self._runs, scope, comparison, before_run, after_run)

    # ----------------------------------------------------------------------------------------------------------------

    def _subject(self, scope: Scope, candidate: Candidate) -> Subject:
        return self._runner.subject(
            scope, candidate.dataset, overlay=candidate.corrections, instruction=candidate.instruction_id
        )

    def _cases(self, scope: Scope, current: Candidate, candidate: Candidate) -> list[Told]:
        """The cases of both datasets; of the same question, that of the dataset that would answer.

        Corrections that wait are no cases yet: what they say would be right by definition. They are measured by what
        becomes of the other cases, and of what they contradict.
        """
        found: dict[str, Told] = {}
        for dataset in dict.fromkeys((current.dataset, candidate.dataset)):
            for told in self._runner.regression(scope, dataset):
                found[told.case.id] = told
        return list(found.values())[-CASES_MOST:]

    def _draft(self, run_id: str, author: str, subject: Subject, reruns: str = "") -> Run:
        return Run(
            id=run_id,
            author=author,
            created_at=self._clock(),
            subject=subject,
            cases=0,
            source="gate",
            reruns=reruns,
        )

    def _side(
        self, scope: Scope, run_id: str, named: Run, candidate: Candidate, subject: Subject, cases: str
    ) -> _Side:
        """The run of a side; `named` has the cases."""
        known = self._runs.load(scope, self._gates.tested(scope, subject, cases))
        if known is not None and self._is_whole(scope, known):
            return _Side(candidate, subject, known, known=True)
        begun = self._runs.load(scope, run_id)
        if begun is None:
            # As a repetition of the other run it takes over whose words those cases are.
            draft = self._draft(run_id, named.author, subject, reruns=named.id)
            begun = self._runs.begin(scope, draft, self._runs.cases(scope, named.id))
        return _Side(candidate, subject, begun, known=False)

    def _is_whole(self, scope: Scope, run: Run) -> bool:
        there = self._runs.has_detail(scope, run.id)
        return there and len(self._runs.shards(scope, run.id)) == shards_of(run.cases)

    def _digest(self, scope: Scope, run_id: str) -> str:
        """Names the cases of a run by all that they say, whatever their order."""
        digests = [hashlib.blake2b(msgspec.json.encode(case)).digest() for case in self._runs.cases(scope, run_id)]
        return hashlib.blake2b(b"".join(sorted(digests)), digest_size=16).hexdigest()

    def _work(
        self,
        scope: Scope,
        named: Run,
        sides: Sequence[_Side],
        progress: Callable[[int, int], None],
        must_stop: Callable[[], bool],
    ) -> bool:
        """Have both sides answer; whether something was taught meanwhile."""
        total = sum(side.run.cases for side in sides if not side.known)
        done = stored = 0
        changed = False

        def tell(told: Progress) -> None:
            progress(done + told.done, total)

        for side in sides:
            if side.known:
                continue
            outcome = self._runner.run(
                scope,
                side.run,
                progress=tell,
                must_stop=must_stop,
                overlay=side.candidate.corrections,
                instruction=side.candidate.instruction,
            )
            stored += outcome.stored
            match outcome.state:
                case "finished":
                    done += side.run.cases
                    changed = changed or outcome.changed or _moved(side.run.subject, side.subject)
                case "stopped":
                    raise Unfinished(progressed=stored > 0, delay_s=outcome.delay_s)
                case "waiting":
                    raise Unfinished(progressed=True, delay_s=outcome.delay_s, waiting=True)
                case "busy" if self._clock() - named.created_at < BUSY_MOST_S:
                    raise Unfinished(progressed=True, delay_s=TURN_S, waiting=True)
                case "busy":
                    raise _Interrupted("busy")
                case _:
                    raise _Interrupted("interrupted")
        return changed


def against_last(store: ObjectStore, scope: Scope, run: Run) -> GateVerdict | None:
    """Judge a run that is over by the last one before it with which it can be compared; None if there is none.

    For what no command changes, such as another chat model or one that was tuned: a deployer tests with the old one
    and then with the new one. What differed is in the subjects of the two runs.
    """
    before = comparable_run(store, scope, run)
    if before is None:
        return None
    try:
        return verdict_of(Runs(store), scope, before, run)
    except DetailGone:
        return None


def verdict_of(runs: Runs, scope: Scope, before: Run, after: Run) -> GateVerdict:
    """Compare two runs that are over, and say whether the later one may count."""
    outcomes: list[Outcomes] = []
    errors: Counter[str] = Counter()
    for run in (before, after):
        found: Outcomes = {}
        for result in recording(runs.results(scope, run.id), found):
            if result.verdict == "error":
                errors[result.error or "internal"] += 1
        outcomes.append(found)
    if not all(outcomes):
        raise DetailGone
    comparison = compare(*outcomes)
    outcome = judged(comparison)
    return GateVerdict(
        outcome,
        "errors" if outcome == "untestable" else "",
        comparison,
        _worst(runs, scope, comparison, before.id, after.id) if outcome == "worse" else (),
        cases=len(outcomes[1]),
        errors=dict(errors.most_common()),
        before_run=before.id,
        after_run=after.id,
    )


def judged(comparison: Comparison) -> Outcome:
    """What a comparison says of a change. Pure."""
    unjudged = len(comparison.unjudged)
    if not comparison.shared or unjudged > ERRORS_MOST * (comparison.shared + unjudged):
        return "untestable"
    return "worse" if comparison.verdict == "worse" or _falls(comparison) else "passed"


def _falls(comparison: Comparison) -> bool:
    """Whether the mean score is lower by more than chance explains, and than anybody overlooks."""
    before, after, interval = comparison.before_score, comparison.after_score, comparison.interval
    if before is None or after is None or interval is None:
        return False
    return interval.high < 0 and before - after > SAME_WITHIN


def _worst(runs: Runs, scope: Scope, comparison: Comparison, before_run: str, after_run: str) -> list[Pair]:
    before, after = (runs.results(scope, run_id) for run_id in (before_run, after_run))
    return worst(comparison, before, after, WORST_MOST)


def _alike(before: Subject, after: Subject) -> bool:
    """Whether there can be no difference: nobody reads an instruction where there is no chat model."""
    if before.model or after.model:
        return before == after
    return msgspec.structs.replace(before, instruction="") == msgspec.structs.replace(after, instruction="")


def _moved(begun: Subject, now: Subject) -> bool:
    """Whether a run that goes on is not about what it began with; names of models aside, see `judge`."""
    return msgspec.structs.replace(begun, model=now.model, judge=now.judge) != now


def _other_id(gate_id: str) -> str:
    """The id of the other side's run: of the same moment, and by all likelihood no interaction's."""
    below = int.from_bytes(hashlib.blake2b(gate_id.encode(), digest_size=8).digest(), "big") % (1 << TIME_BITS)
    other = int(gate_id) >> TIME_BITS << TIME_BITS | below
    return str(other ^ (other == int(gate_id)))
