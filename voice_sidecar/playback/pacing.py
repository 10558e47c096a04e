"""When packets are due: every 20 ms by the clock, not 20 ms after the last one, which would add up every delay."""

from __future__ import annotations

from typing import Final

STEP: Final = 0.02
"""Seconds: what a packet lasts."""


class Pace:
    """The time of the next packet. A stall of up to a packet is made up for at once, with two packets in a row.

    What a stall lasts longer than that is let go: the listeners have heard a gap already, and a burst would make
    their clients drop packets, or play everything later from then on.
    """

    def __init__(self) -> None:
        self._due: float | None = None
        self.late = 0.0
        """Seconds that were let go."""

    def wait(self, now: float) -> float:
        """Seconds until the next packet is due; at once for the first one."""
        if self._due is None:
            self._due = now
        return self._due - now

    def sent(self, now: float) -> None:
        """The packet that was due was sent."""
        if self._due is None:
            return
        self._due += STEP
        if self._due < now:
            self.late += now - self._due
            self._due = now

    def rest(self) -> None:
        """Nothing is to be sent for a while; the next packet will be due at once."""
        self._due = None
