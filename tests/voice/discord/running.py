"""Tests that are coroutines."""

from __future__ import annotations

import asyncio
import functools
import gc
from typing import TYPE_CHECKING, ParamSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

Given = ParamSpec("Given")

LONGEST = 60.0  # seconds


def in_loop(test: Callable[Given, Coroutine[object, object, None]]) -> Callable[Given, None]:
    """Runs a test in a loop of its own. Whatever it left open is found here, not in another test."""

    @functools.wraps(test)
    def run(*args: Given.args, **kwargs: Given.kwargs) -> None:
        async def limited() -> None:
            async with asyncio.timeout(LONGEST):
                await test(*args, **kwargs)

        asyncio.run(limited())
        gc.collect()

    return run
