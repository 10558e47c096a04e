"""Who goes on after what was taken for the end has asked one question, and gets one answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.voice.conversation.props import Gate, in_loop, soon, until
from tests.voice.conversation.stage import ANNA, BORIS, CAROL, Script, Stage
from voice_sidecar.conversation.deciding import QUESTION_MOST
from voice_sidecar.conversation.going_on import LONGEST_S, PARTS_MOST, UNAWARE_S, WITHIN_S, Course, joined, relation

FIRST, THEN, BOTH = "What is the price of,", "The blue one?", "What is the price of, The blue one?"


class TestRules:
    @pytest.mark.parametrize(
        ("said", "began_at", "expected"),
        [
            (Course(0.0, 5.0), 5.0, "more"),
            (Course(0.0, 5.0), 4.9, "more"),  # the ear heard it before the end was told
            (Course(0.0, 5.0), 5.0 + WITHIN_S, "more"),
            (Course(0.0, 5.0), 5.1 + WITHIN_S, "new"),
            (Course(0.0, 5.0, PARTS_MOST - 1), 6.0, "more"),
            (Course(0.0, 5.0, PARTS_MOST), 6.0, "too_much"),
            (Course(0.0, 5.0, PARTS_MOST), 7.0, "new"),
            (Course(0.0, 5.0, answered_at=5.1), 5.0 + UNAWARE_S, "more"),
            (Course(0.0, 5.0, answered_at=5.1), 5.2 + UNAWARE_S, "new"),  # they heard it, and say something to it
            (Course(0.0, 5.0, PARTS_MOST, answered_at=5.1), 5.2 + UNAWARE_S, "new"),
            (Course(0.0, LONGEST_S - 1), LONGEST_S - 0.5, "more"),
            (Course(0.0, LONGEST_S), LONGEST_S, "too_much"),  # the next turn after the longest one
        ],
    )
    def test_what_goes_on(self, said: Course, began_at: float, expected: str) -> None:
        assert relation(said, began_at) == expected

    @given(st.lists(st.tuples(st.floats(0, 3), st.floats(0.3, 90)), min_size=1, max_size=200))
    def test_nobody_postpones_an_answer_for_ever(self, turns: list[tuple[float, float]]) -> None:
        """Whatever the pauses and lengths of turns are."""
        now, course = 0.0, Course(0.0, 1.0)
        now = course.over_at
        for pause, length in turns:
            began_at = now + pause
            now = began_at + length
            if relation(course, began_at) != "more":
                return
            course = Course(course.began_at, now, course.parts + 1)
            assert course.parts <= PARTS_MOST
            assert began_at < LONGEST_S

    @pytest.mark.parametrize(
        ("first", "then", "expected"),
        [
            (FIRST, THEN, BOTH),
            ("", THEN, THEN),
            (FIRST, "", FIRST),
            ("Сколько стоит", "синий?", "Сколько стоит синий?"),
        ],
    )
    def test_both_parts_are_one(self, first: str, then: str, expected: str) -> None:
        assert joined(first, then) == expected

    def test_a_question_does_not_grow_without_end(self) -> None:
        assert len(joined("a" * QUESTION_MOST, "b")) == QUESTION_MOST


async def asked(stage: Stage, count: int) -> None:
    await until(lambda: len(stage.asked) >= count)


@in_loop
@pytest.mark.parametrize(
    ("first", "then"), [(FIRST, THEN), ("Сколько стоит,", "Если я студент?"), ("Tell me about...", "Trainger?")]
)
async def test_before_the_answer_began_both_are_one_question(first: str, then: str) -> None:
    both = joined(first, "" if then == "Trainger?" else then)
    async with Stage() as stage:
        stage.comes(ANNA)
        gate = Gate()
        gate.close()
        stage.answers[first] = Script("Which one?", ("Which",), gate=gate, kept=True)
        stage.says(ANNA, first)
        await until(lambda: gate.waiting)
        stage.passes(1.0)
        stage.answers[both] = Script("Five.")
        stage.says(ANNA, then)
        await asked(stage, 2)
        gate.open()
        assert await stage.outcomes(2) == ["continued", "answered"]
        assert [question.text for question in stage.asked] == [first, both]
        assert [report.parts for report in stage.reports] == [1, 2]
        assert stage.playback.said == ["Five."]
        assert stage.asked[1].former == []
        assert stage.asked[1].counts_as == stage.asked[0].id  # one question, so it counts once
        await until(lambda: stage.cancelled == [first])
        await soon()
        assert not stage.shown
        assert not stage.remembered


@in_loop
async def test_shortly_after_it_began_to_sound_it_is_dropped_and_no_more_than_was_heard_is_remembered() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.playback.by_itself = False
        stage.answers[FIRST] = Script("One is said. Two is not.")
        stage.says(ANNA, FIRST)
        await until(lambda: len(stage.playback.given) == 2)
        stage.passes(0.5)
        stage.playback.hear(1)
        await soon()
        stage.passes(0.6)
        stage.begins(ANNA)
        assert stage.playback.paused()
        stage.passes(9.0)  # however long they speak
        stage.ends(ANNA, THEN)
        await asked(stage, 2)
        assert stage.asked[1].text == BOTH
        assert [turn.answer for turn in stage.asked[1].former] == ["One is said."]
        assert await stage.outcomes(1) == ["continued"]
        assert stage.reports[0].heard_s == 1.0


@in_loop
async def test_who_has_heard_what_is_answered_says_something_new() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.playback.by_itself = False
        stage.answers[FIRST] = Script("One is said. Two is not.")
        stage.says(ANNA, FIRST)
        await until(lambda: len(stage.playback.given) == 2)
        stage.playback.hear(1)
        await soon()
        stage.passes(UNAWARE_S + 0.1)
        stage.says(ANNA, THEN)
        await asked(stage, 2)
        assert stage.asked[1].text == THEN
        assert await stage.outcomes(1) == ["cut"]


@in_loop
async def test_an_answer_that_was_heard_is_over() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.answers[FIRST] = Script("Ten.")
        stage.says(ANNA, FIRST)
        await stage.outcomes(1)
        stage.says(ANNA, THEN)
        assert await stage.outcomes(2) == ["answered", "unknown"]
        assert [question.text for question in stage.asked] == [FIRST, THEN]


@in_loop
async def test_later_it_is_a_question_of_its_own() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        gate = Gate()
        gate.close()
        stage.answers[FIRST] = Script("Ten.", gate=gate)
        stage.says(ANNA, FIRST)
        await until(lambda: gate.waiting)
        stage.passes(WITHIN_S + 0.1)
        stage.says(ANNA, THEN)
        await asked(stage, 2)
        assert stage.asked[1].text == THEN
        assert await stage.outcomes(2) == ["replaced", "unknown"]


@in_loop
async def test_the_name_need_not_be_said_again_and_what_others_say_is_not_put_to_it() -> None:
    async with Stage() as stage:
        stage.comes(ANNA, BORIS)
        gate = Gate()
        gate.close()
        stage.answers["What is the price of"] = Script("Ten.", gate=gate)
        stage.says(ANNA, "Trainger, what is the price of")
        await until(lambda: gate.waiting)
        stage.says(BORIS, "The red one, she means.")
        await stage.outcomes(1)
        stage.says(ANNA, THEN)
        await asked(stage, 2)
        assert stage.asked[1].text.casefold() == "what is the price of the blue one?"
        assert sorted(await stage.outcomes(3)) == ["continued", "others", "unknown"]


@in_loop
async def test_the_name_alone_and_then_the_question() -> None:
    async with Stage() as stage:
        stage.comes(ANNA, BORIS)
        stage.playback.by_itself = False
        stage.says(ANNA, "Trainger!")
        await until(lambda: stage.playback.given == ["Yes?"])
        stage.says(ANNA, THEN)
        await asked(stage, 1)
        assert stage.asked[0].text == THEN


@in_loop
@pytest.mark.parametrize("remark", ["Uh-huh.", "Ага."])
async def test_a_remark_is_no_continuation(remark: str) -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        gate = Gate()
        gate.close()
        stage.answers[FIRST] = Script("Ten.", gate=gate)
        stage.says(ANNA, FIRST)
        await until(lambda: gate.waiting)
        stage.says(ANNA, remark)
        assert await stage.outcomes(1) == ["listening"]
        gate.open()
        assert await stage.outcomes(2) == ["listening", "answered"]
        assert stage.playback.said == ["Ten."]


@in_loop
async def test_what_is_recognised_sooner_than_what_was_said_before_it_waits_for_that() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.answers[BOTH] = Script("Five.")
        stage.slow[FIRST] = Gate()
        stage.slow[FIRST].close()
        stage.says(ANNA, FIRST)
        stage.says(ANNA, THEN)
        await until(lambda: len(stage.recognised) == 2)
        await soon()
        assert not stage.asked
        stage.slow[FIRST].open()
        await until(lambda: stage.asked and stage.asked[-1].text == BOTH)
        assert await stage.outcomes(2) == ["continued", "answered"]
        assert stage.playback.said == ["Five."]


@in_loop
async def test_what_cannot_be_recognised_does_not_keep_what_follows_waiting() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.answers[THEN] = Script("Five.")
        stage.slow[FIRST] = Gate()
        stage.slow[FIRST].close()
        stage.says(ANNA, FIRST)
        stage.passes(1.0)
        stage.says(ANNA, THEN)
        await until(lambda: len(stage.recognised) == 2)
        stage.passes(19.5)  # the first is given up
        await until(lambda: "answered" in [report.outcome for report in stage.reports])
        assert stage.asked[-1].text == THEN
        assert sorted(await stage.outcomes(2)) == ["answered", "failed"]


@in_loop
async def test_behind_an_answer_to_another_it_is_put_together_in_its_place() -> None:
    async with Stage() as stage:
        stage.comes(ANNA, BORIS, CAROL)
        gate = Gate()
        gate.close()
        stage.answers["One?"] = Script("First.", gate=gate)
        stage.says(ANNA, "Trainger, one?")
        await until(lambda: gate.waiting)
        stage.says(BORIS, "Trainger, what is the price of")
        await until(lambda: len(stage.recognised) == 2)
        await soon()
        stage.says(CAROL, "Trainger, and me?")
        await until(lambda: len(stage.recognised) == 3)
        await soon()
        stage.says(BORIS, THEN)
        assert await stage.outcomes(1) == ["continued"]
        gate.open()
        await stage.outcomes(4)
        assert [question.text.casefold() for question in stage.asked] == [
            "one?",
            "what is the price of the blue one?",
            "and me?",
        ]


@in_loop
async def test_a_talkative_person_gets_an_answer() -> None:
    """Once so much is put together, the answer comes in the next pause, and what they said since is the next turn."""
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.playback.by_itself = False
        gates = []
        said = ""
        for part in range(PARTS_MOST):
            said = joined(said, f"Part {part}")
            gate = Gate()
            gate.close()
            gates.append(gate)
            stage.answers[said] = Script("Done." if part == PARTS_MOST - 1 else "Too soon.", gate=gate)
            stage.says(ANNA, f"Part {part}")
            await asked(stage, part + 1)
            stage.passes(0.5)
        stage.says(ANNA, "One more")
        await until(lambda: "One more" in stage.recognised)
        await soon()
        stage.passes(0.5)
        stage.says(ANNA, "and another")
        await until(lambda: "and another" in stage.recognised)
        await soon()
        assert len(stage.asked) == PARTS_MOST
        for gate in gates:
            gate.open()
        await until(lambda: "Done." in stage.playback.given)
        assert not stage.playback.paused()
        stage.playback.hear(1)
        await asked(stage, PARTS_MOST + 1)
        assert stage.asked[-1].text == "One more and another"
        assert stage.playback.said == ["Done."]
        outcomes = [report.outcome.value for report in stage.reports]
        assert outcomes == ["continued"] * PARTS_MOST + ["answered"]
        assert stage.reports[-1].parts == PARTS_MOST


@in_loop
async def test_who_revokes_in_between_is_not_remembered_by_it() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        gate = Gate()
        gate.close()
        stage.answers[FIRST] = Script("Ten.", gate=gate)
        stage.says(ANNA, FIRST)
        await until(lambda: gate.waiting)
        stage.conversation.revoked(ANNA)
        await stage.outcomes(1)
        stage.says(ANNA, THEN)
        await asked(stage, 2)
        assert stage.asked[1].text == THEN


@in_loop
async def test_however_many_wait_who_goes_on_is_answered_before_them() -> None:
    """It is still the question whose turn it was."""
    others = range(10, 14)
    async with Stage() as stage:
        stage.comes(ANNA, *others)
        gate = Gate()
        gate.close()
        stage.answers["What is the price of"] = Script("Ten.", gate=gate)
        stage.says(ANNA, "Trainger, what is the price of")
        await until(lambda: gate.waiting)
        for other in others:
            stage.says(other, "Trainger, and me?")
            await soon()
        await until(lambda: len(stage.conversation._replies._waiting) == len(others))
        stage.answers["What is the price of The blue one?"] = Script("Five.")
        stage.says(ANNA, THEN)
        await asked(stage, 2)
        gate.open()
        assert sorted(await stage.outcomes(6)) == ["answered", "continued", *["unknown"] * 4]
        people = [question.user_id for question in stage.asked]
        assert people[:2] == [ANNA, ANNA]
        assert sorted(people[2:]) == [*others]


@in_loop
async def test_after_the_name_alone_there_is_but_one_question() -> None:
    """What is not known is not looked for twice."""
    async with Stage() as stage:
        stage.comes(ANNA, BORIS)
        stage.playback.by_itself = False
        stage.says(ANNA, "Trainger!")
        await until(lambda: stage.playback.given == ["Yes?"])
        stage.says(ANNA, THEN)
        await asked(stage, 1)
        assert (stage.asked[0].text, stage.asked[0].last) == (THEN, "")
