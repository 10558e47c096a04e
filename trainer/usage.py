"""What answers of a chat model cost: a ledger for each scope and month, and the monthly budget.

    g42/usage/2026-11/<interaction>.json          one paid answer; never changed
    g42/usage/2026-11/<interaction>-<call>.json   one of several paid answers of an interaction
    g42/usage/2026-11.json                        their sum: derived and small, changed by compare-and-swap

The ledger names interactions and no persons. An answer is counted in the month in which it was asked for, so a second
delivery of its job finds the entry that the first one wrote.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from trainer import records
from trainer.answers import Usage
from trainer.ports import StoreUnavailable
from trainer.prices import Price, cost_usd, price_of
from trainer.side_by_side import in_order
from trainer.swapping import swap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from trainer.ports import ChatReply, ObjectStore
    from trainer.scope import Scope

ID_EPOCH_MS: Final = 1_420_070_400_000
"""Ids count milliseconds from here, above their lowest 22 bits."""
RECENT: Final = 300
"""Answers that the sum remembers by id: a second delivery comes long before so many others."""
TRIES: Final = 40
"""Some ten seconds: as many answers at once as a server's limit of questions lets come are counted in that."""
LOCKS: Final = 16
"""Scopes share so many locks."""
WARN_AT: Final = 0.8
"""Share of the budget from which on managers are told."""

log = logging.getLogger(__name__)


class Cost(NamedTuple):
    """What a scope's answers cost in a month."""

    known: bool
    """Whether `usd` is all of it: False if some answer came from a model whose price is not known."""
    usd: float
    input_tokens: int
    output_tokens: int


class UsageEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One answer that a model wrote."""

    id: str
    """The interaction's, or that and a `-` and a name for one of several answers of the interaction."""
    model: str
    input_tokens: int
    """0 where the server did not say."""
    output_tokens: int
    usd: float | None
    """None where the price or the tokens are not known."""
    at: float
    """Seconds since the epoch."""
    v: int = 1


class _Sum(msgspec.Struct, frozen=True, kw_only=True):
    answers: int = 0
    unknown: int = 0
    """Answers whose cost is not known."""
    usd: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    recent: list[str] = []
    v: int = 1

    def plus(self, entry: UsageEntry) -> _Sum:
        return msgspec.structs.replace(
            self,
            answers=self.answers + 1,
            unknown=self.unknown + (entry.usd is None),
            usd=self.usd + (entry.usd or 0.0),
            input_tokens=self.input_tokens + entry.input_tokens,
            output_tokens=self.output_tokens + entry.output_tokens,
            recent=[*self.recent, entry.id][-RECENT:],
        )


def month_cost(store: ObjectStore, scope: Scope, now: float) -> Cost:
    """What a scope's answers cost in the month of `now` (seconds since the epoch, UTC)."""
    month = _month(now)
    total = records.load(store, _sum_key(scope, month), _Sum)
    if total is None:
        total = _summed(_entries(store, scope, month))
    return Cost(total.unknown == 0, total.usd, total.input_tokens, total.output_tokens)


def record_usage(store: ObjectStore, scope: Scope, entry: UsageEntry) -> None:
    """Write an answer into the ledger and count it, once, however often this is called for it.

    Raises `StoreUnavailable`.
    """
    month = _month(_asked_at(entry.id))
    entry = records.save_once(store, f"{_folder(scope, month)}{entry.id}.json", entry)

    def counted(data: bytes | None) -> bytes | None:
        if data is None:
            # The entry lies in the ledger already, so counting the ledger counts it.
            return msgspec.json.encode(_summed(_entries(store, scope, month)))
        total = records.decode(data, _Sum)
        return None if entry.id in total.recent else msgspec.json.encode(total.plus(entry))

    swap(store, _sum_key(scope, month), counted, tries=TRIES)


