"""Datasets and other folders into archives."""

from __future__ import annotations

import hashlib
import json
import tracemalloc
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.unit.trainer.archives import ADA, MANY, ROOT, SCOPE, bring_back, fill, local, make, pair, quiet, wipe
from trainer.adapters.file_store import FileStore
from trainer.archive import Archived, NothingToArchive, archive_dataset, archive_folder
from trainer.archive_format import CHUNKS, JOURNAL, MANIFEST, MARK_FOLDERS, RECORDS, ArchiveProgress
from trainer.batches import Origin
from trainer.datasets import DatasetKeys
from trainer.ports import ObjectNotFound, StoreUnavailable
from trainer.training import Training

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from trainer.library import Library
    from trainer.ports import StoredObject


pytestmark = pytest.mark.usefixtures("_small_chunks")


def test_an_archive_holds_everything_and_says_so(store: FileStore, library: Library, tmp_path: Path) -> None:
    fill(store, library)
    seen: list[ArchiveProgress] = []
    archived = archive_dataset(store, SCOPE, "default", "900", seen.append)
    assert archived.key == "g42/archives/900-default.zip"
    assert archived.name == "default.zip"
    assert (archived.examples, archived.corrections, archived.restores) == (2 + MANY, 2, True)
    assert archived.size == len(store.get(archived.key).data)
    with zipfile.ZipFile(local(store, archived, tmp_path)) as zipped:
        assert zipped.testzip() is None
        manifest = json.loads(zipped.read(MANIFEST))
        assert manifest["what"] == "dataset"
        assert (manifest["dataset"], manifest["scope"], manifest["examples"]) == ("default", "g42", 2 + MANY)
        assert len(manifest["members"]) == len(zipped.namelist()) - 1
        for member in manifest["members"]:
            data = zipped.read(member["name"])
            assert (len(data), hashlib.sha256(data).hexdigest()) == (member["size"], member["sha256"])
    assert manifest["objects"] == archived.objects == seen[-1].objects
    assert [progress.bytes for progress in seen] == sorted(progress.bytes for progress in seen)


def test_a_second_delivery_finds_the_first_ones_archive(store: FileStore, library: Library) -> None:
    fill(store, library)
    first = make(store)
    data = store.get(first.key).data
    Training(store, library).train(ADA, "102", "default", Origin("text"), [pair(90009)], lambda _: None)
    assert make(store) == first
    assert store.get(first.key).data == data
    assert make(store, "902").examples == first.examples + 1


def test_two_workers_on_one_job_make_one_archive(store: FileStore, library: Library) -> None:
    fill(store, library)
    others: list[Archived] = []

    def race(_: ArchiveProgress) -> None:
        if not others:
            others.append(make(store))

    assert archive_dataset(store, SCOPE, "default", "900", race) == others[0]
    assert [info.key for info in store.list("g42/archives/")] == [others[0].key]


def test_nothing_is_not_archived(store: FileStore) -> None:
    with pytest.raises(NothingToArchive):
        make(store)
    assert list(store.list("g42/archives/")) == []


def test_a_failure_leaves_no_archive(store: FileStore, library: Library) -> None:
    fill(store, library)

    def fail(_: ArchiveProgress) -> None:
        raise StoreUnavailable("x")

    with pytest.raises(StoreUnavailable):
        archive_dataset(store, SCOPE, "default", "900", fail)
    assert list(store.list("g42/archives/")) == []


def test_what_is_deleted_meanwhile_is_left_out(store: FileStore, library: Library, tmp_path: Path) -> None:
    fill(store, library)

    class Forgetful(FileStore):
        def get(self, key: str) -> StoredObject:
            if key.endswith("/batches/100.json"):
                raise ObjectNotFound("x")
            return super().get(key)

    archived = archive_dataset(Forgetful(tmp_path / "store"), SCOPE, "default", "900", quiet)
    assert archived.examples == MANY


def test_a_damaged_record_is_left_out(store: FileStore, library: Library, tmp_path: Path) -> None:
    fill(store, library)
    store.put(f"{ROOT}batches/100.json", b"{")
    archived = make(store)
    assert archived.examples == MANY
    wipe(store)
    told = bring_back(store, local(store, archived, tmp_path))
    assert told is not None
    assert told.examples == MANY


