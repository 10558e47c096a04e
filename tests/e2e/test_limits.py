"""Too much at once is refused politely, to that person alone; and a budget that is used up stops no answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from interactions.publishing import FOLLOW_UPS_MOST
from playground.cdn import File
from tests.bot import Bot
from trainer.answering import Answering
from trainer.limits import MIB
from trainer.ports import ChatReply, ChatUsage
from trainer.usage import Ledger, month_cost

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from trainer.ports import ChatMessage, OnText
    from trainer.services import Services

QUESTION = "Where is the map?"
PARAGRAPH = "All about the castle and its many rooms. " * 30
CASTLE = f"Q: Tell me about the castle? A: {PARAGRAPH}\n\n{PARAGRAPH}\n\n{PARAGRAPH}"


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Bot]:
    """A bot with a tenth of the limits: one question a minute for members, and more for managers."""
    with Bot(tmp_path, limits=0.1) as running:
        yield running


def test_one_question_too_many_is_refused_to_the_person_alone(strict: Bot) -> None:
    strict.bob().command("ask", prompt=QUESTION).wait()
    refused = strict.bob().command("ask", prompt=QUESTION)
    strict.until(lambda: bool(refused.messages))
    reply = refused.wait()
    assert reply.content.startswith("You are too fast for me. Please wait ")
    assert "second" in reply.content
    assert reply.ephemeral
    # Nothing of it is left where others read.
    assert not any("too fast" in message.text or message.loading for message in strict.channel())


def test_a_private_question_is_refused_in_its_place(strict: Bot) -> None:
    strict.bob().command("ask", prompt=QUESTION, private=True).wait()
    refused = strict.bob().command("ask", prompt=QUESTION, private=True).wait()
    assert "Please wait" in refused.content
    assert refused.ephemeral
    assert len(refused.messages) == 1


def test_others_are_not_held_back_and_managers_may_more(strict: Bot) -> None:
    strict.bob().command("ask", prompt=QUESTION).wait()
    assert "I don't know" in strict.playground.client("Cleo").command("ask", prompt=QUESTION).wait().content
    told = [strict.ada().command("ask", prompt=f"{QUESTION} {n}").wait().content for n in range(3)]
    assert not any("Please wait" in text for text in told)


def test_a_second_delivery_is_neither_counted_nor_refused(strict: Bot) -> None:
    asked = strict.bob().command("ask", prompt=QUESTION)
    first = asked.wait().content
    strict.until_idle()
    strict.services.store.delete(f"{strict.services_scope().prefix}/outcomes/{asked.id}.outcome.json")
    asked.redeliver()
    strict.until_idle()
    assert asked.wait().content == first


def test_a_refusal_that_is_delivered_again_stays_one(strict: Bot) -> None:
    strict.bob().command("ask", prompt=QUESTION).wait()
    refused = strict.bob().command("ask", prompt=QUESTION)
    told = refused.wait().content
    refused.redeliver()
    strict.until_idle()
    assert [message.text for message in refused.messages] == [told]


def test_a_refusal_that_comes_late_is_not_posted(strict: Bot) -> None:
    strict.bob().command("ask", prompt=QUESTION).wait()
    strict.stop_worker()
    strict.bob().command("ask", prompt=QUESTION)
    strict.playground.advance(16 * 60)
    strict.start_worker()
    strict.until_idle()
    assert not any("Please wait" in message.text for message in strict.channel())


def test_teaching_has_limits_of_its_own(tmp_path: Path) -> None:
    with Bot(tmp_path, limits=1 / 10_000) as bot:
        assert "I learned 1" in bot.ada().command("train", text=f"Q: {QUESTION} A: Press M.").wait().content
        refused = bot.ada().command("train", text="Q: One? A: Uno.").wait()
        assert "Please wait" in refused.content
        assert "hour" in refused.content or "minutes" in refused.content
        assert refused.ephemeral


def test_what_a_server_teaches_in_a_day_is_limited_in_bytes(tmp_path: Path) -> None:
    with Bot(tmp_path, limits=0.02) as bot:
        large = File("large.txt", b"Q: One? A: Uno.\n\n" + b" " * (MIB + 10))
        bot.playground.client("Ada").command("train", file=large).wait()
        # A manager may teach once more in this hour at such limits; the server's bytes of the day are used up.
        refused = bot.playground.client("Cleo", manager=True).command("train", file=large).wait()
        assert "more than I can take in from here in one day. Please wait" in refused.content


def test_a_button_that_is_pressed_too_often_leaves_its_message_alone(tmp_path: Path) -> None:
    with Bot(tmp_path, limits=1 / 120) as bot:
        answer = bot.bob().command("ask", prompt=QUESTION).wait().message
        proposal = bot.bob().click(answer.id, "Correct").submit({"correction": "Press M."}).wait().message
        shown = proposal.text
        # The one thing that a manager may do in a minute at such limits.
        bot.ada().click(answer.id, "Correct").submit({"correction": "Press N."}).wait()
        refused = bot.ada().click(proposal.id, "Approve")
        bot.until(lambda: bool(refused.messages))
        bot.until_idle()
        (told,) = [message for message in refused.messages if "Please wait" in message.text]
        assert told.ephemeral
        assert told.id != proposal.id
        assert proposal.text == shown
        assert "Approve" in str(proposal.components)


def test_without_limits_nobody_is_held_back(tmp_path: Path) -> None:
    with Bot(tmp_path, limits=0) as bot:
        told = [bot.bob().command("ask", prompt=f"{QUESTION} {n}").wait(quiet=0.05).content for n in range(14)]
        assert not any("Please wait" in text for text in told)


def test_a_refusal_in_russian(strict: Bot) -> None:
    bob = strict.bob(locale="ru")
    bob.command("ask", prompt=QUESTION).wait()
    assert "Подождите, пожалуйста" in bob.command("ask", prompt=QUESTION).wait().content


# --- the budget -------------------------------------------------------------------------------------------------


class Paid:
    """A chat model whose price is known."""

    name = "gpt-6-luna"

    def __init__(self) -> None:
        self.asked = 0

    def reply(self, messages: Sequence[ChatMessage], *, max_tokens: int, on_text: OnText | None = None) -> ChatReply:
        self.asked += 1
        return ChatReply("Open the map with M.", self.name, ChatUsage(8_000_000, 0), truncated=False)


def pay(bot: Bot, budget_usd: float) -> Paid:
    """Give the bot a model to pay for. Eight million tokens cost 80 cents."""
    model = Paid()
    bot.stop_worker()
    services: Services = bot.services
    ledger = Ledger(services.store, budget_usd=budget_usd)
    answering = Answering(services.library, model, "", ledger)
    bot.services = services._replace(answering=answering, ledger=ledger)
    bot.start_worker()
    return model


def test_a_budget_warns_managers_and_then_answers_go_on_without_the_model(bot: Bot) -> None:
    bot.ada().command("train", text=f"Q: {QUESTION} A: Press M.").wait()
    model = pay(bot, budget_usd=1.0)
    member = bot.bob().command("ask", prompt=QUESTION).wait().content
    assert member.startswith("Open the map with M.")
    assert "budget" not in member
    manager = bot.ada().command("ask", prompt="where can I find the map?").wait().content
    assert "-# Of this month's $1.00 for the language model, $1.60 are used." in manager
    after = bot.bob().command("ask", prompt=QUESTION).wait().content
    assert after.startswith("Press M.")
    assert "-# This month's budget for the language model is used up" in after
    assert model.asked == 2


def test_a_second_delivery_is_paid_for_once(bot: Bot) -> None:
    bot.ada().command("train", text=f"Q: {QUESTION} A: Press M.").wait()
    model = pay(bot, budget_usd=100)
    asked = bot.bob().command("ask", prompt=QUESTION)
    asked.wait()
    scope = bot.services_scope()
    bot.until_idle()
    bot.services.store.delete(f"{scope.prefix}/outcomes/{asked.id}.outcome.json")
    asked.redeliver()
    bot.until_idle()
    assert model.asked == 1
    assert month_cost(bot.services.store, scope, bot.playground.desk.clock.now()).input_tokens == 8_000_000


# --- where only the person has installed the bot ----------------------------------------------------------------


def follow_ups(bot: Bot) -> list[Any]:
    """The further messages that were sent to Discord."""
    return [
        request
        for request in bot.playground.requests
        if request.method == "POST" and "/webhooks/" in request.path and request.status == 200
    ]


def test_a_long_answer_keeps_to_five_further_messages(bot: Bot) -> None:
    elsewhere = bot.bob(where="elsewhere")
    bot.bob(where="dm").command("train", text=CASTLE).wait()
    bot.stop_worker()
    asked = elsewhere.command("ask", prompt="Tell me about the castle?")
    # Edits that show progress count as none of them.
    for step in range(FOLLOW_UPS_MOST + 3):
        bot.api.edit_original(asked.interaction.token, {"content": f"⏳ {step}"})
    before = len(follow_ups(bot))
    bot.start_worker()
    reply = asked.wait()
    assert 1 <= len(follow_ups(bot)) - before <= FOLLOW_UPS_MOST
    assert reply.content.startswith("All about the castle")
    assert len(reply.messages) > 1


def test_when_further_messages_are_used_up_all_goes_into_the_first(bot: Bot) -> None:
    bot.bob(where="dm").command("train", text=CASTLE).wait()
    bot.stop_worker()
    asked = bot.bob(where="elsewhere").command("ask", prompt="Tell me about the castle?")
    # Parts of which no worker knows that they arrived: the first one takes the place of "thinking…".
    for part in range(1 + FOLLOW_UPS_MOST):
        bot.api.follow_up(asked.interaction.token, {"content": f"part {part}"})
    bot.start_worker()
    bot.until_idle()
    first = asked.messages[0]
    assert first.text.startswith("All about the castle")
    assert [file.filename for file in first.attachments] == ["answer.md"]
    assert "Correct" in str(first.components)


def test_when_further_messages_are_used_up_a_whisper_does_not_replace_what_all_see(tmp_path: Path) -> None:
    with Bot(tmp_path, limits=1 / 120) as bot:
        elsewhere = bot.bob(where="elsewhere")
        answer = elsewhere.command("ask", prompt=QUESTION).wait().message
        # The one thing that a person may do in a minute at such limits.
        applied = elsewhere.click(answer.id, "Correct").submit({"correction": "Press M."}).wait().message
        shown = applied.text
        bot.stop_worker()
        refused = elsewhere.click(applied.id, "Undo")
        for part in range(FOLLOW_UPS_MOST):
            bot.api.follow_up(refused.interaction.token, {"content": f"part {part}"})
        bot.start_worker()
        bot.until_idle()
        assert applied.text == shown
        assert not any("Please wait" in message.text for message in refused.messages)
        (notice,) = bot.services.store.list(f"u{elsewhere.user.id}/unseen/")
        assert notice.key.endswith(f"/{refused.id}.json")
        assert b"Please wait" in bot.services.store.get(notice.key).data
        assert not bot.queue.dead()
