"""A worker that is killed in the middle of what it writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainer.adapters.file_store import FileStore


class Died(Exception):
    """The worker was killed."""


class Mortal:
    """A store whose user dies at the n-th change from now on."""

    def __init__(self, store: FileStore, changes: int) -> None:
        self._store = store
        self._left = changes

    def put(self, *args: Any, **kwargs: Any) -> str:
        self._live()
        return self._store.put(*args, **kwargs)

    def delete(self, key: str) -> None:
        self._live()
        self._store.delete(key)

    def _live(self) -> None:
        if self._left == 0:
            raise Died
        self._left -= 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)
