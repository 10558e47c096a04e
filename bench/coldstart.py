"""How long the packaged `ack` function takes from nothing to its first answer, under AWS's own runtime client.

The package is the one that is deployed, but for this machine; SQS is ministack on loopback. Beside it stands what
Discord allows, and a function that does nothing. Lambda's processors and its preparations of a sandbox are not in it.
"""

from __future__ import annotations

import contextlib
import platform
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

from bench.report import Aim, Result, Table, p95

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.servers import AwsServer

ROUNDS: Final = 15
DISCORD_MS: Final = 3000.0
MACHINE: Final = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")
PYTHON: Final = ".".join(map(str, sys.version_info[:2]))


class Missing(Exception):
    """Something that `make test-all` installs is not there."""


def measure() -> Result:
    """All of it; takes a minute."""
    from infra import packaging
    from tests import servers
    from tests.deploy import runtime_api

    with tempfile.TemporaryDirectory(prefix="trainger-bench-") as name, servers.ministack() as aws:
        folder = Path(name)
        if not runtime_api.install_client(folder / "client"):
            raise Missing("awslambdaric: `.venv/bin/pip install -r requirements/deploy.txt`")
        built = packaging.build("ack", MACHINE, python=PYTHON, out=folder)
        with zipfile.ZipFile(built.path) as packed:
            packed.extractall(folder / "ack")
        (folder / "nothing").mkdir()
        (folder / "nothing" / "empty.py").write_text("def handler(event, context):\n    return {}\n")
        with _queue(aws) as url:
            variables = _variables(url) | aws.environment()
            rows: dict[str, list[tuple[float, float]]] = {"a function that does nothing": [], "ack": []}
            for number in range(ROUNDS + 1):
                empty = _start(folder, "nothing", "empty.handler", {})
                ack = _start(folder, "ack", "interactions.aws.ack", variables)
                if number:  # the first one warms the disk
                    rows["a function that does nothing"].append(empty)
                    rows["ack"].append(ack)
    table = Table(
        f"Milliseconds, median of {ROUNDS} fresh processes",
        ("function", "cold", "cold p95", "warm"),
        tuple(
            (
                what,
                median(cold for cold, _ in times),
                p95([cold for cold, _ in times]),
                median(warm for _, warm in times),
            )
            for what, times in rows.items()
        ),
    )
    slowest = p95([cold for cold, _ in rows["ack"]])
    return Result(
        about=f"Start of the packaged function ({built.zipped / 1e6:.1f} MB) to its first answer to a signed /ask.",
        tables=(table,),
        aims=(Aim("ack, cold, p95, ms, of the three seconds that Discord allows", slowest, "at most", DISCORD_MS),),
        notes=("Lambda adds its own preparations, and gives a processor by the share of memory after the start.",),
    )


def _start(folder: Path, package: str, handler: str, variables: Mapping[str, str]) -> tuple[float, float]:
    """Milliseconds to the first answer of a fresh process, and of another one then."""
    from tests import interactions_made as made
    from tests.deploy import runtime_api
    from tests.unit.interactions.test_aws_start import event_of

    with runtime_api.running(folder / package, folder / "client", handler, variables) as function:
        first = function.call(event_of(made.slash("ask", {"prompt": "Who?"})))
        asked = time.monotonic()
        second = function.call(event_of(made.slash("ask", {"prompt": "Who?"})))
        if not (first.well and second.well) or first.said.get("statusCode", 200) != 200:
            raise RuntimeError(f"{handler}: {first.said}")
        return 1000 * (first.at - function.started_at), 1000 * (second.at - asked)


def _variables(queue_url: str) -> dict[str, str]:
    from tests.interactions_made import APPLICATION, KEY

    return {
        "DISCORD_PUBLIC_KEY": KEY.verify_key.encode().hex(),
        "DISCORD_APPLICATION_ID": APPLICATION,
        "TRAINGER_STORE": "s3://nothing-is-looked-up",
        "TRAINGER_QUEUE": queue_url,
        "TRAINGER_LOG_LEVEL": "WARNING",
    }


@contextlib.contextmanager
def _queue(aws: AwsServer) -> Iterator[str]:
    import boto3

    session = boto3.session.Session(aws.access_key, aws.secret_key, region_name=aws.region)
    with contextlib.closing(session.client("sqs", endpoint_url=aws.endpoint_url)) as sqs:
        yield sqs.create_queue(QueueName="cold")["QueueUrl"]
