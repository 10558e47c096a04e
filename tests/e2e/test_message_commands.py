"""“Ask about this” and “Train on this”: what a message says, with its author's consent where that is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from interactions.commands.train_on import QUOTE_MOST
from playground.rules_messages import Upload
from tests.unit.trainer.test_answering import Model
from trainer.answering import Answering
from trainer.consent import change_preferences, preferences

if TYPE_CHECKING:
    from playground.clients import Client, Exchange
    from playground.messages import Message
    from tests.bot import Bot

FACT = "The north gate of the castle opens every day at nine."
SECRET = "Vellinor is the name of my hamster."
ASKED = "What does this message mean?"


def everything_stored(bot: Bot) -> bytes:
    """All that is in the store, but for what Discord's messages hold."""
    return b"\n".join(bot.services.store.get(info.key).data for info in bot.services.store.list(""))


def say(bot: Bot, client: Client, text: str, *uploads: Upload) -> Message:
    return bot.playground.desk.say(client.user, client.place.channel, text, uploads)


def ask(bot: Bot, prompt: str) -> str:
    return bot.ada().command("ask", prompt=prompt).wait().content


# --- Ask about this ---------------------------------------------------------------------------------------------


def test_a_message_that_asks_something_is_answered(bot: Bot) -> None:
    bot.ada().command("train", text="Q: Where is the map? A: Press M.").wait()
    said = say(bot, bot.ada(), "I am lost! Where is the map?")
    opened = bot.bob().message_command("Ask about this", said.id)
    assert opened.modal is not None
    assert opened.modal["title"] == "Ask about this"
    answer = opened.submit({}).wait()
    assert answer.content.startswith("Press M.")
    assert not answer.ephemeral


def test_a_question_about_a_message_with_a_model(bot: Bot) -> None:
    model = use_model(bot, "It is about a gate.")
    said = say(bot, bot.ada(), FACT)
    opened = bot.bob().message_command("Ask about this", said.id)
    answer = opened.submit({"question": "Which gate?", "message": FACT}).wait()
    assert answer.content.startswith("It is about a gate.")
    asked = msgspec.json.decode(model.asked[0][1].content)
    assert (asked["question"], asked["message"]) == ("Which gate?", FACT)
    # A question about a message is kept with the message's id, and can be corrected.
    bot.ada().click(answer.message.id, "Correct").submit({"correction": "The north one."}).wait()
    again = bot.bob().message_command("Ask about this", said.id).submit({"question": "Which gate?", "message": FACT})
    assert again.wait().content.startswith("The north one.")


def use_model(bot: Bot, *pieces: str) -> Model:
    model = Model(*pieces)
    bot.stop_worker()
    bot.services = bot.services._replace(answering=Answering(bot.services.library, model, ""))
    bot.start_worker()
    return model


def test_text_files_of_a_message_are_read_and_not_kept(bot: Bot) -> None:
    model = use_model(bot, "It is a list.")
    said = say(bot, bot.ada(), "See here", Upload("0", "list.txt", "text/plain", SECRET.encode()))
    opened = bot.bob().message_command("Ask about this", said.id)
    assert opened.modal is not None
    (files,) = [field for field in fields(opened) if field["custom_id"] == "files"]
    assert "list.txt" in files["value"]
    submitted = opened.submit({"message": "See here", "files": files["value"]})
    assert submitted.wait().content.startswith("It is a list.")
    assert SECRET in model.asked[0][1].content
    assert SECRET.encode() not in everything_stored(bot)


def fields(opened: Exchange) -> list[dict[str, Any]]:
    """The inputs of a form."""
    assert opened.modal is not None
    return [label["component"] for label in opened.modal["components"]]


def test_a_link_to_elsewhere_is_not_followed(bot: Bot) -> None:
    said = say(bot, bot.ada(), FACT)
    opened = bot.bob().message_command("Ask about this", said.id)
    evil = "https://evil.example/attachments/1/2/list.txt"
    forged = bot.bob().submit(
        opened,
        {"message": FACT},
        mutate=lambda payload: payload["data"]["components"].append(text_field("files", evil)),
    )
    assert "I only take files that were attached in Discord itself." in forged.wait().content


