"""Waiting for what happens elsewhere, and doing things later."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class TookTooLong(AssertionError):
    """What was waited for did not happen."""


async def until(true: Callable[[], object], what: str, *, within: float = 10.0) -> None:
    """Waits for a condition.

    Args:
        within: Seconds.

    Raises:
        TookTooLong: If it is not met in time; the message names `what`.
    """
    end = asyncio.get_running_loop().time() + within
    while not true():
        if asyncio.get_running_loop().time() > end:
            raise TookTooLong(f"waited {within:g} s until {what}")
        await asyncio.sleep(0.004)


class Timers:
    """What is to be done later, and can be given up all at once."""

    def __init__(self) -> None:
        self._handles: set[asyncio.TimerHandle] = set()
        self._over = False

    def later(self, delay: float, what: Callable[[], object]) -> None:
        if self._over:
            return

        def run() -> None:
            self._handles.discard(handle)
            what()

        handle = asyncio.get_running_loop().call_later(delay, run)
        self._handles.add(handle)

    def cancel(self) -> None:
        """Nothing is done any more."""
        self._over = True
        for handle in self._handles:
            handle.cancel()
        self._handles.clear()
