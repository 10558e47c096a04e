"""How long people wait for "thinking…": verifying, enqueueing and acknowledging a signed /ask, beside a peer.

Discord gives an acknowledgement three seconds, and a serverless function often starts from nothing. The peer is
`bench.ack_peer`: Flask, discord-interactions and boto3, sending to the same queue on the same server. All are
measured in turn, in the same run. Every interaction is a new one, and in the end the queues must hold each of them.
"""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

from bench import ack_process, ack_requests
from bench.ack_children import WARM_UP_REQUESTS, Children
from bench.report import Aim, Result, Table, p95

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bench.ack_children import Cost

COLD_ROUNDS: Final = 20
STEADY_ROUNDS: Final = 7
STEADY_REQUESTS: Final = 300
SERVED_ROUNDS: Final = 5
SERVED_REQUESTS: Final = 400
COLD_AIM: Final = 0.5
"""Of the peer's time, at most."""


class Subject(NamedTuple):
    """Something that acknowledges."""

    label: str
    shape: str
    """Its name in `bench.ack_shapes`."""
    queue: str
    """`sqs`, `sqlite`, or nothing."""


BARE: Final = Subject("the interpreter alone", "bare", "")
SERVERLESS: Final = Subject("trainger, no Flask, SQS", "serverless", "sqs")
FLASK_SQS: Final = Subject("trainger, Flask, SQS", "ours", "sqs")
FLASK_SQLITE: Final = Subject("trainger, Flask, SQLite", "ours", "sqlite")
PEER: Final = Subject("peer: Flask + discord-interactions + boto3, SQS", "peer", "sqs")
PEER_PARTS: Final = Subject("the peer's parts without Flask, SQS", "functions_only", "sqs")
WORKING: Final = (SERVERLESS, FLASK_SQS, FLASK_SQLITE, PEER, PEER_PARTS)
HTTP: Final = (FLASK_SQS, FLASK_SQLITE, PEER)

Costs = dict[Subject, list["Cost"]]


class Lost(Exception):
    """A queue does not hold as many jobs as were acknowledged."""


class Queues:
    """The two queues, and how many jobs each must hold."""

    def __init__(
        self, environments: Mapping[str, Mapping[str, str]], counts: Mapping[str, Callable[[], int]]
    ) -> None:
        self.environments = environments
        self._counts = counts
        self._expected = dict.fromkeys(counts, 0)

    def expect(self, queue: str, jobs: int) -> None:
        """So many more jobs were acknowledged."""
        if queue:
            self._expected[queue] += jobs

    def check(self) -> None:
        """Raise `Lost` unless all of them are there."""
        for queue, count in self._counts.items():
            found, expected = count(), self._expected[queue]
            if found != expected:
                raise Lost(f"{queue}: {found} jobs of {expected}")


def measure() -> Result:
    """All of it; takes some minutes."""
    with tempfile.TemporaryDirectory(prefix="trainger-bench-") as name:
        folder = Path(name)
        children = Children(folder)
        with children.leave_a_core(), _queues(folder) as queues:
            requests = folder / "requests"

            def rounds(
                subjects: Sequence[Subject],
                count: int,
                jobs: int,
                run: Callable[[str, Path, Mapping[str, str]], Cost],
            ) -> Costs:
                """Every subject in each round; the first round is not counted: it compiles bytecode."""
                costs: Costs = {subject: [] for subject in subjects}
                for number in range(count + 1):
                    for subject in subjects:
                        ack_requests.write(requests, jobs)
                        cost = run(subject.shape, requests, queues.environments[subject.queue])
                        queues.expect(subject.queue, jobs)
                        if number:
                            costs[subject].append(cost)
                queues.check()
                return costs

            cold = rounds((BARE, *WORKING), COLD_ROUNDS, 1, children.first)
            steady = rounds(WORKING, STEADY_ROUNDS, STEADY_REQUESTS + ack_process.WARM_UP, children.steady)
            served = rounds(HTTP, SERVED_ROUNDS, SERVED_REQUESTS + WARM_UP_REQUESTS, children.served)
    return _result(cold, steady, served)


