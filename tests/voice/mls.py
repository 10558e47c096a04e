"""The voice server's part in DAVE: external sender and delivery service of an MLS group (RFC 9420).

It shares no code with the libraries that it serves: two independent ones, Discord's own among them, take part in the
groups that it runs, so neither is tested against itself.
"""

from __future__ import annotations

import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

MLS10 = b"\x00\x01"
PUBLIC_MESSAGE = b"\x00\x01"
KEY_PACKAGE = b"\x00\x05"


def vector(data: bytes) -> bytes:
    """A variable-size vector (RFC 9420 section 2.1.2)."""
    size = len(data)
    if size < 1 << 6:
        return bytes([size]) + data
    if size < 1 << 14:
        return struct.pack(">H", 0x4000 | size) + data
    return struct.pack(">I", 0x80000000 | size) + data


class Reader:
    """Reads TLS presentation language."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        taken = self.data[self.at : self.at + size]
        assert len(taken) == size, "truncated"
        self.at += size
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self) -> bytes:
        first = self.number(1)
        more = {0: 0, 1: 1, 2: 3}[first >> 6]
        size = (first & 0x3F) << 8 * more | self.number(more)
        return self.take(size)


class DeliveryService:
    """Signs proposals to add and remove members, and takes commits apart."""

    IDENTITY = b"\x00\x01\x01\x00"

    def __init__(self, channel_id: int) -> None:
        self.group_id = channel_id.to_bytes(8, "big")
        self._key = ec.generate_private_key(ec.SECP256R1())

    def external_sender(self) -> bytes:
        """The payload of op 25."""
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return vector(point) + b"\x00\x01" + vector(self.IDENTITY)

    def add(self, epoch: int, key_package: bytes) -> bytes:
        """A proposal to add the owner of a key package, which may come bare or as an MLSMessage."""
        return self._proposal(epoch, b"\x00\x01" + key_package.removeprefix(MLS10 + KEY_PACKAGE))

    def remove(self, epoch: int, leaf: int) -> bytes:
        """A proposal to remove a member."""
        return self._proposal(epoch, b"\x00\x03" + leaf.to_bytes(4, "big"))

    def _proposal(self, epoch: int, proposal: bytes) -> bytes:
        external_sender_0 = b"\x02" + bytes(4)
        content = (
            vector(self.group_id) + epoch.to_bytes(8, "big") + external_sender_0 + vector(b"") + b"\x02" + proposal
        )
        signed = vector(b"MLS 1.0 FramedContentTBS") + vector(MLS10 + PUBLIC_MESSAGE + content)
        signature = self._key.sign(signed, ec.ECDSA(hashes.SHA256()))
        return MLS10 + PUBLIC_MESSAGE + content + vector(signature)


def proposals_payload(*messages: bytes) -> bytes:
    """The payload of op 27 that appends proposals."""
    return b"\x00" + vector(b"".join(messages))


def split_commit(payload: bytes) -> tuple[bytes, bytes | None]:
    """Takes the payload of op 28 apart: the commit, and the welcome if somebody is added."""
    reader = Reader(payload)
    assert reader.take(4) == MLS10 + PUBLIC_MESSAGE
    reader.vector()  # group id
    reader.take(8)  # epoch
    assert reader.number(1) == 1, "not from a member"
    reader.take(4)  # leaf
    reader.vector()  # authenticated data
    assert reader.number(1) == 3, "not a commit"
    reader.vector()  # proposals
    if reader.number(1):
        _skip_leaf_node(reader)
        reader.vector()  # nodes of the path
    for _ in ("signature", "confirmation tag", "membership tag"):
        reader.vector()
    return payload[: reader.at], payload[reader.at :] or None


def _skip_leaf_node(reader: Reader) -> None:
    reader.vector()  # encryption key
    reader.vector()  # signature key
    assert reader.number(2) == 1, "not a basic credential"
    reader.vector()  # identity
    for _ in ("versions", "cipher suites", "extensions", "proposals", "credentials"):
        reader.vector()
    source = reader.number(1)
    if source == 1:
        reader.take(16)  # lifetime
    elif source == 3:
        reader.vector()  # parent hash
    reader.vector()  # extensions
    reader.vector()  # signature
