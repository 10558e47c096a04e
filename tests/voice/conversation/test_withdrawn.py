"""What nobody wants any more is not asked for, and stopped where it was."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from tests.endless_server import EndlessServer
from tests.voice.conversation.props import PATIENCE_S, Gate, in_loop, soon, until
from tests.voice.conversation.stage import ANNA, BORIS, QUESTION, Script, Stage, waiting
from trainer.adapters.openai_chat import OpenAiChat
from trainer.adapters.openai_synthesizer import OpenAiSynthesizer
from trainer.answers import Answer
from trainer.conversations import Turn
from trainer.ports import Cancellation, Cancelled, ChatMessage, Sound, Transcript, current_cancellation
from trainer.scope import Scope
from trainer.speech.speaking import Speaker
from voice_sidecar.conversation.asking import Found, Question
from voice_sidecar.conversation.models import Recogniser

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Writing:
    """Asks the chat model behind a server, and nothing else."""

    def __init__(self, url: str) -> None:
        self.chat = OpenAiChat(api_key="k", base_url=url, model="m", timeout_s=60 * PATIENCE_S)
        self.over: list[str] = []

    def ask(self, question: Question, on_text: Callable[[str], None]) -> Found:
        reply = self.chat.reply([ChatMessage("user", question.text)], max_tokens=9_999, on_text=on_text)
        self.over.append(reply.text)
        turn = Turn(id=question.id, question=question.text, answer=reply.text, topic=question.text, at=0.0)
        return Found(Answer("generated", reply.text), turn, True, None)

    def remember(self, found: Found, heard: str) -> None:
        raise AssertionError("nothing is kept")


@in_loop
@pytest.mark.parametrize("how", ["stop", "question", "goes on", "left", "revoked", "close"])
async def test_the_model_that_writes_an_answer_is_hung_up_on(how: str) -> None:
    """The real client, and a server that writes until nobody listens."""
    with EndlessServer() as server, closing((writing := Writing(server.base_url)).chat):
        async with Stage(ask=writing) as stage:
            stage.comes(ANNA)
            stage.says(ANNA, QUESTION)
            await until(lambda: server.sent > 3)
            assert not server.hung_up.is_set()
            if how in {"stop", "question"}:
                stage.passes(2.0)
            match how:
                case "left":
                    stage.conversation.left(ANNA)
                case "revoked":
                    stage.conversation.revoked(ANNA)
                case "close":
                    await stage.conversation.close()
                case _:
                    stage.says(ANNA, "Stop." if how == "stop" else "And for students?")
            await until(lambda: server.hung_up.is_set() and writing.over)
            asked = 2 if how in {"question", "goes on"} else 1
            await until(lambda: len(server.requests) >= asked)
        assert len(server.requests) == asked


@in_loop
async def test_a_question_that_waits_for_a_thread_is_never_asked() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        held = threading.Event()
        try:
            for _ in range(4):
                stage.threads[1].submit(held.wait, 3 * PATIENCE_S)
            stage.says(ANNA, QUESTION)
            await until(lambda: stage.recognised and stage.conversation._replies._unsettled)
            stage.conversation.left(ANNA)
            assert await stage.outcomes(1) == ["gone"]
        finally:
            held.set()
        stage.comes(ANNA)
        stage.says(ANNA, "Are you there?")
        await stage.outcomes(2)
        assert [question.text for question in stage.asked] == ["Are you there?"]


@in_loop
async def test_what_others_ask_is_not_stopped() -> None:
    async with Stage() as stage:
        stage.comes(ANNA, BORIS)
        gate = waiting(stage)
        stage.says(ANNA, f"Trainger, {QUESTION}")
        await until(lambda: gate.waiting)
        stage.conversation.left(BORIS)
        gate.open()
        assert await stage.outcomes(1) == ["answered"]
        assert not stage.cancelled


@in_loop
async def test_a_false_alarm_stops_nothing() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        gate = waiting(stage)
        stage.says(ANNA, QUESTION)
        await until(lambda: gate.waiting)
        stage.begins(ANNA)
        stage.drops(ANNA)
        stage.says(ANNA, "Mhm.")
        await stage.outcomes(1)
        gate.open()
        assert await stage.outcomes(2) == ["listening", "answered"]
        assert not stage.cancelled


@in_loop
async def test_the_voice_is_hung_up_on_and_asked_for_nothing_more() -> None:
    with EndlessServer() as server:
        voice = OpenAiSynthesizer(api_key="k", base_url=server.base_url, timeout_s=60 * PATIENCE_S)
        speaker = Speaker([voice])
        with closing(voice):
            async with Stage(say=lambda text, language, _: speaker.say(text, language)) as stage:
                for prepared in ("One moment.", "Yes?"):
                    stage.conversation._mouth._prepared[prepared, "en"] = []
                stage.comes(ANNA)
                stage.answers[QUESTION] = Script("One is said. Two is not. Three is not.")
                stage.says(ANNA, QUESTION)
                await until(lambda: server.sent > 3)
                stage.says(ANNA, "Stop.")
                await until(server.hung_up.is_set)
                await stage.outcomes(2)
            assert len(server.requests) <= 3  # two are what is prepared, which goes on


@in_loop
async def test_sentences_that_wait_for_a_thread_are_not_spoken() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        await stage.prepared()
        held = threading.Event()
        try:
            for _ in range(4):
                stage.threads[2].submit(held.wait, 3 * PATIENCE_S)
            stage.answers[QUESTION] = Script("One. Two.")
            stage.says(ANNA, QUESTION)
            await until(lambda: stage.asked)
            await soon()
            stage.says(ANNA, "Stop.")
            await stage.outcomes(2)
        finally:
            held.set()
        await soon()
        assert not [text for text, _ in stage.spoken if text in {"One.", "Two."}]


@in_loop
async def test_what_was_begun_in_a_pause_and_waits_for_a_thread_is_not_recognised() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        held = threading.Event()
        try:
            for _ in range(4):
                stage.threads[0].submit(held.wait, 3 * PATIENCE_S)
            stage.begins(ANNA)
            stage.pauses(ANNA, "What is")
            stage.went_on(ANNA)
            stage.ends(ANNA, QUESTION)
            await soon()
        finally:
            held.set()
        await stage.outcomes(1)
        assert stage.recognised == [QUESTION]


@in_loop
async def test_what_was_begun_in_a_pause_is_told_that_nobody_wants_it() -> None:
    gate, told = Gate(), list[bool]()
    gate.close()

    def recognise(sound: Sound, languages: Sequence[str], turn_id: str) -> Transcript:
        gate()
        told.append(current_cancellation().cancelled)
        return Transcript("", "", ())

    async with Stage(recognise=recognise) as stage:
        stage.comes(ANNA)
        stage.begins(ANNA)
        stage.pauses(ANNA, "What is")
        await until(lambda: gate.waiting)
        stage.went_on(ANNA)
        await soon()
        gate.open()
        await until(lambda: told)
    assert told == [True]


def test_what_nobody_wants_is_not_sent_to_a_recogniser() -> None:
    class Model:
        name, most_s, local = "m", 60.0, False

        def transcribe(self, *_: object, **__: object) -> Transcript:
            raise AssertionError("it was sent")

    cancellation = Cancellation()

    def keywords(_: Scope) -> Sequence[str]:
        cancellation.cancel()  # it took its time
        return ()

    recognise = Recogniser(cast("Any", Model()), None, Scope("guild", "42"), keywords, lambda _: None)
    with cancellation.scope(), pytest.raises(Cancelled):
        recognise(Sound(b"\1\0" * 16_000, 16_000), (), "1")


def test_a_long_turn_that_is_recognised_in_pieces_is_told_too() -> None:
    """Its pieces are recognised in threads of their own."""
    cancellation = Cancellation()
    seen: list[bool] = []

    class Model:
        name, most_s, local = "m", 30.0, True

        def transcribe(self, *_: object, **__: object) -> Transcript:
            cancellation.cancel()  # somebody goes on speaking
            seen.append(current_cancellation().cancelled)
            current_cancellation().check()
            return Transcript("words", "en", ())

    recognise = Recogniser(cast("Any", Model()), None, Scope("guild", "42"), None, lambda _: None)
    tone = (8_000 * np.sin(np.arange(45 * 16_000) / 9) * (np.arange(45 * 16_000) // 4_000 % 2)).astype("<i2")
    with cancellation.scope(), pytest.raises(Cancelled):
        recognise(Sound(tone.tobytes(), 16_000), (), "1")
    assert seen == [True]
