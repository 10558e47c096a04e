"""How long the function that performs commands takes to start, and for its first words with the queue.

The start is that of a fresh process: imports and services. What AWS does before (a sandbox, a package of 100 MB) is
not in it, nor what the first question takes: see the cold commands of `bench.scale_commands`. For its first batch an
instance makes a client of SQS, here on ministack, and keeps it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final
from unittest.mock import patch

from bench.report import Table, p95

if TYPE_CHECKING:
    from collections.abc import Mapping

ROUNDS: Final = 7
ROOT: Final = Path(__file__).parents[1]


def measure(folder: Path) -> Table:
    """All of it; takes ten seconds."""
    from tests.interactions_made import APPLICATION, KEY

    variables = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "_HANDLER": "interactions.aws.work",
        "AWS_REGION": "eu-central-1",
        "DISCORD_PUBLIC_KEY": KEY.verify_key.encode().hex(),
        "DISCORD_APPLICATION_ID": APPLICATION,
        "DISCORD_TOKEN": "made-up",
        "TRAINGER_STORE": "s3://nothing-is-looked-up",
        "TRAINGER_QUEUE": "https://sqs.eu-central-1.amazonaws.com/123456789012/jobs",
        "TRAINGER_VOICE_QUEUE": "none",
        "TRAINGER_CACHE": str(folder / "cache"),
    }
    seconds = [_start(variables, folder) for _ in range(ROUNDS + 1)][1:]
    first, later = _queues()
    return Table(
        f"What `work` takes before its commands, {ROUNDS} times",
        ("what", "ms, median", "p95"),
        (
            ("start: imports and services, in a fresh process", 1000 * median(seconds), 1000 * p95(seconds)),
            ("its first request to the queue, with a new client", 1000 * median(first), 1000 * p95(first)),
            ("a later request, such as one before each command of a batch", 1000 * median(later), 1000 * p95(later)),
        ),
    )


def _queues() -> tuple[list[float], list[float]]:
    """Seconds of the first request of a new queue, and of its second one."""
    import boto3

    from tests import servers
    from trainer.adapters.sqs_queue import SqsQueue

    first: list[float] = []
    later: list[float] = []
    with servers.ministack() as server, patch.dict(os.environ, server.environment()):
        with contextlib.closing(boto3.session.Session().client("sqs", endpoint_url=server.endpoint_url)) as sqs:
            url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
        for _ in range(ROUNDS + 1):
            with contextlib.closing(SqsQueue(url)) as queue:
                for times in (first, later):
                    began = time.perf_counter()
                    queue.ping()
                    times.append(time.perf_counter() - began)
    return first[1:], later[1:]


def _start(variables: Mapping[str, str], folder: Path) -> float:
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", "import interactions.aws"], env=variables, cwd=folder, check=True, timeout=120
    )
    return time.perf_counter() - began
