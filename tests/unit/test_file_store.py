"""What the folder alone promises: order by directories, files of others, left-overs, failing disks."""

from __future__ import annotations

import errno
import logging
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.stores import fill, small_world
from tests.unit.test_file_names import KEYS
from trainer.adapters import file_store
from trainer.adapters.file_names import object_path
from trainer.adapters.file_store import FileStore
from trainer.ports import ObjectNotFound, PreconditionFailed, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "store")


def object_file(store: FileStore, key: str) -> Path:
    return store._objects.joinpath(*object_path(key))


# --- listings ------------------------------------------------------------------------------------------------


@given(st.sets(KEYS, max_size=12), KEYS | st.just(""), KEYS | st.just(""), st.integers(0, 6))
# Each example writes files: how long that takes is the disk's matter.
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_lists_any_keys_in_order(keys: set[str], prefix: str, after: str, cut: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        store = FileStore(Path(directory))
        fill(store, keys)
        for part in {prefix, prefix[:cut]}:
            expected = sorted(
                (key for key in keys if key.startswith(part) and key.encode() > after.encode()), key=str.encode
            )
            assert [info.key for info in store.list(part, start_after=after)] == expected


def test_the_longest_and_deepest_keys_fit(store: FileStore) -> None:
    keys = ["a/" * 449 + "ab", "/".join(["Я" * 89] * 5), "S" * 200 + "/" + "S" * 200]
    fill(store, keys)
    assert [info.key for info in store.list("")] == sorted(keys, key=str.encode)
    for key in keys:
        store.delete(key)
    assert list(store._objects.iterdir()) == []


def test_a_small_world_is_listed_in_order(store: FileStore) -> None:
    keys = small_world()
    fill(store, keys)
    for prefix in ["", *keys[::5]]:
        for after in ["", *keys[::7]]:
            expected = [key for key in keys if key.startswith(prefix) and key > after]
            assert [info.key for info in store.list(prefix, start_after=after)] == expected


def test_reads_only_the_directories_that_it_needs(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store, [f"g{guild}/{folder}/{number}" for guild in range(3) for folder in "ab" for number in range(2)])
    listed: list[str] = []
    real = os.listdir

    def listdir(path: Path) -> list[str]:
        listed.append(str(path.relative_to(store._objects)))
        return real(path)

    monkeypatch.setattr("trainer.adapters.file_store.os.listdir", listdir)

    def keys(prefix: str, start_after: str, count: int) -> list[str]:
        listed.clear()
        found = store.list(prefix, start_after=start_after)
        return [info.key for info, _ in zip(found, range(count), strict=False)]

    assert keys("", "", 1) == ["g0/a/0"]
    assert listed == [".", "d.g0", "d.g0/d.a"]
    assert keys("g1/b/", "", 9) == ["g1/b/0", "g1/b/1"]
    assert listed == ["d.g1/d.b"]
    assert keys("g", "g2/a/1", 9) == ["g2/b/0", "g2/b/1"]
    assert listed == [".", "d.g2", "d.g2/d.a", "d.g2/d.b"]
    assert keys("g1/b", "g1/b/0", 9) == ["g1/b/1"]
    assert listed == ["d.g1", "d.g1/d.b"]


# --- what others may leave in the folder ----------------------------------------------------------------------


def test_files_of_others_are_not_objects(store: FileStore, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    etag = store.put("good", b"x")
    for name in (".DS_Store", "notes.txt", "o.A", "o.%0a", "o.%ff"):
        object_file(store, "good").with_name(name).write_bytes(object_file(store, "good").read_bytes())

    [found] = store.list("")
    assert (found.key, found.etag) == ("good", etag)
    assert caplog.records == []
    object_file(store, "good").with_name("d.file").write_bytes(b"not a directory")
    with pytest.raises(StoreUnavailable, match="ENOTDIR"):
        list(store.list(""))
    with pytest.raises(StoreUnavailable, match="ENOTDIR"):
        store.get("file/x")


@pytest.mark.parametrize("content", [b"", b"text", b"trainger-object 1 " + b"0" * 64 + b" " + b"0" * 18 + b"5\nabc"])
def test_a_damaged_file_hides_no_other(store: FileStore, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    fill(store, ["a", "secret-name", "z"])
    object_file(store, "secret-name").write_bytes(content)

    assert [info.key for info in store.list("")] == ["a", "z"]
    assert "damaged" in caplog.text
    assert "secret-name" not in caplog.text
    damaged: list[Callable[[], object]] = [
        lambda: store.get("secret-name"),
        lambda: store.head("secret-name"),
        lambda: store.put("secret-name", b"", if_absent=True),
    ]
    for use in damaged:
        with pytest.raises(StoreUnavailable, match="damaged"):
            use()
    store.put("secret-name", b"written anew")
    assert [info.key for info in store.list("")] == ["a", "secret-name", "z"]


def test_left_overs_are_removed_once_nobody_writes_them(store: FileStore) -> None:
    store.ping()
    dead, young = store._staging / "dead.tmp", store._staging / "young.tmp"
    for path in (dead, young):
        path.write_bytes(b"half")
    long_ago = time.time() - 2 * file_store.LEFT_OVER_S
    os.utime(dead, (long_ago, long_ago))

    with store.open_write("slow") as stream:
        [alive] = set(store._staging.iterdir()) - {dead, young}
        os.utime(alive, (long_ago, long_ago))
        FileStore(store._root).ping()
        assert set(store._staging.iterdir()) == {alive, young}
        stream.write(b"in time")
    assert store.get("slow").data == b"in time"
    assert list(store._staging.iterdir()) == [young]


def test_a_failing_disk_is_named_but_no_path(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put("private", b"before")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device", "/data/private")

    monkeypatch.setattr("trainer.adapters.file_objects.os.write", full)
    with pytest.raises(StoreUnavailable, match=r"ENOSPC$") as raised:
        store.put("private", b"after")
    assert raised.value.__suppress_context__

    def stream() -> None:
        with store.open_write("private") as writing:
            writing.write(b"x" * 1_000_000)

    with pytest.raises(StoreUnavailable, match=r"ENOSPC$"):
        stream()
    monkeypatch.undo()
    assert store.get("private").data == b"before"
    assert list(store._staging.iterdir()) == []


def test_directories_come_and_go_while_others_write(store: FileStore) -> None:
    store.ping()
    stop = threading.Event()

    def churn(number: int) -> None:
        own = FileStore(store._root)
        while not stop.is_set():
            own.put(f"deep/er/and/deeper/{number}", b"x")
            own.delete(f"deep/er/and/deeper/{number}")

    threads = [threading.Thread(target=churn, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    try:
        for number in range(60):
            store.put("deep/er/and/deeper/mine", b"%d" % number)
            assert store.get("deep/er/and/deeper/mine").data == b"%d" % number
            store.delete("deep/er/and/deeper/mine")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert list(store.list("")) == []
    assert list(store._objects.iterdir()) == []


def test_asking_makes_no_folder(store: FileStore) -> None:
    with pytest.raises(ObjectNotFound):
        store.get("k")
    assert not store._root.exists()
    store.delete("k")
    assert list(store.list("")) == []
    assert not store._root.exists()
    with pytest.raises(PreconditionFailed):
        store.put("k", b"", if_match="etag")
    assert not store._root.exists()


def test_without_locks_it_does_not_write(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    store.put("k", b"before")
    monkeypatch.setattr("trainer.adapters.file_objects.fcntl.flock", unsupported)
    with pytest.raises(StoreUnavailable, match="ENOLCK"):
        store.put("k", b"after")
    assert store.get("k").data == b"before"
    assert list(store._staging.iterdir()) == []


@pytest.mark.parametrize("times", [3, 10**6])
def test_a_directory_that_vanishes_is_made_again(
    store: FileStore, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    real, left = Path.replace, times

    def replace(path: Path, target: Path) -> Path:
        nonlocal left
        if left:
            left -= 1
            target.parent.rmdir()
        return real(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    if times > file_store.PLACING_ATTEMPTS:
        with pytest.raises(StoreUnavailable, match="ENOENT"):
            store.put("a/b", b"x")
        assert store.head("a/b") is None
    else:
        store.put("a/b", b"x")
        assert store.get("a/b").data == b"x"
