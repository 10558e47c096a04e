"""What may be looked up while Discord waits. The store is opened on the first look-up: most requests need none."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final, TypeVar

from trainer.ports import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.ports import ObjectStore
    from trainer.scope import Scope

T = TypeVar("T")

NAMES_MOST: Final = 100
AFTER_SLASH: Final = "0"
"""The character after `/`: listing on from a name with it passes over all that the name's folder holds."""
AT_ONCE: Final = 8
PATIENCE_S: Final = 1.5
"""Discord wants an answer within three seconds, the network's share included."""

log = logging.getLogger(__name__)


class Lookups:
    """`interactions.call.Quick` over an object store."""

    def __init__(self, make_store: Callable[[], ObjectStore]) -> None:
        self._make_store = make_store
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._store: ObjectStore | None = None

    def dataset_names(self, scope: Scope) -> list[str]:
        """The names of a scope's datasets, in order; one request to the store for each."""
        try:
            return self._in_time(lambda store: _folders(store, f"{scope.prefix}/datasets/"))
        except (StoreUnavailable, TimeoutError):
            log.warning("no suggestions: the store does not answer")
            return []

    def _in_time(self, look: Callable[[ObjectStore], T]) -> T:
        """What a look-up finds. Raises TimeoutError: one that takes longer goes on, but nobody waits for it.

        At most `AT_ONCE` go on at a time; of a store that hangs, no more are asked for.
        """
        if not self._places.acquire(blocking=False):
            raise TimeoutError
        found: Future[T] = Future()

        def run() -> None:
            try:
                found.set_result(look(self._opened()))
            except BaseException as error:  # noqa: BLE001 - whoever waits gets it
                found.set_exception(error)
            finally:
                self._places.release()

        threading.Thread(target=run, name="lookup", daemon=True).start()
        return found.result(PATIENCE_S)

    def _opened(self) -> ObjectStore:
        with self._lock:
            if self._store is None:
                self._store = self._make_store()
            return self._store


def _folders(store: ObjectStore, prefix: str) -> list[str]:
    names: list[str] = []
    after = ""
    while len(names) < NAMES_MOST:
        info = next(iter(store.list(prefix, start_after=after)), None)
        if info is None:
            break
        name = info.key.removeprefix(prefix).partition("/")[0]
        names.append(name)
        after = f"{prefix}{name}{AFTER_SLASH}"
    return names
