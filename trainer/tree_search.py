"""What somebody may mean who is typing a path: folders and files of a scope, in bounded requests and time."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final, NamedTuple

from trainer.selection import dataset_names
from trainer.snowflakes import first_of
from trainer.tree import (
    ORIGINALS,
    ROOTS,
    File,
    came_at,
    file_of,
    folder_path,
    is_shown,
    originals,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from trainer.ports import ObjectInfo, ObjectStore
    from trainer.scope import Scope

REQUESTS_MOST: Final = 24
FILES_MOST: Final = 3_000
"""Files of one folder that are looked at: a few pages of S3."""
RECENT_S: Final = 30 * 24 * 3600
"""In folders with more than that, the files of the last month are looked at first."""
SIMILAR_FROM: Final = 3
"""Characters typed, from which names that are only similar are offered too."""
SIMILAR: Final = 70
"""How similar, of 100."""
AFTER_SLASH: Final = "0"
"""The character after `/`: listing on from a name with it passes over all that the name's folder holds."""


class Found(NamedTuple):
    """A folder or a file."""

    path: str
    """A folder's ends with `/`."""
    name: str
    """The last part, as it is shown."""
    file: File | None
    """None for a folder."""
    at: float
    """When it came or was last changed, in seconds since the epoch; 0 for a folder."""


def search(
    store: ObjectStore,
    scope: Scope,
    typed: str,
    *,
    files: bool,
    most: int,
    now: float,
    late: Callable[[], bool],
) -> list[Found]:
    """What may be meant, the likeliest first; without `files`, folders alone.

    Inside a folder that is typed with its `/`, what lies in it; else the folders at the top, and all files and
    datasets by their names. Folders come before files of the same likelihood, and newer files before older ones.

    Args:
        store: where the files lie.
        scope: whose they are.
        typed: what has been typed so far.
        files: whether files are wanted as well as folders.
        most: how many at most.
        now: seconds since the epoch.
        late: says when there is no more time; then it is what has been found by then.
    """
    looking = _Looking(store, scope, now, late)
    above, slash, wanted = typed.strip().rpartition("/")
    folder = folder_path(above) if slash else ""
    if folder is None:
        return []
    wanted = wanted.casefold()
    if folder:
        candidates = list(looking.inside(folder, wanted))
    else:
        candidates = [*looking.roots(), *(looking.everywhere(files=files) if wanted else ())]
    return _best([one for one in candidates if files or one.file is None], wanted, most)


