"""The voice gateway's messages (version 8), as bytes and as types.

JSON both ways; in binary, the server's messages are a 16-bit sequence number, the opcode and the payload, the
client's are the opcode and the payload (https://daveprotocol.com, section "Voice Gateway Opcodes").
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Annotated, Any, Final, NamedTuple, TypeVar

import msgspec

_T = TypeVar("_T")

VERSION: Final = 8
_BINARY_HEADER: Final = 3


class Op(IntEnum):
    """Opcodes."""

    IDENTIFY = 0
    SELECT_PROTOCOL = 1
    READY = 2
    HEARTBEAT = 3
    SESSION_DESCRIPTION = 4
    SPEAKING = 5
    HEARTBEAT_ACK = 6
    RESUME = 7
    HELLO = 8
    RESUMED = 9
    CLIENTS_CONNECT = 11
    CLIENT_SOURCES = 12  # undocumented
    CLIENT_DISCONNECT = 13
    PREPARE_TRANSITION = 21
    EXECUTE_TRANSITION = 22
    TRANSITION_READY = 23
    PREPARE_EPOCH = 24
    EXTERNAL_SENDER = 25
    KEY_PACKAGE = 26
    PROPOSALS = 27
    COMMIT_WELCOME = 28
    ANNOUNCE_COMMIT = 29
    WELCOME = 30
    INVALID_COMMIT_WELCOME = 31


class Malformed(ValueError):
    """A message that cannot be read. Its text quotes none of it."""


class Text(NamedTuple):
    """A message in JSON. `data` is its `d`."""

    op: int
    data: Any


class Binary(NamedTuple):
    """A message in binary, without its sequence number."""

    op: int
    payload: bytes


Message = Text | Binary


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the gateway gives to identify at a voice server with."""

    session_id: str = field(repr=False)
    token: str = field(repr=False)
    endpoint: str


class Hello(msgspec.Struct, frozen=True):
    """Op 8. Milliseconds."""

    heartbeat_interval: Annotated[float, msgspec.Meta(gt=0)]


class Ready(msgspec.Struct, frozen=True):
    """Op 2: where to send voice, and how it may be encrypted on the way."""

    ssrc: Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
    ip: str
    port: Annotated[int, msgspec.Meta(ge=1, lt=2**16)]
    modes: list[str]


class ClientsConnect(msgspec.Struct, frozen=True):
    """Op 11: who is in the call."""

    user_ids: list[str]


class _Frame(msgspec.Struct):
    op: Annotated[int, msgspec.Meta(ge=0, le=255)]
    d: Any = None
    seq: Annotated[int, msgspec.Meta(ge=0, lt=2**16)] | None = None


def read_text(text: str | bytes) -> tuple[Text, int | None]:
    """Reads a message in JSON, and the sequence number that some carry.

    Raises:
        Malformed: If it is none.
    """
    try:
        frame = msgspec.json.decode(text, type=_Frame)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed("not a message of the voice gateway") from None
    return Text(frame.op, frame.d), frame.seq


def read_binary(data: bytes) -> tuple[Binary, int]:
    """Reads a server's message in binary, and its sequence number.

    Raises:
        Malformed: If it ends early.
    """
    if len(data) < _BINARY_HEADER:
        raise Malformed("a binary message without an opcode")
    return Binary(data[2], data[_BINARY_HEADER:]), int.from_bytes(data[:2], "big")


def write_text(message: Text) -> str:
    """A client's message in JSON."""
    return json.dumps({"op": int(message.op), "d": message.data}, separators=(",", ":"))


def write_binary(message: Binary) -> bytes:
    """A client's message in binary."""
    return bytes([message.op]) + message.payload


def read_hello(data: object) -> Hello:
    """Op 8. Raises `Malformed`."""
    return _as(Hello, data)


def read_ready(data: object) -> Ready:
    """Op 2. Raises `Malformed`."""
    return _as(Ready, data)


def read_clients(data: object) -> ClientsConnect:
    """Op 11. Raises `Malformed`."""
    return _as(ClientsConnect, data)


def _as(kind: type[_T], data: object) -> _T:
    try:
        return msgspec.convert(data, kind, strict=True)
    except msgspec.ValidationError:
        raise Malformed(f"{kind.__name__} with unexpected fields") from None
