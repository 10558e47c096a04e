"""What comes in, made up: bursts of commands from servers of which some are much busier than others. By a seed.

Arrivals are a Poisson process whose rate changes in steps; a server is chosen by Zipf's law; durations are constants
plus, where a chat model answers, a lognormal time. The limits of `trainer.limits` are the product's own.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple

from bench.scale_queue import Job
from trainer.limits import charges, take

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from trainer.limits import Buckets

NORMAL_95: Final = 1.6448536269514722
"""The 95th percentile of the standard normal distribution."""


class Step(NamedTuple):
    """A stretch of time with one rate."""

    seconds: float
    rate: float
    """Commands a second."""


class Spread(NamedTuple):
    """A lognormal duration."""

    median: float
    p95: float

    def draw(self, chance: random.Random) -> float:
        """One duration."""
        return self.median * math.exp(chance.gauss(0.0, math.log(self.p95 / self.median) / NORMAL_95))

    @property
    def mean(self) -> float:
        """The average."""
        sigma = math.log(self.p95 / self.median) / NORMAL_95
        return self.median * math.exp(sigma * sigma / 2)


class Kind(NamedTuple):
    """A kind of command, and how long it takes."""

    share: float
    """Of all commands; those of a load need not sum up to one."""
    base_s: float
    """Computing and the store's requests, one after the other."""
    cpu_s: float
    model: Spread | None = None
    """What a chat model takes on top."""
    question: bool = False
    """Whether the limits of questions hold for it."""


class Load(NamedTuple):
    """Everything that comes in."""

    steps: tuple[Step, ...]
    kinds: tuple[Kind, ...]
    servers: int = 1_000
    skew: float = 1.0
    """Of Zipf's law: the k-th busiest server has a share of 1 / k to this power; 0: all are alike."""
    refused: Kind | None = None
    """What a question takes that is one too many for its server; None lifts the limits."""
    factor: float = 1.0
    """Of the limits, as `TRAINGER_LIMITS`."""

    @property
    def mean_s(self) -> float:
        """How long a command takes on average, refusals aside."""
        total = sum(kind.share for kind in self.kinds)
        return sum(kind.share * (kind.base_s + (kind.model.mean if kind.model else 0)) for kind in self.kinds) / total


def zipf(servers: int, skew: float) -> list[float]:
    """Each server's share of everything, the busiest first."""
    weights = [rank**-skew for rank in range(1, servers + 1)]
    total = sum(weights)
    return [weight / total for weight in weights]


def moments(steps: Iterable[Step], chance: random.Random) -> Iterator[float]:
    """When something comes: a Poisson process in each step, from 0 on."""
    begin = 0.0
    for step in steps:
        end = begin + step.seconds
        now = begin
        while step.rate > 0:
            now += chance.expovariate(step.rate)
            if now >= end:
                break
            yield now
        begin = end


def bursts(calm: Step, burst: Step, seconds: float, chance: random.Random) -> list[Step]:
    """A rate that switches between two, each lasting its `seconds` on average: a Markov-modulated Poisson process."""
    steps: list[Step] = []
    left, now = seconds, calm
    while left > 0:
        lasts = min(left, chance.expovariate(1 / now.seconds))
        steps.append(Step(lasts, now.rate))
        left -= lasts
        now = burst if now is calm else calm
    return steps


class Drawn(NamedTuple):
    """The jobs of a load, in order of time."""

    jobs: list[Job]
    questions: int
    refused: int
    """Questions that are one too many for their server."""


def draw(load: Load, seed: int) -> Drawn:
    """Draw all jobs; equal seeds draw equal ones."""
    chance = random.Random(seed)
    servers = _Chooser(zipf(load.servers, load.skew), chance)
    kinds = _Chooser([kind.share for kind in load.kinds], chance)
    buckets: dict[int, Buckets] = {}
    wanted = charges("ask", "scope", manager=False, factor=load.factor)
    jobs: list[Job] = []
    questions = refused = 0
    for at in moments(load.steps, chance):
        server, kind = servers.choose(), load.kinds[kinds.choose()]
        if kind.question:
            questions += 1
            if load.refused is not None:
                buckets[server], full = take(buckets.get(server, {}), wanted, at)
                if full is not None:
                    refused += 1
                    kind = load.refused
        seconds = kind.base_s + (kind.model.draw(chance) if kind.model is not None else 0.0)
        jobs.append(Job(at, server, seconds, kind.cpu_s))
    return Drawn(jobs, questions, refused)


class _Chooser:
    """Chooses numbers from 0 on by their weights."""

    def __init__(self, weights: Sequence[float], chance: random.Random) -> None:
        self._upto = list(accumulate(weights))
        self._chance = chance

    def choose(self) -> int:
        return min(bisect_left(self._upto, self._chance.random() * self._upto[-1]), len(self._upto) - 1)
