"""A queue and the functions that work it off, simulated event by event. Pure, and the same for the same jobs.

The fleet grows as AWS lets it grow for a standard queue: at most `first` invocations at a time to begin with, and
while jobs are left waiting, up to `a_minute` more of them each minute, up to `most`. Each takes up to `batch` jobs
that wait at that moment, performs them at once, and takes the next ones when the last of them is done: a partial
batch response settles jobs one by one, but does not free the instance.

What is not in it: SQS hands out jobs in rough order only, pollers take some ten milliseconds, the fleet shrinks when
little is to do (none does within the minutes that are simulated), and nothing fails.

Source of the growth: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html, read in November 2026.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NEVER: Final = math.inf


class Job(NamedTuple):
    """A command, as the queue gets it."""

    at: float
    """When it is put into the queue, in seconds."""
    server: int
    seconds: float
    """How long it takes when nothing is in its way."""
    cpu_s: float = 0.0
    """How much of that is computing."""


class Fleet(NamedTuple):
    """The functions of one queue."""

    most: int
    """Instances at a time."""
    batch: int = 1
    first: int = 5
    a_minute: float = 300.0
    start_s: float = 0.0
    """What an instance takes to start, before its first batch."""
    index_s: float = 0.0
    """What the first job of a server takes longer on an instance that has not made its index yet."""
    batch_s: float = 0.0
    """What passes between taking a batch and beginning with its jobs."""
    processors: float = NEVER
    """What the jobs of a batch share."""


class Worked(NamedTuple):
    """What became of the jobs, each list in order of arrival."""

    waited: list[float]
    """Seconds from being sent to being begun."""
    ended: list[float]
    """When each was done."""
    instances: int
    """How many were started in the end."""
    built: int
    """Jobs that had to make their server's index first."""


class _Instance:
    __slots__ = ("knows", "started")

    def __init__(self) -> None:
        self.started = False
        self.knows: set[int] = set()


def work_off(jobs: Iterable[Job], fleet: Fleet) -> Worked:
    """Work off all jobs, which come in order of time."""
    return _Run(fleet).work_off(jobs)


class _Run:
    def __init__(self, fleet: Fleet) -> None:
        if fleet.most < 1 or fleet.batch < 1:
            raise ValueError("a fleet has at least one instance, which takes at least one job")
        self._fleet = fleet
        first = min(fleet.first, fleet.most)
        self._idle = [_Instance() for _ in range(first)]
        self._count = first
        self._grows_at = NEVER
        self._busy: list[tuple[float, int, _Instance]] = []
        self._waiting: deque[tuple[int, Job]] = deque()
        self._number = 0
        self._built = 0
        self._waited: list[float] = []
        self._ended: list[float] = []

    def work_off(self, jobs: Iterable[Job]) -> Worked:
        coming: Iterator[Job | None] = chain(jobs, [None])
        job = next(coming)
        while True:
            now = min(job.at if job else NEVER, self._busy[0][0] if self._busy else NEVER, self._grows_at)
            if now == NEVER:
                return Worked(self._waited, self._ended, self._count, self._built)
            if job is not None and job.at == now:
                self._waiting.append((len(self._waited), job))
                self._waited.append(0.0)
                self._ended.append(0.0)
                job = next(coming)
            elif self._busy and self._busy[0][0] == now:
                self._idle.append(heapq.heappop(self._busy)[2])
            else:
                self._idle.append(_Instance())
                self._count += 1
                self._grows_at = now + 60 / self._fleet.a_minute
            while self._idle and self._waiting:
                # The one that was used last, as it is sure to be warm.
                self._begin(self._idle.pop(), now)
            self._watch(now)

    def _begin(self, instance: _Instance, now: float) -> None:
        fleet = self._fleet
        begun = now + fleet.batch_s + (0.0 if instance.started else fleet.start_s)
        instance.started = True
        taken = [self._waiting.popleft() for _ in range(min(fleet.batch, len(self._waiting)))]
        crowded = max(1.0, len(taken) / fleet.processors)
        last = begun
        for number, job in taken:
            seconds = job.seconds + (crowded - 1) * job.cpu_s
            if fleet.index_s and job.server not in instance.knows:
                instance.knows.add(job.server)
                self._built += 1
                seconds += fleet.index_s
            self._waited[number] = begun - job.at
            self._ended[number] = begun + seconds
            last = max(last, begun + seconds)
        self._number += 1
        heapq.heappush(self._busy, (last, self._number, instance))

    def _watch(self, now: float) -> None:
        """Let the fleet grow while somebody waits and it may."""
        if not self._waiting or self._count >= self._fleet.most:
            self._grows_at = NEVER
        elif self._grows_at == NEVER:
            self._grows_at = now + 60 / self._fleet.a_minute


def erlang_c(servers: int, load: float) -> float:
    """The share of jobs that wait, in M/M/c with `load` erlangs (Erlang 1917), by the recursion of his B formula."""
    if not 0 <= load < servers:
        raise ValueError("there is a steady state only where the load is less than the servers")
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked / (1 - load / servers * (1 - blocked))


def mean_wait(servers: int, rate: float, seconds: float) -> float:
    """How long jobs wait on average in M/M/c: `rate` of them a second, each taking `seconds` on average."""
    load = rate * seconds
    return erlang_c(servers, load) * seconds / (servers - load)
