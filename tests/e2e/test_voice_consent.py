"""Who may be heard, and what is kept of it: the notice's buttons, /privacy, /forget_me, /export_me and /settings."""

from __future__ import annotations

import io
import json
import time
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from interactions.voice_wording import AGREE, KEPT, LEAVE, REVOKE
from tests.e2e.sidecar import LEFT, Sidecar
from tests.e2e.spoken import equip
from tests.e2e.test_voice import guild, in_call, switches, whispered
from trainer import privacy as forgetting
from trainer.answers import AnswerRecord, load_answer
from trainer.ports import QueueUnavailable
from trainer.settings import scope_settings
from trainer.voice_calls import call_state
from trainer.voice_line import VoiceLine
from trainer.voice_orders import Consent, Leave, SettingsChanged
from trainer.voice_transcripts import keep_turn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playground.messages import Message
    from tests.bot import Bot

QUIET_S = 0.1


@pytest.fixture
def sidecar(bot: Bot) -> Iterator[Sidecar]:
    in_call(bot)
    with Sidecar(bot) as running:
        yield running


def notice(bot: Bot) -> str:
    """As the sidecar posts it when it joins."""
    labels = ((AGREE, "Agree"), (KEPT, "What is kept?"), (LEAVE, "Leave"))
    buttons = [{"type": 2, "style": 2, "custom_id": custom_id, "label": label} for custom_id, label in labels]
    row = {"type": 1, "components": buttons}
    payload = {"content": "I listen to who agrees.", "components": [row], "allowed_mentions": {"parse": []}}
    return bot.api.create_message(bot.ada().place.channel.id, payload, key=str(time.time()))


def consents(sidecar: Sidecar) -> list[tuple[str, bool]]:
    sidecar.until_quiet()
    return [(order.user_id, order.agreed) for order in sidecar.told(Consent)]


def labels(message: Message) -> list[str]:
    return [part["label"] for row in message.components for part in row["components"]]


# --- the notice -----------------------------------------------------------------------------------------------------


def test_agreeing_counts_at_once_and_can_be_taken_back(bot: Bot, sidecar: Sidecar) -> None:
    bob, posted = bot.bob(), notice(bot)
    pressed = bob.click(posted, "Agree")
    reply = pressed.wait(quiet=QUIET_S)
    assert [message.ephemeral for message in reply.messages] == [True]
    assert "from now on I listen to you" in reply.content
    assert labels(reply.message) == ["Don't listen to me", "What is kept?"]
    now = switches(bot, bob)
    assert (now.voice, now.voice_by) == (True, pressed.id)
    assert consents(sidecar) == [(bob.user.id, True)]

    back = bob.click(reply.message.id, "Don't listen to me").wait(quiet=QUIET_S)
    assert "I no longer listen to you" in back.content
    assert back.ephemeral
    assert not switches(bot, bob).voice
    assert consents(sidecar) == [(bob.user.id, True), (bob.user.id, False)]
    assert not switches(bot, bot.ada()).voice


def test_agreeing_that_is_delivered_again_does_not_undo_what_came_after(bot: Bot, sidecar: Sidecar) -> None:
    bob, posted = bot.bob(), notice(bot)
    first = bob.click(posted, "Agree")
    first.wait(quiet=QUIET_S)
    bob.click(posted, REVOKE, force=True).wait(quiet=QUIET_S)
    for info in bot.services.store.list(f"{bot.services_scope().prefix}/outcomes/"):
        bot.services.store.delete(info.key)
    first.redeliver()
    assert consents(sidecar)[-1] == (bob.user.id, False)
    assert not switches(bot, bob).voice


def test_agreeing_in_russian(bot: Bot, sidecar: Sidecar) -> None:
    reply = bot.bob(locale="ru").click(notice(bot), "Agree").wait(quiet=QUIET_S)
    assert "теперь я слушаю вас" in reply.content
    assert labels(reply.message) == ["Не слушать меня", "Что хранится?"]


def test_agreeing_while_the_bot_is_nowhere_is_only_kept(bot: Bot) -> None:
    bot.bob().click(notice(bot), "Agree").wait(quiet=QUIET_S)
    assert switches(bot, bot.bob()).voice
    with Sidecar(bot) as sidecar:
        assert consents(sidecar) == []
    equip(bot, voice=None)
    bot.bob().click(notice(bot), REVOKE, force=True).wait(quiet=QUIET_S)
    assert not switches(bot, bot.bob()).voice


