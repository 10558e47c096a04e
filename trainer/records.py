"""Reading and writing typed JSON records in the object store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from trainer.ports import ObjectNotFound, PreconditionFailed, StoreUnavailable
from trainer.struct_types import ready

if TYPE_CHECKING:
    from trainer.ports import ObjectStore

T = TypeVar("T", bound=msgspec.Struct)
JSON_TYPE = "application/json"


class Damaged(StoreUnavailable):
    """A record is there and cannot be read."""


def load(store: ObjectStore, key: str, kind: type[T]) -> T | None:
    """The record, or None if there is none. Raises `Damaged` for one that cannot be read."""
    try:
        data = store.get(key).data
    except ObjectNotFound:
        return None
    return decode(data, kind)


def decode(data: bytes, kind: type[T]) -> T:
    """A record from its bytes. Raises `Damaged` if it cannot be read."""
    ready(kind)
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, ValueError):
        raise Damaged(f"the record {kind.__name__} is damaged") from None


def save_once(store: ObjectStore, key: str, record: T) -> T:
    """Write an immutable record; if it exists already, nothing changes and the existing one is returned."""
    try:
        store.put(key, msgspec.json.encode(record), if_absent=True, content_type=JSON_TYPE)
    except PreconditionFailed:
        existing: Any = load(store, key, type(record))
        return record if existing is None else existing
    return record


def save(store: ObjectStore, key: str, record: msgspec.Struct) -> None:
    """Write a record, whatever was there."""
    store.put(key, msgspec.json.encode(record), content_type=JSON_TYPE)
