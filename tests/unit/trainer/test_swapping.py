"""Changing what others change at the same time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import msgspec
import pytest

from trainer import records
from trainer.adapters.file_store import FileStore
from trainer.ports import ObjectNotFound
from trainer.swapping import Contended, change_record, swap

if TYPE_CHECKING:
    from pathlib import Path

KEY = "g42/count.json"


class Count(msgspec.Struct, frozen=True):
    """A record."""

    number: int = 0


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path)


def more(before: Count) -> Count:
    return Count(before.number + 1)


def test_it_is_made_changed_and_left_alone(store: FileStore) -> None:
    assert change_record(store, KEY, Count, Count(), more) == (Count(0), Count(1))
    assert change_record(store, KEY, Count, Count(), more) == (Count(1), Count(2))
    etag = store.get(KEY).etag
    assert change_record(store, KEY, Count, Count(), lambda before: before) == (Count(2), Count(2))
    assert store.get(KEY).etag == etag


def test_defaults_are_not_written_where_there_is_nothing(store: FileStore) -> None:
    assert change_record(store, KEY, Count, Count(), lambda _: Count()) == (Count(), Count())
    assert change_record(store, KEY, Count, None, lambda before: before) == (None, None)
    with pytest.raises(ObjectNotFound):
        store.get(KEY)


def test_defaults_are_written_over_something_else(store: FileStore) -> None:
    records.save(store, KEY, Count(5))
    assert change_record(store, KEY, Count, Count(), lambda _: Count()) == (Count(5), Count(0))
    assert records.load(store, KEY, Count) == Count(0)


def test_no_change_of_several_writers_is_lost(store: FileStore) -> None:
    def write() -> None:
        for _ in range(20):
            change_record(store, KEY, Count, Count(), more, tries=100)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert records.load(store, KEY, Count) == Count(80)


def test_what_changes_each_time_is_given_up(store: FileStore) -> None:
    seen: list[int] = []

    def meanwhile(before: Count) -> Count:
        seen.append(before.number)
        records.save(store, KEY, Count(before.number + 10))
        return more(before)

    with pytest.raises(Contended):
        change_record(store, KEY, Count, Count(), meanwhile, tries=3)
    assert seen == [0, 10, 20]
    assert records.load(store, KEY, Count) == Count(30)


def test_a_change_may_give_up(store: FileStore) -> None:
    def refuse(before: Count) -> Count:
        raise LookupError(before.number)

    with pytest.raises(LookupError):
        change_record(store, KEY, Count, Count(), refuse)


def test_a_damaged_record_is_left_as_it_is(store: FileStore) -> None:
    store.put(KEY, b"{")
    with pytest.raises(records.Damaged):
        change_record(store, KEY, Count, Count(), more)
    assert store.get(KEY).data == b"{"


def test_bytes_that_are_not_there_stay_so(store: FileStore) -> None:
    assert swap(store, KEY, lambda _: None) == (None, None)
    assert swap(store, KEY, lambda _: b"one") == (None, b"one")
    assert swap(store, KEY, lambda _: None) == (b"one", b"one")
