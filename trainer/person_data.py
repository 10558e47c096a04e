"""Finds everything of one person in a scope. Decides what is theirs, and what else speaks of them; changes nothing.

Records name their author, and what there is one of for each person has the person's id in its key. There is no index
of persons that could miss something: the whole scope is listed and its records are read, several at a time, in
bounded memory. The order is fixed: datasets, then everything else, so that an answer that quotes somebody is still
there when the corrections of it are looked at.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec

from trainer.datasets import answer_key, original_key, uploads_prefix
from trainer.evaluation.keys import Author, author_in
from trainer.ports import ObjectNotFound
from trainer.snowflakes import moment_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from trainer.ports import ObjectInfo, ObjectStore
    from trainer.scope import Scope

READERS: Final = 8
WINDOW: Final = 16
"""Records that are in memory at a time."""
RECORD_MOST: Final = 1024 * 1024
"""Bytes of a record, outside datasets, that is looked into: larger ones are files."""
AFTER_SLASH: Final = "0"
"""The character after `/`: listing on from a folder with it passes over all that the folder holds."""

Kind = Literal[
    "examples", "files", "corrections", "decisions", "questions", "quotes", "votes", "notices",
    "conversations", "replies", "switches", "mentions", "copies", "other",
]  # fmt: skip
Fate = Literal["delete", "blank", "unname"]
"""Theirs alone; somebody else's that repeats their words; somebody else's, or the server's, that only names them."""

PERSONAL: Final[Mapping[str, Kind]] = {
    "votes": "votes",
    "unseen": "notices",
    "conversations": "conversations",
    "preferences": "switches",
    "personal": "copies",
}
"""What the objects of a folder are that have the person's id in their key."""
UNTOUCHED: Final = frozenset(
    {"datasets", "originals", "archives", "exports", "messages", "names", "pins", "proposals", "usage"}
)
"""Folders of a scope whose objects name no person, or are looked at in their own way."""
NAMED_FOLDERS: Final = frozenset({"cases", "evaluations"})
"""Folders in whose keys people's names for datasets stand."""
KEPT: Final = frozenset({"uploads", "limits", "forgotten"})
"""Folders with persons' ids in their keys that are looked at in their own way, or are not about their data."""


class Found(NamedTuple):
    """Something of the person, or that speaks of them."""

    kind: Kind
    fate: Fate
    key: str
    amount: int = 1
    """How much of its kind it is: a batch holds many examples."""
    dataset: str = ""
    id: str = ""
    """The interaction's or attachment's, if it has one."""
    modified_at: float = 0
    """Seconds since the epoch."""
    name: str = ""
    """A file's."""

    @property
    def moment(self) -> float:
        """When it came about, in seconds since the epoch."""
        return moment_of(self.id) or self.modified_at


class Upload(msgspec.Struct, frozen=True):
    """Who uploaded an original is in the key; this is what it was called."""

    name: str = ""
    v: int = 1


def find(
    store: ObjectStore, scope: Scope, user_id: str, act: Callable[[Found], None] | None = None
) -> Iterator[Found]:
    """Everything, in bounded memory. `act` is called for each by one of several threads, before it is yielded."""

    def look(info: ObjectInfo) -> Found | None:
        found = _inspect(store, scope, info, user_id)
        if found is not None and act is not None:
            act(found)
        return found

    with ThreadPoolExecutor(READERS, thread_name_prefix="person") as threads:
        waiting: deque[Future[Found | None]] = deque()
        try:
            for info in _candidates(store, scope, user_id):
                waiting.append(threads.submit(look, info))
                if len(waiting) >= WINDOW:
                    yield from _settled(waiting.popleft())
            while waiting:
                yield from _settled(waiting.popleft())
        finally:
            for future in waiting:
                future.cancel()


def folders(store: ObjectStore, prefix: str) -> Iterator[str]:
    """The names directly below a prefix, in order, in a request for each."""
    after = ""
    while (info := next(iter(store.list(prefix, start_after=after)), None)) is not None:
        name = info.key.removeprefix(prefix).partition("/")[0]
        yield name
        after = f"{prefix}{name}{AFTER_SLASH}"


def judge(scope: Scope, info: ObjectInfo, data: bytes, user_id: str) -> Found | None:
    """What a record has to do with a person. Pure; corrections of answers that quote them are not known by it."""
    if f'"{user_id}"'.encode() not in data:
        return None
    try:
        record: object = msgspec.json.decode(data)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    if not isinstance(record, dict):
        return None
    folder, *rest = info.key.removeprefix(f"{scope.prefix}/").split("/")
    name = info.key.rpartition("/")[2].partition(".")[0]
    found = Found("mentions", "unname", info.key, id=name if name.isdecimal() else "", modified_at=info.modified_at)
    mine = user_id in {record.get("author"), record.get("by")}
    match folder:
        case "datasets":
            return _of_dataset(found, rest, record, mine=mine)
        case "answers":
            if mine:
                return found._replace(kind="questions", fate="delete")
            return found._replace(kind="quotes", fate="blank") if quotes(record, user_id) else None
        case "outcomes":
            return found._replace(kind="replies", fate="delete") if mine else None
        case "drafts":
            return found._replace(kind="other", fate="delete") if mine else None
        case "cases" if made_of(record, user_id):
            return found._replace(kind="other", fate="delete", id=str(record.get("words") or ""))
        case _:
            if mine:
                return found._replace(kind="decisions")
            return found if names(record, user_id) else None


