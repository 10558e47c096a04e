"""The sequence numbers and timestamps of what we send. Pure."""

from __future__ import annotations

import secrets
from typing import Final, NamedTuple

TICKS: Final = 960  # 20 ms at 48 kHz
SECONDS: Final = 0.02


class Stamp(NamedTuple):
    """Of one packet."""

    sequence: int
    timestamp: int


class RtpClock:
    """Numbers packets of 20 ms: without gaps in the sequence, with the pauses in the timestamps.

    Args:
        sequence: The first packet's; random if not given, as RFC 3550 asks.
        timestamp: The same.
    """

    _PAUSE: Final = 0.1
    """Seconds that a packet may be late before it counts as one after a pause."""

    def __init__(self, *, sequence: int | None = None, timestamp: int | None = None) -> None:
        self._sequence = secrets.randbits(16) if sequence is None else sequence
        self._timestamp = secrets.randbits(32) if timestamp is None else timestamp
        self._due: float | None = None

    def next(self, now: float) -> Stamp:
        """The numbers of a packet that is sent at this time, on a clock that never goes back."""
        due = now if self._due is None else self._due
        if now - due > self._PAUSE:
            skipped = round((now - due) / SECONDS)
            self._timestamp += TICKS * skipped
            due += SECONDS * skipped
        stamp = Stamp(self._sequence & 0xFFFF, self._timestamp & 0xFFFFFFFF)
        self._sequence += 1
        self._timestamp += TICKS
        self._due = due + SECONDS
        return stamp
