"""Many small requests to a store at once, their results in order."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from concurrent.futures import Future

T = TypeVar("T")
R = TypeVar("R")

THREADS: Final = 8
AHEAD: Final = 2 * THREADS


def in_order(work: Callable[[T], R], items: Iterable[T]) -> Generator[R, None, None]:
    """What `work` gives for each item, in their order. At most `AHEAD` items are under way or wait to be taken.

    Raises what `work` raises, in the item's turn; what is under way then is finished first.
    """
    with ThreadPoolExecutor(THREADS, thread_name_prefix="side-by-side") as pool:
        waiting: deque[Future[R]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) == AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
