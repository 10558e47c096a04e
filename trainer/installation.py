"""Whether people have the bot installed for themselves: a clock for each who removed it, and what goes when it rings.

    retention/u7.json   when the person removed the bot, and whether they have it again

Discord tells by events when somebody installs or removes the bot; events may be missed. So using the bot as somebody
who has installed it stops the clock too, and whatever else happens in their own room sets it back. When it rings,
whoever sweeps claims it by a conditional write before anything is deleted: installing again before that keeps
everything, and after it nothing of before.

Of servers Discord tells nothing when they remove the bot: there is no clock for them.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

import msgspec

from trainer import records
from trainer.erasing import erase
from trainer.ports import ObjectNotFound, PreconditionFailed, StoreUnavailable
from trainer.scope import Scope
from trainer.snowflakes import first_of, moment_of
from trainer.swapping import change_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.ports import ObjectStore

CLOCKS: Final = "retention/"
STOPPED_KEPT_S: Final = 86_400.0
"""How long a stopped clock is remembered: Discord repeats events for ten minutes, in any order."""
LOOK_AGAIN_S: Final = 600.0
"""How long a process takes it that somebody has no clock."""
PEOPLE_MOST: Final = 10_000
"""People of whom a process remembers that."""
TRIES: Final = 10
_OWN_ROOM: Final = re.compile(r"u([0-9]{1,20})")

log = logging.getLogger(__name__)


class Clock(msgspec.Struct, frozen=True):
    """Whether a person has uninstalled the bot."""

    at: float
    """When they did or undid it, or used the bot last, in seconds since the epoch."""
    running: bool
    erasing: float = 0
    """It has rung: everything that is older than this moment is being deleted; 0 if nothing is."""
    v: int = 1


def clock_key(user_id: str) -> str:
    """Where a person's clock lies."""
    return f"{CLOCKS}{Scope('user', user_id).prefix}.json"


def set_clock(store: ObjectStore, user_id: str, moment: float, *, running: bool) -> bool:
    """Start or stop the clock of a person's own scope; False if something later, or the same, is known already."""

    def changed(clock: Clock | None) -> Clock | None:
        if clock is None:
            return Clock(moment, running)
        return clock if clock.at >= moment else Clock(moment, running, clock.erasing)

    before, after = change_record(store, clock_key(user_id), Clock, None, changed)
    return after != before


def stop_clock(store: ObjectStore, user_id: str, moment: float) -> bool:
    """Stop a person's clock if there is one, since they used the bot as installed then; whether none runs now."""

    def changed(clock: Clock | None) -> Clock | None:
        if clock is None or not clock.running or clock.at >= moment:
            return clock
        return Clock(moment, running=False, erasing=clock.erasing)

    before, after = change_record(store, clock_key(user_id), Clock, None, changed)
    if after != before:
        log.info("clock stopped by use")
    return after is None or not after.running


class Installed:
    """Told of each use of the bot by somebody who has installed it. Safe to use from several threads.

    A request to the store for each person in ten minutes: whoever is known to have no clock is not asked for again
    so soon, so one that starts meanwhile is stopped by a later use.
    """

    def __init__(self, store: ObjectStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, float] = OrderedDict()

    def used(self, user_id: str, interaction_id: str) -> None:
        """Stop the person's clock, if there is one. A store that fails is only logged: the next use does it."""
        with self._lock:
            if self._clock() < self._known.get(user_id, float("-inf")):
                return
        try:
            stands = stop_clock(self._store, user_id, moment_of(interaction_id) or 0.0)
        except StoreUnavailable as error:
            log.warning("clock not looked at", extra={"error": type(error).__name__})
            return
        if stands:
            with self._lock:
                self._known[user_id] = self._clock() + LOOK_AGAIN_S
                self._known.move_to_end(user_id)
                while len(self._known) > PEOPLE_MOST:
                    self._known.popitem(last=False)


def ring(
    store: ObjectStore,
    key: str,
    now: float,
    patience_s: float,
    on_change: Callable[[Scope, str], object] | None = None,
) -> bool:
    """Look at one clock: delete the scope if it has run out and nobody has used the bot there since.

    Args:
        store: where the clock lies.
        key: the clock's.
        now: seconds since the epoch.
        patience_s: how long a clock runs.
        on_change: told of each dataset whose index has something to drop.

    Whether a scope was deleted.
    """
    clock, etag = _load(store, key)
    match = _OWN_ROOM.fullmatch(key.removeprefix(CLOCKS).removesuffix(".json"))
    if clock is None:
        return False
    scope = Scope("user", match[1] if match is not None else "")
    if clock.erasing and match is not None:
        # Whoever claimed it was interrupted. What they began is finished, whatever has come since.
        _erase(store, key, scope, clock, now, on_change)
        return True
    if match is None or not clock.running:
        if now - clock.at > STOPPED_KEPT_S:
            store.delete(key)
        return False
    if now < clock.at + patience_s:
        return False
    used_at = max((info.modified_at for info in store.list(f"{scope.prefix}/")), default=0.0)
    if used_at > clock.at:
        if not _save(store, key, Clock(used_at, running=True), etag):
            log.info("the clock was set meanwhile")
        return False
    claimed = msgspec.structs.replace(clock, erasing=now)
    if not _save(store, key, claimed, etag):
        log.info("the clock was stopped at the last moment")
        return False
    _erase(store, key, scope, claimed, now, on_change)
    return True


def _erase(
    store: ObjectStore,
    key: str,
    scope: Scope,
    claimed: Clock,
    now: float,
    on_change: Callable[[Scope, str], object] | None,
) -> None:
    datasets = erase(store, scope, now, before=first_of(claimed.erasing))
    for _ in range(TRIES):
        clock, etag = _load(store, key)
        if clock is not None and clock.running and clock.at < clock.erasing:
            store.delete(key)  # the very one that has rung
            break
        if clock is None or _save(store, key, msgspec.structs.replace(clock, erasing=0.0), etag):
            break
    if on_change is not None:
        for dataset in datasets:
            on_change(scope, dataset)


def _load(store: ObjectStore, key: str) -> tuple[Clock | None, str | None]:
    try:
        stored = store.get(key)
    except ObjectNotFound:
        return None, None
    return records.decode(stored.data, Clock), stored.etag


def _save(store: ObjectStore, key: str, clock: Clock, etag: str | None) -> bool:
    """Write a clock unless somebody else has meanwhile."""
    try:
        data = msgspec.json.encode(clock)
        store.put(key, data, if_absent=etag is None, if_match=etag, content_type=records.JSON_TYPE)
    except PreconditionFailed:
        return False
    return True
