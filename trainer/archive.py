"""Archives: a dataset, or any folder of a scope's own files, as one zip in the store. Memory stays constant.

The zip is written once, under a key with the interaction's id: a second delivery of the job finds it and says the
same. See `trainer.archive_format` for what is in it and `trainer.archive_restore` for the way back.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import zipfile
from contextlib import closing
from typing import IO, TYPE_CHECKING, Final, NamedTuple, cast

import msgspec

from trainer.archive_census import Census, Counted
from trainer.archive_checks import Unfit, read_record
from trainer.archive_format import (
    JOURNAL,
    MANIFEST,
    MARK_FOLDERS,
    MARK_NAME,
    MARKS,
    RECORD_MOST,
    RECORD_NAME,
    ArchiveProgress,
    Manifest,
)
from trainer.archive_zip import ZipWriter
from trainer.datasets import DatasetKeys
from trainer.ports import ObjectNotFound, PreconditionFailed
from trainer.side_by_side import in_order
from trainer.tree import files_below, folder_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from trainer.ports import ObjectStore
    from trainer.scope import Scope

ZIP_TYPE: Final = "application/zip"
NAME_MOST: Final = 150
"""Bytes of an archive's name: its key has the interaction's id and an ending in the same segment."""
SMALL: Final = 256 * 1024
"""Bytes of an object up to which it is read ahead."""

log = logging.getLogger(__name__)


class Archived(NamedTuple):
    """An archive in the store."""

    key: str
    size: int
    """Bytes."""
    objects: int
    """Stored objects that are in it."""
    name: str
    """The file name to show and to save it by."""
    examples: int = 0
    """How many of a dataset's examples and corrections count; 0 for other folders."""
    corrections: int = 0
    restores: bool = False
    """It holds a dataset that can be brought back from it."""


class NothingToArchive(Exception):
    """There is nothing in this folder, or no such folder."""


class _Item(NamedTuple):
    """An object that goes into an archive."""

    key: str
    name: str
    """In the archive."""
    size: int
    modified_at: float


def archive_dataset(
    store: ObjectStore,
    scope: Scope,
    dataset: str,
    interaction_id: str,
    on_progress: Callable[[ArchiveProgress], None],
) -> Archived:
    """Put a dataset into an archive that can be restored; the same one for the same interaction.

    Raises `NothingToArchive`.
    """
    keys = DatasetKeys(scope, dataset)
    path = f"datasets/{dataset}"
    census = Census()
    marks: list[str] = []

    def items() -> Iterator[_Item]:
        for info in store.list(keys.root):
            name = info.key.removeprefix(keys.root)
            folder = name.partition("/")[0]
            if folder in MARK_FOLDERS:
                marks.append(name)
                match = MARK_NAME.fullmatch(name)
                if match is not None and folder == "removed":
                    census.removed.add(match[1])
            elif folder != JOURNAL:
                yield _Item(info.key, f"{path}/{name}", info.size, info.modified_at)

    def examine(item: _Item, data: bytes) -> bool:
        match = RECORD_NAME.fullmatch(item.key.removeprefix(keys.root))
        if match is None:
            return True
        try:
            census.add(match[2], read_record(match[1], match[2], data))
        except Unfit:
            # It is damaged and counts nowhere; with it, the archive could not be restored.
            log.error("a damaged record is not archived", extra={"record": match[2]})  # noqa: TRY400
            return False
        return True

    def finish(writer: ZipWriter) -> Counted:
        if marks:
            writer.add(f"{path}/{MARKS}", 0, ("\n".join(marks) + "\n").encode())
        return census.counted()

    head = Manifest(what="dataset", path=path, dataset=dataset, scope=scope.prefix, made_at=0, objects=0, members=[])
    return _Making(store, scope, interaction_id, on_progress).make(dataset, head, items(), examine, finish)


