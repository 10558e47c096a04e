"""Archives that are damaged, or none of ours, are refused and leave nothing behind."""

from __future__ import annotations

import gzip
import tarfile
from typing import TYPE_CHECKING

import msgspec
import pytest

from infra import backup
from tests.unit.infra.backups import KEYS, Site, members, packed, restore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def damaged(data: bytes) -> dict[str, bytes]:
    files = members(data)
    manifest = msgspec.json.decode(files[backup.MANIFEST], type=backup.Manifest)
    some = next(name for name in files if name.startswith(backup.OBJECTS))
    without = {name: content for name, content in files.items() if name != some}
    newer = msgspec.json.encode(msgspec.structs.replace(manifest, v=2))
    last = files.pop(backup.MANIFEST)
    end = {backup.MANIFEST: last}
    return {
        "nothing": b"",
        "no archive": b"hello" * 1_000,
        "other gzip": gzip.compress(b"hello" * 1_000),
        "cut off": data[: len(data) // 2],
        "end missing": packed(files),
        "a file missing": packed(without),
        "a file changed": packed({**files, some: b"other", **end}),
        "a file more": packed({**files, "objects/o.more": b"more", **end}),
        "a file after the end": packed({**files, **end, "objects/o.more": b"more"}),
        "outside": packed({**files, "../o.out": b"out", **end}),
        "absolute": packed({**files, "/tmp/o.out": b"out", **end}),
        "hidden in a name": packed({**files, "objects/../../o.out": b"out", **end}),
        "a link": packed({**files, **end}, kind=tarfile.SYMTYPE),
        "a device": packed({**files, **end}, kind=tarfile.CHRTYPE),
        "of a later version": packed({**files, backup.MANIFEST: newer}),
        "bad list": packed({**files, backup.MANIFEST: b"[]"}),
        "list of rubbish": packed({**files, backup.MANIFEST: b"\xff"}),
    }


@pytest.mark.parametrize(
    "kind", list(damaged(packed({"objects/o.a": b"a", "manifest.json": b'{"files":{},"created_at":0}'})))
)
def test_what_is_damaged_is_refused_and_leaves_nothing(
    kind: str, site: Callable[[str], Site], archive: bytes, tmp_path: Path
) -> None:
    new = site("new")
    with pytest.raises(backup.Refused, match="damaged"):
        restore(new.place, damaged(archive)[kind])
    assert new.everything() == {}
    assert new.place.queue is not None
    assert not new.place.queue.exists()
    assert not list(tmp_path.rglob("*o.out"))
    restore(new.place, archive)
    assert set(new.everything()) == set(KEYS)


def test_every_flipped_bit_is_noticed_or_harmless(site: Callable[[str], Site], archive: bytes) -> None:
    old = site("old").everything()
    for number, at in enumerate(range(0, len(archive), max(1, len(archive) // 60))):
        data = bytearray(archive)
        data[at] ^= 0x10
        new = site(f"new-{number}")
        try:
            restore(new.place, bytes(data))
        except backup.Refused:
            assert new.everything() == {}
        else:
            # The header of gzip, its name and time: nothing of ours.
            assert new.everything() == old
