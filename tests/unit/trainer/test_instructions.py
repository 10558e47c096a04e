"""The instruction of a scope: drafts, versions, differences; nobody's change is lost."""

from __future__ import annotations

import difflib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interactions import core
from interactions.lookups import Lookups
from interactions.registry import registry
from tests import interactions_made as made
from tests.unit.trainer.mortal import Died, Mortal
from trainer.answering import Answering
from trainer.batches import Origin
from trainer.datasets import draft_key, instruction_key, instruction_version_key
from trainer.importers import Example, Place
from trainer.instructions import (
    FILE_MOST,
    BadText,
    ChangedMeanwhile,
    Instructions,
    NoSuchDraft,
    clean,
    current_version,
    decoded,
    default_instruction,
    instruction_in_force,
)
from trainer.library import Library
from trainer.ports import ChatMessage, ChatReply, ChatUsage, ObjectStore, PreconditionFailed, StoreUnavailable
from trainer.prompt import RULES
from trainer.scope import Actor, Scope
from trainer.text_diff import COMPARED_MOST, changes
from trainer.training import Training

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from trainer.adapters.file_store import FileStore
    from trainer.ports import OnText

SCOPE = Scope("guild", "42")
ADA = Actor(SCOPE, "7", is_manager=True)
BOB = Actor(SCOPE, "8", is_manager=True)


def instructions(store: FileStore, now: float = 100) -> Instructions:
    return Instructions(store, lambda: now)


def put_in_force(store: FileStore, draft_id: str, text: str, actor: Actor = ADA, now: float = 100) -> None:
    instructions(store, now).propose(actor, draft_id, text)
    instructions(store, now).apply(actor, draft_id)


# --- texts ----------------------------------------------------------------------------------------------------


