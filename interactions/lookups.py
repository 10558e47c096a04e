"""What may be looked up while Discord waits. The store is opened on the first look-up: most requests need none."""

from __future__ import annotations

import logging
import threading
import time
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

from interactions.patience import Patience
from trainer.instructions import current_version
from trainer.ports import InvalidKey, StoreUnavailable
from trainer.selection import dataset_names, folders
from trainer.settings import scope_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.instructions import Version
    from trainer.ports import ObjectStore
    from trainer.scope import Scope
    from trainer.tree_search import Found

T = TypeVar("T")

NAMES_MOST: Final = 100
"""Names that are looked for where there is no list of them yet, which takes a request for each."""
AT_ONCE: Final = 8
PATIENCE_S: Final = 1.0
"""Discord wants an answer within three seconds, the network's share included, and a command may need two look-ups."""
SEARCH_S: Final = 1.0
"""After so long a search tells what it has found by then."""

log = logging.getLogger(__name__)


class Lookups:
    """`interactions.call.Quick` over an object store."""

    def __init__(self, make_store: Callable[[], ObjectStore]) -> None:
        self._make_store = make_store
        self._lock = threading.Lock()
        self._patience = Patience(at_once=AT_ONCE)
        self._store: ObjectStore | None = None

    def dataset_names(self, scope: Scope) -> list[str]:
        """The names of a scope's datasets, in order, in a request or two."""
        try:
            return self._in_time(lambda store: _names(store, scope))
        except (StoreUnavailable, TimeoutError):
            log.warning("no suggestions: the store does not answer")
            return []

    def trainer_role(self, scope: Scope) -> str | None:
        """The role whose members may teach, empty if there is none; None when the store does not answer."""
        try:
            return self._in_time(lambda store: scope_settings(store, scope)).trainer_role
        except (StoreUnavailable, TimeoutError):
            log.warning("no settings: the store does not answer")
            return None

    def instruction(self, scope: Scope) -> Version | None:
        """The instruction in force, None where it is the default text. Raises `StoreUnavailable`."""
        try:
            return self._in_time(lambda store: current_version(store, scope))
        except TimeoutError:
            raise StoreUnavailable("the store does not answer in time") from None

    def find_files(self, scope: Scope, typed: str, *, files: bool, most: int) -> list[Found]:
        """Folders and, if wanted, files of a scope, the likeliest first: as many as are found in time."""
        from trainer.tree_search import search  # noqa: PLC0415 - acknowledging a command does without

        end = time.monotonic() + SEARCH_S

        def look(store: ObjectStore) -> list[Found]:
            late = lambda: time.monotonic() > end  # noqa: E731
            return search(store, scope, typed, files=files, most=most, now=time.time(), late=late)

        try:
            return self._in_time(look)
        except (StoreUnavailable, InvalidKey, TimeoutError):
            log.warning("no suggestions: the store does not answer")
            return []

    def _in_time(self, look: Callable[[ObjectStore], T]) -> T:
        """What a look-up finds. Raises TimeoutError."""
        return self._patience.get(lambda: look(self._opened()), PATIENCE_S)

    def _opened(self) -> ObjectStore:
        with self._lock:
            if self._store is None:
                self._store = self._make_store()
            return self._store


def _names(store: ObjectStore, scope: Scope) -> list[str]:
    listed = dataset_names(store, scope)
    return listed if listed is not None else list(islice(folders(store, scope), NAMES_MOST))
