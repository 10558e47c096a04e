"""Limits: the arithmetic of the buckets, and their shared state in the store."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import msgspec
import pytest

from trainer.adapters.file_store import FileStore
from trainer.limit_store import CROWDED_S, TRIES, Limiter
from trainer.limits import DAY, HOUR, LIMITS, MIB, MINUTE, Buckets, Charge, Limit, charges, take
from trainer.ports import PreconditionFailed, StoreUnavailable
from trainer.scope import Actor, Scope

if TYPE_CHECKING:
    from pathlib import Path

    from trainer.limits import Full
    from trainer.ports import StoredObject

GUILD = Scope("guild", "42")
MEMBER = Actor(GUILD, "8", is_manager=False)
OTHER = Actor(GUILD, "9", is_manager=False)
MANAGER = Actor(GUILD, "7", is_manager=True)
TEN_A_MINUTE = Limit("ask", "person", 10, MINUTE)
NOW = 1_800_000_000.0


def charge(cost: float = 1, limit: Limit = TEN_A_MINUTE) -> Charge:
    return Charge(limit, limit.amount, cost)


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class Ids:
    """Interaction ids."""

    def __init__(self) -> None:
        self.last = 1000

    def next(self) -> str:
        self.last += 1
        return str(self.last)


# --- the arithmetic -----------------------------------------------------------------------------------------------


def used(times: int, *, every: float = 0) -> tuple[Buckets, list[Full | None]]:
    buckets: Buckets = {}
    outcomes = []
    for number in range(times):
        buckets, full = take(buckets, [charge()], NOW + number * every)
        outcomes.append(full)
    return buckets, outcomes


def test_a_bucket_gives_what_it_holds_at_once_and_then_says_how_long_to_wait() -> None:
    _, outcomes = used(11)
    assert outcomes[:10] == [None] * 10
    assert outcomes[10] is not None
    assert outcomes[10].wait_s == pytest.approx(6, abs=0.01)


def test_it_fills_up_evenly() -> None:
    buckets, _ = used(10)
    assert take(buckets, [charge()], NOW + 5.9)[1] is not None
    buckets, full = take(buckets, [charge()], NOW + 6)
    assert full is None
    assert take(buckets, [charge()], NOW + 6)[1] is not None


def test_somebody_who_keeps_to_the_rate_is_never_held_back() -> None:
    _, outcomes = used(500, every=6.001)
    assert outcomes == [None] * 500


def test_what_is_refused_takes_nothing() -> None:
    buckets, _ = used(10)
    after, full = take(buckets, [charge()], NOW)
    assert full is not None
    assert after == buckets


def test_a_full_bucket_is_not_kept() -> None:
    buckets, _ = used(3)
    assert take(buckets, [], NOW + MINUTE)[0] == {}


def test_the_longest_wait_counts_and_then_no_bucket_is_touched() -> None:
    hourly = Limit("ask", "person", 20, HOUR)
    buckets: Buckets = {}
    for number in range(20):
        buckets, full = take(buckets, [charge(), charge(1, hourly)], NOW + number * 6)
        assert full is None
    after, full = take(buckets, [charge(), charge(1, hourly)], NOW + 19 * 6)
    assert full is not None
    assert full.limit == hourly
    assert full.wait_s == pytest.approx(180 - 19 * 6, abs=0.1)
    assert after == buckets


def test_what_would_never_fit_empties_the_bucket_and_is_possible_when_it_is_full() -> None:
    daily = Limit("train", "scope", 50 * MIB, DAY, unit="bytes")
    buckets, full = take({}, [charge(500 * MIB, daily)], NOW)
    assert full is None
    _, full = take(buckets, [charge(1, daily)], NOW)
    assert full is not None
    assert full.wait_s < MINUTE
    _, full = take(buckets, [charge(500 * MIB, daily)], NOW + DAY / 2)
    assert full is not None
    assert full.wait_s == pytest.approx(DAY / 2)


def test_a_clock_that_was_far_ahead_does_not_lock_anybody_out() -> None:
    buckets = {TEN_A_MINUTE.name: NOW + 10 * DAY}
    _, full = take(buckets, [charge()], NOW)
    assert full is not None
    assert full.wait_s <= MINUTE
    # A minute later by the right clock, the bucket of that time is still believed to be just emptied.
    assert take({TEN_A_MINUTE.name: NOW + MINUTE}, [charge()], NOW + MINUTE)[1] is None


def test_a_clock_that_goes_back_a_little_only_makes_people_wait_a_little() -> None:
    buckets, _ = used(5)
    _, full = take(buckets, [charge()], NOW - 20)
    assert full is None or full.wait_s < MINUTE


@pytest.mark.parametrize("action", ["ask", "train", "heavy", "other"])
def test_every_action_has_a_limit_for_persons_and_managers_have_more(action: str) -> None:
    own = [limit for limit in LIMITS if limit.action == action and limit.owner == "person"]
    assert own
    assert all(limit.managers > limit.amount for limit in own)


def test_bytes_are_charged_only_where_there_are_any() -> None:
    assert [one.limit.unit for one in charges("train", "scope", manager=True, factor=1)] == ["uses"]
    both = charges("train", "scope", manager=True, factor=2, size=7)
    assert [(one.limit.unit, one.cost) for one in both] == [("uses", 1), ("bytes", 7)]
    assert both[1].amount == 100 * MIB


# --- shared state ---------------------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ids() -> Ids:
    return Ids()


def limiter(store: FileStore, clock: Clock, factor: float = 1.0) -> Limiter:
    return Limiter(store, factor=factor, clock=clock, sleep=lambda _: None)


def test_a_person_is_held_back_and_others_are_not(store: FileStore, clock: Clock, ids: Ids) -> None:
    # Another limiter each time, as in processes that share nothing but the store.
    assert [limiter(store, clock).use(MEMBER, "ask", ids.next()) for _ in range(10)] == [None] * 10
    full = limiter(store, clock).use(MEMBER, "ask", ids.next())
    assert full is not None
    assert full.limit.owner == "person"
    assert limiter(store, clock).use(OTHER, "ask", ids.next()) is None
    clock.now += full.wait_s + 0.01
    assert limiter(store, clock).use(MEMBER, "ask", ids.next()) is None


def test_what_is_limited_apart_is_counted_apart(store: FileStore, clock: Clock, ids: Ids) -> None:
    one = limiter(store, clock)
    for _ in range(11):
        one.use(MEMBER, "ask", ids.next())
    assert one.use(MEMBER, "other", ids.next()) is None


def test_managers_have_more_in_a_server_and_not_in_a_scope_of_their_own(
    store: FileStore, clock: Clock, ids: Ids
) -> None:
    one = limiter(store, clock, factor=0.1)
    theirs = int(0.1 * next(one.managers for one in LIMITS if (one.action, one.seconds) == ("other", MINUTE)))
    assert [one.use(MANAGER, "other", ids.next()) for _ in range(theirs)] == [None] * theirs
    assert one.use(MANAGER, "other", ids.next()) is not None
    one = limiter(store, clock)
    alone = Actor(Scope("user", "7"), "7", is_manager=True)
    assert [one.use(alone, "ask", ids.next()) for _ in range(10)] == [None] * 10
    assert one.use(alone, "ask", ids.next()) is not None


def test_a_server_as_a_whole_is_held_back(store: FileStore, clock: Clock, ids: Ids) -> None:
    one = limiter(store, clock)
    people = [Actor(GUILD, str(100 + number), is_manager=False) for number in range(12)]
    for _ in range(5):
        assert [one.use(person, "ask", ids.next()) for person in people] == [None] * 12
    full = one.use(MEMBER, "ask", ids.next())
    assert full is not None
    assert full.limit.owner == "scope"
    # Waiting for the others has cost them nothing of their own.
    clock.now += MINUTE
    assert [one.use(MEMBER, "ask", ids.next()) for _ in range(10)] == [None] * 10


def test_bytes_of_a_server_add_up(store: FileStore, clock: Clock, ids: Ids) -> None:
    one = limiter(store, clock)
    assert one.use(MANAGER, "train", ids.next(), size=25 * MIB) is None
    assert one.use(MANAGER, "train", ids.next(), size=25 * MIB) is None
    full = one.use(MANAGER, "train", ids.next(), size=MIB)
    assert full is not None
    assert full.limit.unit == "bytes"
    assert one.use(MANAGER, "train", ids.next()) is None


def test_a_second_delivery_is_not_counted_again(store: FileStore, clock: Clock, ids: Ids) -> None:
    one = limiter(store, clock)
    first = ids.next()
    assert [one.use(MEMBER, "ask", first) for _ in range(20)] == [None] * 20
    assert [one.use(MEMBER, "ask", ids.next()) for _ in range(9)] == [None] * 9
    assert one.use(MEMBER, "ask", ids.next()) is not None
    # Nor is what was allowed refused when it comes again, though the buckets are empty by now.
    assert one.use(MEMBER, "ask", first) is None


def test_a_second_delivery_passes_a_server_that_is_full_by_now(store: FileStore, clock: Clock, ids: Ids) -> None:
    one = limiter(store, clock)
    first = ids.next()
    one.use(MEMBER, "ask", first)
    for number in range(60):
        one.use(Actor(GUILD, str(100 + number), is_manager=False), "ask", ids.next())
    assert one.use(OTHER, "ask", ids.next()) is not None
    assert one.use(MEMBER, "ask", first) is None


def test_the_factor_multiplies_and_lifts(store: FileStore, clock: Clock, ids: Ids) -> None:
    twice = limiter(store, clock, factor=2)
    assert [twice.use(MEMBER, "ask", ids.next()) for _ in range(20)] == [None] * 20
    assert twice.use(MEMBER, "ask", ids.next()) is not None
    assert limiter(store, clock, factor=0).use(MEMBER, "ask", ids.next()) is None


class Failing(FileStore):
    """A store that does not answer."""

    def get(self, key: str) -> StoredObject:
        raise StoreUnavailable("away")


def test_a_store_that_does_not_answer_lets_people_pass(tmp_path: Path, clock: Clock, ids: Ids) -> None:
    one = limiter(Failing(tmp_path), clock)
    assert [one.use(MEMBER, "ask", ids.next()) for _ in range(50)] == [None] * 50


def test_a_damaged_record_lets_people_pass(store: FileStore, clock: Clock, ids: Ids) -> None:
    store.put("g42/limits/8.json", b"{")
    assert limiter(store, clock).use(MEMBER, "ask", ids.next()) is None


class Contended(FileStore):
    """A store in which somebody else always writes first, below some key."""

    contended = "/8.json"
    tries = 0

    def put(
        self,
        key: str,
        data: bytes,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        content_type: str = "application/octet-stream",
    ) -> str:
        if key.endswith(self.contended):
            self.tries += 1
            raise PreconditionFailed("too late")
        return super().put(key, data, if_absent=if_absent, if_match=if_match, content_type=content_type)


def test_a_person_who_sends_faster_than_can_be_counted_waits(tmp_path: Path, clock: Clock, ids: Ids) -> None:
    store = Contended(tmp_path)
    full = limiter(store, clock).use(MEMBER, "ask", ids.next())
    assert full is not None
    assert full.wait_s == CROWDED_S
    assert store.tries == TRIES
    assert limiter(store, clock).use(OTHER, "ask", ids.next()) is None


def test_a_slow_store_lets_people_pass(tmp_path: Path, clock: Clock, ids: Ids) -> None:
    ticks = iter(range(0, 1000, 3))
    slow = Limiter(Contended(tmp_path), clock=clock, monotonic=lambda: next(ticks), sleep=lambda _: None)
    assert slow.use(MEMBER, "ask", ids.next()) is None


def test_a_server_that_is_counted_too_often_at_once_lets_people_pass(tmp_path: Path, clock: Clock, ids: Ids) -> None:
    store = Contended(tmp_path)
    store.contended = "/all.json"
    one = limiter(store, clock)
    assert one.use(MEMBER, "ask", ids.next()) is None
    assert store.tries == TRIES


class Counted(FileStore):
    """A store that counts what is asked of it, and in which somebody may come first."""

    reads = writes = 0
    first: Limiter | None = None

    def get(self, key: str) -> StoredObject:
        self.reads += 1
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
        self.writes += 1
        if key.endswith("/all.json") and self.first is not None:
            first, self.first = self.first, None
            first.use(OTHER, "ask", "1")
        return super().put(key, data, if_absent=if_absent, if_match=if_match, content_type=content_type)


def test_a_question_reads_each_of_its_two_records_once(tmp_path: Path, clock: Clock, ids: Ids) -> None:
    store = Counted(tmp_path)
    one = limiter(store, clock)
    for _ in range(3):
        store.reads = store.writes = 0
        assert one.use(MEMBER, "ask", ids.next()) is None
        assert (store.reads, store.writes) == (2, 2)


def test_what_somebody_else_used_in_between_is_counted_too(tmp_path: Path, clock: Clock, ids: Ids) -> None:
    store = Counted(tmp_path)
    one = limiter(store, clock)
    assert one.use(MEMBER, "ask", ids.next()) is None
    store.first = limiter(FileStore(tmp_path), clock)
    assert one.use(MEMBER, "ask", ids.next()) is None
    buckets = msgspec.json.decode(store.get("g42/limits/all.json").data)["buckets"]
    assert buckets["ask/uses/60"] == pytest.approx(clock.now + 3)  # of sixty a minute


def test_many_at_once_do_not_get_more_than_there_is(store: FileStore, clock: Clock) -> None:
    outcomes: list[Full | None] = []

    def ask(number: int) -> None:
        outcomes.append(Limiter(store, clock=clock).use(MEMBER, "ask", str(5000 + number)))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 24
    assert outcomes.count(None) <= 10
