"""Answers that are said in the voice channel where their asker is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from playground.world import GUILD_VOICE, Channel
from tests.e2e.sidecar import Sidecar
from tests.e2e.spoken import ANSWER, QUESTION, TOLD, Ear, Mouth, equip, spoken, voice_messages
from tests.e2e.test_voice import guild, in_call
from trainer.ports import QueueUnavailable
from trainer.speech.speaking import Speaker
from trainer.usage import Ledger
from trainer.voice_line import VoiceLine
from trainer.voice_orders import Say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playground.clients import Reply
    from tests.bot import Bot


@pytest.fixture
def mouth(bot: Bot) -> Mouth:
    mouth = Mouth()
    equip(bot, speaker=Speaker([mouth]), transcriber=Ear())
    bot.ada().command("train", text=TOLD).wait()
    return mouth


@pytest.fixture
def sidecar(bot: Bot, mouth: Mouth) -> Iterator[Sidecar]:
    """It is in a channel, with Bob."""
    in_call(bot)
    bot.playground.world.join_voice("Bob")
    with Sidecar(bot) as running:
        yield running


def asked(bot: Bot, **more: Any) -> Reply:
    return bot.bob().command("ask", prompt=QUESTION, speak=True, **more).wait()


def test_it_is_said_in_the_channel_instead_of_in_a_voice_message(bot: Bot, sidecar: Sidecar, mouth: Mouth) -> None:
    exchange = bot.bob().command("ask", prompt=QUESTION, speak=True)
    reply = exchange.wait()
    channel = bot.playground.world.voice_channel.id
    assert reply.content.startswith(ANSWER)
    assert reply.content.endswith(f"-# 🔊 I say it in <#{channel}>.")
    assert not voice_messages(bot)
    (order,) = sidecar.until_told(Say)
    assert (order.id, order.guild_id, order.user_id) == (exchange.id, guild(bot), bot.bob().user.id)
    assert (order.text, order.language) == (ANSWER, "")
    assert order.expires > order.at
    assert mouth.said == []
    exchange.redeliver()
    sidecar.until_quiet()
    assert len(sidecar.told(Say)) == 1


def test_a_spoken_question_too(bot: Bot, sidecar: Sidecar) -> None:
    reply = bot.bob().command("ask", audio=spoken(), speak=True).wait()
    assert "I say it in" in reply.content
    assert sidecar.until_told(Say)[0].text == ANSWER


def test_in_russian(bot: Bot, sidecar: Sidecar) -> None:
    reply = bot.bob(locale="ru").command("ask", prompt=QUESTION, speak=True).wait()
    assert f"-# 🔊 Говорю это в <#{bot.playground.world.voice_channel.id}>." in reply.content


def test_an_answer_that_is_not_known_is_said_as_well(bot: Bot, sidecar: Sidecar) -> None:
    bot.bob().command("ask", prompt="Who painted the harbour in 1912?", speak=True).wait()
    assert sidecar.until_told(Say)[0].text == "I don't know that yet."


def test_what_is_private_is_not_said_to_a_whole_channel(bot: Bot, sidecar: Sidecar, mouth: Mouth) -> None:
    reply = asked(bot, private=True)
    assert "I say it in" not in reply.content
    assert mouth.said
    assert sidecar.told(Say) == []


def test_who_is_elsewhere_gets_a_voice_message(bot: Bot, sidecar: Sidecar) -> None:
    world = bot.playground.world
    world.join_voice("Bob", Channel("12345678901234567", "Other", GUILD_VOICE, world.guild, has_bot=True))
    assert "I say it in" not in asked(bot).content
    world.leave_voice("Bob")
    assert "I say it in" not in asked(bot).content
    assert len(voice_messages(bot)) == 2
    assert sidecar.told(Say) == []


def test_where_the_bot_is_in_no_channel_discord_is_not_even_asked(bot: Bot, mouth: Mouth) -> None:
    bot.playground.world.join_voice("Bob")
    asked(bot)
    assert len(voice_messages(bot)) == 1
    assert not [request for request in bot.playground.requests if "voice-states" in request.path]


def test_a_sidecar_that_is_gone_leaves_a_record_but_no_bot_in_the_channel(bot: Bot, sidecar: Sidecar) -> None:
    bot.playground.world.leave_voice("Trainger")
    asked(bot)
    assert len(voice_messages(bot)) == 1
    assert sidecar.told(Say) == []


def test_discord_that_does_not_say_where_they_are(bot: Bot, sidecar: Sidecar) -> None:
    bot.playground.faults.add(method="GET", path="/voice-states/", status=403, times=None)
    asked(bot)
    assert len(voice_messages(bot)) == 1


def test_a_queue_that_does_not_answer(bot: Bot, sidecar: Sidecar, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise QueueUnavailable("no")

    monkeypatch.setattr(VoiceLine, "send", broken)
    reply = asked(bot)
    assert "I say it in" not in reply.content
    assert len(voice_messages(bot)) == 1


def test_a_budget_that_is_used_up(bot: Bot, sidecar: Sidecar) -> None:
    equip(bot, ledger=Ledger(bot.services.store, budget_usd=0.0))
    asked(bot)
    assert len(voice_messages(bot)) == 1
    assert sidecar.told(Say) == []


def test_in_direct_messages_it_is_a_voice_message(bot: Bot, sidecar: Sidecar, mouth: Mouth) -> None:
    bot.bob(where="dm").command("ask", prompt="Anything?", speak=True).wait()
    assert mouth.said
    assert sidecar.told(Say) == []


def test_without_a_voice_it_says_so(bot: Bot, sidecar: Sidecar) -> None:
    equip(bot, speaker=None)
    assert "set up no voice" in asked(bot).content
    equip(bot, speaker=Speaker([Mouth()]), voice=None)
    asked(bot)
    assert len(voice_messages(bot)) == 1
