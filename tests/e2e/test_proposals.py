"""/proposals as people use it: listing, deciding one by one, who may, and how what waits is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tests.e2e.gated import QUIET_S, ada_of, correct, fresh_id, labels, select, teach
from tests.e2e.waiting import answer, many, marks, press, propose, show, statuses
from trainer.datasets import proposal_key, proposals_prefix
from trainer.settings import change_settings

if TYPE_CHECKING:
    from tests.bot import Bot


# --- listing --------------------------------------------------------------------------------------------------------


def test_when_nothing_waits_it_says_so(bot: Bot) -> None:
    reply = show(bot)
    assert reply.ephemeral
    assert reply.content == "No correction of “default” waits for a decision."
    assert labels(reply.message) == []


def test_one_is_shown_and_approved(bot: Bot) -> None:
    (made,) = propose(bot, {"Where is *the* map?": "Press M."})
    reply = show(bot)
    assert reply.content.splitlines() == [
        "**1 correction of “default” waits for a decision**",
        f"1. <@{bot.bob().user.id}>, <t:{int(made.created_at)}:R>: **Where is \\*the\\* map?**",
        "> Press M.",
        "-# Instead of: Never.",
    ]
    assert not reply.message.pinged
    assert labels(reply.message) == ["Approve 1", "Reject 1", "Approve all (1)", "Reject all"]
    after = press(bot, reply, "Approve 1").wait(quiet=QUIET_S)
    assert after.message.id == reply.message.id
    assert after.content.splitlines() == [
        f"✅ Approved by <@{bot.ada().user.id}>: Where is \\*the\\* map?",
        "No correction of “default” waits for a decision.",
    ]
    assert answer(bot, "Where is the map?") == "Press M."
    assert statuses(bot, [made]) == ["approved"]
    assert marks(bot) == set()


def test_the_buttons_below_a_proposal_still_decide(bot: Bot) -> None:
    teach(bot, {"Where is the map?": "Nowhere."})
    asked = bot.bob().command("ask", prompt="Where is the map?").wait(quiet=QUIET_S).message
    proposal = bot.bob().click(asked.id, "Correct").submit({"correction": "Press M."}).wait(quiet=QUIET_S)
    assert "**1 correction" in show(bot).content
    bot.ada().click(proposal.message.id, "Reject").wait(quiet=QUIET_S)
    assert "No correction" in show(bot).content
    assert marks(bot) == set()


def test_sixty_are_shown_page_by_page(bot: Bot) -> None:
    made = propose(bot, many(60))
    first = show(bot)
    assert "**60 corrections of “default” wait for a decision**" in first.content
    assert "of room 4?" in first.content
    assert "of room 5?" not in first.content
    assert labels(first.message)[-3:] == ["Approve all (60)", "Reject all", "Next"]
    second = press(bot, first, "Next").wait(quiet=QUIET_S)
    assert second.message.id == first.message.id
    assert "6. <@" in second.content
    assert "of room 9?" in second.content
    assert labels(second.message)[-2:] == ["Previous", "Next"]
    # A decision about one keeps the place.
    after = press(bot, second, "Reject 8").wait(quiet=QUIET_S)
    assert f"✖️ Rejected by <@{bot.ada().user.id}>: What is the code of room 7?" in after.content
    assert "**59 corrections" in after.content
    assert "of room 10?" in after.content
    assert next(label for label in labels(after.message) if label.startswith("Approve ")) == "Approve 6"
    back = press(bot, after, "Previous").wait(quiet=QUIET_S)
    assert "of room 0?" in back.content
    last = bot.ada().click(back.message.id, f"proposals:{'9' * 19}:default", force=True).wait(quiet=QUIET_S)
    assert "of room 59?" in last.content
    assert "Next" not in labels(last.message)
    done = press(bot, last, "Approve all (59)").wait(quiet=QUIET_S)
    assert done.content.startswith("59 corrections were approved. From now on I will answer so.")
    assert labels(done.message) == ["Undo all", "Show what waits"]
    assert answer(bot, "What is the code of room 33?") == "Code 33"
    assert statuses(bot, made).count("approved") == 59
    assert statuses(bot, made)[7] == "rejected"
    assert marks(bot) == set()


def test_other_datasets_are_mentioned(bot: Bot) -> None:
    propose(bot, many(2), dataset="events")
    propose(bot, many(1), dataset="support")
    reply = show(bot)
    assert reply.content.splitlines() == [
        "No correction of “default” waits for a decision.",
        "-# Others wait in “events” (2), “support” (1): select the dataset to see them.",
    ]
    select(bot, "events").wait(quiet=QUIET_S)
    assert "**2 corrections of “events”" in show(bot).content


def test_long_texts_are_shortened(bot: Bot) -> None:
    propose(bot, {"Why? " * 100: "Because. " * 300})
    reply = show(bot)
    assert len(reply.messages) == 1
    assert "Why? Why?…" in reply.content
    assert "Because. Becau…" in reply.content


# --- who may --------------------------------------------------------------------------------------------------------


def test_members_may_not(bot: Bot) -> None:
    made = propose(bot, many(2))
    refused = bot.bob().command("proposals", force=True).wait(quiet=QUIET_S)
    assert refused.ephemeral
    assert "Only managers" in refused.content
    reply = show(bot)
    for row in reply.message.components:
        for part in row["components"]:
            told = bot.bob().click(reply.message.id, part["custom_id"], force=True).wait(quiet=QUIET_S)
            assert "Only managers" in told.content
    assert statuses(bot, made) == ["proposed"] * 2


def test_trainers_may_as_long_as_they_are(bot: Bot) -> None:
    made = propose(bot, many(3))
    bot.ada().command("settings", trainer_role="Trainers").wait(quiet=QUIET_S)
    tom = bot.playground.client("Tom", roles=["Trainers"])
    reply = tom.command("proposals", force=True).wait(quiet=QUIET_S)
    assert "**3 corrections" in reply.content
    after = tom.click(reply.message.id, "Approve 1").wait(quiet=QUIET_S)
    assert f"Approved by <@{tom.user.id}>" in after.content
    bot.stop_worker()
    presses = [tom.click(after.message.id, label) for label in ("Approve all (2)", "Reject 1", "Reject all")]
    change_settings(
        bot.services.store, bot.services_scope(), lambda old: msgspec.structs.replace(old, trainer_role="")
    )
    bot.start_worker()
    bot.until_idle()
    assert "Only managers" in presses[-1].reply().content
    assert statuses(bot, made) == ["approved", "proposed", "proposed"]


def test_forged_buttons_find_nothing(bot: Bot) -> None:
    propose(bot, many(1))
    for custom_id in (
        "proposals:x:default",
        "proposals:1:../x",
        "prop:a:1:2",
        "prop:a:1:x:default",
        "prop:a:x:1:default",
        "prop:a:0:123:default",
        "approve-all:1:default",
        "approve-all:x:1:default",
        "approve-all:1:x:default",
        "approve-all:1:1:../x",
        "reject-all:x:1:default",
        "rejected-all:1",
        "undo-all:1",
        "undo-all:../x",
    ):
        shown = show(bot)
        told = bot.ada().click(shown.message.id, custom_id, force=True).wait(quiet=QUIET_S)
        assert "I know nothing of that" in told.content or "no longer there" in told.content
    assert "**1 correction" in show(bot).content


def test_in_a_direct_message_nothing_ever_waits(bot: Bot) -> None:
    reply = bot.bob(where="dm").command("proposals").wait(quiet=QUIET_S)
    assert reply.content == "No correction of “default” waits for a decision."


# --- the marks ------------------------------------------------------------------------------------------------------


def test_proposals_from_before_the_marks_are_found_once(bot: Bot) -> None:
    store, scope = bot.services.store, bot.services_scope()
    made = propose(bot, many(4))
    events = propose(bot, many(2), dataset="events")
    correct(bot, {"Who?": "Me."})
    bot.services.corrections.decide(ada_of(bot), "default", made[0].id, approve=True)
    bot.services.corrections.decide(ada_of(bot), "default", made[1].id, approve=False)
    for dataset in ("default", "events"):
        for info in list(store.list(proposals_prefix(scope, dataset))):
            store.delete(info.key)
    reply = show(bot)
    assert "**2 corrections of “default” wait" in reply.content
    assert "“events” (2)" in reply.content
    assert marks(bot) == {made[2].id, made[3].id}
    assert marks(bot, "events") == {one.id for one in events}
    # They are not looked for again.
    store.delete(proposal_key(scope, "default", made[2].id))
    assert "**1 correction of" in show(bot).content
    # But for what an archive may have brought since.
    store.put(f"{scope.prefix}/restored/5.json", b"{}")
    assert "**2 corrections of" in show(bot).content


def test_a_mark_of_nothing_that_waits_goes(bot: Bot) -> None:
    store, scope = bot.services.store, bot.services_scope()
    made = propose(bot, many(8))
    bot.services.corrections.decide(ada_of(bot), "default", made[1].id, approve=True)
    stale = [made[1].id, fresh_id(), "5"]
    for one in stale:
        store.put(proposal_key(scope, "default", one), b"")
    reply = show(bot)
    assert "of room 0?" in reply.content
    assert "of room 1?" not in reply.content
    assert "of room 5?" in reply.content
    press(bot, reply, labels(reply.message)[-3]).wait(quiet=QUIET_S)
    assert statuses(bot, made) == ["approved"] * 8
    assert "No correction" in show(bot).content
    assert marks(bot) == set()


def test_what_somebody_had_forgotten_waits_no_more(bot: Bot) -> None:
    teach(bot, {"Where is the map?": "Nowhere."})
    bob = bot.bob()
    asked = bob.command("ask", prompt="Where is the map?").wait(quiet=QUIET_S).message
    bob.click(asked.id, "Correct").submit({"correction": "Press M."}).wait(quiet=QUIET_S)
    reply = show(bot)
    assert "**1 correction" in reply.content
    confirm = bob.command("forget_me").wait(quiet=QUIET_S)
    bob.click(confirm.message.id, labels(confirm.message)[0]).wait(quiet=QUIET_S)
    bot.until_idle()
    told = press(bot, reply, "Approve all (1)").wait(quiet=QUIET_S)
    assert told.content == "No correction of “default” waits for a decision."
    assert marks(bot) == set()
