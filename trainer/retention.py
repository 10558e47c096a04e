"""How long things are kept, and the sweep that deletes what is older.

/privacy tells people these very numbers. A person who removes the bot from their account starts a clock for their
own scope (`trainer.installation`). When a server removes the bot, Discord says nothing: what was taught there stays
until its people delete it, or whoever runs the bot does.
"""

from __future__ import annotations

import logging
import random
import re
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from trainer import records
from trainer.consent import REQUEST_DAYS
from trainer.evaluation.detail import sweep_detail
from trainer.installation import CLOCKS, ring
from trainer.leftovers import sweep_chunks
from trainer.person_data import folders
from trainer.ports import ObjectNotFound, PortError, PreconditionFailed
from trainer.privacy import REPEAT_S, Forgotten, delete_copies, forget_again
from trainer.scope import Scope
from trainer.settings import scope_settings
from trainer.side_by_side import in_order
from trainer.sweeping import moment_in, walk
from trainer.voice_transcripts import sweep_turns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trainer.ports import ObjectInfo, ObjectStore

DAY_S: Final = 86_400.0
OUTCOME_DAYS: Final = 1
"""Replies as they were shown, for showing them again when something failed."""
NOTICE_DAYS: Final = 30
"""What a person could not be shown."""
CONVERSATION_DAYS: Final = 1
"""What a person said lately, for follow-up questions; it is used for a much shorter time."""
LIMIT_DAYS: Final = 1
"""How often a person used the bot."""
PERSONAL_DAYS: Final = 1
"""What /export_me made."""
EXPORT_DAYS: Final = 30
"""Tables and other files that can be made again."""
GATE_DAYS: Final = 30
"""What was judged and held back: an override of it works for a day, and its results are kept with the run."""
DRAFT_DAYS: Final = 7
"""Changes of the instruction that nobody decided about."""
PIN_DAYS: Final = 30
"""Which dataset a command is about, for the case that it is repeated."""
VOICE_CLAIM_DAYS: Final = 1
"""Who answered a /join or /leave."""

KEPT_DAYS: Final[Mapping[str, int]] = {
    "outcomes": OUTCOME_DAYS,
    "unseen": NOTICE_DAYS,
    "conversations": CONVERSATION_DAYS,
    "limits": LIMIT_DAYS,
    "personal": PERSONAL_DAYS,
    "exports": EXPORT_DAYS,
    "drafts": DRAFT_DAYS,
    "pins": PIN_DAYS,
    "requests": REQUEST_DAYS,
    "gates": GATE_DAYS,
    "voice/claims": VOICE_CLAIM_DAYS,
}
"""Folders of a scope, and how many days after their last change objects in them go."""
BY_ID: Final = frozenset({"outcomes", "drafts", "pins", "voice/claims"})
"""Those of them in which each name begins with an interaction's id: nothing in them was written before its moment."""
OF_ANSWERS: Final = ("answers", "votes", "messages")
"""Folders whose objects go with the answers, by the moment in the id that their name begins with."""

SWEEP_EVERY_S: Final = 3600.0
CLAIM_KEY: Final = "housekeeping.json"
_SCOPE: Final = re.compile(r"([gu])([0-9]{1,20})")

log = logging.getLogger(__name__)


class Policy(NamedTuple):
    """What whoever runs the bot may choose."""

    uninstalled_days: int = 30
    """After a person uninstalled the bot, and for copies that may hold what a forgotten person taught."""
    answer_days: int = 180
    """Questions, answers and votes, and the cases and answers of runs that test them."""


class Claim(msgspec.Struct, frozen=True):
    """When somebody swept last."""

    at: float
    """Seconds since the epoch."""


class Swept(NamedTuple):
    """What a sweep deleted."""

    expired: int = 0
    """Objects that were kept long enough."""
    scopes: int = 0
    """Scopes of people who had uninstalled the bot."""
    late: int = 0
    """Things of forgotten people that were written late."""
    copies: int = 0
    """Files that might still have held data of forgotten people."""
    left_over: int = 0
    """Parts of batches that were never finished."""


def claim(store: ObjectStore, now: float, *, every_s: float = SWEEP_EVERY_S) -> bool:
    """Whether this process is to sweep now: of several, one does, and none too soon after another."""
    try:
        stored = store.get(CLAIM_KEY)
    except ObjectNotFound:
        etag = None
    else:
        etag = stored.etag
        if now < records.decode(stored.data, Claim).at + every_s:
            return False
    try:
        store.put(
            CLAIM_KEY,
            msgspec.json.encode(Claim(now)),
            if_absent=etag is None,
            if_match=etag,
            content_type=records.JSON_TYPE,
        )
    except PreconditionFailed:
        return False
    return True


