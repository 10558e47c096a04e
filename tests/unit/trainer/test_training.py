"""From what was sent to examples in the store, with a folder for a store."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING

import pytest

from trainer.adapters.file_store import FileStore
from trainer.batches import Batch, Origin
from trainer.datasets import BadName, DatasetKeys, dataset_name
from trainer.importers import Example, FileRefusal, Place, RefusalReason, Rejection, RejectionReason
from trainer.library import OVERLAP_MS, Library
from trainer.ports import StoreUnavailable
from trainer.scope import Actor, Scope
from trainer.training import CHUNK, INLINE_MOST, Progress, Training

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from trainer.importers import Item

ACTOR = Actor(Scope("guild", "42"), "7", is_manager=True)
TEXT = Origin("text")


class Clock:
    """Seconds since the epoch, as the test wants them."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def training(store: FileStore, library: Library, clock: Clock) -> Training:
    return Training(store, library, clock)


def pair(number: int) -> Example:
    return Example("pair", f"What is number {number}?", f"It is {number}.", Place("row", number))


def bad(number: int) -> Rejection:
    return Rejection(Place("row", number), RejectionReason.MISSING_ANSWER, "answer")


def train(training: Training, items: Iterable[Item], interaction: str = "100", dataset: str = "default") -> Batch:
    return training.train(ACTOR, interaction, dataset, TEXT, items, lambda progress: None)


def keys_of(store: FileStore) -> list[str]:
    return [info.key.removeprefix("g42/datasets/default/") for info in store.list("g42/")]


def test_everything_is_counted(training: Training) -> None:
    fact = Example("passage", "", "The castle has nine towers.", Place("block", 1))
    batch = train(training, [pair(1), pair(2), pair(1), bad(3), fact])
    report = batch.report
    assert (report.pairs, report.passages, report.duplicates, report.rejected) == (2, 1, 1, 1)
    assert list(training.rejections(batch)) == [bad(3)]


def test_what_is_known_is_not_learned_again(training: Training, library: Library) -> None:
    train(training, [pair(1)])
    batch = train(training, [pair(1), pair(2)], "101")
    assert (batch.report.accepted, batch.report.duplicates) == (1, 1)
    assert library.index(ACTOR.scope, "default").count().pairs == 2


def test_other_datasets_and_scopes_do_not_matter(training: Training, library: Library) -> None:
    train(training, [pair(1)])
    assert train(training, [pair(1)], "101", "other").report.accepted == 1
    elsewhere = Actor(Scope("user", "42"), "42", is_manager=True)
    assert training.train(elsewhere, "102", "default", TEXT, [pair(1)], print).report.accepted == 1
    assert library.index(Scope("guild", "43"), "default").count().pairs == 0


def test_a_second_delivery_finds_the_first_ones_batch(training: Training, store: FileStore) -> None:
    first = train(training, [pair(1), bad(2)])
    assert training.done(ACTOR, "100", "default") == first
    assert training.done(ACTOR, "101", "default") is None
    again = train(training, [pair(1), bad(2)])
    assert again == first
    assert [key for key in keys_of(store) if key.startswith("batches/")] == ["batches/100.json"]


def test_two_workers_on_one_job_store_it_once(training: Training, store: FileStore, library: Library) -> None:
    """The second begins before the first has finished, and finishes after it."""

    def racing() -> Iterator[Item]:
        for number in range(INLINE_MOST + 10):
            yield pair(number)
        train(training, [pair(number) for number in range(INLINE_MOST + 10)])

    batch = train(training, racing())
    assert batch.report.accepted == INLINE_MOST + 10
    assert [key for key in keys_of(store) if key.startswith("chunks/")] == [
        chunk.removeprefix("g42/datasets/default/") for chunk in batch.chunks
    ]
    assert library.index(ACTOR.scope, "default").count().pairs == INLINE_MOST + 10


def test_a_large_batch_lies_in_chunks_and_is_whole(training: Training, store: FileStore, library: Library) -> None:
    seen: list[Progress] = []
    items: list[Item] = [
        *(pair(number) for number in range(CHUNK + 1)),
        *(bad(number) for number in range(INLINE_MOST + 5)),
    ]
    batch = training.train(ACTOR, "100", "default", Origin("file", "a.csv"), items, seen.append)
    assert len(batch.chunks) == 2
    assert not batch.examples
    assert len(batch.rejections) == INLINE_MOST
    assert len(list(training.rejections(batch))) == INLINE_MOST + 5
    assert seen[-1] == Progress(len(items), CHUNK + 1)
    assert [progress.read for progress in seen] == sorted(progress.read for progress in seen)
    index = library.index(ACTOR.scope, "default")
    assert index.count().pairs == CHUNK + 1
    assert index.search(f"What is number {CHUNK}?")[0].entry.answer == f"It is {CHUNK}."


