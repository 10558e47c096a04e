"""RTP headers, as Discord's `_rtpsize` modes send them (RFC 3550 section 5.1, RFC 5761 section 4).

What is in the clear: the fixed header, the contributing sources, and the first four bytes of a header extension. The
extension's body and the padding are inside the ciphertext, so they come off after opening.
"""

from __future__ import annotations

import struct
from enum import StrEnum
from typing import Final, NamedTuple

AUDIO_PAYLOAD_TYPE: Final = 0x78  # Opus, in Discord's numbering

_FIXED: Final = struct.Struct(">BBHII")
_EXTENSION: Final = struct.Struct(">HH")
_RTCP_TYPES: Final = range(192, 224)  # RFC 5761: RTP payload types 64 to 95 are kept free for these


class MalformedPacket(ValueError):
    """A packet that no sender of RTP makes; the message says what is wrong and quotes none of it."""


class Kind(StrEnum):
    """What a datagram is, by its first two bytes."""

    RTP = "rtp"
    RTCP = "rtcp"
    OTHER = "other"  # keepalives that are echoed, the answer to IP discovery, strangers


class RtpHeader(NamedTuple):
    """The clear part of a packet.

    Attributes:
        size: Bytes in the clear, which are also what the cipher authenticates.
        extension_size: Bytes of extension body at the front of the opened payload.
    """

    size: int
    padding: bool
    marker: bool
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    csrcs: tuple[int, ...]
    extension_profile: int | None
    extension_size: int


def kind_of(datagram: bytes) -> Kind:
    """Tells media from its reports and from everything else on the same port."""
    if len(datagram) < 2 or datagram[0] >> 6 != 2:  # noqa: PLR2004  # both are facts of the format: two bytes, version 2
        return Kind.OTHER
    return Kind.RTCP if datagram[1] in _RTCP_TYPES else Kind.RTP


def parse_header(datagram: bytes) -> RtpHeader:
    """Reads the clear part of an RTP packet.

    Raises:
        MalformedPacket: If it is not RTP, or ends within its header.
    """
    if kind_of(datagram) is not Kind.RTP:
        raise MalformedPacket("not RTP")
    if len(datagram) < _FIXED.size:
        raise MalformedPacket("ends within the fixed header")
    first, second, sequence, timestamp, ssrc = _FIXED.unpack_from(datagram)
    sources = first & 0x0F
    size = _FIXED.size + 4 * sources
    extended = bool(first & 0x10)
    if len(datagram) < size + (_EXTENSION.size if extended else 0):
        raise MalformedPacket("ends within the contributing sources or the extension's header")
    csrcs = struct.unpack_from(f">{sources}I", datagram, _FIXED.size) if sources else ()
    profile, extension_size = None, 0
    if extended:
        profile, words = _EXTENSION.unpack_from(datagram, size)
        size += _EXTENSION.size
        extension_size = 4 * words
    return RtpHeader(
        size=size,
        padding=bool(first & 0x20),
        marker=bool(second & 0x80),
        payload_type=second & 0x7F,
        sequence=sequence,
        timestamp=timestamp,
        ssrc=ssrc,
        csrcs=csrcs,
        extension_profile=profile,
        extension_size=extension_size,
    )


def media_of(header: RtpHeader, opened: bytes) -> bytes:
    """Takes the extension's body off the front and the padding off the end of an opened payload.

    Returns:
        The media; empty for a packet of padding alone, which senders use to probe the network.

    Raises:
        MalformedPacket: If the extension or the padding claims more than there is.
    """
    if header.extension_size > len(opened):
        raise MalformedPacket("extension longer than the payload")
    media = opened[header.extension_size :] if header.extension_size else opened
    if not header.padding:
        return media
    count = media[-1] if media else 0
    if not 0 < count <= len(media):
        raise MalformedPacket("padding count out of range")
    return media[:-count]


def pack_header(*, sequence: int, timestamp: int, ssrc: int, marker: bool = False) -> bytes:
    """Makes the header of an audio packet of ours: no extension, no padding. Counters wrap."""
    return _FIXED.pack(
        0x80,
        AUDIO_PAYLOAD_TYPE | (0x80 if marker else 0),
        sequence & 0xFFFF,
        timestamp & 0xFFFFFFFF,
        ssrc,
    )
