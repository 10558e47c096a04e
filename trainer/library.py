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
from contextlib import closing, contextmanager, suppress
from functools import partial
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from trainer import index_folder, records
from trainer.answers import Source
from trainer.batches import Batch
from trainer.corrections import Correction
from trainer.datasets import DatasetKeys, parse_entry
from trainer.embeddings import Embeddings
from trainer.importers import Example
from trainer.index import Entry, ExampleIndex, IndexBusy, IndexClosed, IndexDamaged
from trainer.ports import ObjectNotFound, StoreUnavailable
from trainer.side_by_side import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from trainer.datasets import JournalKind
    from trainer.ports import Embedder, ObjectStore
    from trainer.scope import Scope

OVERLAP_MS: Final = 600_000
"""How far the clocks of two writers, and a slow write, may be apart."""
STRETCH: Final = 100
"""Journal entries that are read in one transaction: meanwhile other processes cannot write to the index."""
LISTED_MOST: Final = 1_000
"""Journal entries, and marks of what was taken back, that are listed at a time: S3 gives as many in an answer."""
ASKED_MOST: Final = 12
"""Of more records than this it is listed which of them were taken back, instead of asked for each: a listing costs
as much."""
OPEN_MOST: Final = 64
IDLE_S: Final = 120.0
"""Beyond `OPEN_MOST`, or when there is no room, indexes are closed that were not used in so long; others rest."""
MIB: Final = 1024 * 1024
CACHE_MOST: Final = 2_048 * MIB
"""Bytes of indexes on the disk from which on those are deleted that were not used for longest."""
ROOM_S: Final = 30.0
"""How often it is looked, when an index is opened, whether there is room: of ten thousand it takes a second."""
MARK: Final = "journal"
IDENTITY_KEY: Final = "identity.json"

log = logging.getLogger(__name__)


class Identity(msgspec.Struct, frozen=True):
    """Names a store, so that an index made from another one is never taken for this one's."""

    id: str


class _Position(msgspec.Struct, frozen=True):
    """How far the journal has been read."""

    newest: int = 0
    """Milliseconds since the epoch."""
    seen: list[str] = []
    """Entries of the last stretch."""


class _Entry(NamedTuple):
    """A journal entry."""

    name: str
    kind: JournalKind
    id: str
    counts_from: int
    """Milliseconds since the epoch."""


class _Opened:
    """An index that is open."""

    def __init__(self, path: Path, embeddings: Embeddings | None) -> None:
        self._hold = index_folder.Hold(path)
        try:
            self.index = ExampleIndex(path, embeddings)
        except BaseException:
            self._hold.release()
            raise
        self.lock = threading.Lock()
        self._asked_at = time.monotonic()

    @property
    def idle(self) -> bool:
        """Nobody has asked for it or used it for a while."""
        return time.monotonic() - max(self._asked_at, self.index.used_at) >= IDLE_S

    def touch(self) -> None:
        """It is asked for."""
        self._asked_at = time.monotonic()
        self._hold.touch()

    def tidy(self, *, wait: bool = True) -> bool:
        """Leave no trace of what was removed; whether there was any, and it could be done."""
        try:
            return self.index.tidy(wait=wait)
        except (IndexBusy, IndexDamaged, IndexClosed, sqlite3.OperationalError) as error:
            log.info("index not tidied", extra={"error": type(error).__name__})
            return False

    def close(self) -> None:
        """Close it, once."""
        self.index.close()
        self._hold.release()


