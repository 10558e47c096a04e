"""What answers cost: prices, the ledger of each month, and the budget."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from trainer.adapters.file_store import FileStore
from trainer.configuration import ConfigurationError, read
from trainer.ports import ChatReply, ChatUsage, PreconditionFailed, StoreUnavailable
from trainer.prices import CHECKED, PRICES, Price, cost_usd, parse_price, price_of
from trainer.scope import Scope
from trainer.usage import ID_EPOCH_MS, RECENT, TRIES, Cost, Ledger, UsageEntry, month_cost, record_usage

if TYPE_CHECKING:
    from pathlib import Path

    from trainer.ports import StoredObject

SCOPE = Scope("guild", "42")
NOVEMBER = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
DECEMBER = datetime(2026, 12, 1, 0, 0, 1, tzinfo=UTC).timestamp()
MODEL = "gpt-6-luna"


def interaction(at: float = NOVEMBER, number: int = 0) -> str:
    """An interaction's id, made at a moment."""
    return str((int(at * 1000) - ID_EPOCH_MS << 22) + number)


def entry(number: int = 0, usd: float | None = 0.25, at: float = NOVEMBER) -> UsageEntry:
    return UsageEntry(id=interaction(at, number), model=MODEL, input_tokens=100, output_tokens=10, usd=usd, at=at)


def reply(model: str = MODEL, tokens: tuple[int | None, int | None] = (1_000_000, 100_000)) -> ChatReply:
    return ChatReply("text", model, ChatUsage(*tokens), truncated=False)


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path)


# --- prices ---------------------------------------------------------------------------------------------------------


def test_prices_are_found_by_name_and_by_dated_name() -> None:
    assert price_of(MODEL) == PRICES[MODEL]
    assert price_of(f"{MODEL}-2026-09-22") == PRICES[MODEL]
    assert price_of("qwen2.5-0.5b-instruct") is None
    assert price_of("") is None


def test_all_prices_are_plausible() -> None:
    for price in PRICES.values():
        assert 0 < price.input < price.output < 1000
        assert price.cached is not None
        assert 0 < price.cached <= price.input / 2
        assert price.written is None or price.input <= price.written < price.output


def test_the_table_has_a_date() -> None:
    assert datetime.fromisoformat(CHECKED).year >= 2026


def test_a_cost_is_tokens_times_price() -> None:
    assert cost_usd(Price(0.10, 0.50), ChatUsage(1_000_000, 2_000_000)) == pytest.approx(1.10)
    assert cost_usd(Price(0.10, 0.50), ChatUsage(0, 0)) == 0
    assert cost_usd(None, ChatUsage(5, 5)) is None
    assert cost_usd(Price(1, 1), ChatUsage(None, 5)) is None
    assert cost_usd(Price(1, 1), ChatUsage(5, None)) is None


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (ChatUsage(1_000_000, 0, 400_000), 0.6 * 10 + 0.4 * 1),
        (ChatUsage(1_000_000, 0, None, 500_000), 0.5 * 10 + 0.5 * 12),
        (ChatUsage(1_000_000, 0, 400_000, 500_000), 0.1 * 10 + 0.4 * 1 + 0.5 * 12),
        # More than all cannot be cached, nor less than nothing.
        (ChatUsage(1_000_000, 0, 9_000_000, 9_000_000), 1),
        (ChatUsage(1_000_000, 0, -5, -5), 10),
    ],
)
def test_cached_input_has_a_price_of_its_own(usage: ChatUsage, cost: float) -> None:
    assert cost_usd(Price(10, 50, cached=1, written=12), usage) == pytest.approx(cost)
    # Where that price is not known, it is counted as other input: rather too much than too little.
    assert cost_usd(Price(10, 50), usage) == pytest.approx(10)


def test_a_price_is_read_from_the_configuration() -> None:
    assert parse_price("0.10/0.50/0.01") == Price(0.10, 0.50, 0.01)
    assert parse_price("0.10/0.50") == Price(0.10, 0.50)
    assert parse_price("0/0") == Price(0, 0)


