"""Questions and answers: what is said to whom, in which language, and what is remembered."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tests.voice.conversation.props import Gate, in_loop, soon, until
from tests.voice.conversation.stage import ANNA, BORIS, CAROL, Script, Stage
from voice_sidecar.conversation.tools import Settings

if TYPE_CHECKING:
    import pytest


@in_loop
async def test_one_person_needs_no_name() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.answers["What is the price?"] = Script("It is **ten** euros. No more.")
        stage.says(ANNA, "What is the price?")
        assert await stage.outcomes(1) == ["answered"]
        assert stage.playback.said == ["It is ten euros.", "No more."]
        assert stage.asked[0].user_id == ANNA


@in_loop
async def test_others_who_did_not_agree_do_not_count() -> None:
    async with Stage() as stage:
        stage.comes(ANNA, BORIS)
        stage.room.agreed = {ANNA}
        stage.answers["What is the price?"] = Script("Ten.")
        stage.says(ANNA, "What is the price?")
        assert await stage.outcomes(1) == ["answered"]


@in_loop
async def test_somebody_who_did_not_agree_is_not_listened_to() -> None:
    async with Stage() as stage:
        stage.comes(ANNA, BORIS)
        stage.room.agreed = {ANNA}
        stage.says(BORIS, "Trainger, what is the price?")
        await soon()
        assert BORIS not in stage.ears
        assert not stage.recognised
        assert not stage.reports


@in_loop
async def test_of_several_people_the_name_is_needed() -> None:
    async with Stage() as stage:
        stage.comes(ANNA, BORIS)
        stage.answers["What is the price?"] = Script("Ten.")
        stage.says(ANNA, "What is the price?")
        assert await stage.outcomes(1) == ["others"]
        assert not stage.asked
        stage.says(BORIS, "Tringer, what is the price?")
        assert await stage.outcomes(2) == ["others", "answered"]
        assert [question.text for question in stage.asked] == ["What is the price?"]


@in_loop
async def test_after_an_answer_the_same_person_needs_no_name_for_a_while() -> None:
    async with Stage() as stage:
        stage.comes(ANNA, BORIS)
        stage.says(ANNA, "Trainger, what is the price?")
        await stage.outcomes(1)
        stage.says(BORIS, "And for students?")
        assert (await stage.outcomes(2))[1] == "others"
        stage.passes(7.5)
        stage.says(ANNA, "And for students?")
        assert (await stage.outcomes(3))[2] == "unknown"
        stage.passes(8.5)
        stage.says(ANNA, "Where is Bob today?")
        assert (await stage.outcomes(4))[3] == "others"


@in_loop
async def test_the_window_is_measured_at_the_beginning_of_speech() -> None:
    async with Stage() as stage:
        stage.comes(ANNA, BORIS)
        stage.says(ANNA, "Trainger, what is the price?")
        await stage.outcomes(1)
        stage.passes(7.9)
        stage.begins(ANNA)
        stage.passes(5.0)
        stage.ends(ANNA, "And for students?")
        assert (await stage.outcomes(2))[1] == "unknown"


@in_loop
async def test_the_name_alone_is_acknowledged_and_opens_the_window() -> None:
    async with Stage() as stage:
        stage.comes(ANNA, BORIS)
        stage.says(ANNA, "Hey Trainger!")
        assert await stage.outcomes(1) == ["acknowledged"]
        assert stage.playback.said == ["Yes?"]
        assert not stage.asked
        stage.says(ANNA, "What is the price?")
        assert (await stage.outcomes(2))[1] == "unknown"


@in_loop
async def test_what_is_not_known_is_said_to_be_unknown_in_the_speakers_language() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.says(ANNA, "What is the price?")
        assert await stage.outcomes(1) == ["unknown"]
        assert stage.playback.said == ["I don't know that yet."]
        stage.says(ANNA, "А сколько стоит подписка?")
        assert await stage.outcomes(2) == ["unknown"] * 2
        assert stage.spoken[-1][1] == "ru"


@in_loop
async def test_an_answer_is_said_while_it_is_written() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        gate = Gate()
        gate.close()
        texts = ("It is", "It is ten. And", "It is ten. And for students five. But")
        whole = "It is ten. And for students five. But ask."
        stage.answers["What is the price?"] = Script(whole, texts, "generated", gate=gate)
        stage.says(ANNA, "What is the price?")
        for written, said in enumerate(([], [], ["It is ten."], ["It is ten.", "And for students five."]), 1):
            await until(lambda: gate.waiting == written)  # noqa: B023 - within the same turn of the loop
            await until(lambda: stage.playback.said == said)  # noqa: B023 - likewise
            gate.step()
        assert await stage.outcomes(1) == ["answered"]
        assert stage.playback.said == ["It is ten.", "And for students five.", "But ask."]


@in_loop
async def test_half_a_sentence_is_never_said() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        gate = Gate()
        stage.answers["Count, please."] = Script("One is 1.5 of it.", ("One is 1.", "One is 1.5 of"), gate=gate)
        stage.says(ANNA, "Count, please.")
        await stage.outcomes(1)
        assert stage.playback.said == ["One is one point five of it."]


@in_loop
async def test_an_answer_that_turns_out_otherwise_begins_again() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.answers["Why is that?"] = Script("As taught.", ("Well, it is. And",), fell_back=True)
        stage.says(ANNA, "Why is that?")
        await stage.outcomes(1)
        assert stage.playback.said[:3] == ["Well, it is.", "Let me begin again.", "As taught."]


@in_loop
async def test_a_long_answer_is_cut_after_a_while() -> None:
    async with Stage(settings=Settings(spoken_most_s=2.5)) as stage:
        stage.comes(ANNA)
        stage.answers["Tell me all."] = Script("One. Two. Three. Four. Five.")
        stage.answers["Tell me again."] = Script("One. Two. Three. Four. Five.", kept=True)
        stage.says(ANNA, "Tell me all.")
        await stage.outcomes(1)
        assert stage.playback.said == ["One.", "Two.", "There is more to it: ask me in writing to read all of it."]
        stage.says(ANNA, "Tell me again.")
        await stage.outcomes(2)
        assert stage.playback.said[3:] == ["One.", "Two.", "The rest is in the chat."]
        # What was not heard is remembered only if it can be read.
        await until(lambda: stage.remembered)
        assert stage.remembered == [("Tell me again.", "One. Two. Three. Four. Five.")]
        assert stage.asked[1].former[0].answer == "One. Two."


@in_loop
async def test_one_sentence_is_said_however_long_it_is() -> None:
    async with Stage(settings=Settings(spoken_most_s=0.5)) as stage:
        stage.comes(ANNA)
        stage.answers["Tell me all."] = Script("One. Two.")
        stage.says(ANNA, "Tell me all.")
        await stage.outcomes(1)
        assert stage.playback.said[0] == "One."


@in_loop
async def test_follow_ups_see_what_was_said_before_of_the_same_person() -> None:
    async with Stage() as stage:
        stage.comes(ANNA, BORIS)
        stage.answers["What is the price?"] = Script("Ten euros.")
        stage.says(ANNA, "Trainger, what is the price?")
        await stage.outcomes(1)
        stage.says(BORIS, "Trainger, and for students?")
        await stage.outcomes(2)
        stage.says(ANNA, "Trainger, and for students?")
        await stage.outcomes(3)
        assert not stage.asked[1].former
        assert [(turn.question, turn.answer) for turn in stage.asked[2].former] == [
            ("What is the price?", "Ten euros.")
        ]
        assert not stage.remembered  # in this process alone
        stage.passes(31 * 60)
        stage.says(ANNA, "Trainger, and for students?")
        await stage.outcomes(4)
        assert not stage.asked[3].former


@in_loop
async def test_who_wants_nothing_remembered_is_not_remembered() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.answers["What is the price?"] = Script("Ten euros.", remembered=False)
        for times in range(1, 3):
            stage.says(ANNA, "What is the price?")
            await stage.outcomes(times)
        assert not stage.asked[1].former


@in_loop
async def test_with_transcripts_an_answer_is_shown_and_remembered() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.answers["What is the price?"] = Script("**Ten** euros.", kept=True)
        stage.says(ANNA, "What is the price?")
        await stage.outcomes(1)
        await until(lambda: stage.remembered)
        assert stage.shown == [stage.asked[0].id]
        assert stage.remembered == [("What is the price?", "**Ten** euros.")]


@in_loop
async def test_recognition_begins_at_a_pause_and_counts_if_nothing_followed() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.begins(ANNA)
        stage.pauses(ANNA, "What is the price?")
        await until(lambda: stage.recognised)
        stage.ends(ANNA, "What is the price?")
        await stage.outcomes(1)
        assert stage.recognised == ["What is the price?"]
        assert stage.reports[0].speculated


@in_loop
async def test_what_was_recognised_in_a_pause_is_thrown_away_if_the_person_goes_on() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.recognition.close()
        stage.begins(ANNA)
        stage.pauses(ANNA, "What is the price?")
        await until(lambda: stage.recognised)
        stage.went_on(ANNA)
        stage.goes_on(ANNA, 2.5)
        stage.ends(ANNA, "What is the price for students?")
        stage.recognition.open()
        await stage.outcomes(1)
        assert [question.text for question in stage.asked] == ["What is the price for students?"]
        assert not stage.reports[0].speculated


@in_loop
async def test_a_semantic_detector_is_asked_at_pauses() -> None:
    class Detector:
        name = "a detector"

        def probability(self, sound: object) -> float:
            return 0.9

    async with Stage(endpoint=Detector()) as stage:
        stage.comes(ANNA)
        stage.begins(ANNA)
        stage.pauses(ANNA, "What is the price?")
        await until(lambda: stage.ears[ANNA].verdicts)
        assert stage.ears[ANNA].verdicts == [(1, 0.9, 1)]


@in_loop
async def test_noise_is_not_answered() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.doubt = 0.9
        stage.says(ANNA, "Thank you for watching!")
        assert await stage.outcomes(1) == ["unworthy"]
        stage.doubt = 0.0
        stage.says(ANNA, "Subtitles by the Amara.org community")
        stage.says(ANNA, "")
        assert await stage.outcomes(3) == ["unworthy"] * 3
        assert not stage.asked


@in_loop
async def test_remarks_are_not_answered() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        for text in ("Uh-huh.", "Thanks!", "Стоп."):
            stage.says(ANNA, text)
        assert sorted(await stage.outcomes(3)) == ["listening", "stopped", "stopped"]
        assert not stage.asked


@in_loop
async def test_questions_of_several_people_are_answered_in_their_order() -> None:
    async with Stage(settings=Settings(waiting_most=1, filler_s=0)) as stage:
        stage.comes(ANNA, BORIS, CAROL)
        gate = Gate()
        gate.close()
        stage.answers["One?"] = Script("First.", gate=gate)
        stage.says(ANNA, "Trainger, one?")
        await until(lambda: gate.waiting)
        stage.says(BORIS, "Trainger, two?")
        await until(lambda: len(stage.recognised) == 2)
        await soon()
        stage.passes(2.0)
        stage.says(BORIS, "Trainger, three?")
        await stage.outcomes(1)
        stage.says(CAROL, "Trainger, four?")
        assert await stage.outcomes(2) == ["replaced", "busy"]
        gate.open()
        assert (await stage.outcomes(4))[2:] == ["answered", "unknown"]
        assert [question.text for question in stage.asked] == ["One?", "Three?"]


@in_loop
async def test_the_same_persons_next_question_replaces_the_one_being_answered() -> None:
    async with Stage(settings=Settings(filler_s=0)) as stage:
        stage.comes(ANNA)
        gate = Gate()
        gate.close()
        stage.answers["One?"] = Script("First.", gate=gate, kept=True)
        stage.answers["Two?"] = Script("Second.")
        stage.says(ANNA, "One?")
        await until(lambda: gate.waiting)
        stage.passes(1.6)
        stage.says(ANNA, "Two?")
        assert await stage.outcomes(2) == ["replaced", "answered"]
        assert stage.playback.said == ["Second."]
        gate.open()
        await soon()
        assert not stage.shown
        assert not stage.remembered


@in_loop
async def test_something_can_be_said_for_others() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        await stage.conversation.say("An answer to a **question**.", "")
        assert stage.playback.said == ["An answer to a question."]
        await stage.conversation.say("Ответ.", "ru")
        assert ("Ответ.", "ru") in stage.spoken  # what is prepared may come after it


@in_loop
async def test_a_report_has_every_stage_and_the_log_no_words(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.answers["What is the secret?"] = Script("Mellon.")
        stage.says(ANNA, "What is the secret?")
        await stage.outcomes(1)
    report = stage.reports[0]
    assert list(report.stages) == ["turn_decided", "transcript", "first_token", "first_audio"]
    (line,) = [record for record in caplog.records if record.message == "spoken turn"]
    assert line.__dict__["outcome"] == "answered"
    assert line.__dict__["first_audio_ms"] == 0
    everything = " ".join(str(record.__dict__) for record in caplog.records).casefold()
    assert "mellon" not in everything
    assert "secret" not in everything


@in_loop
async def test_closed_it_does_nothing_more() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        stage.recognition.close()
        stage.says(ANNA, "What is the price?")
        await until(lambda: stage.recognised)
        await stage.conversation.close()
        assert [report.outcome.value for report in stage.reports] == ["gone"]
        stage.recognition.open()
        stage.says(ANNA, "What is the price?")
        await stage.conversation.say("Hello.", "en")
        await soon()
        assert not stage.playback.given
        assert stage.conversation.next_deadline() is None
        await stage.conversation.close()
