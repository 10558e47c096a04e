"""/instruction: what people are told about the bot, and a chat model before everything else.

A scope without a text of its own has the default one. Changes are drafts first; a draft that is applied becomes a
version, which is never changed. The version in force lies whole in one small object that is swapped by conditional
writes. Whoever swaps it files the version that goes as well as the one that comes, so the history misses none,
whatever worker dies in between, and holds nothing that was never in force.
"""

from __future__ import annotations

import heapq
import time
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from trainer import records
from trainer.datasets import draft_key, instruction_key, instruction_version_key
from trainer.ports import ObjectNotFound, PreconditionFailed, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.ports import ObjectStore
    from trainer.scope import Actor, Scope

FILE_MOST: Final = 32 * 1024
"""Bytes of an instruction in UTF-8: a model reads all of it before each answer."""
SOURCE_LANGUAGE: Final = "en"
TRIES: Final = 10

Kind = Literal["edit", "restore", "reset"]
Problem = Literal["not_text", "empty", "too_long"]


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A change that somebody has seen as a difference, and not decided about yet."""

    id: str
    """The interaction's."""
    text: str
    author: str
    created_at: float
    """Seconds since the epoch."""
    kind: Kind
    base: str
    """The version that it was compared with; empty for the default text that was never changed."""
    v: int = 1


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """An instruction that is, or was, in force."""

    id: str
    """Its draft's."""
    text: str
    """Empty for a return to the default text."""
    author: str
    at: float
    """Seconds since the epoch: when it came into force."""
    kind: Kind
    before: str = ""
    """The version in whose place it came; empty for the default text that was never changed."""
    undoes: str = ""
    """The version that it takes back, if it does."""
    reason: str = ""
    """Why it came into force although its test did not go well; empty if it passed, or was not tested."""
    gate: str = ""
    """The judgement that it came into force against, if there is a reason: see `trainer.evaluation.gate_store`."""
    v: int = 1


