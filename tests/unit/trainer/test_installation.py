"""Who removed the bot loses their own room in the end, and nobody who has it again."""

from __future__ import annotations

import itertools
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from trainer import installation, records
from trainer.adapters.file_store import FileStore
from trainer.installation import CLOCKS, LOOK_AGAIN_S, Clock, Installed, clock_key, ring, set_clock, stop_clock
from trainer.ports import StoreUnavailable
from trainer.scope import Scope
from trainer.snowflakes import first_of

if TYPE_CHECKING:
    from collections.abc import Callable

DAY_S = 86_400.0
PATIENCE_S = 30 * DAY_S
OWN = Scope("user", "2002")
KEY = clock_key(OWN.id)


def use_own_room(store: FileStore) -> float:
    """Something in a person's direct messages; when it was stored."""
    store.put(f"{OWN.prefix}/datasets/diary/batches/5.json", b"{}")
    store.put(f"{OWN.prefix}/settings.json", b"{}")
    info = store.head(f"{OWN.prefix}/settings.json")
    assert info is not None
    return info.modified_at


def words(store: FileStore) -> list[str]:
    """What is left of the room, but for the journals."""
    left = (info.key.removeprefix(f"{OWN.prefix}/") for info in store.list(f"{OWN.prefix}/"))
    return [key for key in left if "/journal/" not in key and "/removed/" not in key and key != "names/default"]


def clock(store: FileStore) -> Clock | None:
    return records.load(store, KEY, Clock)


def test_using_an_installed_bot_stops_the_clock_for_good(store: FileStore) -> None:
    used = use_own_room(store)
    set_clock(store, OWN.id, used + 10, running=True)
    assert stop_clock(store, OWN.id, used + 20)
    assert clock(store) == Clock(used + 20, running=False)
    assert not ring(store, KEY, used + 3650 * DAY_S, PATIENCE_S)
    assert words(store) != []


def test_a_use_of_before_does_not_stop_it(store: FileStore) -> None:
    set_clock(store, OWN.id, 100, running=True)
    assert not stop_clock(store, OWN.id, 100)
    assert not stop_clock(store, OWN.id, 99)
    assert clock(store) == Clock(100, running=True)
    assert not set_clock(store, OWN.id, 100, running=False)


def test_where_there_is_no_clock_none_is_made(store: FileStore) -> None:
    assert stop_clock(store, OWN.id, 100)
    set_clock(store, OWN.id, 100, running=False)
    assert stop_clock(store, OWN.id, 200)
    assert clock(store) == Clock(100, running=False)


class Counting(FileStore):
    """Counts requests for clocks, and fails as often as it is told."""

    asked = 0
    failing = 0

    def get(self, key: str) -> Any:
        if key.startswith(CLOCKS):
            self.asked += 1
            if self.failing:
                self.failing -= 1
                raise StoreUnavailable("broken")
        return super().get(key)


def test_who_has_no_clock_is_seldom_asked_for(store: FileStore) -> None:
    now = 0.0
    counting = Counting(store._objects.parent)
    installed = Installed(counting, lambda: now)
    for _ in range(3):
        installed.used(OWN.id, str(first_of(2e9)))
    assert counting.asked == 1
    installed.used("7", str(first_of(2e9)))
    assert counting.asked == 2
    set_clock(store, OWN.id, 1.9e9, running=True)
    now = LOOK_AGAIN_S
    installed.used(OWN.id, str(first_of(2e9)))
    assert clock(store) == Clock(2e9, running=False)