@pytest.mark.parametrize("text", ["", "1", "1/", "/1", "-1/2", "nan/1", "1/inf", "a/b", "1/2/x", "1/2/-3", "1/2/3/4"])
def test_anything_else_is_no_price(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_price(text)


# --- the ledger -----------------------------------------------------------------------------------------------------


def test_a_month_without_answers_costs_nothing(store: FileStore) -> None:
    assert month_cost(store, SCOPE, NOVEMBER) == Cost(known=True, usd=0, input_tokens=0, output_tokens=0)


def test_answers_add_up_each_once(store: FileStore) -> None:
    for number in (1, 2, 3, 2, 1):
        record_usage(store, SCOPE, entry(number))
    assert month_cost(store, SCOPE, NOVEMBER) == Cost(known=True, usd=0.75, input_tokens=300, output_tokens=30)


def test_an_answer_counts_in_the_month_in_which_it_was_asked_for(store: FileStore) -> None:
    late = UsageEntry(id=interaction(NOVEMBER), model=MODEL, input_tokens=1, output_tokens=1, usd=0.5, at=DECEMBER)
    record_usage(store, SCOPE, late)
    assert month_cost(store, SCOPE, NOVEMBER).usd == 0.5
    assert month_cost(store, SCOPE, DECEMBER).usd == 0


def test_scopes_pay_for_themselves(store: FileStore) -> None:
    record_usage(store, SCOPE, entry())
    assert month_cost(store, Scope("user", "42"), NOVEMBER).usd == 0


def test_an_unknown_price_is_counted_in_tokens(store: FileStore) -> None:
    record_usage(store, SCOPE, entry(1, usd=None))
    record_usage(store, SCOPE, entry(2))
    assert month_cost(store, SCOPE, NOVEMBER) == Cost(known=False, usd=0.25, input_tokens=200, output_tokens=20)


def test_the_sum_is_derived(store: FileStore) -> None:
    for number in range(3):
        record_usage(store, SCOPE, entry(number))
    before = month_cost(store, SCOPE, NOVEMBER)
    store.delete("g42/usage/2026-11.json")
    assert month_cost(store, SCOPE, NOVEMBER) == before
    # It is made anew with the next answer, and that is not counted twice.
    record_usage(store, SCOPE, entry(3))
    assert month_cost(store, SCOPE, NOVEMBER).usd == 1.0
    record_usage(store, SCOPE, entry(3))
    assert month_cost(store, SCOPE, NOVEMBER).usd == 1.0


def test_a_worker_that_died_between_entry_and_sum_is_made_up_for(store: FileStore) -> None:
    record_usage(store, SCOPE, entry(1))
    # The entry is there, and the sum does not know it yet.
    kept = store.get("g42/usage/2026-11.json").data
    record_usage(store, SCOPE, entry(2))
    store.put("g42/usage/2026-11.json", kept)
    record_usage(store, SCOPE, entry(2))
    assert month_cost(store, SCOPE, NOVEMBER).usd == 0.5


def test_the_sum_stays_small(store: FileStore) -> None:
    for number in range(RECENT + 20):
        record_usage(store, SCOPE, entry(number))
    assert len(store.get("g42/usage/2026-11.json").data) < RECENT * 30
    assert month_cost(store, SCOPE, NOVEMBER).input_tokens == 100 * (RECENT + 20)


def test_answers_at_the_same_time_are_all_counted(store: FileStore) -> None:
    def record(number: int) -> None:
        for step in range(5):
            record_usage(store, SCOPE, entry(100 * number + step))

    threads = [threading.Thread(target=record, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert month_cost(store, SCOPE, NOVEMBER).input_tokens == 20 * 100


def test_the_ledger_names_no_person(store: FileStore) -> None:
    Ledger(store, clock=lambda: NOVEMBER).record(SCOPE, interaction(), reply())
    kept = store.get(f"g42/usage/2026-11/{interaction()}.json").data.decode()
    assert set(kept) & {"@"} == set()
    assert "author" not in kept
    assert "user" not in kept


# --- the budget -----------------------------------------------------------------------------------------------------


def test_without_a_budget_everything_is_allowed_and_still_counted(store: FileStore) -> None:
    ledger = Ledger(store, clock=lambda: NOVEMBER)
    ledger.record(SCOPE, interaction(), reply())
    spending = ledger.spending(SCOPE)
    assert (spending.exhausted, spending.warning, spending.share) == (False, False, 0)
    assert month_cost(store, SCOPE, NOVEMBER).usd == pytest.approx(0.15)


def test_a_budget_warns_at_four_fifths_and_stops_at_its_end(store: FileStore) -> None:
    ledger = Ledger(store, budget_usd=1.0, clock=lambda: NOVEMBER)
    states = []
    for number in range(5):
        record_usage(store, SCOPE, entry(number, usd=0.20))
        spending = ledger.spending(SCOPE)
        states.append((spending.warning, spending.exhausted))
    assert states == [(False, False)] * 3 + [(True, False), (True, True)]


def test_a_new_month_begins_anew(store: FileStore) -> None:
    record_usage(store, SCOPE, entry(usd=5.0))
    assert Ledger(store, budget_usd=1.0, clock=lambda: NOVEMBER).spending(SCOPE).exhausted
    assert not Ledger(store, budget_usd=1.0, clock=lambda: DECEMBER).spending(SCOPE).exhausted


def test_a_budget_of_nothing_allows_nothing(store: FileStore) -> None:
    spending = Ledger(store, budget_usd=0.0, clock=lambda: NOVEMBER).spending(SCOPE)
    assert spending.exhausted
    assert spending.warning


def test_the_configured_price_wins(store: FileStore) -> None:
    ledger = Ledger(store, price=Price(1, 10), clock=lambda: NOVEMBER)
    ledger.record(SCOPE, interaction(number=1), reply("a local model"))
    ledger.record(SCOPE, interaction(number=2), reply())
    assert month_cost(store, SCOPE, NOVEMBER) == Cost(True, 4.0, 2_000_000, 200_000)


def test_a_server_that_does_not_say_is_counted_as_unknown(store: FileStore) -> None:
    Ledger(store, clock=lambda: NOVEMBER).record(SCOPE, interaction(), reply(tokens=(None, None)))
    assert month_cost(store, SCOPE, NOVEMBER) == Cost(False, 0, 0, 0)


class Contended(FileStore):
    """A store in which somebody else always writes the sum first."""

    def put(
        self,
        key: str,
        data: bytes,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        content_type: str = "application/octet-stream",
    ) -> str:
        if key.endswith("-11.json"):
            raise PreconditionFailed("too late")
        return super().put(key, data, if_absent=if_absent, if_match=if_match, content_type=content_type)


def test_a_sum_that_cannot_be_written_fails_nothing_but_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    naps: list[float] = []
    monkeypatch.setattr("trainer.usage.time.sleep", naps.append)
    store = Contended(tmp_path)
    with pytest.raises(StoreUnavailable):
        record_usage(store, SCOPE, entry())
    assert len(naps) == TRIES - 1
    Ledger(store, clock=lambda: NOVEMBER).record(SCOPE, interaction(number=2), reply())
    assert "usage not counted" in caplog.text


class Slow(FileStore):
    """A store over a network."""

    def get(self, key: str) -> StoredObject:
        time.sleep(0.02)
        return super().get(key)

    def put(
        self,
        key: str,
        data: bytes,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        content_type: str = "application/octet-stream",
    ) -> str:
        time.sleep(0.02)
        return super().put(key, data, if_absent=if_absent, if_match=if_match, content_type=content_type)


def test_of_many_answers_at_once_in_one_server_each_is_counted(tmp_path: Path) -> None:
    """As functions have it: each with a ledger of its own, and nothing but the store between them."""
    store = Slow(tmp_path)

    def count(number: int) -> None:
        price = Price(1, 0)
        Ledger(store, price=price, clock=lambda: NOVEMBER).record(SCOPE, interaction(number=number), reply())

    with ThreadPoolExecutor(24) as threads:
        list(threads.map(count, range(48)))
    assert month_cost(store, SCOPE, NOVEMBER).usd == 48


# --- configuration ----------------------------------------------------------------------------------------------


def test_budget_price_and_limits_are_configured() -> None:
    none = read({}, {})
    assert (none.monthly_budget_usd, none.chat_price, none.limits) == (None, "", 1.0)
    given = {
        "TRAINGER_MONTHLY_BUDGET_USD": "12.50",
        "TRAINGER_CHAT_PRICE_USD": "0.10/0.50",
        "TRAINGER_LIMITS": "0",
    }
    some = read(given, {})
    assert (some.monthly_budget_usd, some.chat_price, some.limits) == (12.5, "0.10/0.50", 0.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRAINGER_MONTHLY_BUDGET_USD", "-1"),
        ("TRAINGER_MONTHLY_BUDGET_USD", "ten"),
        ("TRAINGER_MONTHLY_BUDGET_USD", "inf"),
        ("TRAINGER_CHAT_PRICE_USD", "0.10"),
        ("TRAINGER_LIMITS", "-1"),
        ("TRAINGER_LIMITS", "nan"),
        ("TRAINGER_LIMITS", "off"),
    ],
)
def test_what_cannot_be_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        read({name: value}, {})


def test_what_is_not_paid_by_the_token_is_counted_too(store: FileStore) -> None:
    ledger = Ledger(store, budget_usd=1.0, clock=lambda: NOVEMBER)
    ledger.record(SCOPE, interaction(), reply())
    before = ledger.spending(SCOPE).cost
    for _ in range(2):
        ledger.record_cost(SCOPE, f"{interaction()}-transcript", "gpt-transcribe", 0.25)
    ledger.record_cost(SCOPE, f"{interaction()}-free", "whisper-base", 0)
    after = ledger.spending(SCOPE).cost
    assert after == before._replace(usd=before.usd + 0.25)
    ledger.record_cost(SCOPE, f"{interaction()}-unknown", "somebody's", None)
    assert not ledger.spending(SCOPE).cost.known
