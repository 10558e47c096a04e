"""The queues that the contract suite runs on, each opened as often as a test likes, and how tests wait for jobs."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from typing import TYPE_CHECKING, Protocol

import boto3

from tests.servers import AwsServer, free_ports
from trainer.adapters.sqlite_queue import SqliteQueue
from trainer.adapters.sqs_queue import SqsQueue
from trainer.ports import DeadJob, Job, JobQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from mypy_boto3_sqs import SQSClient


PATIENCE_S = 30.0
"""Longer than anything here takes, even on a busy machine."""
SERVERS = ("ministack_server", "moto_server")
LONG_S = 60.0
SHORT_S = 1.0
"""SQS counts leases in whole seconds."""


class OpenQueue(JobQueue, Protocol):
    """A queue with connections to close."""

    def close(self) -> None: ...


@contextlib.contextmanager
def sqlite(directory: Path) -> Iterator[Callable[[], OpenQueue]]:
    """A queue in a file; what it yields opens the same one again at each call, as another process would."""
    with contextlib.ExitStack() as opened:
        yield lambda: opened.enter_context(contextlib.closing(SqliteQueue(directory / "new" / "queue.sqlite3")))


@contextlib.contextmanager
def sqs(server: AwsServer, *, max_receives: int = 1000) -> Iterator[Callable[[], SqsQueue]]:
    """A queue with dead letters on the server. Credentials must be in the environment."""
    name = uuid.uuid4().hex
    with contextlib.ExitStack() as opened:
        client = opened.enter_context(contextlib.closing(sqs_client(server)))
        dead_letters = client.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        arn = client.get_queue_attributes(QueueUrl=dead_letters, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": max_receives})
        url = client.create_queue(QueueName=name, Attributes={"RedrivePolicy": policy})["QueueUrl"]
        for each in (url, dead_letters):
            opened.callback(client.delete_queue, QueueUrl=each)
        yield lambda: opened.enter_context(contextlib.closing(open_sqs(url, server)))


def sqs_client(server: AwsServer) -> SQSClient:
    """A client that keeps nothing in boto3's default session."""
    session = boto3.session.Session(server.access_key, server.secret_key, region_name=server.region)
    return session.client("sqs", endpoint_url=server.endpoint_url)


@contextlib.contextmanager
def unavailable(kind: str, directory: Path) -> Iterator[OpenQueue]:
    """A queue whose world is out of order: a closed port, a folder in the file's place, a file of something else."""
    path = directory / "queue.sqlite3"
    queue: OpenQueue
    if kind == "closed port":
        queue = SqsQueue(f"http://127.0.0.1:{free_ports(1)[0]}/000000000000/jobs", region="us-east-1")
    elif kind == "folder":
        path.mkdir()
        queue = SqliteQueue(path)
    elif kind == "below a file":
        path.touch()
        queue = SqliteQueue(path / "queue.sqlite3")
    else:
        path.write_bytes(b"neither a database nor empty " * 1000)
        queue = SqliteQueue(path)
    with contextlib.closing(queue):
        yield queue


def open_sqs(queue_url: str, server: AwsServer) -> SqsQueue:
    return SqsQueue(queue_url, endpoint_url=server.endpoint_url, region=server.region)


def one(queue: JobQueue, *, visibility_s: float = LONG_S) -> Job:
    """The next job, waited for."""
    jobs = queue.lease(wait_s=PATIENCE_S, visibility_s=visibility_s)
    assert len(jobs) == 1
    return jobs[0]


def nothing(queue: JobQueue) -> bool:
    return not queue.lease(wait_s=0, visibility_s=LONG_S)


def dead_letters(queue: JobQueue, count: int) -> Sequence[DeadJob]:
    """The dead letters, once there are so many."""
    deadline = time.monotonic() + PATIENCE_S
    while len(found := queue.dead()) < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found