def archive_folder(
    store: ObjectStore,
    scope: Scope,
    path: str,
    interaction_id: str,
    on_progress: Callable[[ArchiveProgress], None],
) -> Archived:
    """Put a folder, named as people name it, into an archive; the same one for the same interaction.

    A dataset's own folder becomes an archive that can be restored. Archives themselves are not archived again.
    Raises `NothingToArchive`, also for a path that names no folder of this scope.
    """
    folder = folder_path(path)
    if folder is None or folder.split("/")[0] == "archives":
        raise NothingToArchive
    first, _, rest = folder.partition("/")
    if first == "datasets" and rest and "/" not in rest:
        return archive_dataset(store, scope, rest, interaction_id, on_progress)
    files = files_below(store, scope, folder)
    items = (_Item(file.key, file.path, file.size, file.modified_at) for file in files)
    head = Manifest(what="files", path=folder, scope=scope.prefix, made_at=0, objects=0, members=[])
    making = _Making(store, scope, interaction_id, on_progress)
    return making.make(folder.replace("/", "-"), head, items, lambda _item, _data: True, lambda _: Counted(0, 0))


class _Making:
    """The making of one archive."""

    def __init__(
        self,
        store: ObjectStore,
        scope: Scope,
        interaction_id: str,
        on_progress: Callable[[ArchiveProgress], None],
    ) -> None:
        self._store = store
        self._prefix = f"{scope.prefix}/archives/{interaction_id}-"
        self._on_progress = on_progress

    def make(
        self,
        name: str,
        head: Manifest,
        items: Iterable[_Item],
        examine: Callable[[_Item, bytes], bool],
        finish: Callable[[ZipWriter], Counted],
    ) -> Archived:
        """Write the archive, unless it is there. `examine` says of what is read whole whether it goes in."""
        shown = f"{_short(name)}.zip"
        key = self._prefix + shown
        if self._store.head(key) is not None:
            return self._made(key, shown)
        try:
            with (
                self._store.open_write(key, if_absent=True, content_type=ZIP_TYPE) as target,
                ZipWriter(target) as writer,
            ):
                self._fill(writer, items, examine)
                if not writer.objects:
                    raise NothingToArchive
                counted = finish(writer)
                writer.finish(head, counted)
        except PreconditionFailed:
            return self._made(key, shown)
        return Archived(key, self._size(key), writer.objects, shown, *counted, restores=head.what == "dataset")

    def _fill(self, writer: ZipWriter, items: Iterable[_Item], examine: Callable[[_Item, bytes], bool]) -> None:
        with closing(in_order(self._ahead, items)) as read:
            for item, data in read:
                try:
                    self._take(writer, item, data, examine)
                except ObjectNotFound:
                    continue  # somebody had it deleted since it was listed
                self._on_progress(ArchiveProgress("archive", writer.objects, writer.bytes))

    def _ahead(self, item: _Item) -> tuple[_Item, bytes | None]:
        """A small object's content; None for what is streamed in its turn, or is gone."""
        if item.size > SMALL:
            return item, None
        try:
            return item, self._store.get(item.key).data
        except ObjectNotFound:
            return item, None

    def _take(
        self, writer: ZipWriter, item: _Item, data: bytes | None, examine: Callable[[_Item, bytes], bool]
    ) -> None:
        if data is None and item.size <= RECORD_MOST and item.name.endswith(".json"):
            data = self._store.get(item.key).data
        if data is not None:
            if examine(item, data):
                writer.add(item.name, item.modified_at, data, object_=True)
            return
        with self._store.open_read(item.key) as source:
            done = writer.bytes

            def tell(copied: int) -> None:
                self._on_progress(ArchiveProgress("archive", writer.objects, done + copied))

            writer.copy(item.name, item.modified_at, source, item.size, tell)

    def _size(self, key: str) -> int:
        info = self._store.head(key)
        return info.size if info is not None else 0

    def _made(self, key: str, shown: str) -> Archived:
        """What an archive that is there says of itself; read through a temporary file, as zips are from the end."""
        with tempfile.TemporaryFile() as copy:
            with self._store.open_read(key) as source:
                shutil.copyfileobj(source, copy)
            size = copy.tell()
            with zipfile.ZipFile(cast("IO[bytes]", copy)) as opened:
                manifest = msgspec.json.decode(opened.read(MANIFEST), type=Manifest)
        counts = (manifest.examples, manifest.corrections)
        return Archived(key, size, manifest.objects, shown, *counts, restores=manifest.what == "dataset")


def _short(name: str) -> str:
    return name.encode()[:NAME_MOST].decode(errors="ignore").strip(". -") or "archive"
