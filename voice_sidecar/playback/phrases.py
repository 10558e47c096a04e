"""A phrase on its way to the listeners: its words, its packets, and how the ones follow from the others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from trainer.speech.audio_pcm import frame_levels
from voice_sidecar.playback.opus import FRAME, RATE, Encoding, VoiceEncoder
from voice_sidecar.playback.sound import framed, prepared

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trainer.ports.speech import Sound

PACKETS_A_S: Final = RATE // FRAME

AUDIBLE: Final = -45.0
"""dBFS of a packet: 25 below the voice, as quiet as a room. Only what is louder counts as words."""
_QUIET: Final = -35.0
"""dBFS of a packet between words, or within one where the lips are closed."""


class Packet(NamedTuple):
    """20 ms."""

    data: bytes
    level: float
    """dBFS."""


def encoded(sound: Sound, encoding: Encoding) -> Iterator[list[Packet]]:
    """A sound's packets, a few at a time, so that a long one need not be ready as a whole to begin."""
    if len(sound.pcm) < 2:  # noqa: PLR2004  # bytes of a sample
        return
    encoder = VoiceEncoder(encoding)
    for frames in framed(prepared(sound, encoding.loudness), encoder.delay):
        levels = frame_levels(frames.reshape(-1), FRAME)
        yield [Packet(encoder.encode(frame), float(level)) for frame, level in zip(frames, levels, strict=True)]


class Phrase:
    """Words and, as they are made, their packets.

    Args:
        text: as it was given.
        source: where the packets come from.
        seconds: how long it will be.
    """

    def __init__(self, text: str, source: Iterator[list[Packet]], seconds: float) -> None:
        self.text = text.strip()
        self.source: Iterator[list[Packet]] | None = source
        """None once it is exhausted."""
        self.packets: list[Packet] = []
        self._expected = int(seconds * PACKETS_A_S)
        self._broken = False

    def grow(self, packets: list[Packet] | None, *, broken: bool = False) -> None:
        """More packets; None: there are no more. `broken` is what lacks some that should have come."""
        if packets is not None:
            self.packets += packets
            return
        self.source = None
        self._broken = broken or not self.packets

    @property
    def length(self) -> int:
        """How many packets it has, or is expected to have as long as they are not all made."""
        return len(self.packets) if self.source is None else max(len(self.packets), self._expected)

    def share(self, sent: int) -> float:
        """How much of its words is in its first `sent` packets, 0 to 1.

        By the audible ones alone, so that a pause at its end is not taken for words.
        """
        audible = [packet.level >= AUDIBLE for packet in self.packets]
        missing = max(self._expected - len(audible), 1) if self._broken or self.source is not None else 0
        total = sum(audible) + missing
        if total:
            return sum(audible[:sent]) / total
        return float(sent >= len(audible))


def spoken_part(text: str, share: float) -> str:
    """The words that were said completely when a share of the text, 0 to 1, was: as many as their letters fit in.

    Scripts that do not part words are one word, said at the very end.
    """
    words = list(re.finditer(r"\S+", text))
    letters = share * sum(len(word[0]) for word in words) + 1e-6  # for the rounding
    end = 0
    for word in words:
        letters -= len(word[0])
        if letters < 0:
            break
        end = word.end()
    return text[:end]


def before(packets: Sequence[Packet], position: int, back: int) -> int:
    """Where to go on, having stopped before packet `position`: `back` packets earlier, where there is a pause.

    The pause is the last one before that, up to one and a half times as far again; else the quietest packet there,
    so that at least no vowel is cut in two.
    """
    latest = position - back
    if latest <= 0:
        return 0
    earliest = max(0, latest - back * 3 // 2)
    for index in range(latest, earliest - 1, -1):
        if packets[index].level < _QUIET:
            return index
    return min(range(latest, earliest - 1, -1), key=lambda index: packets[index].level)
