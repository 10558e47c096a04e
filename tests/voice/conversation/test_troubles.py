"""Models that fail: it is told once, and the call goes on."""

from __future__ import annotations

import asyncio
from typing import NoReturn

import pytest

from tests.voice.conversation.props import in_loop, soon, until
from tests.voice.conversation.stage import ANNA, DOWN, QUESTION, Script, Stage, waiting
from trainer.limits import Full, Limit
from trainer.ports import StoreUnavailable
from voice_sidecar.conversation.asking import OverLimit
from voice_sidecar.conversation.models import BudgetUsed
from voice_sidecar.conversation.tools import Settings


@in_loop
async def test_a_recogniser_that_fails_is_told_once_aloud_and_in_text() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.recogniser_fails = DOWN
        stage.says(ANNA, QUESTION)
        await stage.outcomes(1)
        await until(lambda: stage.playback.said)
        stage.says(ANNA, QUESTION)
        assert await stage.outcomes(2) == ["failed", "failed"]
        assert len(stage.room.told) == 1
        assert len(stage.playback.said) == 1
        assert "speech recognition" in stage.playback.said[0]
        stage.recogniser_fails = None
        stage.says(ANNA, QUESTION)
        assert (await stage.outcomes(3))[2] == "unknown"
        stage.recogniser_fails = DOWN
        stage.says(ANNA, QUESTION)
        await stage.outcomes(4)
        assert len(stage.room.told) == 1  # to and fro
        stage.passes(700)
        stage.recogniser_fails = None
        stage.says(ANNA, QUESTION)
        await stage.outcomes(5)
        stage.recogniser_fails = DOWN
        stage.says(ANNA, QUESTION)
        await stage.outcomes(6)
        assert len(stage.room.told) == 2


@in_loop
async def test_without_a_recogniser_it_is_told_once() -> None:
    async with Stage(recognise=None) as stage:
        stage.comes(ANNA)
        stage.says(ANNA, QUESTION)
        stage.says(ANNA, QUESTION)
        assert await stage.outcomes(2) == ["failed", "failed"]
        assert len(stage.room.told) == 1


@in_loop
async def test_a_budget_that_is_used_up_is_told() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.recogniser_fails = BudgetUsed()
        stage.says(ANNA, QUESTION)
        assert await stage.outcomes(1) == ["failed"]
        await until(lambda: stage.playback.said)
        assert "budget" in stage.playback.said[0]


@in_loop
@pytest.mark.parametrize(
    ("failure", "word"), [(DOWN, "language model"), (StoreUnavailable("x"), "taught"), (ValueError("x"), "taught")]
)
async def test_an_answer_that_fails_is_told_once(failure: Exception, word: str) -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.answers[QUESTION] = Script("", failure=failure)
        for times in range(1, 3):
            stage.says(ANNA, QUESTION)
            await stage.outcomes(times)
        assert [report.outcome.value for report in stage.reports] == ["failed", "failed"]
        assert len(stage.playback.said) == 1
        assert word in stage.playback.said[0]
        assert len(stage.room.told) == 1
        stage.answers[QUESTION] = Script("Ten.")
        stage.says(ANNA, QUESTION)
        await stage.outcomes(3)
        assert stage.playback.said[-1] == "Ten."


@in_loop
async def test_a_model_that_is_stood_in_for_is_told_once() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.answers[QUESTION] = Script("Ten.", fell_back=True)
        for times in range(1, 3):
            stage.says(ANNA, QUESTION)
            await stage.outcomes(times)
        assert len(stage.playback.said) == 3
        assert "word for word" in stage.playback.said[1]
        assert len(stage.room.told) == 1


@in_loop
async def test_a_voice_that_fails_is_told_in_text() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        await stage.prepared()
        stage.voice_fails = DOWN
        stage.answers[QUESTION] = Script("Ten.", kept=True)
        for times in range(1, 3):
            stage.says(ANNA, QUESTION)
            await stage.outcomes(times)
        assert [report.outcome.value for report in stage.reports] == ["failed", "failed"]
        assert len(stage.room.told) == 1
        assert len(stage.shown) == 2
        stage.voice_fails = None
        stage.says(ANNA, QUESTION)
        assert (await stage.outcomes(3))[2] == "answered"


@in_loop
async def test_a_voice_that_breaks_does_not_end_the_call() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.voice_fails = RuntimeError("x")
        stage.says(ANNA, QUESTION)
        assert await stage.outcomes(1) == ["failed"]


@in_loop
async def test_without_a_voice_it_is_told_at_once() -> None:
    async with Stage(say=None, locale="ru") as stage:
        stage.comes(ANNA)
        await until(lambda: stage.room.told)
        stage.says(ANNA, QUESTION)
        assert await stage.outcomes(1) == ["failed"]
        assert len(stage.room.told) == 1


