"""Names of datasets, and choosing one: nobody's choice is lost, and doing a thing twice changes nothing."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interactions import core
from interactions.lookups import Lookups
from interactions.registry import registry
from tests import interactions_made as made
from tests.unit.trainer.mortal import Died, Mortal
from trainer import records
from trainer.datasets import DatasetKeys, name_key, selection_key, settings_key
from trainer.ports import ObjectInfo, ObjectStore, StoreUnavailable
from trainer.scope import Actor, Scope
from trainer.selection import (
    NAMES_MOST,
    ChosenMeanwhile,
    SelectedAlready,
    Selecting,
    dataset_names,
    folders,
    holds_something,
    mark_dataset,
    matching,
    unmark_if_empty,
)
from trainer.settings import ScopeSettings, Selection, scope_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainer.adapters.file_store import FileStore

SCOPE = Scope("guild", "42")
ADA = Actor(SCOPE, "7", is_manager=True)
BOB = Actor(SCOPE, "8", is_manager=True)


def selecting(store: FileStore, now: float = 100) -> Selecting:
    return Selecting(store, lambda: now)


def fill(store: FileStore, dataset: str) -> None:
    store.put(f"{DatasetKeys(SCOPE, dataset).root}batches/1.json", b"{}")


# --- names ----------------------------------------------------------------------------------------------------


def test_there_is_no_list_before_the_first_mark(store: FileStore) -> None:
    assert dataset_names(store, SCOPE) is None
    assert list(folders(store, SCOPE)) == []
    assert mark_dataset(store, SCOPE, "events", "5").id == "5"
    assert dataset_names(store, SCOPE) == ["default", "events"]
    assert mark_dataset(store, SCOPE, "events", "6").id == "5"
    assert dataset_names(store, Scope("guild", "4")) is None


def test_the_first_mark_brings_in_what_was_there_before(store: FileStore) -> None:
    for name in ("a", "a-b", "события"):
        fill(store, name)
    assert sorted(folders(store, SCOPE)) == ["a", "a-b", "события"]
    assert mark_dataset(store, SCOPE, "a-b", "5").id == ""
    assert dataset_names(store, SCOPE) == ["a", "a-b", "default", "события"]


@pytest.mark.parametrize("writes", range(5))
def test_a_worker_that_dies_while_marking_hides_nothing(store: FileStore, writes: int) -> None:
    for name in ("a", "b", "c"):
        fill(store, name)
    with pytest.raises(Died):
        mark_dataset(cast("ObjectStore", Mortal(store, writes)), SCOPE, "new", "5")
    assert dataset_names(store, SCOPE) in (None, ["a", "b", "c", "default"])
    mark_dataset(store, SCOPE, "new", "5")
    assert dataset_names(store, SCOPE) == ["a", "b", "c", "default", "new"]


def test_an_empty_dataset_can_be_unmarked_and_no_other(store: FileStore) -> None:
    for name in ("default", "empty", "full"):
        mark_dataset(store, SCOPE, name, "5")
    fill(store, "full")
    for name in ("default", "empty", "full", "unknown"):
        unmark_if_empty(store, SCOPE, name)
    assert dataset_names(store, SCOPE) == ["default", "full"]


def test_a_dataset_that_is_filled_while_it_is_unmarked_stays(store: FileStore) -> None:
    mark_dataset(store, SCOPE, "events", "5")

    class Busy(Mortal):
        def delete(self, key: str) -> None:
            store.delete(key)
            fill(store, "events")

    unmark_if_empty(cast("ObjectStore", Busy(store, 9)), SCOPE, "events")
    assert holds_something(store, SCOPE, "events")
    assert dataset_names(store, SCOPE) == ["default", "events"]


def test_a_thousand_names_take_one_listing() -> None:
    class Counting:
        listings = 0

        def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectInfo]:
            self.listings += 1
            names = ["default", *(f"x{number:04}" for number in range(6000))]
            return (ObjectInfo(f"{prefix}{name}", 0, "e", 0) for name in names)

    counting = Counting()
    names = Lookups(lambda: cast("ObjectStore", counting)).dataset_names(SCOPE)
    assert (len(names), counting.listings) == (NAMES_MOST, 1)


def test_matching_prefers_beginnings_then_parts_then_likeness() -> None:
    names = ["old-events", "events", "events-2026", "prevents", "billing", "my_events"]
    expected = ["events", "events-2026", "my_events", "old-events", "prevents"]
    assert matching(names, " Events ", most=25) == expected
    assert matching(names, "events", most=2) == ["events", "events-2026"]
    assert matching(names, "", most=25) == sorted(names)
    assert matching(names, "evnets", most=25)[0] == "events"
    assert "billing" not in matching(names, "evnets", most=25)
    assert matching(names, "2026 events", most=1) == ["events-2026"]
    assert matching(names, "biling", most=25) == ["billing"]
    assert matching(["события", "поддержка"], "собтия", most=25) == ["события"]
    assert matching(["a", "ab"], "abcdefgh", most=25) == []
    assert matching(names, "zq", most=25) == []


@given(st.lists(st.text(max_size=48), unique=True, max_size=30), st.text(max_size=100))
def test_matching_offers_names_once_and_no_others(names: list[str], typed: str) -> None:
    found = matching(names, typed, most=25)
    assert len(found) == len(set(found)) <= 25
    assert set(found) <= set(names)


# --- choosing -------------------------------------------------------------------------------------------------


def test_a_choice_says_what_was_before_and_what_is_new(store: FileStore) -> None:
    fill(store, "support")
    first = selecting(store).select(ADA, "5", "events", typed_at=50)
    expected = Selection(id="5", dataset="events", before="default", author="7", at=100, created=True)
    assert first == expected
    assert scope_settings(store, SCOPE) == ScopeSettings("events", selection=expected)
    second = selecting(store, 200).select(BOB, "6", "support", typed_at=150)
    assert (second.before, second.created) == ("events", False)
    assert selecting(store).history(SCOPE, most=10) == [second, first]
    assert selecting(store).history(SCOPE, most=1) == [second]
    assert selecting(store).history(Scope("guild", "4"), most=10) == []


def test_other_settings_stay(store: FileStore) -> None:
    records.save(store, settings_key(SCOPE), ScopeSettings(trainer_role="9"))
    selecting(store).select(ADA, "5", "events", typed_at=50)
    assert scope_settings(store, SCOPE).trainer_role == "9"


def test_what_is_selected_is_not_selected_again(store: FileStore) -> None:
    with pytest.raises(SelectedAlready) as already:
        selecting(store).select(ADA, "5", "default", typed_at=50)
    assert already.value.selection is None
    chosen = selecting(store).select(ADA, "6", "events", typed_at=50)
    with pytest.raises(SelectedAlready) as already:
        selecting(store).select(BOB, "7", "events", typed_at=50)
    assert already.value.selection == chosen
    assert selecting(store).history(SCOPE, most=10) == [chosen]


def test_a_choice_made_in_ignorance_of_another_does_not_overrule_it(store: FileStore) -> None:
    chosen = selecting(store, 100).select(ADA, "5", "events", typed_at=90)
    with pytest.raises(ChosenMeanwhile) as meanwhile:
        selecting(store, 110).select(BOB, "6", "support", typed_at=99)
    assert (meanwhile.value.dataset, meanwhile.value.selection) == ("events", chosen)
    assert dataset_names(store, SCOPE) == ["default", "events"]
    assert selecting(store, 120).select(BOB, "7", "support", typed_at=115).before == "events"


def test_of_one_persons_choices_the_later_stands(store: FileStore) -> None:
    selecting(store, 100).select(ADA, "5", "events", typed_at=90)
    assert selecting(store, 101).select(ADA, "6", "support", typed_at=91).dataset == "support"
    with pytest.raises(ChosenMeanwhile):
        selecting(store, 102).select(ADA, "4", "billing", typed_at=89)
    assert scope_settings(store, SCOPE).dataset == "support"


def test_of_many_who_choose_at_once_one_does_and_all_others_know(store: FileStore) -> None:
    def choose(number: int) -> Selection | None:
        actor = Actor(SCOPE, str(number), is_manager=True)
        try:
            return selecting(store).select(actor, str(100 + number), f"d{number}", typed_at=99)
        except ChosenMeanwhile as meanwhile:
            return meanwhile.selection

    with ThreadPoolExecutor(8) as people:
        told = list(people.map(choose, range(8)))
    (chosen,) = set(filter(None, told))
    assert told == [chosen] * 8
    assert scope_settings(store, SCOPE).selection == chosen
    assert selecting(store).history(SCOPE, most=10) == [chosen]
    assert dataset_names(store, SCOPE) == sorted(["default", chosen.dataset])


@pytest.mark.parametrize("writes", range(5))
def test_a_worker_that_dies_anywhere_is_followed_by_one_that_says_the_same(store: FileStore, writes: int) -> None:
    before = selecting(store, 10).select(BOB, "3", "support", typed_at=5)
    whole = selecting(store, 100).select(ADA, "5", "events", typed_at=90)
    for key in [selection_key(SCOPE, "5"), name_key(SCOPE, "events")]:
        store.delete(key)
    records.save(store, settings_key(SCOPE), ScopeSettings("support", selection=before))
    try:
        Selecting(cast("ObjectStore", Mortal(store, writes)), lambda: 100).select(ADA, "5", "events", typed_at=90)
    except Died:
        assert writes < 4
    else:
        assert writes >= 4
    assert selecting(store, 100).select(ADA, "5", "events", typed_at=90) == whole
    assert selecting(store).history(SCOPE, most=10) == [whole, before]
    later = selecting(store, 300).select(BOB, "9", "support", typed_at=290)
    assert selecting(store, 400).select(ADA, "5", "events", typed_at=90) == whole
    assert scope_settings(store, SCOPE).selection == later


def test_a_choice_that_was_not_filed_is_filed_by_the_next(store: FileStore) -> None:
    chosen = selecting(store, 100).select(ADA, "5", "events", typed_at=90)
    store.delete(selection_key(SCOPE, "5"))
    later = selecting(store, 200).select(BOB, "6", "support", typed_at=190)
    assert selecting(store).history(SCOPE, most=10) == [later, chosen]
    assert selecting(store, 300).select(ADA, "5", "events", typed_at=90) == chosen
    assert scope_settings(store, SCOPE).dataset == "support"


# --- taking back ----------------------------------------------------------------------------------------------


def test_taking_back_leads_to_what_was_before_and_removes_a_name_made_in_vain(store: FileStore) -> None:
    selecting(store, 100).select(ADA, "5", "evnets", typed_at=90)
    undone = selecting(store, 200).undo(BOB, "6", "5")
    assert undone == Selection(id="6", dataset="default", before="evnets", author="8", at=200, undoes="5")
    assert scope_settings(store, SCOPE).dataset == "default"
    assert dataset_names(store, SCOPE) == ["default"]
    assert selecting(store, 300).undo(BOB, "6", "5") == undone
    assert selecting(store, 300).undo(ADA, "7", "5") == undone
    redone = selecting(store, 400).undo(ADA, "8", "6")
    assert (redone.dataset, redone.undoes) == ("evnets", "6")
    assert dataset_names(store, SCOPE) == ["default", "evnets"]
    assert [choice.id for choice in selecting(store).history(SCOPE, most=10)] == ["8", "6", "5"]


def test_taking_back_keeps_a_dataset_that_holds_something(store: FileStore) -> None:
    selecting(store, 100).select(ADA, "5", "events", typed_at=90)
    fill(store, "events")
    selecting(store, 200).undo(ADA, "6", "5")
    assert dataset_names(store, SCOPE) == ["default", "events"]


def test_only_the_choice_in_force_is_taken_back(store: FileStore) -> None:
    with pytest.raises(ChosenMeanwhile) as nothing:
        selecting(store).undo(ADA, "4", "3")
    assert (nothing.value.dataset, nothing.value.selection) == ("default", None)
    selecting(store, 100).select(ADA, "5", "events", typed_at=90)
    later = selecting(store, 200).select(BOB, "6", "support", typed_at=190)
    with pytest.raises(ChosenMeanwhile) as meanwhile:
        selecting(store, 300).undo(ADA, "7", "5")
    assert meanwhile.value.selection == later
    assert scope_settings(store, SCOPE).dataset == "support"


# --- while Discord waits --------------------------------------------------------------------------------------


def test_names_are_looked_for_where_there_is_no_list_yet(store: FileStore) -> None:
    fill(store, "events")
    lookups = Lookups(lambda: store)
    assert lookups.dataset_names(SCOPE) == ["events"]
    mark_dataset(store, SCOPE, "support", "5")
    assert lookups.dataset_names(SCOPE) == ["default", "events", "support"]


def test_members_are_offered_no_names(store: FileStore) -> None:
    door = core.Door(made.KEY.verify_key, registry(), Lookups(lambda: store))
    for manager, count in ((False, 0), (True, 1)):
        typing = made.typing("select_dataset", "name", "", manager=manager)
        answer = json.loads(core.receive(*made.signed(made.encode(typing)), door=door).body)
        assert len(answer["data"]["choices"]) == count


def test_a_store_that_fails_suggests_nothing() -> None:
    class Failing:
        def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectInfo]:
            raise StoreUnavailable("x")

    assert Lookups(lambda: cast("ObjectStore", Failing())).dataset_names(SCOPE) == []
