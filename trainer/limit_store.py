"""The buckets of `trainer.limits`, shared by all workers through the object store.

    g42/limits/<person>.json   that person's buckets, and their last interactions
    g42/limits/all.json        the server's

Small objects, changed by compare-and-swap. A person's object remembers interactions, so that a job that is delivered
again is not counted again. A store that fails or is slow lets people pass: nobody should go without an answer because
the counting is in trouble. But whose own object changes faster than it can be written is sending far too much, and is
told to wait.
"""

from __future__ import annotations

import logging
import random
import time
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from trainer import records
from trainer.limits import Full, charges, take
from trainer.ports import ObjectNotFound, PreconditionFailed, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.limits import Action, Charge
    from trainer.ports import ObjectStore
    from trainer.scope import Actor, Scope

TRIES: Final = 12
PATIENCE_S: Final = 2.0
"""After this long no further try is made, and the person may pass."""
CROWDED_S: Final = 2.0
"""What somebody waits whose uses come faster than they can be counted."""
RECENT: Final = 100
"""Interactions that are remembered; within minutes nobody has more of them."""

log = logging.getLogger(__name__)


class _State(msgspec.Struct, frozen=True, omit_defaults=True):
    buckets: dict[str, float] = {}
    recent: list[str] = []
    v: int = 1


class _Read(NamedTuple):
    """What was read, and the ETag to compare with when writing; None for nothing."""

    state: _State
    etag: str | None


class Limiter:
    """Counts uses and says how long to wait.

    Args:
        store: where the buckets are kept.
        factor: multiplies all amounts; 0 lifts all limits.
        clock: seconds since the epoch.
        monotonic: seconds, for measuring how long the store takes.
        sleep: waits between tries.
    """

    def __init__(
        self,
        store: ObjectStore,
        *,
        factor: float = 1.0,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._factor = factor
        self._clock = clock
        self._monotonic = monotonic
        self._sleep = sleep

    def use(self, actor: Actor, action: Action, interaction_id: str, *, size: int = 0) -> Full | None:
        """Count a use; the limit it is over, and for how long, if it must not happen now.

        What is over a limit is not counted. `size` is the number of bytes that come with it.
        """
        if self._factor <= 0:
            return None
        manager = actor.is_manager and actor.scope.kind == "guild"
        own = charges(action, "person", manager=manager, factor=self._factor, size=size)
        shared = charges(action, "scope", manager=manager, factor=self._factor, size=size)
        try:
            return self._use(actor, own, shared, interaction_id)
        except StoreUnavailable as error:
            log.warning("limits not checked", extra={"reason": type(error).__name__})
            return None

    def _use(self, actor: Actor, own: list[Charge], shared: list[Charge], interaction_id: str) -> Full | None:
        until = self._monotonic() + PATIENCE_S
        everybody = _key(actor.scope, "all")
        before: _Read | None = None
        if shared:
            # Looked at before, so that waiting for others costs a person nothing of their own.
            before = self._load(everybody)
            _, full = take(before.state.buckets, shared, self._clock())
            if full is not None:
                return None if self._counted(actor, interaction_id) else full
        full, fresh = self._charge(_key(actor.scope, actor.user_id), own, interaction_id, until)
        if full is None and fresh and shared:
            # Whoever has come through between that look and this is let pass.
            self._charge(everybody, shared, "", until, before)
        return full

    def _counted(self, actor: Actor, interaction_id: str) -> bool:
        return interaction_id in self._load(_key(actor.scope, actor.user_id)).state.recent

    def _charge(
        self, key: str, wanted: list[Charge], interaction_id: str, until: float, known: _Read | None = None
    ) -> tuple[Full | None, bool]:
        """Take from one object's buckets; the limit that is reached, and whether this was counted now.

        What is `known` of the object is tried with first: if it is true no more, the write fails, and it is read.
        """
        for attempt in range(TRIES):
            state, etag = known or self._load(key)
            known = None
            if interaction_id and interaction_id in state.recent:
                return None, False
            buckets, full = take(state.buckets, wanted, self._clock())
            if full is not None:
                return full, False
            recent = [*state.recent, interaction_id][-RECENT:] if interaction_id else state.recent
            data = msgspec.json.encode(_State(buckets, recent))
            try:
                self._store.put(key, data, if_absent=etag is None, if_match=etag, content_type=records.JSON_TYPE)
            except PreconditionFailed:
                if self._monotonic() > until:
                    log.warning("limits not checked", extra={"reason": "slow"})
                    return None, True
                self._sleep(random.uniform(0, 0.005 * 2 ** min(attempt, 5)))  # noqa: S311 - keeps writers apart
                continue
            return None, True
        if not interaction_id:
            return None, False
        return Full(wanted[0].limit, CROWDED_S), False

    def _load(self, key: str) -> _Read:
        try:
            stored = self._store.get(key)
        except ObjectNotFound:
            return _Read(_State(), None)
        return _Read(records.decode(stored.data, _State), stored.etag)


def _key(scope: Scope, owner: str) -> str:
    return f"{scope.prefix}/limits/{owner}.json"
