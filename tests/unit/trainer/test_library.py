"""How indexes are brought up to date from a slow store, and kept within what they may take on the disk."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import msgspec
import pytest

from trainer.adapters.file_store import FileStore
from trainer.batches import Batch, Origin, Report
from trainer.datasets import DatasetKeys
from trainer.importers import Example, Place
from trainer.index_file import IndexFile, remove
from trainer.index_folder import size_of
from trainer.library import ASKED_MOST, IDLE_S, LISTED_MOST, STRETCH, Library
from trainer.ports import StoreUnavailable
from trainer.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from trainer.ports import ObjectInfo, StoredObject

SCOPE = Scope("guild", "42")
KEYS = DatasetKeys(SCOPE, "default")
BEGIN_MS = 1_700_000_000_000
FIRST_ID = 1_200_000_000_000_000_000
PATIENCE_S = 60.0


class Watched(FileStore):
    """A store whose requests are counted by what they are for, and can be made to fail."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: Counter[str] = Counter()
        self.fails = ""

    def get(self, key: str) -> StoredObject:
        self._note("get", key)
        return super().get(key)

    def head(self, key: str) -> ObjectInfo | None:
        self._note("head", key)
        return super().head(key)

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectInfo]:
        self._note("list", prefix)
        return super().list(prefix, start_after=start_after)

    def _note(self, verb: str, key: str) -> None:
        self.asked[f"{verb} {key.removeprefix(KEYS.root).partition('/')[0]}"] += 1
        if self.fails and key == self.fails:
            raise StoreUnavailable("away")


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path / "store")


def batch_id(number: int) -> str:
    return str(FIRST_ID + (number << 22))


def teach(store: FileStore, numbers: range, keys: DatasetKeys = KEYS, what: str = "number") -> None:
    """Lines that were typed one by one, a minute apart."""
    for number in numbers:
        example = Example("pair", f"What is {what} {number}?", f"It is {number}.", Place("block", 1))
        batch = Batch(
            id=batch_id(number),
            author="7",
            origin=Origin("text"),
            created_at=BEGIN_MS / 1000,
            report=Report(pairs=1),
            examples=[example],
        )
        store.put(keys.batch(batch.id), msgspec.json.encode(batch))
        store.put(keys.entry(BEGIN_MS + 60_000 * number, "batch", batch.id), b"")


def withdraw(store: FileStore, number: int) -> None:
    store.put(KEYS.removed(batch_id(number)), b"")


def texts_of(library: Library) -> list[str]:
    """The questions in the index, in the order in which they were read."""
    return library.index(SCOPE, "default").texts(10_000)[::2][::-1]


def questions(*numbers: int) -> list[str]:
    return [f"What is number {number}?" for number in numbers]


# --- reading --------------------------------------------------------------------------------------------------------


def test_records_are_fetched_side_by_side_and_read_in_order(tmp_path: Path) -> None:
    class Meeting(FileStore):
        """A store that answers when four are asking, the last of them first."""

        def __init__(self, root: Path) -> None:
            super().__init__(root)
            self.four = threading.Barrier(4)
            self.turn = threading.Condition()
            self.left = [batch_id(number) for number in range(4)]

        def get(self, key: str) -> StoredObject:
            found = super().get(key)
            if "/batches/" in key:
                self.four.wait(PATIENCE_S)
                with self.turn:
                    assert self.turn.wait_for(lambda: self.left[-1] in key, PATIENCE_S)
                    self.left.pop()
                    self.turn.notify_all()
            return found

    teach(FileStore(tmp_path / "store"), range(4))
    library = Library(Meeting(tmp_path / "store"), tmp_path / "cache")
    assert texts_of(library) == questions(*range(4))
    library.close()


def test_many_lines_take_little_more_than_a_request_each(watched: Watched, tmp_path: Path) -> None:
    many = 2 * STRETCH + 5
    teach(watched, range(many))
    library = Library(watched, tmp_path / "cache")
    assert texts_of(library) == questions(*range(many))
    assert watched.asked["get batches"] == many
    assert watched.asked["head removed"] == 5  # of the last stretch, which is short
    assert watched.asked["list removed"] == 2
    assert watched.asked["list journal"] == 1
    watched.asked.clear()
    library.index(SCOPE, "default")
    assert watched.asked == {"list journal": 1}
    library.close()


