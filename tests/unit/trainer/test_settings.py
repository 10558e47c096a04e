"""Settings are changed by conditional writes: nobody's change is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import msgspec
import pytest

from trainer.adapters.file_store import FileStore
from trainer.datasets import settings_key
from trainer.ports import StoreUnavailable
from trainer.scope import Scope
from trainer.settings import ScopeSettings, change_settings, choose_trainers, scope_settings

if TYPE_CHECKING:
    from pathlib import Path

SCOPE = Scope("guild", "42")


def test_nothing_chosen_means_the_defaults(tmp_path: Path) -> None:
    assert scope_settings(FileStore(tmp_path), SCOPE) == ScopeSettings("default", "")


def test_a_change_tells_before_and_after(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    before, after = change_settings(store, SCOPE, lambda old: msgspec.structs.replace(old, dataset="events"))
    assert (before.dataset, after.dataset) == ("default", "events")
    assert scope_settings(store, SCOPE).dataset == "events"
    assert scope_settings(store, Scope("guild", "43")).dataset == "default"
    assert change_settings(store, SCOPE, lambda old: old) == (after, after)


def test_changes_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    store = FileStore(tmp_path)

    def add(letter: str) -> None:
        change_settings(store, SCOPE, lambda old: msgspec.structs.replace(old, dataset=old.dataset + letter))

    with ThreadPoolExecutor(4) as people:
        list(people.map(add, "abcd"))
    assert sorted(scope_settings(store, SCOPE).dataset) == sorted("defaultabcd")


def test_giving_up_changes_nothing(tmp_path: Path) -> None:
    store = FileStore(tmp_path)

    def refuse(old: ScopeSettings) -> ScopeSettings:
        raise LookupError

    with pytest.raises(LookupError):
        change_settings(store, SCOPE, refuse)
    assert list(store.list("")) == []


def test_somebody_always_being_faster_ends(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    count = iter(range(1000))

    def slow(old: ScopeSettings) -> ScopeSettings:
        store.put(settings_key(SCOPE), msgspec.json.encode(ScopeSettings(dataset=f"d{next(count)}")))
        return msgspec.structs.replace(old, trainer_role="7")

    with pytest.raises(StoreUnavailable, match="at once"):
        change_settings(store, SCOPE, slow)


def test_a_choice_that_is_done_late_changes_nothing_that_came_after_it(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    assert choose_trainers(store, SCOPE, "1000", "7").trainer_role == "7"
    assert choose_trainers(store, SCOPE, "3000", "").trainer_role == ""
    for late in ("1000", "2000", "3000"):
        assert choose_trainers(store, SCOPE, late, "8").trainer_role == ""
    assert choose_trainers(store, SCOPE, "10000", "8").trainer_role == "8"
    assert scope_settings(store, SCOPE).trainer_role == "8"


def test_what_was_chosen_before_interactions_were_remembered_can_be_changed(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    store.put(settings_key(SCOPE), b'{"trainer_role":"7"}')
    assert choose_trainers(store, SCOPE, "5", "8").trainer_role == "8"