class Spending(NamedTuple):
    """How a scope stands with its budget this month."""

    cost: Cost
    budget_usd: float | None
    """None if there is no budget."""

    @property
    def share(self) -> float:
        """How much of the budget is used: 1 is all of it; 0 without a budget."""
        if self.budget_usd is None:
            return 0.0
        return self.cost.usd / self.budget_usd if self.budget_usd else 1.0

    @property
    def exhausted(self) -> bool:
        """Whether nothing more may be spent."""
        return self.share >= 1

    @property
    def warning(self) -> bool:
        """Whether managers should know."""
        return self.share >= WARN_AT


class Ledger:
    """Counts what models cost, and says whether more may be spent.

    Args:
        store: where the ledger is kept.
        budget_usd: what each scope may spend in a calendar month (UTC); None for as much as it likes.
        price: what the configured model costs, where the table of prices does not know it or is out of date.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        store: ObjectStore,
        *,
        budget_usd: float | None = None,
        price: Price | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._budget_usd = budget_usd
        self._price = price
        self._clock = clock
        # Of the threads of one process, each waits for its turn to count instead of trying again and again.
        self._locks = [threading.Lock() for _ in range(LOCKS)]

    @property
    def by_table(self) -> bool:
        """Whether costs come from the table of prices, as no price is configured."""
        return self._price is None

    def spending(self, scope: Scope) -> Spending:
        """How a scope stands. Without a budget nothing is read.

        Answers that are being written at this moment are not in it: a budget can be overdrawn by those.
        """
        if self._budget_usd is None:
            return Spending(Cost(known=True, usd=0.0, input_tokens=0, output_tokens=0), None)
        return Spending(month_cost(self._store, scope, self._clock()), self._budget_usd)

    def record(self, scope: Scope, interaction_id: str, reply: ChatReply) -> Usage:
        """Count an answer, and tell what it cost.

        It is paid for by now and must reach its person: a store that fails is only logged. Of an interaction with
        several paid answers, each is counted under a name of its own, `<interaction>-<name>`.
        """
        used = usage_of(reply, self._price)
        self._count(scope, interaction_id, used)
        return used

    def record_cost(self, scope: Scope, interaction_id: str, model: str, usd: float | None) -> None:
        """Count what is not paid for by tokens, such as speech; like `record`, under a name of its own.

        What costs nothing is not counted; None for what is paid for at a price that is not known.
        """
        if usd != 0:
            self._count(scope, interaction_id, Usage(model, 0, 0, usd))

    def _count(self, scope: Scope, interaction_id: str, used: Usage) -> None:
        entry = UsageEntry(
            id=interaction_id,
            model=used.model,
            input_tokens=used.input_tokens,
            output_tokens=used.output_tokens,
            usd=used.usd,
            at=self._clock(),
        )
        try:
            with self._locks[hash(scope) % LOCKS]:
                record_usage(self._store, scope, entry)
        except StoreUnavailable:
            log.warning("usage not counted", extra={"model": used.model})


def usage_of(reply: ChatReply, price: Price | None = None) -> Usage:
    """What an answer took, by this price, or by the table's for its model."""
    return Usage(
        reply.model,
        reply.usage.input_tokens or 0,
        reply.usage.output_tokens or 0,
        cost_usd(price or price_of(reply.model), reply.usage),
    )


def _summed(entries: Iterable[UsageEntry]) -> _Sum:
    total = _Sum()
    for entry in entries:
        total = total.plus(entry)
    return total


def _entries(store: ObjectStore, scope: Scope, month: str) -> Iterable[UsageEntry]:
    keys = (info.key for info in store.list(_folder(scope, month)))
    entries = in_order(lambda key: records.load(store, key, UsageEntry), keys)
    return (entry for entry in entries if entry is not None)


def _asked_at(entry_id: str) -> float:
    """When an interaction happened, in seconds since the epoch: its id begins with that, and its entries with it."""
    return ((int(entry_id.partition("-")[0]) >> 22) + ID_EPOCH_MS) / 1000


def _month(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m")


def _folder(scope: Scope, month: str) -> str:
    return f"{scope.prefix}/usage/{month}/"


def _sum_key(scope: Scope, month: str) -> str:
    return f"{scope.prefix}/usage/{month}.json"
