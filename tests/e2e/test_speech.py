"""Questions in recordings, answers read out, and recordings transcribed: typed as people would."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from interactions.listening import QUOTED_MOST, clock
from interactions.outbound import VOICE_MESSAGE
from interactions.scratch import LEFT_OVER_S
from playground.cdn import File
from tests.bot import Bot
from tests.e2e.spoken import (
    ANSWER,
    QUESTION,
    TOLD,
    Ear,
    Mouth,
    equip,
    leftovers,
    recording,
    said,
    spoken,
    voice_messages,
)
from tests.e2e.test_killed_workers import environment
from tests.openai_audio import OpenAiAudioServer, Words
from tests.unit.speech.sounds import noise, silence, voice
from trainer.ports import ModelUnavailable, Sound
from trainer.speech.audio_files import wav
from trainer.speech.audio_pcm import RATE
from trainer.speech.decoding import Decoder
from trainer.speech.encoding import write_audio
from trainer.speech.speaking import Speaker
from trainer.usage import Ledger

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left there is left by this test."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))


# --- asking ---------------------------------------------------------------------------------------------------------


def test_a_spoken_question_gets_the_trained_answer_with_its_transcript(bot: Bot, ear: Ear) -> None:
    bot.ada().command("train", text=TOLD).wait()
    reply = bot.bob().command("ask", audio=spoken()).wait()
    assert reply.content.startswith(f"> 🎙️ {QUESTION}\n{ANSWER}")
    assert "[" not in reply.content.split("\n")[0]
    assert [part.get("label") for part in reply.message.components[0]["components"]][-1] == "Correct"
    assert 1.5 < ear.heard[0] < 2.6
    assert not leftovers()


def test_what_was_heard_is_kept_as_a_typed_question_is_and_the_sound_is_not(bot: Bot, ear: Ear) -> None:
    bot.bob().command("ask", audio=spoken()).wait()
    kept = [info.key for info in bot.services.store.list(bot.services_scope().prefix)]
    assert not [key for key in kept if "/originals/" in key or "/uploads/" in key]
    assert any("/answers/" in key for key in kept)


def test_a_prompt_with_a_recording_is_about_it(bot: Bot, ear: Ear) -> None:
    ear.hears = "We meet on Monday at nine in the blue room."
    reply = bot.bob().command("ask", prompt="Which room is it?", audio=spoken()).wait()
    assert reply.content.startswith(f"> 🎙️ {ear.hears}\n")


def test_nothing_at_all_is_told_at_once(bot: Bot) -> None:
    reply = bot.bob().command("ask").wait()
    assert reply.ephemeral
    assert "type it as `prompt`, or attach a recording as `audio`" in reply.content
    assert "запись" in bot.bob(locale="ru").command("ask").wait().content


def test_without_a_recogniser_it_says_so(bot: Bot) -> None:
    equip(bot, transcriber=None)
    assert "set up no speech recognition" in bot.bob().command("ask", audio=spoken()).wait().content


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (File("a.ogg", recording(silence(2.0)), "audio/ogg"), "it is silent"),
        (File("a.ogg", recording(noise(3.0, dbfs=-25)), "audio/ogg"), "only noise"),
        (File("a.mp3", b"not a sound at all", "audio/mpeg"), "don't know that kind of file"),
        (File("a.ogg", recording(voice(2.0))[:300], "audio/ogg"), "damaged"),
        (File("a.txt", b"Hello", "text/plain"), "don't know that kind of file"),
    ],
)
def test_what_cannot_be_heard_is_told_in_a_sentence(bot: Bot, ear: Ear, file: File, told: str) -> None:
    assert told in bot.bob().command("ask", audio=file).wait().content
    assert not leftovers()


def test_a_recording_may_be_larger_than_what_is_taught(bot: Bot, ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour as a phone records it has more than 25 MiB; here it is a quarter of one, and not compressed."""
    sound = wav(Sound(np.concatenate((voice(2.0), silence(900))).tobytes(), RATE))
    assert len(sound) > 27 * 1024 * 1024
    assert QUESTION in bot.bob().command("ask", audio=File("a.wav", sound, "audio/wav")).wait(60).content
    monkeypatch.setattr("interactions.listening.MIB_MOST", 1)
    told = bot.bob().command("ask", audio=File("a.wav", sound, "audio/wav")).wait(60).content
    assert "too large: I take at most 1 MiB" in told
    assert not leftovers()