def test_a_clock_that_was_not_stopped_is_looked_at_again(store: FileStore, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    counting = Counting(store._objects.parent)
    counting.failing = 1
    set_clock(store, OWN.id, 2e9, running=True)
    installed = Installed(counting)
    for moment in (1.9e9, 1.9e9, 2.1e9, 2.2e9):
        installed.used(OWN.id, str(first_of(moment)))
    assert counting.asked == 3
    assert clock(store) == Clock(2.1e9, running=False)
    assert "clock not looked at" in caplog.text


def test_not_everybody_is_remembered(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "PEOPLE_MOST", 2)
    counting = Counting(store._objects.parent)
    installed = Installed(counting)
    for person in ("1", "2", "3", "2", "3", "1"):
        installed.used(person, "5")
    assert counting.asked == 4


class Interrupting(FileStore):
    """Does something right before the clock is written, or before the first object is deleted, once."""

    before_put: Callable[[], object] | None = None
    before_delete: Callable[[], object] | None = None

    def put(self, key: str, data: bytes, **more: Any) -> str:
        if key == KEY and self.before_put is not None:
            act, self.before_put = self.before_put, None
            act()
        return super().put(key, data, **more)

    def delete(self, key: str) -> None:
        if self.before_delete is not None:
            act, self.before_delete = self.before_delete, None
            act()
        super().delete(key)


def test_who_installs_at_the_last_moment_keeps_everything(store: FileStore) -> None:
    used = use_own_room(store)
    set_clock(store, OWN.id, used + 10, running=True)
    now = used + 10 + PATIENCE_S
    before = words(store)
    sweeper = Interrupting(store._objects.parent)
    sweeper.before_put = lambda: set_clock(store, OWN.id, now, running=False)
    assert not ring(sweeper, KEY, now, PATIENCE_S)
    assert words(store) == before
    assert clock(store) == Clock(now, running=False)


def test_who_installs_too_late_loses_what_was_and_keeps_what_comes(store: FileStore) -> None:
    used = use_own_room(store)
    set_clock(store, OWN.id, used + 10, running=True)
    now = used + 10 + PATIENCE_S
    new = f"{OWN.prefix}/datasets/default/batches/{first_of(now + 1)}.json"
    sweeper = Interrupting(store._objects.parent)

    def install() -> None:
        set_clock(store, OWN.id, now + 0.5, running=False)
        store.put(new, b"{}")

    sweeper.before_delete = install
    changed: list[tuple[Scope, str]] = []
    assert ring(sweeper, KEY, now, PATIENCE_S, lambda scope, name: changed.append((scope, name)))
    assert words(store) == [new.removeprefix(f"{OWN.prefix}/")]
    assert changed == [(OWN, "diary")]
    assert clock(store) == Clock(now + 0.5, running=False)
    assert not ring(store, KEY, now + 3650 * DAY_S, PATIENCE_S)
    assert words(store) != []


def test_an_erasure_that_broke_off_is_finished_even_after_they_installed_again(store: FileStore) -> None:
    used = use_own_room(store)
    set_clock(store, OWN.id, used + 10, running=True)
    now = used + 10 + PATIENCE_S
    sweeper = Interrupting(store._objects.parent)

    def die() -> None:
        raise StoreUnavailable("broken")

    sweeper.before_delete = die
    with pytest.raises(StoreUnavailable):
        ring(sweeper, KEY, now, PATIENCE_S)
    assert clock(store) == Clock(used + 10, running=True, erasing=now)
    assert stop_clock(store, OWN.id, now + 1)
    assert set_clock(store, OWN.id, now + 2, running=False)
    new = f"{OWN.prefix}/answers/{first_of(now + 1)}.json"
    store.put(new, b"{}")
    assert ring(store, KEY, now + 3600, PATIENCE_S)
    assert words(store) == [new.removeprefix(f"{OWN.prefix}/")]
    assert clock(store) == Clock(now + 2, running=False)


def test_two_who_sweep_at_once_end_well(store: FileStore) -> None:
    used = use_own_room(store)
    set_clock(store, OWN.id, used + 10, running=True)
    now = used + 10 + PATIENCE_S
    with ThreadPoolExecutor(4) as threads:
        rung = list(threads.map(lambda _: ring(store, KEY, now, PATIENCE_S), range(4)))
    assert any(rung)
    assert words(store) == []
    assert clock(store) is None


def test_what_is_no_clock_of_a_persons_goes_after_a_day(store: FileStore) -> None:
    for name in ("what", "g5"):
        records.save(store, f"{CLOCKS}{name}.json", Clock(100, running=True))
        assert not ring(store, f"{CLOCKS}{name}.json", 100 + DAY_S, PATIENCE_S)
        assert store.head(f"{CLOCKS}{name}.json") is not None
        assert not ring(store, f"{CLOCKS}{name}.json", 101 + DAY_S, PATIENCE_S)
        assert store.head(f"{CLOCKS}{name}.json") is None
    assert not ring(store, KEY, 1e10, PATIENCE_S)


def test_a_clock_that_is_changed_all_the_time_is_left_to_the_next_time(store: FileStore) -> None:
    moments = itertools.count(6)

    class Busy(FileStore):
        def get(self, key: str) -> Any:
            found = super().get(key)
            records.save(store, KEY, Clock(next(moments), running=True))
            return found

    set_clock(store, OWN.id, 5, running=True)
    busy = Busy(store._objects.parent)
    with pytest.raises(StoreUnavailable):
        set_clock(busy, OWN.id, 1e9, running=False)
    with pytest.raises(StoreUnavailable):
        stop_clock(busy, OWN.id, 1e9)