def sweep(
    store: ObjectStore,
    now: float,
    policy: Policy | None = None,
    on_change: Callable[[Scope, str], object] | None = None,
    must_stop: Callable[[], bool] = lambda: False,
) -> Swept:
    """Delete everything that was kept long enough, in several scopes at a time.

    Args:
        store: what is swept.
        now: seconds since the epoch.
        policy: the defaults, unless given.
        on_change: told of each dataset whose indexes have something to drop.
        must_stop: whether there is no more time; asked often, by several threads.

    What cannot be swept now is logged and left to the next time.
    """
    policy = policy or Policy()
    total = Swept()
    for clock in store.list(CLOCKS):
        name = clock.key.removeprefix(CLOCKS).removesuffix(".json")
        total = _sum(total, _guarded(name, partial(_ring, store, clock.key, now, policy, on_change)))
    names = list(folders(store, ""))
    # Where there are too many for the time that there is, it must not always be the same ones that are left out.
    random.shuffle(names)

    def sweep_one(name: str) -> Swept:
        match = _SCOPE.fullmatch(name)
        if match is None or must_stop():
            return Swept()
        scope = Scope("guild" if match[1] == "g" else "user", match[2])
        return _guarded(name, partial(_sweep_scope, store, scope, now, policy, must_stop))

    for swept in in_order(sweep_one, names):
        total = _sum(total, swept)
    return total


def _guarded(name: str, act: Callable[[], Swept]) -> Swept:
    try:
        return act()
    except PortError as error:
        log.warning("not swept", extra={"scope": name, "error": type(error).__name__})
        return Swept()


def _sum(one: Swept, other: Swept) -> Swept:
    return Swept(*(a + b for a, b in zip(one, other, strict=True)))


def _ring(
    store: ObjectStore,
    key: str,
    now: float,
    policy: Policy,
    on_change: Callable[[Scope, str], object] | None,
) -> Swept:
    return Swept(scopes=int(ring(store, key, now, policy.uninstalled_days * DAY_S, on_change)))


class _Deadlines(NamedTuple):
    """From when on things in a scope are kept."""

    root: str
    """What all its keys begin with."""
    until: Mapping[str, float]
    """By folder, in seconds since the epoch."""

    def is_due(self, folder: str, info: ObjectInfo) -> bool:
        """Whether an object goes."""
        came = self._came(folder, info) if folder in OF_ANSWERS else None
        return folder in self.until and (info.modified_at if came is None else came) < self.until[folder]

    def is_last(self, folder: str, info: ObjectInfo) -> bool:
        """Whether nothing that follows in its folder does, nor has to be looked at."""
        if folder in BY_ID or folder in OF_ANSWERS:
            came = self._came(folder, info)
            return came is not None and came >= self.until[folder]
        return folder not in self.until and folder != "forgotten"

    def _came(self, folder: str, info: ObjectInfo) -> float | None:
        return moment_in(info.key.removeprefix(f"{self.root}{folder}/"))


def _sweep_scope(
    store: ObjectStore, scope: Scope, now: float, policy: Policy, must_stop: Callable[[], bool]
) -> Swept:
    until = {folder: now - days * DAY_S for folder, days in KEPT_DAYS.items()}
    until |= dict.fromkeys(OF_ANSWERS, now - policy.answer_days * DAY_S)
    deadlines = _Deadlines(f"{scope.prefix}/", until)
    found: set[str] = set()
    forgotten: list[str] = []
    expired = 0
    for folder, info in walk(store, deadlines.root, deadlines.is_last):
        if must_stop():
            return Swept(expired=expired)
        found.add(folder)
        if folder == "forgotten":
            forgotten.append(info.key)
        elif deadlines.is_due(folder, info):
            store.delete(info.key)
            expired += 1
    if "evaluations" in found:
        expired += sweep_detail(store, scope, now, policy.answer_days * DAY_S)
    swept = Swept(expired=expired)
    for key in forgotten:
        swept = _sum(swept, _finish_forgetting(store, scope, key, now, policy))
    if "datasets" in found:
        swept = _sum(swept, Swept(left_over=sweep_chunks(store, scope, now)))
    if scope.kind == "guild" and "voice/turns" in found:
        turns = sweep_turns(store, scope, now, scope_settings(store, scope).voice_transcript_days)
        swept = _sum(swept, Swept(expired=turns))
    return swept


def _finish_forgetting(store: ObjectStore, scope: Scope, key: str, now: float, policy: Policy) -> Swept:
    """Delete what came late, and in the end the copies that may hold what somebody asked to be forgotten."""
    try:
        stored = store.get(key)
    except ObjectNotFound:
        return Swept()
    forgotten = records.decode(stored.data, Forgotten)
    late = copies = 0
    if not forgotten.finished or now < forgotten.at + REPEAT_S:
        late = forget_again(store, scope, forgotten, now)
    after = forgotten
    if (forgotten.since or forgotten.taught_since) and now > forgotten.at + policy.uninstalled_days * DAY_S:
        copies = delete_copies(store, scope, forgotten)
        after = msgspec.structs.replace(forgotten, since=0.0, taught_since=0.0)
    if not forgotten.finished and now > forgotten.at + REPEAT_S:
        after = msgspec.structs.replace(after, finished=True)
    if after != forgotten:
        try:
            store.put(key, msgspec.json.encode(after), if_match=stored.etag, content_type=records.JSON_TYPE)
        except PreconditionFailed:
            log.info("somebody asked to be forgotten once more")
    return Swept(late=late, copies=copies)
