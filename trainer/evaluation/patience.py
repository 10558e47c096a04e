"""How often something outside is asked that does not answer: some times, and once when it is known to be down."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, TypeVar

import tenacity

from trainer.ports import ModelUnavailable, StoreUnavailable

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

T = TypeVar("T")
TRIES: Final = 5
LONGEST_S: Final = 20.0
FAILURES_MOST: Final = 8
"""Calls in a row that failed for good, after which each further one is tried once, until one succeeds."""

log = logging.getLogger(__name__)


class Patience:
    """Asks again after a while. For several threads; waits end when `stopping` is set.

    Args:
        stopping: set when nobody waits for an answer any more.
        tries: how often something is asked.
        first_s: how long the first wait is at most, in seconds; each further one is up to twice as long.
    """

    def __init__(self, stopping: threading.Event, *, tries: int = TRIES, first_s: float = 1.0) -> None:
        self._stopping = stopping
        self._tries = tries
        self._first_s = first_s
        self._failures = 0

    def __call__(self, act: Callable[[], T]) -> T:
        """What `act` gives. Raises what it raises, of what may pass only after some tries."""
        down = self._failures >= FAILURES_MOST
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_may_pass),
            stop=tenacity.stop_after_attempt(1 if down else self._tries)
            | tenacity.stop_when_event_set(self._stopping),
            wait=tenacity.wait_random_exponential(multiplier=self._first_s, max=LONGEST_S),
            sleep=tenacity.sleep_using_event(self._stopping),
            reraise=True,
        )
        try:
            given = retrying(act)
        except (ModelUnavailable, StoreUnavailable) as error:
            self._failures += 1
            log.info("given up for now", extra={"error": type(error).__name__, "tried_once": down})
            raise
        self._failures = 0
        return given


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, StoreUnavailable) or (isinstance(error, ModelUnavailable) and error.retryable)
