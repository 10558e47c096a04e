"""Files that are no archives, and zips that only look like one."""

from __future__ import annotations

import io
import json
import struct
import tracemalloc
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.trainer.archives import (
    ADA,
    NOW,
    SCOPE,
    Files,
    archive_of,
    batch,
    bring_back,
    contents,
    correction,
    counted,
    example,
    make,
    pair,
    wipe,
    zip_of,
)
from trainer import archive_verify
from trainer.archive_format import MANIFEST, ArchiveRefused
from trainer.archive_restore import restored_key
from trainer.batches import Origin
from trainer.training import Training

if TYPE_CHECKING:
    from pathlib import Path

    from trainer.adapters.file_store import FileStore
    from trainer.library import Library


pytestmark = pytest.mark.usefixtures("_small_chunks")


@pytest.mark.parametrize("data", [b"", b"PK", b"Q: a A: b", b"%PDF-1.7", b"PK\x03\x04" + bytes(100)])
def test_other_files_are_not_archives(store: FileStore, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    assert bring_back(store, path) is None


@pytest.mark.parametrize(
    "files",
    [
        {"word/document.xml": b"<a/>"},
        {"trainger.json": b'{"format": "another"}'},
        {"trainger.json": b"{}", "x": b""},
    ],
)
def test_other_zips_are_not_archives(store: FileStore, tmp_path: Path, files: Files) -> None:
    assert bring_back(store, zip_of(tmp_path, files)) is None


def refused(store: FileStore, path: Path, reason: str) -> None:
    with pytest.raises(ArchiveRefused) as refusal:
        bring_back(store, path)
    assert refusal.value.reason == reason
    assert [info.key for info in store.list("g42/datasets/")] == []
    assert store.head(restored_key(SCOPE, "901")) is None


BATCH = "datasets/default/batches/100.json"
CORRECTION = "datasets/default/corrections/300.json"


def test_a_proper_one_made_elsewhere_is_taken(store: FileStore, tmp_path: Path) -> None:
    files = {BATCH: json.dumps(batch()).encode(), CORRECTION: json.dumps(correction()).encode()}
    told = bring_back(store, archive_of(tmp_path, files))
    assert told is not None
    assert (told.examples, told.corrections) == (1, 1)
    assert counted(store, tmp_path) == (1, 0, 1)


@pytest.mark.parametrize(
    "name",
    [
        "datasets/default/batches/901.json",  # as young as what restores it
        "datasets/default/batches/9999999999999999999.json",
        "datasets/default/batches/0100.json",
        "datasets/default/batches/../../../g43/x.json",
        "datasets/default/batches/100.json/x",
        "datasets/default/journal/1800000000000-batch-100",
        "datasets/default/settings.json",
        "datasets/other/batches/100.json",
        "../g43/datasets/default/batches/100.json",
        "/datasets/default/batches/100.json",
        "datasets\\default\\batches\\100.json",
        "g42/settings.json",
        "datasets/default/batches/",
    ],
)
def test_members_that_are_none_of_a_dataset(store: FileStore, tmp_path: Path, name: str) -> None:
    refused(store, archive_of(tmp_path, {name: json.dumps(batch()).encode()}), "altered")


@pytest.mark.parametrize(
    "record",
    [
        b"{}",
        b"[]",
        b"{",
        b"\xff",
        b"[" * 100_000,
        batch(id="101"),
        batch(author="nobody"),
        batch(created_at=1e300),
        batch(created_at=-1),
        batch(report={"pairs": 2}),
        batch(report={"pairs": 1, "rejected": -1}),
        batch(report={"pairs": 1, "duplicates": 10**15}),
        batch(origin={"kind": "file", "name": "x" * 201}),
        batch(origin={"kind": "file", "name": "a\nb"}),
        batch(refusal="because"),
        batch(refusal_detail="x" * 101),
        batch(examples=[example("", "a")]),
        batch(examples=[example("q", "")]),
        batch(examples=[example("q" * 2001, "a")]),
        batch(examples=[example("\0", "a")]),
        batch(rejections=[{"place": {"unit": "row", "number": 1}, "reason": "empty", "field": "x" * 101}]),
        batch(chunks=["g42/datasets/default/chunks/100/ab-00000.jsonl"]),
        batch(examples=[], chunks=["g42/datasets/default/chunks/100/ab-00000.jsonl"]),  # it is not there
        batch(examples=[], chunks=["g42/datasets/default/chunks/99/ab-00000.jsonl"]),
        batch(examples=[], chunks=["g42/datasets/default/chunks/100/../../../settings.json"]),
        batch(examples=[], chunks=["g42/answers/1.json"]),
        batch(examples=[], chunks=["g43/datasets/default/chunks/100/ab-00000.jsonl"]),
        batch(examples=[], chunks=["chunks/100/ab-00000.jsonl"]),
        batch(examples=[], chunks=["g42/datasets/default/chunks/100/ab-rejections.jsonl"]),
        batch(rejections_key="g42/datasets/default/chunks/100/ab-00000.jsonl"),
        batch(rejections_key="g42/settings.json"),
    ],
)  # fmt: skip
def test_forged_batches(store: FileStore, tmp_path: Path, record: dict[str, Any] | bytes) -> None:
    data = record if isinstance(record, bytes) else json.dumps(record).encode()
    refused(store, archive_of(tmp_path, {BATCH: data}), "altered")


@pytest.mark.parametrize(
    "record",
    [
        correction(id="301"),
        correction(answer_id="../settings"),
        correction(question=""),
        correction(right=""),
        correction(right="x" * 20_001),
        correction(author="@everyone"),
        correction(created_at=1e12),
    ],
)
def test_forged_corrections(store: FileStore, tmp_path: Path, record: dict[str, Any]) -> None:
    refused(store, archive_of(tmp_path, {CORRECTION: json.dumps(record).encode()}), "altered")


@pytest.mark.parametrize(
    ("folder", "record"),
    [
        ("verdicts", {"correction_id": "301", "approved": True, "by": "7", "decided_at": NOW}),
        ("verdicts", {"correction_id": "300", "approved": True, "by": "x", "decided_at": NOW}),
        ("undone", {"correction_id": "300", "by": "7", "undone_at": -5}),
        ("undone", {"correction_id": "300", "by": "", "undone_at": NOW}),
    ],
)
def test_forged_decisions(store: FileStore, tmp_path: Path, folder: str, record: dict[str, Any]) -> None:
    data = json.dumps(record).encode()
    refused(store, archive_of(tmp_path, {f"datasets/default/{folder}/300.json": data}), "altered")


@pytest.mark.parametrize(
    "marks",
    [
        b"removed/901\n",
        b"journal/1\n",
        b"removed/../x\n",
        b"histories/zz/300\n",
        b"removed/1\n\nremoved/2\n",
        b"\xff",
    ],
)
def test_forged_marks(store: FileStore, tmp_path: Path, marks: bytes) -> None:
    reason = "damaged" if marks == b"\xff" else "altered"
    refused(store, archive_of(tmp_path, {"datasets/default/marks.txt": marks}), reason)


def test_marks_of_what_is_not_in_the_archive_are_left_out(store: FileStore, library: Library, tmp_path: Path) -> None:
    """A mark keeps something away for good: here what is taught at this moment, and what a proper archive has."""
    Training(store, library).train(ADA, "101", "default", Origin("text"), [pair(1)], lambda _: None)
    proper = tmp_path / "proper.zip"
    proper.write_bytes(store.get(make(store).key).data)
    wipe(store)
    marks = "".join(f"removed/{number}\n" for number in (100, 101, 102)) + "histories/00ff00ff/102\n"
    files = {BATCH: json.dumps(batch()).encode(), "datasets/default/marks.txt": marks.encode()}
    told = bring_back(store, archive_of(tmp_path, files))
    assert told is not None
    assert told.examples == 0  # its own batch was taken back when it was made, and stays so
    assert sorted(name for name in contents(store) if "batches" not in name) == ["removed/100"]
    Training(store, library).train(ADA, "102", "default", Origin("text"), [pair(2)], lambda _: None)
    told = bring_back(store, proper, interaction="902")
    assert told is not None
    assert (told.examples, told.removed) == (1, 0)
    assert counted(store, tmp_path) == (2, 0, 0)


def test_marks_take_nothing_away_that_is_there(store: FileStore, library: Library, tmp_path: Path) -> None:
    Training(store, library).train(ADA, "100", "default", Origin("text"), [pair(1)], lambda _: None)
    files = {BATCH: json.dumps(batch()).encode(), "datasets/default/marks.txt": b"removed/100\n"}
    assert bring_back(store, archive_of(tmp_path, files)) is not None
    assert not list(store.list("g42/datasets/default/removed/"))
    assert counted(store, tmp_path) == (1, 0, 0)


CHUNK_FILE = "datasets/default/chunks/100/ab-00000.jsonl"
REJECTIONS_FILE = "datasets/default/chunks/100/ab-rejections.jsonl"


@pytest.mark.parametrize(
    ("name", "lines", "reason"),
    [
        (CHUNK_FILE, b"{}\n", "altered"),
        (CHUNK_FILE, json.dumps(example()).encode() * 2, "altered"),
        (CHUNK_FILE, (json.dumps(example()) + "\n").encode() * 2, "altered"),  # two for one
        (CHUNK_FILE, b"x" * (1 << 20) + b"x" * 10, "too_large"),
        (REJECTIONS_FILE, b"{}\n", "altered"),
    ],
)
def test_forged_chunks(store: FileStore, tmp_path: Path, name: str, lines: bytes, reason: str) -> None:
    keys = {CHUNK_FILE: "chunks", REJECTIONS_FILE: "rejections_key"}
    changes: dict[str, Any] = {"chunks": [f"g42/{name}"], "examples": []} if keys[name] == "chunks" else {}
    record = batch(**changes or {"rejections_key": f"g42/{name}"})
    refused(store, archive_of(tmp_path, {BATCH: json.dumps(record).encode(), name: lines}), reason)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"v": 2}, "newer"),
        ({"what": "files"}, "files"),
        ({"what": "anything"}, "altered"),
        ({"dataset": "../other"}, "altered"),
        ({"dataset": "Default"}, "altered"),
        ({"scope": "g42/../g43"}, "altered"),
        ({"members": []}, "altered"),
        ({"members": [{"name": BATCH, "size": 1, "sha256": "0" * 64}]}, "altered"),
        ({"members": None}, "altered"),
    ],
)
def test_manifests_that_are_not_right(store: FileStore, tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    refused(store, archive_of(tmp_path, {BATCH: json.dumps(batch()).encode()}, **changes), reason)


def test_a_wrong_hash(store: FileStore, tmp_path: Path) -> None:
    data = json.dumps(batch()).encode()
    members = [{"name": BATCH, "size": len(data), "sha256": "0" * 64}]
    refused(store, archive_of(tmp_path, {BATCH: data}, members=members), "altered")


def test_a_name_that_is_there_twice(store: FileStore, tmp_path: Path) -> None:
    path = archive_of(tmp_path, {BATCH: json.dumps(batch()).encode()})
    with zipfile.ZipFile(path, "a") as zipped, pytest.warns(UserWarning, match="Duplicate"):
        zipped.writestr(BATCH, json.dumps(batch()))
    refused(store, path, "altered")


@pytest.fixture
def genuine(tmp_path: Path, library: Library, store: FileStore) -> bytes:
    """The bytes of an archive, with nothing left in the store."""
    Training(store, library).train(ADA, "100", "default", Origin("text"), [pair(1)], lambda _: None)
    data = store.get(make(store).key).data
    wipe(store)
    return data


def test_every_truncation(store: FileStore, tmp_path: Path, genuine: bytes) -> None:
    path = tmp_path / "cut.zip"
    for length in [*range(0, len(genuine), 37), len(genuine) - 1]:
        path.write_bytes(genuine[:length])
        if length < 60:  # not even the first name is there
            assert bring_back(store, path) is None
        else:
            refused(store, path, "damaged")


def test_every_flipped_byte_is_noticed_or_harmless(store: FileStore, tmp_path: Path, genuine: bytes) -> None:
    path = tmp_path / "flipped.zip"
    refusals = 0
    for at in range(0, len(genuine), 5):
        path.write_bytes(genuine[:at] + bytes([genuine[at] ^ 0x55]) + genuine[at + 1 :])
        try:
            told = bring_back(store, path)
        except ArchiveRefused:
            refusals += 1
            assert list(store.list("g42/datasets/")) == []
            continue
        if told is not None:
            assert counted(store, tmp_path / str(at)) == (1, 0, 0)
        wipe(store)
        wipe(store, "g42/restored/")
    assert refusals > 50


def test_bombs(store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = archive_of(tmp_path, {CHUNK_FILE: b" " * (16 << 20)})
    assert bomb.stat().st_size < 1 << 20
    refused(store, bomb, "too_large")
    monkeypatch.setattr(archive_verify, "TOTAL_MOST", 1000)
    refused(store, archive_of(tmp_path, {BATCH: json.dumps(batch()).encode() + b" " * 1000}), "too_large")
    monkeypatch.setattr(archive_verify, "TOTAL_MOST", 1 << 30)
    monkeypatch.setattr(archive_verify, "RECORD_MOST", 100)
    refused(store, archive_of(tmp_path, {BATCH: json.dumps(batch()).encode()}), "too_large")
    monkeypatch.setattr(archive_verify, "MANIFEST_MOST", 100)
    refused(store, archive_of(tmp_path, {BATCH: b"{}"}), "too_large")


def test_too_many_members_are_counted_before_they_are_read(
    store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_verify, "MEMBERS_MOST", 10)
    opened: list[object] = []

    class Watched(zipfile.ZipFile):
        def __init__(self, *args: Any) -> None:
            opened.append(args)
            super().__init__(*args)

    monkeypatch.setattr("trainer.archive_verify.zipfile.ZipFile", Watched)
    path = tmp_path / "many.zip"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for number in range(10):
            zipped.writestr(f"datasets/default/batches/{number}.json", b"")
        zipped.writestr(MANIFEST, b"{}")
    path.write_bytes(buffer.getvalue())
    opened.clear()
    refused(store, path, "too_large")
    assert opened == []


def test_a_member_that_unpacks_to_more_than_it_declares(store: FileStore, tmp_path: Path) -> None:
    """Deflated data of 64 MiB behind a header that declares a hundred bytes: memory must not follow the data."""
    body = json.dumps(batch()).encode()
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packed.compress(body) + b"".join(packed.compress(b" " * (1 << 20)) for _ in range(64)) + packed.flush()
    good = archive_of(tmp_path, {BATCH: body})
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(good) as source, path.open("wb") as target:
        manifest = source.read(MANIFEST)
        entries = [
            (BATCH.encode(), bomb, len(body), zlib.crc32(body), 8),
            (MANIFEST.encode(), manifest, len(manifest), zlib.crc32(manifest), 0),
        ]
        central = b""
        for name, data, size, crc, method in entries:
            fields = struct.pack("<5H3L2H", 20, 0, method, 0, 33, crc, len(data), size, len(name), 0)
            extra = struct.pack("<3H2L", 0, 0, 0, 0, target.tell())
            central += b"PK\x01\x02" + struct.pack("<H", 20) + fields + extra + name
            target.write(b"PK\x03\x04" + fields + name + data)
        start = target.tell()
        target.write(central + b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 2, 2, len(central), start, 0))
    tracemalloc.start()
    try:
        told = bring_back(store, path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20, peak
    assert told is not None  # what it declares is genuine; the rest is never looked at
    assert contents(store)["batches/100.json"] == body


def test_encrypted_and_oddly_packed_members(store: FileStore, tmp_path: Path) -> None:
    path = archive_of(tmp_path, {BATCH: json.dumps(batch()).encode()})
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    for offset, value in ((8, 1), (10, 12)):  # the flags, the method
        changed = bytearray(data)
        changed[at + offset] = value
        path.write_bytes(changed)
        refused(store, path, "altered")
