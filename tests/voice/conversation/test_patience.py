"""When we ask for patience, and when not."""

from __future__ import annotations

import pytest

from tests.voice.conversation.props import in_loop, soon, until
from tests.voice.conversation.stage import ANNA, BORIS, QUESTION, Script, Stage, waiting
from voice_sidecar.conversation.tools import Settings


@in_loop
async def test_patience_is_asked_for_after_a_while() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        await stage.prepared()
        gate = waiting(stage)
        stage.says(ANNA, QUESTION)
        await until(lambda: gate.waiting)
        stage.passes(1.4)
        assert not stage.playback.said
        stage.passes(0.2)
        assert stage.playback.said == ["One moment."]
        stage.passes(5.0)
        gate.open()
        assert await stage.outcomes(1) == ["answered"]
        assert stage.playback.said == ["One moment.", "Ten."]
        assert stage.reports[0].filled
        stage.passes(5.0)
        assert stage.playback.said == ["One moment.", "Ten."]
        stage.says(ANNA, "Say that again?")
        await stage.outcomes(2)
        assert [turn.answer for turn in stage.asked[1].former] == ["Ten."]  # and nothing of patience


@in_loop
async def test_patience_asked_for_in_vain_is_said_to_its_end() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        await stage.prepared()
        stage.playback.by_itself = False
        stage.recognition.close()
        stage.says(ANNA, "Mhm.")
        stage.passes(2.0)
        assert stage.playback.given == ["One moment."]
        stage.recognition.open()
        assert await stage.outcomes(1) == ["listening"]
        (utterance,) = stage.playback.utterances
        assert utterance.finished
        stage.begins(ANNA)
        assert stage.playback.paused()  # it is still being said
        stage.drops(ANNA)
        stage.playback.hear(1)
        await soon()
        stage.begins(ANNA)
        assert stage.playback.calls.count("pause") == 1


@in_loop
async def test_patience_can_be_switched_off() -> None:
    async with Stage(settings=Settings(filler_s=0)) as stage:
        stage.comes(ANNA)
        await stage.prepared()
        gate = waiting(stage)
        stage.says(ANNA, QUESTION)
        await until(lambda: gate.waiting)
        stage.passes(60)
        assert not stage.playback.said


@in_loop
async def test_patience_is_asked_for_while_it_is_recognised_if_it_is_surely_for_us() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        await stage.prepared()
        stage.answers[QUESTION] = Script("Ten.")
        stage.recognition.close()
        stage.says(ANNA, QUESTION)
        stage.passes(1.6)
        assert stage.playback.said == ["One moment."]
        stage.recognition.open()
        await stage.outcomes(1)
        assert stage.playback.said == ["One moment.", "Ten."]
        assert len(stage.playback.utterances) == 1


@in_loop
@pytest.mark.parametrize(("others", "voiced_s"), [((BORIS,), 2.0), ((), 0.5)])
async def test_patience_is_not_asked_for_what_may_not_be_for_us(others: tuple[int, ...], voiced_s: float) -> None:
    async with Stage() as stage:
        stage.comes(ANNA, *others)
        await stage.prepared()
        stage.recognition.close()
        stage.says(ANNA, "Price?", voiced_s)
        stage.passes(3.0)
        assert not stage.playback.said


@in_loop
async def test_whoever_still_speaks_is_not_asked_for_patience() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        await stage.prepared()
        gate = waiting(stage)
        stage.says(ANNA, QUESTION)
        await until(lambda: gate.waiting)
        stage.begins(ANNA, voiced_s=1.0)
        stage.passes(2.0)
        assert not stage.playback.given


@in_loop
async def test_who_has_heard_nothing_but_that_has_heard_nothing_of_the_answer() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        await stage.prepared()
        gate = waiting(stage)
        stage.says(ANNA, QUESTION)
        await until(lambda: gate.waiting)
        stage.passes(2.0)
        assert stage.playback.said == ["One moment."]
        stage.says(ANNA, "Who are you?")
        assert (await stage.outcomes(2))[0] == "replaced"
        gate.open()
        await soon()
        assert not stage.shown
