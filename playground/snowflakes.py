"""Discord's ids: 42 bits of milliseconds since 2015, then 22 bits that make them unique."""

from __future__ import annotations

import hashlib
import re
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from playground.clock import Clock

EPOCH_MS: Final = 1_420_070_400_000
_SHIFT: Final = 22
_NAMED_FROM_MS: Final = 1_546_300_800_000  # ids of named things lie in 2019 and 2020: older than anything made later
_NAMED_SPAN_MS: Final = 2 * 365 * 24 * 3600 * 1000
_SNOWFLAKE: Final = re.compile(r"[0-9]{1,20}")


class Snowflakes:
    """Makes ids that grow strictly, whatever the clock does; safe to use from several threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> str:
        """A new id."""
        with self._lock:
            earliest = (int(self._clock.now() * 1000) - EPOCH_MS) << _SHIFT
            self._last = max(earliest, self._last + 1)
            return str(self._last)


def named(kind: str, name: str) -> str:
    """The id of the thing of this kind and name: always the same, on every machine."""
    digest = int.from_bytes(hashlib.blake2b(f"{kind}:{name}".encode(), digest_size=8).digest(), "big")
    milliseconds = _NAMED_FROM_MS - EPOCH_MS + (digest >> _SHIFT) % _NAMED_SPAN_MS
    return str(milliseconds << _SHIFT | digest & (1 << _SHIFT) - 1)


def is_snowflake(value: object) -> bool:
    """Whether this is an id as Discord takes it: decimal digits, or an integer."""
    if isinstance(value, bool):
        return False
    return (isinstance(value, int) and value >= 0) or (
        isinstance(value, str) and _SNOWFLAKE.fullmatch(value) is not None
    )
