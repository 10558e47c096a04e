"""What was kept long enough goes, and nothing before its time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.trainer.people import BOB, SERVER, Ids, clock, use_everything
from trainer import records, retention
from trainer.adapters.file_store import FileStore
from trainer.datasets import answer_key, forgotten_key, message_key, vote_key
from trainer.installation import CLOCKS, Clock, set_clock
from trainer.ports import PreconditionFailed, StoreUnavailable
from trainer.privacy import Forgotten, forget
from trainer.retention import DAY_S, KEPT_DAYS, Policy, Swept, claim, sweep
from trainer.scope import Scope
from trainer.snowflakes import first_of, moment_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from trainer.ports import ObjectInfo

OWN = Scope("user", "2002")
POLICY = Policy()


def written_at(store: FileStore, key: str) -> float:
    info = store.head(key)
    assert info is not None
    return info.modified_at


def test_ids_tell_the_time() -> None:
    assert moment_of("175928847299117063") == pytest.approx(1462015105.796)  # the example of Discord's documentation
    assert moment_of(str(first_of(1_790_000_000.5))) == 1_790_000_000.5
    assert first_of(0) == 0
    assert [moment_of(text) for text in ("", "x", "-1", "١")] == [None] * 4


@pytest.mark.parametrize("folder", sorted(KEPT_DAYS))
def test_what_is_kept_for_a_while_goes_after_it(store: FileStore, folder: str) -> None:
    key = f"{SERVER.prefix}/{folder}/one"
    store.put(key, b"{}")
    ends = written_at(store, key) + KEPT_DAYS[folder] * DAY_S
    assert sweep(store, ends - 1).expired == 0
    assert store.head(key) is not None
    assert sweep(store, ends + 1).expired == 1
    assert store.head(key) is None


def test_answers_go_with_their_votes_and_links_by_when_they_were_given(store: FileStore) -> None:
    given = 1_790_000_000.0
    old, new = str(first_of(given)), str(first_of(given + 10 * DAY_S))
    keys = {
        one: [answer_key(SERVER, one), vote_key(SERVER, one, "5"), message_key(SERVER, one)] for one in (old, new)
    }
    for key in (*keys[old], *keys[new]):
        store.put(key, b"{}")
    assert sweep(store, given + 180 * DAY_S - 1) == Swept()
    assert sweep(store, given + 180 * DAY_S + 1).expired == 3
    assert [store.head(key) for key in keys[old]] == [None] * 3
    assert all(store.head(key) for key in keys[new])
    assert sweep(store, given + 180 * DAY_S + 1, Policy(answer_days=170)).expired == 3


def test_what_was_taught_is_kept(store: FileStore, tmp_path: Path) -> None:
    use_everything(store, tmp_path / "cache", Ids()).close()
    store.put(f"{SERVER.prefix}/archives/1-default.zip", b"x")
    before = {info.key for info in store.list("")}
    sweep(store, written_at(store, f"{SERVER.prefix}/archives/1-default.zip") + 3650 * DAY_S)
    gone = {key.split("/")[1] for key in before - {info.key for info in store.list("")}}
    assert gone == {
        "answers",
        "votes",
        "messages",
        "outcomes",
        "unseen",
        "conversations",
        "limits",
        "drafts",
    }


def use_own_room(store: FileStore) -> float:
    """Something in Bob's direct messages; when it was stored."""
    store.put(f"{OWN.prefix}/datasets/diary/batches/5.json", b"{}")
    store.put(f"{OWN.prefix}/settings.json", b"{}")
    return written_at(store, f"{OWN.prefix}/settings.json")


