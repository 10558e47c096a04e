"""The local search index of each dataset, brought up to date from the store's journal alone.

An index is derived: it can be deleted at any time, and every process may have its own or share one. The journal is
ordered by the clock of whoever wrote, so each look starts a little before the newest entry seen, and remembers which
entries of that stretch it has had already.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import tempfile
import threading
import time
import uuid
from collections import OrderedDict
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from trainer import records
from trainer.answers import Source
from trainer.batches import Batch
from trainer.corrections import Correction
from trainer.datasets import DatasetKeys, parse_entry
from trainer.embeddings import Embeddings
from trainer.importers import Example
from trainer.index import Entry, ExampleIndex, IndexClosed, IndexDamaged
from trainer.ports import ObjectNotFound, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from trainer.datasets import JournalKind
    from trainer.ports import Embedder, ObjectStore
    from trainer.scope import Scope

OVERLAP_MS: Final = 600_000
"""How far the clocks of two writers, and a slow write, may be apart."""
STRETCH: Final = 100
"""Journal entries that are read in one transaction: meanwhile other processes cannot write to the index."""
OPEN_MOST: Final = 64
IDLE_S: Final = 120.0
"""Beyond `OPEN_MOST`, indexes are closed that were not asked for in so long."""
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


class _Entry(NamedTuple):
    """A journal entry."""

    kind: JournalKind
    id: str
    counts_from: int
    """Milliseconds since the epoch."""


class _Opened:
    """An index that is open, and when it was last asked for."""

    def __init__(self, index: ExampleIndex) -> None:
        self.index = index
        self.lock = threading.Lock()
        self.used_at = time.monotonic()


class Library:
    """All indexes, made on demand. Safe to use from several threads."""

    def __init__(self, store: ObjectStore, cache: Path, embedder: Embedder | None = None) -> None:
        self._store = store
        self._cache = cache
        self._embeddings = Embeddings(embedder) if embedder is not None else None
        self._lock = threading.Lock()
        self._indexes: OrderedDict[tuple[Scope, str], _Opened] = OrderedDict()
        self._identity = ""

    def index(self, scope: Scope, dataset: str) -> ExampleIndex:
        """The dataset's index with everything in it that was accepted before this call.

        It stays open for at least `IDLE_S` seconds. Raises `StoreUnavailable`, also when another process keeps the
        index to itself for too long.
        """
        opened = self._open(scope, dataset)
        keys = DatasetKeys(scope, dataset)
        with opened.lock:
            try:
                self._update(opened.index, keys)
            except IndexDamaged:
                # The damaged file is gone: an index is made again from the store.
                log.warning("index was damaged and is made again")
                self._update(opened.index, keys)
            except sqlite3.OperationalError as error:
                raise StoreUnavailable(f"the index: {error.sqlite_errorname}") from None
        return opened.index

    @contextmanager
    def overlaid(self, scope: Scope, dataset: str, corrections: Iterable[Correction]) -> Iterator[ExampleIndex]:
        """An index as the dataset's would be if these corrections counted. It ends with the block.

        Nobody else sees it, and what is taught meanwhile is not in it. Raises `StoreUnavailable` as `index` does.
        """
        self._cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="overlaid-", dir=self._cache, ignore_cleanup_errors=True) as folder:
            try:
                index = self.index(scope, dataset).copy(Path(folder) / "index.sqlite3")
            except sqlite3.OperationalError as error:
                raise StoreUnavailable(f"the index: {error.sqlite_errorname}") from None
            try:
                index.add(map(correction_entry, corrections))
                yield index
            finally:
                index.close()

    def tidy(self) -> int:
        """Leave no trace of what was removed from the indexes that are open; from how many it was. Now and then.

        What others do with an index meanwhile is not held up, but that what was taught is read into it.
        """
        with self._lock:
            opened = list(self._indexes.values())
        count = 0
        for one in opened:
            try:
                count += one.index.tidy()
            except (IndexDamaged, IndexClosed, sqlite3.OperationalError) as error:
                log.info("index not tidied", extra={"error": type(error).__name__})
        return count

    def close(self) -> None:
        """Close all indexes."""
        with self._lock:
            for opened in self._indexes.values():
                opened.index.close()
            self._indexes.clear()

    def _open(self, scope: Scope, dataset: str) -> _Opened:
        with self._lock:
            if not self._identity:
                self._identity = records.save_once(self._store, IDENTITY_KEY, Identity(uuid.uuid4().hex)).id
            found = self._indexes.get((scope, dataset))
            if found is None:
                found = self._indexes[scope, dataset] = _Opened(self._open_file(scope, dataset))
                self._close_idle()
            found.used_at = time.monotonic()
            self._indexes.move_to_end((scope, dataset))
            return found

    def _open_file(self, scope: Scope, dataset: str) -> ExampleIndex:
        return ExampleIndex(self._path(scope, dataset), self._embeddings)

    def _path(self, scope: Scope, dataset: str) -> Path:
        folder = self._cache / self._identity / scope.prefix
        folder.mkdir(parents=True, exist_ok=True)
        # A digest, since a name in another script may be too long for a file system once it is escaped.
        return folder / f"{hashlib.blake2b(dataset.encode(), digest_size=16).hexdigest()}.sqlite3"

    def _close_idle(self) -> None:
        """Each open index holds files: of more than a few, those that nobody uses any more are closed."""
        while len(self._indexes) > OPEN_MOST:
            key, oldest = next(iter(self._indexes.items()))
            if time.monotonic() - oldest.used_at < IDLE_S:
                break
            del self._indexes[key]
            oldest.index.close()

    def _update(self, index: ExampleIndex, keys: DatasetKeys) -> None:
        """Read what is new in the journal into the index, a stretch at a time."""
        while fresh := self._pending(_position(index), keys):
            # In one transaction, with the position read again: the file may have been deleted in between, or another
            # process may have read the same entries. If reading stops half-way, nothing of the stretch stays.
            with index.transaction():
                position = _position(index)
                self._read(index, keys, {name: entry for name, entry in fresh.items() if name not in position.seen})
                position.newest = max([position.newest, *(entry.counts_from for entry in fresh.values())])
                horizon = f"{max(0, position.newest - OVERLAP_MS):013}"
                position.seen = sorted(name for name in {*position.seen, *fresh} if name >= horizon)
                index.set_mark(MARK, msgspec.json.encode(position).decode())

    def _read(self, index: ExampleIndex, keys: DatasetKeys, fresh: dict[str, _Entry]) -> None:
        for entry in fresh.values():
            if entry.kind == "removal" or self._store.head(keys.removed(entry.id)) is not None:
                index.remove(f"{entry.id}/")
                continue
            try:
                index.add(self._entries(keys, entry.kind, entry.id))
            except (ObjectNotFound, records.Damaged):
                # One bad record must not take the rest of the dataset down with it.
                log.error("a record cannot be read", extra={"kind": entry.kind, "record": entry.id})  # noqa: TRY400

    def _pending(self, position: _Position, keys: DatasetKeys) -> dict[str, _Entry]:
        """The next journal entries that the index has not had, by name."""
        seen = set(position.seen)
        found: dict[str, _Entry] = {}
        for info in self._store.list(keys.journal, start_after=keys.since(position.newest - OVERLAP_MS)):
            name = info.key.removeprefix(keys.journal)
            parsed = parse_entry(name)
            if parsed is None or name in seen:
                continue
            moment, kind, interaction_id = parsed
            # A writer whose clock is fast must not make us pass over what others write meanwhile: the store's counts.
            found[name] = _Entry(kind, interaction_id, min(moment, int(info.modified_at * 1000)))
            if len(found) == STRETCH:
                break
        return found

    def _entries(self, keys: DatasetKeys, kind: JournalKind, interaction_id: str) -> Iterator[Entry]:
        if kind == "batch":
            batch = records.load(self._store, keys.batch(interaction_id), Batch)
            if batch is not None:
                yield from _batch_entries(batch, self._lines)
            return
        correction = records.load(self._store, keys.correction(interaction_id), Correction)
        if correction is not None:
            yield correction_entry(correction)

    def _lines(self, key: str) -> Iterator[bytes]:
        with self._store.open_read(key) as stream:
            yield from stream


def correction_entry(correction: Correction) -> Entry:
    """A correction as an index holds it when it counts."""
    source = Source("correction", author=correction.author, at=correction.created_at)
    return Entry(
        id=f"{correction.id}/0",
        kind="correction",
        question=correction.question,
        answer=correction.right,
        source=msgspec.json.encode(source).decode(),
        order=int(correction.id),
    )


def _position(index: ExampleIndex) -> _Position:
    mark = index.get_mark(MARK)
    return msgspec.json.decode(mark, type=_Position) if mark else _Position()


def _batch_entries(batch: Batch, lines: Callable[[str], Iterator[bytes]]) -> Iterator[Entry]:
    """A batch's examples, numbered from 0, wherever they lie."""
    for number, example in enumerate(_batch_examples(batch, lines)):
        # What was typed beside a file is in blocks, and no file has those.
        typed = example.place.unit == "block"
        source = Source(
            "text" if typed else batch.origin.kind,
            name="" if typed else batch.origin.name,
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
                raise records.Damaged("a chunk of examples is damaged") from None
