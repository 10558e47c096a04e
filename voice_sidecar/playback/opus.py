"""48 kHz mono to Opus packets of 20 ms, made so that a listener who loses one still hears the words.

Redundancy (a coarse copy of each packet in the next one) is a feature of Opus' speech layer, which libopus leaves out
at this bit rate unless it is told that packets get lost: with that, it codes up to 8 kHz by it and the rest by its
music layer ("hybrid", RFC 6716 section 2).
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import opuslib_next  # type: ignore[import-untyped]
from opuslib_next.api import ctl  # type: ignore[import-untyped]
from opuslib_next.api import encoder as libopus

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RATE: Final = 48_000
FRAME: Final = 960
"""Samples: 20 ms, what Discord's clients send in a packet."""
SILENCE: Final = b"\xf8\xff\xfe"
"""20 ms of silence, as Discord's clients send it."""

_VOICE: Final = 3001  # OPUS_SIGNAL_VOICE in opus_defines.h, which the binding leaves out
_LONGEST: Final = 1275  # bytes of a frame (RFC 6716 section 3.2.1)


class Encoding(NamedTuple):
    """How phrases are encoded."""

    bit_rate: int = 64_000
    """Bits a second; what Discord's voice channels have by default."""
    expected_loss: int = 10
    """Percent of the packets that listeners may lose; 0 leaves the redundancy out."""
    loudness: float = -20.0
    """dBFS that every voice is brought to, as `trainer.speech.audio_levels` measures it."""


class VoiceEncoder:
    """Encodes one phrase."""

    def __init__(self, encoding: Encoding) -> None:
        self._state: Any = libopus.create_state(RATE, 1, opuslib_next.APPLICATION_VOIP)
        for setting, value in (
            (ctl.set_bitrate, encoding.bit_rate),
            (ctl.set_signal, _VOICE),
            (ctl.set_inband_fec, int(encoding.expected_loss > 0)),
            (ctl.set_packet_loss_perc, encoding.expected_loss),
        ):
            libopus.encoder_ctl(self._state, setting, value)
        self.delay: int = libopus.encoder_ctl(self._state, ctl.get_lookahead)
        """Samples by which a listener hears the sound later than its packet says."""
        self._packet = (ctypes.c_char * _LONGEST)()

    def encode(self, frame: NDArray[np.int16]) -> bytes:
        """The packet of `FRAME` samples."""
        samples = frame.ctypes.data_as(ctypes.POINTER(ctypes.c_int16))
        size: int = libopus.libopus_encode(self._state, samples, FRAME, self._packet, _LONGEST)
        if size < 0:
            raise opuslib_next.OpusError(size)
        return ctypes.string_at(self._packet, size)

    def __del__(self) -> None:
        """Gives the encoder's memory back; none was taken if making it failed."""
        state = getattr(self, "_state", None)
        if state is not None:
            libopus.destroy(state)