def test_a_person_who_uninstalled_loses_their_room_after_a_while(store: FileStore) -> None:
    used = use_own_room(store)
    store.put(f"{SERVER.prefix}/settings.json", b"{}")
    changed: list[tuple[Scope, str]] = []
    assert set_clock(store, OWN.id, used + 10, running=True)
    ends = used + 10 + POLICY.uninstalled_days * DAY_S
    assert sweep(store, ends - 1).scopes == 0
    assert sweep(store, ends + 1, on_change=lambda scope, name: changed.append((scope, name))).scopes == 1
    assert changed == [(OWN, "diary")]
    left = [info.key for info in store.list(f"{OWN.prefix}/")]
    assert all("/journal/" in key or "/removed/" in key or key.endswith("names/default") for key in left)
    assert store.head(f"{SERVER.prefix}/settings.json") is not None
    assert not list(store.list(CLOCKS))


def test_installing_again_stops_the_clock(store: FileStore) -> None:
    used = use_own_room(store)
    set_clock(store, OWN.id, used + 10, running=True)
    assert set_clock(store, OWN.id, used + 20, running=False)
    assert sweep(store, used + 3650 * DAY_S).scopes == 0
    assert store.head(f"{OWN.prefix}/settings.json") is not None
    assert not list(store.list(CLOCKS))  # a stopped clock is not remembered for long


def test_using_the_bot_sets_the_clock_back(store: FileStore) -> None:
    used = use_own_room(store)
    set_clock(store, OWN.id, used - 29 * DAY_S, running=True)
    assert sweep(store, used + 2 * DAY_S).scopes == 0
    (info,) = store.list(CLOCKS)
    assert records.load(store, info.key, Clock) == Clock(used, running=True)
    assert sweep(store, used + POLICY.uninstalled_days * DAY_S + 1).scopes == 1


def test_events_may_come_twice_and_in_any_order(store: FileStore) -> None:
    key = f"{CLOCKS}{OWN.prefix}.json"
    assert set_clock(store, OWN.id, 20, running=False)
    assert not set_clock(store, OWN.id, 10, running=True)
    assert not set_clock(store, OWN.id, 20, running=True)
    assert records.load(store, key, Clock) == Clock(20, running=False)
    assert set_clock(store, OWN.id, 30, running=True)
    assert records.load(store, key, Clock) == Clock(30, running=True)


def test_of_events_at_once_the_latest_stands(store: FileStore) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda at: set_clock(store, OWN.id, at, running=at % 2 == 0), range(1, 9)))
    assert records.load(store, f"{CLOCKS}{OWN.prefix}.json", Clock) == Clock(8, running=True)


def test_one_of_several_sweeps_and_not_again_too_soon(store: FileStore) -> None:
    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(lambda _: claim(store, 1000.0), range(8))) == 1
    assert not claim(store, 1000.0 + retention.SWEEP_EVERY_S - 1)
    assert claim(store, 1000.0 + retention.SWEEP_EVERY_S)


def test_a_forgetting_that_broke_off_is_finished(store: FileStore, tmp_path: Path) -> None:
    ids = Ids()
    use_everything(store, tmp_path / "cache", ids).close()
    note = Forgotten(user_id=BOB.user_id, interaction_id=ids.next(), at=4e9)
    records.save(store, forgotten_key(SERVER, BOB.user_id), note)
    assert sweep(store, 4e9 + 1).late > 0
    assert sweep(store, 4e9 + 2).late == 0
    sweep(store, 4e9 + 2 * DAY_S)
    after = records.load(store, forgotten_key(SERVER, BOB.user_id), Forgotten)
    assert after is not None
    assert after.finished


def test_copies_that_may_hold_something_of_a_forgotten_person_go_in_the_end(store: FileStore) -> None:
    for name in ("archives/1-a.zip", "archives/2-b.zip"):
        store.put(f"{SERVER.prefix}/{name}", b"x")
    made = written_at(store, f"{SERVER.prefix}/archives/1-a.zip")
    key = forgotten_key(SERVER, "7")
    note = Forgotten(
        user_id="7", interaction_id="9", at=made + 1, since=made - 5, taught_since=made - 5, finished=True
    )
    records.save(store, key, note)
    ends = made + 1 + POLICY.uninstalled_days * DAY_S
    assert sweep(store, ends - 1).copies == 0
    assert sweep(store, ends + 1).copies == 2
    assert sweep(store, ends + 2).copies == 0
    kept = records.load(store, key, Forgotten)
    assert kept is not None
    assert kept.since == 0
    store.put(f"{SERVER.prefix}/archives/3-c.zip", b"x")
    assert sweep(store, ends + 3).copies == 0


