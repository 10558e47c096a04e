"""When a call has become pointless: nobody is there, or nobody who may be heard. Pure.

A channel without people is left after a short while, and one where for a long while nobody agreed to be heard, too:
there we would only take a place, and look as if we listened.
Moments are of any steady clock.
"""

from __future__ import annotations

import enum
from typing import Final

EMPTY_S: Final = 120.0
UNHEARD_S: Final = 600.0


class Pointless(enum.Enum):
    """Why to leave."""

    EMPTY = "empty"
    """No people are there; bots do not count."""
    UNHEARD = "unheard"
    """None of those there agreed to be heard."""


class Attendance:
    """Who has been there.

    Args:
        empty_s: how long to stay where nobody is.
        unheard_s: how long to stay where nobody agreed to be heard.
    """

    def __init__(self, *, empty_s: float = EMPTY_S, unheard_s: float = UNHEARD_S) -> None:
        self._empty_s = empty_s
        self._unheard_s = unheard_s
        self._empty_since: float | None = None
        self._unheard_since: float | None = None

    def seen(self, *, people: int, heard: int, now: float) -> None:
        """How many are there now, and how many of them may be heard."""
        self._empty_since = _since(self._empty_since, now, so=people == 0)
        self._unheard_since = _since(self._unheard_since, now, so=heard == 0)

    def next_deadline(self) -> float | None:
        """When leaving becomes due if nothing changes."""
        ends = [
            since + after
            for since, after in ((self._empty_since, self._empty_s), (self._unheard_since, self._unheard_s))
            if since is not None
        ]
        return min(ends, default=None)

    def due(self, now: float) -> Pointless | None:
        """Why to leave now; None to stay."""
        if self._empty_since is not None and now >= self._empty_since + self._empty_s:
            return Pointless.EMPTY
        if self._unheard_since is not None and now >= self._unheard_since + self._unheard_s:
            return Pointless.UNHEARD
        return None


def _since(before: float | None, now: float, *, so: bool) -> float | None:
    if not so:
        return None
    return now if before is None else before
