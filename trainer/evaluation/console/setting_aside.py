"""A store with runs set aside: what is written of them lies elsewhere, and everything else is where it always is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer.evaluation.keys import active_key, evaluations_prefix
from trainer.ports import ObjectStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from typing import BinaryIO

    from trainer.ports import ObjectInfo, StoredObject
    from trainer.scope import Scope


class SetAside(ObjectStore):
    """An `ObjectStore` for runs that nobody is to see.

    Earlier runs can be read, and what was taught; a run that others work on at the same time is in nobody's way.

    Args:
        store: the store.
        aside: where the runs lie instead.
        scope: whose runs they are.
    """

    def __init__(self, store: ObjectStore, aside: ObjectStore, scope: Scope) -> None:
        self._store = store
        self._aside = aside
        self._runs = evaluations_prefix(scope)
        self._active = active_key(scope)
        self._own: set[str] = set()

    def set_aside(self, run_id: str) -> None:
        """Whatever is written of this run from now on lies elsewhere."""
        self._own.add(run_id)

    def get(self, key: str) -> StoredObject:
        """The whole object."""
        return self._of(key).get(key)

    def open_read(self, key: str) -> AbstractContextManager[BinaryIO]:
        """The object as a stream."""
        return self._of(key).open_read(key)

    def head(self, key: str) -> ObjectInfo | None:
        """What is known of the object."""
        return self._of(key).head(key)

    def put(
        self,
        key: str,
        data: bytes,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        content_type: str = "application/octet-stream",
    ) -> str:
        """Write a whole object."""
        return self._of(key).put(key, data, if_absent=if_absent, if_match=if_match, content_type=content_type)

    def open_write(
        self, key: str, *, if_absent: bool = False, content_type: str = "application/octet-stream"
    ) -> AbstractContextManager[BinaryIO]:
        """Write an object as a stream."""
        return self._of(key).open_write(key, if_absent=if_absent, content_type=content_type)

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectInfo]:
        """Objects below a prefix: those of a run that is set aside, or those of the store."""
        return self._of(prefix).list(prefix, start_after=start_after)

    def delete(self, key: str) -> None:
        """Remove the object."""
        self._of(key).delete(key)

    def url(self, key: str, *, expires_s: int, filename: str) -> str | None:
        """A link to the object."""
        return self._of(key).url(key, expires_s=expires_s, filename=filename)

    def ping(self) -> None:
        """Raise `StoreUnavailable` unless the store answers."""
        self._store.ping()

    def _of(self, key: str) -> ObjectStore:
        """Where a key, or a prefix, is to be looked for."""
        if not key.startswith(self._runs):
            return self._store
        own = key == self._active or not self._own.isdisjoint(key.removeprefix(self._runs).split("/"))
        return self._aside if own else self._store
