"""A run that is over, put together to be told of: read once, beside an earlier run and what the untrained bot says.

Of however many cases, little is in memory: results lie in a temporary file, and what comparing needs is some MB.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, contextmanager
from itertools import zip_longest
from typing import TYPE_CHECKING, Final, NamedTuple, Self, cast

import msgspec

from trainer.evaluation.comparison import WORST_MOST, Pair, compare
from trainer.evaluation.history import Past, finished_runs, run_ids
from trainer.evaluation.keys import RunKeys, author_in
from trainer.evaluation.report.view import ReportView
from trainer.evaluation.results import CaseResult
from trainer.evaluation.store import DetailGone, Runs, Words, shards_of
from trainer.evaluation.summary import Summary, outcomes_of, recording, summarise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from trainer.evaluation.cases import Case
    from trainer.evaluation.results import Run, Subject
    from trainer.evaluation.summary import Outcomes
    from trainer.ports import ObjectStore
    from trainer.scope import Scope

LOOK_BACK: Final = 60
"""Earlier runs among which those of a history, and the answers of the untrained bot, are looked for."""
HISTORY_MOST: Final = 30


class Review(NamedTuple):
    """A run, and what it is compared with."""

    view: ReportView
    worst: list[Pair]
    """What got worse since the earlier run, the greatest loss of score first: the first few."""


class Spool:
    """Results in a temporary file, to be read from the first on as often as wanted, and one by one."""

    def __init__(self) -> None:
        self._file = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - closed by `__exit__`
        self._encoder = msgspec.json.Encoder()
        self._decoder = msgspec.json.Decoder(CaseResult)
        self._places: dict[str, int] = {}
        self.outcomes: Outcomes = {}
        """What came of each case."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def fill(self, results: Iterable[CaseResult]) -> None:
        """Take results in."""
        end = self._file.seek(0, 2)
        for result in recording(results, self.outcomes):
            self._places[result.case.id] = end
            end += self._file.write(self._encoder.encode(result) + b"\n")

    def __iter__(self) -> Iterator[CaseResult]:
        place = 0
        while True:
            # Somebody else may have read elsewhere in between.
            self._file.seek(place)
            line = self._file.readline()
            if not line:
                return
            place += len(line)
            yield self._decoder.decode(line)

    def get(self, case_id: str) -> CaseResult | None:
        """What came of one case; None if there is no such case."""
        place = self._places.get(case_id)
        if place is None:
            return None
        self._file.seek(place)
        return self._decoder.decode(self._file.readline())


@contextmanager
def reviewed(
    store: ObjectStore,
    scope: Scope,
    run: Run,
    *,
    earlier: Run | None = None,
    baseline: str = "",
    most: int = WORST_MOST,
) -> Iterator[Review]:
    """A run that is over; its summary is kept from now on, if it was not before.

    What the earlier run holds of people's words is noted for this run too: whoever is forgotten, the files that are
    made of the review go with the run.

    Args:
        store: where the runs are kept.
        scope: whose they are.
        run: the run.
        earlier: the run to compare it with, if there is one.
        baseline: the run that tells what comes of the same cases when nothing was taught; empty if none does.
        most: how many of the worst regressions are wanted.

    Raises:
        DetailGone: the cases of one of the two runs were deleted.
    """
    runs = Runs(store)
    with ExitStack() as stack:
        now, before = stack.enter_context(Spool()), stack.enter_context(Spool())
        now.fill(runs.results(scope, run.id))
        if earlier is not None:
            _share_authors(store, scope, earlier, run)
            before.fill(runs.results(scope, earlier.id))
        _check_detail(runs, scope, run, earlier)
        summary = runs.summary(scope, run.id, Summary) or runs.save_summary(scope, run.id, summarise(now))
        comparison = compare(before.outcomes, now.outcomes) if earlier is not None else None
        untrained = outcomes_of(runs.results(scope, baseline, "baseline")) if baseline else {}
        view = ReportView(
            run=run,
            summary=summary,
            comparison=comparison,
            baseline=compare(untrained, now.outcomes) if untrained else None,
            results=lambda: iter(now),
            before=before.get,
            earlier=earlier,
        )
        worst = []
        for case_id in comparison.regressed[:most] if comparison is not None else ():
            was, is_now = before.get(case_id), now.get(case_id)
            if was is not None and is_now is not None:
                worst.append(Pair(was, is_now))
        yield Review(view, worst)


