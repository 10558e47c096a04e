"""Takes orders from the voice queue, and settles them.

One thread looks into the queue and hands what it finds to the event loop, without waiting for it to be done: so a
slow join keeps nobody else waiting. Orders about one server are done in their order there. Leases are kept meanwhile;
if one is lost all the same, whoever gets the order then finds it done or claimed.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from trainer import logs
from trainer.ports import LeaseLost
from trainer.voice_orders import BadOrder, decode
from voice_sidecar.calls.obeying import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.ports import Job, JobQueue
    from trainer.voice_orders import Order

POLL_S: Final = 2.0
"""How long one look into the queue waits: a stop is noticed at least this often."""
LEASE_S: Final = 10.0
"""How long an order waits whose sidecar was killed: somebody sees "thinking…" meanwhile."""
SETTLED_AT_ONCE: Final = 8
"""Things that the queue is told at the same time."""
PAUSE_S: Final = 1.0
"""After the first failure of the queue; twice as long after each further one."""
PAUSE_MOST_S: Final = 30.0
FAILURES_MOST: Final = 3
"""Errors of our own that an order may meet before it is given up."""
GRACE_S: Final = 5.0
"""How long what has begun may take to finish. Whoever stops containers kills them after ten seconds."""

log = logging.getLogger(__name__)


class Obeys(Protocol):
    """What does orders."""

    stopping: bool

    async def obey(self, order: Order) -> Verdict:
        """Do what an order says."""
        ...

    async def give_up(self, order: Order) -> None:
        """It failed too often."""
        ...


class _Taken(NamedTuple):
    job: Job
    task: asyncio.Task[None]


class Taker:
    """Orders from one queue. Made, started and stopped in the event loop's thread.

    Args:
        queue: where orders are.
        obeys: does them.
        lease_s: how long we may be silent before an order goes to somebody else.
        poll_s: how long one look waits.
        pause_s: after the queue did not answer.
        most: orders that are dealt with at a time.
    """

    def __init__(
        self,
        queue: JobQueue,
        obeys: Obeys,
        *,
        lease_s: float = LEASE_S,
        poll_s: float = POLL_S,
        pause_s: float = PAUSE_S,
        most: int = 64,
    ) -> None:
        self._queue = queue
        self._obeys = obeys
        self._lease_s = lease_s
        self._poll_s = poll_s
        self._pause_s = pause_s
        self._free = threading.Semaphore(most)
        self._stopping = threading.Event()
        self._taken: dict[str, _Taken] = {}
        self._failures: Counter[str] = Counter()
        self._settling = ThreadPoolExecutor(SETTLED_AT_ONCE, thread_name_prefix="voice-queue")
        self._thread = threading.Thread(target=self._look, name="voice-orders", daemon=True)
        self._keeper: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.looked_at = 0.0
        """When the queue last answered, on the clock of `time.monotonic`; 0: never."""

    def start(self) -> None:
        """Begin to take orders, in the running loop."""
        self._loop = asyncio.get_running_loop()
        self._keeper = self._loop.create_task(self._keep())
        self._thread.start()

    async def stop(self, *, grace_s: float = GRACE_S) -> None:
        """Take no more, let what has begun finish, and give back the rest."""
        self._stopping.set()
        self._obeys.stopping = True
        await asyncio.to_thread(self._thread.join)
        tasks = [taken.task for taken in self._taken.values()]
        if tasks:
            _, unfinished = await asyncio.wait(tasks, timeout=grace_s)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        self._settling.shutdown()

    # --- the thread ---------------------------------------------------------------------------------------------

    def _look(self) -> None:
        pause = self._pause_s
        while not self._stopping.is_set():
            if not self._free.acquire(timeout=self._poll_s):
                continue
            try:
                jobs = self._queue.lease(wait_s=self._poll_s, visibility_s=self._lease_s)
            except Exception as error:  # noqa: BLE001 - whatever happens, this thread goes on
                self._free.release()
                log.error("the voice queue does not answer", extra=logs.places(error))  # noqa: TRY400
                self._stopping.wait(pause)
                pause = min(pause * 2, PAUSE_MOST_S)
                continue
            pause, self.looked_at = self._pause_s, time.monotonic()
            if not jobs:
                self._free.release()
            for job in jobs:
                if self._stopping.is_set() or self._loop is None:
                    self._settled(job, "release", partial(self._queue.release, job))
                else:
                    self._loop.call_soon_threadsafe(self._arrived, job)

    # --- the loop -----------------------------------------------------------------------------------------------

    def _arrived(self, job: Job) -> None:
        task = asyncio.get_running_loop().create_task(self._handle(job))
        self._taken[job.receipt] = _Taken(job, task)

    async def _handle(self, job: Job) -> None:
        try:
            await self._settle(job, await self._verdict(job))
        except asyncio.CancelledError:
            await self._away(job, "release", partial(self._queue.release, job))
            raise
        finally:
            self._taken.pop(job.receipt, None)
            self._free.release()

    async def _verdict(self, job: Job) -> Verdict | str:
        """What becomes of a job; a text is the reason for burying it."""
        try:
            order = decode(job.body)
        except BadOrder:
            log.warning("not an order", extra={"job": job.id})
            return "BadOrder"
        try:
            verdict = await self._obeys.obey(order)
        except Exception as error:  # noqa: BLE001 - one order's trouble must not be that of all
            log.error("order failed", extra={"job": job.id, **logs.places(error)})  # noqa: TRY400 - no traceback
            self._failures[job.id] += 1
            if self._failures[job.id] < FAILURES_MOST:
                return Verdict("release", self._pause_s)
            await self._give_up(job, order)
            del self._failures[job.id]
            return type(error).__name__
        self._failures.pop(job.id, None)
        return verdict

    async def _give_up(self, job: Job, order: Order) -> None:
        try:
            await self._obeys.give_up(order)
        except Exception as error:  # noqa: BLE001 - it is given up all the same
            log.error("nobody was told", extra={"job": job.id, **logs.places(error)})  # noqa: TRY400

    async def _settle(self, job: Job, verdict: Verdict | str) -> None:
        if isinstance(verdict, str):
            await self._away(job, "bury", partial(self._queue.bury, job, reason=verdict))
        elif verdict.do == "release":
            await self._away(job, "release", partial(self._queue.release, job, delay_s=verdict.delay_s))
        else:
            await self._away(job, "complete", partial(self._queue.complete, job))

    async def _keep(self) -> None:
        """Extend the leases of what is being done, three times in the time that a lease lasts."""
        while True:
            await asyncio.sleep(self._lease_s / 3)
            # Side by side, as a queue that is slow just now would lose us the leases of the last ones.
            await asyncio.gather(
                *(self._away(job, "extend", partial(self._extend, job)) for job, _ in self._taken.values())
            )

    def _extend(self, job: Job) -> None:
        """In a thread."""
        if job.receipt in self._taken:
            self._queue.extend(job, visibility_s=self._lease_s)

    async def _away(self, job: Job, what: str, act: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._settling, self._settled, job, what, act)

    @staticmethod
    def _settled(job: Job, what: str, act: Callable[[], None]) -> None:
        """Tell the queue. If it does not hear, the lease runs out and the order comes again: that is harmless."""
        try:
            act()
        except LeaseLost:
            log.warning("lease lost", extra={"job": job.id, "what": what})
        except Exception as error:  # noqa: BLE001 - as above
            log.error("not settled", extra={"job": job.id, "what": what, **logs.places(error)})  # noqa: TRY400
