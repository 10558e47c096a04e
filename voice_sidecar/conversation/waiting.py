"""Questions that wait for their answers: of each person the newest, and not many. Pure."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")


class Waiting(Generic[T]):
    """A queue with one place a person. Who asks again before the answer keeps the place and loses the question.

    Args:
        most: how many people wait at most.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[int, T] = OrderedDict()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._kept)

    def add(self, user_id: int, item: T, *, first: bool = False) -> T | None:
        """Let somebody's question wait; the one that does not wait any more: their former, or this if it is full.

        `first` is one whose turn it was already: there is always room for it, before all others.
        """
        former = self._kept.get(user_id)
        if former is None and not first and len(self._kept) >= self._most:
            return item
        self._kept[user_id] = item
        if first:
            self._kept.move_to_end(user_id, last=False)
        return former

    def of(self, user_id: int) -> T | None:
        """What of somebody waits."""
        return self._kept.get(user_id)

    def take(self) -> T | None:
        """The one that waits longest; None if none does."""
        return self._kept.popitem(last=False)[1] if self._kept else None

    def drop(self, user_id: int) -> T | None:
        """Somebody's question does not wait any more."""
        return self._kept.pop(user_id, None)

    def clear(self) -> list[T]:
        """None waits any more; those that did."""
        items = list(self._kept.values())
        self._kept.clear()
        return items
