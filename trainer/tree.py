"""The files of a scope as people name them, and the keys that they lie under.

    archives/<interaction>-<name>.zip      what /archive made
    datasets/<name>/batches/…              what was taught: also chunks, corrections, verdicts, undone
    exports/<name>                         files that were made for managers
    originals/<attachment>-<file name>     what was uploaded, as it came; `originals/<attachment>` will do
    reports/…                              what /test found

Nothing else can be named: answers, outcomes, votes and whatever people keep for themselves lie beside these folders,
not in them. A path is taken as it stands or not at all; nothing in it is resolved, so nothing can lead out of it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final, NamedTuple

from trainer.keys import check_key
from trainer.ports import InvalidKey, ObjectInfo
from trainer.snowflakes import moment_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainer.ports import ObjectStore
    from trainer.scope import Scope

ROOTS: Final = ("archives", "datasets", "exports", "originals", "reports")
ORIGINALS: Final = "originals"
SHOWN_OF_DATASET: Final = ("batches", "chunks", "corrections", "undone", "verdicts")
"""The folders of a dataset that hold files; the others hold marks, which are empty."""
PATH_MOST: Final = 400
"""Characters of a path."""
ID_LEAST: Final = 17
"""Digits of an id of Discord's: shorter numbers say nothing of a time."""
NAMED: Final = re.compile(r"([0-9]{1,20})(?:-(.+))?", re.DOTALL)
"""A name that begins with the id of what it came by."""


class File(NamedTuple):
    """A file that can be named."""

    path: str
    key: str
    name: str
    """The name to show and to save it by."""
    size: int
    """Bytes."""
    modified_at: float
    """Seconds since the epoch."""


def file_at(store: ObjectStore, scope: Scope, path: str) -> File | None:
    """The file of this path; None for one that is not there, and for everything that is no path of this scope."""
    parts = _parts(path)
    if parts is None or len(parts) == 1:
        return None
    if parts[0] == ORIGINALS:
        return _original(store, scope, parts[1]) if len(parts) == 2 else None  # noqa: PLR2004 - a flat folder
    key = f"{scope.prefix}/{'/'.join(parts)}"
    try:
        info = store.head(key)
    except InvalidKey:
        return None
    return None if info is None else file_of(scope, info)


def folder_path(path: str) -> str | None:
    """A folder's path without the `/` at its end; None for what cannot be one. Pure."""
    parts = _parts(path.removesuffix("/"))
    return None if parts is None else "/".join(parts)


def files_below(store: ObjectStore, scope: Scope, folder: str) -> Iterator[File]:
    """All files in a folder and its folders, in order; `folder` as `folder_path` gives it."""
    infos = store.list(f"{scope.prefix}/{folder}/")
    if folder == ORIGINALS:
        yield from originals(scope, infos)
        return
    for info in infos:
        if is_shown(info.key.removeprefix(f"{scope.prefix}/").split("/")):
            yield file_of(scope, info)


def originals(scope: Scope, infos: Iterator[ObjectInfo]) -> Iterator[File]:
    """Uploaded files from a listing, each with the name that it was uploaded by.

    The name stands in a key that follows the file's own: see `original_name_key`.
    """
    prefix = f"{scope.prefix}/{ORIGINALS}/"
    waiting: ObjectInfo | None = None
    for info in infos:
        name = info.key.removeprefix(prefix)
        if waiting is not None:
            of_waiting = f"{waiting.key.removeprefix(prefix)}-"
            if name.startswith(of_waiting):
                yield _named(scope, waiting, name.removeprefix(of_waiting))
                waiting = None
                continue
            yield file_of(scope, waiting)
        waiting = info if "-" not in name else None
    if waiting is not None:
        yield file_of(scope, waiting)


def original_name_key(scope: Scope, attachment_id: str, filename: str) -> str:
    """An empty object that says by which name a file was uploaded. Sorts right after the file's own key."""
    return f"{scope.prefix}/{ORIGINALS}/{attachment_id}-{filename}"


def is_shown(parts: list[str]) -> bool:
    """Whether a path, cut at its slashes, lies in the tree. Pure."""
    if parts[0] not in ROOTS:
        return False
    return parts[0] != "datasets" or len(parts) <= 2 or parts[2] in SHOWN_OF_DATASET  # noqa: PLR2004 - as above


def came_at(name: str) -> float | None:
    """When that came by whose id a file is named, in seconds since the epoch; None for other names. Pure."""
    match = NAMED.fullmatch(name.partition(".")[0])
    return moment_of(match[1]) if match is not None and len(match[1]) >= ID_LEAST else None


def _parts(path: str) -> list[str] | None:
    """A path cut at its slashes, if it is one that can be named. Canonically equal spellings are the same path."""
    if len(path) > PATH_MOST:
        return None
    text = unicodedata.normalize("NFC", path.strip(" "))
    try:
        check_key(text)
    except InvalidKey:
        return None
    parts = text.split("/")
    return parts if is_shown(parts) else None


def _original(store: ObjectStore, scope: Scope, name: str) -> File | None:
    match = NAMED.fullmatch(name)
    if match is None:
        return None
    found = next(originals(scope, store.list(f"{scope.prefix}/{ORIGINALS}/{match[1]}")), None)
    if found is None or found.key != f"{scope.prefix}/{ORIGINALS}/{match[1]}":
        return None
    return found if match[2] is None or found.name == match[2] else None


def file_of(scope: Scope, info: ObjectInfo) -> File:
    """A listed object as a file; not for uploaded ones, see `originals`. Pure."""
    path = info.key.removeprefix(f"{scope.prefix}/")
    folder, _, name = path.rpartition("/")
    match = NAMED.fullmatch(name) if folder in ROOTS else None
    shown = match[2] if match is not None and match[2] else name
    return File(path, info.key, shown, info.size, info.modified_at)


def _named(scope: Scope, info: ObjectInfo, name: str) -> File:
    path = f"{info.key.removeprefix(f'{scope.prefix}/')}-{name}"
    return File(path, info.key, name, info.size, info.modified_at)