class BadText(Exception):
    """A text cannot be an instruction."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem: Problem = problem


class NoSuchDraft(Exception):
    """There is no such draft: it was applied, thrown away, or never was."""


class ChangedMeanwhile(Exception):
    """Another version is in force than the one that the draft was compared with."""

    def __init__(self, draft: Draft) -> None:
        super().__init__("the instruction was changed by somebody else")
        self.draft = draft


class NotInForce(Exception):
    """The version that is to be taken back is not, or no longer, in force."""

    def __init__(self, current: Version | None) -> None:
        super().__init__("another version is in force")
        self.current = current


def clean(text: str) -> str:
    """The text as it is kept: composed (NFC), with plain line ends, without blanks at its ends. Raises `BadText`."""
    text = unicodedata.normalize("NFC", text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")).strip()
    if any(unicodedata.category(char) in {"Cc", "Cs"} and char not in "\n\t" for char in text):
        raise BadText("not_text")
    if not text:
        raise BadText("empty")
    if len(text.encode()) > FILE_MOST:
        raise BadText("too_long")
    return text


def decoded(data: bytes) -> str:
    """The text of a file, cleaned. Raises `BadText`."""
    try:
        return clean(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise BadText("not_text") from None


@cache
def default_instruction(language: str = SOURCE_LANGUAGE) -> str:
    """The text that holds where managers gave none, in this language if there is one; empty without the file."""
    folder = Path(__file__).parents[1]
    names = ["bot_instruction.md"] if language == SOURCE_LANGUAGE else [f"bot_instruction.{language}.md"]
    path = next((folder / name for name in [*names, "bot_instruction.md"] if (folder / name).is_file()), None)
    return path.read_text(encoding="utf-8").strip() if path is not None else ""


def current_version(store: ObjectStore, scope: Scope) -> Version | None:
    """The version in force, or None while the default text was never changed."""
    return records.load(store, instruction_key(scope), Version)


def text_of(version: Version | None, language: str = SOURCE_LANGUAGE) -> str:
    """A version's text; the default one in the reader's language where the version says nothing of its own."""
    return version.text if version is not None and version.text else default_instruction(language)


def instruction_in_force(store: ObjectStore, scope: Scope) -> str:
    """What a chat model is told first. Read anew each time: an edit counts from the very next question on.

    The default text is given in English whatever the server speaks: it is the model that reads it, and it asks for
    answers in the language of the question.
    """
    return text_of(current_version(store, scope))


class Instructions:
    """Changes the instruction of a scope. The caller has made sure that the actor is a manager."""

    def __init__(self, store: ObjectStore, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    def propose(self, actor: Actor, interaction_id: str, text: str, kind: Kind = "edit") -> Draft:
        """Keep a change to be decided about, made against the version in force now."""
        current = current_version(self._store, actor.scope)
        draft = Draft(
            id=interaction_id,
            text=text,
            author=actor.user_id,
            created_at=self._clock(),
            kind=kind,
            base=_id(current),
        )
        return records.save_once(self._store, draft_key(actor.scope, interaction_id), draft)

    def apply(self, actor: Actor, draft_id: str, *, reason: str = "", gate: str = "") -> Version:
        """Bring a draft into force; doing so again changes nothing. `reason` and `gate` are as in `Version`.

        Raises `NoSuchDraft`, and `ChangedMeanwhile` when another version came in between.
        """
        scope = actor.scope
        filed = self.version(scope, draft_id)
        if filed is not None:
            return filed
        for _ in range(TRIES):
            current, etag = self._current(scope)
            if current is not None and current.id == draft_id:
                return self._settle(scope, current)
            draft = self.draft(scope, draft_id)
            if draft is None:
                # Another delivery of the same press may have applied it and removed it since the look above.
                filed = self.version(scope, draft_id)
                if filed is None:
                    raise NoSuchDraft
                return filed
            if _id(current) != draft.base:
                raise ChangedMeanwhile(draft)
            version = Version(
                id=draft.id,
                text=draft.text,
                author=actor.user_id,
                at=self._clock(),
                kind=draft.kind,
                before=draft.base,
                reason=reason,
                gate=gate,
            )
            if self._swap(scope, current, etag, version):
                return self._settle(scope, version)
        raise StoreUnavailable("too many people change the instruction at once")

    def undo(self, actor: Actor, interaction_id: str, version_id: str) -> Version:
        """Go back to what was in force before a version, if that is still in force; done again, it changes nothing.

        Raises `NotInForce`; then nothing has changed.
        """
        scope = actor.scope
        filed = self.version(scope, interaction_id)
        if filed is not None:
            return filed
        for _ in range(TRIES):
            current, etag = self._current(scope)
            if current is None:
                raise NotInForce(None)
            if current.id == interaction_id or (version_id and current.undoes == version_id):
                return self._settle(scope, current)
            if current.id != version_id:
                raise NotInForce(current)
            former = self.version(scope, current.before) if current.before else None
            text = former.text if former is not None else ""
            version = Version(
                id=interaction_id,
                text=text,
                author=actor.user_id,
                at=self._clock(),
                kind="restore" if text else "reset",
                before=current.id,
                undoes=current.id,
            )
            if self._swap(scope, current, etag, version):
                return self._settle(scope, version)
        raise StoreUnavailable("too many people change the instruction at once")

    def draft(self, scope: Scope, draft_id: str) -> Draft | None:
        """A change that nobody has decided about yet."""
        return records.load(self._store, draft_key(scope, draft_id), Draft)

    def is_applied(self, scope: Scope, draft_id: str) -> bool:
        """Whether a draft is in force, or was."""
        return _id(current_version(self._store, scope)) == draft_id or self.version(scope, draft_id) is not None

    def discard(self, actor: Actor, draft_id: str) -> bool:
        """Throw a draft away; False if it is in force already, or was."""
        if self.is_applied(actor.scope, draft_id):
            return False
        self._store.delete(draft_key(actor.scope, draft_id))
        return True

    def version(self, scope: Scope, version_id: str) -> Version | None:
        """A version that is or was in force."""
        return records.load(self._store, instruction_version_key(scope, version_id), Version)

    def history(self, scope: Scope, *, most: int) -> list[Version]:
        """The last versions, the newest first."""
        prefix = instruction_version_key(scope, "").removesuffix(".json")
        keys = [info.key for info in self._store.list(prefix)]
        # More than are asked for: they are named by when their draft was made, and may have come into force later.
        newest = heapq.nlargest(2 * most, keys, key=lambda key: _number(key.removeprefix(prefix)))
        found = [version for key in newest if (version := records.load(self._store, key, Version)) is not None]
        return sorted(found, key=lambda version: version.at, reverse=True)[:most]

    def _current(self, scope: Scope) -> tuple[Version | None, str | None]:
        try:
            stored = self._store.get(instruction_key(scope))
        except ObjectNotFound:
            return None, None
        return records.decode(stored.data, Version), stored.etag

    def _swap(self, scope: Scope, current: Version | None, etag: str | None, version: Version) -> bool:
        """Put a version in the place of the one in force, which is filed before; False if that changed meanwhile."""
        if current is not None:
            self._file(scope, current)
        try:
            data = msgspec.json.encode(version)
            key = instruction_key(scope)
            self._store.put(key, data, if_absent=etag is None, if_match=etag, content_type=records.JSON_TYPE)
        except PreconditionFailed:
            return False
        return True

    def _file(self, scope: Scope, version: Version) -> None:
        records.save_once(self._store, instruction_version_key(scope, version.id), version)

    def _settle(self, scope: Scope, version: Version) -> Version:
        """Finish what follows from a version's being in force."""
        self._file(scope, version)
        self._store.delete(draft_key(scope, version.id))
        return version


def _id(version: Version | None) -> str:
    return version.id if version is not None else ""


def _number(name: str) -> int:
    stem = name.removesuffix(".json")
    return int(stem) if stem.isdecimal() else -1