def text_field(name: str, value: str) -> dict[str, Any]:
    """A field as a submitted form has it."""
    return {"type": 18, "id": 90, "component": {"type": 4, "id": 91, "custom_id": name, "value": value}}


def test_a_link_does_not_lead_to_what_others_uploaded(bot: Bot) -> None:
    """The id in a link is what somebody typed; our copy of an upload with that id must not be read by it."""
    use_model(bot, "Nothing.")
    scope = bot.services_scope()
    bot.services.store.put(f"{scope.prefix}/originals/12345", SECRET.encode())
    said = say(bot, bot.ada(), FACT)
    opened = bot.bob().message_command("Ask about this", said.id)
    link = f"{bot.configuration.cdn_hosts.split(',')[0]}/attachments/1/12345/list.txt"
    forged = bot.bob().submit(
        opened,
        {"message": FACT},
        mutate=lambda payload: payload["data"]["components"].append(text_field("files", link)),
    )
    assert "no longer there" in forged.wait().content


def test_a_message_of_pictures_cannot_be_asked_about(bot: Bot) -> None:
    said = say(bot, bot.ada(), "", Upload("0", "cat.png", "image/png", b"\x89PNG"))
    told = bot.bob().message_command("Ask about this", said.id).wait()
    assert "There is no text in that message" in told.content
    assert told.ephemeral


def test_an_empty_form_is_told_so(bot: Bot) -> None:
    said = say(bot, bot.ada(), FACT)
    opened = bot.bob().message_command("Ask about this", said.id)
    told = opened.submit({"message": " "}).wait()
    assert "nothing in the form" in told.content
    assert told.ephemeral


def test_asking_about_a_message_in_a_direct_message(bot: Bot) -> None:
    direct = bot.bob(where="dm")
    direct.command("train", text="Q: Where is the map? A: Press M.").wait()
    said = say(bot, direct, "Where is the map?")
    assert direct.message_command("Ask about this", said.id).submit({}).wait().content.startswith("Press M.")


def test_asking_about_a_message_in_russian(bot: Bot) -> None:
    bot.ada().command("train", text="В: Где карта? О: Нажмите М.").wait()
    said = say(bot, bot.ada(), "Где карта?")
    opened = bot.bob(locale="ru").message_command("Ask about this", said.id)
    assert opened.modal is not None
    assert opened.modal["title"] == "Спросить об этом"
    assert opened.submit({}).wait().content.startswith("Нажмите М.")


# --- Train on this ----------------------------------------------------------------------------------------------


def test_ones_own_message_is_learned_at_once(bot: Bot) -> None:
    said = say(bot, bot.ada(), "Q: Where is the map?\nA: Press M.")
    told = bot.ada().message_command("Train on this", said.id).wait()
    assert "I learned 1 new thing" in told.content
    assert told.ephemeral
    assert ask(bot, "Where is the map?").startswith("Press M.")


def asked_for(bot: Bot, text: str = FACT) -> tuple[Exchange, Message]:
    """Ada wants to teach what Bob wrote."""
    said = say(bot, bot.bob(), text)
    exchange = bot.ada().message_command("Train on this", said.id)
    return exchange, exchange.wait().message


def test_somebody_elses_message_is_learned_when_they_allow_it(bot: Bot) -> None:
    _, question = asked_for(bot)
    assert f"<@{bot.bob().user.id}>" in question.text
    assert FACT in question.text
    assert not question.ephemeral
    assert not question.pinged
    assert ask(bot, "When does the north gate open?").startswith("I don't know")
    allowed = bot.bob().click(question.id, "Allow").wait()
    assert f"<@{bot.bob().user.id}> allowed it. I learned 1 new thing" in allowed.content
    assert allowed.message.id == question.id
    assert "Allow" not in str(allowed.message.components)
    answer = ask(bot, "When does the north gate of the castle open?")
    assert FACT in answer
    # Whose words they are is who taught them.
    assert f"<@{bot.bob().user.id}>" in answer