def quotes(answer: object, user_id: str) -> bool:
    """Whether an answer's record rests on what this person taught, or repeats their question."""
    if not isinstance(answer, dict):
        return False
    sources, words_of = answer.get("sources"), answer.get("words_of")
    if answer.get("closest_by") == user_id or (isinstance(words_of, list) and user_id in words_of):
        return True
    if not isinstance(sources, list):
        return False
    return any(isinstance(source, dict) and source.get("author") == user_id for source in sources)


def made_of(case: dict[str, object], user_id: str) -> bool:
    """Whether a case that somebody added to those of a dataset is made of this person's words."""
    authors = case.get("authors")
    return isinstance(authors, list) and user_id in authors


def names(value: object, user_id: str) -> bool:
    """Whether a JSON value has the person's id somewhere as a text of its own."""
    if isinstance(value, dict):
        return any(names(one, user_id) for one in value.values())
    if isinstance(value, list):
        return any(names(one, user_id) for one in value)
    return bool(value == user_id)


def _of_dataset(found: Found, rest: list[str], record: dict[str, object], *, mine: bool) -> Found | None:
    if len(rest) != 3 or not mine:  # noqa: PLR2004 - dataset, folder, record
        return None
    found = found._replace(dataset=rest[0])
    match rest[1]:
        case "batches":
            report = record.get("report")
            counts = [report.get(one, 0) for one in ("pairs", "passages")] if isinstance(report, dict) else []
            amount = sum(one for one in counts if isinstance(one, int))
            return found._replace(kind="examples", fate="delete", amount=amount)
        case "corrections":
            return found._replace(kind="corrections", fate="delete")
        case "verdicts" | "undone":
            return found._replace(kind="decisions")
        case _:
            return None


def _candidates(store: ObjectStore, scope: Scope, user_id: str) -> Iterator[ObjectInfo]:
    yield from store.list(uploads_prefix(scope, user_id))
    yield from (info for info in store.list(f"{scope.prefix}/datasets/") if _is_record(info, scope))
    root = f"{scope.prefix}/"
    for folder in folders(store, root):
        if folder in UNTOUCHED | KEPT:
            continue
        # A name without a slash behind it is an object itself.
        for info in store.list(f"{root}{folder}"):
            if info.key == f"{root}{folder}" or info.key.startswith(f"{root}{folder}/"):
                yield info


def _is_record(info: ObjectInfo, scope: Scope) -> bool:
    """Whether an object of a dataset names a person."""
    parts = info.key.removeprefix(f"{scope.prefix}/datasets/").split("/")
    return len(parts) == 3 and parts[1] in {"batches", "corrections", "verdicts", "undone"}  # noqa: PLR2004


def _inspect(store: ObjectStore, scope: Scope, info: ObjectInfo, user_id: str) -> Found | None:
    parts = info.key.removeprefix(f"{scope.prefix}/").split("/")
    if parts[0] == "uploads":
        return _upload(store, scope, info)
    if parts[0] in NAMED_FOLDERS:
        author = author_in(scope, info.key)
        if author is not None:
            return _words(info, author, user_id)
    elif parts[0] != "datasets" and user_id in {part.partition(".")[0] for part in parts[1:]}:
        kind = PERSONAL.get(parts[0], "other")
        named = parts[-1].partition(".")[0].partition("-")[0]
        named = named if named.isdecimal() and named != user_id else ""
        return Found(kind, "delete", info.key, id=named, modified_at=info.modified_at)
    if parts[0] != "datasets" and (not info.key.endswith(".json") or info.size > RECORD_MOST):
        return None
    data = _read(store, info.key)
    found = judge(scope, info, data, user_id)
    if found is None and parts[0] == "datasets" and parts[2] == "corrections":
        return _quoting_correction(store, scope, info, data, user_id)
    return found


def _words(info: ObjectInfo, author: Author, user_id: str) -> Found | None:
    """A run of cases that holds the person's words. What it came to stays, as numbers."""
    if author.user_id != user_id:
        return None
    return Found("quotes", "delete", info.key, id=author.words, modified_at=info.modified_at)


def _upload(store: ObjectStore, scope: Scope, info: ObjectInfo) -> Found | None:
    attachment_id = info.key.rpartition("/")[2].removesuffix(".json")
    try:
        name = msgspec.json.decode(_read(store, info.key), type=Upload).name
    except (msgspec.DecodeError, ValueError):
        name = ""
    key = original_key(scope, attachment_id)
    return Found("files", "delete", key, id=attachment_id, modified_at=info.modified_at, name=name)


def _quoting_correction(
    store: ObjectStore, scope: Scope, info: ObjectInfo, data: bytes, user_id: str
) -> Found | None:
    """Somebody else's correction repeats the answer that it corrects, and that may be the person's teaching."""
    try:
        answer_id = msgspec.json.decode(data).get("answer_id", "")
        answer = msgspec.json.decode(_read(store, answer_key(scope, str(answer_id))) or b"{}")
    except (msgspec.DecodeError, ValueError, AttributeError):
        return None
    if not quotes(answer, user_id):
        return None
    name = info.key.rpartition("/")[2].partition(".")[0]
    return Found("quotes", "blank", info.key, id=name, modified_at=info.modified_at)


def _read(store: ObjectStore, key: str) -> bytes:
    try:
        return store.get(key).data
    except ObjectNotFound:
        return b""


def _settled(future: Future[Found | None]) -> Iterator[Found]:
    found = future.result()
    if found is not None:
        yield found
