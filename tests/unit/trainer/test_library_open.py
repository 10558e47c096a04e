"""What indexes hold while they are open, and how they are closed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.unit.trainer.test_library import (
    BEGIN_MS,
    KEYS,
    SCOPE,
    Watched,
    batch_id,
    questions,
    teach,
    texts_of,
    withdraw,
)
from trainer import index_folder
from trainer.datasets import DatasetKeys
from trainer.library import ROOM_S, Library
from trainer.scope import Scope

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path / "store")


def test_many_that_are_in_use_at_once_hold_few_files(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.library.OPEN_MOST", 2)
    library = Library(watched, tmp_path / "cache")
    indexes = [library.index(Scope("guild", str(number)), "default") for number in range(1, 9)]
    connected = [bool(index._file._readers) for index in indexes]
    assert connected == [False] * 6 + [True] * 2
    teach(watched, range(3), DatasetKeys(Scope("guild", "1"), "default"))
    assert library.index(Scope("guild", "1"), "default") is indexes[0]
    assert [index.count().pairs for index in indexes] == [3] + [0] * 7, "what somebody still has in hand can be read"
    library.index(Scope("guild", "8"), "default")
    assert [bool(index._file._readers) for index in indexes] == [True] + [False] * 6 + [True]
    library.close()


def test_nobody_waits_for_whoever_writes_to_an_index_that_is_closed(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    teach(watched, range(3))
    library, other = Library(watched, tmp_path / "cache"), Library(watched, tmp_path / "cache")
    library.index(SCOPE, "default")
    withdraw(watched, 1)
    watched.put(KEYS.entry(BEGIN_MS + 60_000 * 5, "removal", batch_id(1)), b"")
    assert texts_of(library) == texts_of(other) == questions(0, 2)
    monkeypatch.setattr("trainer.library.OPEN_MOST", 1)
    monkeypatch.setattr("trainer.library.IDLE_S", 0.0)
    caplog.set_level("INFO", "trainer.library")
    with other.index(SCOPE, "default").transaction():
        library.index(Scope("guild", "1"), "default")
    assert [vars(record)["error"] for record in caplog.records if record.message == "index not tidied"] == [
        "IndexBusy"
    ]
    assert other.tidy() == 1
    for one in (library, other):
        one.close()


def test_the_folder_is_not_gone_through_for_each_index_that_is_opened(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, looks = time.monotonic(), list[float]()
    monkeypatch.setattr("time.monotonic", lambda: now)

    def size_of(folder: Path) -> int:
        looks.append(now)
        return size(folder)

    size = index_folder.size_of
    monkeypatch.setattr(index_folder, "size_of", size_of)
    library = Library(watched, tmp_path / "cache")
    for number in range(1, 5):
        library.index(Scope("guild", str(number)), "default")
    assert looks == [now]
    library.tidy()
    assert looks == [now, now]
    now += ROOM_S
    library.index(SCOPE, "default")
    assert looks == [now - ROOM_S, now - ROOM_S, now]
    library.close()
