"""Datasets back from their archives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.unit.trainer.archives import (
    ADA,
    BOB,
    MANY,
    NOW,
    OTHER,
    ROOT,
    SCOPE,
    bring_back,
    contents,
    counted,
    fill,
    local,
    make,
    pair,
    quiet,
    wipe,
)
from trainer import records
from trainer.adapters.file_store import FileStore
from trainer.answers import load_answer
from trainer.archive import archive_dataset
from trainer.archive_restore import Restored, restore
from trainer.batches import Origin
from trainer.corrections import Corrections
from trainer.datasets import DatasetKeys, answer_key, forgotten_key, parse_entry
from trainer.ports import StoreUnavailable
from trainer.privacy import Forgotten
from trainer.selection import dataset_names
from trainer.training import Training

if TYPE_CHECKING:
    from pathlib import Path

    from trainer.library import Library


pytestmark = pytest.mark.usefixtures("_small_chunks")


def test_what_was_wiped_comes_back_identical(store: FileStore, library: Library, tmp_path: Path) -> None:
    fill(store, library)
    before, known = contents(store), counted(store, tmp_path)
    archived = make(store)
    wipe(store)
    wipe(store, "g42/names/")
    told = bring_back(store, local(store, archived, tmp_path))
    # Two corrections count, one proposal waits; the rejected one and the one taken back do neither.
    assert told == Restored(dataset="default", examples=2 + MANY, corrections=3, there=0, removed=0)
    assert contents(store) == before
    assert counted(store, tmp_path / "again") == known == (2 + MANY, 0, 2)
    assert dataset_names(store, SCOPE) == ["default"]
    assert Corrections(store).standing(SCOPE, "default", "304").status == "undone"
    assert Corrections(store).standing(SCOPE, "default", "303").status == "proposed"
    assert [one.correction.id for one in Corrections(store).history(SCOPE, "200").standings] == ["300"]


def test_an_index_that_was_there_all_the_time_sees_it(store: FileStore, library: Library, tmp_path: Path) -> None:
    Training(store, library).train(ADA, "100", "default", Origin("text"), [pair(1)], lambda _: None)
    path = local(store, make(store), tmp_path)
    wipe(store)
    assert library.index(OTHER, "default").count().pairs == 0
    told = restore(store, OTHER, path, "", "901", quiet)
    assert told is not None
    assert library.index(OTHER, "default").search("What is number 1?")[0].entry.answer == "It is 1."


def test_restoring_twice_changes_nothing(store: FileStore, library: Library, tmp_path: Path) -> None:
    fill(store, library)
    path = local(store, make(store), tmp_path)
    before = {info.key for info in store.list(ROOT)}
    told = bring_back(store, path)
    assert told is not None
    assert (told.examples, told.corrections, told.there) == (0, 0, 2 + MANY + 3)
    assert {info.key for info in store.list(ROOT)} == before


def test_a_second_delivery_tells_the_same(store: FileStore, library: Library, tmp_path: Path) -> None:
    fill(store, library)
    path = local(store, make(store), tmp_path)
    wipe(store)
    first = bring_back(store, path)
    after = {info.key for info in store.list(ROOT)}
    assert bring_back(store, path) == first
    assert {info.key for info in store.list(ROOT)} == after


def test_it_goes_to_another_dataset_and_another_server(store: FileStore, library: Library, tmp_path: Path) -> None:
    fill(store, library)
    path = local(store, make(store), tmp_path)
    assert bring_back(store, path, dataset="copy") is not None
    assert counted(store, tmp_path, dataset="copy") == counted(store, tmp_path)
    assert bring_back(store, path, scope=OTHER) is not None
    assert counted(store, tmp_path, scope=OTHER) == counted(store, tmp_path)
    chunks = records_chunks(store, "g43/datasets/default/")
    assert chunks
    assert all(chunk.startswith("g43/datasets/default/chunks/101/") for chunk in chunks)
    # It can be archived from there, and restored again.
    again = archive_dataset(store, OTHER, "default", "903", quiet)
    wipe(store, "g43/datasets/")
    assert bring_back(store, local(store, again, tmp_path), interaction="904", scope=OTHER) is not None
    assert counted(store, tmp_path / "again", scope=OTHER) == counted(store, tmp_path)


def records_chunks(store: FileStore, root: str) -> list[str]:
    chunks: list[str] = json.loads(store.get(f"{root}batches/101.json").data)["chunks"]
    return chunks


@pytest.mark.parametrize("after", range(0, 16, 3))
def test_a_crash_at_any_write_is_made_good(store: FileStore, library: Library, tmp_path: Path, after: int) -> None:
    fill(store, library)
    path, before = local(store, make(store), tmp_path), contents(store)
    wipe(store)

    class Dying(FileStore):
        left = after

        def put(self, key: str, data: bytes, **more: Any) -> str:
            if self.left == 0:
                raise StoreUnavailable("killed")
            self.left -= 1
            return super().put(key, data, **more)

    dying = Dying(tmp_path / "store")
    with pytest.raises(StoreUnavailable):
        bring_back(dying, path)
    if not list(store.list(f"{ROOT}journal/")):
        assert counted(store, tmp_path / "dead") == (0, 0, 0)  # nothing that counts is half there
    told = bring_back(store, path)
    assert told is not None
    assert (told.examples, told.corrections, told.there) == (2 + MANY, 3, 0)
    assert contents(store) == before
    assert counted(store, tmp_path) == (2 + MANY, 0, 2)


def test_what_was_deleted_since_stays_away(store: FileStore, library: Library, tmp_path: Path) -> None:
    fill(store, library)
    path = local(store, make(store), tmp_path)
    keys = DatasetKeys(SCOPE, "default")
    store.delete(keys.batch("100"))
    store.put(keys.removed("100"), b"")
    Corrections(store).undo(ADA, "default", "300")
    for dataset in ("", "copy"):
        told = bring_back(store, path, dataset=dataset, interaction=f"91{len(dataset)}")
        assert told is not None
        assert told.removed == 3
        assert counted(store, tmp_path, dataset=dataset or "default") == (MANY, 0, 1)


def test_a_removal_that_only_the_journal_tells_of_is_respected(
    store: FileStore, library: Library, tmp_path: Path
) -> None:
    fill(store, library)
    path = local(store, make(store), tmp_path)
    keys = DatasetKeys(SCOPE, "default")
    store.delete(keys.batch("100"))
    store.put(keys.entry(int(NOW * 1000), "removal", "100"), b"")
    told = bring_back(store, path)
    assert told is not None
    assert told.removed == 2


def test_what_somebody_had_forgotten_stays_away(store: FileStore, library: Library, tmp_path: Path) -> None:
    fill(store, library)
    path = local(store, make(store), tmp_path)
    wipe(store)
    note = Forgotten(user_id="7", interaction_id="101", at=NOW)
    records.save(store, forgotten_key(SCOPE, "7"), note)
    records.save(store, forgotten_key(SCOPE, "12345"), note)
    told = bring_back(store, path)
    assert told is not None
    assert (told.examples, told.corrections, told.removed) == (MANY, 3, 2)
    assert store.head(f"{ROOT}batches/100.json") is None


def test_the_journal_tells_of_nothing_twice(store: FileStore, library: Library, tmp_path: Path) -> None:
    fill(store, library)
    path = local(store, make(store), tmp_path)
    store.delete(f"{ROOT}batches/100.json")
    bring_back(store, path)
    entries = [parse_entry(info.key.rpartition("/")[2]) for info in store.list(f"{ROOT}journal/")]
    assert sorted(entry[2] for entry in entries if entry is not None) == ["100", "101", "300", "301", "304", "304"]


def test_who_had_themselves_forgotten_is_not_named_as_the_one_who_decided(
    store: FileStore, library: Library, tmp_path: Path
) -> None:
    fill(store, library)
    Corrections(store).correct(BOB, "310", "200", "Later.")
    Corrections(store, lambda: 3e9).decide(ADA, "default", "310", approve=True)
    Corrections(store, lambda: 3e9).undo(BOB._replace(is_manager=True), "default", "300")
    path = local(store, make(store), tmp_path)
    wipe(store)
    records.save(store, forgotten_key(SCOPE, ADA.user_id), Forgotten(user_id="7", interaction_id="5", at=2.9e9))
    bring_back(store, path)
    by = {key: json.loads(data)["by"] for key, data in contents(store).items() if key.startswith(("verd", "undo"))}
    assert by == {
        "verdicts/301.json": "0",
        "verdicts/302.json": "0",
        "verdicts/310.json": "7",
        "undone/300.json": "8",
        "undone/304.json": "0",
    }


def test_a_correction_does_not_bring_back_an_answer_that_was_forgotten(
    store: FileStore, library: Library, tmp_path: Path
) -> None:
    fill(store, library)
    path = local(store, make(store), tmp_path)
    wipe(store)
    answer = load_answer(store, SCOPE, "200")
    assert answer is not None
    records.save(store, answer_key(SCOPE, "200"), msgspec.structs.replace(answer, text=""))
    store.delete(answer_key(SCOPE, "201"))
    bring_back(store, path)
    wrong = [json.loads(store.get(f"{ROOT}corrections/{number}.json").data)["wrong"] for number in (300, 301, 302)]
    assert wrong == ["", "Nowhere.", "Nowhere."]
    assert b"Nowhere" not in store.get(f"{ROOT}corrections/300.json").data
