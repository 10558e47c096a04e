"""A new instruction is tested before a chat model reads it, and one button takes a change back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.bot import Bot
from tests.e2e.gated import QUIET_S, add, days, force, gate_runs, labels, teach, turn_on
from tests.e2e.redelivery import deliver_again
from tests.openai_server import OpenAiServer
from trainer.instructions import current_version
from trainer.settings import choose_gate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playground.clients import Exchange, Reply

PIRATE = "Say nothing but arr."


def answers(body: dict[str, Any]) -> str:
    """The right day, unless the instruction makes a pirate of it."""
    if body["messages"][0]["content"].startswith(PIRATE):
        return "Arr!"
    asked = json.loads(body["messages"][-1]["content"])["question"]
    return f"It starts on {days()[asked]}."


@pytest.fixture
def server() -> Iterator[OpenAiServer]:
    with OpenAiServer() as running:
        running.reply_with(answers)
        yield running


@pytest.fixture
def smart(tmp_path: Path, server: OpenAiServer) -> Iterator[Bot]:
    """With a chat model, seven taught answers, as many cases, and the gate."""
    with Bot(tmp_path, openai_base_url=server.base_url) as bot:
        teach(bot, days())
        add(bot, days())
        turn_on(bot)
        yield bot


def edit(bot: Bot, text: str) -> Reply:
    shown = bot.ada().command("instruction").wait(quiet=QUIET_S)
    return bot.ada().click(shown.message.id, "Edit").submit({"text": text}).wait(quiet=QUIET_S)


def apply(bot: Bot, text: str) -> Exchange:
    return bot.ada().click(edit(bot, text).message.id, "Apply")


def text_in_force(bot: Bot) -> str:
    version = current_version(bot.services.store, bot.services_scope())
    return version.text if version is not None else ""


def test_an_instruction_that_does_no_harm_comes_into_force(smart: Bot, server: OpenAiServer) -> None:
    reply = apply(smart, "Be kind.").wait(quiet=QUIET_S)
    assert "is in force from the next question on" in reply.content
    assert reply.content.endswith("-# Tested first: 7 of 7 cases as before, 0 better, p = 1.000.")
    assert text_in_force(smart) == "Be kind."
    assert len(server.chats) == 14
    # What is in force was tested before, so only the new text is.
    again = apply(smart, "Be very kind.").wait(quiet=QUIET_S)
    assert "Tested first: 7 of 7" in again.content
    assert len(server.chats) == 21


def test_an_instruction_that_spoils_answers_is_held_back(smart: Bot) -> None:
    applying = apply(smart, PIRATE)
    reply = applying.wait(quiet=QUIET_S)
    assert reply.ephemeral
    assert reply.content.startswith("The instruction was not changed.\nI tested it first")
    assert "7 worse, p = 0.016." in reply.content
    assert "**Arr!**" in reply.content
    assert text_in_force(smart) == ""
    assert labels(reply.message) == ["Do it all the same…", "Leave it"]
    forced = force(smart.ada(), reply, "Talk Like a Pirate Day.")
    done = forced.wait(quiet=QUIET_S)
    assert done.ephemeral
    assert "is in force from the next question on" in done.content
    assert "although the test went worse: “Talk Like a Pirate Day.”" in done.content
    version = current_version(smart.services.store, smart.services_scope())
    assert version is not None
    assert (version.text, version.reason, version.gate) == (PIRATE, "Talk Like a Pirate Day.", applying.id)
    history = smart.ada().click(done.message.id, "History").wait(quiet=QUIET_S).content.splitlines()
    assert history[2] == "-# It had not passed its test. Why all the same: “Talk Like a Pirate Day.”"
    back = smart.ada().click(done.message.id, "instruction-undo:" + version.id, force=True).wait(quiet=QUIET_S)
    assert back.content == "The change was taken back: the default text is in force again."
    assert text_in_force(smart) == ""
    # Taking back is not tested, and can be taken back itself.
    redone = smart.ada().click(back.message.id, "Undo").wait(quiet=QUIET_S)
    assert "the text before it is in force again" in redone.content
    assert text_in_force(smart) == PIRATE


def test_it_is_left_as_it_is(smart: Bot) -> None:
    reply = apply(smart, PIRATE).wait(quiet=QUIET_S)
    left = smart.ada().click(reply.message.id, "Leave it").wait(quiet=QUIET_S)
    assert left.message.id == reply.message.id
    assert left.content == "Everything stays as it was."
    assert labels(left.message) == []
    assert text_in_force(smart) == ""


def test_what_somebody_else_changed_meanwhile_is_looked_at_again(smart: Bot) -> None:
    mine = edit(smart, PIRATE)
    held = smart.ada().click(mine.message.id, "Apply").wait(quiet=QUIET_S)
    grace = smart.playground.client("Grace", manager=True)
    shown = grace.command("instruction").wait(quiet=QUIET_S)
    theirs = grace.click(shown.message.id, "Edit").submit({"text": "Be polite."}).wait(quiet=QUIET_S)
    assert "is in force" in grace.click(theirs.message.id, "Apply").wait(quiet=QUIET_S).content
    told = force(smart.ada(), held).wait(quiet=QUIET_S)
    assert f"Meanwhile <@{grace.user.id}> has changed the instruction" in told.content
    assert "-Be polite." in told.content
    assert text_in_force(smart) == "Be polite."
    # The old draft is not tested: what it was compared with is not in force.
    runs = gate_runs(smart)
    old = smart.ada().click(told.message.id, "Apply")
    assert "was not changed" in old.wait(quiet=QUIET_S).content
    assert gate_runs(smart) == runs + 1


def test_a_draft_against_an_older_text_is_not_tested(smart: Bot) -> None:
    mine = edit(smart, "Be brief.")
    grace = smart.playground.client("Grace", manager=True)
    shown = grace.command("instruction").wait(quiet=QUIET_S)
    theirs = grace.click(shown.message.id, "Edit").submit({"text": "Be polite."}).wait(quiet=QUIET_S)
    grace.click(theirs.message.id, "Apply").wait(quiet=QUIET_S)
    runs = gate_runs(smart)
    told = smart.ada().click(mine.message.id, "Apply").wait(quiet=QUIET_S)
    assert "please look at the difference again" in told.content
    assert gate_runs(smart) == runs


def test_a_second_delivery_says_the_same(smart: Bot) -> None:
    for text, said in (("Be kind.", "Tested first: 7 of 7"), (PIRATE, "was not changed")):
        applying = apply(smart, text)
        first = applying.wait(quiet=QUIET_S).content
        assert said in first
        runs = gate_runs(smart)
        deliver_again(smart, applying)
        assert applying.wait(quiet=QUIET_S).content == first
        assert gate_runs(smart) == runs
    assert text_in_force(smart) == "Be kind."


def test_a_model_that_is_down_tests_nothing(smart: Bot, server: OpenAiServer) -> None:
    server.fail(status=401, code="invalid_api_key", times=1000)
    reply = apply(smart, "Be kind.").wait(quiet=QUIET_S)
    lines = reply.content.splitlines()
    assert lines[:2] == [
        "The instruction was not changed.",
        "I could not test it: too many answers could not be judged.",
    ]
    assert lines[2] == "• the model did not answer: 14"
    assert text_in_force(smart) == ""
    server.recover()
    # Nothing of that is believed when it is tried again.
    assert "Tested first: 7 of 7" in apply(smart, "Be kind.").wait(quiet=QUIET_S).content


def test_progress_is_shown(smart: Bot, server: OpenAiServer) -> None:
    server.chunk_delay_s = 0.2
    reply = apply(smart, "Be kind.").wait(quiet=QUIET_S)
    shown = [revision.content for revision in reply.message.history]
    assert any(text.startswith("⏳ Testing first: ") and text.endswith(" of 14 answers…") for text in shown)


def test_without_a_model_nobody_reads_it(bot: Bot) -> None:
    add(bot, days())
    turn_on(bot)
    reply = apply(bot, PIRATE).wait(quiet=QUIET_S)
    assert "is in force" in reply.content
    assert "-# Not tested: without a language model, it makes no difference to any answer." in reply.content
    assert gate_runs(bot) == 0


def test_a_change_is_taken_back_by_one_button(bot: Bot) -> None:
    first = apply(bot, "First.").wait(quiet=QUIET_S)
    assert labels(first.message) == ["Undo", "Show the instruction", "History"]
    second = apply(bot, "Second.").wait(quiet=QUIET_S)
    late = bot.ada().click(first.message.id, "Undo").wait(quiet=QUIET_S)
    assert "has changed the instruction again, so nothing was taken back." in late.content
    assert text_in_force(bot) == "Second."
    undo = bot.ada().click(second.message.id, "Undo")
    undone = undo.wait(quiet=QUIET_S)
    assert undone.content == "The change was taken back: the text before it is in force again."
    assert text_in_force(bot) == "First."
    history = bot.ada().click(undone.message.id, "History").wait(quiet=QUIET_S)
    assert "an earlier text, 6 characters (in force)" in history.content.splitlines()[1]
    deliver_again(bot, undo)
    assert text_in_force(bot) == "First."
    for subject in ("", "1", "../x"):
        told = bot.ada().click(second.message.id, f"instruction-undo:{subject}", force=True).wait(quiet=QUIET_S)
        assert "nothing was taken back" in told.content
    refused = bot.bob().click(second.message.id, f"instruction-undo:{undo.id}", force=True).wait(quiet=QUIET_S)
    assert "is for managers" in refused.content
    assert text_in_force(bot) == "First."


def test_undoing_what_nobody_changed(bot: Bot) -> None:
    shown = bot.ada().command("instruction").wait(quiet=QUIET_S)
    told = bot.ada().click(shown.message.id, "instruction-undo:5", force=True).wait(quiet=QUIET_S)
    assert told.content == "I know nothing of that change any more, so nothing was taken back."


def test_who_turns_it_off_has_nothing_tested(smart: Bot) -> None:
    held = apply(smart, PIRATE).wait(quiet=QUIET_S)
    assert "was not changed" in held.content
    choose_gate(smart.services.store, smart.services_scope(), "9" * 19, on=False)
    reply = apply(smart, PIRATE).wait(quiet=QUIET_S)
    assert reply.content == "The new instruction is in force from the next question on."
