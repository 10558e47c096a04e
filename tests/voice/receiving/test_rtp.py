from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_sidecar.receiving import rtp
from voice_sidecar.receiving.rtp import Kind, MalformedPacket


def packet(*, sources: int = 0, words: int | None = None, padding: bool = False) -> bytes:
    first = 0x80 | sources | (0x10 if words is not None else 0) | (0x20 if padding else 0)
    header = struct.pack(">BBHII", first, 0x78, 65_535, 4_294_967_295, 77)
    header += b"".join(struct.pack(">I", 1000 + n) for n in range(sources))
    return header if words is None else header + struct.pack(">HH", 0xBEDE, words)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_packet_or_malformed(datagram: bytes) -> None:
    try:
        header = rtp.parse_header(datagram)
    except MalformedPacket:
        return
    assert 12 <= header.size <= len(datagram)
    with contextlib.suppress(MalformedPacket):
        assert len(rtp.media_of(header, datagram[header.size :])) <= len(datagram) - header.size


@given(
    sources=st.integers(0, 15),
    words=st.none() | st.integers(0, 20),
    media=st.binary(max_size=50),
    padding=st.integers(0, 255),
)
def test_media_is_what_lies_between_extension_and_padding(
    sources: int, words: int | None, media: bytes, padding: int
) -> None:
    header = rtp.parse_header(packet(sources=sources, words=words, padding=bool(padding)) + b"sealed")
    assert header.size == 12 + 4 * sources + (0 if words is None else 4)
    assert header.csrcs == tuple(1000 + n for n in range(sources))
    assert (header.sequence, header.timestamp, header.ssrc) == (65_535, 4_294_967_295, 77)
    assert header.extension_profile == (None if words is None else 0xBEDE)
    body = bytes([0xEE]) * (4 * (words or 0))
    tail = bytes(padding - 1) + bytes([padding]) if padding else b""
    assert rtp.media_of(header, body + media + tail) == media


def test_a_packet_of_padding_alone_has_no_media() -> None:
    header = rtp.parse_header(packet(padding=True))
    assert rtp.media_of(header, bytes(254) + b"\xff") == b""


@pytest.mark.parametrize(
    "opened", [b"", b"\x00", b"media\x00", b"four\x06"], ids=["empty", "zero", "zero at end", "long"]
)
def test_padding_that_cannot_be(opened: bytes) -> None:
    with pytest.raises(MalformedPacket, match="padding"):
        rtp.media_of(rtp.parse_header(packet(padding=True)), opened)


def test_an_extension_longer_than_the_payload() -> None:
    with pytest.raises(MalformedPacket, match="extension"):
        rtp.media_of(rtp.parse_header(packet(words=3)), bytes(11))


@pytest.mark.parametrize("size", range(12 + 4 * 3 + 4))
def test_a_packet_cut_within_its_header(size: int) -> None:
    with pytest.raises(MalformedPacket):
        rtp.parse_header(packet(sources=3, words=1)[:size])


@pytest.mark.parametrize(
    ("datagram", "kind"),
    [
        (bytes([0x80, 200]) + bytes(26), Kind.RTCP),
        (bytes([0x81, 201]) + bytes(30), Kind.RTCP),
        (bytes([0x80, 0x78]) + bytes(10), Kind.RTP),
        (bytes([0x80, 0xF8]) + bytes(10), Kind.RTP),  # the same with the marker
        (bytes(8), Kind.OTHER),  # a keepalive
        (b"\x00\x02\x00\x46" + bytes(70), Kind.OTHER),  # the answer to IP discovery
        (b"\x40\x78" + bytes(10), Kind.OTHER),  # version 1
        (b"", Kind.OTHER),
        (b"\x80", Kind.OTHER),
    ],
)
def test_kinds(datagram: bytes, kind: Kind) -> None:
    assert rtp.kind_of(datagram) is kind
    if kind is not Kind.RTP:
        with pytest.raises(MalformedPacket):
            rtp.parse_header(datagram)


def test_headers_of_ours_are_read_as_written_and_wrap() -> None:
    header = rtp.parse_header(rtp.pack_header(sequence=65_537, timestamp=2**32 + 5, ssrc=9, marker=True))
    assert header == rtp.RtpHeader(12, False, True, 0x78, 1, 5, 9, (), None, 0)
