"""How many requests to the object store each command makes: the real commands, counted at the store's port.

A request is what S3 would be asked: a page of a listing is one, for up to 1,000 objects. What `S3Store` sends beyond
that (an upload in parts for more than 8 MiB) does not come about here.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final, Literal, NamedTuple

from trainer.ports import ObjectStore, PreconditionFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainer.ports import ObjectInfo, StoredObject

Verb = Literal["GET", "HEAD", "PUT", "LIST", "DELETE", "refused PUT"]
PAGE: Final = 1_000
SEQUENTIAL: Final[tuple[Verb, ...]] = ("GET", "HEAD", "PUT", "LIST", "DELETE")
"""What takes time; a PUT that is refused counts as a PUT as well."""


class Requested(NamedTuple):
    """What was asked of which folder; the same as a key of the counts."""

    verb: Verb
    folder: str
    """The key without the scope and without ids, such as `answers` or `datasets/journal`."""


class CountingStore(ObjectStore):
    """Another store, each request to which is counted, and may be made to take longer. Safe for several threads.

    Args:
        store: what does the work.
        delay_s: what each request takes beyond that, as over a network.
    """

    def __init__(self, store: ObjectStore, *, delay_s: float = 0.0) -> None:
        self._store = store
        self._delay_s = delay_s
        self._lock = threading.Lock()
        self._counts: Counter[Requested] = Counter()

    @property
    def counts(self) -> Counter[Requested]:
        """What was asked so far."""
        with self._lock:
            return self._counts.copy()

    def get(self, key: str) -> StoredObject:
        """As the store's."""
        self._note("GET", key)
        return self._store.get(key)

    @contextmanager
    def open_read(self, key: str) -> Iterator[BinaryIO]:
        """As the store's."""
        self._note("GET", key)
        with self._store.open_read(key) as stream:
            yield stream

    def head(self, key: str) -> ObjectInfo | None:
        """As the store's."""
        self._note("HEAD", key)
        return self._store.head(key)

    def put(
        self,
        key: str,
        data: bytes,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        content_type: str = "application/octet-stream",
    ) -> str:
        """As the store's."""
        self._note("PUT", key)
        try:
            return self._store.put(key, data, if_absent=if_absent, if_match=if_match, content_type=content_type)
        except PreconditionFailed:
            self._count("refused PUT", key)
            raise

    @contextmanager
    def open_write(
        self, key: str, *, if_absent: bool = False, content_type: str = "application/octet-stream"
    ) -> Iterator[BinaryIO]:
        """As the store's."""
        with self._store.open_write(key, if_absent=if_absent, content_type=content_type) as stream:
            yield stream
            self._note("PUT", key)

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectInfo]:
        """As the store's."""
        self._note("LIST", prefix)
        for number, info in enumerate(self._store.list(prefix, start_after=start_after)):
            if number and number % PAGE == 0:  # of exactly a thousand, S3 says that there are no more
                self._note("LIST", prefix)
            yield info

    def delete(self, key: str) -> None:
        """As the store's."""
        self._note("DELETE", key)
        self._store.delete(key)

    def url(self, key: str, *, expires_s: int, filename: str) -> str | None:
        """As the store's; S3 is not asked for it."""
        return self._store.url(key, expires_s=expires_s, filename=filename)

    def ping(self) -> None:
        """As the store's."""
        self._note("LIST", "")
        self._store.ping()

    def _note(self, verb: Verb, key: str) -> None:
        self._count(verb, key)
        if self._delay_s:
            time.sleep(self._delay_s)

    def _count(self, verb: Verb, key: str) -> None:
        with self._lock:
            self._counts[Requested(verb, folder_of(key))] += 1


def folder_of(key: str) -> str:
    """Which kind of object a key or a prefix is of: the folder below the scope, a dataset's with its own.

    Pure. `g1/answers/5.json` is of `answers`, `g1/datasets/faq/journal/…` of `datasets/journal`, `g1/limits/all.json`
    of `limits/all`, and what lies beside folders is of its own name.
    """
    parts = [part for part in key.split("/") if part]
    if len(parts) < 2:
        return key.rstrip("/") or "(all)"
    if parts[1] == "datasets" and len(parts) > 3:
        return f"datasets/{parts[3]}"
    if parts[1:] == ["limits", "all.json"]:
        return "limits/all"
    return parts[1].removesuffix(".json")


def total(counts: Counter[Requested], *verbs: Verb) -> int:
    """How many requests of these verbs there are."""
    return sum(count for requested, count in counts.items() if requested.verb in verbs)
