"""/forget_me: deletes everything of a person in a scope, whatever worker dies in between.

First a note says that the person is being forgotten, since when, and how much there was; it is what the receipt
tells, whichever delivery of the job gets to the end, and what makes workers drop jobs of the person that come late.
Then the data goes: first what makes every index drop it, last what it is found by. Deleting again is harmless.

What others own and that only names the person or repeats their words stays, without the name and the words. A note
that somebody was forgotten stays for good: a job may be repeated much later.
"""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from trainer import records
from trainer.datasets import DatasetKeys, answer_key, forgotten_key, upload_key
from trainer.erasing import MIXED, erase, holds_older, trim, withdraw
from trainer.evaluation.detail import drop_detail, run_of
from trainer.person_data import READERS, WINDOW, Found, Upload, find
from trainer.ports import ObjectNotFound
from trainer.snowflakes import moment_of
from trainer.swapping import change_record, swap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from trainer.ports import ObjectInfo, ObjectStore
    from trainer.scope import Actor, Scope

NOBODY: Final = "0"
"""Stands where a name was taken away: no account has this id."""
BLANK: Final[Mapping[str, object]] = {
    "text": "",
    "sources": [],
    "words_of": [],
    "closest": "",
    "wrong": "",
    "lesson": "",
}
"""What becomes of the fields of an answer, and of a correction of it, that repeat somebody's words."""
COPIES: Final = ("archives", "exports")
"""Folders of files that were made from everybody's data, and are not changed afterwards."""
TAUGHT: Final = frozenset({"examples", "files", "corrections", "decisions", "quotes"})
"""Kinds that an archive of a dataset or of originals may hold."""
COPIES_MOST: Final = 1000
LATE_S: Final = 3600.0
"""How long after a request to be forgotten a file may still be made from what was there before."""
REPEAT_S: Final = 86_400.0
"""How long what a running job may still have written is looked for again."""


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """A person asked to be forgotten."""

    user_id: str
    interaction_id: str
    """What asked: everything of an earlier interaction goes."""
    at: float
    """Seconds since the epoch."""
    counts: dict[str, int] = {}
    """How much there was, by kind."""
    since: float = 0
    """When the oldest of it came about, in seconds since the epoch; 0 if there was nothing."""
    taught_since: float = 0
    """The same of what lies in datasets and originals: only such things are in archives."""
    finished: bool = False
    v: int = 1


class Stock(NamedTuple):
    """How much there is of a person by kind, and since when, in seconds since the epoch (0 if there is nothing)."""

    counts: dict[str, int]
    since: float
    taught_since: float


class Copies(NamedTuple):
    """Files that may still hold what the person taught or asked."""

    keys: list[str]
    more: bool
    """There are more than these."""


def remember_upload(store: ObjectStore, scope: Scope, user_id: str, attachment_id: str, name: str) -> None:
    """Note who uploaded an original, before it is kept; its own key does not say."""
    records.save_once(store, upload_key(scope, user_id, attachment_id), Upload(name))


def overtaken(store: ObjectStore, actor: Actor, interaction_id: str) -> bool:
    """Whether the person asked to be forgotten after this interaction: then it must not be done any more."""
    return was_forgotten(store, actor.scope, actor.user_id, interaction_id)


def was_forgotten(store: ObjectStore, scope: Scope, user_id: str, interaction_id: str) -> bool:
    """Whether what this person did by an interaction is to stay away, from wherever it might come back."""
    forgotten = records.load(store, forgotten_key(scope, user_id), Forgotten)
    return forgotten is not None and int(interaction_id) < int(forgotten.interaction_id)


def take_stock(
    store: ObjectStore,
    scope: Scope,
    user_id: str,
    on_progress: Callable[[int], None] | None = None,
    *,
    before: str = "",
) -> Stock:
    """How much there is of a person, and since when; only what is not newer than an interaction, if one is given."""
    counts: Counter[str] = Counter()
    since = taught_since = 0.0
    for seen, found in enumerate(find(store, scope, user_id), start=1):
        if before and not _is_older(store, found, int(before)):
            continue
        counts[found.kind] += found.amount
        since = min(since or found.moment, found.moment)
        if found.kind in TAUGHT:
            taught_since = min(taught_since or found.moment, found.moment)
        if on_progress is not None:
            on_progress(seen)
    return Stock(dict(counts), since, taught_since)


