"""A dataset's own cases: corrections that count, and what people added."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.unit.evaluation.rooms import ADA, BOB, NOW, SCOPE, Room, case
from trainer.evaluation import regression
from trainer.evaluation.checks import CheckTools, run_check
from trainer.evaluation.regression import (
    add_answer,
    add_cases,
    added_cases,
    answer_case,
    question_id,
    remove_case,
    restore_case,
)

if TYPE_CHECKING:
    from trainer.answers import AnswerRecord
    from trainer.evaluation.cases import Case
    from trainer.evaluation.store import Told

PASSWORD = "How do I reset my password?"


def told(room: Room, dataset: str = "default") -> list[Told]:
    return list(room.runner.regression(SCOPE, dataset))


def questions(room: Room) -> list[str]:
    return [one.case.question for one in told(room)]


def passes(made: Case, answer: str, *, knows: bool = True) -> bool:
    return all(run_check(check, made, answer, knows, CheckTools()).passed for check in made.checks)


# --- corrections ----------------------------------------------------------------------------------------------------


def test_every_correction_is_a_case_at_once(room: Room) -> None:
    assert told(room) == []
    correction = room.correct(PASSWORD, "Press Forgot.")
    room.correct("When is the event?", "On Friday")
    (first, second) = told(room)
    assert first.case.question == PASSWORD
    assert first.case.id == question_id(PASSWORD)
    assert first.case.tags == ("correction",)
    assert first.case.author == ADA.user_id
    assert first.words == ((ADA.user_id, int(correction.id)),)
    assert first.case.checks[0].values == ("Press Forgot.",)
    assert passes(first.case, "Press Forgot.")
    assert passes(second.case, "The event is on Friday.")
    assert not passes(second.case, "", knows=False)


def test_of_a_question_the_latest_correction_counts(room: Room) -> None:
    room.correct(PASSWORD, "First.")
    room.correct("When?", "Now.")
    room.correct("how do i reset my PASSWORD", "Second.")
    assert [one.case.checks[0].values for one in told(room)] == [("Now.",), ("Second.",)]
    assert told(room)[1].case.id == question_id(PASSWORD)


def test_what_does_not_count_is_no_case(room: Room) -> None:
    proposal = room.correct(PASSWORD, "Right.", BOB)
    assert told(room) == []
    room.corrections.decide(ADA, "default", proposal.id, approve=True)
    assert questions(room) == [PASSWORD]
    room.corrections.undo(ADA, "default", proposal.id)
    assert told(room) == []
    room.teach(PASSWORD, "Press Forgot.")
    assert told(room) == []


def test_there_are_as_many_as_a_run_takes(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(7):
        room.correct(f"What is thing {number}?", "x")
    add_answer(room.store, ADA, room.answered("Another?"))
    monkeypatch.setattr(regression, "CASES_MOST", 5)
    assert questions(room) == [f"What is thing {number}?" for number in range(3, 7)] + ["Another?"]


def test_many_corrections_are_read_in_stretches(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.index_survey.PAGE", 3)
    for number in (*range(10), 4, 0):
        room.correct(f"What is thing {number}?", "x")
    expected = [1, 2, 3, 5, 6, 7, 8, 9, 4, 0]
    assert questions(room) == [f"What is thing {number}?" for number in expected]


# --- answers that nobody liked --------------------------------------------------------------------------------------


def test_a_disliked_answer_must_not_be_given_again(room: Room) -> None:
    answer = room.answered(PASSWORD, "Ask your mother.", teacher="3003")
    made, added = add_answer(room.store, ADA, answer, clock=lambda: NOW)
    assert added == (1, 0, 0)
    (one,) = told(room)
    assert one.case == made
    assert {words.author for words in one.words} == {BOB.user_id, "3003"}
    assert all(words.id < int(answer.id) for words in one.words)
    assert passes(made, "Press Forgot.")
    assert passes(made, "", knows=False)
    assert not passes(made, "ask your mother")
    assert add_answer(room.store, BOB, answer)[1] == (0, 1, 0)
    assert [one.by for one in added_cases(room.store, SCOPE, "default")] == [ADA.user_id]


def test_whoever_a_model_read_is_among_those_whose_words_it_is(room: Room) -> None:
    answer = room.answered(PASSWORD, "Ask your mother.", teacher="3003")
    add_answer(room.store, ADA, msgspec.structs.replace(answer, words_of=["3003", "4004"]))
    (one,) = told(room)
    assert {words.author for words in one.words} == {BOB.user_id, "3003", "4004"}


def test_what_the_bot_did_not_know_it_must_know(room: Room) -> None:
    made = answer_case(room.answered(PASSWORD, ""))
    assert passes(made, "Anything.")
    assert not passes(made, "", knows=False)


def test_a_model_must_not_say_the_same_in_nearly_the_same_words(room: Room) -> None:
    said = "You can reset your password by asking your mother politely, on Sundays."
    answer: AnswerRecord = msgspec.structs.replace(room.answered(PASSWORD, said), kind="generated")
    made = answer_case(answer)
    assert not passes(made, said.replace("politely", "politly"))
    assert passes(made, "You can reset your password by pressing Forgot.")


def test_a_correction_takes_the_place_of_disliked_answers(room: Room) -> None:
    add_answer(room.store, ADA, room.answered(PASSWORD, "Ask your mother."))
    add_answer(room.store, ADA, room.answered(PASSWORD, "Ask your father."))
    assert len(told(room)) == 2
    correction = room.correct("How do I reset my PASSWORD?", "Press Forgot.")
    assert [one.case.tags for one in told(room)] == [("correction",)]
    room.corrections.undo(ADA, "default", correction.id)
    assert [one.case.tags for one in told(room)] == [("disliked",), ("disliked",)]


# --- cases of runs --------------------------------------------------------------------------------------------------


def test_cases_of_a_run_are_added_once(room: Room) -> None:
    run_id = room.id()
    given = [case(1), case(2, author="77"), case(2, id="other", author="77")]
    added = add_cases(room.store, ADA, "default", given, run_id=run_id, owner=BOB.user_id)
    assert added == (2, 1, 0)
    assert add_cases(room.store, BOB, "default", given, run_id=room.id(), owner=ADA.user_id) == (0, 3, 0)
    found = {one.case.question: one for one in told(room)}
    assert found["What is thing 1?"].words == ((BOB.user_id, int(run_id)),)
    assert [words.author for words in found["What is thing 2?"].words] == ["77"]
    assert found["What is thing 1?"].case.checks == case(1).checks
    assert told(room, "other") == []


def test_cases_of_corrections_are_there_already(room: Room) -> None:
    room.correct(PASSWORD, "Press Forgot.")
    given = [one.case for one in told(room)]
    assert add_cases(room.store, ADA, "default", given, run_id=room.id(), owner="1") == (0, 1, 0)
    assert len(told(room)) == 1


def test_added_cases_that_failed_are_there_already(room: Room) -> None:
    answer = room.answered(PASSWORD, "Ask your mother.", teacher="3003")
    made, _ = add_answer(room.store, ADA, answer)
    add_cases(room.store, ADA, "default", [case(1)], run_id=room.id(), owner=BOB.user_id)
    before = added_cases(room.store, SCOPE, "default")
    given = [one.case for one in told(room)]
    assert add_cases(room.store, ADA, "default", given, run_id=room.id(), owner="1") == (0, 2, 0)
    assert added_cases(room.store, SCOPE, "default") == before
    remove_case(room.store, ADA, "default", made.id)
    assert add_cases(room.store, ADA, "default", given, run_id=room.id(), owner="1") == (1, 1, 0)
    assert added_cases(room.store, SCOPE, "default") == before


def test_words_of_a_file_stay_its_sender_s_however_often_it_is_run_again(room: Room) -> None:
    first = room.begin([case(1)], author=BOB)
    second = room.begin([case(1)], author=ADA, source="failures", reruns=first.id)
    third = room.begin([case(1)], author=ADA, source="failures", reruns=second.id)
    add_cases(room.store, ADA, "default", [case(1)], run_id=third.id, owner=ADA.user_id)
    assert [one.words for one in told(room)] == [((BOB.user_id, int(first.id)),)]


def test_one_question_may_have_cases_that_expect_different_things(room: Room) -> None:
    first, second = case(1), msgspec.structs.replace(case(1), checks=case(2).checks)
    added = add_cases(room.store, ADA, "default", [first, second], run_id=room.id(), owner="1")
    assert added == (2, 0, 0)
    room.correct("What is thing 1?", "Right.")
    assert len(told(room)) == 3


def test_there_is_room_for_so_many(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regression, "ADDED_MOST", 3)
    given = [case(number) for number in range(5)]
    assert add_cases(room.store, ADA, "default", given, run_id=room.id(), owner="1") == (3, 0, 2)
    assert add_cases(room.store, ADA, "default", given, run_id=room.id(), owner="1") == (0, 3, 2)


# --- taking out -----------------------------------------------------------------------------------------------------


def test_a_case_can_be_taken_out_and_put_in_again(room: Room) -> None:
    answer = room.answered(PASSWORD, "Ask your mother.")
    made, _ = add_answer(room.store, ADA, answer)
    for _ in range(2):
        assert remove_case(room.store, BOB, "default", made.id) == made
        assert told(room) == []
    for _ in range(2):
        assert restore_case(room.store, BOB, "default", made.id) == made
        assert len(told(room)) == 1
    remove_case(room.store, BOB, "default", made.id)
    assert add_answer(room.store, ADA, answer)[1] == (1, 0, 0)
    assert len(told(room)) == 1


@pytest.mark.parametrize("case_id", ["", "x", "../default", "x/y", "q" * 200, "q1.removed"])
def test_what_is_not_there_cannot_be_taken_out(room: Room, case_id: str) -> None:
    add_answer(room.store, ADA, room.answered(PASSWORD))
    assert remove_case(room.store, ADA, "default", case_id) is None
    assert restore_case(room.store, ADA, "default", case_id) is None
    assert len(told(room)) == 1


def test_a_dataset_with_added_cases_can_still_be_archived_and_restored(room: Room) -> None:
    from trainer.datasets import DatasetKeys

    room.correct(PASSWORD, "Press Forgot.")
    add_answer(room.store, ADA, room.answered("Another?"))
    root = DatasetKeys(SCOPE, "default").root
    folders = {info.key.removeprefix(root).partition("/")[0] for info in room.store.list(root)}
    assert folders <= {"batches", "corrections", "histories", "journal", "removed", "undone", "verdicts"}
