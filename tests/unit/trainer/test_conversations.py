"""The memory of a conversation: what stays in it, for how long, and who sees what."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import msgspec
import pytest

from trainer.adapters.file_store import FileStore
from trainer.consent import change_preferences
from trainer.conversations import (
    ANSWER_MOST,
    CHARACTERS_MOST,
    IDLE_S,
    QUESTION_MOST,
    SWEEP_EVERY,
    TURNS_MOST,
    Place,
    Turn,
    forget,
    former_turns,
    remember,
    sweep,
)
from trainer.ports import PreconditionFailed, StoreUnavailable
from trainer.scope import Scope

if TYPE_CHECKING:
    from pathlib import Path

    from trainer.ports import StoredObject

SCOPE = Scope("guild", "42")
PUBLIC = Place(SCOPE, "100", "8", private=False)
PRIVATE = Place(SCOPE, "100", "8", private=True)
NOW = time.time()
LATER = "999"
QUIET = 1 << 22
"""Ids from here to twice that do not look for old conversations of others."""


def turn(number: int, question: str = "Q?", answer: str = "A.", *, at: float = NOW, fresh: bool = False) -> Turn:
    return Turn(id=str(number), question=question, answer=answer, topic=question, at=at, fresh=fresh)


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path)


def ids(store: FileStore, place: Place = PUBLIC, before: str = LATER, now: float = NOW) -> list[str]:
    return [one.id for one in former_turns(store, place, before, now)]


def test_what_was_said_is_remembered_in_its_channel_for_its_person(store: FileStore) -> None:
    remember(store, PUBLIC, turn(1, "One?", "Uno."), NOW)
    (kept,) = former_turns(store, PUBLIC, LATER, NOW)
    assert (kept.question, kept.answer) == ("One?", "Uno.")
    for other in (
        PUBLIC._replace(channel_id="101"),
        PUBLIC._replace(user_id="9"),
        PUBLIC._replace(scope=SCOPE._replace(id="43")),
    ):
        assert ids(store, other) == []


def test_only_what_was_asked_before_is_seen(store: FileStore) -> None:
    for number in (1, 2, 3):
        remember(store, PUBLIC, turn(number), NOW)
    # A second delivery of the second question sees what its first delivery saw.
    assert ids(store, before="2") == ["1"]


def test_a_turn_is_remembered_once(store: FileStore) -> None:
    for _ in range(3):
        remember(store, PUBLIC, turn(1), NOW)
    assert ids(store) == ["1"]


def test_turns_are_in_order_whatever_order_they_came_in(store: FileStore) -> None:
    for number in (3, 1, 20, 2):
        remember(store, PUBLIC, turn(number), NOW)
    assert ids(store) == ["1", "2", "3", "20"]


def test_it_is_short(store: FileStore) -> None:
    for number in range(10, 30):
        remember(store, PUBLIC, turn(number), NOW)
    assert ids(store) == [str(number) for number in range(30 - TURNS_MOST, 30)]
    for number in range(30, 40):
        remember(store, PUBLIC, turn(number, "q" * 3000, "a" * 3000), NOW)
    kept = former_turns(store, PUBLIC, LATER, NOW)
    assert kept[-1].id == "39"
    assert sum(len(one.question) + len(one.answer) for one in kept) <= CHARACTERS_MOST
    assert (len(kept[0].question), len(kept[0].answer)) == (QUESTION_MOST, ANSWER_MOST)


def test_after_half_an_hour_of_silence_nothing_is_used(store: FileStore) -> None:
    remember(store, PUBLIC, turn(1, at=NOW), NOW)
    assert ids(store, now=NOW + IDLE_S) == ["1"]
    assert ids(store, now=NOW + IDLE_S + 1) == []
    # Going on in time keeps the older turns, too.
    remember(store, PUBLIC, turn(2, at=NOW + IDLE_S - 1), NOW + IDLE_S - 1)
    assert ids(store, now=NOW + IDLE_S + 60) == ["1", "2"]


def test_private_turns_are_seen_in_private_only(store: FileStore) -> None:
    remember(store, PUBLIC, turn(1), NOW)
    remember(store, PRIVATE, turn(2), NOW)
    remember(store, PUBLIC, turn(3), NOW)
    assert ids(store, PUBLIC) == ["1", "3"]
    assert ids(store, PRIVATE) == ["1", "2", "3"]


def test_beginning_anew_leaves_what_was_before_behind(store: FileStore) -> None:
    remember(store, PUBLIC, turn(1), NOW)
    remember(store, PUBLIC, turn(2, fresh=True), NOW)
    remember(store, PUBLIC, turn(3), NOW)
    assert ids(store) == ["2", "3"]
    remember(store, PRIVATE, turn(4, fresh=True), NOW)
    assert ids(store, PRIVATE) == ["4"]
    assert ids(store, PUBLIC) == ["2", "3"]


def test_beginning_anew_again_later_does_not_take_what_came_after(store: FileStore) -> None:
    remember(store, PUBLIC, turn(1, fresh=True), NOW)
    remember(store, PUBLIC, turn(2), NOW)
    remember(store, PUBLIC, turn(1, fresh=True), NOW)
    assert ids(store) == ["1", "2"]


def test_who_wants_nothing_remembered_is_obeyed(store: FileStore) -> None:
    remember(store, PUBLIC, turn(1), NOW)
    change_preferences(store, SCOPE, "8", lambda old: msgspec.structs.replace(old, remember_conversations=False))
    assert ids(store) == []
    remember(store, PUBLIC, turn(2), NOW)
    change_preferences(store, SCOPE, "8", lambda old: msgspec.structs.replace(old, remember_conversations=True))
    assert ids(store) == ["1"]


def test_a_person_is_forgotten_everywhere(store: FileStore) -> None:
    remember(store, PUBLIC, turn(1), NOW)
    remember(store, PRIVATE, turn(2), NOW)
    remember(store, PUBLIC._replace(channel_id="101"), turn(3), NOW)
    remember(store, PUBLIC._replace(user_id="18"), turn(4), NOW)
    assert forget(store, SCOPE, "8") == 3
    assert ids(store, PRIVATE) == []
    assert ids(store, PUBLIC._replace(user_id="18")) == ["4"]


def test_old_conversations_are_deleted(store: FileStore) -> None:
    remember(store, PUBLIC, turn(1), NOW)
    written = next(iter(store.list("g42/conversations/"))).modified_at
    assert sweep(store, SCOPE, written + IDLE_S - 5) == 0
    assert sweep(store, SCOPE, written + IDLE_S + 5) == 1
    assert list(store.list("g42/conversations/")) == []


def test_somebody_elses_question_deletes_them_now_and_then(store: FileStore) -> None:
    remember(store, PUBLIC, turn(QUIET), NOW)
    written = next(iter(store.list("g42/conversations/"))).modified_at
    other = PUBLIC._replace(user_id="9")
    late = written + IDLE_S + 5
    for number in range(1, SWEEP_EVERY + 1):
        remember(store, other, turn(number << 22, at=late), late)
    assert not any(info.key.endswith("/8.json") for info in store.list("g42/conversations/"))


def test_two_questions_at_once_are_both_remembered(store: FileStore) -> None:
    def ask(number: int) -> None:
        remember(store, PUBLIC, turn(number), NOW)

    threads = [threading.Thread(target=ask, args=(number,)) for number in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ids(store) == ["1", "2", "3"]


class Failing(FileStore):
    """A store that does not answer, or in which somebody else always writes first."""

    def get(self, key: str) -> StoredObject:
        if "conversations" in key:
            raise StoreUnavailable("away")
        return super().get(key)


class Contended(FileStore):
    """A store in which somebody else always writes first."""

    def put(
        self,
        key: str,
        data: bytes,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        content_type: str = "application/octet-stream",
    ) -> str:
        raise PreconditionFailed("too late")


@pytest.mark.parametrize("kind", [Failing, Contended])
def test_a_turn_that_cannot_be_kept_is_only_logged(
    kind: type[FileStore], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    remember(kind(tmp_path), PUBLIC, turn(1), NOW)
    assert "turn not remembered" in caplog.text