def forget(
    store: ObjectStore,
    actor: Actor,
    interaction_id: str,
    *,
    clock: Callable[[], float] = time.time,
    on_progress: Callable[[int], None] | None = None,
) -> tuple[Forgotten, set[str]]:
    """Delete everything of a person that is older than this interaction, and nothing newer, whenever that is done.

    Returns what to tell them, and the datasets whose indexes have something to drop. A second delivery goes on where
    the first one stopped, and tells the same.
    """
    scope, user_id = actor.scope, actor.user_id
    forgotten = _note(store, actor, interaction_id, clock)
    if forgotten.finished:
        return forgotten, set()
    datasets: set[str] = set()
    before = int(interaction_id)

    def act(found: Found) -> None:
        if found.fate != "delete" and scope.kind == "user":
            return  # it is erased below, or newer
        if found.fate != "delete" or _is_older(store, found, before):
            remove(store, scope, user_id, found, clock(), before=before)

    for done, found in enumerate(find(store, scope, user_id, act), start=1):
        if found.dataset and _is_older(store, found, before):
            datasets.add(found.dataset)
        if on_progress is not None:
            on_progress(done)
    if scope.kind == "user":
        datasets |= erase(store, scope, clock(), before=before)
    else:
        _drop_dangling(store, scope)
    forgotten = msgspec.structs.replace(forgotten, finished=True)
    records.save(store, forgotten_key(scope, user_id), forgotten)
    return forgotten, datasets


def forget_again(store: ObjectStore, scope: Scope, forgotten: Forgotten, now: float) -> int:
    """Delete what jobs have still written that were running when the person asked; how much that was."""
    before = int(forgotten.interaction_id)
    removed: list[Found] = []

    def act(found: Found) -> None:
        if found.fate != "delete" and scope.kind == "user":
            return
        # A name that a running job wrote goes too, where only the time of writing is known.
        late = found.fate != "delete" and not found.id and found.modified_at <= forgotten.at
        if late or _is_older(store, found, before):
            remove(store, scope, forgotten.user_id, found, now, before=before)
            removed.append(found)

    for _ in find(store, scope, forgotten.user_id, act):
        pass
    if scope.kind == "user":
        erase(store, scope, now, before=before)
    elif removed:
        _drop_dangling(store, scope)
    return len(removed)


def remove(store: ObjectStore, scope: Scope, user_id: str, found: Found, now: float, *, before: int) -> None:
    """Let one thing go, in an order in which a crash leaves nothing that cannot be found again."""
    if found.fate != "delete":
        _rewrite(store, found, user_id)
        return
    if found.kind in MIXED:
        trim(store, found.kind, found.key, before)
        return
    match found.kind:
        case "examples" | "corrections":
            withdraw(store, scope, found.dataset, found.id, now)
        case "files":
            # Its name may lie beside it, in a key of its own.
            for info in store.list(found.key):
                if info.key == found.key or info.key.startswith(f"{found.key}-"):
                    store.delete(info.key)
            store.delete(upload_key(scope, user_id, found.id))
            return
        case "replies":
            store.delete(f"{found.key.removesuffix('.outcome.json')}.delivery.json")
        case "quotes" if run_id := run_of(scope, found.key):
            drop_detail(store, scope, run_id)
    store.delete(found.key)


def _earlier(*moments: float) -> float:
    """The earliest of the moments that are known; 0 if none is."""
    return min((moment for moment in moments if moment), default=0.0)


def copies(store: ObjectStore, scope: Scope, since: Mapping[str, float], until: float) -> Copies:
    """Files made from everybody's data since a moment by folder (seconds since the epoch; 0 for never)."""
    found: list[str] = []
    for folder in COPIES:
        for info in store.list(f"{scope.prefix}/{folder}/"):
            if since[folder] and since[folder] <= info.modified_at <= until:
                if len(found) == COPIES_MOST:
                    return Copies(found, more=True)
                found.append(info.key)
    return Copies(found, more=False)