def test_one_broken_room_does_not_keep_the_others_from_being_swept(store: FileStore) -> None:
    class Half(FileStore):
        def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectInfo]:
            if prefix.startswith("g1/"):
                raise StoreUnavailable("broken")
            return super().list(prefix, start_after=start_after)

    for scope in ("g1", "g2"):
        store.put(f"{scope}/outcomes/1.outcome.json", b"{}")
    store.put(f"{CLOCKS}u5.json", b"damaged")
    store.put(f"{CLOCKS}what.json", b'{"at":1,"running":true}')
    half = Half(store._objects.parent)
    assert sweep(half, 4e9).expired == 1
    assert store.head("g1/outcomes/1.outcome.json") is not None


def test_folders_that_are_no_rooms_are_left_alone(store: FileStore) -> None:
    for key in ("identity.json", "gx/outcomes/1", "other/outcomes/1", "g12345678901234567890123/outcomes/1"):
        store.put(key, b"{}")
    assert sweep(store, 4e9) == Swept()


def test_what_others_change_all_the_time_is_given_up(store: FileStore) -> None:
    class Busy(FileStore):
        def put(self, key: str, data: bytes, **more: Any) -> str:
            raise PreconditionFailed("somebody was faster")

    busy = Busy(store._objects.parent)
    with pytest.raises(StoreUnavailable):
        set_clock(busy, "5", 10, running=True)
    assert not claim(busy, 10)
    used = use_own_room(store)
    set_clock(store, OWN.id, used - 40 * DAY_S, running=True)
    note = Forgotten(user_id="7", interaction_id="9", at=used - 40 * DAY_S)
    records.save(store, forgotten_key(SERVER, "7"), note)
    assert sweep(busy, used + 1) == Swept()


def test_somebody_forgotten_is_swept_like_everybody(store: FileStore, tmp_path: Path) -> None:
    ids = Ids()
    use_everything(store, tmp_path / "cache", ids).close()
    forget(store, BOB, ids.next(), clock=clock)
    assert sweep(store, clock() + 10).late == 0


class Watched(FileStore):
    """A store that notes what is listed and read, and serves a scope only when another one is being swept, too."""

    def __init__(self, root: Path, together: threading.Barrier | None = None) -> None:
        super().__init__(root)
        self.listed: list[str] = []
        self.looked_at = 0
        self.together = together

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectInfo]:
        self.listed.append(prefix)
        if self.together is not None and prefix in {"g1/", "g2/"}:
            self.together.wait(60)
        for info in super().list(prefix, start_after=start_after):
            self.looked_at += 1
            yield info


def test_a_scope_with_little_in_it_is_listed_once(store: FileStore, tmp_path: Path) -> None:
    store.put("g1/settings.json", b"{}")
    store.put(f"g1/answers/{first_of(1e9)}.json", b"{}")
    store.put("g1/exports/1.csv", b"x")
    watched = Watched(tmp_path / "store")
    assert sweep(watched, written_at(store, "g1/exports/1.csv") + 10).expired == 1
    assert watched.listed.count("g1/") == 1
    assert not [prefix for prefix in watched.listed if prefix.startswith("g1/") and prefix != "g1/"]


