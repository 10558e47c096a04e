"""Brings a dataset back from an archive: the same records under the same ids, and nothing that was there is changed.

Everything is looked at before anything is written. Then what a record needs is written, then the record, and when all
are there, the journal, which makes them count. Done again after a crash, it goes on; what it tells is decided once.
"""

from __future__ import annotations

import time
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Final

import msgspec

from trainer import records
from trainer.answers import load_answer
from trainer.archive_checks import moved
from trainer.archive_format import RECORDS, ArchiveProgress
from trainer.archive_verify import Contents, opened, pieces, verify
from trainer.corrections import Correction
from trainer.datasets import DatasetKeys, forgotten_key, parse_entry
from trainer.ports import PreconditionFailed
from trainer.privacy import NOBODY, Forgotten
from trainer.selection import mark_dataset
from trainer.side_by_side import in_order

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from trainer.datasets import JournalKind
    from trainer.ports import ObjectStore
    from trainer.scope import Scope

STEP: Final = 50
"""Records between two tellings of progress."""


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an archive."""

    dataset: str
    """The one that it was restored to."""
    examples: int
    corrections: int
    """Those that count, and proposals that wait."""
    there: int
    """Examples and corrections that were there already."""
    removed: int
    """Those that were deleted or taken back since, and stay so."""
    v: int = 1


def restored_key(scope: Scope, interaction_id: str) -> str:
    """What a restoring told."""
    return f"{scope.prefix}/restored/{interaction_id}.json"


def restore(
    store: ObjectStore,
    scope: Scope,
    path: Path,
    dataset: str,
    interaction_id: str,
    on_progress: Callable[[ArchiveProgress], None],
    *,
    clock: Callable[[], float] = time.time,
) -> Restored | None:
    """Restore the archive in a local file; None if it is no archive of ours.

    Args:
        store: where to.
        scope: to whom it will belong.
        path: the file.
        dataset: where to put it; empty for the dataset's name in the archive.
        interaction_id: the command that asks for it.
        on_progress: told how far it is.
        clock: seconds since the epoch.

    Raises:
        ArchiveRefused: before anything is written.
    """
    with opened(path) as zipped:
        contents = verify(zipped, interaction_id, on_progress) if zipped is not None else None
        if zipped is None or contents is None:
            return None
        restoring = _Restoring(store, scope, contents, dataset or contents.manifest.dataset, interaction_id)
        told = restoring.plan()
        restoring.write(zipped, on_progress)
        restoring.announce(int(clock() * 1000))
        return told


class _Restoring:
    """The restoring of one archive."""

    def __init__(
        self, store: ObjectStore, scope: Scope, contents: Contents, dataset: str, interaction_id: str
    ) -> None:
        self._store = store
        self._scope = scope
        self._contents = contents
        self._keys = DatasetKeys(scope, dataset)
        self._id = interaction_id
        self._notes: dict[str, Forgotten | None] = {}
        self._there = {folder: set(self._ids(self._keys, folder)) for folder in ("batches", "corrections")}
        self._told = dict(self._journal())
        """The batches and corrections that the journal tells of, and whether it takes them back."""
        self._removed = {name for name, taken_back in self._told.items() if taken_back}
        self._removed.update(self._ids(self._keys, "removed"))
        origin = contents.manifest
        if origin.scope == scope.prefix and origin.dataset != dataset:
            # What somebody had deleted from the dataset does not come back by way of another one.
            self._removed.update(self._ids(DatasetKeys(scope, origin.dataset), "removed"))
        # What did not count when the archive was made comes back as it was, and counts no more than then.
        self._removed -= contents.census.removed
        self._removed.update(self._forgotten())

    def plan(self) -> Restored:
        """What is to be told, decided by the first delivery of the job."""
        census = self._contents.census
        new = {"batches": 0, "corrections": 0}
        there = removed = 0
        for folder, names in self._named().items():
            for name, many in names.items():
                if not census.counts(name) and not census.waits(name):
                    continue
                if name in self._removed:
                    removed += many
                elif name in self._there[folder]:
                    there += many
                else:
                    new[folder] += many
        told = Restored(
            dataset=self._keys.dataset,
            examples=new["batches"],
            corrections=new["corrections"],
            there=there,
            removed=removed,
        )
        return records.save_once(self._store, restored_key(self._scope, self._id), told)

    def write(self, zipped: zipfile.ZipFile, on_progress: Callable[[ArchiveProgress], None]) -> None:
        """Write what is not there: what a record needs comes before the record."""
        new = {
            folder: [name for name in names if name not in self._there[folder] and name not in self._removed]
            for folder, names in self._named().items()
        }
        for name in new["batches"]:
            for chunk in self._contents.chunks.get(name, []):
                self._copy(zipped, chunk)
        present = set(zipped.namelist())

        def files(folder: str, names: list[str]) -> Iterator[tuple[str, bytes]]:
            for name in names:
                if f"{self._contents.root}{folder}/{name}.json" in present:
                    data = self._read(zipped, f"{folder}/{name}.json")
                    yield f"{folder}/{name}.json", self._cleared(folder, data)

        done = ArchiveProgress("restore", 0, 0)
        for stretch in (
            ((mark, b"") for mark in self._marks(set(new["corrections"]))),
            chain(files("verdicts", new["corrections"]), files("undone", new["corrections"])),
            chain(files("corrections", new["corrections"]), files("batches", new["batches"])),
        ):
            for size in in_order(self._put, stretch):
                done = ArchiveProgress("restore", done.objects + 1, done.bytes + size)
                if done.objects % STEP == 0:
                    on_progress(done)

    def announce(self, milliseconds: int) -> None:
        """Tell all indexes of what counts and has not been told before."""
        census = self._contents.census
        kinds: dict[str, JournalKind] = {"batches": "batch", "corrections": "correction"}
        entries = [
            (self._keys.entry(milliseconds, kinds[folder], name).removeprefix(self._keys.root), b"")
            for folder, names in self._named().items()
            for name in names
            if census.counts(name) and name not in self._told and name not in self._removed
        ]
        for _ in in_order(self._put, entries):
            pass
        mark_dataset(self._store, self._scope, self._keys.dataset, self._id)

    def _named(self) -> dict[str, dict[str, int]]:
        """The archive's batches and corrections, each with how many of them it counts for."""
        census = self._contents.census
        return {"batches": census.examples, "corrections": dict.fromkeys(census.corrections, 1)}

    def _forgotten(self) -> Iterator[str]:
        """What was taught by people who asked to be forgotten since."""
        authors = self._contents.census.authors
        everybody = set(authors.values())
        prefix = forgotten_key(self._scope, "").removesuffix(".json")
        until: dict[str, int] = {}
        for info in self._store.list(prefix):
            author = info.key.removeprefix(prefix).removesuffix(".json")
            forgotten = records.load(self._store, info.key, Forgotten) if author in everybody else None
            if forgotten is not None:
                until[author] = int(forgotten.interaction_id)
        yield from (name for name, author in authors.items() if int(name) < until.get(author, 0))

    def _journal(self) -> Iterator[tuple[str, bool]]:
        for info in self._store.list(self._keys.journal):
            entry = parse_entry(info.key.removeprefix(self._keys.journal))
            if entry is not None:
                yield entry[2], entry[1] == "removal"

    def _ids(self, keys: DatasetKeys, folder: str) -> Iterator[str]:
        """The interactions that name the objects of a folder."""
        prefix = f"{keys.root}{folder}/"
        for info in self._store.list(prefix):
            yield info.key.removeprefix(prefix).removesuffix(".json")

    def _marks(self, corrections: set[str]) -> Iterator[str]:
        """The marks of what is restored alone.

        An archive that somebody made may have marks for anything. Of what is not in it, it has nothing to say: such a
        mark would keep away for good what is being taught, or what another archive brings back later.
        """
        there = self._there["batches"] | self._there["corrections"]
        restored = {name for names in self._named().values() for name in names} - there
        for mark in self._contents.marks:
            folder, _, name = mark.partition("/")
            name = name.rpartition("/")[2]
            if name in corrections or (folder == "removed" and name in restored):
                yield mark

    def _read(self, zipped: zipfile.ZipFile, name: str) -> bytes:
        data = b"".join(pieces(zipped, f"{self._contents.root}{name}"))
        return moved(data, self._contents.keys_root, self._keys.root) if name.startswith("batches/") else data

    def _cleared(self, folder: str, data: bytes) -> bytes:
        """A record without what somebody asked to be forgotten since it was archived: as forgetting leaves it."""
        match folder:
            case "verdicts" | "undone":
                record = msgspec.json.decode(data, type=dict[str, object])
                decided_at = record.get("decided_at", record.get("undone_at", 0))
                note = self._note(str(record.get("by", "")))
                if note is not None and isinstance(decided_at, int | float) and decided_at <= note.at:
                    return msgspec.json.encode(record | {"by": NOBODY})
            case "corrections":
                correction = msgspec.json.decode(data, type=Correction)
                answer = load_answer(self._store, self._scope, correction.answer_id) if correction.wrong else None
                # An answer never changes, but that words are taken out of it.
                if answer is not None and not answer.text:
                    return msgspec.json.encode(msgspec.structs.replace(correction, wrong="", lesson=""))
        return data

    def _note(self, user_id: str) -> Forgotten | None:
        if user_id not in self._notes:
            self._notes[user_id] = records.load(self._store, forgotten_key(self._scope, user_id), Forgotten)
        return self._notes[user_id]

    def _copy(self, zipped: zipfile.ZipFile, name: str) -> None:
        with self._store.open_write(f"{self._keys.root}{name}", content_type="application/jsonl") as target:
            for piece in pieces(zipped, f"{self._contents.root}{name}"):
                target.write(piece)

    def _put(self, item: tuple[str, bytes]) -> int:
        name, data = item
        kind = records.JSON_TYPE if name.partition("/")[0] in RECORDS else "application/octet-stream"
        with suppress(
            PreconditionFailed
        ):  # it is there: from an earlier delivery, or by somebody who restores it too
            self._store.put(f"{self._keys.root}{name}", data, if_absent=True, content_type=kind)
        return len(data)
