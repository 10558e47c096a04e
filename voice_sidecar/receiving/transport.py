"""The encryption between us and Discord's voice server, in both modes that it still offers.

A packet is the clear header, the ciphertext with its 16-byte tag, and a 32-bit nonce. The cipher's nonce is those
four bytes, then zeros; the clear header is authenticated. Both ciphers come from libsodium.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Final

from nacl import bindings
from nacl.exceptions import CryptoError, UnavailableError

KEY_SIZE: Final = 32
TAG_SIZE: Final = 16
NONCE_SIZE: Final = 4
LAST_NONCE: Final = 2 ** (8 * NONCE_SIZE) - 1

_Cipher = Callable[[bytes, bytes | None, bytes, bytes], bytes]  # text, authenticated, nonce, key


class Mode(StrEnum):
    """The names that the voice gateway uses."""

    AES256_GCM = "aead_aes256_gcm_rtpsize"
    XCHACHA20 = "aead_xchacha20_poly1305_rtpsize"


_OPENERS: Final[dict[Mode, tuple[_Cipher, int]]] = {
    Mode.AES256_GCM: (bindings.crypto_aead_aes256gcm_decrypt, bindings.crypto_aead_aes256gcm_NPUBBYTES),
    Mode.XCHACHA20: (
        bindings.crypto_aead_xchacha20poly1305_ietf_decrypt,
        bindings.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    ),
}
_SEALERS: Final[dict[Mode, tuple[_Cipher, int]]] = {
    Mode.AES256_GCM: (bindings.crypto_aead_aes256gcm_encrypt, bindings.crypto_aead_aes256gcm_NPUBBYTES),
    Mode.XCHACHA20: (
        bindings.crypto_aead_xchacha20poly1305_ietf_encrypt,
        bindings.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    ),
}


class NotAuthentic(ValueError):
    """A packet that the voice server did not seal with this key."""


class NoncesUsedUp(RuntimeError):
    """2**32 packets were sealed with one key; one more would repeat a nonce. A new session brings a new key."""


def choose_mode(offered: Iterable[str]) -> Mode:
    """The mode to ask for: AES where the machine has instructions for it, else XChaCha20, which is always offered.

    Raises:
        ValueError: If neither is offered.
    """
    names = set(offered)
    if Mode.AES256_GCM in names and aes_is_available():
        return Mode.AES256_GCM
    if Mode.XCHACHA20 in names:
        return Mode.XCHACHA20
    raise ValueError("the voice server offers no encryption that is known here")


def aes_is_available() -> bool:
    """Whether this machine has the instructions that libsodium's AES needs."""
    try:
        bindings.crypto_aead_aes256gcm_encrypt(
            b"", None, bytes(bindings.crypto_aead_aes256gcm_NPUBBYTES), bytes(KEY_SIZE)
        )
    except UnavailableError:
        return False
    return True


def _checked(key: bytes) -> bytes:
    if len(key) != KEY_SIZE:
        raise ValueError("a transport key has 32 bytes")
    return key


class Opener:
    """Opens what the voice server sealed. One per session."""

    def __init__(self, mode: Mode, key: bytes) -> None:
        self._cipher, size = _OPENERS[mode]
        self._zeros = bytes(size - NONCE_SIZE)
        self._key = _checked(key)

    def open(self, datagram: bytes, clear: int) -> tuple[bytes, int]:
        """Opens one packet.

        Args:
            datagram: The whole packet.
            clear: How many bytes of it are header.

        Returns:
            The plaintext, and the nonce as a number. A key uses each nonce once: see `replay.NonceMemory`.

        Raises:
            NotAuthentic: If it is too short, or was changed, or sealed by somebody else.
        """
        if len(datagram) < clear + TAG_SIZE + NONCE_SIZE:
            raise NotAuthentic("too short to be sealed")
        nonce = datagram[-NONCE_SIZE:]
        try:
            opened = self._cipher(datagram[clear:-NONCE_SIZE], datagram[:clear], nonce + self._zeros, self._key)
        except CryptoError:
            raise NotAuthentic("not sealed with this session's key") from None
        return opened, int.from_bytes(nonce, "big")


class Sealer:
    """Seals what we send. One per session, for all that is sent in it: it counts the nonces."""

    def __init__(self, mode: Mode, key: bytes, *, first_nonce: int = 0) -> None:
        self._cipher, size = _SEALERS[mode]
        self._zeros = bytes(size - NONCE_SIZE)
        self._key = _checked(key)
        self._next = first_nonce

    def seal(self, header: bytes, payload: bytes) -> bytes:
        """Makes a packet of a clear header and what follows it.

        Raises:
            NoncesUsedUp: If the key has sealed all that it may.
        """
        if self._next > LAST_NONCE:
            raise NoncesUsedUp("a new session is needed")
        nonce = self._next.to_bytes(NONCE_SIZE, "big")
        self._next += 1
        return header + self._cipher(payload, header, nonce + self._zeros, self._key) + nonce