def test_whoever_asked_is_told(bot: Bot) -> None:
    _, question = asked_for(bot)
    bot.bob().click(question.id, "Decline").wait()
    told = ask(bot, "What else?")
    assert "While you were away" in told
    assert "would rather not, so I learned nothing." in told


@pytest.mark.parametrize("text", [SECRET, f"{SECRET} {'And so on. ' * 170}"], ids=["short", "long"])
def test_before_consent_nothing_of_it_is_stored(bot: Bot, text: str) -> None:
    exchange, question = asked_for(bot, text)
    assert SECRET.encode() not in everything_stored(bot)
    # Nor by a second delivery, nor when it is declined.
    exchange.redeliver()
    bot.until_idle()
    assert [message.id for message in exchange.messages] == [question.id]
    assert SECRET.encode() not in everything_stored(bot)
    declined = bot.bob().click(question.id, "Decline").wait()
    assert "would rather not" in declined.content
    assert SECRET not in declined.content
    assert not declined.message.attachments
    assert SECRET.encode() not in everything_stored(bot)


def test_a_long_message_comes_back_whole(bot: Bot) -> None:
    lines = [f"Q: What is room {number}? A: The room of the number {number} with a view." for number in range(30)]
    text = "\n".join(lines)
    assert len(text) > QUOTE_MOST
    _, question = asked_for(bot, text)
    assert [file.filename for file in question.attachments] == ["message.txt"]
    allowed = bot.bob().click(question.id, "Allow").wait()
    assert "I learned 30 new things" in allowed.content
    assert not allowed.message.attachments
    assert ask(bot, "What is room 29?").startswith("The room of the number 29")


def test_a_quote_of_several_lines_comes_back_as_it_was(bot: Bot) -> None:
    text = "Q: What is in the cellar?\nA: Three things.\n> not quoted by us\n\n  - wine"
    _, question = asked_for(bot, text)
    bot.bob().click(question.id, "Allow").wait()
    answer = ask(bot, "What is in the cellar?")
    assert "Three things." in answer
    assert "> not quoted by us" in answer
    assert "- wine" in answer


def test_nobody_else_decides(bot: Bot) -> None:
    _, question = asked_for(bot)
    for button in ("Allow", "Decline", "Always allow", "Never ask me"):
        refused = bot.ada().click(question.id, button).wait()
        assert f"Only <@{bot.bob().user.id}> can decide" in refused.content
        assert refused.ephemeral
    assert bot.services.library.index(bot.services_scope(), "default").count() == (0, 0, 0)


def test_a_forged_button_does_nothing(bot: Bot) -> None:
    said = say(bot, bot.bob(), FACT)
    mine = bot.bob().user.id
    told = bot.bob().click(said.id, f"consent:allow:{mine}:{mine}", force=True).wait()
    assert "I no longer know what this was about." in told.content
    _, question = asked_for(bot)
    for subject in ("allow", "allow:1", "whatever:1:2", f"allow:{mine}:x", ""):
        told = bot.bob().click(question.id, f"consent:{subject}", force=True).wait()
        assert "I no longer know what this was about." in told.content


def test_always_needs_no_further_question(bot: Bot) -> None:
    _, question = asked_for(bot)
    told = bot.bob().click(question.id, "Always allow").wait().content
    assert "`/privacy` changes that." in told
    assert preferences(bot.services.store, bot.services_scope(), bot.bob().user.id).train_on_my_messages == "always"
    said = say(bot, bot.bob(), "The south gate of the castle is never open.")
    assert "I learned 1 new thing" in bot.ada().message_command("Train on this", said.id).wait().content


def test_never_is_obeyed_and_told_to_the_requester_alone(bot: Bot) -> None:
    _, question = asked_for(bot)
    assert "I will not ask again." in bot.bob().click(question.id, "Never ask me").wait().content
    said = say(bot, bot.bob(), "The south gate of the castle is never open.")
    before = len(bot.channel())
    refused = bot.ada().message_command("Train on this", said.id).wait()
    assert "does not want me to learn" in refused.content
    assert refused.ephemeral
    assert len(bot.channel()) == before


