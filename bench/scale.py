"""What 1,000 servers with 1,000 interactions a second come to: queue lag simulated, the store's part measured.

The simulation (`bench.scale_queue`) is fed with what is assumed below, so it gives the same numbers each time; what
is measured stands beside it, for comparing. docs/scale.md tells what it means. Takes some ten minutes.
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Final, NamedTuple

from bench import scale_commands, scale_index, scale_scopes, scale_voice, scale_work
from bench.report import Result, Table
from bench.scale_load import Kind, Load, Spread, Step, bursts, draw, zipf
from bench.scale_queue import Fleet, work_off

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.report import Value
    from bench.scale_queue import Job, Worked

SEED: Final = 20
RATE: Final = 1_000.0
SERVERS: Final = 1_000
TOKEN_S: Final = 900.0
"""Discord takes replies to an interaction for so long; what comes later goes to the channel, or is told later."""

REQUEST_S: Final = scale_index.REQUEST_S
SLOW_S: Final = 0.1
"""What AWS calls typical for the first byte, at the better end."""
DISCORD_S: Final = 0.1
"""Assumed: a request to Discord."""
MODEL: Final = Spread(3.0, 8.0)
"""Assumed: a chat model's whole answer, median and 95th percentile."""
START_S: Final = 2.0
"""Assumed: a start of `work`. Imports and services take 0.4 s of it here; the rest is AWS's, and the package's."""
BATCH_S: Final = 0.02
"""Assumed: what passes before a batch is begun. Each lease is renewed by a request to SQS, which takes 3 ms here."""
INDEX_S: Final = 0.5
"""Measured: what the first question about a dataset of a thousand examples in one file takes longer."""
TYPED_S: Final = 3.3
"""Measured, at 30 ms a request: the same for 500 examples that were typed one by one."""
PROCESSORS: Final = 2048 / 1769
"""Of a function with 2,048 MB: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""


def _kind(
    share: float, requests: float, cpu_s: float, *, question: bool = False, model: Spread | None = None
) -> Kind:
    """A command by the requests that it makes to the store, one after the other."""
    return Kind(share, requests * REQUEST_S + DISCORD_S + cpu_s, cpu_s, model, question)


def _slower(kind: Kind, requests: float) -> Kind:
    """The same where S3 takes longer."""
    return kind._replace(base_s=kind.base_s + requests * (SLOW_S - REQUEST_S))


REST: Final = (_kind(0.12, 11, 0.009), _kind(0.04, 15, 0.010), _kind(0.04, 22, 0.014))
"""Assumed: of a hundred commands twelve are thumbs, four corrections, four lines that are taught."""
TRAINED: Final = (_kind(0.80, 21, 0.023, question=True), *REST)
SLOW: Final = tuple(map(_slower, TRAINED, (21, 11, 15, 22)))
GENERATED: Final = (_kind(0.80, 23, 0.028, question=True, model=MODEL), *REST)
REFUSED: Final = _kind(1, 9, 0.010)

AS_DEPLOYED: Final = Fleet(most=5, batch=4, start_s=START_S, index_s=INDEX_S, batch_s=BATCH_S, processors=PROCESSORS)
"""serverless.yml's `workersMost` and `batchSize`."""
FIFTY: Final = AS_DEPLOYED._replace(most=50)
ALL: Final = AS_DEPLOYED._replace(most=1_000)
"""The most that `workersMost` can be, and all that an account has unless more is asked for."""
TENS: Final = ALL._replace(batch=10)
PROVISIONED: Final = ALL._replace(most=2_000, first=200, a_minute=1_000)
"""AWS's provisioned mode for SQS, with 200 ready: up to 1,000 more a minute, up to 20,000."""