def _result(cold: Costs, steady: Costs, served: Costs) -> Result:
    wall = {subject: median(cost.wall for cost in costs) for subject, costs in cold.items()}
    cpu = {subject: median(cost.cpu for cost in costs) for subject, costs in cold.items()}
    aims = [
        Aim(f"cold, {subject.label}: {what} of the peer's", values[subject] / values[PEER], "at most", COLD_AIM)
        for subject in (SERVERLESS, FLASK_SQS)
        for what, values in (("wall time", wall), ("CPU time", cpu))
    ]
    parts = wall[SERVERLESS] / wall[PEER_PARTS], cpu[SERVERLESS] / cpu[PEER_PARTS]
    return Result(
        about="Acknowledging a signed /ask: verified, in the queue, deferred. SQS is ministack on loopback.",
        tables=(
            _cold_table(cold, wall, cpu),
            _steady_table(
                f"{STEADY_REQUESTS} requests one after the other in one thread on one core (WSGI apps called in "
                f"process), median of {STEADY_ROUNDS} rounds",
                steady,
                STEADY_REQUESTS,
            ),
            _steady_table(
                f"{SERVED_REQUESTS} requests of 8 clients at once over HTTP, waitress with {ack_process.THREADS} "
                f"threads on one core, median of {SERVED_ROUNDS} rounds",
                served,
                SERVED_REQUESTS,
            ),
        ),
        aims=tuple(aims),
        notes=(
            "Net is without what the interpreter alone takes. Ratios hold better than times, CPU better than wall.",
            f"Cold, without Flask on either side: wall time {parts[0]:.2f} of the peer's, CPU time {parts[1]:.2f}.",
            "Requests a second wait for the queue's answer, and with SQLite for an fsync each.",
            "Requests a CPU second are what one core could do if it never waited.",
            "All jobs were in their queue afterwards.",
        ),
    )


def _cold_table(cold: Costs, wall: Mapping[Subject, float], cpu: Mapping[Subject, float]) -> Table:
    def ratios(values: Mapping[Subject, float], subject: Subject) -> tuple[float, float]:
        net = (values[subject] - values[BARE]) / (values[PEER] - values[BARE])
        return values[subject] / values[PEER], net

    rows = tuple(
        (
            subject.label,
            1000 * wall[subject],
            1000 * p95([cost.wall for cost in costs]),
            *ratios(wall, subject),
            1000 * cpu[subject],
            1000 * p95([cost.cpu for cost in costs]),
            *ratios(cpu, subject),
        )
        for subject, costs in cold.items()
    )
    columns = ("cold", "wall ms", "p95", "of peer", "net", "CPU ms", "p95 CPU", "of peer CPU", "net CPU")
    title = f"Fresh process to first acknowledgement, imports included, median of {COLD_ROUNDS} processes"
    return Table(title, columns, rows)


def _steady_table(title: str, costs: Costs, requests: int) -> Table:
    wall = {subject: median(cost.wall for cost in measured) / requests for subject, measured in costs.items()}
    cpu = {subject: median(cost.cpu for cost in measured) / requests for subject, measured in costs.items()}
    rows = tuple(
        (
            subject.label,
            1 / wall[subject],
            wall[PEER] / wall[subject],
            1000 * cpu[subject],
            1 / cpu[subject],
            cpu[PEER] / cpu[subject],
        )
        for subject in costs
    )
    columns = (
        "steady",
        "requests/s",
        "times the peer's",
        "CPU ms a request",
        "requests/CPU s",
        "times the peer's CPU",
    )
    return Table(title, columns, rows)


@contextlib.contextmanager
def _queues(folder: Path) -> Iterator[Queues]:
    """An SQS queue on a server of its own, and an SQLite queue."""
    import boto3

    from tests import servers
    from tests.interactions_made import APPLICATION, KEY
    from trainer.adapters.sqlite_queue import SqliteQueue

    discord = {
        "DISCORD_PUBLIC_KEY": KEY.verify_key.encode().hex(),
        "DISCORD_APPLICATION_ID": APPLICATION,
        "TRAINGER_STORE": f"file:{folder}/store",
    }
    with servers.ministack() as server:
        session = boto3.session.Session(server.access_key, server.secret_key, region_name=server.region)
        with contextlib.closing(session.client("sqs", endpoint_url=server.endpoint_url)) as sqs:
            url = sqs.create_queue(QueueName="jobs")["QueueUrl"]

            def in_sqs() -> int:
                counted = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
                return int(counted["Attributes"]["ApproximateNumberOfMessages"])

            with contextlib.closing(SqliteQueue(folder / "queue.sqlite3")) as sqlite:
                yield Queues(
                    {
                        "": {},
                        "sqs": discord | server.environment() | {"QUEUE_URL": url, "TRAINGER_QUEUE": url},
                        "sqlite": discord | {"TRAINGER_QUEUE": f"sqlite:{folder}/queue.sqlite3"},
                    },
                    {"sqs": in_sqs, "sqlite": lambda: sqlite.depth().ready},
                )
