"""The runs of a dataset, the newest first, and the one that a run can be compared with."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

import msgspec

from trainer.evaluation.keys import RunKeys, index_prefix, indexes_prefix
from trainer.evaluation.store import DetailGone, Runs, shards_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from trainer.evaluation.identity import Identity
    from trainer.evaluation.results import Run
    from trainer.ports import ObjectStore
    from trainer.scope import Scope

S = TypeVar("S", bound=msgspec.Struct)
LOOK_BACK: Final = 30
"""Earlier runs among which one to compare with is looked for."""
OVERLAP_LEAST: Final = 0.5
"""Share of the cases of the smaller of two runs that both must have to be compared."""
OF_A_WHOLE: Final = frozenset({"file", "regression"})
"""Sources of runs that say how good the answers are: not those of mere failures, nor of what was not in force."""


class Past(NamedTuple, Generic[S]):
    """A run that is over, and what it came to."""

    run: Run
    summary: S


def run_ids(store: ObjectStore, scope: Scope, dataset: str, *, most: int, before: str = "") -> list[str]:
    """The ids of a dataset's last runs, the newest first; only those before a run, if one is named."""
    prefix = index_prefix(scope, dataset)
    limit = int(before) if before else None
    names = (info.key.removeprefix(prefix) for info in store.list(prefix))
    ids = (int(name) for name in names if name.isdecimal())
    return [str(one) for one in heapq.nlargest(most, (one for one in ids if limit is None or one < limit))]


def finished_runs(
    store: ObjectStore, scope: Scope, dataset: str, kind: type[S], *, most: int, before: str = ""
) -> Iterator[Past[S]]:
    """A dataset's runs that are over, the newest first, of the last `most` that were begun.

    `kind` is the type of the summary. Also runs of which nothing but the numbers is left: see `Runs.has_detail`.
    """
    runs = Runs(store)
    for run_id in run_ids(store, scope, dataset, most=most, before=before):
        run, summary = runs.load(scope, run_id), runs.summary(scope, run_id, kind)
        if run is not None and summary is not None:
            yield Past(run, summary)


def last_test(store: ObjectStore, scope: Scope, kind: type[S]) -> Past[S] | None:
    """The last run of any dataset that went through all its cases; None if none of the last ones did.

    One listing, and a few requests. `kind` is as in `finished_runs`.
    """
    runs, prefix = Runs(store), indexes_prefix(scope)
    names = (info.key.rpartition("/")[2] for info in store.list(prefix))
    for number in heapq.nlargest(LOOK_BACK, (int(name) for name in names if name.isdecimal())):
        run_id = str(number)
        run = runs.load(scope, run_id)
        if run is None or run.source not in OF_A_WHOLE:
            continue
        summary = runs.summary(scope, run_id, kind)
        if summary is not None and runs.cancelled(scope, run_id) is None:
            return Past(run, summary)
    return None


def comparable_run(
    store: ObjectStore, scope: Scope, run: Run, *, sources: Collection[str] = ("file", "regression", "failures")
) -> Run | None:
    """The last run before this one that it can be compared with case by case; None if there is none.

    The latest of the same cases; else the latest that shares half of the cases of whichever of the two has fewer.
    Passed over are runs that are not over, ended early, or of which only the numbers are left, and those of a gate:
    they tested what was not in force.
    """
    runs = Runs(store)
    others: list[Run] = []
    for run_id in run_ids(store, scope, run.subject.dataset, most=LOOK_BACK, before=run.id):
        other = runs.load(scope, run_id)
        if other is None or other.source not in sources or not _is_whole(store, runs, scope, other):
            continue
        if other.set_id == run.set_id:
            return other
        others.append(other)
    try:
        cases = set(runs.identities(scope, run.id)) if others else set()
    except DetailGone:
        return None
    return next((other for other in others if _overlaps(runs, scope, cases, other)), None)


def _is_whole(store: ObjectStore, runs: Runs, scope: Scope, run: Run) -> bool:
    over = store.head(RunKeys(scope, run.id).summary) is not None and runs.has_detail(scope, run.id)
    return over and len(runs.shards(scope, run.id)) == shards_of(run.cases)


def _overlaps(runs: Runs, scope: Scope, cases: set[Identity], other: Run) -> bool:
    try:
        shared = sum(one in cases for one in runs.identities(scope, other.id))
    except DetailGone:
        return False
    return shared > 0 and shared >= OVERLAP_LEAST * min(len(cases), other.cases)
