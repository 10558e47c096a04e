"""What is going on at this moment, for metrics: who speaks, and what all receivers counted, closed ones included."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from voice_sidecar.ops.metrics import total
from voice_sidecar.receiving.counters import Counters
from voice_sidecar.receiving.speaker import Sound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from voice_sidecar.connection.counters import Counters as ConnectionCounters
    from voice_sidecar.receiving.speaker import Chunk

SPEAKING_S: Final = 0.5
"""Whoever was heard this long ago speaks."""
_MANY: Final = 1_000


class Activity:
    """Used in the event loop's thread.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._heard_at: dict[tuple[int, int], float] = {}
        self._open: list[Counters] = []
        self._closed = Counters()

    def heard(self, guild_id: int, chunks: Iterable[Chunk]) -> None:
        """Somebody's sound came in."""
        now = self._clock()
        for chunk in chunks:
            if chunk.sound is Sound.HEARD:
                self._heard_at[guild_id, chunk.user_id] = now
        if len(self._heard_at) > _MANY:
            self._forget(now)

    def speaking(self) -> int:
        """How many people speak."""
        self._forget(self._clock())
        return len(self._heard_at)

    def watch(self, counters: Counters, open_now: Iterable[Counters]) -> None:
        """A receiver is new; those that are not open any more are summed up.

        Args:
            counters: the new one's; a second time nothing happens.
            open_now: those of all connections that stand.
        """
        if any(one is counters for one in self._open):
            return
        standing = [*open_now, counters]
        gone = [one for one in self._open if not any(one is other for other in standing)]
        self._closed = total([self._closed, *gone])
        self._open = [one for one in self._open if not any(one is other for other in gone)] + [counters]

    def counters(self) -> list[Counters]:
        """All that were ever watched, some of them summed up."""
        return [self._closed, *self._open]

    def _forget(self, now: float) -> None:
        self._heard_at = {who: at for who, at in self._heard_at.items() if now - at < SPEAKING_S}


def connection_events(counters: ConnectionCounters) -> Mapping[str, int]:
    """What voice connections counted, by fixed names."""
    plain = (
        "sessions",
        "resumes",
        "transitions",
        "commits",
        "recoveries",
        "keepalives",
        "datagrams",
        "sent",
        "malformed",
    )
    found = {name: int(getattr(counters, name)) for name in plain}
    for name, counts in (
        ("reconnect", counters.reconnects),
        ("lost", counters.lost),
        ("refused", counters.refused),
        ("unsendable", counters.unsendable),
    ):
        found |= {f"{name}_{reason.value}": count for reason, count in counts.items()}
    return found