@in_loop
@pytest.mark.parametrize(("owner", "word"), [("person", "too fast"), ("scope", "So many")])
async def test_who_asks_too_much_is_told_so(owner: str, word: str) -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        limit = Limit("ask", owner, 1, 60)  # type: ignore[arg-type]
        stage.answers[QUESTION] = Script("", failure=OverLimit(Full(limit, 3.0)))
        stage.says(ANNA, QUESTION)
        assert await stage.outcomes(1) == ["limited"]
        assert word in stage.playback.said[0]
        assert not stage.room.told


@in_loop
async def test_too_many_sounds_at_once_are_not_queued_without_end() -> None:
    async with Stage(settings=Settings(recognising_most=3, recognised_at_once=1)) as stage:
        stage.comes(ANNA)
        stage.recognition.close()
        stage.begins(ANNA)
        stage.pauses(ANNA, "One?")
        stage.ends(ANNA, "One?")
        stage.begins(ANNA)
        stage.pauses(ANNA, "Two?")  # not begun early any more
        stage.ends(ANNA, "Two?")
        for text in ("Three?", "Four?"):
            stage.says(ANNA, text)
        assert await stage.outcomes(1) == ["busy"]
        stage.recognition.open()
        await stage.outcomes(4)
        assert sorted(stage.recognised) == ["One?", "Three?", "Two?"]


@in_loop
async def test_a_detector_that_fails_leaves_it_to_silence() -> None:
    class Broken:
        name = "broken"

        def probability(self, sound: object) -> float:
            raise ValueError("x")

    async with Stage(endpoint=Broken()) as stage:
        stage.comes(ANNA)
        stage.begins(ANNA)
        stage.pauses(ANNA, QUESTION)
        await soon()
        stage.ends(ANNA, QUESTION)
        assert await stage.outcomes(1) == ["unknown"]
        assert not stage.ears[ANNA].verdicts


@in_loop
async def test_a_connection_that_is_lost_ends_what_is_said_and_the_next_is_said() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.playback.by_itself = False
        stage.answers[QUESTION] = Script("One. Two.")
        stage.says(ANNA, QUESTION)
        await until(lambda: len(stage.playback.given) == 2)
        stage.playback.hear(1)
        stage.playback.stop()  # not by us
        await stage.outcomes(1)
        stage.playback.by_itself = True
        stage.says(ANNA, "And now?")
        await stage.outcomes(2)
        assert stage.asked[1].former[0].answer == "One."


@in_loop
async def test_not_too_much_waits_to_be_said_for_others_and_nobody_waits_for_ever() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.playback.by_itself = False
        says = [asyncio.ensure_future(stage.conversation.say(f"Number {number}.", "en")) for number in range(7)]
        await until(lambda: stage.playback.given)
        await soon()
        assert sum(say.done() for say in says) == 3
        await stage.conversation.close()
        await asyncio.wait_for(asyncio.gather(*says), 5)


@in_loop
async def test_what_cannot_be_prepared_is_not_said_at_once() -> None:
    stage = Stage()
    stage.voice_fails = DOWN
    async with stage:
        stage.comes(ANNA)
        await soon()
        stage.voice_fails = None
        gate = waiting(stage)
        stage.says(ANNA, QUESTION)
        await until(lambda: gate.waiting)
        stage.passes(2.0)
        await soon()
        gate.open()
        await stage.outcomes(1)
        assert stage.playback.said[-1] == "Ten."


@in_loop
async def test_a_part_of_ours_that_breaks_does_not_end_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        begin = stage.playback.begin

        def broken(**_: object) -> NoReturn:
            raise RuntimeError("x")

        monkeypatch.setattr(stage.playback, "begin", broken)
        stage.says(ANNA, QUESTION)
        assert await stage.outcomes(1) == ["failed"]
        monkeypatch.setattr(stage.playback, "begin", begin)
        stage.says(ANNA, QUESTION)
        assert (await stage.outcomes(2))[1] == "unknown"


@in_loop
async def test_a_chat_that_cannot_be_written_to_does_not_take_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage() as stage:
        stage.comes(ANNA)

        async def broken(record: object) -> None:
            raise RuntimeError("x")

        monkeypatch.setattr(stage, "answered", broken)
        stage.answers[QUESTION] = Script("Ten.", kept=True)
        stage.says(ANNA, QUESTION)
        assert await stage.outcomes(1) == ["answered"]
        stage.says(ANNA, "And now?")
        await stage.outcomes(2)
        assert stage.asked[1].former[0].answer == "Ten."
        await until(lambda: len(stage.remembered) == 1)
