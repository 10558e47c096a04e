"""/export_me: everything of a person in a scope as one zip of readable JSON, with the files as they were uploaded.

It is written as it is read, a record or a piece of a file at a time, into a place that only this person is shown.
"""

from __future__ import annotations

import shutil
import zipfile
from collections import Counter
from typing import IO, TYPE_CHECKING, Final, NamedTuple

import msgspec

from trainer.batches import Batch
from trainer.datasets import personal_key
from trainer.person_data import Found, find
from trainer.ports import ObjectNotFound, PreconditionFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.person_data import Kind
    from trainer.ports import ObjectStore
    from trainer.scope import Actor

ZIP_TYPE: Final = "application/zip"
LEFT_OUT: Final = frozenset({"quotes", "mentions", "replies"})
"""What only repeats the person's words or names them belongs to others, and so may what a reply showed."""
NAME_MOST: Final = 80
"""Characters of an uploaded file's name."""
FIRST_DATE: Final = (1980, 1, 1, 0, 0, 0)
"""The same data makes the same zip."""


class Exported(NamedTuple):
    """An export in the store."""

    key: str
    size: int
    """Bytes."""
    counts: dict[str, int]
    """How much there is in it, by kind; empty if an earlier delivery of the job made it."""


def export(
    store: ObjectStore, actor: Actor, interaction_id: str, *, on_progress: Callable[[int], None] | None = None
) -> Exported | None:
    """Write everything of the actor into a zip; None if there is nothing. A second delivery finds the first one's."""
    key = personal_key(actor.scope, actor.user_id, f"{interaction_id}.zip")
    there = store.head(key)
    if there is not None:
        return Exported(key, there.size, {})
    counts: Counter[str] = Counter()
    try:
        with (
            store.open_write(key, if_absent=True, content_type=ZIP_TYPE) as target,
            zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as bundle,
        ):
            for done, found in enumerate(find(store, actor.scope, actor.user_id), start=1):
                if found.kind in LEFT_OUT or found.key.startswith(personal_key(actor.scope, actor.user_id, "")):
                    continue
                if _add(store, bundle, found, actor.scope.prefix):
                    counts[found.kind] += found.amount
                if on_progress is not None:
                    on_progress(done)
            if not counts:
                raise _Nothing
    except _Nothing:
        return None
    except PreconditionFailed:
        pass  # another delivery of the job was faster
    written = store.head(key)
    return None if written is None else Exported(key, written.size, dict(counts))


class _Nothing(Exception):
    """There is nothing to write, so the object is not to appear."""


def file_name(name: str) -> str:
    """An uploaded file's name as it may stand in a zip: letters, digits and a few signs, whatever it was. Pure."""
    kept = "".join(char if char.isalnum() or char in "-_. ()" else "_" for char in name[-NAME_MOST:])
    return kept.strip(". ") or "file"


def _add(store: ObjectStore, bundle: zipfile.ZipFile, found: Found, prefix: str) -> bool:
    """Add one thing; False if it is gone by now."""
    path = found.key.removeprefix(f"{prefix}/")
    if found.kind == "files":
        return _copy(store, bundle, found.key, f"files/{found.id}-{file_name(found.name)}")
    try:
        data = store.get(found.key).data
    except ObjectNotFound:
        return False
    with _entry(bundle, path) as entry:
        entry.write(_readable(data, found.kind))
    if found.kind == "examples":
        batch = msgspec.json.decode(data, type=Batch)
        for key in [*batch.chunks, *filter(None, [batch.rejections_key])]:
            _copy(store, bundle, key, key.removeprefix(f"{prefix}/"))
    return True


def _copy(store: ObjectStore, bundle: zipfile.ZipFile, key: str, path: str) -> bool:
    try:
        with store.open_read(key) as source, _entry(bundle, path) as entry:
            shutil.copyfileobj(source, entry)
    except ObjectNotFound:
        return False
    return True


def _entry(bundle: zipfile.ZipFile, path: str) -> IO[bytes]:
    info = zipfile.ZipInfo(path, FIRST_DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    return bundle.open(info, "w", force_zip64=True)


def _readable(data: bytes, kind: Kind) -> bytes:
    try:
        if kind == "questions":
            # Whom an answer does not name is shown to nobody.
            record = msgspec.json.decode(data, type=dict[str, object])
            data = msgspec.json.encode({name: value for name, value in record.items() if name != "words_of"})
        return msgspec.json.format(data, indent=2)
    except msgspec.DecodeError:
        return data
