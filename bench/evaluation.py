"""How long the statistics of a report take, beside SciPy and statsmodels over the same numbers.

A report of a run with scores that models gave, and one of a run whose cases only pass or fail: each with the
intervals of the pass rate and of the mean score, and against another run McNemar's p and the interval of the
difference. The peers do the same: `proportion_confint` and `mcnemar` of statsmodels, `bootstrap` of SciPy with
percentiles and as many resamples, in batches of the same memory.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

from bench.report import Aim, Result, table_of
from trainer.evaluation import statistics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.report import Value

CASES: Final = 10_000
ROUNDS: Final = 5
SEED: Final = 4
_BATCH: Final = (1 << 18) // CASES
"""Resamples that SciPy has in memory at a time: as many draws as ours."""
AIMS: Final = {"scores of any size": 1.5, "passed or failed": 0.2}
"""Of the peers' time, at most. The first is drawing random numbers, which takes them as long as us."""
IMPORTS: Final = {
    "ours": "import trainer.evaluation.statistics, numpy",
    "SciPy, statsmodels": "import scipy.stats, statsmodels.stats.proportion, statsmodels.stats.contingency_tables",
}


class Runs(NamedTuple):
    """The scores of the same cases in two runs."""

    before: Sequence[float]
    after: Sequence[float]

    def counts(self) -> tuple[int, int, int]:
        """How many pass now, how many improved, how many regressed: from a half on a score passes."""
        pairs = [(old >= 0.5, new >= 0.5) for old, new in zip(self.before, self.after, strict=True)]
        return sum(new for _, new in pairs), pairs.count((False, True)), pairs.count((True, False))


def graded(chance: random.Random) -> Runs:
    before = [chance.betavariate(3, 1) for _ in range(CASES)]
    return Runs(before, [min(1.0, max(0.0, score + chance.gauss(0.005, 0.1))) for score in before])


def passed(chance: random.Random) -> Runs:
    before = [float(chance.random() < 0.8) for _ in range(CASES)]
    return Runs(before, [float(chance.random() < 0.8) if chance.random() < 0.1 else score for score in before])


def ours(runs: Runs) -> tuple[float, ...]:
    right, improved, regressed = runs.counts()
    return (
        *statistics.wilson(right, CASES),
        *statistics.bootstrap_mean(runs.after),
        statistics.mcnemar_exact(improved, regressed),
        *statistics.paired_bootstrap(runs.before, runs.after),
    )


def peers(runs: Runs) -> tuple[float, ...]:
    import numpy as np
    from scipy.stats import bootstrap
    from statsmodels.stats.contingency_tables import mcnemar
    from statsmodels.stats.proportion import proportion_confint

    def interval(values: np.ndarray) -> tuple[float, float]:
        found = bootstrap(
            (values,), np.mean, n_resamples=statistics.RESAMPLES, batch=_BATCH, vectorized=True,
            method="percentile", rng=np.random.default_rng(SEED),
        ).confidence_interval  # fmt: skip
        return float(found.low), float(found.high)

    right, improved, regressed = runs.counts()
    before, after = np.asarray(runs.before), np.asarray(runs.after)
    return (
        *map(float, proportion_confint(right, CASES, method="wilson")),
        *interval(after),
        float(mcnemar([[0, improved], [regressed, 0]], exact=True).pvalue),
        *interval(after - before),
    )


def timed(runs: Runs) -> tuple[dict[str, float], float]:
    """The median CPU seconds of each, in turns, and by how much their numbers differ at most."""
    seconds: dict[str, list[float]] = {"ours": [], "SciPy, statsmodels": []}
    numbers: list[tuple[float, ...]] = []
    for number in range(ROUNDS + 1):  # the first also imports, and is not counted
        numbers.clear()
        for name, compute in (("ours", ours), ("SciPy, statsmodels", peers)):
            started = time.process_time()
            numbers.append(compute(runs))
            if number:
                seconds[name].append(time.process_time() - started)
    apart = max(abs(one - other) for one, other in zip(*numbers, strict=True))
    return {name: median(values) for name, values in seconds.items()}, apart


def importing(code: str) -> float:
    """The median seconds of a fresh interpreter that only imports."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        times.append(time.perf_counter() - started)
    return median(times)


def measure() -> Result:
    """Both kinds of runs, and what importing costs."""
    chance = random.Random(SEED)
    makers: Mapping[str, Callable[[random.Random], Runs]] = {"scores of any size": graded, "passed or failed": passed}
    rows: dict[str, dict[str, Value]] = {}
    aims = []
    for kind, make in makers.items():
        seconds, apart = timed(make(chance))
        ratio = seconds["ours"] / seconds["SciPy, statsmodels"]
        rows[kind] = {**{f"{name}, CPU ms": 1000 * value for name, value in seconds.items()}, "ratio": ratio}
        rows[kind]["largest difference"] = apart
        aims.append(Aim(f"statistics of {kind}: CPU time of the peers'", ratio, "at most", AIMS[kind]))
    starts = {name: {"ms": 1000 * importing(code)} for name, code in IMPORTS.items()}
    return Result(
        about="The statistics of a report against another run, beside SciPy and statsmodels in the same run.",
        tables=(
            table_of(f"{CASES} cases, {statistics.RESAMPLES} resamples, median of {ROUNDS}", "scores", rows),
            table_of("A fresh interpreter with what is imported", "what", starts),
        ),
        aims=tuple(aims),
        notes=(
            "The largest difference of any number: the bootstraps draw different resamples, the rest is exact.",
            "Ours draws how often each score comes where few differ, which is the same by its distribution.",
        ),
    )
