"""What every `ObjectStore` promises of objects, keys, conditions and streams, on each adapter and server."""

from __future__ import annotations

import hashlib
import random
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from tests.contract import stores
from trainer.ports import InvalidKey, ObjectNotFound, ObjectStore, PreconditionFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.stores import Site

MIB = 1024 * 1024


@pytest.fixture
def site(store_site: Site) -> Site:
    return store_site


@pytest.fixture
def store(store_site: Site) -> ObjectStore:
    return store_site.store


def keys_of(store: ObjectStore, prefix: str = "", *, start_after: str = "") -> list[str]:
    return [info.key for info in store.list(prefix, start_after=start_after)]


# --- whole objects --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"\0", b"line\r\n" * 3, bytes(range(256)) * 1200], ids=len)
def test_gives_back_what_was_put(site: Site, data: bytes) -> None:
    before = time.time()
    etag = site.store.put("g1/object.bin", data, content_type="text/plain")

    other = site.reopen()
    assert other.get("g1/object.bin") == (data, etag)
    info = other.head("g1/object.bin")
    assert info is not None
    assert (info.key, info.size, info.etag) == ("g1/object.bin", len(data), etag)
    assert before - 5 < info.modified_at < time.time() + 5
    [listed] = other.list("")
    assert listed[:3] == info[:3]
    assert abs(listed.modified_at - info.modified_at) <= 1  # S3 tells whole seconds in one place, parts in another
    with other.open_read("g1/object.bin") as stream:
        assert stream.read() == data


def test_knows_nothing_of_an_object_that_is_not_there(store: ObjectStore) -> None:
    store.put("a/b", b"a directory, as some stores see it, is no object")

    for key in ("missing", "a", "a/b/c", "b/a"):
        assert store.head(key) is None
        with pytest.raises(ObjectNotFound):
            store.get(key)
        with pytest.raises(ObjectNotFound), store.open_read(key):
            pass
        store.delete(key)
    assert keys_of(store) == ["a/b"]


def test_a_new_content_replaces_the_old_one_and_has_another_etag(store: ObjectStore) -> None:
    etags = [store.put("k", data) for data in (b"one", b"two", b"three")]

    assert len(set(etags)) == 3
    assert store.get("k") == (b"three", etags[2])
    assert all('"' not in etag for etag in etags)


def test_deletes_one_object_and_no_other(site: Site) -> None:
    stores.fill(site.store, ["a", "a/b", "a/b/c", "ab"])

    for gone, left in (("a/b", ["a", "a/b/c", "ab"]), ("a", ["a/b/c", "ab"]), ("a/b/c", ["ab"]), ("ab", [])):
        site.store.delete(gone)
        site.store.delete(gone)
        assert keys_of(site.reopen()) == left
        assert site.store.head(gone) is None
    site.store.put("a/b/c", b"again")
    assert site.store.get("a/b/c").data == b"again"


def test_readers_see_an_object_as_it_was_or_as_it_is(site: Site) -> None:
    contents = {hashlib.sha256(data).digest() for data in (b"a" * MIB, b"b" * MIB)}
    site.store.put("k", b"a" * MIB)
    done = threading.Event()

    def write() -> None:
        writer = site.reopen()
        for data in (b"b" * MIB, b"a" * MIB) * 4:
            writer.put("k", data)
        done.set()

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        seen = {}
        while not done.is_set() and not writing.done():
            found = site.store.get("k")
            seen[found.etag] = hashlib.sha256(found.data).digest()
        writing.result()
    assert set(seen.values()) <= contents
    assert len(set(seen.values())) == len(seen)


# --- keys and listings ----------------------------------------------------------------------------------------


def test_keeps_keys_apart_that_look_alike(store: ObjectStore) -> None:
    # One after the other: SeaweedFS loses one of two keys that are written at the same moment when one of them is the
    # other's folder. The product has no such keys.
    for key in stores.TRICKY_KEYS:
        store.put(key, key.encode())

    in_order = sorted(stores.TRICKY_KEYS, key=str.encode)
    assert keys_of(store) == in_order
    for key in stores.TRICKY_KEYS:
        assert store.get(key).data == key.encode()
    for key in random.Random(5).sample(in_order, 12):
        assert keys_of(store, start_after=key) == in_order[in_order.index(key) + 1 :]
    for prefix in ("a", "a/", "a/b", "A", "x", "x.", "s", "s" * 80, "я", "я" * 50, "..", "l/l/", "Д", "nothing/"):
        assert keys_of(store, prefix) == [key for key in in_order if key.startswith(prefix)], prefix


