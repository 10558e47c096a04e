"""Deletes what is older than a moment, and nothing newer, whenever that is done: the moment is an interaction's id.

What there is one of for each interaction has its id in its key. Small mutable records hold older things beside newer
ones, and lose the older ones. Of whatever else there is, the store's time of its last change decides.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from trainer import records
from trainer.datasets import DEFAULT_DATASET, DatasetKeys, instruction_key, name_key, proposal_key
from trainer.feedback import Vote
from trainer.ports import ObjectNotFound
from trainer.selection import DatasetMark, mark_dataset
from trainer.snowflakes import moment_of
from trainer.swapping import swap

if TYPE_CHECKING:
    from trainer.ports import ObjectInfo, ObjectStore
    from trainer.scope import Scope

MIXED: Final = frozenset({"conversations", "votes"})
"""Folders of records that are added to, or changed in parts."""
SPARED: Final = frozenset({"forgotten", "limits"})
"""Folders that stay when a scope is deleted: who was forgotten, and how often somebody used the bot of late."""
NAMED_BY_PEOPLE: Final = frozenset({"datasets", "cases", "proposals"})
"""Folders whose folders have names that people chose."""
INDEXED: Final = frozenset({"journal", "removed"})
"""Folders of a dataset, of ids and moments alone, without which an index somewhere would keep what it has."""
_ID: Final = re.compile(r"(?:[a-z]+-)?([0-9]{17,20})(?![0-9])")


class _Named(msgspec.Struct):
    id: str = ""


def id_in(path: str, owner: str) -> int | None:
    """The interaction, or the like, that an object of a scope came of, by its path there; None if that has none.

    `owner` is the person whose own id may be in it. Pure.
    """
    parts = path.split("/")
    chosen = 1 if parts[0] in NAMED_BY_PEOPLE else 0
    for part in reversed(parts[1 + chosen :]):
        match = _ID.match(part)
        if match is not None and match[1] != owner:
            return int(match[1])
    return None


def remains(folder: str, data: bytes, before: int) -> bytes | None:
    """What of a mixed record came after an interaction: the very same if all did; None if nothing. Pure."""
    try:
        if folder == "votes":
            vote = msgspec.json.decode(data, type=Vote)
            newer = _newer(vote, before)
            return data if newer == vote else None if newer is None else msgspec.json.encode(newer)
        record = msgspec.json.decode(data, type=dict[str, object])
        turns = record.get("turns")
        after = [turn for turn in turns if int(turn["id"]) > before] if isinstance(turns, list) else []
    except (msgspec.DecodeError, ValueError, TypeError, KeyError):
        return None
    if not after:
        return None
    return data if after == turns else msgspec.json.encode(record | {"turns": after})


def holds_older(store: ObjectStore, folder: str, key: str, before: int) -> bool:
    """Whether there is anything in a mixed record that is not newer than an interaction."""
    try:
        data = store.get(key).data
    except ObjectNotFound:
        return False
    return remains(folder, data, before) != data


def trim(store: ObjectStore, folder: str, key: str, before: int) -> None:
    """Take out of a mixed record what is not newer than an interaction."""
    nothing_left = False

    def changed(data: bytes | None) -> bytes | None:
        nonlocal nothing_left
        left = None if data is None else remains(folder, data, before)
        nothing_left = data is not None and left is None
        return left

    swap(store, key, changed)
    if nothing_left:
        store.delete(key)


def withdraw(store: ObjectStore, scope: Scope, dataset: str, interaction_id: str, now: float) -> None:
    """Make every index drop a batch or a correction, and delete all that belongs to it but its record."""
    keys = DatasetKeys(scope, dataset)
    store.put(keys.removed(interaction_id), b"")
    store.put(keys.entry(int(now * 1000), "removal", interaction_id), b"")
    for info in store.list(f"{keys.root}chunks/{interaction_id}/"):
        store.delete(info.key)
    store.delete(keys.verdict(interaction_id))
    store.delete(keys.undone(interaction_id))
    store.delete(proposal_key(scope, dataset, interaction_id))


def erase(store: ObjectStore, scope: Scope, now: float, *, before: int) -> set[str]:
    """Delete all of a scope that is not newer than an interaction; the datasets whose indexes have something to drop.

    What remains besides are the journals, who was forgotten, and how often somebody used the bot of late.
    """
    datasets: set[str] = set()
    for info in store.list(f"{scope.prefix}/"):
        folder, *rest = info.key.removeprefix(f"{scope.prefix}/").split("/")
        if folder in SPARED or folder == "names":
            continue
        if folder in MIXED:
            trim(store, folder, info.key, before)
            continue
        kind = rest[1] if folder == "datasets" and len(rest) > 2 else ""  # noqa: PLR2004 - dataset, folder, record
        if kind in INDEXED or not _is_older(store, scope, info, before):
            continue
        if kind in {"batches", "corrections"}:
            datasets.add(rest[0])
            withdraw(store, scope, rest[0], rest[2].removesuffix(".json"), now)
        store.delete(info.key)
    _unlist(store, scope, before)
    return datasets


def _is_older(store: ObjectStore, scope: Scope, info: ObjectInfo, before: int) -> bool:
    named = id_in(info.key.removeprefix(f"{scope.prefix}/"), scope.id)
    if named is None and info.key == instruction_key(scope):
        # What is in force was written before it came into force.
        named = _draft(store, info.key)
    if named is not None:
        return named <= before
    return info.modified_at <= (moment_of(str(before)) or 0.0)


def _draft(store: ObjectStore, key: str) -> int | None:
    try:
        return int(msgspec.json.decode(store.get(key).data, type=_Named).id)
    except (ObjectNotFound, msgspec.DecodeError, ValueError):
        return None


def _unlist(store: ObjectStore, scope: Scope, before: int) -> None:
    """Take the names of datasets that hold nothing more off the list, but for those that were made since."""
    if next(iter(store.list(f"{scope.prefix}/datasets/")), None) is not None:
        # A list of names, with the default one: without a list, the journals' folders would be taken for it.
        mark_dataset(store, scope, DEFAULT_DATASET, "")
    prefix, listed = name_key(scope, ""), []
    for info in store.list(prefix):
        name = info.key.removeprefix(prefix)
        mark = records.load(store, info.key, DatasetMark)
        since = mark is not None and mark.id.isdecimal() and int(mark.id) > before
        if since or _holds(store, scope, name):
            listed.append(name)
        elif name != DEFAULT_DATASET:
            store.delete(info.key)
    if not listed and next(iter(store.list(f"{scope.prefix}/datasets/")), None) is None:
        store.delete(name_key(scope, DEFAULT_DATASET))


def _holds(store: ObjectStore, scope: Scope, name: str) -> bool:
    root = DatasetKeys(scope, name).root
    return any(info.key.removeprefix(root).partition("/")[0] not in INDEXED for info in store.list(root))


def _newer(vote: Vote, before: int) -> Vote | None:
    rated, commented = int(vote.rated_by) > before, int(vote.commented_by) > before
    if not rated and not commented:
        return None
    if not rated:
        vote = msgspec.structs.replace(vote, rating=None, rated_at=0.0)
    return vote if commented else msgspec.structs.replace(vote, comment="", commented_at=0.0)
