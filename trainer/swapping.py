"""Changing an object that others may change at the same time: compare and swap by etag, again where it was lost.

A write is conditional on what was read, by S3's conditional writes (If-Match, If-None-Match): no change is lost, and
none is made twice, whichever process makes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from trainer import records
from trainer.ports import ObjectNotFound, PreconditionFailed, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.ports import ObjectStore

TRIES: Final = 10
LONGEST_WAIT_S: Final = 0.5

T = TypeVar("T", bound=msgspec.Struct)
D = TypeVar("D")


class Contended(StoreUnavailable):
    """Others changed it in between, each time."""


def swap(
    store: ObjectStore, key: str, change: Callable[[bytes | None], bytes | None], *, tries: int = TRIES
) -> tuple[bytes | None, bytes | None]:
    """Change an object's bytes; what they were, and what they are now.

    Args:
        store: where it lies.
        key: its key.
        change: is given the bytes, None where there are none, and gives those that are to be there; the same, or
            None, where nothing is to be written. It is called again with newer ones when somebody else wrote in
            between, and may raise to give up.
        tries: how often.

    Raises `Contended` when somebody else was quicker each time, and `StoreUnavailable`.
    """
    import tenacity  # noqa: PLC0415 - acknowledging an interaction changes nothing and does without

    def attempt() -> tuple[bytes | None, bytes | None]:
        try:
            stored = store.get(key)
        except ObjectNotFound:
            before, etag = None, None
        else:
            before, etag = stored.data, stored.etag
        after = change(before)
        if after is None or after == before:
            return before, before
        store.put(key, after, if_absent=etag is None, if_match=etag, content_type=records.JSON_TYPE)
        return before, after

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(PreconditionFailed),
        stop=tenacity.stop_after_attempt(tries),
        wait=tenacity.wait_random_exponential(multiplier=0.01, max=LONGEST_WAIT_S),  # keeps writers apart
        reraise=True,
    )
    try:
        return retrying(attempt)
    except PreconditionFailed:
        raise Contended("too many changes of one object at once") from None


def change_record(
    store: ObjectStore, key: str, kind: type[T], absent: D, change: Callable[[T | D], T | D], *, tries: int = TRIES
) -> tuple[T | D, T | D]:
    """Change a record; what it was, and what it is now.

    Args:
        store: where it lies.
        key: its key.
        kind: its type.
        absent: what stands for it where there is none: None, or the defaults, which are not written.
        change: as `swap`'s, with records; `absent`, or an equal record, where nothing is to be written.
        tries: how often.

    Raises `records.Damaged` for one that cannot be read, and what `swap` raises.
    """
    before: T | D = absent
    after: T | D = absent

    def changed(data: bytes | None) -> bytes | None:
        nonlocal before, after
        before = absent if data is None else records.decode(data, kind)
        after = change(before)
        return None if after == before else msgspec.json.encode(after)

    swap(store, key, changed, tries=tries)
    return before, after
