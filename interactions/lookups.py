"""What may be looked up while Discord waits. The store is opened on the first look-up: most requests need none."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from trainer.ports import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.ports import ObjectStore
    from trainer.scope import Scope

NAMES_MOST: Final = 100
AFTER_ALL: Final = "\U0010ffff"
"""Sorts after whatever a dataset's folder holds: listing on from there finds the next dataset."""

log = logging.getLogger(__name__)


class Lookups:
    """`interactions.call.Quick` over an object store."""

    def __init__(self, make_store: Callable[[], ObjectStore]) -> None:
        self._make_store = make_store
        self._store: ObjectStore | None = None

    def dataset_names(self, scope: Scope) -> list[str]:
        """The names of a scope's datasets, in order; one request to the store for each."""
        try:
            if self._store is None:
                self._store = self._make_store()
            return _folders(self._store, f"{scope.prefix}/datasets/")
        except StoreUnavailable:
            log.warning("no suggestions: the store does not answer")
            return []


def _folders(store: ObjectStore, prefix: str) -> list[str]:
    names: list[str] = []
    after = ""
    while len(names) < NAMES_MOST:
        info = next(iter(store.list(prefix, start_after=after)), None)
        if info is None:
            break
        name = info.key.removeprefix(prefix).partition("/")[0]
        names.append(name)
        after = f"{prefix}{name}/{AFTER_ALL}"
    return names
