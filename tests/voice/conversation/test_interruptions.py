"""Who speaks while we speak: silence at once, and then the end of the answer, or its rest."""

from __future__ import annotations

import pytest

from tests.voice.conversation.props import Gate, in_loop, soon, until
from tests.voice.conversation.stage import ANNA, BORIS, Script, Stage
from voice_sidecar.conversation.tools import Settings

LONG = "One is said. Two is said. Three is said."


async def speaking(stage: Stage, *people: int) -> None:
    """Anna asked, and has heard one sentence of three."""
    stage.comes(ANNA, *people)
    stage.playback.by_itself = False
    stage.answers["Tell me."] = Script(LONG)
    stage.says(ANNA, "Trainger, tell me.")
    await until(lambda: len(stage.playback.given) == 3)
    stage.playback.hear(1)
    stage.passes(2.0)


@in_loop
async def test_a_quarter_of_a_second_of_speech_pauses() -> None:
    async with Stage() as stage:
        await speaking(stage)
        stage.begins(ANNA, voiced_s=0.16)
        assert not stage.playback.paused()
        stage.goes_on(ANNA, 0.192)
        assert stage.playback.paused()


@in_loop
async def test_a_cough_is_a_false_alarm() -> None:
    async with Stage() as stage:
        await speaking(stage)
        stage.begins(ANNA)
        assert stage.playback.paused()
        stage.drops(ANNA)
        assert not stage.playback.paused()
        stage.playback.hear(2)
        assert await stage.outcomes(1) == ["answered"]


@in_loop
@pytest.mark.parametrize("remark", ["Uh-huh.", "mhm", "Yeah, yeah.", "Ага.", "Угу, угу.", "Okay."])
async def test_a_remark_is_a_false_alarm(remark: str) -> None:
    async with Stage() as stage:
        await speaking(stage)
        stage.says(ANNA, remark)
        assert stage.playback.paused()
        assert await stage.outcomes(1) == ["listening"]
        assert not stage.playback.paused()
        assert stage.playback.calls.count("stop") == 0


@in_loop
async def test_a_question_ends_the_answer_and_what_was_heard_is_remembered() -> None:
    async with Stage() as stage:
        await speaking(stage)
        stage.answers["And for students?"] = Script("Five.")
        stage.says(ANNA, "And for students?")
        await until(lambda: len(stage.asked) == 2)
        assert stage.playback.calls[-1] == "stop"
        assert [turn.answer for turn in stage.asked[1].former] == ["One is said."]
        await until(lambda: stage.playback.given[-1] == "Five.")
        stage.playback.hear(1)
        assert await stage.outcomes(2) == ["cut", "answered"]
        assert stage.reports[0].heard_s == 1.0


@in_loop
async def test_with_transcripts_what_was_heard_is_kept_for_follow_ups() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.playback.by_itself = False
        stage.answers["Tell me."] = Script(LONG, kept=True)
        stage.says(ANNA, "Tell me.")
        await until(lambda: len(stage.playback.given) == 3)
        stage.playback.hear(2)
        stage.says(ANNA, "Stop.")
        await stage.outcomes(2)
        await until(lambda: stage.remembered)
        assert stage.remembered == [("Tell me.", "One is said. Two is said.")]


@in_loop
async def test_an_answer_that_is_still_being_written_is_remembered_as_far_as_it_was_heard() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.playback.by_itself = False
        gate = Gate()
        gate.close()
        gate.step()
        stage.answers["Tell me."] = Script(LONG, ("One is said. Two",), "generated", gate=gate)
        stage.says(ANNA, "Tell me.")
        await until(lambda: stage.playback.given)
        stage.playback.hear(1)
        stage.says(ANNA, "And for students?")
        await until(lambda: len(stage.asked) == 2)
        assert [turn.answer for turn in stage.asked[1].former] == ["One is said."]


@in_loop
@pytest.mark.parametrize("text", ["Stop!", "Стоп.", "Хватит.", "Thanks.", "Thank you, that's all."])
async def test_a_wish_to_stop_ends_the_answer_and_is_not_answered(text: str) -> None:
    async with Stage() as stage:
        await speaking(stage)
        stage.says(ANNA, text)
        assert sorted(await stage.outcomes(2)) == ["cut", "stopped"]
        assert len(stage.asked) == 1
        assert not stage.playback.playing


@in_loop
async def test_after_a_wish_to_stop_the_name_is_needed_again() -> None:
    async with Stage() as stage:
        await speaking(stage, BORIS)
        stage.says(ANNA, "Stop.")
        await stage.outcomes(2)
        stage.says(ANNA, "So, Boris, where were we?")
        assert (await stage.outcomes(3))[2] == "others"


