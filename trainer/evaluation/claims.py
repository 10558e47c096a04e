"""One run at a time in a scope: who works on it says so, and that again and again while it lives.

    g42/evaluations/active.json   small and mutable: which run is under way, who works on it, and until when

A worker that died holds nobody up for longer than its word lasts. Two deliveries of one run's job exclude each other
like two runs do: the second waits for the first to end or to fall silent.
"""

from __future__ import annotations

import logging
import time
import uuid
from typing import TYPE_CHECKING, Final

import msgspec

from trainer import records
from trainer.evaluation.keys import active_key
from trainer.ports import ObjectNotFound, PreconditionFailed, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.ports import ObjectStore
    from trainer.scope import Scope

LASTS_S: Final = 30.0
AHEAD_MOST_S: Final = 300.0
"""How much longer than it can last a word may seem to hold, as clocks differ: beyond it, its clock goes wrong."""
RENEWED_AFTER: Final = 1 / 3
"""Share of the time for which a word holds, after which it is given anew."""

log = logging.getLogger(__name__)


class Active(msgspec.Struct, frozen=True, kw_only=True):
    """A run that somebody works on."""

    run: str
    owner: str
    """Names one delivery of the run's job."""
    until: float
    """Seconds since the epoch; from then on nobody works on it."""
    v: int = 1

    def holds(self, now: float) -> bool:
        """Whether somebody works on it."""
        return now < self.until <= now + LASTS_S + AHEAD_MOST_S


class ClaimLost(Exception):
    """Somebody else works on the run by now, or it was deleted with all that belongs to it."""


class Claim:
    """The right to work on a run."""

    def __init__(
        self, store: ObjectStore, scope: Scope, active: Active, etag: str, lasts_s: float, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._key = active_key(scope)
        self._active = active
        self._etag = etag
        self._lasts_s = lasts_s
        self._clock = clock

    def renew(self) -> None:
        """Say again that somebody works on it, if it is time to. Raises `ClaimLost`."""
        if self._active.until - self._clock() > (1 - RENEWED_AFTER) * self._lasts_s:
            return
        try:
            self._write(self._clock() + self._lasts_s)
        except StoreUnavailable:
            # Until the word runs out nobody else begins, and later it may be heard again.
            log.warning("a claim was not renewed", extra={"run": self._active.run})

    def release(self) -> None:
        """Nobody works on it any more. A store that fails is only logged: the word runs out."""
        try:
            self._write(0.0)
        except (ClaimLost, StoreUnavailable) as error:
            log.info("a claim was not released", extra={"run": self._active.run, "error": type(error).__name__})

    def _write(self, until: float) -> None:
        after = msgspec.structs.replace(self._active, until=until)
        try:
            self._etag = _put(self._store, self._key, after, self._etag)
        except PreconditionFailed:
            # A write of our own may have arrived although its answer did not.
            found, etag = _load(self._store, self._key)
            if found is None or found.owner != self._active.owner:
                raise ClaimLost from None
            try:
                self._etag = _put(self._store, self._key, after, etag)
            except PreconditionFailed:
                raise ClaimLost from None
        self._active = after


def claim(
    store: ObjectStore,
    scope: Scope,
    run_id: str,
    *,
    lasts_s: float = LASTS_S,
    clock: Callable[[], float] = time.time,
) -> Claim | Active:
    """The right to work on a run now, or what somebody else works on."""
    found, etag = _load(store, active_key(scope))
    if found is not None and found.holds(clock()):
        return found
    mine = Active(run=run_id, owner=uuid.uuid4().hex, until=clock() + lasts_s)
    try:
        return Claim(store, scope, mine, _put(store, active_key(scope), mine, etag), lasts_s, clock)
    except PreconditionFailed:
        found, _ = _load(store, active_key(scope))
        # It was there a moment ago, and may be gone again: whoever asks once more will see.
        return found or Active(run=run_id, owner="", until=0.0)


def active_run(store: ObjectStore, scope: Scope, *, clock: Callable[[], float] = time.time) -> str:
    """The run that somebody works on; empty if there is none."""
    found, _ = _load(store, active_key(scope))
    return found.run if found is not None and found.holds(clock()) else ""


def _load(store: ObjectStore, key: str) -> tuple[Active | None, str | None]:
    try:
        stored = store.get(key)
    except ObjectNotFound:
        return None, None
    return records.decode(stored.data, Active), stored.etag


def _put(store: ObjectStore, key: str, active: Active, etag: str | None) -> str:
    data = msgspec.json.encode(active)
    return store.put(key, data, if_absent=etag is None, if_match=etag, content_type=records.JSON_TYPE)