def test_taking_it_back_is_tried_again_while_the_queue_does_not_answer(
    bot: Bot, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot.bob().click(notice(bot), "Agree").wait(quiet=QUIET_S)
    send, tries = VoiceLine.send, []

    def flaky(line: VoiceLine, order: Any) -> None:
        tries.append(order)
        if len(tries) == 1:
            raise QueueUnavailable("not now")
        send(line, order)

    monkeypatch.setattr(VoiceLine, "send", flaky)
    bot.bob().click(notice(bot), REVOKE, force=True).wait(quiet=QUIET_S)
    assert consents(sidecar)[-1] == (bot.bob().user.id, False)


def test_what_is_kept_is_what_is_configured(bot: Bot, sidecar: Sidecar) -> None:
    bob, posted = bot.bob(), notice(bot)
    reply = bob.click(posted, "What is kept?").wait(quiet=QUIET_S)
    assert reply.ephemeral
    assert "Sound is never kept" in reply.content
    assert "The words are not stored" in reply.content
    assert "30 minutes" in reply.content
    assert "is recognised where I run" in reply.content
    assert labels(reply.message) == ["Listen to me"]
    equip(
        bot, transcription_host="ears.example.org", chat_host="model.example.org", speech_hosts=("mouth.example.org",)
    )
    bot.ada().command("settings", transcripts="7").wait(quiet=QUIET_S)
    told = bob.click(posted, "What is kept?").wait(quiet=QUIET_S).content
    assert "goes to ears.example.org" in told
    assert "language model at model.example.org" in told
    assert "mouth.example.org" in told
    assert "for 7 days" in told
    assert "not stored" not in told
    russian = bot.bob(locale="ru").click(posted, "What is kept?").wait(quiet=QUIET_S).content
    assert "Звук не хранится никогда" in russian
    assert "7 дней" in russian


def test_the_button_to_leave(bot: Bot, sidecar: Sidecar) -> None:
    posted = notice(bot)
    assert "I am in another voice channel than you." in whispered(bot.bob().click(posted, "Leave"))
    assert call_state(bot.services.store, guild(bot)) is not None
    bot.playground.world.join_voice("Bob")
    reply = bot.bob().click(posted, "Leave").wait(quiet=QUIET_S)
    assert (reply.content, reply.ephemeral) == (LEFT, False)
    assert len(sidecar.until_told(Leave)) == 1
    assert posted in [message.id for message in bot.channel()]


def test_a_forged_button_does_nothing(bot: Bot, sidecar: Sidecar) -> None:
    told = bot.bob().click(notice(bot), "voice:agree:1001", force=True).wait(quiet=QUIET_S)
    assert told.ephemeral
    assert "That button looks different by now." in told.content
    assert consents(sidecar) == []
    assert not switches(bot, bot.bob()).voice


# --- /privacy -------------------------------------------------------------------------------------------------------


def test_the_switch_of_privacy_is_told_at_once(bot: Bot, sidecar: Sidecar) -> None:
    bob = bot.bob()
    shown = bob.command("privacy").wait(quiet=QUIET_S)
    assert "What you say to me in a voice channel" in shown.content
    for _ in range(2):
        bob.click(shown.message.id, "Next").wait(quiet=QUIET_S)
    bob.click(shown.message.id, "Voice: off").wait(quiet=QUIET_S)
    assert consents(sidecar) == [(bob.user.id, True)]
    bob.click(shown.message.id, "Voice: on").wait(quiet=QUIET_S)
    assert consents(sidecar) == [(bob.user.id, True), (bob.user.id, False)]


def test_in_direct_messages_there_is_no_such_switch(bot: Bot, sidecar: Sidecar) -> None:
    alone = bot.bob(where="dm")
    shown = alone.command("privacy").wait(quiet=QUIET_S)
    last = alone.click(shown.message.id, "privacy:3", force=True).wait(quiet=QUIET_S)
    assert not [label for label in labels(last.message) if "Voice" in label]
    alone.click(shown.message.id, "privacy:3:voice-on", force=True).wait(quiet=QUIET_S)
    assert consents(sidecar) == []


# --- /forget_me and /export_me --------------------------------------------------------------------------------------


def test_who_is_forgotten_is_no_longer_heard(bot: Bot, sidecar: Sidecar) -> None:
    bob = bot.bob()
    bob.click(notice(bot), "Agree").wait(quiet=QUIET_S)
    in_call(bot, joined_by=bob.user.id)
    asked = bob.command("forget_me").wait(quiet=QUIET_S)
    bob.click(asked.message.id, "Delete everything").wait(quiet=QUIET_S)
    told = consents(sidecar)
    assert told[0] == (bob.user.id, True)
    assert set(told[1:]) == {(bob.user.id, False)}
    assert not switches(bot, bob).voice
    state = call_state(bot.services.store, guild(bot))
    assert state is not None
    assert state.joined_by == forgetting.NOBODY


def test_a_queue_that_does_not_answer_does_not_keep_anything_from_being_deleted(
    bot: Bot, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = bot.bob()
    bob.click(notice(bot), "Agree").wait(quiet=QUIET_S)
    asked = bob.command("forget_me").wait(quiet=QUIET_S)

    def broken(*_: object) -> None:
        raise QueueUnavailable("no")

    with monkeypatch.context() as patch:
        patch.setattr(VoiceLine, "send", broken)
        pressed = bob.click(asked.message.id, "Delete everything")
        bot.until(lambda: not switches(bot, bob).voice)
    pressed.wait(quiet=1.0)
    assert consents(sidecar)[-1] == (bob.user.id, False)


def test_an_export_shows_the_consent_and_what_was_spoken(bot: Bot, sidecar: Sidecar) -> None:
    bob = bot.bob()
    pressed = bob.click(notice(bot), "Agree")
    pressed.wait(quiet=QUIET_S)
    spoken = spoken_turn(bot, "What did I say?")
    file = bob.command("export_me").wait(quiet=QUIET_S).files[0]
    with zipfile.ZipFile(io.BytesIO(file.data)) as bundle:
        kept = json.loads(bundle.read(f"preferences/{bob.user.id}.json"))
        assert (kept["voice"], kept["voice_by"]) == (True, pressed.id)
        assert json.loads(bundle.read(f"answers/{spoken}.json"))["question"] == "What did I say?"


def spoken_turn(bot: Bot, question: str) -> str:
    """As the sidecar keeps one, where the settings say so."""
    answer_id = bot.playground.desk.ids.next()
    record = AnswerRecord(
        id=answer_id,
        dataset="default",
        question=question,
        text="That.",
        kind="trained",
        author=bot.bob().user.id,
        created_at=time.time(),
    )
    keep_turn(bot.services.store, bot.services_scope(), record)
    return answer_id


def test_what_was_spoken_is_forgotten_like_what_was_typed(bot: Bot) -> None:
    answer_id = spoken_turn(bot, "What did I say?")
    asked = bot.bob().command("forget_me").wait(quiet=QUIET_S)
    assert "1 question with its answer" in asked.content
    bot.bob().click(asked.message.id, "Delete everything").wait(quiet=QUIET_S)
    assert load_answer(bot.services.store, bot.services_scope(), answer_id) is None


# --- /settings ------------------------------------------------------------------------------------------------------


def test_managers_choose_what_is_kept(bot: Bot, sidecar: Sidecar) -> None:
    ada = bot.ada()
    shown = ada.command("settings").wait(quiet=QUIET_S).content
    assert "What people say in voice channels is not kept." in shown
    sidecar.until_quiet()
    assert sidecar.told(SettingsChanged) == []
    on = ada.command("settings", transcripts="30")
    assert "is kept with my answers for 30 days" in on.wait(quiet=QUIET_S).content
    settings = scope_settings(bot.services.store, bot.services_scope())
    assert (settings.voice_transcripts, settings.voice_transcript_days) == (True, 30)
    assert len(sidecar.until_told(SettingsChanged)) == 1
    off = ada.command("settings", transcripts="0").wait(quiet=QUIET_S)
    assert "is not kept" in off.content
    on.redeliver()
    sidecar.until_quiet()
    assert not scope_settings(bot.services.store, bot.services_scope()).voice_transcripts


def test_how_it_sounds_is_told_too(bot: Bot, sidecar: Sidecar) -> None:
    bot.ada().command("settings", speed="1.25").wait(quiet=QUIET_S)
    bot.ada().command("settings", voice="nova").wait(quiet=QUIET_S)
    assert len(sidecar.until_told(SettingsChanged, 2)) == 2


def test_the_setting_in_russian_and_its_refusals(bot: Bot, sidecar: Sidecar) -> None:
    told = bot.ada(locale="ru").command("settings", transcripts="1").wait(quiet=QUIET_S).content
    assert "хранится вместе с моими ответами 1 день" in told
    assert "Only managers" in bot.bob().command("settings", {"transcripts": "7"}, force=True).wait().content
    alone = bot.bob(where="dm").command("settings", transcripts="7").wait(quiet=QUIET_S)
    assert alone.ephemeral
    assert "only in servers" in alone.content
    assert "voice channels" not in bot.bob(where="dm").command("settings").wait(quiet=QUIET_S).content

    def two_years(payload: dict[str, Any]) -> None:
        payload["data"]["options"][0]["value"] = "730"

    bot.ada().command("settings", {"transcripts": "7"}, mutate=two_years).wait(quiet=QUIET_S)
    assert scope_settings(bot.services.store, bot.services_scope()).voice_transcript_days == 1
