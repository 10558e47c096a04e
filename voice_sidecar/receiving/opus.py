"""Opus to 16 kHz mono, as recognisers want it.

libopus decodes to 16 kHz mono itself, from whatever was sent (48 kHz stereo, from Discord's clients): nothing above
8 kHz is synthesised at all, which is as good as resampling gets, and takes less than half the time of decoding
everything first. Its output is 16-bit, little-endian on every machine that wheels are made for.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

from opuslib_next.api import decoder as libopus  # type: ignore[import-untyped]

SAMPLE_RATE: Final = 16_000
CLOCK_RATE: Final = 48_000  # of Opus in RTP, whatever was recorded (RFC 7587 section 4.1)
TICKS_PER_SAMPLE: Final = CLOCK_RATE // SAMPLE_RATE
SLOT: Final = 960  # ticks: the 20 ms that Discord's clients send in a packet
SILENCE: Final = b"\xf8\xff\xfe"  # what clients send five times when they stop

_LONGEST: Final = 5760  # ticks: 120 ms, the most that a packet may hold (RFC 6716 section 3.2.5)
_SILK: Final = (480, 960, 1920, 2880)
_HYBRID: Final = (480, 960)
_CELT: Final = (120, 240, 480, 960)


class BadFrame(ValueError):
    """Not an Opus packet."""


def duration(packet: bytes) -> int:
    """How long a packet is, by its first bytes (RFC 6716 section 3.1).

    Returns:
        48 kHz ticks, 120 to 5760.

    Raises:
        BadFrame: If no Opus packet begins so.
    """
    if not packet:
        raise BadFrame("empty")
    config, code = packet[0] >> 3, packet[0] & 3
    if config < 12:  # noqa: PLR2004  # the bounds of RFC 6716's table 2
        ticks = _SILK[config & 3]
    elif config < 16:  # noqa: PLR2004
        ticks = _HYBRID[config & 1]
    else:
        ticks = _CELT[config & 3]
    if code == 3:  # noqa: PLR2004  # a count of frames follows
        if len(packet) < 2:  # noqa: PLR2004
            raise BadFrame("ends before its count of frames")
        frames = packet[1] & 0x3F
    else:
        frames = 1 if code == 0 else 2
    if not 0 < frames * ticks <= _LONGEST:
        raise BadFrame("no frames, or more than 120 ms")
    return frames * ticks


class SpeechDecoder:
    """One speaker's decoder; it remembers what it heard, so each speaker needs their own."""

    def __init__(self) -> None:
        self._state: Any = libopus.create_state(SAMPLE_RATE, 1)
        self._samples = (ctypes.c_int16 * (_LONGEST // TICKS_PER_SAMPLE))()
        self._pointer = ctypes.cast(self._samples, ctypes.POINTER(ctypes.c_int16))

    def decode(self, packet: bytes) -> bytes:
        """The sound of a packet.

        Raises:
            BadFrame: If it is not Opus. The decoder stays usable.
        """
        if not packet:
            raise BadFrame("empty")
        return self._run(packet, len(self._samples), fec=False)

    def conceal(self, ticks: int) -> bytes:
        """A guess at what is lost, from what came before: it fades to silence."""
        return self._run(None, ticks // TICKS_PER_SAMPLE, fec=False)

    def recover(self, following: bytes, ticks: int) -> bytes:
        """What is lost, from the redundancy in the packet after it, if its sender put any there; else a guess."""
        return self._run(following, ticks // TICKS_PER_SAMPLE, fec=True)

    def _run(self, packet: bytes | None, samples: int, *, fec: bool) -> bytes:
        count: int = libopus.libopus_decode(
            self._state, packet, len(packet or b""), self._pointer, min(samples, len(self._samples)), int(fec)
        )
        if count < 0:
            raise BadFrame(f"libopus error {count}")
        return ctypes.string_at(self._samples, 2 * count)

    def __del__(self) -> None:
        """Gives the decoder's memory back; none was taken if making it failed."""
        state = getattr(self, "_state", None)
        if state is not None:
            libopus.destroy(state)
