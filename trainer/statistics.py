"""What there is in a scope and how it is used, in numbers: counts only, nobody's words and nobody's name."""

from __future__ import annotations

import time
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from trainer import records
from trainer.datasets import answer_key
from trainer.evaluation.history import last_test
from trainer.evaluation.summary import Summary
from trainer.feedback_summary import PERIODS_S, Tally, read_feedback, summarise
from trainer.selection import dataset_names, folders
from trainer.snowflakes import first_of, moment_of
from trainer.usage import Cost, month_cost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from trainer.evaluation.summary import Numbers
    from trainer.index import Counts
    from trainer.library import Library
    from trainer.ports import ObjectStore
    from trainer.scope import Scope

DAY_S: Final = 86_400
PERIODS_DAYS: Final = tuple(seconds // DAY_S for seconds in PERIODS_S if seconds is not None)
DATASETS_MOST: Final = 50
"""Datasets that are counted: each has an index, which is made if it is not there."""
ANSWERS_MOST: Final = 10_000
"""Answers that are read: the latest. One request to the store each."""
READERS: Final = 8
STRETCH: Final = 256
"""Answers that are read at once."""


class DatasetCounts(NamedTuple):
    """A dataset, and how many examples of each kind are in it."""

    name: str
    counts: Counts


class Datasets(NamedTuple):
    """The datasets of a scope."""

    counted: list[DatasetCounts]
    more: int
    """How many there are besides."""

    def total(self) -> tuple[int, int, int]:
        """Pairs, passages and corrections in those that were counted."""
        counts = [one.counts for one in self.counted]
        return (
            sum(one.pairs for one in counts),
            sum(one.passages for one in counts),
            sum(one.corrections for one in counts),
        )


class Questions(NamedTuple):
    """What was asked in the last so many days."""

    days: int
    by_kind: dict[str, int]
    """By kind of answer."""

    @property
    def asked(self) -> int:
        """How many."""
        return sum(self.by_kind.values())


class Asked(NamedTuple):
    """What was asked, as far as it is kept."""

    periods: tuple[Questions, ...]
    """One for each of `PERIODS_DAYS`."""
    kept: int
    since: float | None
    """When the oldest was asked, in seconds since the epoch."""
    left_out: bool
    """There are more of the longest period than were read."""


class LastTest(NamedTuple):
    """What the last test came to."""

    dataset: str
    at: float
    """When it was begun, in seconds since the epoch."""
    numbers: Numbers


class Statistics(NamedTuple):
    """Everything that /stats says."""

    datasets: Datasets
    asked: Asked
    votes: tuple[Tally, ...]
    """One for each of `PERIODS_DAYS`, and one of all time."""
    cost: Cost | None
    """Of this month; None where it is not counted."""
    tested: LastTest | None = None
    """None if nothing was tested."""


class _Given(msgspec.Struct, frozen=True):
    """What is counted of an answer's record."""

    kind: str
    created_at: float


def statistics(
    store: ObjectStore,
    library: Library,
    scope: Scope,
    *,
    counts_cost: bool,
    clock: Callable[[], float] = time.time,
    on_progress: Callable[[int], None] | None = None,
) -> Statistics:
    """Count everything. Memory is bounded, and so is the number of records that are read."""
    now = clock()
    return Statistics(
        count_datasets(store, library, scope),
        count_questions(store, scope, now, on_progress),
        summarise(read_feedback(store, scope), now).periods,
        month_cost(store, scope, now) if counts_cost else None,
        _tested(store, scope),
    )


def _tested(store: ObjectStore, scope: Scope) -> LastTest | None:
    last = last_test(store, scope, Summary)
    return None if last is None else LastTest(last.run.subject.dataset, last.run.created_at, last.summary.numbers)


def count_datasets(store: ObjectStore, library: Library, scope: Scope) -> Datasets:
    """The datasets, in order of their names."""
    names = dataset_names(store, scope)
    if names is None:
        names = list(folders(store, scope))
    counted = [DatasetCounts(name, library.index(scope, name).count()) for name in names[:DATASETS_MOST]]
    return Datasets(counted, len(names) - len(counted))


def count_questions(
    store: ObjectStore, scope: Scope, now: float, on_progress: Callable[[int], None] | None = None
) -> Asked:
    """How many questions were asked, by kind of answer: one listing, and a request for each of the last 30 days."""
    prefix = answer_key(scope, "").removesuffix(".json")
    since_id = first_of(now - max(PERIODS_DAYS) * DAY_S)
    keys: deque[str] = deque(maxlen=ANSWERS_MOST)
    kept, recent, oldest = 0, 0, None
    for info in store.list(prefix):
        name = info.key.removeprefix(prefix).removesuffix(".json")
        moment = moment_of(name)
        if moment is None:
            continue
        kept += 1
        oldest = moment if oldest is None else min(oldest, moment)
        if int(name) >= since_id:
            recent += 1
            keys.append(info.key)
    kinds = [Counter[str]() for _ in PERIODS_DAYS]
    for given in _read(store, keys, on_progress):
        for days, counter in zip(PERIODS_DAYS, kinds, strict=True):
            if given.created_at > now - days * DAY_S:
                counter[given.kind] += 1
    periods = tuple(Questions(days, dict(one)) for days, one in zip(PERIODS_DAYS, kinds, strict=True))
    return Asked(periods, kept, oldest, recent > len(keys))


def _read(store: ObjectStore, keys: Iterable[str], on_progress: Callable[[int], None] | None) -> Iterable[_Given]:
    pending = iter(keys)
    done = 0
    with ThreadPoolExecutor(READERS, thread_name_prefix="statistics") as threads:
        while stretch := list(islice(pending, STRETCH)):
            yield from filter(None, threads.map(lambda key: records.load(store, key, _Given), stretch))
            done += len(stretch)
            if on_progress is not None:
                on_progress(done)
