"""What a worker tells the voice sidecar by: orders through the queue of the shard that has the server.

Nobody knows whether a sidecar is alive. What has to be answered is claimed (`trainer.voice_calls`): where no sidecar
does that in a while, the worker does. What only says that something changed is sent while the bot is in a voice
channel of that server; a sidecar that joins later reads what holds then from the store. So nothing piles up where
nobody talks. What is left all the same, with people's ids in it, goes with the housekeeping.
"""

from __future__ import annotations

import logging
import threading
import time
from itertools import chain
from typing import TYPE_CHECKING, Final

from trainer.consent import preferences
from trainer.ports import QueueDepth, QueueUnavailable
from trainer.scope import Scope
from trainer.voice_calls import call_state, claim, claimed, done_by
from trainer.voice_orders import (
    TOLD_S,
    BadOrder,
    Consent,
    SettingsChanged,
    decode,
    encode,
    expired,
    shard_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trainer.ports import Job, JobQueue, ObjectStore
    from trainer.voice_calls import Side
    from trainer.voice_orders import Join, Leave, Order

ANSWER_S: Final = 4.0
"""How long a worker waits for a sidecar to claim what it was told."""
SHOWN_S: Final = 4.0
"""How long for what it promised to be done: mostly it is by then."""
LOOKS_S: Final = (0.05, 0.1, 0.2, 0.3, 0.5)
"""Between looks whether it did; the last one again and again."""
TIDIED_MOST: Final = 10_000
"""Orders that are looked at in one sweep of a queue."""
TIDYING_S: Final = 10.0
"""How long the orders that are looked at are kept from a sidecar, if the sweep is cut off."""

log = logging.getLogger(__name__)


class VoiceLine:
    """Speaks to the sidecars. Safe to use from several threads; close it.

    Args:
        store: where claims and calls lie.
        queue_of: opens the queue of a shard.
        shards: how many queues there are.
        tidies: whether orders that nobody takes are deleted by us: a queue of SQS does that itself.
        clock: seconds since the epoch.
        sleep: waits.
    """

    def __init__(
        self,
        store: ObjectStore,
        queue_of: Callable[[int], JobQueue],
        *,
        shards: int = 1,
        tidies: bool = True,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._queue_of = queue_of
        self._shards = shards
        self._tidies = tidies
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._queues: dict[int, JobQueue] = {}

    def close(self) -> None:
        """Close the queues that were opened."""
        with self._lock:
            for queue in self._queues.values():
                queue.close()
            self._queues.clear()

    def send(self, order: Order) -> None:
        """Give an order. Raises `QueueUnavailable`."""
        self._queue(shard_of(order.guild_id, self._shards)).send(encode(order))

    def ask(self, order: Join | Leave, check: Callable[[], object] | None = None) -> Side:
        """Give an order that has to be answered; whose the answer is.

        It is the sidecar's if one took the order on within `ANSWER_S`, else the worker's. `check` is called again
        and again meanwhile, and may raise to give up. A second delivery of the command gives the order again only
        while nobody took it on: two of them are one to the sidecar.
        """
        side = claimed(self._store, order.guild_id, order.id)
        if side is not None:
            return side
        try:
            self.send(order)
        except QueueUnavailable as error:
            log.warning("the queue to the sidecar does not answer", extra={"error": type(error).__name__})
            return claim(self._store, order.guild_id, order.id, "worker")
        for _ in self._looks(ANSWER_S, check):
            side = claimed(self._store, order.guild_id, order.id)
            if side is not None:
                return side
        return claim(self._store, order.guild_id, order.id, "worker")

    def done(self, guild_id: str, order_id: str, check: Callable[[], object] | None = None) -> Side | None:
        """By whom what a sidecar took on is done, waiting up to `SHOWN_S` for that. `check` is as for `ask`."""
        for _ in chain([None], self._looks(SHOWN_S, check)):
            side = done_by(self._store, guild_id, order_id)
            if side is not None:
                return side
        return None

    def _looks(self, most_s: float, check: Callable[[], object] | None) -> Iterator[None]:
        """Moments to look whether something has happened, at first soon after one another."""
        left, looks = most_s, iter(LOOKS_S)
        while left > 0:
            wait = min(next(looks, LOOKS_S[-1]), left)
            self._sleep(wait)
            left -= wait
            if check is not None:
                check()
            yield

    def tell_consent(self, guild_id: str, user_id: str, *, agreed: bool | None = None) -> None:
        """Have it known at once whether somebody agrees to be heard; as the store has it, unless it is given.

        Raises `QueueUnavailable`.
        """
        if call_state(self._store, guild_id) is None:
            return
        if agreed is None:
            agreed = preferences(self._store, Scope("guild", guild_id), user_id).voice
        now = self._clock()
        self.send(Consent(guild_id=guild_id, user_id=user_id, agreed=agreed, at=now, expires=now + TOLD_S))

    def tell_settings(self, guild_id: str) -> None:
        """Have the server's settings read again. Raises `QueueUnavailable`."""
        if call_state(self._store, guild_id) is not None:
            self.send(SettingsChanged(guild_id=guild_id, expires=self._clock() + TOLD_S))

    def depth(self) -> QueueDepth:
        """How many orders there are, for all sidecars. Raises `QueueUnavailable`."""
        depths = [self._queue(shard).depth() for shard in range(self._shards)]
        return QueueDepth(*(sum(numbers) for numbers in zip(*depths, strict=True)))

    def tidy(self) -> int:
        """Delete the orders that nobody took in time; how many there were. Raises `QueueUnavailable`."""
        if not self._tidies:
            return 0
        return sum(self._tidy(self._queue(shard)) for shard in range(self._shards))

    def _tidy(self, queue: JobQueue) -> int:
        """What is not late is given back at once."""
        gone, kept = 0, []
        for _ in range(TIDIED_MOST):
            jobs = queue.lease(wait_s=0, visibility_s=TIDYING_S)
            if not jobs:
                break
            for job in jobs:
                if self._late(job):
                    queue.complete(job)
                    gone += 1
                else:
                    kept.append(job)
        for job in kept:
            queue.release(job)
        # Nobody looks into what a sidecar gave up: it is too late for all of it.
        return gone + sum(queue.discard(letter.id) for letter in queue.dead())

    def _late(self, job: Job) -> bool:
        try:
            return expired(decode(job.body), self._clock())
        except BadOrder:
            return True

    def _queue(self, shard: int) -> JobQueue:
        with self._lock:
            if shard not in self._queues:
                self._queues[shard] = self._queue_of(shard)
            return self._queues[shard]
