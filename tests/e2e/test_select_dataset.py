"""/select_dataset as people use it: choosing, making, taking back, two at once, in Russian, in a direct message."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.e2e.redelivery import answered_again
from trainer.datasets import settings_key
from trainer.settings import change_settings, scope_settings

if TYPE_CHECKING:
    from playground.clients import Reply
    from tests.bot import Bot

QUIET_S = 0.05
"""No reply here is written piece by piece: it is complete when it is there."""
QUESTION = "When is the party?"


def select(bot: Bot, name: str, **more: bool) -> Reply:
    return bot.ada().command("select_dataset", {"name": name, **more}).wait(quiet=QUIET_S)


def selected(bot: Bot) -> str:
    return scope_settings(bot.services.store, bot.services_scope()).dataset


def names(bot: Bot, typed: str) -> list[str]:
    choices = bot.ada().autocomplete("select_dataset", "name", typed).wait(quiet=QUIET_S).choices
    assert choices is not None
    return [choice["name"] for choice in choices]


def buttons(reply: Reply) -> str:
    return str(reply.message.components)


def test_a_new_dataset_is_made_selected_and_used(bot: Bot) -> None:
    reply = select(bot, "Summer Events")
    assert "“summer-events” is new, and selected from now on" in reply.content
    assert "Before, it was “default”." in reply.content
    bot.ada().command("train", text=f"Q: {QUESTION} A: On Friday.").wait(quiet=QUIET_S)
    assert bot.bob().command("ask", prompt=QUESTION).wait(quiet=QUIET_S).content.startswith("On Friday.")
    back = select(bot, "default")
    assert "“default” is selected from now on" in back.content
    assert "I don't know that yet." in bot.bob().command("ask", prompt=QUESTION).wait(quiet=QUIET_S).content
    assert "is new" not in select(bot, "summer-events").content


def test_what_is_selected_already_stays(bot: Bot) -> None:
    assert select(bot, "default").content == "“default” is selected already."
    select(bot, "events")
    again = select(bot, "events", archive_current=True).content
    assert again.startswith("“events” is selected already: <@")
    assert again.endswith("Nothing was archived; `/archive` does that.")


def test_one_button_takes_a_choice_back(bot: Bot) -> None:
    reply = select(bot, "evnets")
    assert "evnets" in names(bot, "evn")
    undone = bot.ada().click(reply.message.id, "Undo").wait(quiet=QUIET_S)
    assert undone.message.id == reply.message.id
    assert "took the choice of “evnets” back: “default” is selected again." in undone.content
    assert selected(bot) == "default"
    assert names(bot, "evn") == ["evn (new)"]
    redone = bot.ada().click(undone.message.id, "Undo").wait(quiet=QUIET_S)
    assert "“evnets” is selected again." in redone.content
    assert selected(bot) == "evnets"
    assert names(bot, "evn") == ["evnets", "evn (new)"]


def test_a_choice_is_not_taken_back_from_under_somebody_else(bot: Bot) -> None:
    first = select(bot, "events")
    first_id = first.message.components[0]["components"][0]["custom_id"].removeprefix("unselect:")
    select(bot, "support")
    refused = bot.ada().click(first.message.id, "Undo").wait(quiet=QUIET_S)
    assert "has selected “support”, so nothing was taken back." in refused.content
    assert selected(bot) == "support"
    insisted = bot.ada().click(refused.message.id, "Select “default” all the same").wait(quiet=QUIET_S)
    assert "“default” is selected from now on" in insisted.content
    assert selected(bot) == "default"
    needless = bot.ada().click(first.message.id, f"unselect:{first_id}", force=True).wait(quiet=QUIET_S)
    assert "has selected “default”, so nothing was taken back." in needless.content
    assert "all the same" not in buttons(needless)


def test_of_two_who_choose_at_once_the_second_is_told(bot: Bot) -> None:
    grace = bot.playground.client("Grace", manager=True)
    bot.stop_worker()
    first = bot.ada().command("select_dataset", {"name": "events"})
    second = grace.command("select_dataset", {"name": "support"})
    bot.start_worker()
    replies = {first.wait(quiet=QUIET_S).content: first, second.wait(quiet=QUIET_S).content: second}
    told = next(text for text in replies if text.startswith("Meanwhile <@"))
    taken, chosen = ("events", "support") if replies[told] is second else ("support", "events")
    assert f"has selected “{taken}”, so I left it at that." in told
    assert selected(bot) == taken
    slower = grace if replies[told] is second else bot.ada()
    message = replies[told].wait(quiet=QUIET_S).message
    assert "all the same" in buttons(replies[told].wait(quiet=QUIET_S))
    insisted = slower.click(message.id, f"Select “{chosen}” all the same").wait(quiet=QUIET_S)
    assert f"“{chosen}” is new, and selected from now on" in insisted.content
    assert selected(bot) == chosen


@pytest.mark.parametrize("archive", [False, True])
def test_a_second_delivery_changes_nothing_and_says_the_same(bot: Bot, archive: bool) -> None:
    bot.ada().command("train", text=f"Q: {QUESTION} A: On Friday.").wait(quiet=QUIET_S)
    exchange = bot.ada().command("select_dataset", {"name": "events", "archive_current": archive})
    first = exchange.wait(quiet=QUIET_S).content
    assert "“events” is new" in first
    assert answered_again(bot, exchange) == first
    select(bot, "support")
    assert answered_again(bot, exchange) == first
    assert selected(bot) == "support"


def test_the_one_before_is_archived(bot: Bot) -> None:
    store, scope = bot.services.store, bot.services_scope()
    empty = select(bot, "events", archive_current=True).content
    assert "“default” is empty, so there was nothing to archive." in empty
    bot.ada().command("train", text=f"Q: {QUESTION} A: On Friday.").wait(quiet=QUIET_S)
    told = select(bot, "default", archive_current=True).content
    assert "It is archived as `" in told
    kept = [info for info in store.list(f"{scope.prefix}/archives/") if info.key.endswith(".zip")]
    assert len(kept) == 1
    assert kept[0].size > 100


def test_members_may_not_choose(bot: Bot) -> None:
    refused = bot.bob().command("select_dataset", {"name": "events"}, force=True).wait(quiet=QUIET_S)
    assert refused.ephemeral
    assert refused.content.startswith("Choosing what I learn and answer from is for managers")
    reply = select(bot, "events")
    for button in ("Undo", "History"):
        pressed = bot.bob().click(reply.message.id, button).wait(quiet=QUIET_S)
        assert "is for managers" in pressed.content
    assert selected(bot) == "events"
    bot.bob().click(reply.message.id, "select::spam", force=True).wait(quiet=QUIET_S)
    assert selected(bot) == "events"


def test_bad_names_and_forged_buttons_are_refused(bot: Bot) -> None:
    for name in ("../other", "a" * 49, "-x"):
        assert "A dataset's name has up to 48 letters" in select(bot, name).content
    reply = select(bot, "events")
    undo = reply.message.components[0]["components"][0]["custom_id"]
    assert (
        "A dataset's name"
        in bot.ada().click(reply.message.id, "select:a:../x", force=True).wait(quiet=QUIET_S).content
    )
    for subject in ("123", "../settings", ""):
        told = bot.ada().click(reply.message.id, f"unselect:{subject}", force=True).wait(quiet=QUIET_S).content
        assert "I know nothing of that choice any more" in told
    assert selected(bot) == "events"
    bot.services.store.delete(settings_key(bot.services_scope()))
    told = bot.ada().click(reply.message.id, undo, force=True).wait(quiet=QUIET_S).content
    assert told == "“default” is selected, and nothing was changed."


def test_who_has_the_trainer_role_may_choose_as_long_as_they_have_it(bot: Bot) -> None:
    store, scope = bot.services.store, bot.services_scope()
    trainer = bot.bob(roles=["Trainers"])
    refused = trainer.command("select_dataset", {"name": "events"}, force=True)
    assert "is for managers" in refused.wait(quiet=QUIET_S).content
    role = refused.payload["member"]["roles"][0]
    change_settings(store, scope, lambda old: msgspec.structs.replace(old, trainer_role=role))
    reply = trainer.command("select_dataset", {"name": "events"}, force=True).wait(quiet=QUIET_S)
    assert "“events” is new" in reply.content
    bot.stop_worker()
    late = trainer.command("select_dataset", {"name": "support"}, force=True)
    change_settings(store, scope, lambda old: msgspec.structs.replace(old, trainer_role=""))
    bot.start_worker()
    bot.until_idle()  # "thinking…" goes before the refusal comes
    assert "is for managers" in late.wait(quiet=QUIET_S).content
    assert selected(bot) == "events"


def test_the_history_says_who_chose_what(bot: Bot) -> None:
    said = bot.ada().command("instruction").wait(quiet=QUIET_S)
    nobody = bot.ada().click(said.message.id, "selections:", force=True).wait(quiet=QUIET_S)
    assert nobody.content == "Nobody has chosen a dataset yet."
    reply = select(bot, "events")
    bot.ada().click(reply.message.id, "Undo").wait(quiet=QUIET_S)
    reply = select(bot, "support")
    told = bot.ada().click(reply.message.id, "History").wait(quiet=QUIET_S)
    assert told.ephemeral
    ada = bot.ada().user.id
    lines = told.content.splitlines()[1:]
    assert [line.partition(f"<@{ada}>: ")[2] for line in lines] == [
        "“support”, new",
        "back to “default”",
        "“events”, new",
    ]
    elsewhere = bot.ada(where="dm").command("select_dataset", {"name": "mine"}).wait(quiet=QUIET_S)
    assert "“mine” is new" in elsewhere.content
    assert selected(bot) == "support"


def test_names_are_suggested_by_beginning_then_by_likeness(bot: Bot) -> None:
    for name in ("events-2026", "support", "old-events"):
        bot.ada().command("train", text=f"Q: {QUESTION} A: On Friday.", dataset=name).wait(quiet=QUIET_S)
    assert names(bot, "") == ["default", "events-2026", "old-events", "support"]
    assert names(bot, "events") == ["events-2026", "old-events", "events (new)"]
    assert names(bot, "evnets")[:2] == ["old-events", "events-2026"] or names(bot, "evnets")[0] == "events-2026"
    assert names(bot, "SUPP") == ["support", "supp (new)"]
    assert names(bot, "a/b") == []


def test_in_russian(bot: Bot) -> None:
    reply = bot.ada(locale="ru").command("select_dataset", {"name": "события"}).wait(quiet=QUIET_S)
    assert "Набор «события» создан и выбран" in reply.content
    assert "Отменить" in buttons(reply)
