"""Answers that are only measured, indexes with more in them, and what an index holds as a whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.unit.evaluation.rooms import ADA, BOB, SCOPE, Model, Room
from trainer.answering import Answering, Trial
from trainer.answers import Usage, whose_words
from trainer.configuration import ConfigurationError, read
from trainer.conversations import Turn
from trainer.ports import ChatReply, ChatUsage, ModelUnavailable
from trainer.prices import Price
from trainer.scope import Actor
from trainer.usage import Ledger, month_cost, usage_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from trainer.index import ExampleIndex

QUESTION = "How do I reset my password?"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.close()


def index(room: Room) -> ExampleIndex:
    return room.library.index(SCOPE, "default")


# --- trials ---------------------------------------------------------------------------------------------------------


def test_untrained_knows_nothing_and_asks_no_model(room: Room) -> None:
    room.teach(QUESTION, "Press Forgot.")
    model = Model()
    answering = Answering(room.library, model, "")
    assert answering.answer(SCOPE, "default", QUESTION, trial=Trial(untrained=True)).kind == "unknown"
    assert model.asked == []
    assert answering.answer(SCOPE, "default", QUESTION, trial=Trial()).kind == "generated"
    assert answering.model == "a model"
    assert room.answering.model == ""


def test_on_trial_nothing_stands_in_for_a_model_that_fails(room: Room) -> None:
    room.teach(QUESTION, "Press Forgot.")

    class Broken(Model):
        def reply(self, *_: object, **__: object) -> ChatReply:
            raise ModelUnavailable("credentials", retryable=False)

    answering = Answering(room.library, Broken(), "")
    assert answering.answer(SCOPE, "default", QUESTION).fell_back
    with pytest.raises(ModelUnavailable):
        answering.answer(SCOPE, "default", QUESTION, trial=Trial())


def test_an_answer_tells_what_it_cost_and_by_what_it_was_learned(room: Room) -> None:
    taught = room.teach(QUESTION, "Press Forgot.")
    ledger = Ledger(room.store, price=Price(1.0, 2.0))
    paid = Answering(room.library, Model(), "", ledger).answer(
        SCOPE, "default", QUESTION, interaction_id=f"{taught}-7"
    )
    assert paid.usage == Usage("a model", 10, 5, 20e-6)
    assert paid.learned_by == [int(taught)]
    unpriced = Answering(room.library, Model("NO_ANSWER"), "").answer(SCOPE, "default", QUESTION)
    assert (unpriced.kind, unpriced.usage) == ("unknown", Usage("a model", 10, 5, None))
    free = room.answering.answer(SCOPE, "default", QUESTION)
    assert (free.usage, free.learned_by) == (None, [int(taught)])


def test_an_answer_of_a_model_knows_everybody_whose_words_were_read(room: Room) -> None:
    people = [Actor(SCOPE, str(number), is_manager=True) for number in range(3001, 3006)]
    for person in people:
        room.teach(f"{QUESTION} I am {person.user_id}.", f"Press {person.user_id}.", person)
    answer = Answering(room.library, Model(), "").answer(SCOPE, "default", QUESTION)
    assert len(answer.sources) == 3
    assert answer.words_of == [person.user_id for person in people]
    assert whose_words(answer) == set(answer.words_of)
    plain = room.answering.answer(SCOPE, "default", QUESTION)
    assert (len(plain.sources), plain.words_of) == (1, [])


def test_the_whole_question_is_known_without_asking_a_model(room: Room) -> None:
    room.teach(QUESTION, "Press Forgot.")
    room.teach("How do I reset my password on mobile?", "Shake the phone.")
    former = [Turn(id="0", question=QUESTION, answer="Press Forgot.", topic=QUESTION, at=0.0)]
    assert room.answering.in_full(SCOPE, "default", "And on mobile?", former) == f"{QUESTION} And on mobile?"
    assert room.answering.in_full(SCOPE, "default", "What is the capital of France?", former) == ""
    assert room.answering.in_full(SCOPE, "default", "And on mobile?", []) == ""


# --- several paid answers of an interaction -------------------------------------------------------------------------


def test_each_of_several_paid_answers_is_counted(room: Room) -> None:
    ledger = Ledger(room.store, price=Price(1.0, 2.0))
    interaction = room.id()
    reply = ChatReply("text", "a model", ChatUsage(10, 5), truncated=False)
    used = [ledger.record(SCOPE, f"{interaction}{name}", reply) for name in ("", "-1", "-2", "-2", "-2-judge")]
    assert used == [usage_of(reply, Price(1.0, 2.0))] * 5
    cost = month_cost(room.store, SCOPE, 1_790_000_000.0)
    assert (cost.input_tokens, cost.output_tokens) == (40, 20)


# --- indexes with more in them --------------------------------------------------------------------------------------


def test_an_overlaid_index_is_as_if_corrections_counted(room: Room) -> None:
    room.teach(QUESTION, "Press Forgot.")
    proposal = room.correct(QUESTION, "Ask Mira.", BOB)
    applied = room.correct("When?", "Now.")
    with room.library.overlaid(SCOPE, "default", [proposal, applied]) as overlaid:
        assert overlaid.count() == (1, 0, 2)
        trial = Trial(knowledge=overlaid)
        assert room.answering.answer(SCOPE, "default", QUESTION, trial=trial).text == "Ask Mira."
        assert room.answering.answer(SCOPE, "default", QUESTION).text == "Press Forgot."
        assert index(room).count() == (1, 0, 1)
        snapshot = overlaid.snapshot()
    room.corrections.decide(ADA, "default", proposal.id, approve=True)
    assert index(room).snapshot() == snapshot
    assert not list(room.library._cache.glob("overlaid-*"))


def test_what_is_taught_meanwhile_is_not_in_an_overlaid_index(room: Room) -> None:
    proposal = room.correct(QUESTION, "Ask Mira.", BOB)
    with room.library.overlaid(SCOPE, "default", [proposal]) as overlaid:
        room.teach("When?", "Now.")
        assert overlaid.count() == (0, 0, 1)
        assert index(room).count() == (1, 0, 0)


# --- what an index holds as a whole ---------------------------------------------------------------------------------


def test_a_snapshot_names_the_content_however_it_came_in(room: Room, tmp_path: Path) -> None:
    empty = index(room).snapshot()
    first = room.teach(QUESTION, "Press Forgot.")
    one = index(room).snapshot()
    room.teach("When?", "Now.")
    two = index(room).snapshot()
    assert len({empty, one, two}) == 3
    other = Room(tmp_path / "other", store=room.store)
    assert index(other).snapshot() == two
    other.close()
    copy = index(room).copy(tmp_path / "copy.sqlite3")
    assert copy.snapshot() == two
    copy.remove(f"{first}/")
    assert copy.snapshot() not in {one, two}
    copy.close()


def test_questions_that_were_taught_are_known_by_what_they_ask(room: Room) -> None:
    room.teach(QUESTION, "Press Forgot.")
    room.correct("When is it?", "Now.")
    many = [f"Question {number}?" for number in range(600)]
    asked = ["how do i reset my PASSWORD", *many, "when is it", "", "Reset?", "\ud800"]
    assert index(room).taught(asked) == [True, *[False] * 600, True, False, False, False]
    assert index(room).taught([]) == []


def test_passages_are_no_questions(room: Room) -> None:
    from trainer.batches import Origin
    from trainer.importers import Example, Place

    example = Example("passage", "The castle", "It has nine towers.", Place("block", 1))
    room.training.train(ADA, room.id(), "default", Origin("text"), [example], lambda _: None)
    assert index(room).taught(["The castle"]) == [False]


def test_corrections_are_listed_each_question_s_latest(room: Room) -> None:
    room.teach(QUESTION, "Press Forgot.")
    for number in (1, 2, 1):
        room.correct(f"Question {number}?", f"Answer {number}")
    found = list(index(room).corrections())
    assert [entry.question for entry in found] == ["Question 2?", "Question 1?"]
    assert found[0].order < found[1].order
    assert json.loads(found[0].source)["author"] == ADA.user_id


# --- configuration --------------------------------------------------------------------------------------------------


def test_threads_and_seconds_are_configured() -> None:
    none = read({}, {})
    assert (none.evaluation_threads, none.job_seconds) == (4, None)
    some = read({"TRAINGER_EVALUATION_THREADS": "16", "TRAINGER_JOB_SECONDS": "840"}, {})
    assert (some.evaluation_threads, some.job_seconds) == (16, 840.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRAINGER_EVALUATION_THREADS", "0"),
        ("TRAINGER_EVALUATION_THREADS", "65"),
        ("TRAINGER_EVALUATION_THREADS", "many"),
        ("TRAINGER_JOB_SECONDS", "9"),
        ("TRAINGER_JOB_SECONDS", "nan"),
        ("TRAINGER_JOB_SECONDS", "soon"),
    ],
)
def test_others_are_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        read({name: value}, {})
