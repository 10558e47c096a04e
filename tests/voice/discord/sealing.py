"""The encryption between the voice server and one client, and RTP inside of it: the voice server's own.

It shares no code with the product: AES comes from another library, and the packets are taken apart another way.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from nacl.exceptions import CryptoError
from nacl.secret import Aead

from tests.voice.discord.rules import AES, XCHACHA

SILENCE = b"\xf8\xff\xfe"
OPUS = 0x78
TRAILER = b"\xfa\xfa"


class Unsealed(ValueError):
    """A packet that does not open with the session's key."""


class Transport:
    """Both directions of one session. The nonce is four bytes, big-endian, filled up with zeros."""

    def __init__(self, mode: str, key: bytes) -> None:
        self.mode = mode
        self.key = key
        self.nonce = 0
        if mode == AES:
            self._aes, self._zeros = AESGCM(key), bytes(8)
        elif mode == XCHACHA:
            self._box, self._zeros = Aead(key), bytes(20)
        else:
            raise ValueError(mode)

    def seal(self, header: bytes, payload: bytes) -> bytes:
        short = struct.pack(">I", self.nonce)
        self.nonce = (self.nonce + 1) & 0xFFFFFFFF
        nonce = short + self._zeros
        if self.mode == AES:
            return header + self._aes.encrypt(nonce, payload, header) + short
        return header + self._box.encrypt(payload, header, nonce).ciphertext + short

    def open(self, datagram: bytes, clear: int) -> tuple[bytes, int]:
        """The plaintext, and the nonce. Raises `Unsealed`."""
        header, sealed, short = datagram[:clear], datagram[clear:-4], datagram[-4:]
        nonce = short + self._zeros
        try:
            if self.mode == AES:
                opened = self._aes.decrypt(nonce, sealed, header)
            else:
                opened = self._box.decrypt(sealed, header, nonce)
        except (InvalidTag, CryptoError, ValueError) as error:
            raise Unsealed("not sealed with the session's key") from error
        return opened, int.from_bytes(short, "big")


class RtpPacket(NamedTuple):
    """One packet, without transport encryption."""

    ssrc: int
    sequence: int
    timestamp: int
    media: bytes
    extension: bytes = b""
    """Four bytes of profile and size, then the words."""
    padding: int = 0
    payload_type: int = OPUS

    def parts(self) -> tuple[bytes, bytes]:
        """The clear header, and what is sealed."""
        first = 0x80 | (0x10 if self.extension else 0) | (0x20 if self.padding else 0)
        header = struct.pack(
            ">BBHII", first, self.payload_type, self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF, self.ssrc
        )
        padding = bytes(self.padding - 1) + bytes([self.padding]) if self.padding else b""
        return header + self.extension[:4], self.extension[4:] + self.media + padding


EXTENSION = b"\xbe\xde\x00\x02" + b"\x10\xff\x20\x01\x02\x00\x00\x00"
"""As Discord's voice server puts it before the media: level and something else, in two words."""


def read_rtp(datagram: bytes, transport: Transport) -> tuple[RtpPacket, int]:
    """The packet in a datagram, and its nonce. Raises `Unsealed`, or ValueError for what is no RTP."""
    if len(datagram) < 12 or datagram[0] & 0xC0 != 0x80:
        raise ValueError("not RTP")
    first, second, sequence, timestamp, ssrc = struct.unpack_from(">BBHII", datagram)
    clear = 12 + 4 * (first & 0x0F)
    extension_size = 0
    if first & 0x10:
        (words,) = struct.unpack_from(">H", datagram, clear + 2)
        clear, extension_size = clear + 4, 4 * words
    opened, nonce = transport.open(datagram, clear)
    extension = datagram[clear - 4 : clear] + opened[:extension_size] if first & 0x10 else b""
    media = opened[extension_size:]
    padding = media[-1] if first & 0x20 and media else 0
    media = media[: len(media) - padding]
    return RtpPacket(ssrc, sequence, timestamp, media, extension, padding, second & 0x7F), nonce
