"""Another dataset is tested before it is selected: what passes, what is held back, and who may do it all the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

from interactions import gating
from interactions.commands import gate as gate_commands
from interactions.jobs import pack
from tests.e2e.gated import (
    DAYS,
    QUIET_S,
    ada_of,
    correct,
    days,
    force,
    gate_runs,
    held,
    labels,
    prepare,
    select,
    selected,
    teach,
    turn_on,
)
from tests.e2e.redelivery import deliver_again
from trainer.evaluation import gate_store
from trainer.evaluation.gate_store import Gates, Judgement, Override
from trainer.scope import Scope
from trainer.settings import scope_settings

if TYPE_CHECKING:
    import pytest

    from playground.clients import Exchange
    from tests.bot import Bot


def judgement(bot: Bot, exchange: Exchange) -> Judgement:
    found = Gates(bot.services.store).load(bot.services_scope(), exchange.id)
    assert found is not None
    return found


def test_without_the_gate_nothing_is_tested(bot: Bot) -> None:
    correct(bot, days())
    reply = select(bot, "events").wait(quiet=QUIET_S)
    assert "is new, and selected from now on" in reply.content
    assert reply.content.endswith("Before, it was “default”.")
    assert gate_runs(bot) == 0
    assert not list(bot.services.store.list(f"{bot.services_scope().prefix}/gates/"))


def test_it_is_turned_on_and_off_in_the_settings(bot: Bot) -> None:
    ada = bot.ada()
    assert "Changes count at once." in ada.command("settings").wait(quiet=QUIET_S).content
    turn_on(bot)
    assert "I test them" in ada.command("settings").wait(quiet=QUIET_S).content
    early = ada.command("settings", {"gate": False})
    assert "Changes count at once." in early.wait(quiet=QUIET_S).content
    turn_on(bot)
    deliver_again(bot, early)
    assert scope_settings(bot.services.store, bot.services_scope()).gate
    told = bot.bob().command("settings", {"gate": False}, force=True).wait(quiet=QUIET_S)
    assert "Only managers" in told.content
    assert scope_settings(bot.services.store, bot.services_scope()).gate


def test_what_answers_as_well_is_selected(bot: Bot) -> None:
    correct(bot, days())
    teach(bot, days(), dataset="events")
    correct(bot, {"Where is the map?": "M"}, dataset="events")
    turn_on(bot)
    reply = select(bot, "events").wait(quiet=QUIET_S)
    assert not reply.ephemeral
    assert "“events” is selected from now on" in reply.content
    assert reply.content.endswith("-# Tested first: 7 of 8 cases as before, 1 better, p = 1.000.")
    assert selected(bot) == "events"
    assert scope_settings(bot.services.store, bot.services_scope()).selection.reason == ""  # type: ignore[union-attr]
    undone = bot.ada().click(reply.message.id, "Undo").wait(quiet=QUIET_S)
    assert "“default” is selected again" in undone.content
    assert gate_runs(bot) == 2


def test_without_cases_there_is_nothing_to_test_with(bot: Bot) -> None:
    turn_on(bot)
    reply = select(bot, "events").wait(quiet=QUIET_S)
    assert "“events” is new, and selected" in reply.content
    assert "there is nothing to test it with" in reply.content


def test_what_answers_worse_is_held_back_and_shows_what_broke(bot: Bot) -> None:
    prepare(bot)
    exchange = select(bot, "events")
    reply = exchange.wait(quiet=QUIET_S)
    assert reply.ephemeral
    assert selected(bot) == "default"
    lines = reply.content.splitlines()
    assert lines[0] == "“events” was not selected."
    assert "Of 7 cases: 0 as before, 0 better, 7 worse, p = 0.016." in lines[1]
    assert lines[2] == "Mean score: 1.00 before, 0.00 then."
    shown = [lines[at : at + 3] for at in (4, 8, 12)]
    place = int(shown[0][0].removesuffix(" start?**")[-1])
    assert shown[0] == [
        f"1. **On which day does event number {place} start?**",
        f"> ~~{DAYS[place]}~~ **{DAYS[(place + 1) % 7]}**",
        f"-# Expected: contains “{DAYS[place]}”",
    ]
    assert [one[0][:2] for one in shown] == ["1.", "2.", "3."]
    assert len(lines) == 15
    assert labels(reply.message) == ["Do it all the same…", "Leave it"]
    kept = judgement(bot, exchange)
    assert (kept.outcome, kept.cases, kept.author) == ("worse", 7, bot.ada().user.id)


def test_knowing_nothing_is_worse_too(bot: Bot) -> None:
    correct(bot, days())
    turn_on(bot)
    reply = held(bot, "nothing")
    assert "> Then: (I don't know)" in reply.content
    # Trying it made no dataset.
    assert not list(bot.services.store.list(f"{bot.services_scope().prefix}/names/nothing"))


def test_a_manager_does_it_all_the_same_and_says_why(bot: Bot) -> None:
    prepare(bot)
    exchange = select(bot, "events", archive_current=True)
    reply = exchange.wait(quiet=QUIET_S)
    opened = bot.ada().click(reply.message.id, "Do it all the same…")
    assert opened.modal is not None
    field = opened.modal["components"][0]["component"]
    assert (field["max_length"], field["required"]) == (300, True)
    done = opened.submit({"reason": "The  dates\nhave *moved*."}).wait(quiet=QUIET_S)
    assert not done.ephemeral
    ada = bot.ada().user.id
    assert "“events” is selected from now on" in done.content
    assert "It is archived as `" in done.content
    assert done.content.endswith(f"-# <@{ada}> did it although the test went worse: “The dates have \\*moved\\*.”")
    assert selected(bot) == "events"
    selection = scope_settings(bot.services.store, bot.services_scope()).selection
    assert selection is not None
    assert (selection.reason, selection.gate) == ("The dates have *moved*.", exchange.id)
    history = bot.ada().click(done.message.id, "History").wait(quiet=QUIET_S).content.splitlines()
    assert history[-1] == "-# It had not passed its test. Why all the same: “The dates have \\*moved\\*.”"
    (file,) = bot.ada().command("getfile", path=f"reports/override-{exchange.id}.json").wait(quiet=QUIET_S).files
    told = json.loads(file.data)
    assert told["decision"]["reason"] == "The dates have *moved*."
    assert (told["decision"]["by"], told["judgement"]["outcome"]) == (ada, "worse")
    assert len(told["judgement"]["comparison"]["regressed"]) == 7
    assert msgspec.json.decode(file.data, type=Override).judgement.change.dataset == "events"
    back = bot.ada().click(done.message.id, "Undo").wait(quiet=QUIET_S)
    assert "“default” is selected again" in back.content


def test_it_is_done_once(bot: Bot) -> None:
    prepare(bot)
    reply = held(bot)
    forced = force(bot.ada(), reply)
    forced.wait(quiet=QUIET_S)
    bot.ada().command("select_dataset", {"name": "support"}).wait(quiet=QUIET_S)
    assert selected(bot) in {"support", "events"}
    before = selected(bot)
    again = force(bot.ada(), reply).wait(quiet=QUIET_S)
    assert "has done that already" in again.content
    left = bot.ada().click(reply.message.id, "Leave it").wait(quiet=QUIET_S)
    assert "has done that already" in left.content
    deliver_again(bot, forced)
    assert selected(bot) == before


def test_who_leaves_it_leaves_it(bot: Bot) -> None:
    prepare(bot)
    reply = held(bot)
    force_id = reply.message.components[0]["components"][0]["custom_id"]
    left = bot.ada().click(reply.message.id, "Leave it").wait(quiet=QUIET_S)
    assert left.content == "Everything stays as it was."
    assert left.ephemeral
    late = bot.ada().click(left.message.id, force_id, force=True).submit({"reason": "x"}).wait(quiet=QUIET_S)
    assert "has decided to leave it" in late.content
    assert selected(bot) == "default"
    # It can be tried again; both sides are known by now.
    runs = gate_runs(bot)
    again = held(bot)
    assert "7 worse" in again.content
    assert gate_runs(bot) == runs + 1


def test_only_managers_do_it(bot: Bot) -> None:
    prepare(bot)
    role = bot.bob(roles=["Trainers"])
    shown = bot.ada().command("settings", trainer_role="Trainers").wait(quiet=QUIET_S)
    assert "may teach me" in shown.content
    reply = role.command("select_dataset", {"name": "events"}, force=True).wait(quiet=QUIET_S)
    assert "was not selected" in reply.content
    for client in (role, bot.playground.client("Eve")):
        refused = client.click(
            reply.message.id, reply.message.components[0]["components"][0]["custom_id"], force=True
        )
        told = refused.wait(quiet=QUIET_S)
        assert told.modal is None
        assert "Only managers" in told.content
    eve = bot.playground.client("Eve").click(shown.message.id, "gate-leave:selection:1", force=True)
    assert "for managers" in eve.wait(quiet=QUIET_S).content
    assert selected(bot) == "default"
    # A trainer may leave it.
    left = role.click(reply.message.id, "Leave it").wait(quiet=QUIET_S)
    assert left.content == "Everything stays as it was."


def test_who_is_no_manager_any_more_does_not_do_it(bot: Bot) -> None:
    prepare(bot)
    reply = held(bot)

    bot.stop_worker()
    forced = force(bot.ada(), reply)
    (job,) = bot.queue.lease(wait_s=5, visibility_s=60)
    body = json.loads(json.dumps(forced.payload))
    body["member"]["permissions"] = "0"
    assert bot.performer.perform(pack(json.dumps(body).encode()), 1).do == "complete"
    bot.queue.complete(job)
    bot.start_worker()
    assert "Only managers" in forced.wait(quiet=QUIET_S).content
    assert selected(bot) == "default"
    assert "“events” is selected" in force(bot.ada(), reply).wait(quiet=QUIET_S).content


def test_without_a_reason_nothing_is_done(bot: Bot) -> None:
    prepare(bot)
    told = force(bot.ada(), held(bot), "  \n ").wait(quiet=QUIET_S)
    assert told.ephemeral
    assert told.content == "Please say why. Nothing was changed."
    assert selected(bot) == "default"


def test_a_test_of_yesterday_holds_no_more(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(bot)
    reply = held(bot)
    opened = bot.ada().click(reply.message.id, "Do it all the same…")
    monkeypatch.setattr(gate_store, "HOLDS_S", -1.0)
    told = opened.submit({"reason": "x"}).wait(quiet=QUIET_S)
    assert "more than a day old" in told.content
    monkeypatch.setattr(gate_commands, "OLD_S", -1.0)
    refused = bot.ada().click(reply.message.id, "Do it all the same…").wait(quiet=QUIET_S)
    assert refused.modal is None
    assert "more than a day old" in refused.content
    assert selected(bot) == "default"


def test_forged_ids_find_nothing(bot: Bot) -> None:
    prepare(bot)
    exchange = select(bot, "events")
    reply = exchange.wait(quiet=QUIET_S)
    now = exchange.id
    for subject in (f"instruction:{now}", f"approval:{now}", f"selection:{int(now) + 1}", f"nothing:{now}"):
        opened = bot.ada().click(reply.message.id, f"gate-force:{subject}", force=True)
        told = opened.submit({"reason": "x"}).wait(quiet=QUIET_S)
        assert "I know nothing of that test" in told.content
    for subject in ("selection:../x", "selection:", "x"):
        told = bot.ada().click(reply.message.id, f"gate-force:{subject}", force=True).wait(quiet=QUIET_S)
        assert told.modal is None
        left = bot.ada().click(exchange.messages[0].id, f"gate-leave:{subject}", force=True).wait(quiet=QUIET_S)
        assert "I know nothing of that test" in left.content
    assert selected(bot) == "default"


def test_what_passed_is_nothing_to_be_forced(bot: Bot) -> None:
    turn_on(bot)
    exchange = select(bot, "events")
    shown = exchange.wait(quiet=QUIET_S)
    opened = bot.ada().click(shown.message.id, f"gate-force:selection:{exchange.id}", force=True)
    assert "I know nothing of that test" in opened.submit({"reason": "x"}).wait(quiet=QUIET_S).content


def test_in_a_direct_message_the_person_is_asked_too(bot: Bot) -> None:
    bob = bot.bob(where="dm")
    scope = Scope("user", bob.user.id)
    told = bob.command("settings", {"gate": True}).wait(quiet=QUIET_S).content
    assert "just you and me" in told
    assert "I test them" in told
    correct(bot, days(), scope=scope)
    teach(bot, days(shift=1), dataset="events", scope=scope)
    reply = select(bot, "events", bob).wait(quiet=QUIET_S)
    assert "7 worse" in reply.content
    assert selected(bot, scope) == "default"
    done = force(bob, reply, "Because.").wait(quiet=QUIET_S)
    assert "“events” is selected" in done.content
    assert selected(bot, scope) == "events"
    assert selected(bot) == "default"


def test_in_russian(bot: Bot) -> None:
    prepare(bot)
    ada = bot.ada(locale="ru")
    assert "проверяю" in ada.command("settings").wait(quiet=QUIET_S).content
    reply = select(bot, "events", ada).wait(quiet=QUIET_S)
    assert "Набор «events» не выбран." in reply.content
    assert "p = 0,016" in reply.content
    done = force(ada, reply, "Даты сдвинулись.", "Всё равно сделать…").wait(quiet=QUIET_S)
    assert "«Даты сдвинулись.»" in done.content


def test_without_a_runner_there_is_no_gate(bot: Bot) -> None:
    turn_on(bot)

    class Call:
        services = bot.services._replace(evaluation=None)
        actor = ada_of(bot)

    assert not gating.is_gated(Call())  # type: ignore[arg-type]
