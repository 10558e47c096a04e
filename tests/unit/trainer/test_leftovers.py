"""What killed workers left goes, and nothing that a batch has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.trainer.archives import SCOPE, bring_back, fill, local, make, wipe
from trainer.adapters.file_store import FileStore
from trainer.datasets import DatasetKeys
from trainer.importers import Example, Place
from trainer.leftovers import DAY_S, LOOKED_AT_DAYS, sweep_chunks
from trainer.retention import sweep
from trainer.training import _Intake

if TYPE_CHECKING:
    from pathlib import Path

    from trainer.library import Library
    from trainer.ports import ObjectInfo

pytestmark = pytest.mark.usefixtures("_small_chunks")
KEYS = DatasetKeys(SCOPE, "default")


def chunks(store: FileStore, batch_id: str = "") -> list[ObjectInfo]:
    return list(store.list(f"{KEYS.root}chunks/{batch_id}"))


def newest(store: FileStore) -> float:
    return max(info.modified_at for info in chunks(store))


def half(store: FileStore, interaction_id: str) -> None:
    """A worker writes a chunk, and is killed."""
    intake = _Intake(store, KEYS, interaction_id)
    for number in range(40):
        intake.accept(f"{number:08x}", Example("pair", f"q{number}", "a", Place("row", number)))


def test_chunks_without_a_batch_go_after_a_day(store: FileStore, library: Library) -> None:
    fill(store, library)
    before = chunks(store)
    half(store, "999")
    now = newest(store)
    assert len(chunks(store, "999/")) == 1
    assert sweep(store, now + DAY_S - 1).left_over == 0
    assert sweep(store, now + DAY_S + 1).left_over == 1
    assert chunks(store) == before
    assert sweep(store, now + 100 * DAY_S).left_over == 0
    assert chunks(store) == before


def test_chunks_of_a_try_that_broke_off_go_too(store: FileStore, library: Library) -> None:
    fill(store, library)
    before = chunks(store)
    half(store, "101")
    assert len(chunks(store, "101/")) == len(before) + 1
    assert sweep_chunks(store, SCOPE, newest(store) + DAY_S + 1) == 1
    assert chunks(store) == before


def test_batches_are_not_looked_at_for_ever(store: FileStore, library: Library) -> None:
    fill(store, library)

    class Counting(FileStore):
        asked = 0

        def get(self, key: str) -> object:  # type: ignore[override]
            self.asked += 1
            return super().get(key)

    counting = Counting(store._objects.parent)
    assert sweep_chunks(counting, SCOPE, newest(store) + (LOOKED_AT_DAYS + 1) * DAY_S) == 0
    assert counting.asked == 0


def test_a_batch_that_is_restored_meanwhile_keeps_its_chunks(
    store: FileStore, library: Library, tmp_path: Path
) -> None:
    fill(store, library)
    path = local(store, make(store), tmp_path)
    wipe(store, f"{KEYS.root}batches/")

    class Restoring(FileStore):
        heads = 0

        def head(self, key: str) -> ObjectInfo | None:
            found = super().head(key)
            if key == KEYS.batch("101"):
                bring_back(store, path)
            return found

    before = len(chunks(store))
    assert sweep_chunks(Restoring(store._objects.parent), SCOPE, newest(store) + DAY_S + 1) == 0
    assert len(chunks(store)) == before
    assert store.head(KEYS.batch("101")) is not None


def test_a_batch_that_cannot_be_read_keeps_its_chunks(store: FileStore, library: Library) -> None:
    fill(store, library)
    before = chunks(store)
    store.put(KEYS.batch("101"), b"damaged")
    half(store, "999")
    assert sweep_chunks(store, SCOPE, newest(store) + DAY_S + 1) == 1
    assert chunks(store) == before