def test_lists_in_order_from_anywhere(store: ObjectStore) -> None:
    keys = stores.small_world()
    stores.fill(store, keys)

    assert keys_of(store) == keys
    choice = random.Random(7)
    bounds = ["", "-", "a/", "a0/", "a-/", "0-", "zzz", *choice.sample(keys, 40)]
    for _ in range(80):
        prefix, after = (
            choice.choice(["", "", "a", "a/", "-", "a-", "0/a", choice.choice(keys)]),
            choice.choice(bounds),
        )
        expected = [key for key in keys if key.startswith(prefix) and key > after]
        assert keys_of(store, prefix, start_after=after) == expected, (prefix, after)
        assert [info.key for info in islice(store.list(prefix, start_after=after), 2)] == expected[:2]


def test_lists_beyond_the_first_thousand(store: ObjectStore) -> None:
    keys = [f"g1/examples/{number:05}.json" for number in range(1100)]
    stores.fill(store, [*keys, "g1/examples.json", "g2/other"])

    assert keys_of(store, "g1/examples/") == keys
    assert keys_of(store, "g1/examples/", start_after=keys[1049]) == keys[1050:]
    assert keys_of(store) == ["g1/examples.json", *keys, "g2/other"]
    assert [info.key for info in islice(store.list("g1/"), 3)] == ["g1/examples.json", *keys[:2]]


def test_a_listing_bears_with_changes_while_it_is_read(store: ObjectStore) -> None:
    stores.fill(store, [f"k/{number}" for number in range(6)])

    seen = []
    for info in store.list("k/"):
        seen.append(info.key)
        store.delete(info.key)
        store.delete("k/4")
        store.put(f"j/{info.key}", b"")
    assert set(seen) >= {"k/0", "k/1", "k/2", "k/3", "k/5"}
    assert seen == sorted(seen)
    assert keys_of(store, "k/") == []


INVALID_KEYS = [
    "",
    "/",
    "/a",
    "a/",
    "a//b",
    ".",
    "../a",
    "a/../b",
    "a\\b",
    "a\nb",
    "\0",
    "e\u0301",
    "\ud800",
    "x" * 201,
]


@pytest.mark.parametrize("key", INVALID_KEYS, ids=ascii)
def test_refuses_keys_that_not_every_store_takes(store: ObjectStore, key: str) -> None:
    uses: list[Callable[[], object]] = [
        lambda: store.get(key),
        lambda: store.open_read(key).__enter__(),
        lambda: store.head(key),
        lambda: store.put(key, b""),
        lambda: store.open_write(key).__enter__(),
        lambda: store.delete(key),
        lambda: store.url(key, expires_s=60, filename="x"),
    ]
    for use in uses:
        with pytest.raises(InvalidKey):
            use()
    assert keys_of(store) == []


@pytest.mark.parametrize("bound", ["\ud800", "x" * 901, "a\0"], ids=ascii)
def test_refuses_bounds_that_no_key_comes_near(store: ObjectStore, bound: str) -> None:
    with pytest.raises(InvalidKey):
        store.list(bound)
    with pytest.raises(InvalidKey):
        store.list("", start_after=bound)


# --- conditional writes ---------------------------------------------------------------------------------------


def test_creates_only_what_is_absent(store: ObjectStore) -> None:
    etag = store.put("k", b"first", if_absent=True)

    with pytest.raises(PreconditionFailed):
        store.put("k", b"second", if_absent=True)
    assert store.get("k") == (b"first", etag)
    store.delete("k")
    store.put("k", b"third", if_absent=True)
    assert store.get("k").data == b"third"


