"""People who leave, or do not agree any more: nothing of theirs goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.voice.conversation.props import Gate, in_loop, soon, until
from tests.voice.conversation.stage import ANNA, BORIS, QUESTION, Script, Stage, waiting

if TYPE_CHECKING:
    from collections.abc import Callable


def leaves(stage: Stage) -> None:
    """Anna goes."""
    del stage.room.present[ANNA]
    stage.conversation.left(ANNA)


def revokes(stage: Stage) -> None:
    """Anna does not agree any more."""
    stage.room.agreed.discard(ANNA)
    stage.conversation.revoked(ANNA)


@in_loop
@pytest.mark.parametrize("goes", [leaves, revokes])
async def test_whoever_goes_is_not_recognised_any_more(goes: Callable[[Stage], None]) -> None:
    async with Stage() as stage:
        stage.comes(ANNA, BORIS)
        stage.recognition.close()
        stage.says(ANNA, "Trainger, what is the price?")
        await until(lambda: stage.recognised)
        goes(stage)
        assert await stage.outcomes(1) == ["gone"]
        stage.recognition.open()
        await soon()
        assert not stage.asked


@in_loop
@pytest.mark.parametrize("goes", [leaves, revokes])
async def test_a_guess_about_whoever_goes_is_dropped(goes: Callable[[Stage], None]) -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.recognition.close()
        stage.begins(ANNA)
        stage.pauses(ANNA, QUESTION)
        (ready,) = stage.playback.utterances  # silence, in advance
        assert not ready.finished
        goes(stage)
        assert stage.playback.utterances[0].finished
        stage.recognition.open()
        await soon()
        assert not stage.asked
        assert not stage.reports


@in_loop
@pytest.mark.parametrize("goes", [leaves, revokes])
async def test_the_answer_to_whoever_goes_is_not_said_nor_kept(goes: Callable[[Stage], None]) -> None:
    async with Stage() as stage:
        stage.comes(ANNA, BORIS)
        gate = Gate()
        gate.close()
        stage.answers[QUESTION] = Script("Ten.", gate=gate, kept=True)
        stage.says(ANNA, "Trainger, what is the price?")
        await until(lambda: gate.waiting)
        goes(stage)
        assert await stage.outcomes(1) == ["gone"]
        gate.open()
        await soon()
        assert not stage.playback.said
        assert not stage.shown
        assert not stage.remembered


@in_loop
@pytest.mark.parametrize("goes", [leaves, revokes])
async def test_a_question_of_whoever_goes_does_not_wait_any_more(goes: Callable[[Stage], None]) -> None:
    async with Stage() as stage:
        stage.comes(ANNA, BORIS)
        gate = waiting(stage)
        stage.says(BORIS, "Trainger, what is the price?")
        await until(lambda: gate.waiting)
        stage.says(ANNA, "Trainger, where is it?")
        await until(lambda: len(stage.recognised) == 2)
        await soon()
        goes(stage)
        assert await stage.outcomes(1) == ["gone"]
        gate.open()
        await stage.outcomes(2)
        assert len(stage.asked) == 1


@in_loop
@pytest.mark.parametrize("goes", [leaves, revokes])
async def test_whoever_goes_while_they_speak_does_not_keep_us_silent(goes: Callable[[Stage], None]) -> None:
    async with Stage() as stage:
        stage.comes(ANNA, BORIS)
        stage.playback.by_itself = False
        stage.answers[QUESTION] = Script("Ten.")
        stage.says(BORIS, "Trainger, what is the price?")
        await until(lambda: stage.playback.given)
        stage.begins(ANNA)
        assert stage.playback.paused()
        goes(stage)
        assert not stage.playback.paused()


@in_loop
@pytest.mark.parametrize(("goes", "remembered"), [(leaves, 1), (revokes, 0)])
async def test_who_comes_back_is_remembered_unless_they_did_not_agree(
    goes: Callable[[Stage], None], remembered: int
) -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.answers[QUESTION] = Script("Ten.")
        stage.says(ANNA, QUESTION)
        await stage.outcomes(1)
        goes(stage)
        stage.comes(ANNA)
        stage.says(ANNA, "And for students?")
        await stage.outcomes(2)
        assert len(stage.asked[1].former) == remembered


@in_loop
async def test_words_that_come_after_consent_was_withdrawn_are_dropped_even_if_nobody_told_us() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.recognition.close()
        stage.says(ANNA, QUESTION)
        stage.room.agreed.clear()
        stage.recognition.open()
        assert await stage.outcomes(1) == ["gone"]
        assert not stage.asked


@in_loop
async def test_an_answer_that_was_cut_is_not_kept_if_its_person_goes_before_it_is_written() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.playback.by_itself = False
        gate = Gate()
        gate.close()
        gate.step()
        stage.answers[QUESTION] = Script("One. Two.", ("One. Tw",), "generated", gate=gate, kept=True)
        stage.says(ANNA, QUESTION)
        await until(lambda: stage.playback.given)
        stage.playback.hear(1)
        stage.says(ANNA, "Stop.")
        await stage.outcomes(2)
        revokes(stage)
        gate.open()
        await soon()
        assert not stage.shown
        assert not stage.remembered
        stage.comes(ANNA)
        stage.says(ANNA, "And now?")
        await until(lambda: len(stage.asked) == 2)
        assert not stage.asked[1].former
