from __future__ import annotations

import os
import struct

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st
from nacl import bindings
from nacl.exceptions import UnavailableError

from tests.voice.talker import KEY
from voice_sidecar.receiving import rtp, transport
from voice_sidecar.receiving.transport import Mode, NoncesUsedUp, NotAuthentic, Opener, Sealer

HEADER = rtp.pack_header(sequence=7, timestamp=8, ssrc=9)
both = pytest.mark.parametrize("mode", list(Mode))


def hchacha20(key: bytes, nonce: bytes) -> bytes:
    """The subkey of XChaCha20 (draft-irtf-cfrg-xchacha section 2.2)."""
    state = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))

    def rotate(value: int, bits: int) -> int:
        return (value << bits | value >> (32 - bits)) & 0xFFFFFFFF

    def quarter(a: int, b: int, c: int, d: int) -> None:
        for first, second, third, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[first] = (state[first] + state[second]) & 0xFFFFFFFF
            state[third] = rotate(state[third] ^ state[first], bits)

    for _ in range(10):
        for n in range(4):
            quarter(n, 4 + n, 8 + n, 12 + n)
        for n in range(4):
            quarter(n, 4 + (n + 1) % 4, 8 + (n + 2) % 4, 12 + (n + 3) % 4)
    return struct.pack("<8I", *state[:4], *state[12:])


def sealed_by_others(mode: Mode, payload: bytes, nonce: bytes) -> bytes:
    """The same packet by another library: OpenSSL."""
    if mode is Mode.AES256_GCM:
        return HEADER + AESGCM(KEY).encrypt(nonce + bytes(8), payload, HEADER) + nonce
    cipher = ChaCha20Poly1305(hchacha20(KEY, nonce + bytes(12)))
    return HEADER + cipher.encrypt(bytes(12), payload, HEADER) + nonce


@both
def test_packets_of_another_implementation_open_and_ours_are_the_same(mode: Mode) -> None:
    nonce = b"\x00\x01\x02\x03"
    packet = sealed_by_others(mode, b"payload", nonce)
    assert Opener(mode, KEY).open(packet, len(HEADER)) == (b"payload", 0x00010203)
    assert Sealer(mode, KEY, first_nonce=0x00010203).seal(HEADER, b"payload") == packet


@both
@pytest.mark.parametrize("size", [0, 1, 3, 1200])
def test_what_is_sealed_opens(mode: Mode, size: int) -> None:
    sealer, opener, payload = Sealer(mode, KEY), Opener(mode, KEY), os.urandom(size)
    opened = [opener.open(sealer.seal(HEADER, payload), len(HEADER)) for _ in range(3)]
    assert opened == [(payload, 0), (payload, 1), (payload, 2)]


@both
def test_no_changed_byte_goes_unnoticed(mode: Mode) -> None:
    packet, opener = Sealer(mode, KEY).seal(HEADER, b"payload"), Opener(mode, KEY)
    for place in range(len(packet)):
        changed = bytearray(packet)
        changed[place] ^= 0x10
        with pytest.raises(NotAuthentic):
            opener.open(bytes(changed), len(HEADER))
    for size in range(len(HEADER), len(packet)):
        with pytest.raises(NotAuthentic):
            opener.open(packet[:size], len(HEADER))


@both
@given(datagram=st.binary(max_size=100), clear=st.integers(0, 80))
def test_any_bytes_are_refused(mode: Mode, datagram: bytes, clear: int) -> None:
    with pytest.raises(NotAuthentic):
        Opener(mode, KEY).open(datagram, clear)


@both
def test_another_key_or_mode_opens_nothing(mode: Mode) -> None:
    packet = Sealer(mode, KEY).seal(HEADER, b"payload")
    other = next(one for one in Mode if one is not mode)
    for opener in (Opener(mode, bytes(32)), Opener(other, KEY)):
        with pytest.raises(NotAuthentic):
            opener.open(packet, len(HEADER))


@both
def test_a_key_seals_no_nonce_twice(mode: Mode) -> None:
    sealer = Sealer(mode, KEY, first_nonce=transport.LAST_NONCE)
    assert sealer.seal(HEADER, b"last")[-4:] == b"\xff\xff\xff\xff"
    with pytest.raises(NoncesUsedUp):
        sealer.seal(HEADER, b"one too many")


@both
def test_keys_have_32_bytes(mode: Mode) -> None:
    for make in (Opener, Sealer):
        with pytest.raises(ValueError, match="32 bytes"):
            make(mode, KEY[:31])


def test_aes_is_chosen_where_it_is_offered_and_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    assert transport.choose_mode(["aead_xchacha20_poly1305_rtpsize", "something_newer"]) is Mode.XCHACHA20
    monkeypatch.setattr(transport, "aes_is_available", lambda: True)
    assert transport.choose_mode(list(Mode)) is Mode.AES256_GCM
    monkeypatch.setattr(transport, "aes_is_available", lambda: False)
    assert transport.choose_mode(list(Mode)) is Mode.XCHACHA20
    with pytest.raises(ValueError, match="no encryption"):
        transport.choose_mode(["xsalsa20_poly1305"])


def test_a_machine_without_the_instructions_for_aes(monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*_: object) -> bytes:
        raise UnavailableError

    monkeypatch.setattr(bindings, "crypto_aead_aes256gcm_encrypt", unavailable)
    assert not transport.aes_is_available()


def test_a_key_is_in_no_representation() -> None:
    assert KEY.hex()[:8] not in repr(Opener(Mode.XCHACHA20, KEY)) + repr(Sealer(Mode.XCHACHA20, KEY))
