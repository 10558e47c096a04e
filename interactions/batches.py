"""Works off the jobs that somebody else took from the queue, as AWS does for functions: a batch, within a time.

The platform hides a batch's messages for longer than the function may run. That is too long for a person to wait when
a worker dies, so leases are kept as `interactions.worker` keeps them: short, and renewed while the job runs. Each job
is settled when it ends and not with the last one of its batch. What is named as failed is left in the queue.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final

import msgspec

from trainer import logs
from trainer.ports import Job, LeaseLost

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from interactions.performing import Verdict
    from interactions.worker import Performs
    from trainer.ports import JobQueue

RESERVE_S: Final = 90.0
"""Before the end, what takes long is asked to hand itself on: what a last answer of a model may take."""
RESERVE_SHARE: Final = 1 / 3
"""Of all the time that there is, the reserve is no more."""

log = logging.getLogger(__name__)


class NotABatch(Exception):
    """The event is no batch of an SQS queue: somebody called the function in another way."""


class _Attributes(msgspec.Struct, frozen=True, rename="pascal"):
    approximate_receive_count: str = "1"


class _Record(msgspec.Struct, frozen=True, rename="camel"):
    message_id: str
    receipt_handle: str
    body: str
    attributes: _Attributes = _Attributes()


class _Event(msgspec.Struct, frozen=True, rename="pascal"):
    records: list[_Record]


def read(event: object) -> list[Job]:
    """The jobs in an event of an SQS queue. Raises `NotABatch`.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """
    try:
        records = msgspec.convert(event, _Event).records
        return [
            Job(
                record.message_id,
                record.body.encode(errors="replace"),
                int(record.attributes.approximate_receive_count),
                record.receipt_handle,
            )
            for record in records
        ]
    except (msgspec.ValidationError, ValueError):
        raise NotABatch from None


def answer(failed: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    """What tells the platform which messages to leave in the queue.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    return {"batchItemFailures": [{"itemIdentifier": job_id} for job_id in failed]}


def work_off(
    jobs: Sequence[Job], queue: JobQueue, performer: Performs, *, lease_s: float, remaining_s: Callable[[], float]
) -> list[str]:
    """Perform the jobs, all at once; the ids of those that must stay in the queue. Raises nothing.

    Args:
        jobs: leased already.
        queue: where they lie.
        performer: does them.
        lease_s: how long this worker may be silent before another takes a job over.
        remaining_s: seconds until the platform ends all of this.
    """
    return _Batch(queue, performer, lease_s, remaining_s).work_off(jobs) if jobs else []


class _Batch:
    def __init__(
        self, queue: JobQueue, performer: Performs, lease_s: float, remaining_s: Callable[[], float]
    ) -> None:
        self._queue = queue
        self._performer = performer
        self._lease_s = lease_s
        self._remaining_s = remaining_s
        self._reserve_s = min(RESERVE_S, remaining_s() * RESERVE_SHARE)
        self._lost: set[Job] = set()

    def work_off(self, jobs: Sequence[Job]) -> list[str]:
        for job in jobs:
            self._extend(job)
        failed = [job.id for job in jobs if job in self._lost]
        renewed = time.monotonic()
        with ThreadPoolExecutor(len(jobs), thread_name_prefix="job") as pool:
            running = {pool.submit(self._do, job): job for job in jobs if job not in self._lost}
            while running:
                until = renewed + self._lease_s / 3 - time.monotonic()
                done, _ = wait(running, timeout=max(until, 0), return_when=FIRST_COMPLETED)
                failed += [running[future].id for future in done if not _is_settled(future)]
                running = {future: job for future, job in running.items() if future not in done}
                if time.monotonic() >= renewed + self._lease_s / 3:
                    renewed = time.monotonic()
                    for job in running.values():
                        self._extend(job)
        return failed

    def _do(self, job: Job) -> bool:
        """Whether the message may go."""
        verdict = self._performer.perform(
            job.body,
            job.attempts,
            lambda: job in self._lost,
            lambda: self._remaining_s() < self._reserve_s,
        )
        try:
            return self._settle(job, verdict)
        except LeaseLost:
            # Whoever has it now decides; SQS may take an old receipt for deleting it.
            log.warning("lease lost", extra={"job": job.id, "what": verdict.do})
            return False
        except Exception as error:  # noqa: BLE001 - a queue that does not hear must not fail the other jobs
            log.error("not settled", extra={"job": job.id, "what": verdict.do, **logs.places(error)})  # noqa: TRY400
            # What is done may go, which the platform sees to; all else comes again when its lease has run out.
            return verdict.do == "complete"

    def _settle(self, job: Job, verdict: Verdict) -> bool:
        match verdict.do:
            case "complete":
                self._queue.complete(job)
            case "retry":
                self._queue.release(job, delay_s=verdict.delay_s)
                return False
            case "bury":
                self._queue.bury(job, reason=verdict.reason)
            case "again":
                # In this order, so that none is lost.
                self._queue.send(job.body, delay_s=verdict.delay_s)
                self._queue.complete(job)
        return True

    def _extend(self, job: Job) -> None:
        try:
            self._queue.extend(job, visibility_s=self._lease_s)
        except LeaseLost:
            log.warning("lease lost", extra={"job": job.id, "what": "extend"})
            self._lost.add(job)
        except Exception as error:  # noqa: BLE001 - as the platform leased it, the job is safe for now
            log.error("not settled", extra={"job": job.id, "what": "extend", **logs.places(error)})  # noqa: TRY400


def _is_settled(future: Future[bool]) -> bool:
    error = future.exception()
    if error is not None:
        log.error("failed", extra=logs.places(error))
        return False
    return future.result()
