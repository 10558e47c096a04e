"""Leases jobs and performs them: `python -m interactions.worker`.

A job's lease is kept alive while it runs. On SIGTERM no new job is taken; those that run get a while to finish, and
what is left then goes back to the queue at once. A command that takes longer hands itself on: a new job of the same
body is sent before the old one is completed. A crash in between leaves two jobs of one interaction, and that changes
nothing: whatever a job does, it does once for an interaction.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from trainer import logs, watchdog
from trainer.configuration import ConfigurationError
from trainer.ports import LeaseLost

if TYPE_CHECKING:
    from collections.abc import Callable

    from interactions.performing import Verdict
    from trainer.ports import Job, JobQueue

POLL_S: Final = 2.0
"""How long one look into the queue waits: a stop is noticed at least this often."""
PAUSE_S: Final = 2.0
"""Between looks when the queue does not answer."""
GRACE_S: Final = 20.0
"""What running jobs get to finish on SIGTERM."""
HANGS_S: Final = 300.0
"""A word with the queue that takes longer never ends: every queue gives up before."""

log = logging.getLogger(__name__)


class Performs(Protocol):
    """What does a job."""

    def perform(
        self, body: bytes, attempts: int, abandoned: Callable[[], bool], must_stop: Callable[[], bool]
    ) -> Verdict:
        """Do a job, unless it is abandoned meanwhile, and until it must stop. Raises nothing."""
        ...


class Worker:
    """Some threads that take jobs from one queue.

    Args:
        queue: where the jobs are.
        performer: does them.
        threads: jobs at once.
        lease_s: how long this worker may be silent before another takes a job over.
        poll_s: how long one look into the queue waits.
        job_s: how long a job may take before it is asked to hand itself on, in seconds; None for as long as it likes.
    """

    def __init__(
        self,
        queue: JobQueue,
        performer: Performs,
        *,
        threads: int = 4,
        lease_s: float = 30,
        poll_s: float = POLL_S,
        job_s: float | None = None,
    ) -> None:
        self._queue = queue
        self._performer = performer
        self._lease_s = lease_s
        self._poll_s = poll_s
        self._job_s = job_s
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._running: dict[str, Job] = {}
        self._lost: set[str] = set()
        self._threads = [threading.Thread(target=self._loop, name=f"worker-{n}", daemon=True) for n in range(threads)]
        self._keeper = threading.Thread(target=self._keep, name="leases", daemon=True)
        self._waiting: dict[str, float] = {}

    def start(self) -> None:
        """Begin to take jobs."""
        self._keeper.start()
        for thread in self._threads:
            thread.start()

    def stop(self, *, grace_s: float = GRACE_S) -> bool:
        """Take no more jobs, let running ones finish, give back the rest; whether all finished."""
        self._stopping.set()
        deadline = time.monotonic() + grace_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._lock:
            left = list(self._running.values())
        for job in left:
            self._settle(job, "release", partial(self._queue.release, job))
        if not left:
            self._keeper.join(self._lease_s)
        return not left

    def works(self) -> bool:
        """Whether no thread has ended, nor hangs in the queue. A command may take as long as it likes."""
        latest = time.monotonic() - HANGS_S - max(self._poll_s, self._lease_s / 3)
        with self._lock:
            hangs = any(since < latest for since in self._waiting.values())
        return not hangs and all(thread.is_alive() for thread in (self._keeper, *self._threads))

    def _waits(self, on: bool) -> None:
        """Note that this thread begins to wait, or no longer does."""
        name = threading.current_thread().name
        with self._lock:
            if on:
                self._waiting[name] = time.monotonic()
            else:
                self._waiting.pop(name, None)

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self._waits(True)
            try:
                jobs = self._queue.lease(wait_s=self._poll_s, visibility_s=self._lease_s)
                self._waits(False)
                for job in jobs:
                    self._do(job)
            except Exception as error:  # noqa: BLE001 - whatever happens, this thread goes on taking jobs
                log.error("the queue does not answer", extra=logs.places(error))  # noqa: TRY400 - no traceback
                self._stopping.wait(PAUSE_S)

    def _do(self, job: Job) -> None:
        with self._lock:
            self._running[job.receipt] = job
        ends_at = float("inf") if self._job_s is None else time.monotonic() + self._job_s

        def must_stop() -> bool:
            return self._stopping.is_set() or time.monotonic() >= ends_at

        try:
            verdict = self._performer.perform(job.body, job.attempts, lambda: job.receipt in self._lost, must_stop)
        finally:
            with self._lock:
                self._running.pop(job.receipt, None)
                self._lost.discard(job.receipt)
        match verdict.do:
            case "complete":
                self._settle(job, "complete", lambda: self._queue.complete(job))
            case "retry":
                self._settle(job, "retry", lambda: self._queue.release(job, delay_s=verdict.delay_s))
            case "bury":
                self._settle(job, "bury", lambda: self._queue.bury(job, reason=verdict.reason))
            case "again":
                self._settle(job, "hand on", partial(self._hand_on, job, verdict.delay_s))

    def _hand_on(self, job: Job, delay_s: float) -> None:
        """Let a new job go on, whose tries count from the first; in this order, so that none is lost."""
        self._queue.send(job.body, delay_s=delay_s)
        self._queue.complete(job)

    def _settle(self, job: Job, what: str, act: Callable[[], None]) -> None:
        """Tell the queue. If it does not hear, the lease runs out and the job comes again: that is harmless."""
        try:
            act()
        except LeaseLost:
            log.warning("lease lost", extra={"job": job.id, "what": what})
            with self._lock:
                if job.receipt in self._running:
                    self._lost.add(job.receipt)
        except Exception as error:  # noqa: BLE001 - the threads that keep leases and take jobs must not end
            log.error("not settled", extra={"job": job.id, "what": what, **logs.places(error)})  # noqa: TRY400

    def _keep(self) -> None:
        """Extend the leases of running jobs, three times in the time that a lease lasts."""
        while not (self._stopping.wait(self._lease_s / 3) and not self._any_running()):
            self._waits(True)
            with self._lock:
                running = list(self._running.values())
            for job in running:
                self._settle(job, "extend", partial(self._queue.extend, job, visibility_s=self._lease_s))
            if self._stopping.is_set():
                time.sleep(self._lease_s / 10)

    def _any_running(self) -> bool:
        with self._lock:
            return bool(self._running)


def main(arguments: list[str] | None = None) -> int:
    """Run a worker until a signal stops it."""
    from interactions.wiring import configured, make_worker  # noqa: PLC0415 - the door imports this file's class only

    parser = argparse.ArgumentParser(prog="python -m interactions.worker", description="Performs queued commands.")
    parser.add_argument("--threads", type=int, help="jobs at once (default: TRAINGER_WORKER_THREADS or 4)")
    options = parser.parse_args(arguments)
    try:
        configuration = configured(wait_for_playground_s=10)
    except ConfigurationError as error:
        print(f"trainger: {error}", file=sys.stderr)  # noqa: T201 - a command line speaks to its user
        return 2
    logs.set_up(configuration.log_level)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    worker, close = make_worker(configuration, threads=options.threads)
    worker.start()
    log.info("worker started", extra={"pid": os.getpid()})
    watchdog.attend(stop, worker.works)
    finished = worker.stop()
    log.info("worker stopped", extra={"finished": finished})
    if not finished:
        # A thread still runs a job that was given back: it must not go on beside whoever takes it over.
        sys.stderr.flush()
        os._exit(0)
    close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
