"""The job queue on SQS, or on a server that speaks its protocol.

What SQS does not promise, this does not either: deliveries can repeat, order is rough, counts are approximate, and
SQS may accept a stale receipt in silence. Hence a lease is also watched by this process's own clock: once the time
is over, or the same process has got the job again, its calls raise `LeaseLost` without asking SQS. Whole seconds:
times are rounded up.

Dead letters lie in a second queue. `bury` sends them there with their reason; those that SQS itself moved, after the
`maxReceiveCount` of the queue's redrive policy, have the reason `max receives`. boto3 is imported when first needed,
which sending is not: see `trainer.adapters.sqs_send`.
"""

from __future__ import annotations

import math
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from trainer.adapters.sqs_send import MAX_BODY, SqsSender, place
from trainer.ports import DeadJob, Job, LeaseLost, QueueDepth, QueueUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

LONGEST_POLL_S: Final = 20
BATCH: Final = 10
LONGEST_LEASE_S: Final = 12 * 3600
PAUSE_S: Final = 0.2
"""Between two looks when less than a second of waiting is left: SQS waits whole seconds."""
LOOK_S: Final = 30
"""How long a dead letter is hidden from others while it is being looked at."""
MOVE_S: Final = 30
"""The lease is renewed for so long before a job is buried."""
CLOCK_MARGIN_S: Final = 0.1
"""SQS started the lease some time before its answer was here."""
MAX_REASON: Final = 512
"""Bytes. Attributes count towards the size of a message, and half a KiB is what the other ones leave."""
LEASES_KEPT: Final = 10_000
MAX_RECEIVES: Final = "max receives"

_REASON: Final = "trainger.reason"
_JOB_ID: Final = "trainger.job_id"
_BURIED_AT: Final = "trainger.buried_at"
_LOST: Final = frozenset(
    {"ReceiptHandleIsInvalid", "InvalidParameterValue", "MessageNotInflight", "InvalidReceiptHandle"}
)


