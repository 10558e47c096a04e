"""A question may lean on the one before: in its channel, for its person, for a while, and only if they want it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from trainer.consent import change_preferences

if TYPE_CHECKING:
    from playground.clients import Client
    from tests.bot import Bot

FIRST = "How do I reset my password?"
FAQ = (
    f"Q: {FIRST} A: Press Forgot.\n\n"
    "Q: How do I reset my password on mobile? A: Shake the phone.\n\n"
    "Q: Как сбросить пароль? A: Нажмите «Забыли пароль».\n\n"
    "Q: Как сбросить пароль на телефоне? A: Потрясите телефон."
)
UNKNOWN = "I don't know that yet."


def teach(bot: Bot) -> None:
    bot.ada().command("train", text=FAQ).wait()


def ask(client: Client, prompt: str, *, private: bool = False, fresh: bool = False) -> str:
    return client.command("ask", prompt=prompt, private=private, fresh=fresh).wait().content


def test_a_follow_up_leans_on_the_question_before(bot: Bot) -> None:
    teach(bot)
    assert ask(bot.bob(), FIRST).startswith("Press Forgot.")
    assert ask(bot.bob(), "and on mobile?").startswith("Shake the phone.")


def test_a_follow_up_in_russian(bot: Bot) -> None:
    teach(bot)
    bob = bot.bob(locale="ru")
    assert ask(bob, "Как сбросить пароль?").startswith("Нажмите")
    assert ask(bob, "а на телефоне?").startswith("Потрясите телефон.")


def test_a_fresh_question_leans_on_nothing(bot: Bot) -> None:
    teach(bot)
    ask(bot.bob(), FIRST)
    assert ask(bot.bob(), "and why?", fresh=True).startswith(UNKNOWN)
    assert ask(bot.bob(), "and on mobile?").startswith(UNKNOWN)


def test_other_people_do_not_share_it(bot: Bot) -> None:
    teach(bot)
    ask(bot.bob(), FIRST)
    other = bot.playground.client("Cleo")
    record = other.command("ask", prompt="and on mobile?")
    record.wait()
    assert question_of(bot, record.id) == "and on mobile?"


def question_of(bot: Bot, interaction_id: str) -> str:
    """The question under which an answer was kept."""
    kept = bot.services.store.get(f"{bot.services_scope().prefix}/answers/{interaction_id}.json")
    return str(msgspec.json.decode(kept.data)["question"])


def test_a_private_question_is_not_carried_into_a_public_one(bot: Bot) -> None:
    teach(bot)
    ask(bot.bob(), FIRST, private=True)
    public = bot.bob().command("ask", prompt="and on mobile?")
    public.wait()
    assert question_of(bot, public.id) == "and on mobile?"
    # The other way round nothing is told to anybody.
    ask(bot.bob(), FIRST)
    assert ask(bot.bob(), "and on mobile?", private=True).startswith("Shake the phone.")


def test_it_is_forgotten_after_half_an_hour(bot: Bot) -> None:
    teach(bot)
    ask(bot.bob(), FIRST)
    (key,) = [info.key for info in bot.services.store.list(f"{bot.services_scope().prefix}/conversations/")]
    kept = msgspec.json.decode(bot.services.store.get(key).data)
    kept["turns"][0]["at"] -= 31 * 60
    bot.services.store.put(key, msgspec.json.encode(kept))
    late = bot.bob().command("ask", prompt="and on mobile?")
    late.wait()
    assert question_of(bot, late.id) == "and on mobile?"


def test_who_switched_it_off_is_not_remembered(bot: Bot) -> None:
    teach(bot)
    bob = bot.bob()
    change_preferences(
        bot.services.store,
        bot.services_scope(),
        bob.user.id,
        lambda old: msgspec.structs.replace(old, remember_conversations=False),
    )
    ask(bob, FIRST)
    assert list(bot.services.store.list(f"{bot.services_scope().prefix}/conversations/")) == []


def test_a_second_delivery_remembers_the_turn_once(bot: Bot) -> None:
    teach(bot)
    asked = bot.bob().command("ask", prompt=FIRST)
    asked.wait()
    bot.until_idle()
    bot.services.store.delete(f"{bot.services_scope().prefix}/outcomes/{asked.id}.outcome.json")
    asked.redeliver()
    bot.until_idle()
    (key,) = [info.key for info in bot.services.store.list(f"{bot.services_scope().prefix}/conversations/")]
    turns = msgspec.json.decode(bot.services.store.get(key).data)["turns"]
    assert [turn["id"] for turn in turns] == [asked.id]
    assert ask(bot.bob(), "and on mobile?").startswith("Shake the phone.")


def test_a_direct_message_has_a_conversation_of_its_own(bot: Bot) -> None:
    direct = bot.bob(where="dm")
    direct.command("train", text=FAQ).wait()
    ask(direct, FIRST)
    assert ask(direct, "and on mobile?").startswith("Shake the phone.")
    elsewhere = bot.bob(where="private").command("ask", prompt="and why?").wait()
    assert elsewhere.content.startswith(UNKNOWN)


def test_a_corrected_follow_up_is_taught_as_a_whole_question(bot: Bot) -> None:
    teach(bot)
    ask(bot.bob(), FIRST)
    unknown = bot.bob().command("ask", prompt="why?").wait()
    assert unknown.content.startswith(UNKNOWN)
    bot.ada().click(unknown.message.id, "Correct").submit({"correction": "Because of the rules."}).wait()
    assert ask(bot.bob(), FIRST).startswith("Press Forgot.")
    assert ask(bot.bob(), "why?").startswith("Because of the rules.")
    assert ask(bot.playground.client("Cleo"), "why?").startswith(UNKNOWN)
