"""Works runs off: many cases, several at a time, stored stretch by stretch, so that any worker can go on.

What a run comes to does not depend on who worked it off, nor on how often they were interrupted: cases and results
lie in the store, each stretch of results is written once, and what is missing is worked out from the same cases.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

from trainer.answering import Trial
from trainer.evaluation.claims import LASTS_S, Claim, ClaimLost, active_run, claim
from trainer.evaluation.delivery import Delivery, RunOutcome
from trainer.evaluation.examining import Means
from trainer.evaluation.regression import regression_set
from trainer.evaluation.store import DetailGone, Runs
from trainer.evaluation.subjects import subject_of
from trainer.ports import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from trainer.answering import Answering
    from trainer.corrections import Correction
    from trainer.evaluation.delivery import Progress
    from trainer.evaluation.results import Run, Subject
    from trainer.evaluation.store import Told
    from trainer.index import ExampleIndex
    from trainer.library import Library
    from trainer.ports import ChatModel, Embedder, ObjectStore
    from trainer.scope import Scope
    from trainer.usage import Ledger

THREADS: Final = 4
RUNS_MOST: Final = 2
"""Runs that one process works on at a time."""
WAIT_MOST_S: Final = 3600.0
"""How old a run may be that still waits for its turn."""
TURN_S: Final = 10.0
"""After which to ask again whether it is its turn."""
STORE_S: Final = 15.0
"""After which to go on where the store did not answer."""
LOOK_S: Final = 1.0
"""Between looks whether another delivery of the same run has ended."""

log = logging.getLogger(__name__)


def never() -> bool:
    """Nobody wants it to stop."""
    return False


def unseen(progress: Progress) -> None:
    """Nobody looks."""
    del progress


class Runner:
    """Begins and works off runs. Safe to use from several threads.

    Args:
        store: where runs are kept.
        library: what was taught.
        answering: answers.
        ledger: counts what the judge costs, and says when nothing more may be spent; None for neither.
        judge: the chat model that judges answers, if there is one.
        embedder: compares meanings, if there is one.
        threads: cases of a run that are answered at a time.
        runs_most: runs that are worked on at a time.
        lasts_s: after how many seconds a worker that says nothing is taken for dead.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        store: ObjectStore,
        library: Library,
        answering: Answering,
        *,
        ledger: Ledger | None = None,
        judge: ChatModel | None = None,
        embedder: Embedder | None = None,
        threads: int = THREADS,
        runs_most: int = RUNS_MOST,
        lasts_s: float = LASTS_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.runs = Runs(store, clock)
        self._store = store
        self._library = library
        self._means = Means(answering, ledger, judge, embedder)
        self._threads = threads
        self._lasts_s = lasts_s
        self._clock = clock
        self._places = threading.BoundedSemaphore(runs_most)

    def active(self, scope: Scope) -> str:
        """The run that is being worked on in a scope; empty if none is."""
        return active_run(self._store, scope, clock=self._clock)

    def subject(
        self,
        scope: Scope,
        dataset: str,
        *,
        overlay: Sequence[Correction] = (),
        instruction: str | None = None,
    ) -> Subject:
        """What would be tested now.

        Args:
            scope: whose dataset it is.
            dataset: its name.
            overlay: corrections that are to count, beside those that do.
            instruction: names the instruction that is tested, if that is not the one in force.
        """
        with self._knowledge(scope, dataset, overlay) as knowledge:
            return subject_of(
                self._store,
                scope,
                dataset,
                knowledge=knowledge(),
                means=self._means,
                instruction=instruction,
            )

    def regression(self, scope: Scope, dataset: str, *, overlay: Sequence[Correction] = ()) -> Iterator[Told]:
        """A dataset's own cases: see `trainer.evaluation.regression`. `overlay` is as in `subject`."""
        with self._knowledge(scope, dataset, overlay) as knowledge:
            yield from regression_set(self._store, scope, dataset, knowledge())

    def run(
        self,
        scope: Scope,
        run: Run,
        *,
        progress: Callable[[Progress], None] = unseen,
        must_stop: Callable[[], bool] = never,
        baseline: bool = False,
        overlay: Sequence[Correction] = (),
        instruction: str | None = None,
    ) -> RunOutcome:
        """Work a run off, going on where an earlier delivery of its job stopped.

        Args:
            scope: whose run it is.
            run: as `Runs.begin` gave it.
            progress: told how far it is, some times a second. What it raises ends the work and passes.
            must_stop: asked often; once it is so, what has been begun is stored, and the rest is left to another job.
            baseline: also answer the cases as if nothing had been taught.
            overlay: corrections that are to count, beside those that do.
            instruction: what a chat model is told first, in place of the instruction in force.

        Raises `StoreUnavailable` if nothing could be stored. Nothing else of what fails ends a run.
        """
        if not self._places.acquire(blocking=False):
            if self._clock() - run.created_at > WAIT_MOST_S:
                return RunOutcome("busy", 0, run.cases)
            return RunOutcome("waiting", 0, run.cases, delay_s=TURN_S)
        stored = 0
        try:
            while True:
                held = self._claim(scope, run, must_stop)
                if isinstance(held, RunOutcome):
                    return held._replace(stored=stored)
                with ExitStack() as stack:
                    stack.callback(held.release)
                    delivery = Delivery(self.runs, scope, run, held, progress, must_stop, self._threads)
                    try:
                        self.runs.enter(scope, run)
                        knowledge = stack.enter_context(self._knowledge(scope, run.subject.dataset, overlay))
                        return self._work(
                            delivery, knowledge, overlay=overlay, instruction=instruction, baseline=baseline
                        )
                    except ClaimLost:
                        # Another delivery took it for dead. It goes on; this one waits for what comes of it.
                        log.warning("a run was taken over", extra={"run": run.id})
                        if not self.runs.has_detail(scope, run.id):
                            return delivery.outcome("forgotten")
                    except DetailGone:
                        return delivery.outcome("forgotten")
                    except StoreUnavailable:
                        if not delivery.stored:
                            raise
                        # It has come further than before, so it is begun anew and not counted as a failure.
                        return delivery.outcome("stopped")._replace(delay_s=STORE_S)
                    finally:
                        stored += delivery.stored
        finally:
            self._places.release()

    def _work(
        self,
        delivery: Delivery,
        knowledge: Callable[[], ExampleIndex],
        *,
        overlay: Sequence[Correction],
        instruction: str | None,
        baseline: bool,
    ) -> RunOutcome:
        trial = Trial(knowledge=knowledge() if overlay else None, instruction=instruction)
        state = delivery.work("results", self._means, trial, knowledge)
        done = False
        if state == "finished" and baseline:
            ended = delivery.work("baseline", self._means, Trial(untrained=True), knowledge)
            done = ended == "finished"
            state = "stopped" if ended == "stopped" else state
        snapshot = delivery.run.subject.snapshot
        changed = bool(snapshot) and knowledge().snapshot() != snapshot
        return delivery.outcome(state)._replace(changed=changed, baseline=done)

    @contextmanager
    def _knowledge(
        self, scope: Scope, dataset: str, overlay: Sequence[Correction]
    ) -> Iterator[Callable[[], ExampleIndex]]:
        """What counts as taught: the dataset's index as it is whenever it is asked for, or one with more in it."""
        if not overlay:
            yield lambda: self._library.index(scope, dataset)
            return
        with self._library.overlaid(scope, dataset, overlay) as index:
            yield lambda: index

    def _claim(self, scope: Scope, run: Run, must_stop: Callable[[], bool]) -> Claim | RunOutcome:
        """The right to work on the run; or what to say instead."""
        while True:
            held = claim(self._store, scope, run.id, lasts_s=self._lasts_s, clock=self._clock)
            if isinstance(held, Claim):
                return held
            if held.run != run.id and held.holds(self._clock()):
                return RunOutcome("busy", 0, run.cases, running=held.run)
            if must_stop():
                # It is no failure of this job that another one does its work.
                return RunOutcome("waiting", 0, run.cases, delay_s=TURN_S)
            time.sleep(LOOK_S)
