"""Waits only so long for what may hang, while Discord waits for us."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Patience:
    """Runs things in threads of their own, so many at a time.

    Args:
        at_once: how many may be under way: of a store that hangs, no more are asked for.
    """

    def __init__(self, *, at_once: int) -> None:
        self._places = threading.BoundedSemaphore(at_once)

    def get(self, look: Callable[[], T], seconds: float) -> T:
        """What it returns or raises. Raises TimeoutError: what takes longer goes on, but nobody waits for it."""
        if not self._places.acquire(blocking=False):
            raise TimeoutError
        found: Future[T] = Future()

        def run() -> None:
            try:
                found.set_result(look())
            except BaseException as error:  # noqa: BLE001 - whoever waits gets it
                found.set_exception(error)
            finally:
                self._places.release()

        threading.Thread(target=run, name="patience", daemon=True).start()
        return found.result(seconds)
