"""What SQS does besides what every job queue does, over two independent servers."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, cast

import pytest

from tests.contract import queues
from tests.contract.queues import LONG_S, SERVERS, dead_letters, nothing, one
from trainer.adapters import sqs_queue
from trainer.ports import Job, LeaseLost, QueueDepth, QueueUnavailable

if TYPE_CHECKING:
    from tests.servers import AwsServer


@pytest.fixture(params=SERVERS)
def aws_server(request: pytest.FixtureRequest, aws_credentials: None) -> AwsServer:
    return cast("AwsServer", request.getfixturevalue(request.param))


def test_sqs_itself_buries_what_was_received_too_often(aws_server: AwsServer) -> None:
    with queues.sqs(aws_server, max_receives=1) as opener:
        queue = opener()
        job_id = queue.send(b"poison")
        queue.release(one(queue))
        assert nothing(queue)
        (letter,) = dead_letters(queue, 1)
        assert (letter.id, letter.body, letter.reason) == (job_id, b"poison", sqs_queue.MAX_RECEIVES)
        assert queue.redrive(job_id)
        assert one(queue).body == b"poison"


def test_without_a_queue_of_dead_letters_nothing_is_buried(aws_server: AwsServer) -> None:
    with contextlib.closing(queues.sqs_client(aws_server)) as client:
        url = client.create_queue(QueueName="no-dead-letters")["QueueUrl"]
        with contextlib.closing(queues.open_sqs(url, aws_server)) as queue:
            queue.send(b"job")
            job = one(queue)
            with pytest.raises(QueueUnavailable, match="dead letters"):
                queue.bury(job, reason="Boom")
            assert queue.dead() == []
            assert not queue.redrive(job.id)
            assert not queue.discard(job.id)
            assert queue.depth() == QueueDepth(0, 1, 0, 0)
            queue.complete(job)
        client.delete_queue(QueueUrl=url)


def test_a_missing_sqs_queue_is_unavailable(aws_server: AwsServer) -> None:
    with contextlib.closing(queues.open_sqs(f"{aws_server.endpoint_url}/000000000000/missing", aws_server)) as queue:
        for call in (queue.ping, lambda: queue.send(b"words"), lambda: queue.lease(wait_s=0, visibility_s=1)):
            with pytest.raises(QueueUnavailable, match=r"NonExistentQueue|QueueDoesNotExist"):
                call()


def test_a_receipt_that_sqs_does_not_know_is_a_lost_lease(aws_server: AwsServer) -> None:
    with queues.sqs(aws_server) as opener:
        queue = opener()
        queue.send(b"job")
        job = one(queue)._replace(id="leased-by-another-process", receipt="not a receipt")
        with pytest.raises(LeaseLost):
            queue.extend(job, visibility_s=1)


def test_waiting_asks_sqs_seldom(aws_server: AwsServer) -> None:
    with queues.sqs(aws_server) as opener:
        queue = opener()
        asked: list[object] = []
        queue._sqs().meta.events.register("before-call.sqs.ReceiveMessage", lambda **about: asked.append(about))
        assert queue.lease(wait_s=1.4, visibility_s=1) == []
        assert 2 <= len(asked) <= 5  # one waits a second on the server, the others make up the rest


def test_leases_are_watched_by_a_clock_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqs_queue, "LEASES_KEPT", 2)
    leases = sqs_queue.Leases()
    forgotten, over, kept = (Job(str(number), b"job", 1, f"receipt {number}") for number in range(3))
    leases.took(forgotten, 0)
    leases.took(over, 0)
    leases.took(kept, LONG_S)
    for job in (forgotten, kept):
        leases.check(job)
    with pytest.raises(LeaseLost):
        leases.check(over)
    leases.ended(kept)
    with pytest.raises(LeaseLost):
        leases.check(kept)


def test_an_unknown_receipt_is_the_newest_lease_of_its_job() -> None:
    leases = sqs_queue.Leases()
    first = Job("id", b"job", 1, "receipt 1")
    second = first._replace(attempts=2, receipt="receipt 2")
    leases.took(first, LONG_S)
    leases.check(second)
    leases.check(first)

    leases.took(second, LONG_S)

    leases.check(second)
    for _renewed_too_late in range(2):
        with pytest.raises(LeaseLost):
            leases.check(first)
        leases.took(first, LONG_S)
    leases.check(second)
    leases.ended(second)
    with pytest.raises(LeaseLost):
        leases.check(second)
    leases.check(first._replace(attempts=3, receipt="receipt 3"))
