"""The job that a webhook event becomes where the door may not write: what a person installed or removed. Pure.

It lies in the same queue as the jobs of interactions, and tells itself apart by its only field.
"""

from __future__ import annotations

import msgspec

from interactions.events import Installation
from interactions.payloads import Snowflake


class _Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    user_id: Snowflake
    at: float
    installed: bool


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    installation: _Change


_DECODER = msgspec.json.Decoder(_Envelope)


def pack(change: Installation) -> bytes:
    """The job."""
    return msgspec.json.encode(_Envelope(_Change(*change)))


def unpack(job: bytes) -> Installation | None:
    """What a job says of an installation; None if it is another job."""
    try:
        change = _DECODER.decode(job).installation
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    return Installation(change.user_id, change.at, change.installed)