def test_a_file_that_fails_leaves_nothing(training: Training, store: FileStore, library: Library) -> None:
    def broken() -> Iterator[Item]:
        yield from (pair(number) for number in range(CHUNK + 1))
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="disk"):
        train(training, broken())
    assert keys_of(store) == []
    assert library.index(ACTOR.scope, "default").count().pairs == 0


def test_after_a_crash_between_batch_and_journal_the_next_delivery_tells(
    training: Training, store: FileStore, library: Library
) -> None:
    train(training, [pair(1)])
    for info in list(store.list("g42/datasets/default/journal/")):
        store.delete(info.key)
    other = Library(store, library._cache / "another machine")
    assert other.index(ACTOR.scope, "default").count().pairs == 0
    assert training.done(ACTOR, "100", "default") is not None
    assert other.index(ACTOR.scope, "default").count().pairs == 1
    other.close()


def test_an_index_that_was_deleted_is_made_again(training: Training, store: FileStore, tmp_path: Path) -> None:
    train(training, [pair(1)])
    fresh = Library(store, tmp_path / "other cache")
    assert fresh.index(ACTOR.scope, "default").count().pairs == 1
    fresh.close()


def test_another_store_is_not_taken_for_this_one(training: Training, tmp_path: Path) -> None:
    train(training, [pair(1)])
    other = Library(FileStore(tmp_path / "other store"), tmp_path / "cache")
    assert other.index(ACTOR.scope, "default").count().pairs == 0
    other.close()


def test_entries_of_a_slow_clock_are_not_missed(training: Training, library: Library, clock: Clock) -> None:
    train(training, [pair(1)])
    index = library.index(ACTOR.scope, "default")
    clock.now -= OVERLAP_MS / 1000 - 1
    other = Training(training._store, library, clock)
    train(other, [pair(2)], "99")
    assert library.index(ACTOR.scope, "default").count().pairs == 2
    clock.now += 10 * OVERLAP_MS / 1000
    train(other, [pair(3)], "103")
    assert index.count().pairs == 3


def test_what_was_read_is_not_read_again(training: Training, store: FileStore, tmp_path: Path, clock: Clock) -> None:
    reads: list[str] = []

    class Counting(FileStore):
        def get(self, key: str) -> object:  # type: ignore[override]
            reads.append(key)
            return super().get(key)

    library = Library(Counting(tmp_path / "store"), tmp_path / "counted")
    train(training, [pair(1)])
    library.index(ACTOR.scope, "default")
    before = [key for key in reads if "batches" in key]
    library.index(ACTOR.scope, "default")
    assert [key for key in reads if "batches" in key] == before == ["g42/datasets/default/batches/100.json"]
    library.close()


def test_foreign_objects_in_the_journal_are_passed_over(store: FileStore, library: Library) -> None:
    keys = DatasetKeys(ACTOR.scope, "default")
    store.put(f"{keys.journal}readme.txt", b"hello")
    store.put(keys.entry(1_800_000_000_000, "batch", "404"), b"")
    store.put(keys.entry(1_800_000_000_000, "correction", "404"), b"")
    assert library.index(ACTOR.scope, "default").count().pairs == 0


def test_a_damaged_record_is_not_taken_for_none(training: Training, store: FileStore, library: Library) -> None:
    train(training, [pair(1)])
    store.put("g42/datasets/default/batches/100.json", b"{")
    with pytest.raises(StoreUnavailable, match="damaged"):
        training.done(ACTOR, "100", "default")