def test_of_what_grows_no_more_is_looked_at_than_is_due(
    store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.sweeping.PAGE", 10)
    store.put("g1/settings.json", b"{}")
    now = written_at(store, "g1/settings.json") + 2 * DAY_S
    for number in range(40):
        age_s = (201 - number * 5) * DAY_S  # five answers are due, and every outcome
        one = str(first_of(now - age_s))
        for key in (answer_key(Scope("guild", "1"), one), message_key(Scope("guild", "1"), one)):
            store.put(key, b"{}")
        store.put(vote_key(Scope("guild", "1"), one, "5"), b"{}")
        store.put(f"g1/outcomes/{one}.outcome.json", b"{}")
    watched = Watched(tmp_path / "store")
    assert sweep(watched, now).expired == 3 * 5 + 40
    assert watched.looked_at < 100
    assert sweep(watched, now).expired == 0


def test_names_without_ids_go_by_when_they_were_written(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.sweeping.PAGE", 1)
    for key in ("g1/answers/x.json", "g1/outcomes/x.json", "g1/gates/1.json", "g1/gates/tested/ab.json"):
        store.put(key, b"{}")
    young = str(first_of(written_at(store, "g1/answers/x.json") + 364 * DAY_S))
    store.put(f"g1/gates/{young}.json", b"{}")
    assert sweep(store, written_at(store, "g1/answers/x.json") + 365 * DAY_S).expired == 5
    assert [info.key for info in store.list("g1/")] == []


def test_scopes_are_swept_side_by_side(store: FileStore, tmp_path: Path) -> None:
    for scope in ("g1", "g2"):
        store.put(f"{scope}/outcomes/1.outcome.json", b"{}")
    watched = Watched(tmp_path / "store", threading.Barrier(2))
    assert sweep(watched, 4e9).expired == 2


def test_a_sweep_stops_when_there_is_no_more_time(store: FileStore) -> None:
    for number in range(20):
        store.put(f"g1/outcomes/{number}.outcome.json", b"{}")
        store.put(f"g{number + 2}/outcomes/1.outcome.json", b"{}")
    assert sweep(store, 4e9, must_stop=lambda: True) == Swept()
    asked = iter(range(1000))
    lock = threading.Lock()

    def soon() -> bool:
        with lock:
            return next(asked) >= 10

    assert 0 < sweep(store, 4e9, must_stop=soon).expired < 11
    left = len(list(store.list("")))
    assert sweep(store, 4e9).expired == left


def test_no_folder_is_passed_over_too_far(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever lies between: names that sort close together, and folders in `voice`."""
    monkeypatch.setattr("trainer.sweeping.PAGE", 3)
    kept = [f"g1/datasets/{name}/journal/{number}" for name in ("a", "a-b", "b") for number in range(5)]
    kept += ["g1/settings.json", "g1/voice/call.json", "g1/names/default", "g1/unseen-old/1", "g1/voice/other/1"]
    due = [f"g1/{folder}/{number}.json" for folder in (*KEPT_DAYS, "answers", "votes/1") for number in range(4)]
    for key in (*kept, *due):
        store.put(key, b"")
    assert sweep(store, written_at(store, due[0]) + 31 * DAY_S).expired == len(due)
    assert sorted(info.key for info in store.list("g1/")) == sorted(kept)


def test_a_large_scope_is_passed_through_in_few_listings(
    store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.sweeping.PAGE", 20)
    now = written_at_after_putting(store)
    scope = Scope("guild", "1")
    for number in range(60):
        one = str(first_of(now - number * DAY_S))
        for key in (answer_key(scope, one), message_key(scope, one), f"g1/usage/2026-11/{one}.json"):
            store.put(key, b"{}")
    watched = Watched(tmp_path / "store")
    assert sweep(watched, now) == Swept()
    assert watched.listed.count("g1/") == 4  # and each of the three folders was looked into for no more than a page
    assert watched.looked_at <= 4 * 20 + 10


def written_at_after_putting(store: FileStore) -> float:
    store.put("g1/settings.json", b"{}")
    return written_at(store, "g1/settings.json")