def test_words_that_nobody_made_out_are_told(bot: Bot, ear: Ear) -> None:
    ear.hears = ""
    assert "could not make out any words" in bot.bob().command("ask", audio=spoken()).wait().content


def test_a_long_transcript_goes_along_as_text_and_subtitles(bot: Bot, ear: Ear) -> None:
    ear.hears = "And then we walked on along the river. " * 30
    reply = bot.bob().command("ask", audio=spoken("a walk.ogg")).wait()
    assert "the whole transcript is in the file" in reply.content
    assert len(reply.content) < QUOTED_MOST + 600
    text, subtitles = reply.message.file("a_walk.txt"), reply.message.file("a_walk.srt")
    assert text.data.decode().count("along the river") == 30
    assert subtitles.data.decode().startswith("1\n00:00:0")


def test_a_question_that_is_too_long_is_given_back_as_a_transcript(bot: Bot, ear: Ear) -> None:
    ear.hears = "And then we walked on along the river. " * 60
    reply = bot.bob().command("ask", audio=spoken()).wait()
    assert "send it again with a `prompt`" in reply.content
    assert len(reply.files) == 2


def test_marks_in_what_is_said_are_no_markdown(bot: Bot, ear: Ear) -> None:
    ear.hears = "**Everyone** @everyone <@1> [a](b)"
    first = bot.bob().command("ask", audio=spoken()).wait().content.split("\n")[0]
    assert "**" not in first.replace("\\*\\*", "")
    assert "\\@everyone" in first


def test_rare_words_of_the_dataset_and_likely_languages_are_told_to_the_recogniser(bot: Bot, ear: Ear) -> None:
    bot.ada().command("train", text="Q: What runs the shop?\nA: The shop runs on PostgreSQL and RabbitMQ.").wait()
    bot.bob(locale="de").command("ask", audio=spoken()).wait()
    assert {"PostgreSQL", "RabbitMQ"} <= set(ear.keywords)
    assert set(ear.languages) == {"de", "en", "ru"}


def test_a_recogniser_that_is_down_is_told_after_tries(bot: Bot, ear: Ear) -> None:
    ear.failure = ModelUnavailable("credentials", retryable=False)
    content = bot.bob().command("ask", audio=spoken()).wait().content
    assert QUESTION not in content
    assert "⏳" not in content


def test_private_questions_stay_private(bot: Bot, ear: Ear) -> None:
    assert bot.bob().command("ask", audio=spoken(), private=True).wait().ephemeral


def test_a_second_delivery_shows_nothing_twice(bot: Bot, ear: Ear, mouth: Mouth) -> None:
    exchange = bot.bob().command("ask", audio=spoken(), speak=True)
    exchange.wait()
    before = len(bot.channel())
    exchange.redeliver()
    bot.until_idle()
    assert len(bot.channel()) == before
    assert len(ear.heard) == 1


# --- answering aloud ------------------------------------------------------------------------------------------------


def test_an_answer_is_read_out_as_a_voice_message(bot: Bot, mouth: Mouth, tmp_path: Path) -> None:
    bot.ada().command("train", text=TOLD).wait()
    reply = bot.bob().command("ask", prompt=QUESTION, speak=True).wait()
    assert reply.content.startswith(ANSWER)
    assert mouth.said == ["On the second floor, five meters from the lift."]
    [message] = voice_messages(bot)
    shown = message.json()["attachments"][0]
    assert (shown["filename"], shown["content_type"]) == ("voice-message.ogg", "audio/ogg")
    assert shown["duration_secs"] == pytest.approx(0.05 * len(mouth.said[0]), abs=0.1)
    assert shown["waveform"]
    path = tmp_path / "voice.ogg"
    path.write_bytes(message.attachments[0].data)
    facts = Decoder().probe(path)
    assert (facts.codec, facts.channels, facts.sample_rate) == ("opus", 1, 48_000)
    assert message.author == bot.playground.world.bot
    assert not message.content
    assert not leftovers()


