"""Spoken answers and recordings when something goes wrong: late, refused, taken over, failed half-way."""

from __future__ import annotations

import base64
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from interactions import payloads
from interactions.commands import transcribe
from tests.e2e.spoken import ANSWER, QUESTION, TOLD, Ear, Mouth, equip, recording, said, spoken, voice_messages
from tests.unit.speech.sounds import voice
from trainer.ports import ModelUnavailable
from trainer.usage import Ledger

if TYPE_CHECKING:
    from playground.messages import Message
    from tests.bot import Bot

FOLLOW_UP = "/webhooks/[^/]+/[^/]+$"
POST = r"/channels/[0-9]+/messages$"
FORBIDDEN = {"code": 50013, "message": "Missing Permissions"}


def answers(bot: Bot) -> list[Message]:
    return [message for message in bot.channel() if ANSWER in message.text]


def files(bot: Bot) -> list[str]:
    return [file.filename for message in bot.channel() for file in message.attachments]


def test_a_voice_message_that_is_late_comes_alone(bot: Bot, mouth: Mouth) -> None:
    """The token expires between the text and the voice message."""
    bot.ada().command("train", text=TOLD).wait()
    expired = {"code": 50027, "message": "Invalid Webhook Token"}
    bot.playground.faults.add(method="POST", path=FOLLOW_UP, status=401, body=expired)
    bot.bob().command("ask", prompt=QUESTION, speak=True)
    bot.until_idle()
    assert len(answers(bot)) == 1
    assert len(voice_messages(bot)) == 1
    assert not [message for message in bot.channel() if message.text.strip().startswith("<@")]


def test_what_a_killed_worker_has_posted_late_is_not_posted_again(bot: Bot, mouth: Mouth) -> None:
    bot.ada().command("train", text=TOLD).wait()
    bot.stop_worker()
    exchange = bot.bob().command("ask", prompt=QUESTION, speak=True)
    bot.playground.advance(16 * 60)
    bot.start_worker()
    bot.until_idle()
    key = f"{bot.services_scope().prefix}/outcomes/{exchange.id}.delivery.json"
    shown = json.loads(bot.services.store.get(key).data)
    assert (len(shown["messages"]), shown["way"]) == (2, "channel")
    del shown["messages"][1]
    bot.services.store.put(key, json.dumps(shown | {"finished": False}).encode())
    exchange.redeliver()
    bot.until_idle()
    assert len(voice_messages(bot)) == 1
    assert len([message for message in bot.channel() if message.text.startswith("<@")]) == 1


def test_where_a_late_voice_message_is_not_allowed_it_is_a_file(bot: Bot, mouth: Mouth) -> None:
    bot.ada().command("train", text=TOLD).wait()
    bot.stop_worker()
    bot.bob().command("ask", prompt=QUESTION, speak=True)
    bot.playground.advance(16 * 60)
    bot.playground.faults.add(method="POST", path=POST, status=403, body=FORBIDDEN, after=1)
    bot.start_worker()
    bot.until_idle()
    assert len(answers(bot)) == 1
    assert files(bot) == ["voice-message.ogg"]
    assert "While you were away" not in bot.bob().command("ask", prompt="What else?").wait().content


def test_where_not_even_the_file_is_allowed_the_answer_stands(bot: Bot, mouth: Mouth) -> None:
    bot.ada().command("train", text=TOLD).wait()
    bot.playground.faults.add(method="POST", path=FOLLOW_UP, status=403, body=FORBIDDEN, times=2)
    bot.bob().command("ask", prompt=QUESTION, speak=True).wait()
    bot.until_idle()
    assert len(answers(bot)) == 1
    assert bot.queue.depth()[3] == 0, "an answer that was shown is no failed job"


def test_without_follow_ups_left_the_spoken_answer_goes_with_the_text(bot: Bot, mouth: Mouth) -> None:
    bot.ada().command("train", text=TOLD).wait()
    too_many = {"code": 40094, "message": "Maximum number of follow-up messages reached"}
    bot.playground.faults.add(method="POST", path=FOLLOW_UP, status=400, body=too_many)
    bot.bob().command("ask", prompt=QUESTION, speak=True).wait()
    bot.until_idle()
    [message] = answers(bot)
    assert [file.filename for file in message.attachments] == ["voice-message.ogg"]


