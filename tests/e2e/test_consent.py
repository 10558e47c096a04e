"""The buttons that let the bot learn from somebody's message: they count only where somebody really asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tests.e2e.test_message_commands import FACT, asked_for, say
from trainer import records
from trainer.consent import Request
from trainer.datasets import request_key
from trainer.privacy import forget
from trainer.scope import Actor

if TYPE_CHECKING:
    from tests.bot import Bot

UNKNOWN = "I no longer know what this was about. Please use “Train on this” again."


def learned(bot: Bot) -> int:
    return bot.services.library.index(bot.services_scope(), "default").count().passages


def stored(bot: Bot, request_id: str) -> tuple[str, Request]:
    key = request_key(bot.services_scope(), bot.bob().user.id, request_id)
    request = records.load(bot.services.store, key, Request)
    assert request is not None
    return key, request


def test_that_somebody_asked_is_kept_without_the_message(bot: Bot) -> None:
    said = say(bot, bot.bob(), FACT)
    exchange = bot.ada().message_command("Train on this", said.id)
    question = exchange.wait().message
    key, request = stored(bot, exchange.id)
    assert (request.author, request.requester, request.message_id) == (
        bot.bob().user.id,
        bot.ada().user.id,
        said.id,
    )
    assert b"castle" not in bot.services.store.get(key).data
    assert f"until <t:{int(request.until)}:D>" in question.text
    exchange.redeliver()
    bot.until_idle()
    assert stored(bot, exchange.id) == (key, request)


def test_a_button_that_nobody_was_asked_by_teaches_nothing(bot: Bot) -> None:
    """As somebody would forge it who lets the bot repeat a text, and then presses a button that never stood there."""
    bot.ada().command("train", text="Q: What is said?\nA: > Vellinor is the name of my hamster.").wait()
    answer = bot.bob().command("ask", prompt="What is said?").wait().message
    before = learned(bot)
    told = bot.bob().click(answer.id, f"consent:allow:{bot.bob().user.id}:{answer.id}", force=True).wait()
    assert UNKNOWN in told.content
    assert [message.ephemeral for message in told.messages] == [False, True]
    assert "Vellinor" in answer.text
    assert learned(bot) == before


def test_a_button_of_another_question_does_not_count_here(bot: Bot) -> None:
    """The answer to one question must not be used for the text of another."""
    first, _ = asked_for(bot)
    _, other = asked_for(bot, "The south gate of the castle is never open.")
    told = bot.bob().click(other.id, f"consent:allow:{bot.bob().user.id}:{first.id}", force=True).wait()
    assert UNKNOWN in told.content
    assert [message.ephemeral for message in told.messages] == [False, True]
    assert learned(bot) == 0
    assert "south gate" in other.text


def test_a_decision_that_comes_too_late(bot: Bot) -> None:
    exchange, question = asked_for(bot)
    key, request = stored(bot, exchange.id)
    records.save(bot.services.store, key, msgspec.structs.replace(request, until=1_700_000_000.0))
    told = bot.bob().click(question.id, "Always allow").wait()
    assert "Nobody decided about this until <t:1700000000:D>, so I learned nothing." in told.content
    assert told.message.id == question.id
    assert "castle" not in question.text
    assert not question.components
    assert learned(bot) == 0


def test_a_question_whose_record_has_gone_goes_with_its_quote(bot: Bot) -> None:
    exchange, question = asked_for(bot)
    bot.services.store.delete(stored(bot, exchange.id)[0])
    told = bot.bob().click(question.id, "Allow").wait()
    assert UNKNOWN in told.content
    assert told.message.id == question.id
    assert "castle" not in question.text
    assert learned(bot) == 0


def test_who_asked_can_be_forgotten_meanwhile(bot: Bot) -> None:
    exchange, question = asked_for(bot)
    scope, ada = bot.services_scope(), bot.ada().user.id
    forget(bot.services.store, Actor(scope, ada, is_manager=True), str(int(exchange.id) + 1))
    assert UNKNOWN in bot.bob().click(question.id, "Allow").wait().content
    assert learned(bot) == 0


def test_too_late_in_russian(bot: Bot) -> None:
    exchange, question = asked_for(bot)
    key, request = stored(bot, exchange.id)
    records.save(bot.services.store, key, msgspec.structs.replace(request, until=1_700_000_000.0))
    told = bot.bob(locale="ru").click(question.id, "Allow").wait()
    assert "До <t:1700000000:D> решения не было, поэтому я ничего не выучил." in told.content
