"""Corrections: who applies them, how they are taken back for good, and the history of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from trainer import records
from trainer.adapters.file_store import FileStore
from trainer.answers import AnswerRecord, save_answer
from trainer.corrections import (
    HISTORY_MOST,
    Correction,
    Corrections,
    NoSuchAnswer,
    NoSuchCorrection,
    NotAllowed,
    Undone,
)
from trainer.datasets import DatasetKeys, settings_key
from trainer.library import Library
from trainer.scope import Actor, Scope
from trainer.settings import ScopeSettings, may_teach

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCOPE = Scope("guild", "42")
MANAGER = Actor(SCOPE, "7", is_manager=True)
MEMBER = Actor(SCOPE, "8", is_manager=False, roles=("5",))
TRAINER = Actor(SCOPE, "9", is_manager=False, roles=("5", "6"))
KEYS = DatasetKeys(SCOPE, "default")
QUESTION = "When does it start?"


class Room:
    """A store, its corrections and an index."""

    def __init__(self, folder: Path) -> None:
        self.store = FileStore(folder / "store")
        self.library = Library(self.store, folder / "cache")
        self.now = 1_800_000_000.0
        self.corrections = Corrections(self.store, lambda: self.now)
        records.save(self.store, settings_key(SCOPE), ScopeSettings(trainer_role="6"))
        self.answered("100")

    def answered(self, answer_id: str, question: str = QUESTION, scope: Scope = SCOPE) -> None:
        record = AnswerRecord(
            id=answer_id,
            dataset="default",
            question=question,
            text="On Thursday.",
            kind="trained",
            author="8",
            created_at=self.now,
        )
        save_answer(self.store, scope, record)

    def correct(self, correction_id: str, right: str, actor: Actor = MANAGER) -> Correction:
        return self.corrections.correct(actor, correction_id, "100", right)

    def best(self) -> str:
        hits = self.library.index(SCOPE, "default").search(QUESTION)
        return hits[0].entry.answer if hits else ""


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.library.close()


def test_who_may_teach(room: Room) -> None:
    assert may_teach(room.store, MANAGER)
    assert may_teach(room.store, TRAINER)
    assert not may_teach(room.store, MEMBER)
    assert not may_teach(room.store, Actor(SCOPE, "8", is_manager=False))
    elsewhere = Scope("guild", "43")
    assert not may_teach(room.store, TRAINER._replace(scope=elsewhere))
    assert not may_teach(room.store, Actor(elsewhere, "8", is_manager=False, roles=("",)))


def test_everything_is_remembered(room: Room) -> None:
    correction = room.correct("200", "On Friday.", MEMBER)
    assert correction == Correction(
        id="200",
        answer_id="100",
        question=QUESTION,
        wrong="On Thursday.",
        right="On Friday.",
        author="8",
        created_at=room.now,
        proposed=True,
        lesson="When does it start: Thursday → Friday",
    )
    assert not room.correct("201", "On Friday.", TRAINER).proposed


def test_a_record_from_before_lessons_is_read(room: Room) -> None:
    old = b'{"id":"200","answer_id":"1","question":"Q","wrong":"","right":"R","author":"7"'
    old += b',"created_at":1,"proposed":false}'
    room.store.put(KEYS.correction("200"), old)
    standing = room.corrections.standing(SCOPE, "default", "200")
    assert (standing.status, standing.correction.lesson) == ("applied", "")


def test_undoing_brings_back_what_was_before(room: Room) -> None:
    room.correct("200", "First.")
    room.correct("201", "Second.")
    assert room.best() == "Second."
    undone = room.corrections.undo(MANAGER, "default", "201")
    assert undone.status == "undone"
    assert undone.undone == Undone(correction_id="201", by="7", undone_at=room.now)
    assert room.best() == "First."
    room.corrections.undo(MANAGER, "default", "200")
    assert room.best() == ""
    room.correct("202", "Third.")
    assert room.best() == "Third."


def test_the_first_to_undo_stands(room: Room) -> None:
    room.correct("200", "First.")
    room.corrections.undo(MANAGER, "default", "200")
    room.now += 60
    again = room.corrections.undo(TRAINER, "default", "200")
    assert again.undone is not None
    assert (again.undone.by, again.undone.undone_at) == ("7", room.now - 60)


@pytest.mark.parametrize("seconds", [-60.0, 0.0, 60.0])
def test_nothing_brings_an_undone_correction_back(room: Room, seconds: float) -> None:
    """A correction, or its approval, that is delivered again by a worker whose clock is wrong."""
    room.correct("200", "First.", MEMBER)
    room.corrections.decide(MANAGER, "default", "200", approve=True)
    assert room.best() == "First."
    room.corrections.undo(MEMBER, "default", "200")
    room.now += seconds
    room.corrections.decide(TRAINER, "default", "200", approve=True)
    room.correct("200", "First.", MEMBER)
    assert room.best() == ""
    room.library.close()
    assert room.best() == ""


def test_who_may_undo(room: Room) -> None:
    room.correct("200", "First.", TRAINER)
    with pytest.raises(NotAllowed):
        room.corrections.undo(MEMBER, "default", "200")
    records.save(room.store, settings_key(SCOPE), ScopeSettings())
    assert room.corrections.undo(TRAINER, "default", "200").status == "undone"


def test_what_does_not_count_is_not_undone(room: Room) -> None:
    room.correct("200", "First.", MEMBER)
    assert room.corrections.undo(MEMBER, "default", "200").status == "proposed"
    room.corrections.decide(MANAGER, "default", "200", approve=False)
    assert room.corrections.undo(MANAGER, "default", "200").status == "rejected"
    assert room.store.head(KEYS.undone("200")) is None
    for dataset, correction_id in (("default", "999"), ("other", "200")):
        with pytest.raises(NoSuchCorrection):
            room.corrections.undo(MANAGER, dataset, correction_id)
    with pytest.raises(NoSuchCorrection):
        room.corrections.undo(MANAGER._replace(scope=Scope("guild", "43")), "default", "200")


def test_the_history_has_all_corrections_of_a_question(room: Room) -> None:
    room.answered("101", "WHEN does it start")
    room.answered("102", "Where does it start?")
    room.correct("9", "First.")
    room.correct("10", "Second.", MEMBER)
    room.corrections.correct(MANAGER, "11", "101", "Third.")
    room.corrections.correct(MANAGER, "12", "102", "Elsewhere.")
    history = room.corrections.history(SCOPE, "101")
    assert [standing.correction.id for standing in history.standings] == ["9", "10", "11"]
    assert [standing.status for standing in history.standings] == ["applied", "proposed", "applied"]
    assert (history.question, history.earlier) == ("WHEN does it start", 0)
    room.store.delete(KEYS.correction("10"))
    assert len(room.corrections.history(SCOPE, "100").standings) == 2
    with pytest.raises(NoSuchAnswer):
        room.corrections.history(Scope("guild", "43"), "100")


def test_a_long_history_tells_the_latest(room: Room) -> None:
    for number in range(HISTORY_MOST + 3):
        room.correct(str(200 + number), f"Answer {number}.")
    history = room.corrections.history(SCOPE, "100")
    assert history.earlier == 3
    assert history.standings[-1].correction.right == f"Answer {HISTORY_MOST + 2}."
    assert len(history.standings) == HISTORY_MOST