def failures(runs: Runs, scope: Scope, run: Run) -> Iterator[Case]:
    """The cases of a run that did not pass, those that could not be judged among them. Raises `DetailGone`."""
    if not runs.has_detail(scope, run.id):
        raise DetailGone
    return (result.case for result in runs.results(scope, run.id) if result.verdict != "passed")


def line_of(store: ObjectStore, scope: Scope, run: Run, summary: Summary) -> list[Past[Summary]]:
    """The runs that make one line in a chart, the latest last, which is this one.

    Runs of the dataset's own cases are in one line with each other; of files, those of the same cases or name; of
    failures, those of the same ones. Runs that ended early are in none.
    """
    found: list[Past[Summary]] = [Past(run, summary)]
    for past in finished_runs(store, scope, run.subject.dataset, Summary, most=LOOK_BACK, before=run.id):
        if _in_line(run, past.run) and past.summary.numbers.cases == past.run.cases:
            found.append(past)
            if len(found) == HISTORY_MOST:
                break
    return found[::-1]


def baseline_of(store: ObjectStore, scope: Scope, run: Run) -> str:
    """The id of the run that tells what comes of this one's cases when nothing was taught; empty if none does.

    It is this run, or an earlier one of the very same cases, answered and judged by the same means: the untrained bot
    would say the same again. Raises `DetailGone`.
    """
    runs = Runs(store)
    if _has_baseline(runs, scope, run):
        return run.id
    for run_id in run_ids(store, scope, run.subject.dataset, most=LOOK_BACK, before=run.id):
        other = runs.load(scope, run_id)
        if other is None or other.set_id != run.set_id or _means(other.subject) != _means(run.subject):
            continue
        if _has_baseline(runs, scope, other) and _same_cases(runs, scope, run, other):
            return other.id
    return ""


def _has_baseline(runs: Runs, scope: Scope, run: Run) -> bool:
    there = len(runs.shards(scope, run.id, "baseline")) == shards_of(run.cases)
    return there and runs.has_detail(scope, run.id)


def _means(subject: Subject) -> tuple[str, ...]:
    """What the answers of the untrained bot, and the verdicts on them, depend on beside the cases."""
    return subject.model, subject.instruction, subject.judge, subject.embedder


def _same_cases(runs: Runs, scope: Scope, run: Run, other: Run) -> bool:
    """Whether two runs have the same cases in the same order, wherever in their files those stand."""
    pairs = zip_longest(runs.cases(scope, run.id), runs.cases(scope, other.id))
    try:
        return all(
            one is not None
            and two is not None
            and msgspec.structs.replace(one, place=None) == msgspec.structs.replace(two, place=None)
            for one, two in pairs
        )
    except DetailGone:
        if not runs.has_detail(scope, run.id):
            raise
        return False


def _in_line(run: Run, other: Run) -> bool:
    if run.source != other.source:
        return False
    named = run.source == "file" and run.file_name != "" and run.file_name == other.file_name
    return run.source == "regression" or named or run.set_id == other.set_id


def _share_authors(store: ObjectStore, scope: Scope, other: Run, run: Run) -> None:
    runs = Runs(store)
    for info in store.list(RunKeys(scope, other.id).authors):
        author = author_in(scope, info.key)
        if author is not None:
            runs.mark_author(scope, run.id, Words(author.user_id, int(author.words)))


def _check_detail(runs: Runs, scope: Scope, run: Run, earlier: Run | None) -> None:
    """Cases go first: where they are there after all else was read, all of that was there. Raises `DetailGone`."""
    if not runs.has_detail(scope, run.id) or (earlier is not None and not runs.has_detail(scope, earlier.id)):
        raise DetailGone