class Library:
    """All indexes, made on demand. Safe to use from several threads.

    Args:
        store: what they are made from.
        cache: the folder that they lie in, which several processes may share.
        embedder: tells what questions mean; None compares their words alone.
        cache_most: bytes that they may take on the disk. Those in use stay, whatever they take.
    """

    def __init__(
        self, store: ObjectStore, cache: Path, embedder: Embedder | None = None, *, cache_most: float = CACHE_MOST
    ) -> None:
        self._store = store
        self._cache = cache
        self._cache_most = cache_most
        self._embeddings = Embeddings(embedder) if embedder is not None else None
        self._lock = threading.Lock()
        self._indexes: OrderedDict[tuple[Scope, str], _Opened] = OrderedDict()
        self._identity = ""
        self._room_until = 0.0

    def index(self, scope: Scope, dataset: str) -> ExampleIndex:
        """The dataset's index with everything in it that was accepted before this call.

        It stays open for at least `IDLE_S` seconds after each use. Raises `StoreUnavailable`, also when another
        process keeps the index to itself for too long.
        """
        opened, anew = self._open(scope, dataset)
        self._relieve(OPEN_MOST)
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
        if anew and time.monotonic() >= self._room_until:
            self._make_room()
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

        Indexes grow while they are open, so it is also looked whether there is still room for all of them.
        What others do with an index meanwhile is not held up, but that what was taught is read into it.
        """
        self._make_room()
        with self._lock:
            opened = list(self._indexes.values())
        return sum(one.tidy() for one in opened)

    def close(self) -> None:
        """Close all indexes."""
        with self._lock:
            for opened in self._indexes.values():
                opened.close()
            self._indexes.clear()

    def _open(self, scope: Scope, dataset: str) -> tuple[_Opened, bool]:
        """The index, and whether it was not open before."""
        with self._lock:
            if not self._identity:
                self._identity = records.save_once(self._store, IDENTITY_KEY, Identity(uuid.uuid4().hex)).id
            found = self._indexes.get((scope, dataset))
            anew = found is None
            if found is None:
                found = self._indexes[scope, dataset] = _Opened(self._path(scope, dataset), self._embeddings)
            found.touch()
            self._indexes.move_to_end((scope, dataset))
            return found, anew

    def _path(self, scope: Scope, dataset: str) -> Path:
        folder = self._cache / self._identity / scope.prefix
        folder.mkdir(parents=True, exist_ok=True)
        # A digest, since a name in another script may be too long for a file system once it is escaped.
        return folder / f"{hashlib.blake2b(dataset.encode(), digest_size=16).hexdigest()}.sqlite3"

    def _relieve(self, most: int) -> None:
        """Of all but those asked for last, close what nobody uses any more, and have the rest hold few files."""
        with self._lock:
            beyond = list(self._indexes.items())[: max(0, len(self._indexes) - most)]
            idle = {key for key, opened in beyond if opened.idle}
            for key in idle:
                del self._indexes[key]
        for key, opened in beyond:
            if key in idle:
                opened.tidy(wait=False)  # nobody else would before it is opened again, but whoever writes to it now
                opened.close()
            else:
                opened.index.rest()

    def _make_room(self) -> None:
        """Delete the indexes that were not used for longest where all of them take too much of the disk."""
        self._room_until = time.monotonic() + ROOM_S
        with suppress(OSError, sqlite3.Error):  # somebody may be deleting the folder: that makes room, too
            if index_folder.size_of(self._cache) <= self._cache_most:
                return
            self._relieve(0)
            deleted = index_folder.shrink(self._cache, self._cache_most)
            log.info("indexes deleted", extra={"indexes": deleted})

    def _update(self, index: ExampleIndex, keys: DatasetKeys) -> None:
        """Read what is new in the journal into the index, a stretch at a time."""
        more = True
        while more:
            position = _position(index)
            fresh = self._pending(position, keys)
            more = len(fresh) == LISTED_MOST
            for stretch in _stretches(fresh):
                # In one transaction, with the position read again: if reading stops half-way, nothing of it stays.
                with index.transaction():
                    if _position(index) != position:
                        # Another process has read on, or the file was deleted: these may not be the next ones.
                        more = True
                        break
                    self._read(index, keys, stretch)
                    position = _after(position, stretch)
                    index.set_mark(MARK, msgspec.json.encode(position).decode())

    def _read(self, index: ExampleIndex, keys: DatasetKeys, fresh: Sequence[_Entry]) -> None:
        """Take journal entries into the index, in their order. Their records are fetched side by side."""
        gone = self._removed(keys, [entry.id for entry in fresh if entry.kind != "removal"])
        counting = [entry for entry in fresh if entry.kind != "removal" and entry.id not in gone]
        with closing(in_order(partial(self._record, keys), counting)) as found:
            for entry in fresh:
                if entry.kind == "removal" or entry.id in gone:
                    index.remove(f"{entry.id}/")
                    continue
                record = next(found)
                try:
                    index.add(self._entries(record))
                except (ObjectNotFound, records.Damaged):
                    # One bad record must not take the rest of the dataset down with it.
                    log.error("a record cannot be read", extra={"kind": entry.kind, "record": entry.id})  # noqa: TRY400

    def _removed(self, keys: DatasetKeys, ids: Sequence[str]) -> set[str]:
        """Which of these batches and corrections count no more."""
        if len(ids) <= ASKED_MOST:
            return {one for one in ids if self._store.head(keys.removed(one)) is not None}
        prefix, last = keys.removed(""), keys.removed(max(ids))
        # What was taught in one stretch has ids near each other. Where one is far off, the farthest are asked for.
        infos = self._store.list(prefix, start_after=keys.removed(min(ids)[:-1]))
        near = islice(takewhile(lambda info: info.key <= last, infos), LISTED_MOST)
        listed = [info.key.removeprefix(prefix) for info in near]
        beyond = [one for one in ids if len(listed) == LISTED_MOST and one > listed[-1]]
        heads = list(in_order(lambda one: self._store.head(keys.removed(one)), beyond))
        return {*listed, *(one for one, head in zip(beyond, heads, strict=True) if head is not None)}

    def _record(self, keys: DatasetKeys, entry: _Entry) -> Batch | Correction | records.Damaged | None:
        """The record of an entry; None if it is gone."""
        try:
            if entry.kind == "batch":
                return records.load(self._store, keys.batch(entry.id), Batch)
            return records.load(self._store, keys.correction(entry.id), Correction)
        except records.Damaged as error:
            return error

    def _pending(self, position: _Position, keys: DatasetKeys) -> list[_Entry]:
        """The next journal entries that the index has not had."""
        seen = set(position.seen)
        found: list[_Entry] = []
        for info in self._store.list(keys.journal, start_after=keys.since(position.newest - OVERLAP_MS)):
            name = info.key.removeprefix(keys.journal)
            parsed = parse_entry(name)
            if parsed is None or name in seen:
                continue
            moment, kind, interaction_id = parsed
            # A writer whose clock is fast must not make us pass over what others write meanwhile: the store's counts.
            found.append(_Entry(name, kind, interaction_id, min(moment, int(info.modified_at * 1000))))
            if len(found) == LISTED_MOST:
                break
        return found

    def _entries(self, record: Batch | Correction | records.Damaged | None) -> Iterator[Entry]:
        match record:
            case Batch():
                yield from _batch_entries(record, self._lines)
            case Correction():
                yield correction_entry(record)
            case records.Damaged():
                raise record

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


def _stretches(fresh: Sequence[_Entry]) -> Iterator[Sequence[_Entry]]:
    for at in range(0, len(fresh), STRETCH):
        yield fresh[at : at + STRETCH]


def _after(position: _Position, read: Sequence[_Entry]) -> _Position:
    """How far the journal has been read once these entries have."""
    newest = max([position.newest, *(entry.counts_from for entry in read)])
    horizon = f"{max(0, newest - OVERLAP_MS):013}"
    names = {*position.seen, *(entry.name for entry in read)}
    return _Position(newest, sorted(name for name in names if name >= horizon))


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