def test_what_was_taken_back_is_not_taken_in(watched: Watched, tmp_path: Path) -> None:
    teach(watched, range(STRETCH + ASKED_MOST))
    gone = [0, 1, STRETCH // 2, STRETCH - 1, STRETCH, STRETCH + 3]
    for number in gone:
        withdraw(watched, number)
    library = Library(watched, tmp_path / "cache")
    assert texts_of(library) == questions(*(one for one in range(STRETCH + ASKED_MOST) if one not in gone))
    assert watched.asked["get batches"] == STRETCH + ASKED_MOST - len(gone)
    library.close()


def test_where_much_was_taken_back_the_rest_is_asked_for(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.library.LISTED_MOST", 30)
    teach(watched, range(1, 21))
    for number in (2, 3, 19, 20):
        withdraw(watched, number)
    for number in range(100):  # of other stretches, which a listing finds in between
        watched.put(f"{KEYS.removed(batch_id(3))}{number:02}", b"")
    library = Library(watched, tmp_path / "cache")
    assert texts_of(library) == questions(1, *range(4, 19))
    assert watched.asked["list removed"] == 1
    assert watched.asked["head removed"] == 17
    library.close()


def test_removals_and_what_is_taught_keep_their_order(watched: Watched, tmp_path: Path) -> None:
    teach(watched, range(3))
    watched.put(KEYS.entry(BEGIN_MS + 60_000 + 1, "removal", batch_id(0)), b"")
    watched.put(KEYS.entry(BEGIN_MS + 60_000 + 2, "batch", batch_id(0)), b"")
    watched.put(KEYS.entry(BEGIN_MS + 60_000 + 3, "removal", batch_id(1)), b"")
    library = Library(watched, tmp_path / "cache")
    assert texts_of(library) == questions(0, 2)
    library.close()


def test_a_store_that_fails_half_way_leaves_whole_stretches_and_is_told(watched: Watched, tmp_path: Path) -> None:
    many = 2 * STRETCH
    teach(watched, range(many))
    library = Library(watched, tmp_path / "cache")
    watched.fails = KEYS.batch(batch_id(STRETCH + 50))
    with pytest.raises(StoreUnavailable, match="away"):
        library.index(SCOPE, "default")
    (opened,) = library._indexes.values()
    assert opened.index.count().pairs == STRETCH
    watched.fails, watched.asked = "", Counter()
    assert texts_of(library) == questions(*range(many))
    assert watched.asked["get batches"] == many - STRETCH
    library.close()


def test_more_entries_than_a_listing_gives_are_all_read(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert LISTED_MOST >= STRETCH
    monkeypatch.setattr("trainer.library.LISTED_MOST", 10)
    monkeypatch.setattr("trainer.library.STRETCH", 4)
    teach(watched, range(30))
    library = Library(watched, tmp_path / "cache")
    assert texts_of(library) == questions(*range(30))
    assert watched.asked["list journal"] == 4
    library.close()


def test_an_index_that_is_deleted_while_the_journal_is_listed_misses_nothing(tmp_path: Path) -> None:
    class Deleting(FileStore):
        path: Path | None = None

        def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectInfo]:
            found = list(super().list(prefix, start_after=start_after))
            if self.path is not None and prefix == KEYS.journal:
                path, self.path = self.path, None
                remove(path)
            return iter(found)

    store = Deleting(tmp_path / "store")
    teach(store, range(40))
    library = Library(store, tmp_path / "cache")
    library.index(SCOPE, "default")
    teach(store, range(40, 42))
    store.path = next((tmp_path / "cache").glob("*/*/*.sqlite3"))
    assert texts_of(library) == questions(*range(42))
    library.close()


def test_processes_that_read_together_read_all_of_it_once(tmp_path: Path) -> None:
    """Two libraries on one folder, as two processes have."""
    store = FileStore(tmp_path / "store")
    teach(store, range(3 * STRETCH))
    libraries = [Library(store, tmp_path / "cache") for _ in range(2)]
    for library in libraries:
        library.index(Scope("guild", "1"), "default")  # one identity of the store for both
    threads = [threading.Thread(target=library.index, args=(SCOPE, "default")) for library in libraries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for library in libraries:
        assert texts_of(library) == questions(*range(3 * STRETCH))
        library.close()


def test_an_index_that_is_closed_keeps_no_word_of_what_was_removed(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teach(watched, range(3))
    teach(watched, range(3, 4), what="zanzibar")
    library = Library(watched, tmp_path / "cache")
    library.index(SCOPE, "default")
    withdraw(watched, 3)
    watched.put(KEYS.entry(BEGIN_MS + 60_000 * 5, "removal", batch_id(3)), b"")
    assert texts_of(library) == questions(0, 1, 2)
    monkeypatch.setattr("trainer.library.OPEN_MOST", 1)
    monkeypatch.setattr("trainer.library.IDLE_S", 0.0)
    library.index(Scope("guild", "1"), "default")
    (path,) = (tmp_path / "cache").glob("*/g42/*.sqlite3")
    assert b"What is number 2?" in path.read_bytes()
    assert b"zanzibar" not in path.read_bytes()
    assert not path.with_name(f"{path.name}-wal").exists()
    library.close()


# --- room on the disk -----------------------------------------------------------------------------------------------


def kept(cache: Path) -> list[str]:
    """The scopes that have an index on the disk."""
    return sorted(path.parent.name for path in cache.glob("*/*/*.sqlite3"))


def asked(library: Library, *numbers: int) -> None:
    for number in numbers:
        library.index(Scope("guild", str(number)), "default")


def test_indexes_not_used_for_longest_make_room(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.library.ROOM_S", 0.0)
    for number in (1, 2, 3):
        teach(watched, range(2), DatasetKeys(Scope("guild", str(number)), "default"))
    cache = tmp_path / "cache"
    ample = Library(watched, cache)
    asked(ample, 1, 2, 3, 1)
    ample.tidy()
    tight = Library(watched, cache, cache_most=0)
    tight.tidy()
    assert kept(cache) == ["g1", "g2", "g3"]  # they are open
    ample.close()
    small = Library(watched, cache, cache_most=size_of(cache) - 1)
    small.tidy()
    assert kept(cache) == ["g1", "g3"]
    small.close()
    asked(tight, 3)
    assert kept(cache) == ["g3"]
    assert tight.index(Scope("guild", "2"), "default").count().pairs == 2
    assert kept(cache) == ["g2", "g3"]
    with monkeypatch.context() as patched:
        patched.setattr("trainer.library.IDLE_S", 0.0)
        tight.tidy()
    assert kept(cache) == []
    assert tight.index(Scope("guild", "2"), "default").count().pairs == 2
    tight.close()


def test_what_is_in_use_stays_whatever_it_takes(watched: Watched, tmp_path: Path) -> None:
    library = Library(watched, tmp_path / "cache", cache_most=1)
    index = library.index(SCOPE, "default")
    asked(library, 1, 2)
    library.tidy()
    assert kept(tmp_path / "cache") == ["g1", "g2", "g42"]
    assert index.count() == (0, 0, 0)
    library.close()


def test_an_index_that_is_read_all_the_time_is_not_idle(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    monkeypatch.setattr("time.monotonic", lambda: now)
    library = Library(watched, tmp_path / "cache", cache_most=0)
    index = library.index(SCOPE, "default")
    for _ in range(5):
        now += IDLE_S - 1
        assert index.count() == (0, 0, 0)
        now += IDLE_S - 1
        library.tidy()
        assert kept(tmp_path / "cache") == ["g42"]
    now += IDLE_S + 1
    library.tidy()
    assert kept(tmp_path / "cache") == []
    library.close()


def test_a_folder_that_cannot_be_cleared_keeps_nobody_from_asking(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr("trainer.index_folder.shrink", broken)
    library = Library(watched, tmp_path / "cache", cache_most=0)
    assert library.index(SCOPE, "default").count() == (0, 0, 0)
    library.close()


def test_a_hold_is_released_where_an_index_cannot_be_opened(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library(watched, tmp_path / "cache", cache_most=0)

    def fails(*_: object, **__: object) -> None:
        raise OSError("no more files")

    with monkeypatch.context() as patched:
        patched.setattr(IndexFile, "__init__", fails)
        with pytest.raises(OSError, match="no more files"):
            library.index(SCOPE, "default")
    library.index(SCOPE, "default")
    library.close()
    other = Library(watched, tmp_path / "cache", cache_most=0)
    other.tidy()
    assert kept(tmp_path / "cache") == []
    other.close()
