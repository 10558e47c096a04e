"""The job that an acknowledged interaction becomes. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

from interactions.payloads import DECODER, AnyInteraction, Ping


class MalformedJob(Exception):
    """The queue handed out something that is not a job of ours."""


class Envelope(msgspec.Struct, frozen=True, omit_defaults=False):
    """What lies in the queue: the interaction just as Discord sent it."""

    interaction: msgspec.Raw
    v: int = 1


VERSION: Final = 1
_DECODER: Final = msgspec.json.Decoder(Envelope)
_NONCHARACTERS: Final = ((b"\xef\xbf\xbe", b"\\ufffe"), (b"\xef\xbf\xbf", b"\\uffff"))
"""Characters that SQS does not take. In JSON they can only stand inside a text, where an escape means the same."""


def pack(body: bytes) -> bytes:
    """The job for an interaction's raw body, which must be valid JSON."""
    packed = msgspec.json.encode(Envelope(msgspec.Raw(body)))
    for raw, escaped in _NONCHARACTERS:
        packed = packed.replace(raw, escaped)
    return packed


def unpack(job: bytes) -> AnyInteraction:
    """The interaction of a job. Raises `MalformedJob`."""
    try:
        envelope = _DECODER.decode(job)
        interaction: Ping | AnyInteraction = DECODER.decode(envelope.interaction)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise MalformedJob("not an interaction") from None
    if envelope.v != VERSION or isinstance(interaction, Ping):
        raise MalformedJob("an unknown kind of job")
    return interaction