def copies_of(store: ObjectStore, scope: Scope, forgotten: Forgotten) -> Copies:
    """The files that may still hold what somebody asked to be forgotten."""
    since = {"archives": forgotten.taught_since, "exports": forgotten.since}
    return copies(store, scope, since, forgotten.at + LATE_S)


def delete_copies(store: ObjectStore, scope: Scope, forgotten: Forgotten) -> int:
    """Delete those files; how many there were."""
    deleted = 0
    while keys := copies_of(store, scope, forgotten).keys:
        for key in keys:
            store.delete(key)
        deleted += len(keys)
    return deleted


def _note(store: ObjectStore, actor: Actor, interaction_id: str, clock: Callable[[], float]) -> Forgotten:
    """The note that the person asks to be forgotten; this interaction's, or a later one's if that came first."""
    key = forgotten_key(actor.scope, actor.user_id)
    stock: Stock | None = None

    def changed(earlier: Forgotten | None) -> Forgotten | None:
        nonlocal stock
        if earlier is not None and int(earlier.interaction_id) >= int(interaction_id):
            return earlier
        if stock is None:
            stock = take_stock(store, actor.scope, actor.user_id, before=interaction_id)
        # Copies from before an earlier time are still there, perhaps.
        before = (earlier.since, earlier.taught_since) if earlier is not None else (0.0, 0.0)
        return Forgotten(
            user_id=actor.user_id,
            interaction_id=interaction_id,
            at=clock(),
            counts=stock.counts,
            since=_earlier(stock.since, before[0]),
            taught_since=_earlier(stock.taught_since, before[1]),
        )

    _, note = change_record(store, key, Forgotten, None, changed)
    assert note is not None  # noqa: S101 - it is never left without one
    return note


def _is_older(store: ObjectStore, found: Found, before: int) -> bool:
    """Whether something is not newer than an interaction, or holds something that is not."""
    if found.id:
        return int(found.id) <= before
    if found.kind in MIXED:
        return holds_older(store, found.kind, found.key, before)
    return found.modified_at <= (moment_of(str(before)) or 0.0)


def _rewrite(store: ObjectStore, found: Found, user_id: str) -> None:
    """Take a person's words or name out of somebody else's record."""

    def changed(data: bytes | None) -> bytes | None:
        if data is None:
            return None
        record = msgspec.json.decode(data, type=dict[str, object])
        if found.fate == "blank":
            record |= {name: value for name, value in BLANK.items() if name in record}
        return msgspec.json.encode(_unnamed(record, user_id))

    swap(store, found.key, changed)


def _unnamed(value: object, user_id: str) -> object:
    if isinstance(value, dict):
        return {name: _unnamed(one, user_id) for name, one in value.items()}
    if isinstance(value, list):
        return [_unnamed(one, user_id) for one in value]
    return NOBODY if value == user_id else value


def _drop_dangling(store: ObjectStore, scope: Scope) -> None:
    """Delete links to answers, and entries in the histories of questions, whose answer or correction is gone."""

    def drop(info: ObjectInfo) -> None:
        if _points_nowhere(store, scope, info.key):
            store.delete(info.key)

    def pointers() -> Iterator[ObjectInfo]:
        yield from store.list(f"{scope.prefix}/messages/")
        yield from (info for info in store.list(f"{scope.prefix}/datasets/") if "/histories/" in info.key)

    with ThreadPoolExecutor(READERS, thread_name_prefix="person") as threads:
        for stretch in _stretches(pointers()):
            list(threads.map(drop, stretch))


def _points_nowhere(store: ObjectStore, scope: Scope, key: str) -> bool:
    folder, *rest = key.removeprefix(f"{scope.prefix}/").split("/")
    if folder == "messages":
        try:
            answer_id = msgspec.json.decode(store.get(key).data).get("answer_id", "")
        except ObjectNotFound:
            return False
        return store.head(answer_key(scope, str(answer_id))) is None
    dataset, correction_id = rest[0], rest[-1]
    return store.head(DatasetKeys(scope, dataset).correction(correction_id)) is None


def _stretches(infos: Iterable[ObjectInfo]) -> Iterator[list[ObjectInfo]]:
    stretch: list[ObjectInfo] = []
    for info in infos:
        stretch.append(info)
        if len(stretch) == WINDOW:
            yield stretch
            stretch = []
    if stretch:
        yield stretch