def test_a_recording_that_another_worker_took_over_is_left_at_once(bot: Bot, ear: Ear) -> None:
    bot.stop_worker()
    bot.bob().command("ask", audio=spoken())
    (job,) = bot.queue.lease(wait_s=5, visibility_s=60)
    asked, answered, lost = threading.Event(), threading.Event(), threading.Event()
    before = ear.transcribe

    def slow(*given: Any, **more: Any) -> Any:
        asked.set()
        assert answered.wait(60)
        return before(*given, **more)

    ear.transcribe = slow  # type: ignore[method-assign]
    verdicts: list[str] = []
    work = threading.Thread(
        target=lambda: verdicts.append(bot.performer.perform(job.body, job.attempts, lost.is_set).reason)
    )
    work.start()
    assert asked.wait(20)
    time.sleep(0.5)  # until progress was shown for the last time
    lost.set()
    work.join(20)
    left = list(verdicts)
    answered.set()
    work.join()
    assert left == ["Abandoned"]
    bot.queue.complete(job)


def test_an_answer_that_another_worker_reads_out_is_left_at_once(bot: Bot, mouth: Mouth) -> None:
    bot.ada().command("train", text=f"Q: {QUESTION}\nA: One. Two. Three.").wait()
    bot.stop_worker()
    bot.bob().command("ask", prompt=QUESTION, speak=True)
    (job,) = bot.queue.lease(wait_s=5, visibility_s=60)
    assert bot.performer.perform(job.body, job.attempts, lambda: bool(mouth.said)).reason == "Abandoned"
    assert mouth.said == ["One."]
    bot.queue.complete(job)


def paid(bot: Bot, ear: Ear, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    ledger = Ledger(bot.services.store, budget_usd=10)
    monkeypatch.setattr(ear, "local", False)
    ear.billed = True
    equip(bot, transcriber=ear, ledger=ledger)
    return ledger


def test_what_was_paid_before_a_recogniser_failed_is_counted(
    bot: Bot, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = paid(bot, ear, monkeypatch)
    before = ear.transcribe

    def failing(*given: Any, **more: Any) -> Any:
        if ear.heard:
            raise ModelUnavailable("credentials", retryable=False)
        return before(*given, **more)

    ear.transcribe = failing  # type: ignore[method-assign]
    bot.bob().command("ask", audio=spoken(seconds=65)).wait()
    assert ledger.spending(bot.services_scope()).cost.usd == pytest.approx(0.0045 * ear.heard[0] / 60)


def test_whoever_cannot_be_shown_a_transcript_any_more_is_told(bot: Bot, ear: Ear) -> None:
    ear.hears = "Not-to-be-kept"
    bot.stop_worker()
    bot.bob().message_command("Transcribe", said(bot, ("a.ogg", recording(voice(2.0)))))
    bot.playground.advance(16 * 60)
    bot.start_worker()
    bot.until_idle()
    told = bot.bob().command("ask", prompt="What else?", private=True).wait().content
    assert "While you were away" in told
    assert "took so long" in told
    assert ear.hears not in told


def test_what_is_too_long_to_be_read_out_is_not_paid_for(
    bot: Bot, mouth: Mouth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interactions.voicing.SAID_MOST", len(ANSWER) - 1)
    bot.ada().command("train", text=TOLD).wait()
    reply = bot.bob().command("ask", prompt=QUESTION, speak=True).wait()
    assert "too long to be said" in reply.content
    assert not mouth.said
    assert not voice_messages(bot)


def test_the_bots_own_voice_message_can_be_transcribed(bot: Bot, mouth: Mouth, ear: Ear) -> None:
    bot.bob().command("ask", prompt=QUESTION, speak=True).wait()
    bot.until_idle()
    [message] = voice_messages(bot)
    assert f"> {QUESTION}" in bot.bob().message_command("Transcribe", message.id).wait().content


def test_forgetting_takes_what_was_heard_along(bot: Bot, ear: Ear) -> None:
    ear.hears = "Xylophone-words that are mine. " * 30
    bot.bob().command("ask", prompt="What is it about?", audio=spoken()).wait()
    bot.until_idle()
    store = bot.services.store

    def kept() -> list[str]:
        encoded = base64.b64encode(b"...Xylophone-words that")[4:-4]
        data = {info.key: store.get(info.key).data for info in store.list(bot.services_scope().prefix)}
        return [key for key, words in data.items() if b"Xylophone-words" in words or encoded in words]

    assert kept()
    asked = bot.bob().command("forget_me").wait()
    bot.bob().click(asked.message.id, "Delete everything").wait()
    bot.until_idle()
    assert not kept()


def test_a_voice_message_that_was_forwarded_is_found() -> None:
    file = {"id": "1", "filename": "voice-message.ogg", "size": 9, "url": "https://a/b", "content_type": "audio/ogg"}
    snapshot = {"message": {"content": "", "attachments": [file | {"filename": "a.txt", "content_type": None}, file]}}
    message = msgspec.convert({"id": "2", "message_snapshots": [snapshot]}, payloads.Message)
    found = transcribe.recording(message)
    assert found is not None
    assert found.filename == "voice-message.ogg"
    assert (
        transcribe.recording(msgspec.convert({"id": "2", "message_snapshots": [{"message": {}}]}, payloads.Message))
        is None
    )
