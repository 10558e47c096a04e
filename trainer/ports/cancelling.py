"""Telling a model from another thread that nobody wants its answer any more.

    cancellation = Cancellation()
    with cancellation.scope():      # in the thread that asks
        model.reply(...)
    cancellation.cancel()           # in any other

It goes with the thread, as a deadline or a trace would, instead of through every call in between: most of those who
ask never take back what they asked, and an adapter that cannot stop simply goes on.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from trainer.ports.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Cancellation:
    """Whether something is still wanted. Safe to use from several threads."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self._hang_ups: list[Callable[[], None]] = []

    @property
    def cancelled(self) -> bool:
        """Nobody wants it any more."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Nobody wants it any more: whoever works on it stops as soon as they can. A second time it does nothing."""
        with self._lock:
            self._cancelled.set()
            hang_ups, self._hang_ups = self._hang_ups, []
            for hang_up in hang_ups:
                hang_up()

    def check(self) -> None:
        """Raise `Cancelled` if nobody wants it any more: to be called before anything that costs."""
        if self.cancelled:
            raise Cancelled

    def sleep(self, seconds: float) -> None:
        """Wait for so long, or until nobody wants it any more."""
        self._cancelled.wait(seconds)

    @contextmanager
    def scope(self) -> Iterator[None]:
        """What this thread asks while this lasts is asked under this cancellation."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    @contextmanager
    def hanging_up(self, hang_up: Callable[[], None]) -> Iterator[None]:
        """Call this if it is cancelled while this lasts, in the thread that cancels; at once if it has been.

        It must not wait, nor raise. It is never called after this ends, when what it would shut may be another's.
        """
        with self._lock:
            if self.cancelled:
                hang_up()
            else:
                self._hang_ups.append(hang_up)
        try:
            yield
        finally:
            with self._lock:
                if hang_up in self._hang_ups:
                    self._hang_ups.remove(hang_up)


_current: ContextVar[Cancellation | None] = ContextVar("cancellation", default=None)


def current_cancellation() -> Cancellation:
    """The one that this thread asks under; one that nobody cancels, if there is none."""
    return _current.get() or Cancellation()
