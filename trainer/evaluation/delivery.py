"""One delivery of a run's job: answers the cases of which there are no results yet, and stores what comes of them."""

from __future__ import annotations

import contextvars
import threading
import time
from collections import deque
from concurrent.futures import wait
from itertools import islice
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import tenacity

from trainer.evaluation.examining import Examiner, Interrupted
from trainer.evaluation.keys import SHARD
from trainer.evaluation.leakage import leaked
from trainer.evaluation.patience import Patience
from trainer.evaluation.pool import Pool
from trainer.evaluation.store import shards_of
from trainer.ports import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from trainer.answering import Trial
    from trainer.evaluation.cases import Case
    from trainer.evaluation.claims import Claim
    from trainer.evaluation.examining import Examined, Means
    from trainer.evaluation.keys import Stream
    from trainer.evaluation.results import CaseResult, Run
    from trainer.evaluation.store import Runs, Words
    from trainer.index import ExampleIndex
    from trainer.scope import Scope

TICK_S: Final = 0.2
"""How long is waited for a result before something else is looked at."""
TELL_S: Final = 0.5
"""Between two tellings of how far it is."""
LOOK_S: Final = 2.0
"""Between two looks whether somebody wants the run to end early."""
LAST_S: Final = 8.0
"""What stretches that have been begun get to be finished once the work is to stop."""
STORE_TRIES: Final = 4

State = Literal["finished", "cancelled", "stopped", "waiting", "busy", "forgotten"]
"""finished   there are results of all cases
cancelled  somebody ended it early; there are results of some
stopped    this worker is to stop: another job goes on
waiting    this process works on as many runs as it may, or another delivery on this one; another job tries again
busy       another run of the scope is being worked on, or it waited for too long
forgotten  its cases were deleted meanwhile, as somebody whose words they hold asked for that
"""


class Progress(NamedTuple):
    """How far a run is."""

    done: int
    total: int
    stream: Stream
    seconds_left: float | None
    """An estimate; None while nothing can be said."""


class RunOutcome(NamedTuple):
    """What a delivery of a run's job came to."""

    state: State
    done: int
    """Cases of which there are results; not counted if nothing was looked at."""
    total: int
    stored: int = 0
    """Stretches of results that this delivery stored. If any, the next one need not count as a further attempt."""
    running: str = ""
    """The run that is being worked on instead; empty if that is not known, or if none is."""
    changed: bool = False
    """What counts as taught is not what it was when the run began: cases were answered from different knowledge."""
    baseline: bool = False
    """There are results of all cases as if nothing had been taught, too."""
    delay_s: float = 0.0
    """How long to wait before another job goes on."""


class Delivery:
    """Works on one run, for as long as it may."""

    def __init__(
        self,
        runs: Runs,
        scope: Scope,
        run: Run,
        claim: Claim,
        progress: Callable[[Progress], None],
        must_stop: Callable[[], bool],
        threads: int,
    ) -> None:
        self.run = run
        self.stored = 0
        """Stretches of results that were stored."""
        self._runs = runs
        self._scope = scope
        self._claim = claim
        self._progress = progress
        self._must_stop = must_stop
        self.threads = threads
        self._done = 0
        self._marked: dict[str, int] = {}
        self._ending: Literal["cancelled", "stopped"] | None = None
        self._ends_at = float("inf")
        self._look_at = float("-inf")
        self._tell_at = float("-inf")

    def outcome(self, state: State) -> RunOutcome:
        """What it has come to so far."""
        return RunOutcome(state, self._done, self.run.cases, self.stored)

    def work(
        self,
        stream: Stream,
        means: Means,
        trial: Trial,
        knowledge: Callable[[], ExampleIndex],
    ) -> Literal["finished", "cancelled", "stopped"]:
        """Answer what has not been answered in a stream; how it ended.

        Raises `ClaimLost`, `DetailGone`, `StoreUnavailable`, and what `progress` raises.
        """
        stopping = threading.Event()
        examiner = Examiner(means, self._scope, self.run, trial, Patience(stopping), stopping)
        pool = Pool(self.threads)
        try:
            return _Stream(self, stream, examiner, pool, knowledge).work()
        finally:
            # What is still being answered is not wanted, and is not waited for.
            stopping.set()
            pool.close()

    def look(self) -> None:
        """See to everything but the cases: whether to end, and that others know of this worker."""
        self._claim.renew()
        now = time.monotonic()
        if self._ending is not None:
            return
        if self._must_stop():
            self._ending = "stopped"
        elif now >= self._look_at:
            self._look_at = now + LOOK_S
            if self._runs.cancelled(self._scope, self.run.id) is not None:
                self._ending = "cancelled"
        if self._ending is not None:
            self._ends_at = now + LAST_S

    @property
    def ending(self) -> Literal["cancelled", "stopped"] | None:
        """Why nothing more is to be begun."""
        return self._ending

    @property
    def too_late(self) -> bool:
        """Nothing is to be waited for any more, either."""
        return time.monotonic() >= self._ends_at

    def tell(self, stream: Stream, done: int, seconds_left: float | None, *, always: bool = False) -> None:
        """Say how far it is, not too often."""
        if stream == "results":
            self._done = done
        now = time.monotonic()
        if always or now >= self._tell_at:
            self._tell_at = now + TELL_S
            self._progress(Progress(done, self.run.cases, stream, seconds_left))

    def cases(self) -> Iterator[Case]:
        """The run's cases."""
        return self._runs.cases(self._scope, self.run.id)

    def shards(self, stream: Stream) -> set[int]:
        """The stretches of which there are results."""
        return self._runs.shards(self._scope, self.run.id, stream)

    def save(self, stream: Stream, number: int, results: list[CaseResult], quoted: set[Words]) -> None:
        """Store a stretch, and before that whose words are in it."""
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(StoreUnavailable),
            stop=tenacity.stop_after_attempt(STORE_TRIES),
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=2),
            reraise=True,
        )
        for words in sorted(quoted):
            # The oldest of somebody's words come first, and newer ones need no mark of their own.
            if words.id < self._marked.get(words.author, words.id + 1):
                retrying(self._runs.mark_author, self._scope, self.run.id, words)
                self._marked[words.author] = words.id
        retrying(self._runs.save_shard, self._scope, self.run.id, number, results, stream)
        self.stored += 1


