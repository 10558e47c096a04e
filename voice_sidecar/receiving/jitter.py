"""Puts one speaker's packets in order and on a time line, and decides what stands for those that never came.

Frames are opened here, by a function that is passed in, once it is their turn: end-to-end encryption libraries refuse
a frame that is older than the first one that they opened with a key.

This is not a player: a packet that is next is given out at once, however fast they come, since recognisers need no
pace. Waiting happens only where a packet is missing: until `reorder_wait` after a later one came.

Time is the sender's: positions are 48 kHz ticks since the stream's first packet, by RTP timestamps. Where nothing is
sent, silence is given out as real time passes, up to `pause_fill`; then positions jump. Timestamps that jump beyond
belief are replaced by the time at which packets came. What was given out is never taken back: after a stall of the
network, or a pause in which a sender's timestamps stood still, the time line is longer than the sender's by the
silence that was given out, and no word is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from voice_sidecar.receiving.opus import CLOCK_RATE, SILENCE, SLOT, TICKS_PER_SAMPLE

if TYPE_CHECKING:
    from collections.abc import Callable


class NotYet(Exception):
    """A frame whose key may be on its way."""


class Opened(NamedTuple):
    """An Opus packet and its duration in 48 kHz ticks."""

    payload: bytes
    ticks: int


class Frame(NamedTuple):
    """A packet to decode."""

    position: int
    ticks: int
    payload: bytes


class Lost(NamedTuple):
    """Sound that never came. `following`, if given, is the very next packet: it may carry a copy in low quality."""

    position: int
    ticks: int
    following: bytes | None


class Silence(NamedTuple):
    """Nothing was said."""

    position: int
    ticks: int


Slot = Frame | Lost | Silence


@dataclass(frozen=True, slots=True)
class Settings:
    """Times in seconds.

    Attributes:
        reorder_wait: How long a missing packet is waited for.
        key_wait: How long a frame may wait for its key.
        most_waiting: Packets that may wait behind a missing one, or one without a key.
        most_concealed: Slots that are guessed in a row; what is longer becomes silence.
        pause_fill: How much silence is given out in a pause before positions jump.
        stall: How long nothing may come in mid-speech before silence is given out.
        settle: The same after the sender said that it stops.
        disbelief: How far timestamps may be ahead of the clock.
        restart: From how many missing packets on the stream counts as a new one.
    """

    reorder_wait: float = 0.06
    key_wait: float = 1.0
    most_waiting: int = 50
    most_concealed: int = 5
    pause_fill: float = 2.0
    stall: float = 0.1
    settle: float = 0.06
    disbelief: float = 2.0
    restart: int = 3000


class _Waiting(NamedTuple):
    timestamp: int
    media: bytes
    arrived: float


_SLOT_SECONDS: Final = SLOT / CLOCK_RATE
_ROUNDING: Final = 1e-6  # slots: a deadline that was computed must be reached when its time comes


class JitterBuffer:
    """One speaker's packets. `lost` counts those that never came.

    Args:
        open_frame: Opens the media of a packet, given when it came and whether it may still wait. None if it cannot
            be used; raises `NotYet` if it should wait.
        settings: See there.
    """

    def __init__(
        self, open_frame: Callable[[bytes, float, bool], Opened | None], settings: Settings | None = None
    ) -> None:
        self.lost = 0
        self._open = open_frame
        self._set = settings or Settings()
        self._waiting: dict[int, _Waiting] = {}
        self._first_arrival = 0.0
        self._expected: int | None = None
        self._position = 0
        self._missing = 0
        self._next_timestamp: int | None = None
        self._last_arrival = 0.0
        self._keyless_until: float | None = None  # the next packet is here, and waits for its key
        self._silence_given = 0  # ticks, since the last packet
        self._stopped = False  # the last packet was silence

    def push(self, index: int, timestamp: int, media: bytes, arrived: float) -> bool:
        """Takes a packet.

        Args:
            index: Its sequence number, unwrapped.
            timestamp: Its RTP timestamp.
            media: As it was sealed; empty for padding alone.
            arrived: When it came.

        Returns:
            Whether it has a place: False for late ones and duplicates.
        """
        if self._expected is None:
            if not self._waiting:
                self._first_arrival = arrived
        elif index < self._expected:
            return False
        if index in self._waiting:
            return False
        self._waiting[index] = _Waiting(timestamp, media, arrived)
        return True

    def pop(self, now: float) -> list[Slot]:
        """All that is due, in order and without gaps but for jumps in pauses."""
        slots: list[Slot] = []
        if self._expected is None:
            # The very first packet may have been overtaken by the second.
            if not self._waiting or (
                now < self._first_arrival + self._set.reorder_wait and len(self._waiting) <= self._set.most_waiting
            ):
                return slots
            self._expected = min(self._waiting)
        self._keyless_until = None
        while self._waiting:
            entry = self._waiting.get(self._expected)
            if entry is not None:
                try:
                    self._take(entry, now, slots)
                except NotYet:
                    self._keyless_until = entry.arrived + self._set.key_wait
                    return slots
                del self._waiting[self._expected]
                self._expected += 1
                continue
            if now < self._gap_deadline() and len(self._waiting) <= self._set.most_waiting:
                return slots
            self._give_up(min(self._waiting))
        self._fill_pause(now, slots)
        return slots

    def next_deadline(self) -> float | None:
        """When `pop` will have something without another packet; None if never."""
        if self._keyless_until is not None:
            return self._keyless_until
        if self._waiting:
            if self._expected is None:
                return self._first_arrival + self._set.reorder_wait
            return self._gap_deadline()
        if self._next_timestamp is None or self._silence_given >= self._fill_ticks():
            return None
        next_slot = self._last_arrival + (self._silence_given // SLOT + 2) * _SLOT_SECONDS
        return max(next_slot, self._last_arrival + self._patience())

    def _gap_deadline(self) -> float:
        return min(entry.arrived for entry in self._waiting.values()) + self._set.reorder_wait

    def _give_up(self, index: int) -> None:
        """The packets before this one never came."""
        missing = index - (self._expected or 0)
        if missing > self._set.restart:
            self._next_timestamp = None
            self._missing = 0
        else:
            self._missing += missing
            self.lost += missing
        self._expected = index

    def _take(self, entry: _Waiting, now: float, slots: list[Slot]) -> None:
        """Opens the packet whose turn it is, and gives it out with all that belongs before it."""
        if not entry.media:
            return
        may_wait = now < entry.arrived + self._set.key_wait and len(self._waiting) <= self._set.most_waiting
        opened = self._open(entry.media, entry.arrived, may_wait)
        if opened is None:
            self._missing += 1
        else:
            self._place(entry, opened, slots)

    def _place(self, entry: _Waiting, opened: Opened, slots: list[Slot]) -> None:
        gap = self._gap_before(entry)
        if gap:
            if self._missing and not self._silence_given:
                self._conceal(gap, opened.payload, slots)
            else:
                self._pause(gap, slots)
        self._stopped = opened.payload == SILENCE
        if self._stopped:
            self._give(Silence(self._position, opened.ticks), slots)
        else:
            self._give(Frame(self._position, opened.ticks, opened.payload), slots)
        self._next_timestamp = (entry.timestamp + opened.ticks) & 0xFFFFFFFF
        self._last_arrival = max(self._last_arrival, entry.arrived)
        self._silence_given = 0
        self._missing = 0

    def _gap_before(self, entry: _Waiting) -> int:
        """Ticks between the end of the last packet and this one: by the sender's clock, if it can be believed."""
        if self._position == 0 and self._next_timestamp is None:
            return 0
        elapsed = max(0.0, entry.arrived - self._last_arrival)
        gap = -1
        if self._next_timestamp is not None:
            gap = ((entry.timestamp - self._next_timestamp + 2**31) & 0xFFFFFFFF) - 2**31
        else:
            gap = int(elapsed * CLOCK_RATE)
        if gap > (elapsed + self._set.disbelief) * CLOCK_RATE:
            gap = int(elapsed / _SLOT_SECONDS) * SLOT
        gap = max(gap, 0)
        return gap - gap % TICKS_PER_SAMPLE

    def _conceal(self, gap: int, following: bytes, slots: list[Slot]) -> None:
        """Stands in for packets that are missing within speech; the last one may be in the packet that follows."""
        lost = min(gap, self._missing * SLOT) // SLOT
        recoverable = 1 if lost and lost * SLOT == gap else 0
        guessed = min(lost - recoverable, self._set.most_concealed)
        for _ in range(guessed):
            self._give(Lost(self._position, SLOT, None), slots)
        self._pause(gap - (guessed + recoverable) * SLOT, slots)
        if recoverable:
            self._give(Lost(self._position, SLOT, following), slots)

    def _pause(self, gap: int, slots: list[Slot]) -> None:
        """Fills a gap with silence, less what was given already; beyond the limit, time jumps."""
        left = max(0, gap - self._silence_given)
        fill = min(left, max(0, self._fill_ticks() - self._silence_given))
        jump = left - fill
        while fill:
            ticks = min(SLOT, fill)
            self._give(Silence(self._position, ticks), slots)
            fill -= ticks
        self._position += jump

    def _fill_pause(self, now: float, slots: list[Slot]) -> None:
        """Gives out silence while nothing comes."""
        if self._next_timestamp is None or now < self._last_arrival + self._patience():
            return
        idle = int((now - self._last_arrival) / _SLOT_SECONDS - 1 + _ROUNDING) * SLOT
        for _ in range((min(idle, self._fill_ticks()) - self._silence_given) // SLOT):
            self._give(Silence(self._position, SLOT), slots)
            self._silence_given += SLOT

    def _give(self, slot: Slot, slots: list[Slot]) -> None:
        slots.append(slot)
        self._position += slot.ticks

    def _patience(self) -> float:
        return self._set.settle if self._stopped else self._set.stall

    def _fill_ticks(self) -> int:
        return int(self._set.pause_fill / _SLOT_SECONDS) * SLOT
