"""The part of a run that holds people's words: its cases, its results and the files made of them. It can go alone.

What stays is who began it and when, what it tested, and its numbers, of tags only those by our own. The cases go
first: without them nothing more is written (see `trainer.evaluation.store`). The marks of whose words there were go
last, so that whoever dies in between leaves nothing that cannot be found again.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import msgspec

from trainer import records
from trainer.evaluation.keys import FOLDERS, RunKeys, evaluations_prefix
from trainer.evaluation.results import Run
from trainer.snowflakes import moment_of
from trainer.swapping import swap

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.ports import ObjectInfo, ObjectStore
    from trainer.scope import Scope

OWN_TAGS: Final = frozenset({"correction", "disliked"})
"""Tags that `trainer.evaluation.regression` gives. Any other one is somebody's words."""
LEFT_OVER_S: Final = 86_400.0
"""Cases without a run are left by a worker that died while it began one, and whose job nobody did again."""


def has_detail(store: ObjectStore, scope: Scope, run_id: str) -> bool:
    """Whether the cases of a run are still there."""
    return store.head(RunKeys(scope, run_id).cases) is not None


def drop_detail(store: ObjectStore, scope: Scope, run_id: str) -> int:
    """Delete everything of a run that holds people's words; how many objects that was."""
    keys = RunKeys(scope, run_id)
    dropped = 1 if store.head(keys.cases) is not None else 0
    store.delete(keys.cases)
    for prefix in (*(keys.results(stream) for stream in FOLDERS), keys.reports):
        dropped += _delete_all(store, prefix)
    _rewrite(store, keys.run, without_file_name)
    _rewrite(store, keys.summary, without_tags)
    return dropped + _delete_all(store, keys.authors)


def _delete_all(store: ObjectStore, prefix: str) -> int:
    deleted = 0
    for info in store.list(prefix):
        store.delete(info.key)
        deleted += 1
    return deleted


def _rewrite(store: ObjectStore, key: str, change: Callable[[bytes], bytes | None]) -> None:
    """Change a record that stays; `change` gives None for one that may stay as it is."""
    swap(store, key, lambda data: None if data is None else change(data))


def without_file_name(data: bytes) -> bytes | None:
    """A run without the name of the file that its cases came from; None if it has none. Pure."""
    run = records.decode(data, Run)
    return msgspec.json.encode(msgspec.structs.replace(run, file_name="")) if run.file_name else None


def without_tags(data: bytes) -> bytes | None:
    """A summary without the tags that people thought of; None if it has none. Pure."""
    summary: dict[str, Any] = msgspec.json.decode(data)
    tags = summary.get("tags", [])
    own = [one for one in tags if one["tag"] in OWN_TAGS]
    if len(own) == len(tags):
        return None
    more = summary.get("more_tags", 0) + len(tags) - len(own)
    return msgspec.json.encode(summary | {"tags": own, "more_tags": more})


def run_of(scope: Scope, key: str) -> str:
    """The run that an object belongs to; empty for one of none. Pure."""
    run_id, slash, _ = key.removeprefix(evaluations_prefix(scope)).partition("/")
    return run_id if slash and run_id.isascii() and run_id.isdecimal() else ""


def sweep_detail(store: ObjectStore, scope: Scope, now: float, kept_s: float) -> int:
    """Delete the detail of runs older than this many seconds, and what workers that died left of others.

    How many objects that was. Reports go with their runs.
    """
    dropped = 0
    for run_id, infos in groupby(store.list(evaluations_prefix(scope)), key=lambda info: run_of(scope, info.key)):
        if run_id and _is_over(RunKeys(scope, run_id), list(infos), moment_of(run_id) or 0.0, now, kept_s):
            dropped += drop_detail(store, scope, run_id)
    return dropped


def _is_over(keys: RunKeys, infos: list[ObjectInfo], began_at: float, now: float, kept_s: float) -> bool:
    names = {info.key for info in infos}
    if names <= {keys.run, keys.summary, keys.cancelled}:
        return False
    age = now - max(began_at, min(info.modified_at for info in infos))
    if keys.run not in names:
        return age > LEFT_OVER_S
    return keys.cases not in names or age > kept_s
