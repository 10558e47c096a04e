"""What Discord's voice server and the other clients expect of a bot's packets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.voice.discord.sealing import OPUS, SILENCE, TRAILER, RtpPacket

if TYPE_CHECKING:
    from collections.abc import Callable

FRAME = 960  # samples at 48 kHz in 20 ms


def looks_sealed(frame: bytes) -> bool:
    """Whether a frame ends as those do that are end-to-end encrypted."""
    return len(frame) > 11 and frame.endswith(TRAILER)


@dataclass
class PacketChecks:
    """Looks at the packets of one voice session in the order of their arrival.

    Attributes:
        complain: Is told what is wrong, in a sentence.
        ssrc: Which the session was given.
    """

    complain: Callable[[str], None]
    ssrc: int
    _nonces: set[int] = field(default_factory=set)
    _last: RtpPacket | None = None

    def check(self, packet: RtpPacket, nonce: int, *, plain_allowed: bool, has_spoken: bool) -> None:
        """One packet that opened with the session's key."""
        if nonce in self._nonces:
            self.complain(f"nonce {nonce} was used twice")
        self._nonces.add(nonce)
        if packet.payload_type != OPUS:
            self.complain(f"payload type {packet.payload_type:#x} is not Opus")
        if packet.ssrc != self.ssrc:
            self.complain(f"SSRC {packet.ssrc} is not the session's, which is {self.ssrc}")
        if not has_spoken:
            self.complain("sound came before any op 5")
        if not packet.media:
            self.complain("a packet has no media")
        elif not plain_allowed and packet.media != SILENCE and not looks_sealed(packet.media):
            self.complain("sound came in plaintext while DAVE is negotiated")
        if self._last is not None:
            self._counters(self._last, packet)
        self._last = packet

    def _counters(self, last: RtpPacket, packet: RtpPacket) -> None:
        step = packet.sequence - last.sequence & 0xFFFF
        if step != 1:
            self.complain(f"sequence went from {last.sequence} to {packet.sequence}")
        ticks = packet.timestamp - last.timestamp & 0xFFFFFFFF
        if ticks == 0 or ticks > 1 << 31 or ticks % FRAME:
            self.complain(f"timestamp went from {last.timestamp} to {packet.timestamp}")
