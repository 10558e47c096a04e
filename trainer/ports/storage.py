"""The port of object stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager


class ObjectInfo(NamedTuple):
    """What a listing tells of an object."""

    key: str
    size: int
    """Bytes."""
    etag: str
    """Opaque, without quotes; changes whenever the content does."""
    modified_at: float
    """Seconds since the epoch, as the store counts them."""


class StoredObject(NamedTuple):
    """A whole object and the ETag to compare with when writing it again."""

    data: bytes
    etag: str


@runtime_checkable
class ObjectStore(Protocol):
    """Objects under keys, as S3 has them.

    A key is `/`-separated text of at most 900 UTF-8 bytes; `trainer.keys.check_key` says which are accepted, and
    every method raises `InvalidKey` for others. All methods may raise `StoreUnavailable`. Instances are safe to
    use from several threads, and any number of processes may use the same store.
    """

    def get(self, key: str) -> StoredObject:
        """The whole object. Raises `ObjectNotFound`."""
        ...

    def open_read(self, key: str) -> AbstractContextManager[BinaryIO]:
        """The object as a stream, in constant memory. Raises `ObjectNotFound`."""
        ...

    def head(self, key: str) -> ObjectInfo | None:
        """What is known of the object, or None if there is none."""
        ...

    def put(
        self,
        key: str,
        data: bytes,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        content_type: str = "application/octet-stream",
    ) -> str:
        """Write a whole object atomically; returns its new ETag.

        `if_absent` writes only if there is no such object; `if_match` only if its ETag is this one. Otherwise
        `PreconditionFailed`. When this returns, the object survives a crash of the process and of the machine.
        """
        ...

    def open_write(
        self, key: str, *, if_absent: bool = False, content_type: str = "application/octet-stream"
    ) -> AbstractContextManager[BinaryIO]:
        """Write an object as a stream, in constant memory.

        It appears whole when the `with` block ends, and not at all when the block raises. With `if_absent`, the
        end of the block raises `PreconditionFailed` if the object exists by then.
        """
        ...

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectInfo]:
        """Objects whose key starts with `prefix` and is greater than `start_after`, in order of their UTF-8 bytes.

        Lazily paged: taking the first few costs one request.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove the object; nothing happens if there is none."""
        ...

    def url(self, key: str, *, expires_s: int, filename: str) -> str | None:
        """A link that downloads the object as `filename` to whoever has it, for `expires_s` seconds.

        None if this store cannot be reached from outside.
        """
        ...

    def ping(self) -> None:
        """Raise `StoreUnavailable` unless the store answers."""
        ...