FLEETS: Final = {
    "5 × 4, as deployed": AS_DEPLOYED,
    "50 × 4": FIFTY,
    "1,000 × 1": ALL._replace(batch=1),
    "1,000 × 4": ALL,
    "1,000 × 10": TENS,
    "2,000 × 4, provisioned": PROVISIONED,
}
STEADY: Final = (Step(300, RATE),)
RUSH: Final = (Step(60, 20), Step(60, RATE), Step(900, 20))


class Scenario(NamedTuple):
    """A load on a fleet."""

    comes: str
    commands: str
    fleet: str
    load: Load
    index_s: float = INDEX_S


def scenarios() -> list[Scenario]:
    """All that are simulated."""
    taught = Load(STEADY, TRAINED, SERVERS, refused=REFUSED)
    generated = taught._replace(kinds=GENERATED)
    waves = tuple(bursts(Step(60, 0.5 * RATE), Step(30, 2 * RATE), 300, random.Random(SEED)))
    steady, rush, lifted = "1,000 a second", "a minute of 1,000 a second amid 20", ", no limits"
    found = [
        Scenario(steady, "taught", "1,000 × 4", taught),
        Scenario(steady, "taught" + lifted, "1,000 × 4", taught._replace(refused=None)),
        Scenario(steady, "taught, S3 at 100 ms" + lifted, "1,000 × 4", taught._replace(kinds=SLOW, refused=None)),
        Scenario(steady, "taught by 500 typed lines" + lifted, "1,000 × 4", taught._replace(refused=None), TYPED_S),
        Scenario("waves of 500 and 2,000 a second", "taught", "1,000 × 4", taught._replace(steps=waves)),
        Scenario(steady, "chat model", "1,000 × 4", generated),
    ]
    unlimited = generated._replace(refused=None)
    found += [
        Scenario(steady, "chat model" + lifted, fleet, unlimited)
        for fleet in ("1,000 × 4", "1,000 × 10", "2,000 × 4, provisioned")
    ]
    found += [
        Scenario(rush, what, fleet, load._replace(steps=RUSH))
        for what, load in (("taught", taught), ("chat model", generated))
        for fleet in ("5 × 4, as deployed", "50 × 4", "1,000 × 4")
    ]
    return found


def measure() -> Result:
    """All of it."""
    simulated = (skew(), capacity(), lag())
    with tempfile.TemporaryDirectory(prefix="trainger-bench-") as name:
        folder = Path(name)
        commands = scale_commands.measure(folder / "commands")
        start = scale_work.measure(folder)
        with scale_scopes.bucket(folder / "s3") as client:
            contended = scale_scopes.measure(client)
            indexes = scale_index.measure(client, folder)
    return Result(
        about="1,000 servers with 1,000 interactions a second: the queue simulated, the store's part measured.",
        tables=tuple(map(_whole, (*simulated, *commands, start, contended, *indexes, scale_voice.measure()))),
        notes=(
            f"Assumed: {1000 * REQUEST_S:.0f} ms a request to S3, {1000 * DISCORD_S:.0f} ms to Discord.",
            f"Assumed: a start of `work` {START_S:.0f} s, a chat model {MODEL.median:.0f} s (95 %: {MODEL.p95:.0f}).",
            "Assumed: 80 % questions, 12 % thumbs, 4 % corrections, 4 % taught lines; servers by Zipf's law.",
            "Lag is from the queue's taking a command to its being begun.",
            "All of the simulation follows from its seed; the rest was measured on this machine.",
        ),
    )


