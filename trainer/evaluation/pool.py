"""Threads that the end of the process does not wait for, unlike those of `concurrent.futures`.

A case may be waiting for a model for half a minute when its worker is to stop. Its result is not wanted any more.
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")
NAME: Final = "evaluation"


class Pool:
    """Some threads that do what they are given, in order. To be used by one thread.

    Args:
        threads: how many there are at most; they are started as there is something to do.
    """

    def __init__(self, threads: int) -> None:
        self._most = threads
        self._started = 0
        self._waiting: queue.SimpleQueue[tuple[Future[object], Callable[[], object]] | None] = queue.SimpleQueue()

    def submit(self, act: Callable[P, T], *args: P.args, **more: P.kwargs) -> Future[T]:
        """Have something done."""
        future: Future[T] = Future()
        self._waiting.put((future, partial(act, *args, **more)))  # type: ignore[arg-type]  # each with its own result
        if self._started < self._most:
            self._started += 1
            threading.Thread(target=self._work, name=f"{NAME}-{self._started}", daemon=True).start()
        return future

    def close(self) -> None:
        """Begin nothing more. What is under way goes on, and nobody waits for it."""
        while True:
            try:
                left = self._waiting.get_nowait()
            except queue.Empty:
                break
            if left is not None:
                left[0].cancel()
        for _ in range(self._started):
            self._waiting.put(None)

    def _work(self) -> None:
        while (given := self._waiting.get()) is not None:
            future, act = given
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = act()
            except BaseException as error:  # noqa: BLE001 - whoever waits gets it
                future.set_exception(error)
            else:
                future.set_result(result)
            del given, future, act