def test_memory_does_not_grow_with_what_is_archived(store: FileStore) -> None:
    """48 MiB that do not compress, in three objects: a fraction of one is in memory."""
    block = b"".join(hashlib.sha256(str(number).encode()).digest() for number in range(1 << 15))
    for name in ("a", "b", "c"):
        with store.open_write(f"g42/exports/{name}.bin") as stream:
            for _ in range(16):
                stream.write(block)
    tracemalloc.start()
    try:
        archived = archive_folder(store, SCOPE, "exports", "900", quiet)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert archived.size > 0
    assert peak < 8 << 20, peak


def test_a_folder_of_files_is_archived_under_their_names(store: FileStore, tmp_path: Path) -> None:
    store.put("g42/originals/5", b"question,answer\n")
    store.put("g42/originals/5-faq.csv", b"")
    store.put("g42/originals/6", b"no name")
    store.put("g43/originals/7", b"foreign")
    archived = archive_folder(store, SCOPE, "originals/", "900", quiet)
    assert (archived.name, archived.objects, archived.restores) == ("originals.zip", 2, False)
    with zipfile.ZipFile(local(store, archived, tmp_path)) as zipped:
        assert zipped.namelist() == ["originals/5-faq.csv", "originals/6", MANIFEST]
        assert zipped.read("originals/5-faq.csv") == b"question,answer\n"


def test_a_datasets_folder_becomes_a_dataset_archive(store: FileStore, library: Library) -> None:
    fill(store, library)
    assert archive_folder(store, SCOPE, "datasets/default", "900", quiet).restores
    everything = archive_folder(store, SCOPE, "datasets", "900", quiet)
    assert (everything.name, everything.restores) == ("datasets.zip", False)
    assert (
        archive_folder(store, SCOPE, "datasets/default/batches", "900", quiet).name == "datasets-default-batches.zip"
    )


@pytest.mark.parametrize(
    "path",
    ["", "/", "archives", "nothing", "originals", "../g43", "originals/../../g43", "/etc", "outcomes", "votes", "g43",
     "datasets/default/journal", "datasets/default/removed", "x" * 500, "orig\x00inals", "datasets/\u202edefault"],
)  # fmt: skip
def test_other_folders_are_not_there(store: FileStore, library: Library, path: str) -> None:
    fill(store, library)
    store.put("g42/archives/1-a.zip", b"x")
    store.put("g42/outcomes/1.outcome.json", b"x")
    store.put("g42/votes/1/2.json", b"x")
    with pytest.raises(NothingToArchive):
        archive_folder(store, SCOPE, path, "900", quiet)


def test_a_long_name_in_another_script_fits_into_a_key(store: FileStore, library: Library) -> None:
    name = "\U00020000" * 48
    Training(store, library).train(ADA, "100", name, Origin("text"), [pair(1)], lambda _: None)
    archived = archive_dataset(store, SCOPE, name, "1" * 19, quiet)
    assert store.head(archived.key) is not None


def test_keys_of_a_dataset_are_all_known() -> None:
    """A new folder of a dataset must be archived, or left out on purpose."""
    keys = DatasetKeys(SCOPE, "default")
    made: list[Callable[[], str]] = [
        lambda: keys.batch("1"),
        lambda: keys.chunk("1", "ab", 0),
        lambda: keys.rejections("1", "ab"),
        lambda: keys.correction("1"),
        lambda: keys.verdict("1"),
        lambda: keys.undone("1"),
        lambda: keys.histories("ab"),
        lambda: keys.removed("1"),
        lambda: keys.entry(1, "batch", "1"),
        lambda: keys.since(1),
    ]
    methods = {name for name in vars(DatasetKeys) if not name.startswith("_")}
    assert len(made) == len(methods), methods
    folders = {one().removeprefix(keys.root).partition("/")[0] for one in made}
    assert folders == {*RECORDS, CHUNKS, *MARK_FOLDERS, JOURNAL}