class SqsQueue:
    """A `trainer.ports.JobQueue` in a standard SQS queue.

    Args:
        queue_url: the queue. FIFO queues are refused with a ValueError.
        endpoint_url: the server, if it is not the host of the queue's URL.
        region: the region, if the queue's URL does not name it.
        dead_letter_url: the queue of dead letters; else the one that the queue's redrive policy names.
        max_body: the largest body it takes, in bytes.
    """

    def __init__(
        self,
        queue_url: str,
        *,
        endpoint_url: str | None = None,
        region: str | None = None,
        dead_letter_url: str | None = None,
        max_body: int = MAX_BODY,
    ) -> None:
        self.max_body = max_body
        self._place = place(queue_url, endpoint_url=endpoint_url, region=region)
        self._url = queue_url
        self._dead_letter_url = dead_letter_url
        self._sender = SqsSender(self._place, max_body=max_body)
        self._leases = Leases()
        self._client: SQSClient | None = None
        self._making_client = threading.Lock()

    def send(self, body: bytes, *, delay_s: float = 0) -> str:
        """Add a job; its id is SQS's message id. A delay is at most 900 seconds. Raises `BodyTooLarge`."""
        return self._sender.send(body, delay_s=delay_s)

    def lease(self, *, wait_s: float, visibility_s: float, limit: int = 1) -> Sequence[Job]:
        """Take up to `limit` jobs, at most ten, waiting up to `wait_s` seconds for the first."""
        hidden_s = _seconds(visibility_s, least=1)
        deadline = time.monotonic() + wait_s
        while True:
            remaining = max(deadline - time.monotonic(), 0)
            with _translated("ReceiveMessage"):
                answer = self._sqs().receive_message(
                    QueueUrl=self._url,
                    MaxNumberOfMessages=max(1, min(limit, BATCH)),
                    VisibilityTimeout=hidden_s,
                    WaitTimeSeconds=min(round(remaining), LONGEST_POLL_S),
                    MessageSystemAttributeNames=["ApproximateReceiveCount"],
                )
            jobs = [_job(message) for message in answer.get("Messages", ())]
            for job in jobs:
                self._leases.took(job, hidden_s)
            remaining = deadline - time.monotonic()
            if jobs or remaining <= 0:
                return jobs
            if remaining < 1:
                time.sleep(min(PAUSE_S, remaining))

    def extend(self, job: Job, *, visibility_s: float) -> None:
        """Keep the lease for `visibility_s` seconds from now, at most twelve hours. Raises `LeaseLost`."""
        self._leases.check(job)
        hidden_s = _seconds(visibility_s, least=1)
        self._hide(job, hidden_s)
        self._leases.took(job, hidden_s)

    def complete(self, job: Job) -> None:
        """The job is done and goes away. Raises `LeaseLost` where that is known."""
        self._leases.check(job)
        with _translated("DeleteMessage"):
            self._sqs().delete_message(QueueUrl=self._url, ReceiptHandle=job.receipt)
        self._leases.ended(job)

    def release(self, job: Job, *, delay_s: float = 0) -> None:
        """Give the job back, to be handed out again after `delay_s` seconds. Raises `LeaseLost`."""
        self._leases.check(job)
        self._hide(job, _seconds(delay_s, least=0))
        self._leases.ended(job)

    def bury(self, job: Job, *, reason: str) -> None:
        """Move the job to the queue of dead letters. Raises `LeaseLost`.

        A crash in the middle leaves it in both queues, so that it is delivered again, and lost never. Without a
        queue of dead letters it raises `QueueUnavailable`.
        """
        dead_letters = self._dead_letters()
        if dead_letters is None:
            raise QueueUnavailable("the queue has no queue of dead letters")
        self.extend(job, visibility_s=MOVE_S)
        with _translated("SendMessage"):
            self._sqs().send_message(
                QueueUrl=dead_letters,
                MessageBody=job.body.decode(),
                MessageAttributes={
                    _REASON: {"DataType": "String", "StringValue": _attribute(reason)},
                    _JOB_ID: {"DataType": "String", "StringValue": job.id},
                    _BURIED_AT: {"DataType": "Number", "StringValue": f"{time.time():.3f}"},
                },
            )
        self.complete(job)

    def dead(self, *, limit: int = 100) -> Sequence[DeadJob]:
        """The dead letters, oldest first. Somebody else looking at the same time sees only the rest.

        It takes a second longer than the answers, because only a waiting receive asks all of SQS's servers.
        """
        found: dict[str, DeadJob] = {}
        with self._looking() as letters:
            for letter in letters:
                if len(found) >= limit:
                    break
                found.setdefault(letter.job.id, letter.job)
        return sorted(found.values(), key=lambda job: job.buried_at)

    def redrive(self, job_id: str) -> bool:
        """Put a dead letter back, with a new id; False if there is none.

        A crash in the middle leaves the dead letter there as well. It looks through all of the dead letters.
        """
        with self._looking() as letters:
            for letter in letters:
                if letter.job.id == job_id:
                    self.send(letter.job.body)
                    self._drop(letter)
                    return True
        return False

    def discard(self, job_id: str) -> bool:
        """Delete a dead letter; False if there is none that can be seen now.

        A letter that somebody else is looking at is hidden meanwhile. A crash in the middle of burying may have left
        several copies of one job: all that are seen go. It looks through all of the dead letters.
        """
        found = False
        with self._looking() as letters:
            for letter in letters:
                if letter.job.id == job_id:
                    self._drop(letter)
                    found = True
        return found

    def depth(self) -> QueueDepth:
        """How many jobs there are, as SQS counts them; those released with a delay count as leased."""
        ready, leased, delayed = self._counts(self._url)
        dead_letters = self._dead_letters()
        return QueueDepth(ready, leased, delayed, sum(self._counts(dead_letters)) if dead_letters else 0)

    def ping(self) -> None:
        """Raise `QueueUnavailable` unless the queue exists and answers."""
        with _translated("GetQueueAttributes"):
            self._sqs().get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])

    def close(self) -> None:
        """Close the idle connections."""
        self._sender.close()
        if self._client is not None:
            self._client.close()

    def _drop(self, letter: _Letter) -> None:
        with _translated("DeleteMessage"):
            self._sqs().delete_message(QueueUrl=letter.queue_url, ReceiptHandle=letter.receipt)

    def _hide(self, job: Job, seconds: int) -> None:
        with _translated("ChangeMessageVisibility"):
            self._sqs().change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=job.receipt, VisibilityTimeout=seconds
            )

    def _counts(self, queue_url: str) -> tuple[int, int, int]:
        with _translated("GetQueueAttributes"):
            counts = self._sqs().get_queue_attributes(
                QueueUrl=queue_url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                    "ApproximateNumberOfMessagesDelayed",
                ],
            )["Attributes"]
        return (
            int(counts["ApproximateNumberOfMessages"]),
            int(counts["ApproximateNumberOfMessagesNotVisible"]),
            int(counts["ApproximateNumberOfMessagesDelayed"]),
        )

    def _dead_letters(self) -> str | None:
        """The URL of the queue of dead letters."""
        if self._dead_letter_url is None:
            import json  # noqa: PLC0415 - only here

            with _translated("GetQueueAttributes"):
                answer = self._sqs().get_queue_attributes(QueueUrl=self._url, AttributeNames=["RedrivePolicy"])
            policy = answer.get("Attributes", {}).get("RedrivePolicy")
            if policy:
                account, name = json.loads(policy)["deadLetterTargetArn"].split(":")[-2:]
                with _translated("GetQueueUrl"):
                    found = self._sqs().get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)
                self._dead_letter_url = found["QueueUrl"]
        return self._dead_letter_url

    @contextmanager
    def _looking(self) -> Iterator[Iterator[_Letter]]:
        """The dead letters, each once; those that are still there afterwards are visible again at once."""
        dead_letters = self._dead_letters()
        if dead_letters is None:
            yield iter(())
            return
        seen: dict[str, str] = {}
        try:
            yield self._letters(dead_letters, seen)
        finally:
            receipts = list(seen.values())
            for start in range(0, len(receipts), BATCH):
                with _translated("ChangeMessageVisibilityBatch"):
                    # Of those that are gone it fails, which the answer says and nobody needs to know.
                    self._sqs().change_message_visibility_batch(
                        QueueUrl=dead_letters,
                        Entries=[
                            {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                            for number, receipt in enumerate(receipts[start : start + BATCH])
                        ],
                    )

    def _letters(self, dead_letters: str, seen: dict[str, str]) -> Iterator[_Letter]:
        while True:
            with _translated("ReceiveMessage"):
                messages = (
                    self._sqs()
                    .receive_message(
                        QueueUrl=dead_letters,
                        MaxNumberOfMessages=BATCH,
                        VisibilityTimeout=LOOK_S,
                        WaitTimeSeconds=1,
                        MessageSystemAttributeNames=["SentTimestamp"],
                        MessageAttributeNames=[_REASON, _JOB_ID, _BURIED_AT],
                    )
                    .get("Messages", [])
                )
            new = [message for message in messages if message["MessageId"] not in seen]
            seen.update((message["MessageId"], message["ReceiptHandle"]) for message in messages)
            if not new:
                return
            for message in new:
                yield _Letter(_dead_job(message), dead_letters, message["ReceiptHandle"])

    def _sqs(self) -> SQSClient:
        with self._making_client:  # making a client is not safe in several threads, using it is
            if self._client is None:
                import boto3  # noqa: PLC0415 - the acknowledging path only sends
                from botocore.config import Config  # noqa: PLC0415

                self._client = boto3.session.Session().client(
                    "sqs",
                    region_name=self._place.region,
                    endpoint_url=self._place.endpoint_url,
                    config=Config(
                        connect_timeout=2,
                        read_timeout=LONGEST_POLL_S + 10,
                        retries={"mode": "standard", "total_max_attempts": 3},
                        max_pool_connections=32,
                    ),
                )
            return self._client


class Leases:
    """What this process knows of its leases by its own clock. Safe to use from several threads.

    A receipt names a lease, and an unknown one is the newest of its job: SQS gives each out once, and a function of
    Lambda gets jobs that it had before, with receipts that the platform took. Such a lease is left to SQS to judge.
    """

    def __init__(self) -> None:
        self._ends: dict[str, dict[str, float]] = {}
        """When each lease of a job ends, by the job's id and the lease's receipt; all but the newest have ended."""
        self._lock = threading.Lock()

    def took(self, job: Job, seconds: float) -> None:
        """The job was leased, or its lease renewed, for so many seconds from now."""
        self._note(job, time.monotonic() + seconds - CLOCK_MARGIN_S)

    def ended(self, job: Job) -> None:
        """The lease is over."""
        self._note(job, -math.inf)

    def check(self, job: Job) -> None:
        """Raise `LeaseLost` if the lease ran out, ended, or is known not to be the newest one of this job."""
        with self._lock:
            until = self._ends.get(job.id, {}).get(job.receipt, math.inf)
        if time.monotonic() >= until:
            raise LeaseLost("the job's lease is over")

    def _note(self, job: Job, until: float) -> None:
        with self._lock:
            ends = self._ends.pop(job.id, {})
            if job.receipt not in ends:
                ends = dict.fromkeys(ends, -math.inf) | {job.receipt: until}
            elif ends[job.receipt] != -math.inf:  # what has ended is not renewed
                ends[job.receipt] = until
            self._ends[job.id] = ends
            while len(self._ends) > LEASES_KEPT:
                del self._ends[next(iter(self._ends))]


class _Letter(NamedTuple):
    job: DeadJob
    queue_url: str
    receipt: str


@contextmanager
def _translated(operation: str) -> Iterator[None]:
    """Errors of boto3 as the port's, with their code alone: their text repeats what was sent."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - the acknowledging path only sends

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown").rpartition(".")[2]
        if code in _LOST and operation in {"ChangeMessageVisibility", "DeleteMessage"}:
            raise LeaseLost(f"{operation}: {code}") from None
        raise QueueUnavailable(f"{operation}: {code}") from None
    except BotoCoreError as error:
        raise QueueUnavailable(f"{operation}: {type(error).__name__}") from None


def _job(message: MessageTypeDef) -> Job:
    attempts = int(message.get("Attributes", {}).get("ApproximateReceiveCount", "1"))
    return Job(message["MessageId"], message["Body"].encode(), attempts, message["ReceiptHandle"])


def _dead_job(message: MessageTypeDef) -> DeadJob:
    ours = {name: value.get("StringValue", "") for name, value in message.get("MessageAttributes", {}).items()}
    sent_at = int(message.get("Attributes", {}).get("SentTimestamp", "0")) / 1000
    return DeadJob(
        ours.get(_JOB_ID) or message["MessageId"],
        message["Body"].encode(),
        ours.get(_REASON) or MAX_RECEIVES,
        float(ours.get(_BURIED_AT) or sent_at),
    )


def _seconds(value: float, *, least: int) -> int:
    return min(max(math.ceil(value), least), LONGEST_LEASE_S)


def _attribute(reason: str) -> str:
    """The reason as an attribute may hold it: not empty, printable, short enough for the room kept for it."""
    printable = "".join(letter if letter.isprintable() else " " for letter in reason)
    return printable.encode(errors="replace")[:MAX_REASON].decode(errors="ignore") or "unknown"