def skew() -> Table:
    """How busy the busiest servers are, and what the product's own limit of questions refuses there."""
    rows = []
    for exponent in (0.0, 0.8, 1.0, 1.2):
        shares = zipf(SERVERS, exponent)
        drawn = draw(Load(STEADY, TRAINED, SERVERS, exponent, REFUSED), SEED)
        rows.append(
            (
                f"{exponent:g}",
                RATE * shares[0],
                100 * sum(shares[:10]),
                RATE * shares[SERVERS // 2],
                100 * drawn.refused / drawn.questions,
            )
        )
    columns = ("Zipf's exponent", "busiest server, a second", "ten busiest, %", "middle one, a second", "refused, %")
    title = "1,000 a second on 1,000 servers for five minutes; questions above 60 a minute and server are refused"
    return Table(title, columns, tuple(rows))


def capacity() -> Table:
    """What a fleet works off when more always waits, beside what it would if no job waited for its batch."""
    rows = []
    for name, fleet in FLEETS.items():
        for what, kinds in (("taught answers", TRAINED), ("chat model", GENERATED)):
            load = Load((), kinds, SERVERS)
            ready = fleet._replace(first=fleet.most, start_s=0, index_s=0)
            jobs = [job._replace(at=0.0) for job in draw(load._replace(steps=(Step(60, RATE),)), SEED).jobs]
            many = jobs * max(1, 40 * fleet.most * fleet.batch // len(jobs))
            second = sustained(work_off(many, ready).ended)
            ideal = fleet.most * fleet.batch / load.mean_s
            rows.append((f"{name}, {what}", load.mean_s, RATE * load.mean_s, ideal, second, 100 * second / ideal))
    columns = (
        *("instances × batch", "s a command", "at once for 1,000 a second", "a second, by Little's law"),
        *("a second, in batches", "of it, %"),
    )
    return Table("What a fleet can work off", columns, tuple(rows))


def lag() -> Table:
    """The scenarios."""
    rows = [_row(scenario) for scenario in scenarios()]
    columns = (
        *(
            "what comes",
            "commands",
            "instances × batch",
            "number",
            "refused, %",
            "lag s, p50",
            "p95",
            "p99",
            "drained s after",
        ),
        *("later than 15 min, %", "instances", "made an index, %"),
    )
    return Table("Queue lag, from a fleet that has just begun", columns, tuple(rows))


def _row(scenario: Scenario) -> tuple[Value, ...]:
    fleet = FLEETS[scenario.fleet]._replace(index_s=scenario.index_s)
    drawn = draw(scenario.load, SEED)
    worked = work_off(drawn.jobs, fleet)
    cuts = quantiles(worked.waited, n=100, method="inclusive")
    late = sum(ended - job.at > TOKEN_S for ended, job in zip(worked.ended, drawn.jobs, strict=True))
    number = len(drawn.jobs)
    return (
        scenario.comes,
        scenario.commands,
        scenario.fleet,
        number,
        100 * drawn.refused / drawn.questions,
        *(cuts[at - 1] for at in (50, 95, 99)),
        drained(drawn.jobs, worked, rush_ends(scenario.load.steps)),
        100 * late / number,
        worked.instances,
        100 * worked.built / number,
    )


def _whole(table: Table) -> Table:
    """With whole numbers as such, which read better."""
    rows = (
        tuple(int(value) if isinstance(value, float) and value.is_integer() else value for value in row)
        for row in table.rows
    )
    return table._replace(rows=tuple(rows))


def sustained(ended: Sequence[float]) -> float:
    """How many end in a second, of those in the middle: neither while all begin together, nor while the last end."""
    ordered = sorted(ended)
    first, last = len(ordered) // 5, len(ordered) * 4 // 5
    return (last - first) / (ordered[last] - ordered[first])


def rush_ends(steps: Sequence[Step]) -> float:
    """When the last of the busiest steps is over."""
    most = max(step.rate for step in steps)
    last = max(number for number, step in enumerate(steps) if step.rate == most)
    return sum(step.seconds for step in steps[: last + 1])


def drained(jobs: Sequence[Job], worked: Worked, since: float, *, patience_s: float = 1.0) -> float:
    """Seconds after a moment until no command waits longer than `patience_s` any more."""
    begun = (job.at + waited for job, waited in zip(jobs, worked.waited, strict=True) if waited > patience_s)
    return max(0.0, max(begun, default=since) - since)
