"""The port of job queues."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence


class Job(NamedTuple):
    """A job on lease."""

    id: str
    """The same for every delivery of the job."""
    body: bytes
    attempts: int
    """How many times it was handed out, this time included: 1 the first time."""
    receipt: str
    """Names this lease; stale once the lease has run out and another worker took the job."""


class DeadJob(NamedTuple):
    """A job that was given up."""

    id: str
    body: bytes
    reason: str
    """A fixed word or an exception's class name and a reference; never what people wrote."""
    buried_at: float
    """Seconds since the epoch."""


class QueueDepth(NamedTuple):
    """How many jobs there are; a distributed queue's numbers are approximate."""

    ready: int
    leased: int
    delayed: int
    dead: int


@runtime_checkable
class JobQueue(Protocol):
    """At-least-once delivery of small jobs, with leases.

    All methods may raise `QueueUnavailable`. Instances are safe to use from several threads, and any number of
    processes may use the same queue. A body is UTF-8 text without control characters below U+0020 but tab, line
    feed and carriage return (SQS takes no others).
    """

    max_body: int
    """The largest body it takes, in bytes."""

    def send(self, body: bytes, *, delay_s: float = 0) -> str:
        """Add a job, durably when this returns; returns its id. Raises `BodyTooLarge`."""
        ...

    def lease(self, *, wait_s: float, visibility_s: float, limit: int = 1) -> Sequence[Job]:
        """Take up to `limit` jobs that nobody else gets for `visibility_s` seconds.

        Waits up to `wait_s` seconds for the first one. Oldest first, roughly.
        """
        ...

    def extend(self, job: Job, *, visibility_s: float) -> None:
        """Keep the lease for `visibility_s` seconds from now. Raises `LeaseLost`."""
        ...

    def complete(self, job: Job) -> None:
        """The job is done and goes away. Raises `LeaseLost` if it had been taken over."""
        ...

    def release(self, job: Job, *, delay_s: float = 0) -> None:
        """Give the job back, to be handed out again after `delay_s` seconds. Raises `LeaseLost`."""
        ...

    def bury(self, job: Job, *, reason: str) -> None:
        """Move the job to the dead letters, where it stays with its reason. Raises `LeaseLost`."""
        ...

    def dead(self, *, limit: int = 100) -> Sequence[DeadJob]:
        """The dead letters, oldest first, roughly; looking at them changes nothing."""
        ...

    def redrive(self, job_id: str) -> bool:
        """Put a dead letter back as a new job, with its attempts counted from 0; False if there is none."""
        ...

    def discard(self, job_id: str) -> bool:
        """Delete a dead letter, with all that the queue itself keeps of it; False if there is none."""
        ...

    def depth(self) -> QueueDepth:
        """How many jobs there are."""
        ...

    def ping(self) -> None:
        """Raise `QueueUnavailable` unless the queue answers."""
        ...

    def close(self) -> None:
        """Close the connections: whoever made the queue does that when it is no longer used."""
        ...
