"""One speaker's stream: packets in order, opened, decoded to 16 kHz."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from voice_sidecar.receiving import opus
from voice_sidecar.receiving.counters import Counters, Dropped
from voice_sidecar.receiving.dave import Reason, Undecryptable
from voice_sidecar.receiving.jitter import Frame, JitterBuffer, Lost, NotYet, Opened, Settings, Slot
from voice_sidecar.receiving.opus import TICKS_PER_SAMPLE, BadFrame, SpeechDecoder
from voice_sidecar.receiving.replay import SequenceWindow

if TYPE_CHECKING:
    from collections.abc import Callable


class Sound(StrEnum):
    """Where a piece of sound is from."""

    HEARD = "heard"
    CONCEALED = "concealed"  # guessed, or from the copy in the packet after it
    SILENCE = "silence"


class Chunk(NamedTuple):
    """A piece of one person's sound.

    Attributes:
        user_id: Whose.
        stream: Counts the streams of a receiver: positions begin anew with each.
        position: 16 kHz samples from the beginning of the stream. Where it is not the end of the piece before it,
            nothing was said in between.
        pcm: 16-bit little-endian mono samples.
        sound: Where it is from.
    """

    user_id: int
    stream: int
    position: int
    pcm: bytes
    sound: Sound


class Speaker:
    """What is kept of somebody who is heard; dropping it forgets them.

    Args:
        user_id: Who.
        stream: The stream's number.
        open_frame: End-to-end decryption of a frame of theirs, given when it came. Raises `Undecryptable`.
        settings: Of the jitter buffer.
        counters: To count in.
    """

    def __init__(
        self,
        user_id: int,
        stream: int,
        open_frame: Callable[[int, bytes, float], bytes],
        settings: Settings,
        counters: Counters,
    ) -> None:
        self.user_id = user_id
        self.window = SequenceWindow()
        self.jitter = JitterBuffer(self._opened, settings)
        self._stream = stream
        self._open_frame = open_frame
        self._decoder = SpeechDecoder()
        self._counters = counters
        self._lost_before = 0

    def take(self, number: int, timestamp: int, media: bytes, arrived: float) -> None:
        """Takes the media of a packet, sealed as it came."""
        if not self.jitter.push(number, timestamp, media, arrived):
            self._counters.dropped[Dropped.LATE] += 1

    def give(self, now: float) -> list[Chunk]:
        """The sound that is due."""
        chunks = [self._chunk(slot) for slot in self.jitter.pop(now)]
        self._counters.lost += self.jitter.lost - self._lost_before
        self._lost_before = self.jitter.lost
        return chunks

    def _opened(self, media: bytes, arrived: float, may_wait: bool) -> Opened | None:
        try:
            frame = self._open_frame(self.user_id, media, arrived)
            return Opened(frame, opus.duration(frame))
        except Undecryptable as problem:
            if problem.reason is Reason.NO_KEY and may_wait:
                raise NotYet from None
            self._counters.undecryptable[problem.reason] += 1
        except BadFrame:
            self._counters.dropped[Dropped.BAD_OPUS] += 1
        return None

    def _chunk(self, slot: Slot) -> Chunk:
        pcm, sound = self._sound(slot)
        return Chunk(self.user_id, self._stream, slot.position // TICKS_PER_SAMPLE, pcm, sound)

    def _sound(self, slot: Slot) -> tuple[bytes, Sound]:
        if isinstance(slot, Frame):
            try:
                pcm = self._decoder.decode(slot.payload)
            except BadFrame:
                self._counters.dropped[Dropped.BAD_OPUS] += 1
                self._counters.concealed += 1
                return self._decoder.conceal(slot.ticks), Sound.CONCEALED
            self._counters.heard += 1
            return pcm, Sound.HEARD
        if isinstance(slot, Lost):
            self._counters.concealed += 1
            return self._stand_in(slot), Sound.CONCEALED
        return bytes(2 * (slot.ticks // TICKS_PER_SAMPLE)), Sound.SILENCE

    def _stand_in(self, slot: Lost) -> bytes:
        if slot.following is not None:
            try:
                return self._decoder.recover(slot.following, slot.ticks)
            except BadFrame:  # the packet after it is broken, which is found again when its turn comes
                pass
        return self._decoder.conceal(slot.ticks)
