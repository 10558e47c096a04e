"""Paths that people name, and what they lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.adapters.file_store import FileStore
from trainer.ports import ObjectInfo
from trainer.scope import Scope
from trainer.snowflakes import first_of
from trainer.tree import came_at, file_at, files_below, folder_path, original_name_key
from trainer.tree_search import FILES_MOST, REQUESTS_MOST, search

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCOPE = Scope("guild", "42")
NOW = 1_800_000_000.0
NEW = str(first_of(NOW - 60))
OLD = str(first_of(NOW - 400 * 86_400))
SHOWN = (
    f"g42/archives/{NEW}-default.zip",
    f"g42/archives/{OLD}-events.zip",
    "g42/datasets/default/batches/100.json",
    "g42/datasets/default/chunks/100/ab-00000.jsonl",
    "g42/datasets/events/batches/101.json",
    "g42/datasets/события/corrections/5.json",
    "g42/exports/feedback.csv",
    f"g42/originals/{NEW}",
    f"g42/originals/{OLD}",
    "g42/originals/12",
)
HIDDEN = (
    "g42/settings.json",
    "g42/answers/1.json",
    "g42/outcomes/1.outcome.json",
    "g42/unseen/7/1.json",
    "g42/personal/7/1.zip",
    "g42/uploads/7/1.json",
    "g42/votes/1/7.json",
    "g42/datasets/default/journal/1800000000000-batch-100",
    "g42/datasets/default/removed/99",
    "g42/datasets/default/histories/ab/5",
    "g43/archives/1-foreign.zip",
    "g43/originals/5",
    "identity.json",
)


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    made = FileStore(tmp_path / "store")
    for key in (*SHOWN, *HIDDEN):
        made.put(key, key.encode())
    made.put(original_name_key(SCOPE, NEW, "faq.csv"), b"")
    made.put(original_name_key(SCOPE, OLD, "Правила сервера.pdf"), b"")
    return made


def found(store: FileStore, typed: str, **changes: Any) -> list[str]:
    wanted: dict[str, Any] = {"files": True, "most": 25, "now": NOW, "late": lambda: False} | changes
    return [one.path for one in search(store, SCOPE, typed, **wanted)]


# --- by path --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", SHOWN)
def test_what_is_shown_is_found_by_its_path(store: FileStore, key: str) -> None:
    file = file_at(store, SCOPE, key.removeprefix("g42/"))
    assert file is not None
    assert (file.key, file.size) == (key, len(key.encode()))


@pytest.mark.parametrize("key", HIDDEN)
def test_everything_else_is_not_there(store: FileStore, key: str) -> None:
    for path in {key, key.removeprefix("g42/"), f"archives/../{key}", f"archives/../../{key}", f"/{key}", f"./{key}"}:
        assert file_at(store, SCOPE, path) is None


@pytest.mark.parametrize(
    "path",
    ["", " ", "/", ".", "/originals/12", "..", "archives", "originals/..", "originals//12", "originals/12/",
     "archives/", "originals/12/x", "originals\\12", "originals/12\x00", "originals/12\n", "originals/\u202e12",
     "originals/１２", "originals/1\u200b2", "ORIGINALS/12", "originals/*", "originals/12-wrong.csv",
     "originals/-12", "originals/12-",
     "originals/%31%32", "datasets/default", "datasets/default/journal/1800000000000-batch-100",
     "originals/" + "1" * 500,     "exports/\ud800", "exports/" + "é" * 200, "a" * 10_000],
)  # fmt: skip
def test_odd_paths_lead_nowhere(store: FileStore, path: str) -> None:
    assert file_at(store, SCOPE, path) is None


@given(st.text(max_size=60))
def test_no_text_leads_outside(text: str) -> None:
    class Watched:
        def head(self, key: str) -> None:
            assert key.startswith("g42/")
            assert ".." not in key.split("/")

        def list(self, prefix: str) -> Iterator[ObjectInfo]:
            assert prefix.startswith("g42/originals/")
            return iter(())

    watched: Any = Watched()
    for root in ("", "archives/", "originals/", "datasets/"):
        assert file_at(watched, SCOPE, root + text) is None
        assert file_at(watched, SCOPE, root + text + "/../../g43/x") is None


def test_an_upload_is_found_by_its_id_and_shown_by_its_name(store: FileStore) -> None:
    by_id, by_name = file_at(store, SCOPE, f"originals/{NEW}"), file_at(store, SCOPE, f"originals/{NEW}-faq.csv")
    assert by_id == by_name
    assert by_id is not None
    assert (by_id.name, by_id.path) == ("faq.csv", f"originals/{NEW}-faq.csv")
    nameless = file_at(store, SCOPE, "originals/12")
    assert nameless is not None
    assert nameless.name == "12"


def test_a_name_without_its_upload_is_nothing(store: FileStore) -> None:
    store.put(original_name_key(SCOPE, "1", "ghost.csv"), b"")
    store.put(original_name_key(SCOPE, "121", "ghost.csv"), b"")
    assert file_at(store, SCOPE, "originals/1-ghost.csv") is None
    assert [file.path for file in files_below(store, SCOPE, "originals")] == [
        "originals/12",
        *sorted([f"originals/{NEW}-faq.csv", f"originals/{OLD}-Правила сервера.pdf"]),
    ]


def test_composed_and_decomposed_spellings_are_the_same(store: FileStore) -> None:
    store.put("g42/exports/caf\u00e9.csv", b"x")
    assert file_at(store, SCOPE, "exports/cafe\u0301.csv") is not None


def test_folders() -> None:
    assert folder_path("datasets/default/") == "datasets/default"
    assert folder_path("originals") == "originals"
    for path in ("", "/", "originals//", "../originals", "outcomes", "datasets/a/journal", "g42/originals"):
        assert folder_path(path) is None


def test_ids_tell_when_something_came() -> None:
    assert came_at(f"{NEW}-default.zip") == pytest.approx(NOW - 60, abs=1)
    assert came_at(f"{NEW}.json") == pytest.approx(NOW - 60, abs=1)
    assert came_at("100.json") is None
    assert came_at("feedback.csv") is None


# --- while somebody types -------------------------------------------------------------------------------------


def test_at_first_there_are_the_folders(store: FileStore) -> None:
    assert found(store, "") == ["archives/", "datasets/", "exports/", "originals/"]
    assert found(store, "ar") == ["archives/"]
    assert found(FileStore(store._root / "empty"), "") == []


def test_inside_a_folder(store: FileStore) -> None:
    assert found(store, "archives/") == [f"archives/{NEW}-default.zip", f"archives/{OLD}-events.zip"]
    assert found(store, "archives/ev") == [f"archives/{OLD}-events.zip"]
    assert found(store, "datasets/") == ["datasets/default/", "datasets/events/", "datasets/события/"]
    assert found(store, "datasets/default/") == ["datasets/default/batches/", "datasets/default/chunks/"]
    assert found(store, "datasets/default/batches/") == ["datasets/default/batches/100.json"]
    assert found(store, "datasets/default/b") == ["datasets/default/batches/"]
    assert found(store, "datasets/default/journal/") == []


def test_by_name_from_anywhere(store: FileStore) -> None:
    assert found(store, "faq") == [f"originals/{NEW}-faq.csv"]
    assert found(store, "СЕРВ") == [f"originals/{OLD}-Правила сервера.pdf"]
    assert found(store, "events") == ["datasets/events/", f"archives/{OLD}-events.zip"]
    assert found(store, "fedback.csv") == ["exports/feedback.csv"]
    assert found(store, NEW[:6])[0].startswith(("archives/", "originals/"))
    assert found(store, "zzzzzz") == []


def test_folders_alone(store: FileStore) -> None:
    assert found(store, "events", files=False) == ["datasets/events/"]
    assert found(store, "archives/", files=False) == []


@pytest.mark.parametrize(
    "typed", ["../", "/etc/", "outcomes/", "g43/", "archives/../", "\x00", "a\x00/", "datasets/\x07"]
)
def test_odd_things_that_are_typed_find_nothing(store: FileStore, typed: str) -> None:
    assert found(store, typed) == []


def test_it_stops_when_it_is_late_and_after_enough_requests(tmp_path: Path) -> None:
    requests: list[str] = []

    class Counting(FileStore):
        def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectInfo]:
            requests.append(prefix)
            return super().list(prefix, start_after=start_after)

    store = Counting(tmp_path)
    for number in range(2 * REQUESTS_MOST):
        store.put(f"g42/datasets/default/chunks/{number:03}/ab-00000.jsonl", b"x")
    some = found(store, "datasets/default/chunks/", most=100)
    assert 0 < len(some) < 2 * REQUESTS_MOST
    assert len(requests) <= REQUESTS_MOST + 1
    # What is typed is looked for first, wherever it lies.
    assert found(store, f"datasets/default/chunks/{2 * REQUESTS_MOST - 1:03}")[0].endswith(
        f"{2 * REQUESTS_MOST - 1:03}/"
    )
    requests.clear()
    assert found(store, "default", late=lambda: True) == []
    assert len(requests) <= 1


def test_in_a_large_folder_the_latest_are_looked_at_first() -> None:
    old = [f"g42/originals/{first_of(NOW - 90 * 86_400) + n}" for n in range(2 * FILES_MOST)]
    new = [f"g42/originals/{first_of(NOW - 3600 + n)}" for n in range(5)]

    class Large:
        def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectInfo]:
            keys = old + new
            return (ObjectInfo(key, 1, "", NOW) for key in keys if key.startswith(prefix) and key > start_after)

    large: Any = Large()
    best = search(large, SCOPE, "originals/", files=True, most=6, now=NOW, late=lambda: False)
    assert [f"g42/{one.path}" for one in best[:5]] == new[::-1]
    assert len(best) == 6