def test_pressing_twice_learns_once_and_the_first_button_counts(bot: Bot) -> None:
    _, question = asked_for(bot)
    bot.stop_worker()
    pressed = [bot.bob().click(question.id, button) for button in ("Allow", "Allow", "Decline", "Never ask me")]
    pressed[0].redeliver()
    bot._threads = 1
    bot.start_worker()
    bot.until_idle()
    assert all(exchange.error is None for exchange in pressed)
    assert bot.services.library.index(bot.services_scope(), "default").count().passages == 1
    assert "allowed it. I learned 1 new thing" in question.text
    assert preferences(bot.services.store, bot.services_scope(), bot.bob().user.id).train_on_my_messages == "ask"


def test_members_may_not(bot: Bot) -> None:
    said = say(bot, bot.ada(), FACT)
    refused = bot.bob().message_command("Train on this", said.id, force=True).wait()
    assert "Teaching me is for managers" in refused.content
    assert refused.ephemeral


def test_members_with_some_role_may_not_either(bot: Bot) -> None:
    said = say(bot, bot.bob(), FACT)
    refused = bot.bob(roles=["Knight"]).message_command("Train on this", said.id, force=True).wait()
    assert "Teaching me is for managers" in refused.content
    assert refused.ephemeral


def test_answers_bots_and_pictures_are_refused_with_a_reason(bot: Bot) -> None:
    answer = bot.ada().command("ask", prompt="Anything?").wait().message
    told = bot.ada().message_command("Train on this", answer.id).wait()
    assert "That is an answer of mine." in told.content
    assert told.ephemeral
    picture = say(bot, bot.bob(), "", Upload("0", "cat.png", "image/png", b"\x89PNG"))
    assert (
        "There is no text in that message." in bot.ada().message_command("Train on this", picture.id).wait().content
    )
    said = say(bot, bot.bob(), FACT)

    def by_a_bot(payload: dict[str, Any]) -> None:
        payload["data"]["resolved"]["messages"][said.id]["author"]["bot"] = True

    told = bot.ada().message_command("Train on this", said.id, mutate=by_a_bot).wait()
    assert "not from other bots." in told.content


def test_in_a_scope_of_ones_own_only_ones_own_messages(bot: Bot) -> None:
    group = bot.bob(where="private")
    own = say(bot, group, "Q: Where is the map? A: Press M.")
    assert "I learned 1 new thing" in group.message_command("Train on this", own.id).wait().content
    said = bot.playground.desk.say(bot.ada().user, group.place.channel, FACT)
    told = group.message_command("Train on this", said.id).wait()
    assert "your own messages only" in told.content


def test_consent_in_russian(bot: Bot) -> None:
    said = say(bot, bot.bob(), FACT)
    question = bot.ada(locale="ru").message_command("Train on this", said.id).wait().message
    assert "Можно" in question.text
    allowed = bot.bob(locale="ru").click(question.id, "Разрешить").wait()
    assert "Я выучил 1 новую запись" in allowed.content


def test_a_question_that_comes_too_late_is_not_kept_for_later(bot: Bot) -> None:
    """What would be shown below the requester's next answer would have to be stored until then."""
    said = say(bot, bot.bob(), SECRET)
    bot.use_token(None)
    bot.stop_worker()
    bot.ada().message_command("Train on this", said.id)
    bot.playground.advance(16 * 60)
    bot.start_worker()
    bot.until_idle()
    assert SECRET.encode() not in everything_stored(bot)


def test_a_decision_survives_a_changed_mind(bot: Bot) -> None:
    scope, bob = bot.services_scope(), bot.bob().user.id
    change_preferences(
        bot.services.store, scope, bob, lambda old: msgspec.structs.replace(old, remember_conversations=False)
    )
    _, question = asked_for(bot)
    bot.bob().click(question.id, "Never ask me").wait()
    kept = preferences(bot.services.store, scope, bob)
    assert (kept.remember_conversations, kept.train_on_my_messages) == (False, "never")
