"""An export in parts: each opens by itself, none is too large, and together they are the whole."""

from __future__ import annotations

import io
import random
import zipfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.trainer.people import ADA, BOB, SERVER
from trainer.adapters.file_store import FileStore
from trainer.datasets import personal_key
from trainer.person_parts import PART_LEAST, PARTS_MOST, Split, parts_of, plan, split

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ID = "1574161436840558592"


def noise(size: int, seed: int = 1) -> bytes:
    """Bytes that cannot be packed."""
    return random.Random(seed).randbytes(size)


def whole(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data in files.items():
            bundle.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def put(store: FileStore, files: Mapping[str, bytes]) -> None:
    store.put(personal_key(SERVER, ADA.user_id, f"{ID}.zip"), whole(files))


def joined(store: FileStore, done: Split, most: int) -> dict[str, bytes]:
    """What is in the parts, with pieces put behind each other, as people do."""
    found: dict[str, bytes] = {}
    for at, part in enumerate(done.parts, start=1):
        data = store.get(part.key).data
        assert (part.number, part.of, part.size) == (at, len(done.parts), len(data))
        assert len(data) <= most
        with zipfile.ZipFile(io.BytesIO(data)) as bundle:
            assert bundle.testzip() is None
            for name in bundle.namelist():
                assert name not in found
                found[name] = bundle.read(name)
    pieces = sorted(name for name in found if name.rpartition(".")[2].isdecimal())
    for name in pieces:
        first = name.rpartition(".")[0]
        found[first] = found.get(first, b"") + found.pop(name)
    return found


def test_files_stay_whole_where_they_fit(store: FileStore) -> None:
    files = {f"answers/{number}.json": noise(1500, number) for number in range(10)}
    put(store, files)
    done = split(store, ADA, ID, 5_000)
    assert done is not None
    assert not done.cut
    assert 3 < len(done.parts) < 10
    assert joined(store, done, 5_000) == files


def test_what_no_part_can_hold_is_cut(store: FileStore) -> None:
    files = {"a.json": b"{}", "files/1-наш фильм.mp4": noise(20_000), "z.json": b"[]"}
    put(store, files)
    done = split(store, ADA, ID, 5_000)
    assert done is not None
    assert done.cut
    assert joined(store, done, 5_000) == files
    with zipfile.ZipFile(io.BytesIO(store.get(done.parts[1].key).data)) as bundle:
        assert bundle.namelist() == ["files/1-наш фильм.mp4.001"]


def test_what_packs_well_is_not_cut(store: FileStore) -> None:
    files = {"chunks/1.jsonl": b"word " * 100_000, "a.bin": noise(4_000)}
    put(store, files)
    done = split(store, ADA, ID, 5_000)
    assert done is not None
    assert not done.cut
    assert joined(store, done, 5_000) == files


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.tuples(st.integers(0, 30_000), st.booleans()), min_size=1, max_size=12),
    most=st.integers(PART_LEAST, 40_000),
)
def test_any_export_is_whole_in_its_parts(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[tuple[int, bool]], most: int
) -> None:
    store = FileStore(tmp_path_factory.mktemp("store"))
    files = {
        f"f{number}/файл": noise(size, number) if noisy else b"ab" * (size // 2)
        for number, (size, noisy) in enumerate(sizes)
    }
    put(store, files)
    done = split(store, ADA, ID, most)
    assert done is None or joined(store, done, most) == files
    assert done is not None or sum(size for size, _ in sizes) > most * PARTS_MOST / 2


def test_a_second_delivery_finds_the_first_ones(store: FileStore) -> None:
    put(store, {f"{number}": noise(3000, number) for number in range(4)})
    first = split(store, ADA, ID, 5_000)
    assert first is not None
    before = {part.key: store.get(part.key).etag for part in first.parts}
    store.delete(first.parts[-1].key)  # as if it had died before the last
    assert parts_of(store, ADA, ID) == []
    assert split(store, ADA, ID, 5_000) == first
    assert {key: store.get(key).etag for key in before if key != first.parts[-1].key}.items() <= before.items()


def test_parts_are_the_persons_own(store: FileStore) -> None:
    put(store, {f"{number}": noise(3000, number) for number in range(4)})
    assert split(store, ADA, ID, 5_000) is not None
    assert parts_of(store, ADA, ID)
    assert parts_of(store, BOB, ID) == []
    assert parts_of(store, ADA, ID[:-1]) == []


def test_too_small_and_too_many_are_no_parts(store: FileStore) -> None:
    put(store, {"a": noise(PARTS_MOST * PART_LEAST)})
    assert split(store, ADA, ID, PART_LEAST - 1) is None
    assert split(store, ADA, ID, PART_LEAST) is None
    assert parts_of(store, ADA, ID) == []


def test_nothing_is_planned_for_nothing() -> None:
    assert list(plan([], 10_000)) == []


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path)