def test_not_knowing_is_said_aloud_as_well(bot: Bot, mouth: Mouth) -> None:
    bot.bob(locale="ru").command("ask", prompt="Где чай?", speak=True).wait()
    assert mouth.said == ["Этого я пока не знаю."]


def test_a_server_chooses_how_it_sounds(bot: Bot, mouth: Mouth) -> None:
    shown = bot.ada().command("settings", speed="1.25", voice="nova").wait()
    assert "speed: Fast; voice: nova" in shown.content
    bot.bob().command("ask", prompt=QUESTION, speak=True).wait()
    assert mouth.wishes == [(1.25, "nova")]
    assert "speed: Fast; voice: the usual one" in bot.ada().command("settings", voice="Default").wait().content
    assert "скорость: обычная" in bot.ada(locale="ru").command("settings", speed="1").wait().content
    assert "Latin letters" in bot.ada().command("settings", voice="../etc").wait().content


def test_what_speech_costs_is_in_the_ledger_and_a_used_up_budget_ends_it(
    bot: Bot, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(bot.services.store, budget_usd=0.02)
    paid = Mouth()
    paid.name = "gpt-4o-mini-tts"
    monkeypatch.setattr(ear, "local", False)
    ear.billed = True
    equip(bot, transcriber=ear, speaker=Speaker([paid]), ledger=ledger)
    # Priced as gpt-transcribe: 4 seconds are 0.0003 dollars; what is said aloud costs 0.015 dollars a minute.
    bot.bob().command("ask", audio=spoken(seconds=4), speak=True).wait()
    cost = ledger.spending(bot.services_scope()).cost
    assert cost.known
    assert cost.usd == pytest.approx(0.0003 + 0.015 * 0.05 * sum(map(len, paid.said)) / 60, rel=0.1)
    ledger.record_cost(bot.services_scope(), f"{bot.bob().command('hi').id}-test", "gpt-transcribe", 1.0)
    assert "budget is used up" in bot.bob().command("ask", audio=spoken()).wait().content
    assert "did not read it out" in bot.bob().command("ask", prompt=QUESTION, speak=True).wait().content


def test_a_private_answer_is_read_out_in_private(bot: Bot, mouth: Mouth) -> None:
    exchange = bot.bob().command("ask", prompt=QUESTION, speak=True, private=True)
    exchange.wait()
    spoken_ones = [message for message in exchange.messages if message.flags & VOICE_MESSAGE]
    assert len(spoken_ones) == 1
    assert spoken_ones[0].ephemeral


def test_without_a_voice_the_text_is_there_and_says_why(bot: Bot, mouth: Mouth) -> None:
    mouth.failure = ModelUnavailable("connection", retryable=True)
    assert "no voice answers right now" in bot.bob().command("ask", prompt=QUESTION, speak=True).wait().content
    equip(bot, speaker=None)
    assert "set up no voice" in bot.bob().command("ask", prompt=QUESTION, speak=True).wait().content
    assert not voice_messages(bot)


def test_where_voice_messages_are_not_allowed_it_is_a_file(bot: Bot, mouth: Mouth) -> None:
    forbidden = {"code": 50013, "message": "Missing Permissions"}
    bot.playground.faults.add(method="POST", path="/webhooks/[^/]+/[^/]+$", status=403, body=forbidden)
    bot.bob().command("ask", prompt=QUESTION, speak=True).wait()
    assert not voice_messages(bot)
    assert any(one.filename == "voice-message.ogg" for message in bot.channel() for one in message.attachments)


# --- transcribing ---------------------------------------------------------------------------------------------------


def test_a_message_is_transcribed_for_whoever_asks(bot: Bot, ear: Ear) -> None:
    message = said(bot, ("voice-message.ogg", recording(voice(3.0))))
    exchange = bot.bob().message_command("Transcribe", message)
    reply = exchange.wait()
    assert reply.ephemeral
    assert reply.content == f"🎙️ What is said in voice-message.ogg (0:03):\n> {QUESTION}"
    assert not reply.files
    assert not leftovers()


def test_nothing_of_it_is_stored(bot: Bot, ear: Ear) -> None:
    ear.hears = "A-word-that-is-mine"
    message = said(bot, ("voice-message.ogg", recording(voice(2.0))))
    bot.bob().message_command("Transcribe", message).wait()
    bot.until_idle()
    store = bot.services.store
    assert not [info.key for info in store.list("") if ear.hears.encode() in store.get(info.key).data]


def test_a_message_without_a_recording_is_told_at_once(bot: Bot, ear: Ear) -> None:
    reply = bot.bob().message_command("Transcribe", said(bot, ("a.txt", b"Hi"), content="Hi")).wait()
    assert reply.ephemeral
    assert "no recording in that message" in reply.content
    russian = bot.bob(locale="ru").message_command("Transcribe", said(bot, content="Привет")).wait()
    assert "нет записи" in russian.content


def test_of_several_recordings_the_first_is_transcribed(bot: Bot, ear: Ear) -> None:
    sound = recording(voice(2.0))
    reply = (
        bot.bob().message_command("Transcribe", said(bot, ("a.txt", b"x"), ("1.ogg", sound), ("2.ogg", sound))).wait()
    )
    assert "What is said in 1.ogg" in reply.content
    assert "There is 1 more recording in it" in reply.content


def test_a_long_one_goes_along_as_files(bot: Bot, ear: Ear) -> None:
    ear.hears = "And then we walked on along the river. " * 100
    reply = bot.bob().message_command("Transcribe", said(bot, ("walk.mp3", recording(voice(4.0), form="mp3")))).wait()
    assert "The whole transcript is in the file" in reply.content
    assert {one.filename for one in reply.files} == {"walk.txt", "walk.srt"}


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (65.4, "1:05"), (3725, "1:02:05")])
def test_lengths_are_shown_as_players_do(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


def test_a_recording_is_gone_from_the_disk_whatever_becomes_of_the_worker(tmp_path: Path) -> None:
    """Killed while somebody's question is being recognised: the next worker answers it, and nothing of it is left."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()

    def left() -> list[Path]:
        return list(temporary.glob("trainger-job-*/upload"))

    with OpenAiAudioServer() as server, Bot(tmp_path) as bot:
        bot.stop_worker()
        server.hear_with(lambda _: Words("Where is the coffee machine?"))
        server.delay_s = 4.0
        names = {"TMPDIR": str(temporary), "OPENAI_BASE_URL": server.base_url, "TRAINGER_STT": "openai"}
        folder = tmp_path / "sound"
        write_audio([voice(3.0)], folder, rate=16_000)
        asked = bot.bob().command("ask", audio=File("question.ogg", folder.read_bytes(), "audio/ogg"))

        def hire() -> subprocess.Popen[bytes]:
            log = (tmp_path / "workers.log").open("ab")
            with log:
                command = [sys.executable, "-m", "interactions.worker", "--threads", "1"]
                return subprocess.Popen(command, env=environment(bot) | names, cwd=tmp_path, stderr=log)

        first = hire()
        bot.until(lambda: bool(server.heard), timeout=60)
        assert left(), "the recording should be on the disk while it is being recognised"
        first.kill()
        first.wait()
        assert left(), "a killed worker cleans up nothing"
        server.delay_s = 0.0
        bot.until(lambda: all(time.time() - path.parent.stat().st_mtime > LEFT_OVER_S for path in left()), timeout=60)
        second = hire()
        try:
            bot.until(
                lambda: asked.settled(0.2) and "Where is the coffee machine?" in asked.reply().content, timeout=60
            )
            bot.until_idle()
            assert not list(temporary.iterdir())
        finally:
            second.terminate()
            second.wait(30)
