"""The time as the playground sees it: the machine's, plus what a test moved it by."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime


class Clock:
    """Seconds since the epoch; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offset = 0.0

    def now(self) -> float:
        """Seconds since the epoch."""
        with self._lock:
            return time.time() + self._offset

    def advance(self, seconds: float) -> None:
        """Move the time forward, as if `seconds` had passed."""
        if seconds < 0:
            msg = "time does not run backwards"
            raise ValueError(msg)
        with self._lock:
            self._offset += seconds


def iso(seconds: float) -> str:
    """A time as Discord writes it, in UTC with microseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
