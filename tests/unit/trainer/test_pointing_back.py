"""Questions about "them": what is found must have to do with who or what was spoken of before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.trainer.test_answering import Model
from tests.unit.trainer.test_follow_ups import Room
from trainer.follow_ups import points_back

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODERATORS = "Who are the moderators?"
PING = ("I have high ping", "Restart your router.")


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.library.close()


@pytest.mark.parametrize(
    ("question", "back"),
    [
        ("and how do I ping them?", True),
        ("what are their names?", True),
        ("Is he online?", True),
        ("And can she ban people?", True),
        ("как к нему обратиться?", True),
        ("а у них есть скидки?", True),
        # What is meant is in the question itself, or may be.
        ("How do I tame wolves and ride them?", False),
        ("do wolves bite them?", False),
        ("Как приручить волков и ездить на них?", False),
        # "It" and "that" often stand for nothing.
        ("Is it possible to fly?", False),
        ("and is that free?", False),
        ("why?", False),
        ("who are they?", False),
        ("", False),
        ("and what do you think about them when they are not in the same old place as you and me?", False),
    ],
)
def test_which_questions_point_back(question: str, back: bool) -> None:
    assert points_back(question) == back


def test_what_has_nothing_to_do_with_who_is_meant_is_no_answer(room: Room) -> None:
    room.teach(MODERATORS, "Mira and Tom.")
    room.teach(*PING)
    assert room.ask("how do I ping them?").text == PING[1]  # without a former question nobody knows better
    room.former = []
    room.ask(MODERATORS)
    unknown = room.ask("and how do I ping them?")
    assert (unknown.kind, unknown.asked) == ("unknown", f"{MODERATORS} and how do I ping them?")
    room.teach("How do I ping a moderator?", "Type @mods.")
    assert room.ask("and how do I ping them?").text == "Type @mods."


def test_who_is_meant_may_be_in_the_answer(room: Room) -> None:
    room.teach("Where can I complain?", "The moderators are there for that.")
    room.teach("How do I ping the moderators?", "Type @mods.")
    room.teach(*PING)
    room.ask("Where can I complain?")
    # It is not near enough to be given, and nothing else may be.
    answer = room.ask("and how do I ping them?")
    assert (answer.kind, answer.closest) == ("unknown", "How do I ping the moderators?")


def test_a_model_does_not_read_what_is_not_meant_either(room: Room) -> None:
    room.teach(MODERATORS, "Mira and Tom.")
    room.teach(*PING)
    room.ask(MODERATORS)
    model = Model("NO_ANSWER")
    room.ask("and how do I ping them?", model)
    assert "Mira and Tom." in model.asked[0][1].content
    assert PING[1] not in model.asked[0][1].content


def test_the_very_question_is_answered_whatever_was_spoken_of(room: Room) -> None:
    room.teach(MODERATORS, "Mira and Tom.")
    room.teach("How do I ping them?", "With an @.")
    room.ask(MODERATORS)
    assert room.ask("how do I ping them?").text == "With an @."


def test_who_is_meant_in_russian(room: Room) -> None:
    room.teach("Кто такие модераторы?", "Мира и Том.")
    room.teach("Как позвать друга в игру?", "Нажмите «Пригласить».")
    room.ask("Кто такие модераторы?")
    assert room.ask("а как их позвать?").kind == "unknown"
    room.teach("Как позвать модератора?", "Напишите @mods.")
    assert room.ask("а как их позвать?").text == "Напишите @mods."
