"""The rare words of what a scope was taught, for recognisers that take a list of words that may be said."""

from __future__ import annotations

import logging
import sqlite3
import threading
from typing import TYPE_CHECKING, Final

from cachetools import TTLCache

from trainer.index_file import IndexBusy, IndexClosed, IndexDamaged
from trainer.ports import StoreUnavailable
from trainer.settings import scope_settings
from trainer.speech.keywords import rare_words

if TYPE_CHECKING:
    from trainer.library import Library
    from trainer.ports import ObjectStore
    from trainer.scope import Scope

ENTRIES_MOST: Final = 5_000
"""So many of the newest are looked at."""
KEPT_S: Final = 600.0
KEPT: Final = 256

log = logging.getLogger(__name__)


class DatasetWords:
    """Finds the rare words of a scope's dataset, and keeps them for a while. Safe to use from several threads."""

    def __init__(self, store: ObjectStore, library: Library) -> None:
        self._store = store
        self._library = library
        self._lock = threading.Lock()
        self._known: TTLCache[tuple[Scope, str], tuple[str, ...]] = TTLCache(KEPT, KEPT_S)

    def __call__(self, scope: Scope) -> tuple[str, ...]:
        """The words, the least known first; none where they cannot be found out now, as they only help."""
        try:
            dataset = scope_settings(self._store, scope).dataset
            with self._lock:
                found = self._known.get((scope, dataset))
            if found is None:
                found = rare_words(self._library.index(scope, dataset).texts(ENTRIES_MOST))
                with self._lock:
                    self._known[scope, dataset] = found
        except (StoreUnavailable, IndexBusy, IndexClosed, IndexDamaged, sqlite3.Error) as error:
            log.warning("keywords not found", extra={"error": type(error).__name__})
            return ()
        return found
