"""What keeps a packet from being heard twice.

`NonceMemory` refuses a datagram that was sent before, however long ago, exactly: a key uses a nonce once.
`SequenceWindow` refuses a packet that the server itself sent twice, and gives sequence numbers that do not wrap
(RFC 3550 appendix A.1). Both are asked only about packets that proved authentic: forged ones must not move them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class NonceMemory:
    """All nonces that a key was used with, a bit each while they are counted upwards, as they are.

    Streams are kept apart: nothing is assumed about one counter serving all of them.

    Args:
        most_blocks: The bound of memory, in blocks of one kilobyte. The oldest block is forgotten first; 8192 of them
            hold 67 million packets: 15 hours in which 25 people never stop speaking.
    """

    _BITS: Final = 13

    def __init__(self, most_blocks: int = 8192) -> None:
        self._blocks: dict[tuple[int, int], bytearray] = {}
        self._most = most_blocks

    def fresh(self, ssrc: int, nonce: int) -> bool:
        """Whether this nonce is new for that stream; it is not, from then on."""
        key = (ssrc, nonce >> self._BITS)
        block = self._blocks.get(key)
        if block is None:
            if len(self._blocks) >= self._most:
                del self._blocks[next(iter(self._blocks))]
            block = self._blocks[key] = bytearray(1 << (self._BITS - 3))
        place, bit = (nonce >> 3) & ((1 << (self._BITS - 3)) - 1), 1 << (nonce & 7)
        if block[place] & bit:
            return False
        block[place] |= bit
        return True


class Refusal(StrEnum):
    """Why a sequence number is not taken."""

    DUPLICATE = "duplicate"
    OUT_OF_PLACE = "out_of_place"  # far from the others; if the next one follows it, the sender started anew


class SequenceWindow:
    """The sequence numbers of one stream, unwrapped."""

    SIZE: Final = 1024  # how far back a late packet is still known from a duplicate: 20 s
    LEAP: Final = 3000  # how far ahead is still believed: a minute of loss

    def __init__(self) -> None:
        self._highest: int | None = None
        self._seen = 0  # bit n: the packet n before the highest was here
        self._restart: int | None = None

    def admit(self, sequence: int) -> int | Refusal:
        """Takes a 16-bit sequence number.

        Returns:
            A number that grows with each packet and does not wrap, or why the packet is refused.
        """
        if self._highest is None:
            return self._begin_at(sequence)
        ahead = ((sequence - self._highest + 0x8000) & 0xFFFF) - 0x8000
        if 0 < ahead <= self.LEAP:
            self._seen = ((self._seen << ahead) | 1) & ((1 << self.SIZE) - 1)
            self._highest += ahead
            self._restart = None
            return self._highest
        if -self.SIZE < ahead <= 0:
            if self._seen >> -ahead & 1:
                return Refusal.DUPLICATE
            self._seen |= 1 << -ahead
            return self._highest + ahead
        if sequence != self._restart:
            self._restart = (sequence + 1) & 0xFFFF
            return Refusal.OUT_OF_PLACE
        # The next round of numbers but one: no restart is taken for a packet of the same count.
        return self._begin_at(((self._highest >> 16) + 2 << 16) + sequence)

    def _begin_at(self, index: int) -> int:
        # The first packet may have been overtaken, so numbers before it are new, too; and none is below zero.
        self._highest = index + (0 if index >= 1 << 16 else 1 << 16)
        self._seen = 1
        self._restart = None
        return self._highest