class _Looking:
    """One search, with what is left to it."""

    def __init__(self, store: ObjectStore, scope: Scope, now: float, late: Callable[[], bool]) -> None:
        self._store = store
        self._scope = scope
        self._now = now
        self._late = late
        self._requests = REQUESTS_MOST

    def roots(self) -> Iterator[Found]:
        """The folders at the top that there are."""
        for root in ROOTS:
            if next(self._list(f"{root}/"), None) is not None:
                yield Found(f"{root}/", root, None, 0)

    def everywhere(self, *, files: bool) -> Iterator[Found]:
        """All datasets, and the files of the folders that have no folders in them."""
        yield from self._datasets()
        if files:
            for root in ROOTS:
                if root != "datasets":
                    yield from self._flat(root)

    def inside(self, folder: str, wanted: str) -> Iterator[Found]:
        """What lies in a folder. Where it is too much, what begins with the wanted comes first."""
        if folder == "datasets":
            yield from self._datasets()
        elif folder in ROOTS:
            yield from self._flat(folder)
        else:
            yield from self._level(folder, wanted)

    def _datasets(self) -> Iterator[Found]:
        self._requests -= 1
        names = dataset_names(self._store, self._scope)
        if names is None:  # there is no list of names yet
            yield from self._level("datasets", "")
            return
        for name in names:
            yield Found(f"datasets/{name}/", name, None, 0)

    def _flat(self, folder: str) -> Iterator[Found]:
        """The files of a folder that are named by ids and so lie in order of time."""
        recent = str(first_of(self._now - RECENT_S))
        new = list(itertools.islice(self._list(f"{folder}/", after=recent), FILES_MOST))
        first = new[0].key if new else ""
        before = itertools.takewhile(lambda info: not first or info.key < first, self._list(f"{folder}/"))
        infos = [*itertools.islice(before, FILES_MOST - len(new)), *new]
        found = originals(self._scope, iter(infos)) if folder == ORIGINALS else map(self._file, infos)
        for file in found:
            yield _found(file)

    def _level(self, folder: str, wanted: str) -> Iterator[Found]:
        """The folders and files right in a folder; first those whose name begins with the wanted."""
        seen: set[str] = set()
        for start in dict.fromkeys([wanted, ""]):
            for one in self._children(folder, start):
                if one.path not in seen:
                    seen.add(one.path)
                    yield one

    def _children(self, folder: str, start: str) -> Iterator[Found]:
        prefix = f"{folder}/"
        after: str | None = start
        count = 0
        while after is not None:
            position, after = after, None
            for info in self._list(prefix + start, after=position.removeprefix(start)):
                name, slash, _ = self._path(info).removeprefix(prefix).partition("/")
                if slash:
                    if is_shown([*folder.split("/"), name]):
                        yield Found(f"{prefix}{name}/", name, None, 0)
                    after = f"{name}{AFTER_SLASH}"
                    break
                yield _found(self._file(info))
                count += 1
                if count == FILES_MOST:
                    return

    def _list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        """A listing, which ends when there are no requests or no time left."""
        self._requests -= 1
        if self._requests < 0 or self._late():
            return
        start = f"{self._scope.prefix}/{prefix}"
        for info in self._store.list(start, start_after=f"{start}{after}" if after else ""):
            yield info
            if self._late():
                return

    def _path(self, info: ObjectInfo) -> str:
        return info.key.removeprefix(f"{self._scope.prefix}/")

    def _file(self, info: ObjectInfo) -> File:
        return file_of(self._scope, info)


def _found(file: File) -> Found:
    at = came_at(file.path.rpartition("/")[2])
    return Found(file.path, file.name, file, file.modified_at if at is None else at)


def _best(candidates: Iterable[Found], wanted: str, most: int) -> list[Found]:
    """The likeliest: names that begin with the wanted, with a word that does, that hold it, that are similar."""
    ranked: list[tuple[int, bool, float, str, Found]] = []
    others: list[Found] = []
    for one in candidates:
        rank = min(
            _rank(one.name.casefold(), wanted), _rank(one.path.rstrip("/").rpartition("/")[2].casefold(), wanted)
        )
        if rank == _NO:
            others.append(one)
        else:
            ranked.append((rank, one.file is not None, -one.at, one.path, one))
    best = [entry[-1] for entry in sorted(ranked)[:most]]
    if len(best) < most and len(wanted) >= SIMILAR_FROM:
        best += _similar(others, wanted, most - len(best))
    return best


_NO: Final = 9


def _rank(name: str, wanted: str) -> int:
    if name.startswith(wanted):
        return 0
    if wanted not in name:
        return _NO
    return 1 if any(f"{separator}{wanted}" in name for separator in "-_. ") else 2


def _similar(candidates: list[Found], wanted: str, most: int) -> list[Found]:
    # Takes some milliseconds to import, which acknowledging a command need not spend.
    from rapidfuzz import fuzz, process  # noqa: PLC0415

    # A name much shorter than what was typed is not what is being typed, although it may be a part of it.
    names = [one.name.casefold() if 2 * len(one.name) >= len(wanted) else None for one in candidates]
    found = process.extract(wanted, names, scorer=fuzz.WRatio, limit=most, score_cutoff=SIMILAR)
    return [candidates[index] for _, _, index in found]
