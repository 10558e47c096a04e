"""Counting requests to the store: every verb, pages, refusals, and the folder that a key is of."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from bench import store_requests
from bench.store_requests import CountingStore, Requested, folder_of, total
from trainer.adapters.file_store import FileStore
from trainer.ports import ObjectNotFound, PreconditionFailed

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> CountingStore:
    return CountingStore(FileStore(tmp_path / "store"))


def test_every_verb_is_counted_and_done(store: CountingStore) -> None:
    etag = store.put("g1/answers/5.json", b"one", if_absent=True)
    assert store.get("g1/answers/5.json") == (b"one", etag)
    with store.open_read("g1/answers/5.json") as stream:
        assert stream.read() == b"one"
    assert store.head("g1/answers/6.json") is None
    with store.open_write("g1/originals/7") as stream:
        stream.write(b"two")
    assert [info.key for info in store.list("g1/")] == ["g1/answers/5.json", "g1/originals/7"]
    store.delete("g1/originals/7")
    assert store.counts == {
        Requested("PUT", "answers"): 1,
        Requested("GET", "answers"): 2,
        Requested("HEAD", "answers"): 1,
        Requested("PUT", "originals"): 1,
        Requested("LIST", "g1"): 1,
        Requested("DELETE", "originals"): 1,
    }
    assert total(store.counts, "GET", "HEAD") == 3


def test_what_fails_was_a_request_too(store: CountingStore) -> None:
    with pytest.raises(ObjectNotFound):
        store.get("g1/a/1")
    store.put("g1/a/1", b"")
    with pytest.raises(PreconditionFailed):
        store.put("g1/a/1", b"", if_absent=True)
    assert total(store.counts, "GET") == 1
    assert total(store.counts, "PUT") == 2
    assert total(store.counts, "refused PUT") == 1


@pytest.fixture
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    assert store_requests.PAGE == 1_000
    monkeypatch.setattr(store_requests, "PAGE", 10)


@pytest.mark.usefixtures("short_pages")
@pytest.mark.parametrize(("objects", "pages"), [(0, 1), (1, 1), (10, 1), (11, 2), (20, 2), (25, 3)])
def test_a_listing_is_a_request_for_each_page(store: CountingStore, objects: int, pages: int) -> None:
    for number in range(objects):
        store.put(f"g1/a/{number}", b"")
    before = store.counts
    assert sum(1 for _ in store.list("g1/a/")) == objects
    assert store.counts - before == {Requested("LIST", "a"): pages}


@pytest.mark.usefixtures("short_pages")
def test_pages_that_nobody_takes_are_not_asked_for(store: CountingStore) -> None:
    for number in range(11):
        store.put(f"g1/a/{number}", b"")
    listing = store.list("g1/a/")
    assert total(store.counts, "LIST") == 0
    assert len(list(islice(listing, 10))) == 10
    assert total(store.counts, "LIST") == 1
    assert len(list(listing)) == 1
    assert total(store.counts, "LIST") == 2


def test_requests_can_be_made_to_take_longer(tmp_path: Path) -> None:
    store = CountingStore(FileStore(tmp_path), delay_s=0.02)
    began = time.monotonic()
    store.put("g1/a/1", b"")
    store.get("g1/a/1")
    assert time.monotonic() - began >= 0.04


def test_several_threads_are_counted_exactly(store: CountingStore) -> None:
    store.put("g1/a/1", b"")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(store.get, ["g1/a/1"] * 400))
    assert total(store.counts, "GET") == 400


@pytest.mark.parametrize(
    ("key", "folder"),
    [
        ("g1/answers/5.json", "answers"),
        ("g1/settings.json", "settings"),
        ("g1/limits/7.json", "limits"),
        ("g1/limits/all.json", "limits/all"),
        ("g1/datasets/faq/journal/", "datasets/journal"),
        ("g1/datasets/faq/batches/5.json", "datasets/batches"),
        ("g1/datasets/", "datasets"),
        ("identity.json", "identity.json"),
        ("", "(all)"),
    ],
)
def test_the_folder_of_a_key(key: str, folder: str) -> None:
    assert folder_of(key) == folder
