"""Commits and welcomes of an MLS group, taken apart by the voice server (RFC 9420 sections 5.2, 12.4)."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from tests.voice.mls import KEY_PACKAGE, MLS10, Reader, split_commit, vector


class Commit(NamedTuple):
    """The payload of op 28."""

    group_id: bytes
    epoch: int
    leaf: int
    """Of its author."""
    references: tuple[bytes, ...]
    """To the proposals in it, in its order."""
    message: bytes
    welcome: bytes | None


def read_commit(payload: bytes) -> Commit:
    """Raises AssertionError for anything else."""
    message, welcome = split_commit(payload)
    reader = Reader(message)
    reader.take(4)
    group_id, epoch = reader.vector(), reader.number(8)
    reader.take(1)
    leaf = reader.number(4)
    reader.vector()  # authenticated data
    reader.take(1)
    proposals = Reader(reader.vector())
    references = []
    while proposals.at < len(proposals.data):
        assert proposals.number(1) == 2, "a proposal is in the commit itself"
        references.append(proposals.vector())
    return Commit(group_id, epoch, leaf, tuple(references), message, welcome)


def _hash(label: bytes, value: bytes) -> bytes:
    return hashlib.sha256(vector(label) + vector(value)).digest()


def package_reference(package: bytes) -> bytes:
    return _hash(b"MLS 1.0 KeyPackage Reference", package.removeprefix(MLS10 + KEY_PACKAGE))


def proposal_reference(message: bytes) -> bytes:
    """Of an MLSMessage that proposes: the version goes, what is left is the AuthenticatedContent."""
    return _hash(b"MLS 1.0 Proposal Reference", message.removeprefix(MLS10))


def welcome_for(welcome: bytes, package: bytes) -> bytes:
    """The welcome with the secrets of one newcomer alone, as the voice server passes it on."""
    reader = Reader(welcome)
    suite, secrets = reader.take(2), Reader(reader.vector())
    wanted = package_reference(package)
    while secrets.at < len(secrets.data):
        begin = secrets.at
        reference = secrets.vector()
        for _ in ("key encapsulation", "ciphertext"):
            secrets.vector()
        if reference == wanted:
            return suite + vector(secrets.data[begin : secrets.at]) + welcome[reader.at :]
    raise AssertionError("the welcome is not for whom was added")


def package_identity(payload: bytes) -> int:
    """The user id in a key package."""
    reader = Reader(payload.removeprefix(MLS10 + KEY_PACKAGE))
    assert reader.number(2) == 1, "not MLS 1.0"
    assert reader.number(2) == 2, "not the cipher suite of DAVE"
    for _ in ("init key", "encryption key", "signature key"):
        reader.vector()
    assert reader.number(2) == 1, "not a basic credential"
    return int.from_bytes(reader.vector(), "big")