def test_replaces_only_what_was_seen(store: ObjectStore) -> None:
    first = store.put("k", b"first")
    second = store.put("k", b"second", if_match=first)

    assert store.get("k") == (b"second", second)
    for stale in (first, "0" * len(first)):
        with pytest.raises(PreconditionFailed):
            store.put("k", b"lost", if_match=stale)
    assert store.get("k") == (b"second", second)
    store.delete("k")
    with pytest.raises(PreconditionFailed):
        store.put("k", b"lost", if_match=second)
    with pytest.raises(PreconditionFailed):
        store.put("never/there", b"lost", if_match=second)
    assert keys_of(store) == []


def test_one_of_many_creators_wins(site: Site) -> None:
    together = threading.Barrier(8)

    def create(number: int) -> str | None:
        own = site.reopen()
        together.wait(30)
        try:
            return own.put("k", b"%d" % number, if_absent=True)
        except PreconditionFailed:
            return None

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(create, range(8)))
    winners = [number for number, etag in enumerate(results) if etag is not None]
    assert len(winners) == 1
    assert site.store.get("k") == (b"%d" % winners[0], results[winners[0]])


def test_compare_and_swap_loses_no_update(site: Site) -> None:
    site.store.put("counter", b"0")

    def count(_: int) -> None:
        own = site.reopen()
        for _ in range(5):
            while True:
                found = own.get("counter")
                try:
                    own.put("counter", b"%d" % (int(found.data) + 1), if_match=found.etag)
                except PreconditionFailed:
                    continue
                break

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(4)))
    assert site.store.get("counter").data == b"20"


# --- streams --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pieces", [[], [b""], [b"one"], [b"ab"] * 1000, [b"x" * (8 * MIB)], [b"y" * (5 * MIB)] * 2])
def test_a_written_stream_appears_whole_at_the_end(site: Site, pieces: list[bytes]) -> None:
    with site.store.open_write("k", content_type="text/plain") as stream:
        for piece in pieces:
            assert stream.write(piece) == len(piece)
        assert site.reopen().head("k") is None
    assert stream.closed
    whole = b"".join(pieces)
    found = site.reopen().get("k")
    assert found.data == whole
    info = site.store.head("k")
    assert info is not None
    assert (info.size, info.etag) == (len(whole), found.etag)


@pytest.mark.parametrize("size", [10, 9 * MIB])
def test_a_failed_block_leaves_what_was_there(store: ObjectStore, size: int) -> None:
    def fail(key: str) -> None:
        with store.open_write(key) as stream:
            stream.write(b"x" * size)
            raise ZeroDivisionError

    store.put("k", b"before")
    for key in ("k", "new"):
        with pytest.raises(ZeroDivisionError):
            fail(key)
    assert store.get("k").data == b"before"
    assert keys_of(store) == ["k"]


@pytest.mark.parametrize("size", [10, 9 * MIB])
def test_a_stream_creates_only_what_is_absent(store: ObjectStore, size: int) -> None:
    def create(key: str, meanwhile: Callable[[], object]) -> None:
        with store.open_write(key, if_absent=True) as stream:
            stream.write(b"x" * size)
            meanwhile()

    create("k", lambda: None)
    first = store.head("k")
    with pytest.raises(PreconditionFailed):
        create("k", lambda: None)
    with pytest.raises(PreconditionFailed):
        create("j", lambda: store.put("j", b"came first"))
    assert store.head("k") == first
    assert store.get("j").data == b"came first"


def test_a_block_may_close_its_stream(store: ObjectStore) -> None:
    with store.open_write("k") as stream:
        stream.write(b"text")
        stream.close()
    assert store.get("k").data == b"text"
    with store.open_read("k") as reading:
        assert reading.read(2) == b"te"
        reading.close()


def test_streams_take_constant_memory(store: ObjectStore) -> None:
    size, piece = 20 * MIB, random.Random(1).randbytes(64 * 1024)
    tracemalloc.start()
    try:
        with store.open_write("big") as stream:
            for _ in range(size // len(piece)):
                stream.write(piece)
        digest, length = hashlib.sha256(), 0
        with store.open_read("big") as reading:
            while chunk := reading.read(100_000):
                digest.update(chunk)
                length += len(chunk)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert length == size
    assert digest.digest() == hashlib.sha256(piece * (size // len(piece))).digest()
    assert peak < 12 * MIB