def test_texts_are_kept_in_one_form() -> None:
    assert clean("\ufeff a\r\nb\rc \n") == "a\nb\nc"
    assert clean("cafe\u0301") == "caf\u00e9"
    assert decoded("\ufeffПривет\tвсем".encode()) == "Привет\tвсем"
    assert clean("я" * (FILE_MOST // 2)) == "я" * (FILE_MOST // 2)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "empty"),
        (b" \n\t", "empty"),
        (b"\xff\xfea\x00", "not_text"),
        (b"a\x00b", "not_text"),
        (b"\x1b[31m", "not_text"),
        (("я" * (FILE_MOST // 2) + "a").encode(), "too_long"),
    ],
)
def test_what_is_no_text_is_refused_with_the_reason(data: bytes, problem: str) -> None:
    with pytest.raises(BadText) as bad:
        decoded(data)
    assert bad.value.problem == problem


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(BadText, match="not_text"):
        clean("a\ud800")


def test_the_default_text_is_there_in_each_language() -> None:
    assert default_instruction().startswith("You are Trainger")
    assert default_instruction("ru").startswith("Вы — Trainger")
    assert default_instruction("xx") == default_instruction()


# --- differences ----------------------------------------------------------------------------------------------


def test_a_difference_names_what_went_and_what_came() -> None:
    before, after = "one\ntwo\nthree\nfour\nfive", "one\ntwo\n3\nfour\nfive\nsix"
    assert changes(before, after) == ["@@ -2,4 +2,5 @@", " two", "-three", "+3", " four", " five", "+six"]
    assert changes(before, f"{before}\n") == []
    assert changes("", "new") == ["@@ -0,0 +1 @@", "+new"]


def test_very_long_differences_are_told_without_comparing() -> None:
    before = "\n".join(["same", *("a" for _ in range(COMPARED_MOST + 1)), "end"])
    after = "same\nb\nend"
    told = changes(before, after)
    assert told[0] == f"@@ -2,{COMPARED_MOST + 1} +2 @@"
    assert told[1:] == ["-a"] * (COMPARED_MOST + 1) + ["+b"]
    assert changes("same\nend", "\n".join(["same", *"b" * (COMPARED_MOST + 1), "end"]))[0] == (
        f"@@ -1,0 +2,{COMPARED_MOST + 1} @@"
    )


@given(st.lists(st.sampled_from("abc"), max_size=8), st.lists(st.sampled_from("abc"), max_size=8))
def test_a_difference_accounts_for_every_line(old: list[str], new: list[str]) -> None:
    told = changes("\n".join(old), "\n".join(new))
    assert (told == []) == (old == new)
    gone = [line[1:] for line in told if line.startswith("-")]
    come = [line[1:] for line in told if line.startswith("+")]
    assert len(new) - len(old) == len(come) - len(gone)
    matched = sum(block.size for block in difflib.SequenceMatcher(None, old, new).get_matching_blocks())
    assert len(gone) == len(old) - matched


# --- versions -------------------------------------------------------------------------------------------------


def test_a_draft_counts_when_it_is_applied(store: FileStore) -> None:
    draft = instructions(store).propose(ADA, "5", "Be kind.")
    assert (draft.base, draft.kind) == ("", "edit")
    assert instructions(store, 200).propose(ADA, "5", "Other.") == draft
    assert instruction_in_force(store, SCOPE) == default_instruction()
    version = instructions(store, 300).apply(ADA, "5")
    assert (version.id, version.text, version.author, version.at) == ("5", "Be kind.", "7", 300)
    assert instruction_in_force(store, SCOPE) == "Be kind."
    assert instruction_in_force(store, Scope("guild", "4")) == default_instruction()
    assert store.head(draft_key(SCOPE, "5")) is None
    assert instructions(store, 400).apply(ADA, "5") == version
    assert not instructions(store).discard(ADA, "5")


def test_a_discarded_draft_is_gone(store: FileStore) -> None:
    instructions(store).propose(ADA, "5", "Be kind.")
    assert instructions(store).discard(ADA, "5")
    assert instructions(store).discard(ADA, "5")
    with pytest.raises(NoSuchDraft):
        instructions(store).apply(ADA, "5")
    assert list(store.list("")) == []


def test_a_draft_made_against_another_version_is_not_applied(store: FileStore) -> None:
    mine = instructions(store).propose(ADA, "5", "Mine.")
    put_in_force(store, "6", "Theirs.", BOB)
    with pytest.raises(ChangedMeanwhile) as changed:
        instructions(store).apply(ADA, "5")
    assert changed.value.draft == mine
    assert instruction_in_force(store, SCOPE) == "Theirs."
    again = instructions(store).propose(ADA, "7", mine.text)
    assert again.base == "6"
    assert instructions(store).apply(ADA, "7").text == "Mine."


def test_of_many_drafts_applied_at_once_one_is(store: FileStore) -> None:
    put_in_force(store, "1", "Old.")
    for number in range(8):
        instructions(store).propose(ADA, str(100 + number), f"Text {number}.")

    def apply(number: int) -> str | None:
        try:
            return instructions(store).apply(ADA, str(100 + number)).text
        except ChangedMeanwhile:
            return None

    with ThreadPoolExecutor(8) as people:
        (applied,) = filter(None, people.map(apply, range(8)))
    assert instruction_in_force(store, SCOPE) == applied
    assert {version.text for version in instructions(store).history(SCOPE, most=10)} == {"Old.", applied}


def test_going_back_to_the_default_is_a_version_too(store: FileStore) -> None:
    put_in_force(store, "5", "Be kind.", now=100)
    instructions(store).propose(BOB, "6", "", "reset")
    instructions(store, 200).apply(BOB, "6")
    assert instruction_in_force(store, SCOPE) == default_instruction()
    put_in_force(store, "7", "Be kinder.", now=300)
    history = instructions(store).history(SCOPE, most=10)
    assert [(version.id, version.kind) for version in history] == [("7", "edit"), ("6", "reset"), ("5", "edit")]
    assert [version.id for version in instructions(store).history(SCOPE, most=2)] == ["7", "6"]
    assert instructions(store).version(SCOPE, "5") == history[2]


@pytest.mark.parametrize("changes_", range(5))
def test_a_worker_that_dies_anywhere_is_followed_by_one_that_does_the_same(store: FileStore, changes_: int) -> None:
    put_in_force(store, "5", "First.", now=100)
    instructions(store).propose(ADA, "6", "Second.")
    mortal = Instructions(cast("ObjectStore", Mortal(store, changes_)), lambda: 200)
    try:
        mortal.apply(ADA, "6")
    except Died:
        assert changes_ < 4
    else:
        assert changes_ == 4
    assert instructions(store, 200).apply(ADA, "6").text == "Second."
    put_in_force(store, "7", "Third.", now=300)
    assert [version.id for version in instructions(store).history(SCOPE, most=10)] == ["7", "6", "5"]
    assert instructions(store, 400).apply(ADA, "6").text == "Second."
    assert instruction_in_force(store, SCOPE) == "Third."


def test_a_version_that_was_not_filed_is_filed_by_the_next(store: FileStore) -> None:
    put_in_force(store, "5", "First.")
    store.delete(instruction_version_key(SCOPE, "5"))
    assert not instructions(store).discard(ADA, "5")
    put_in_force(store, "6", "Second.", now=200)
    assert [version.text for version in instructions(store).history(SCOPE, most=10)] == ["Second.", "First."]


def test_a_draft_that_another_delivery_applies_in_between_is_applied(store: FileStore) -> None:
    instructions(store).propose(ADA, "5", "Be kind.")

    class Overtaken(Mortal):
        def get(self, key: str) -> Any:
            if key == draft_key(SCOPE, "5"):
                instructions(store).apply(ADA, "5")
            return store.get(key)

    overtaken = Instructions(cast("ObjectStore", Overtaken(store, 9)))
    assert overtaken.apply(ADA, "5").text == "Be kind."


def test_somebody_always_being_faster_ends(store: FileStore) -> None:
    instructions(store).propose(ADA, "5", "Be kind.")

    class Late(Mortal):
        def put(self, *args: Any, **kwargs: Any) -> str:
            raise PreconditionFailed("lost")

    with pytest.raises(StoreUnavailable, match="at once"):
        Instructions(cast("ObjectStore", Late(store, 9))).apply(ADA, "5")
    assert current_version(store, SCOPE) is None


# --- what a model is told -------------------------------------------------------------------------------------


def test_a_model_is_told_what_is_in_force_and_then_the_fixed_rules(store: FileStore, tmp_path: Path) -> None:
    asked: list[str] = []

    class Model:
        name = "a model"

        def reply(
            self, messages: Sequence[ChatMessage], *, max_tokens: int, on_text: OnText | None = None
        ) -> ChatReply:
            asked.append(messages[0].content)
            return ChatReply("Press M.", self.name, ChatUsage(1, 1), truncated=False)

    library = Library(store, tmp_path / "cache")
    example = Example("pair", "Where is the map?", "Press M.", Place("block", 1))
    Training(store, library).train(ADA, "3", "default", Origin("text"), [example], print)
    answering = Answering(library, Model(), lambda scope: instruction_in_force(store, scope))
    answering.answer(SCOPE, "default", "Where is the map?")
    put_in_force(store, "5", "Be kind.")
    answering.answer(SCOPE, "default", "Where is the map?")
    library.close()
    assert asked == [f"{default_instruction()}\n\n{RULES}", f"Be kind.\n\n{RULES}"]


# --- the form -------------------------------------------------------------------------------------------------


def opened(quick: Any) -> dict[str, Any]:
    """What pressing Edit is answered with."""
    door = core.Door(made.KEY.verify_key, registry(), quick)
    response = core.receive(*made.signed(made.encode(made.press("instruction-edit:"))), door=door)
    return cast("dict[str, Any]", json.loads(response.body))


def test_the_form_begins_with_the_text_in_force(store: FileStore) -> None:
    put_in_force(store, "5", "Be kind.")
    store.put(f"g{made.GUILD}/instruction.json", store.get(instruction_key(SCOPE)).data)
    form = opened(Lookups(lambda: store))
    assert (form["type"], form["data"]["custom_id"]) == (9, "instruction:5")
    assert form["data"]["components"][0]["component"]["value"] == "Be kind."


def test_without_the_text_there_is_no_form() -> None:
    class Failing:
        def get(self, key: str) -> Any:
            raise StoreUnavailable("x")

    class Without:
        def dataset_names(self, scope: Scope) -> list[str]:
            return []

    for quick in (Lookups(lambda: cast("ObjectStore", Failing())), Without()):
        told = opened(quick)
        assert told["type"] == 4
        assert "cannot show the form" in told["data"]["content"]


def test_a_forged_form_of_a_member_is_refused(store: FileStore) -> None:
    door = core.Door(made.KEY.verify_key, registry(), Lookups(lambda: store))
    for manager, text, told in ((False, "Be rude.", "is for managers"), (True, " ", "There is nothing in it.")):
        form = made.submit("instruction:", {"text": text}, manager=manager)
        answer = json.loads(core.receive(*made.signed(made.encode(form)), door=door).body)
        assert answer["type"] == 4
        assert told in answer["data"]["content"]


def test_a_store_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interactions.lookups.PATIENCE_S", 0.05)
    answer = threading.Event()

    class Hanging:
        def get(self, key: str) -> Any:
            answer.wait(20)
            raise StoreUnavailable("x")

    with pytest.raises(StoreUnavailable, match="in time"):
        Lookups(lambda: cast("ObjectStore", Hanging())).instruction(SCOPE)
    answer.set()