@in_loop
async def test_others_talk_does_not_end_the_answer() -> None:
    async with Stage() as stage:
        await speaking(stage, BORIS)
        stage.says(BORIS, "I think that it will rain.")
        assert stage.playback.paused()
        assert await stage.outcomes(1) == ["others"]
        assert not stage.playback.paused()
        stage.playback.hear(2)
        assert (await stage.outcomes(2))[1] == "answered"


@in_loop
async def test_others_thanks_do_not_end_it_but_their_wish_to_stop_does() -> None:
    async with Stage() as stage:
        await speaking(stage, BORIS)
        stage.says(BORIS, "Thanks.")
        assert await stage.outcomes(1) == ["listening"]
        assert not stage.playback.paused()
        stage.says(BORIS, "Stop!")
        assert sorted((await stage.outcomes(3))[1:]) == ["cut", "stopped"]


@in_loop
async def test_others_who_call_us_end_it_and_are_answered() -> None:
    async with Stage() as stage:
        await speaking(stage, BORIS)
        stage.answers["What time is it?"] = Script("Late.")
        stage.says(BORIS, "Trainger, what time is it?")
        await until(lambda: stage.playback.given[-1] == "Late.")
        stage.playback.hear(1)
        assert await stage.outcomes(2) == ["cut", "answered"]


@in_loop
async def test_a_question_that_began_before_the_answer_to_another_waits_for_it() -> None:
    async with Stage() as stage:
        stage.comes(ANNA, BORIS)
        stage.playback.by_itself = False
        gate = Gate()
        gate.close()
        stage.answers["Tell me."] = Script("One.", gate=gate)
        stage.answers["What time is it?"] = Script("Late.")
        stage.says(ANNA, "Trainger, tell me.")
        await until(lambda: gate.waiting)
        stage.begins(BORIS)
        gate.open()
        await until(lambda: stage.playback.given == ["One."])
        assert stage.playback.paused()  # it waits for Boris
        stage.ends(BORIS, "Trainger, what time is it?")
        await until(lambda: not stage.playback.paused())
        stage.playback.hear(1)
        await until(lambda: stage.playback.given == ["One.", "Late."])
        stage.playback.hear(1)
        assert await stage.outcomes(2) == ["answered", "answered"]


@in_loop
async def test_nothing_begins_while_somebody_speaks() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.playback.by_itself = False
        gate = Gate()
        gate.close()
        stage.answers["Tell me."] = Script("One.", gate=gate)
        stage.says(ANNA, "Tell me.")
        await until(lambda: gate.waiting)
        stage.begins(ANNA)
        gate.open()
        await until(lambda: stage.playback.given == ["One."])
        assert stage.playback.paused()
        stage.ends(ANNA, "Mhm.")
        await until(lambda: not stage.playback.paused())


@in_loop
async def test_a_lively_channel_does_not_keep_us_silent_for_good() -> None:
    async with Stage(settings=Settings(others_most_s=5.0)) as stage:
        await speaking(stage, BORIS)
        stage.begins(BORIS)
        stage.passes(4.9)
        assert stage.playback.paused()
        stage.passes(0.2)
        assert not stage.playback.paused()
        stage.goes_on(BORIS, 6.0)
        assert not stage.playback.paused()
        stage.begins(ANNA)  # whom we speak to
        assert stage.playback.paused()


@in_loop
async def test_the_recogniser_hangs_and_we_go_on() -> None:
    async with Stage(settings=Settings(recognition_most_s=20.0)) as stage:
        await speaking(stage)
        stage.recognition.close()
        stage.says(ANNA, "Anything else?")
        await until(lambda: len(stage.recognised) == 2)
        assert stage.playback.paused()
        stage.passes(19.9)
        await soon()
        assert stage.playback.paused()
        stage.passes(0.2)
        assert await stage.outcomes(1) == ["failed"]
        assert not stage.playback.paused()


@in_loop
async def test_what_is_said_for_others_can_be_interrupted() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.playback.by_itself = False
        stage.conversation._spawn(stage.conversation.say("One. Two.", "en"))
        await until(lambda: len(stage.playback.given) == 2)
        stage.playback.hear(1)
        stage.says(ANNA, "Stop.")
        assert await stage.outcomes(1) == ["stopped"]
        assert not stage.playback.playing


@in_loop
async def test_our_own_sentences_are_not_remembered() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.playback.by_itself = False
        stage.answers["Tell me."] = Script("As taught.", ("Well, it is. And",), fell_back=True)
        stage.says(ANNA, "Tell me.")
        await until(lambda: len(stage.playback.given) == 4)
        stage.playback.hear(2)
        assert stage.playback.said[1] == "Let me begin again."
        stage.says(ANNA, "And for students?")
        await until(lambda: len(stage.asked) == 2)
        assert [turn.answer for turn in stage.asked[1].former] == ["Well, it is."]
