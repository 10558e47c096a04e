"""What this process has spent."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

_PAGE_MIB: Final = 4096 / 2**20


def usage() -> dict[str, float]:
    """Seconds of processor time of all threads, a clock, and MiB of memory that are really there."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return {"cpu": time.process_time(), "at": time.monotonic(), "rss": pages * _PAGE_MIB}
