"""How slowly somebody may take a file: a least rate and an end. Pure.

Few downloads go on at a time, so whoever stalls keeps others from theirs.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Patience(NamedTuple):
    """What is waited for. By default some 17 KiB a second, looked at every half a minute, for two hours at most."""

    window_s: float = 30.0
    least: int = 512 * 1024
    """Bytes that must be taken in each window."""
    total_s: float = 7200.0


PATIENCE: Final = Patience()


class Pace:
    """How one file is being taken.

    Args:
        patience: what is waited for.
        now: seconds on a clock that only goes forward.
        taken: bytes that were taken before.
    """

    def __init__(self, patience: Patience, now: float, taken: int = 0) -> None:
        self._patience = patience
        self._began = self._since = now
        self._taken = taken

    def too_slow(self, now: float, taken: int) -> bool:
        """Whether it is to end, when so many bytes have been taken by now."""
        if now - self._began > self._patience.total_s:
            return True
        if now - self._since < self._patience.window_s:
            return False
        slow = taken - self._taken < self._patience.least
        self._since, self._taken = now, taken
        return slow
