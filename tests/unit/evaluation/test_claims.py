"""One run at a time: claims hold, are renewed, end, and run out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.evaluation.rooms import SCOPE
from trainer.adapters.file_store import FileStore
from trainer.evaluation import claims
from trainer.evaluation.claims import Active, Claim, ClaimLost, active_run, claim
from trainer.evaluation.keys import active_key
from trainer.ports import PreconditionFailed, StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path)


def held(store: FileStore, clock: Clock, run: str = "1", lasts_s: float = 30) -> Claim:
    found = claim(store, SCOPE, run, lasts_s=lasts_s, clock=clock)
    assert isinstance(found, Claim)
    return found


def test_a_claim_excludes_others_until_it_ends(store: FileStore, clock: Clock) -> None:
    assert active_run(store, SCOPE, clock=clock) == ""
    mine = held(store, clock)
    assert active_run(store, SCOPE, clock=clock) == "1"
    for run in ("1", "2"):
        other = claim(store, SCOPE, run, clock=clock)
        assert isinstance(other, Active)
        assert other.run == "1"
    mine.release()
    assert active_run(store, SCOPE, clock=clock) == ""
    held(store, clock, "2")


def test_a_claim_runs_out_unless_it_is_renewed(store: FileStore, clock: Clock) -> None:
    mine = held(store, clock)
    for _ in range(5):
        clock.now += 11
        mine.renew()
        assert active_run(store, SCOPE, clock=clock) == "1"
    clock.now += 31
    assert active_run(store, SCOPE, clock=clock) == ""
    held(store, clock, "2")
    with pytest.raises(ClaimLost):
        mine.renew()
    mine.release()
    assert active_run(store, SCOPE, clock=clock) == "2"


def test_a_claim_by_a_clock_that_goes_wrong_does_not_last(store: FileStore, clock: Clock) -> None:
    clock.now += 86_400
    held(store, clock)
    clock.now -= 86_400
    assert active_run(store, SCOPE, clock=clock) == ""
    held(store, clock, "2")
    clock.now -= 60  # as clocks may differ
    assert isinstance(claim(store, SCOPE, "1", clock=clock), Active)


def test_a_claim_that_was_deleted_is_lost(store: FileStore, clock: Clock) -> None:
    mine = held(store, clock)
    store.delete(active_key(SCOPE))
    mine.renew()
    clock.now += 11
    with pytest.raises(ClaimLost):
        mine.renew()


def test_a_claim_is_not_renewed_more_often_than_needed(store: FileStore, clock: Clock) -> None:
    mine = held(store, clock)
    before = store.get(active_key(SCOPE)).etag
    clock.now += 5
    mine.renew()
    assert store.get(active_key(SCOPE)).etag == before


def test_a_store_that_fails_for_a_moment_loses_nothing(
    store: FileStore, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    mine = held(store, clock)
    clock.now += 11

    def fail(*_: object, **__: object) -> str:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(store, "put", fail)
    mine.renew()
    mine.release()
    monkeypatch.undo()
    mine.renew()
    assert active_run(store, SCOPE, clock=clock) == "1"
    assert "not renewed" in caplog.text


def test_a_write_whose_answer_was_lost_is_one_s_own(
    store: FileStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = held(store, clock)
    clock.now += 11
    put = claims._put

    def lost(*given: object) -> str:
        monkeypatch.undo()
        put(*given)  # type: ignore[arg-type]
        raise PreconditionFailed("tried twice")

    monkeypatch.setattr(claims, "_put", lost)
    mine.renew()
    clock.now += 11
    mine.renew()
    assert active_run(store, SCOPE, clock=clock) == "1"


def test_of_two_that_claim_at_once_one_gets_it(
    store: FileStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = claims._put

    def first_another(*given: object) -> str:
        monkeypatch.undo()
        held(store, clock, "2")
        return put(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(claims, "_put", first_another)
    found = claim(store, SCOPE, "1", clock=clock)
    assert isinstance(found, Active)
    assert found.run == "2"
