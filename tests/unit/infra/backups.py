"""A store and a queue to be copied, and archives to be put back."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING, Final

from infra import backup
from trainer.adapters.file_store import FileStore
from trainer.adapters.sqlite_queue import SqliteQueue

if TYPE_CHECKING:
    from pathlib import Path

KEYS: Final = ["g1/settings.json", "g1/examples/0001", "g1/examples/Ж%/" + "long" * 30, "u2/a", "u2/a/b"]


class Site:
    """A store and a queue in a folder."""

    def __init__(self, folder: Path) -> None:
        self.place = backup.Place(folder / "store", folder / "queue.sqlite3")
        self.store = FileStore(self.place.store)
        self.queue = SqliteQueue(folder / "queue.sqlite3")

    def fill(self) -> None:
        for key in KEYS:
            self.store.put(key, key.encode())
        self.queue.send(b"first")
        self.queue.send(b"second")
        (dead,) = self.queue.lease(wait_s=0, visibility_s=30)
        self.queue.bury(dead, reason="It failed")

    def everything(self) -> dict[str, tuple[bytes, str, float]]:
        found = {}
        for info in self.store.list(""):
            stored = self.store.get(info.key)
            found[info.key] = (stored.data, stored.etag, info.modified_at)
        return found


def create(place: backup.Place) -> bytes:
    out = io.BytesIO()
    backup.create(place, out)
    return out.getvalue()


def restore(place: backup.Place, data: bytes) -> backup.Manifest:
    return backup.restore(place, io.BytesIO(data))


def members(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as opened:
        files = {member.name: opened.extractfile(member) for member in opened}
        return {name: file.read() for name, file in files.items() if file is not None}


def packed(files: dict[str, bytes], kind: bytes = tarfile.REGTYPE) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as opened:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            if name.startswith(backup.OBJECTS):
                info.type = kind
            opened.addfile(info, io.BytesIO(data))
    return out.getvalue()