class _Stream:
    """The cases of a delivery, answered in one way."""

    def __init__(
        self,
        delivery: Delivery,
        stream: Stream,
        examiner: Examiner,
        pool: Pool,
        knowledge: Callable[[], ExampleIndex],
    ) -> None:
        self._delivery = delivery
        self._stream = stream
        self._examiner = examiner
        self._pool = pool
        self._knowledge = knowledge
        self._results: list[CaseResult] = []
        self._quoted: set[Words] = set()
        self._total = delivery.run.cases
        self._there = delivery.shards(stream)
        self._done = sum(min(SHARD, self._total - SHARD * number) for number in self._there)
        self._done_before = self._done
        self._started = time.monotonic()

    def work(self) -> Literal["finished", "cancelled", "stopped"]:
        """Answer what is missing, some cases at a time, and take their results in order."""
        self._tell(always=True)
        ahead = 2 * self._delivery.threads
        waiting: deque[Future[Examined]] = deque()
        try:
            for number, case, is_leaked in self._missing():
                context = contextvars.copy_context()
                waiting.append(self._pool.submit(context.run, self._examiner.examine, number, case, leaked=is_leaked))
                while len(waiting) >= ahead:
                    self._take(waiting.popleft())
            while waiting:
                self._take(waiting.popleft())
        except Interrupted:
            pass
        self._tell(always=True)
        if self._done >= self._total:
            return "finished"
        return self._delivery.ending or "stopped"

    def _missing(self) -> Iterator[tuple[int, Case, bool]]:
        """The cases of stretches without results, each with whether it was taught. Ends when nothing is to begin."""
        if len(self._there) == shards_of(self._total):
            return
        cases = self._delivery.cases()
        for shard in range(shards_of(self._total)):
            stretch = list(islice(cases, SHARD))
            if shard in self._there:
                continue
            self._delivery.look()
            if self._delivery.ending is not None:
                return
            marks = leaked(self._knowledge, stretch)
            for at, (case, mark) in enumerate(zip(stretch, marks, strict=True)):
                yield SHARD * shard + at, case, mark

    def _take(self, future: Future[Examined]) -> None:
        """Wait for a result, and store its stretch if it is the last of it. Raises `Interrupted`."""
        while not wait([future], timeout=TICK_S).done:
            self._delivery.look()
            if self._delivery.too_late:
                raise Interrupted
            self._tell()
        self._delivery.look()
        examined = future.result()
        self._results.append(examined.result)
        self._quoted |= examined.quoted
        number = examined.result.number + 1
        if number % SHARD == 0 or number == self._total:
            shard = (number - 1) // SHARD
            self._delivery.save(self._stream, shard, self._results, self._quoted)
            self._done += len(self._results)
            self._results, self._quoted = [], set()
        self._tell()

    def _tell(self, *, always: bool = False) -> None:
        done = self._done + len(self._results)
        answered = done - self._done_before
        left = None
        if answered:
            left = (time.monotonic() - self._started) / answered * (self._total - done)
        self._delivery.tell(self._stream, done, left, always=always)
