"""The local search index of each dataset, brought up to date from the store's journal alone.

An index is derived: it can be deleted at any time, and every process may have its own or share one. The journal is
ordered by the clock of whoever wrote, so each look starts a little before the newest entry seen, and remembers which
entries of that stretch it has had already.
"""

from __future__ import annotations

import logging
import threading
import uuid
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import msgspec

from trainer import records
from trainer.answers import Source
from trainer.batches import Batch
from trainer.corrections import Correction
from trainer.datasets import DatasetKeys, parse_entry
from trainer.importers import Example
from trainer.index import Entry, ExampleIndex, IndexDamaged
from trainer.ports import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from trainer.datasets import JournalKind
    from trainer.ports import ObjectStore
    from trainer.scope import Scope

OVERLAP_MS: Final = 120_000
"""How far the clocks of two writers, and a slow write, may be apart."""
MARK: Final = "journal"
IDENTITY_KEY: Final = "identity.json"


log = logging.getLogger(__name__)


class Identity(msgspec.Struct, frozen=True):
    """Names a store, so that an index made from another one is never taken for this one's."""

    id: str


class _Position(msgspec.Struct):
    """How far the journal has been read."""

    newest: int = 0
    """Milliseconds since the epoch."""
    seen: list[str] = []
    """Entries of the last stretch."""


class Library:
    """All indexes, made on demand. Safe to use from several threads."""

    def __init__(self, store: ObjectStore, cache: Path) -> None:
        self._store = store
        self._cache = cache
        self._lock = threading.Lock()
        self._indexes: dict[tuple[Scope, str], tuple[ExampleIndex, threading.Lock]] = {}
        self._identity = ""

    def index(self, scope: Scope, dataset: str) -> ExampleIndex:
        """The dataset's index with everything in it that was accepted before this call."""
        index, lock = self._open(scope, dataset)
        keys = DatasetKeys(scope, dataset)
        with lock:
            try:
                self._update(index, keys)
            except IndexDamaged:
                # The damaged file is gone: an index is made again from the store.
                log.warning("index was damaged and is made again")
                self._update(index, keys)
        return index

    def close(self) -> None:
        """Close all indexes."""
        with self._lock:
            for index, _ in self._indexes.values():
                index.close()
            self._indexes.clear()

    def _open(self, scope: Scope, dataset: str) -> tuple[ExampleIndex, threading.Lock]:
        with self._lock:
            if not self._identity:
                self._identity = records.save_once(self._store, IDENTITY_KEY, Identity(uuid.uuid4().hex)).id
            found = self._indexes.get((scope, dataset))
            if found is None:
                folder = self._cache / self._identity / scope.prefix
                folder.mkdir(parents=True, exist_ok=True)
                found = ExampleIndex(folder / f"{quote(dataset, safe='')}.sqlite3"), threading.Lock()
                self._indexes[scope, dataset] = found
            return found

    def _update(self, index: ExampleIndex, keys: DatasetKeys) -> None:
        """Read what is new in the journal into the index."""
        if not self._pending(_position(index), keys):
            return
        # In one transaction, with the position read again: the file may have been deleted in between, or another
        # process may have read the same entries. If reading stops half-way, nothing of it stays.
        with index.transaction():
            position = _position(index)
            fresh = self._pending(position, keys)
            for _, kind, interaction_id in fresh.values():
                if kind == "removal":
                    index.remove(f"{interaction_id}/")
                else:
                    index.add(self._entries(keys, kind, interaction_id))
            position.newest = max([position.newest, *(moment for moment, _, _ in fresh.values())])
            horizon = f"{max(0, position.newest - OVERLAP_MS):013}"
            position.seen = sorted(name for name in {*position.seen, *fresh} if name >= horizon)
            index.set_mark(MARK, msgspec.json.encode(position).decode())

    def _pending(self, position: _Position, keys: DatasetKeys) -> dict[str, tuple[int, JournalKind, str]]:
        """Journal entries that the index has not had: moment in milliseconds, kind and interaction, by name."""
        seen = set(position.seen)
        found = {}
        for info in self._store.list(keys.journal, start_after=keys.since(position.newest - OVERLAP_MS)):
            name = info.key.removeprefix(keys.journal)
            parsed = parse_entry(name)
            if parsed is not None and name not in seen:
                found[name] = parsed
        return found

    def _entries(self, keys: DatasetKeys, kind: JournalKind, interaction_id: str) -> Iterator[Entry]:
        if kind == "batch":
            batch = records.load(self._store, keys.batch(interaction_id), Batch)
            if batch is not None:
                yield from _batch_entries(batch, self._lines)
            return
        correction = records.load(self._store, keys.correction(interaction_id), Correction)
        if correction is not None:
            source = Source("correction", author=correction.author, at=correction.created_at)
            yield Entry(
                id=f"{correction.id}/0",
                kind="correction",
                question=correction.question,
                answer=correction.right,
                source=msgspec.json.encode(source).decode(),
                order=int(correction.id),
            )

    def _lines(self, key: str) -> Iterator[bytes]:
        with self._store.open_read(key) as stream:
            yield from stream


def _position(index: ExampleIndex) -> _Position:
    mark = index.get_mark(MARK)
    return msgspec.json.decode(mark, type=_Position) if mark else _Position()


def _batch_entries(batch: Batch, lines: Callable[[str], Iterator[bytes]]) -> Iterator[Entry]:
    """A batch's examples, numbered from 0, wherever they lie."""
    for number, example in enumerate(_batch_examples(batch, lines)):
        source = Source(
            batch.origin.kind,
            name=batch.origin.name,
            unit=example.place.unit,
            number=example.place.number,
            author=batch.author,
            at=batch.created_at,
        )
        yield Entry(
            id=f"{batch.id}/{number}",
            kind=example.kind,
            question=example.question,
            answer=example.answer,
            source=msgspec.json.encode(source).decode(),
            order=int(batch.id),
        )


def _batch_examples(batch: Batch, lines: Callable[[str], Iterator[bytes]]) -> Iterator[Example]:
    yield from batch.examples
    for chunk in batch.chunks:
        for line in lines(chunk):
            try:
                yield msgspec.json.decode(line, type=Example)
            except (msgspec.DecodeError, ValueError):
                raise StoreUnavailable("a chunk of examples is damaged") from None