@pytest.mark.parametrize("harm", ["chunk damaged", "chunk gone", "record damaged"])
def test_one_bad_record_does_not_take_the_others_down(
    training: Training, store: FileStore, library: Library, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    train(training, [pair(1)], "99")
    train(training, [pair(number) for number in range(2, INLINE_MOST + 3)])
    train(training, [pair(9999)], "101")
    chunk = next(info.key for info in store.list("g42/datasets/default/chunks/"))
    if harm == "chunk damaged":
        store.put(chunk, b'{"kind": "pair"\n')
    elif harm == "chunk gone":
        store.delete(chunk)
    else:
        store.put("g42/datasets/default/batches/100.json", b"{")
    fresh = Library(store, library._cache / "fresh")
    assert fresh.index(ACTOR.scope, "default").count().pairs == 2
    fresh.close()
    assert [record.__dict__["record"] for record in caplog.records] == ["100"]


def test_what_was_removed_stays_removed(training: Training, store: FileStore, library: Library) -> None:
    """Neither a late announcement nor a redelivered job brings it back."""
    train(training, [pair(1)])
    keys = DatasetKeys(ACTOR.scope, "default")
    store.put(keys.removed("100"), b"")
    store.put(keys.entry(1_800_000_000_001, "removal", "100"), b"")
    assert library.index(ACTOR.scope, "default").count().pairs == 0
    store.put(keys.entry(1_800_000_000_000, "batch", "100"), b"")
    training.done(ACTOR, "100", "default")
    assert library.index(ACTOR.scope, "default").count().pairs == 0


def test_a_fast_clock_hides_nothing_from_the_others(
    training: Training, store: FileStore, library: Library, clock: Clock
) -> None:
    clock.now = time.time() + 3600
    train(training, [pair(1)])
    assert library.index(ACTOR.scope, "default").count().pairs == 1
    clock.now = time.time()
    train(training, [pair(2)], "101")
    assert library.index(ACTOR.scope, "default").count().pairs == 2


def test_a_job_is_about_the_dataset_that_was_selected_at_first(training: Training) -> None:
    assert training.dataset_for(ACTOR, "100", "default") == "default"
    assert training.dataset_for(ACTOR, "100", "events") == "default"
    assert training.dataset_for(ACTOR, "101", "events") == "events"


def test_what_came_before_a_refused_file_is_learned(training: Training) -> None:
    def items() -> Iterator[Item]:
        yield pair(1)
        raise FileRefusal(RefusalReason.UNSUPPORTED, "xlsx")

    batch = train(training, items())
    assert batch.report.accepted == 1
    assert (batch.refusal, batch.refusal_detail) == ("unsupported", "xlsx")
    assert training.done(ACTOR, "100", "default") == batch


def test_indexes_of_idle_scopes_are_closed(
    training: Training, store: FileStore, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.library.OPEN_MOST", 2)
    monkeypatch.setattr("trainer.library.IDLE_S", 0.0)
    train(training, [pair(1)])
    for number in range(5):
        library.index(Scope("user", str(number)), "default")
    assert len(library._indexes) == 2
    assert library.index(ACTOR.scope, "default").count().pairs == 1


def test_an_index_that_is_kept_busy_is_tried_again_later(
    training: Training, store: FileStore, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(training, [pair(1)])

    def locked(*_: object) -> None:
        error = sqlite3.OperationalError("database is locked")
        error.sqlite_errorname = "SQLITE_BUSY"
        raise error

    monkeypatch.setattr(library, "_update", locked)
    with pytest.raises(StoreUnavailable, match="SQLITE_BUSY"):
        library.index(ACTOR.scope, "default")


@pytest.mark.parametrize("name", ["д" * 48, "समर्थन", "サポート", "support-2_b"])
def test_names_in_every_script_work(training: Training, library: Library, name: str) -> None:
    assert train(training, [pair(1)], dataset=dataset_name(name)).report.accepted == 1
    assert library.index(ACTOR.scope, dataset_name(name)).count().pairs == 1


@pytest.mark.parametrize("name", ["", " ", "-x", "a/b", "..", "a" * 49, "a\x00b", "a.b", "a:b", "🎲"])
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(BadName):
        dataset_name(name)


def test_what_was_removed_is_gone_from_every_index(training: Training, store: FileStore, library: Library) -> None:
    train(training, [pair(1)])
    train(training, [pair(2)], "101")
    index = library.index(ACTOR.scope, "default")
    keys = DatasetKeys(ACTOR.scope, "default")
    store.delete(keys.batch("100"))
    store.put(keys.entry(1_800_000_000_001, "removal", "100"), b"")
    assert library.index(ACTOR.scope, "default").count().pairs == 1
    assert index.search("What is number 1?")[0].entry.answer == "It is 2."
    fresh = Library(store, library._cache / "fresh")
    assert fresh.index(ACTOR.scope, "default").count().pairs == 1
    fresh.close()
