"""Corrections from beginning to end: who applies and who proposes, undoing, the history, and the trainer role."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tests.e2e.redelivery import forget_outcome
from trainer.datasets import answer_key
from trainer.settings import change_settings, scope_settings

if TYPE_CHECKING:
    from playground.clients import Client, Exchange, Reply
    from playground.messages import Message
    from tests.bot import Bot

QUESTION = "When does the event start?"
TAUGHT = "It starts on Thursday at 20:00."
RIGHT = "It starts on Friday at 20:00."
TRAINERS = "Trainers"


def teach(bot: Bot) -> None:
    bot.ada().command("train", text=f"Q: {QUESTION}\nA: {TAUGHT}").wait(quiet=0.1)


def ask(bot: Bot) -> Exchange:
    exchange = bot.bob().command("ask", prompt=QUESTION)
    exchange.wait(quiet=0.1)
    return exchange


def answer(bot: Bot) -> str:
    return ask(bot).messages[0].text.splitlines()[0]


def correct(client: Client, message: Message, right: str) -> Reply:
    return client.click(message.id, "Correct").submit({"correction": right}).wait(quiet=0.2)


def labels(reply: Reply) -> list[str]:
    return [part.get("label", "") for row in reply.message.components for part in row["components"]]


def trainers(bot: Bot) -> Client:
    """A member with the trainer role, which a manager has set."""
    told = bot.ada().command("settings", trainer_role=TRAINERS).wait(quiet=0.1)
    assert "may teach me" in told.content
    return bot.playground.client("Tom", roles=[TRAINERS])


def test_a_correction_is_undone_and_the_answer_before_it_comes_back(bot: Bot) -> None:
    teach(bot)
    ada = bot.ada()
    message = ask(bot).messages[0]
    first = correct(ada, message, RIGHT)
    assert labels(first) == ["Undo", "History"]
    second = correct(ada, message, "Never.")
    assert answer(bot) == "Never."
    undone = ada.click(second.message.id, "Undo").wait()
    assert undone.message.id == second.message.id
    assert undone.content.startswith(f"Taken back by <@{ada.user.id}>. I answer again as before")
    assert labels(undone) == ["History"]
    assert answer(bot) == RIGHT
    ada.click(first.message.id, "Undo").wait()
    assert answer(bot) == TAUGHT
    correct(ada, message, "Perhaps.")
    assert answer(bot) == "Perhaps."


def test_undoing_twice_is_undoing_once(bot: Bot) -> None:
    teach(bot)
    ada, exchange = bot.ada(), ask(bot)
    applied = correct(ada, exchange.messages[0], RIGHT).message
    custom_id = applied.components[0]["components"][0]["custom_id"]
    undo = ada.click(applied.id, "Undo")
    undo.wait(quiet=0.1)
    forget_outcome(bot, undo)
    undo.redeliver()
    bot.until_idle()
    late = bot.playground.client("Mia", manager=True).click(applied.id, custom_id, force=True).wait(quiet=0.2)
    assert f"Taken back by <@{ada.user.id}>" in late.content
    assert answer(bot) == TAUGHT


def test_an_undone_correction_does_not_come_back_with_its_second_delivery(bot: Bot) -> None:
    teach(bot)
    ada, message = bot.ada(), ask(bot).messages[0]
    given = ada.click(message.id, "Correct").submit({"correction": RIGHT})
    applied = given.wait(quiet=0.1).message
    ada.click(applied.id, "Undo").wait(quiet=0.1)
    forget_outcome(bot, given)
    given.redeliver()
    bot.until_idle()
    assert answer(bot) == TAUGHT
    # Nor with an index that is made anew.
    bot.services.library.close()
    assert answer(bot) == TAUGHT


def test_only_its_author_and_those_who_teach_undo(bot: Bot) -> None:
    teach(bot)
    bob, ada, message = bot.bob(), bot.ada(), ask(bot).messages[0]
    proposal = correct(bob, message, RIGHT).message
    approved = ada.click(proposal.id, "Approve").wait()
    assert labels(approved) == ["Undo", "History"]
    stranger = bot.playground.client("Eve")
    refused = stranger.click(proposal.id, "Undo").wait(quiet=0.1)
    assert refused.ephemeral
    assert "its author take a correction back" in refused.content
    # A forged button gets past the door, and no further.
    forged = f"undo:{proposal_id(proposal)}:{stranger.user.id}:default"
    stranger.click(proposal.id, forged, force=True)
    bot.until_idle()
    assert answer(bot) == RIGHT
    assert "Taken back" in bob.click(proposal.id, "Undo").wait().content
    assert answer(bot) == TAUGHT


def test_a_member_is_not_offered_to_correct_what_only_they_saw(bot: Bot) -> None:
    """A proposal is for others to read: whoever wrote one would be refused, and their words be lost."""
    ada, bob = bot.ada(), bot.bob()
    mine = bob.command("ask", prompt=QUESTION, private=True).wait(quiet=0.1)
    assert labels(mine) == ["", ""]
    assert "ask again without `private`" in mine.content
    told = bob.message_command("Correct this answer", mine.message.id)
    assert told.modal is None
    assert "That answer was private" in told.messages[0].text
    disliked = bob.click(mine.message.id, "👎").wait(quiet=0.1)
    assert disliked.content == "Thank you, your 👎 counts!"
    assert labels(bob.command("feedback", message_id=mine.message.id).wait(quiet=0.1)) == ["", "", "Comment"]
    theirs = ada.command("ask", prompt=QUESTION, private=True).wait(quiet=0.1)
    assert "Correct" in labels(theirs)
    assert ada.message_command("Correct this answer", theirs.message.id).modal is not None


def test_an_answer_that_is_gone_says_so(bot: Bot) -> None:
    """Such as one that was given too long ago, or to somebody who was forgotten."""
    teach(bot)
    ada, message = bot.ada(), ask(bot).messages[0]
    bot.services.store.delete(answer_key(bot.services_scope(), str(message.interaction_id)))
    told = correct(ada, message, RIGHT)
    assert told.content == "I no longer have that answer. Please ask again, and correct the new one."
    for exchange in (
        ada.message_command("Correct this answer", message.id).submit({"correction": RIGHT}),
        ada.command("correct", message_id=message.id, correction=RIGHT),
    ):
        assert "If it was one, I no longer have it" in exchange.wait(quiet=0.1).content


def proposal_id(message: Message) -> str:
    """The id of the correction that a message is about."""
    return str(message.components[0]["components"][0]["custom_id"]).split(":")[1]


def test_forged_subjects_are_refused(bot: Bot) -> None:
    teach(bot)
    ada, bob, message = bot.ada(), bot.bob(), ask(bot).messages[0]
    for custom_id in ("approve:1:default", "reject:x:default", "undo:1:2:../x", "undo:", "approve:5"):
        # The message that the button stands on tells it.
        shown = correct(bob, message, "x").message
        assert "no longer there" in ada.click(shown.id, custom_id, force=True).wait(quiet=0.2).content
    for custom_id in ("history:1", "history:x"):
        told = ada.click(message.id, custom_id, force=True).wait(quiet=0.1)
        assert "cannot find that answer" in told.content
    opened = bob.click(message.id, "correct:../x", force=True).wait(quiet=0.1)
    assert "not an answer of mine" in opened.content


def test_the_history_tells_who_when_what_and_why(bot: Bot) -> None:
    teach(bot)
    ada, bob, message = bot.ada(), bot.bob(), ask(bot).messages[0]
    approved = correct(bob, message, RIGHT).message
    ada.click(approved.id, "Approve").wait(quiet=0.1)
    rejected = correct(bob, message, "Spam!").message
    ada.click(rejected.id, "Reject").wait(quiet=0.1)
    undone = correct(ada, message, "Never.").message
    ada.click(undone.id, "Undo").wait(quiet=0.1)
    correct(bob, message, "On Saturday.")
    # Asked otherwise, it is the same question.
    again = bot.bob().command("ask", prompt="when does THE event start").wait(quiet=0.1).message
    last = correct(ada, again, "On Sunday.").message
    history = ada.click(last.id, "History").wait()
    assert history.ephemeral
    lines = history.content.splitlines()
    assert lines[0].lower() == "**when does the event start**"
    entries = [line for line in lines if line[:1].isdigit()]
    expected = [
        f"approved by <@{ada.user.id}>",
        f"rejected by <@{ada.user.id}>",
        f"taken back by <@{ada.user.id}>",
        "waits for a decision",
        "applied at once",
    ]
    assert [status in entry for status, entry in zip(expected, entries, strict=True)] == [True] * 5
    assert entries[0].startswith(f"1. <@{bob.user.id}>, <t:")
    assert "-# Lesson: When does the event start: Thursday → Friday" in lines
    assert f"-# Instead of: {TAUGHT}" in lines
    assert labels(history) == ["Undo 5", "Approve 4", "Reject 4"] or set(labels(history)) == {
        "Undo 5",
        "Approve 4",
        "Reject 4",
    }
    assert "Taken back" in ada.click(history.message.id, "Undo 5").wait(quiet=0.2).content
    refused = bob.click(last.id, "History").wait(quiet=0.1)
    assert refused.ephemeral
    assert "see the history" in refused.content


def test_trainers_correct_approve_and_teach(bot: Bot) -> None:
    teach(bot)
    message = ask(bot).messages[0]
    assert "A manager decides" in correct(bot.playground.client("Tom", roles=[TRAINERS]), message, "x").content
    tom = trainers(bot)
    assert "From now on" in correct(tom, message, RIGHT).content
    assert answer(bot) == RIGHT
    proposal = correct(bot.bob(), message, "On Saturday.").message
    other = bot.playground.client("Eve", roles=["Gardeners"])
    refused = other.click(proposal.id, "Approve").wait(quiet=0.1)
    assert refused.ephemeral
    assert "Only managers" in refused.content
    assert f"Approved by <@{tom.user.id}>" in tom.click(proposal.id, "Approve").wait().content
    # Discord shows them /train when a manager allows it there.
    taught = tom.command("train", {"text": "Q: Who? A: Me."}, force=True).wait(quiet=0.1)
    assert "I learned 1 new thing" in taught.content
    assert not taught.ephemeral
    opened = tom.command("train", force=True)
    assert "I learned 1 new thing" in opened.submit({"text": "Q: What? A: That."}).wait(quiet=0.1).content
    for client in (other, bot.bob()):
        told = client.command("train", {"text": "Q: Who? A: Me."}, force=True).wait(quiet=0.1)
        assert told.ephemeral
        assert "Teaching me is for managers" in told.content
    assert tom.command("feedback").wait(quiet=0.1).content.startswith("Nobody has voted yet")


def test_a_trainer_who_lost_the_role_meanwhile_decides_nothing(bot: Bot) -> None:
    teach(bot)
    tom = trainers(bot)
    proposal = correct(bot.bob(), ask(bot).messages[0], RIGHT)
    bot.stop_worker()
    presses = [tom.click(proposal.message.id, "Approve"), tom.command("train", {"text": "Q: A? A: B."}, force=True)]
    change_settings(
        bot.services.store, bot.services_scope(), lambda old: msgspec.structs.replace(old, trainer_role="")
    )
    bot.start_worker()
    bot.until_idle()
    decided, taught = (press.wait(quiet=0.2) for press in presses)
    assert "Only managers" in decided.messages[-1].text
    assert "Teaching me is for managers" in taught.content
    assert decided.messages[-1].ephemeral
    assert taught.ephemeral
    assert proposal.message.text == proposal.content
    assert labels(proposal) == ["Approve", "Reject", "History"]
    assert answer(bot) == TAUGHT


def test_the_role_is_set_shown_and_taken_away(bot: Bot) -> None:
    ada = bot.ada()
    assert "Only managers" in ada.command("settings").wait(quiet=0.1).content
    trainers(bot)
    shown = ada.command("settings").wait(quiet=0.1)
    role = bot.playground.desk.world.role(TRAINERS).id
    assert f"<@&{role}>" in shown.content
    assert scope_settings(bot.services.store, bot.services_scope()).trainer_role == role
    forged = bot.bob().click(shown.message.id, "Managers only", force=True).wait(quiet=0.1)
    assert "Only managers" in forged.content
    cleared = ada.click(shown.message.id, "Managers only").wait(quiet=0.1)
    assert "Only managers" in cleared.content
    assert scope_settings(bot.services.store, bot.services_scope()).trainer_role == ""
    tom = bot.playground.client("Tom", roles=[TRAINERS])
    assert "A manager decides" in correct(tom, ask(bot).messages[0], "x").content


def test_a_setting_that_is_done_late_changes_nothing_newer(bot: Bot) -> None:
    ada = bot.ada()
    trainers(bot)
    shown = ada.command("settings").wait(quiet=0.1)
    bot.until_idle()
    bot.stop_worker()
    early = ada.command("settings", trainer_role=TRAINERS)
    (job,) = bot.queue.lease(wait_s=5, visibility_s=60)
    bot.start_worker()
    assert "Only managers" in ada.click(shown.message.id, "Managers only").wait(quiet=0.1).content
    assert bot.performer.perform(job.body, job.attempts).do == "complete"
    bot.queue.complete(job)
    assert "Only managers" in early.wait(quiet=0.1).content
    assert scope_settings(bot.services.store, bot.services_scope()).trainer_role == ""


def test_settings_are_for_managers_of_servers(bot: Bot) -> None:
    ask(bot)
    told = bot.bob().command("settings", force=True).wait(quiet=0.1)
    assert told.ephemeral
    assert "Only managers" in told.content
    alone = bot.bob(where="dm").command("settings").wait(quiet=0.1)
    assert "just you and me" in alone.content
    everyone = bot.services_scope().id

    def choose_everyone(payload: dict[str, Any]) -> None:
        payload["data"]["options"][0]["value"] = everyone

    ada = bot.ada()
    refused = ada.command("settings", {"trainer_role": TRAINERS}, mutate=choose_everyone).wait(quiet=0.1)
    assert "Everybody has that role" in refused.content

    def choose_nonsense(payload: dict[str, Any]) -> None:
        payload["data"]["options"][0]["value"] = "<@&1>"

    refused = ada.command("settings", {"trainer_role": TRAINERS}, mutate=choose_nonsense).wait(quiet=0.1)
    assert "not a role of this server" in refused.content


def test_in_a_direct_message_the_person_decides(bot: Bot) -> None:
    bob = bot.bob(where="dm")
    message = bob.command("ask", prompt=QUESTION).wait(quiet=0.1).message
    applied = correct(bob, message, RIGHT)
    assert "From now on" in applied.content
    history = bob.click(applied.message.id, "History").wait(quiet=0.1)
    assert "applied at once" in history.content
    assert "Lesson: When does the event start: → It starts on Friday at 20:00." in history.content
    assert "Taken back" in bob.click(applied.message.id, "Undo").wait(quiet=0.2).content
    assert "I don't know that yet." in bob.command("ask", prompt=QUESTION).wait(quiet=0.1).content


def test_russian(bot: Bot) -> None:
    teach(bot)
    ada, message = bot.ada(locale="ru"), ask(bot).messages[0]
    applied = ada.click(message.id, "Correct").submit({"correction": RIGHT}).wait(quiet=0.1)
    assert "Теперь я буду отвечать" in applied.content
    assert labels(applied) == ["Отменить", "История"]
    history = ada.click(applied.message.id, "История").wait(quiet=0.1)
    assert "применено сразу" in history.content
    assert "Отменено" in ada.click(applied.message.id, "Отменить").wait(quiet=0.2).content
    told = ada.command("settings", trainer_role=TRAINERS).wait(quiet=0.1).content
    assert "может учить меня" in told
