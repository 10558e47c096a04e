"""Keeps what cannot be used yet for a moment: the sealed packets of sources whose owner is not known."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Hold(Generic[T]):
    """Items by key, within bounds of number and age; the oldest go first.

    Args:
        most_keys: How many keys may have items.
        most_items: How many items a key may have.
        longest: Seconds that an item may stay.
    """

    def __init__(self, *, most_keys: int, most_items: int, longest: float) -> None:
        self._most_keys = most_keys
        self._most_items = most_items
        self._longest = longest
        self._items: dict[int, deque[tuple[float, T]]] = {}

    def add(self, key: int, item: T, now: float) -> int:
        """Keeps an item.

        Returns:
            How many items had to go for it.
        """
        gone = 0
        if key not in self._items and len(self._items) >= self._most_keys:
            gone += len(self._items.pop(next(iter(self._items))))
        items = self._items.setdefault(key, deque())
        if len(items) >= self._most_items:
            items.popleft()
            gone += 1
        items.append((now, item))
        return gone

    def take(self, key: int) -> list[tuple[float, T]]:
        """All items of a key with the times at which they came, in that order. They are not kept any longer."""
        return list(self._items.pop(key, ()))

    def held_keys(self) -> list[int]:
        """The keys that have items."""
        return list(self._items)

    def expire(self, now: float) -> int:
        """Lets go of what is too old.

        Returns:
            How many items that were.
        """
        gone = 0
        for key in list(self._items):
            items = self._items[key]
            while items and items[0][0] + self._longest <= now:
                items.popleft()
                gone += 1
            if not items:
                del self._items[key]
        return gone

    def next_deadline(self) -> float | None:
        """When the next item is too old; None if there is none."""
        return min((items[0][0] + self._longest for items in self._items.values()), default=None)
