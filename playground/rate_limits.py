"""Rate limits by bucket, with Discord's headers. Source: Discord's documentation, topics/rate-limits."""

from __future__ import annotations

import hashlib
import math
import threading
import time
from dataclasses import dataclass
from typing import Final

DEFAULT_LIMIT: Final = 1000
DEFAULT_PER_S: Final = 1.0
_MAX_WINDOWS: Final = 10_000


@dataclass
class _Window:
    starts: float
    used: int


@dataclass(frozen=True)
class Allowance:
    """What is left to one bucket after a request."""

    allowed: bool
    limit: int
    remaining: int
    reset_after: float
    bucket: str

    def headers(self) -> dict[str, str]:
        """Discord's headers."""
        shown = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": f"{time.time() + self.reset_after:.3f}",
            "X-RateLimit-Reset-After": f"{self.reset_after:.3f}",
            "X-RateLimit-Bucket": self.bucket,
        }
        if not self.allowed:
            shown |= {"X-RateLimit-Scope": "user", "Retry-After": str(math.ceil(self.reset_after))}
        return shown


class RateLimits:
    """Counts requests by bucket in fixed windows. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._windows: dict[tuple[str, str], _Window] = {}
        self._limit = DEFAULT_LIMIT
        self._per = DEFAULT_PER_S

    def configure(self, *, limit: int = DEFAULT_LIMIT, per: float = DEFAULT_PER_S) -> None:
        """Allow so many requests in each window of `per` seconds from now on; what was used is forgotten."""
        with self._lock:
            self._limit, self._per = limit, per
            self._windows.clear()

    def use(self, route: str, major: str) -> Allowance:
        """Count a request. Its bucket is its route and its major parameter (webhook, channel or server)."""
        now = time.monotonic()
        with self._lock:
            window = self._windows.get((route, major))
            if window is None or now - window.starts >= self._per:
                if len(self._windows) >= _MAX_WINDOWS:
                    self._windows.clear()
                window = self._windows[route, major] = _Window(now, 0)
            allowed = window.used < self._limit
            window.used += allowed
            left = max(0.0, window.starts + self._per - now)
            bucket = hashlib.blake2b(route.encode(), digest_size=16).hexdigest()
            return Allowance(allowed, self._limit, self._limit - window.used, left, bucket)
