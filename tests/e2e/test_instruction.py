"""/instruction as people use it: reading, changing by form and by file, restoring, and what a chat model is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from playground.cdn import File
from tests.bot import Bot
from tests.discord import validate_all
from tests.e2e.redelivery import answered_again
from tests.openai_server import OpenAiServer
from trainer.instructions import FILE_MOST, default_instruction
from trainer.prompt import RULES
from trainer.settings import change_settings

if TYPE_CHECKING:
    from pathlib import Path

    from playground.clients import Reply
    from tests.discord import OpenApi

QUIET_S = 0.05
"""No reply here is written piece by piece: it is complete when it is there."""
OWN = "Talk like a pirate.\n\n# Rules\n\n- Say “Arr” first."
DEFAULT_START = "You are Trainger, an assistant"


def show(bot: Bot) -> Reply:
    return bot.ada().command("instruction").wait(quiet=QUIET_S)


def labels(reply: Reply) -> list[str]:
    return [one["label"] for row in reply.message.components for one in row["components"]]


def edit(bot: Bot, text: str) -> Reply:
    """What the form answers with."""
    shown = show(bot)
    return bot.ada().click(shown.message.id, "Edit").submit({"text": text}).wait(quiet=QUIET_S)


def press(bot: Bot, reply: Reply, label: str) -> Reply:
    return bot.ada().click(reply.message.id, label).wait(quiet=QUIET_S)


def put_in_force(bot: Bot, text: str) -> None:
    assert "is in force from the next question on" in press(bot, edit(bot, text), "Apply").content


def test_everybody_reads_the_default_text(bot: Bot) -> None:
    shown = bot.bob().command("instruction").wait(quiet=QUIET_S)
    assert shown.ephemeral
    assert shown.content.startswith(DEFAULT_START)
    assert shown.content.endswith("-# The default text")
    assert labels(shown) == []
    assert labels(show(bot)) == ["Edit", "History"]


def test_in_russian(bot: Bot) -> None:
    shown = bot.bob(locale="ru").command("instruction").wait(quiet=QUIET_S)
    assert shown.content.startswith("Вы — Trainger")
    assert shown.content.endswith("-# Текст по умолчанию")


def test_a_long_text_has_pages(bot: Bot) -> None:
    paragraphs = [f"Paragraph {number}. " + "Words of it. " * 40 for number in range(7)]
    put_in_force(bot, "\n\n".join(paragraphs))
    first = bot.bob().command("instruction").wait(quiet=QUIET_S)
    assert "page 1 of 3" in first.content
    assert labels(first) == ["Next"]
    second = bot.bob().click(first.message.id, "Next").wait(quiet=QUIET_S)
    assert second.message.id == first.message.id
    assert "page 2 of 3" in second.content
    assert labels(second) == ["Back", "Next"]
    third = bot.bob().click(first.message.id, "Next").wait(quiet=QUIET_S)
    assert "Paragraph 6." in third.content
    assert labels(third) == ["Back"]
    assert bot.bob().click(first.message.id, "Back").wait(quiet=QUIET_S).content == second.content
    put_in_force(bot, "Short.")
    assert (
        bot.bob()
        .click(first.message.id, "instruction-page:2", force=True)
        .wait(quiet=QUIET_S)
        .content.startswith("Short.")
    )
    forged = bot.bob().click(first.message.id, "instruction-page:٣", force=True).wait(quiet=QUIET_S)
    assert forged.content.startswith("Short.")


def test_a_manager_changes_it_in_a_form(bot: Bot) -> None:
    opened = bot.ada().click(show(bot).message.id, "Edit")
    assert opened.modal is not None
    assert opened.modal["components"][0]["component"]["value"] == default_instruction()
    proposed = opened.submit({"text": f"{default_instruction()}\n- Never shout."}).wait(quiet=QUIET_S)
    assert proposed.ephemeral
    assert "```diff\n@@" in proposed.content
    assert "+- Never shout." in proposed.content
    assert "-You are" not in proposed.content
    assert "Never shout" not in show(bot).content
    applied = press(bot, proposed, "Apply")
    assert applied.message.id == proposed.message.id
    shown = press(bot, applied, "Show the instruction")
    assert "- Never shout." in shown.content
    assert f"Changed by <@{bot.ada().user.id}>" in shown.content
    assert labels(shown) == ["Edit", "History", "Reset"]
    assert bot.bob(where="dm").command("instruction").wait(quiet=QUIET_S).content.endswith("-# The default text")


def test_a_discarded_change_changes_nothing(bot: Bot) -> None:
    proposed = edit(bot, OWN)
    apply = proposed.message.components[0]["components"][0]["custom_id"]
    assert press(bot, proposed, "Discard").content == "Nothing was changed."
    assert show(bot).content.startswith(DEFAULT_START)
    again = bot.ada().click(proposed.message.id, apply, force=True).wait(quiet=QUIET_S)
    assert again.content == "This draft is no longer there, so nothing was changed."


def test_what_was_applied_is_not_discarded(bot: Bot) -> None:
    proposed = edit(bot, OWN)
    apply, discard = (one["custom_id"] for one in proposed.message.components[0]["components"])
    press(bot, proposed, "Apply")
    told = bot.ada().click(proposed.message.id, discard, force=True).wait(quiet=QUIET_S)
    assert told.content.startswith("It was applied already.")
    assert "is in force" in bot.ada().click(proposed.message.id, apply, force=True).wait(quiet=QUIET_S).content
    assert show(bot).content.startswith("Talk like a pirate.")


def test_a_change_made_against_an_older_text_is_shown_again(bot: Bot) -> None:
    grace = bot.playground.client("Grace", manager=True)
    mine = edit(bot, OWN)
    shown = grace.command("instruction").wait(quiet=QUIET_S)
    theirs = grace.click(shown.message.id, "Edit").submit({"text": "Be polite."}).wait(quiet=QUIET_S)
    grace.click(theirs.message.id, "Apply").wait(quiet=QUIET_S)
    told = press(bot, mine, "Apply")
    assert f"Meanwhile <@{grace.user.id}> has changed the instruction" in told.content
    assert "-Be polite." in told.content
    assert show(bot).content.startswith("Be polite.")
    assert "is in force" in press(bot, told, "Apply").content
    assert show(bot).content.startswith("Talk like a pirate.")


def test_a_form_that_was_open_while_it_changed_says_so(bot: Bot) -> None:
    opened = bot.ada().click(show(bot).message.id, "Edit")
    put_in_force(bot, "Be polite.")
    proposed = opened.submit({"text": OWN}).wait(quiet=QUIET_S)
    assert "Meanwhile <@" in proposed.content
    assert "-Be polite." in proposed.content


def test_a_file_replaces_it(bot: Bot) -> None:
    long = "\n".join(f"- Rule {number}: be kind." for number in range(400))
    data = b"\xef\xbb\xbf" + long.replace("\n", "\r\n").encode()
    proposed = bot.ada().command("instruction", file=File("rules.md", data)).wait(quiet=QUIET_S)
    assert proposed.ephemeral
    assert "it is attached whole" in proposed.content
    (attached,) = proposed.files
    assert attached.data.decode().endswith("+- Rule 399: be kind.")
    press(bot, proposed, "Apply")
    shown = show(bot)
    assert "- Rule 0: be kind." in shown.content
    (whole,) = shown.files
    assert whole.data.decode() == long
    told = press(bot, shown, "Edit")
    assert told.content.startswith("The text is too long for a form.")


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("rules.pdf", b"Be kind.", "as a text file"),
        ("rules.md", b"\xff\xfe\x00", "as a text file"),
        ("rules.md", b"Be\x00kind", "as a text file"),
        ("rules.txt", b" \r\n ", "There is nothing in it."),
        ("rules.txt", b"a" * (FILE_MOST + 1), "up to 32 KiB"),
    ],
)
def test_a_file_that_is_no_instruction_is_refused(bot: Bot, name: str, data: bytes, sentence: str) -> None:
    refused = bot.ada().command("instruction", file=File(name, data)).wait(quiet=QUIET_S)
    assert refused.ephemeral
    assert sentence in refused.content
    assert show(bot).content.startswith(DEFAULT_START)


def test_a_file_that_lies_about_its_size_is_refused(bot: Bot) -> None:
    def small(payload: dict[str, object]) -> None:
        data = payload["data"]
        assert isinstance(data, dict)
        for attachment in data["resolved"]["attachments"].values():
            attachment["size"] = 10

    file = File("rules.txt", b"a" * (FILE_MOST + 1))
    assert (
        "up to 32 KiB" in bot.ada().command("instruction", {"file": file}, mutate=small).wait(quiet=QUIET_S).content
    )


def test_the_same_text_changes_nothing(bot: Bot) -> None:
    put_in_force(bot, OWN)
    assert edit(bot, f"{OWN}\n").content == "That is the text in force, so there is nothing to change."
    assert edit(bot, "  \n").content.startswith("There is nothing in it.")


def test_the_history_restores_and_the_default_comes_back(bot: Bot) -> None:
    empty = press(bot, show(bot), "History")
    assert "It was never changed: the default text is in force." in empty.content
    put_in_force(bot, "First.")
    put_in_force(bot, "Second.")
    history = press(bot, show(bot), "History")
    lines = history.content.splitlines()
    assert f"<@{bot.ada().user.id}>: 7 characters (in force)" in lines[1]
    assert lines[2].endswith("6 characters")
    assert labels(history) == ["Show the instruction", "Restore 2"]
    proposed = press(bot, history, "Restore 2")
    assert "Bring that version back?" in proposed.content
    assert "-Second.\n+First." in proposed.content
    press(bot, proposed, "Apply")
    shown = show(bot)
    assert shown.content.startswith("First.")
    reset = press(bot, shown, "Reset")
    assert "Go back to the default text?" in reset.content
    assert "The default text is in force again" in press(bot, reset, "Apply").content
    shown = show(bot)
    assert shown.content.startswith(DEFAULT_START)
    history = press(bot, shown, "History")
    assert "back to the default text (in force)" in history.content.splitlines()[1]
    assert "an earlier text, 6 characters" in history.content.splitlines()[2]
    assert labels(history) == ["Show the instruction", "Restore 2", "Restore 3", "Restore 4"]


def test_members_only_read(bot: Bot) -> None:
    put_in_force(bot, OWN)
    proposed = edit(bot, "Be rude.")
    ids = [one["custom_id"] for one in proposed.message.components[0]["components"]]
    shown = bot.bob().command("instruction").wait(quiet=QUIET_S)
    for custom_id in [
        *ids,
        "instruction-edit:",
        "instruction-history:",
        "instruction-reset:",
        "instruction-restore:1",
    ]:
        refused = bot.bob().click(shown.message.id, custom_id, force=True).wait(quiet=QUIET_S)
        assert refused.ephemeral
        assert "is for managers" in refused.content
    refused = bot.bob().command("instruction", file=File("rules.md", b"Be rude.")).wait(quiet=QUIET_S)
    assert "is for managers" in refused.content
    assert show(bot).content.startswith("Talk like a pirate.")


def test_who_has_the_trainer_role_may_change_it_as_long_as_they_have_it(bot: Bot) -> None:
    store, scope = bot.services.store, bot.services_scope()
    trainer = bot.bob(roles=["Trainers"])
    reading = trainer.command("instruction")
    assert labels(reading.wait(quiet=QUIET_S)) == []
    role = reading.payload["member"]["roles"][0]
    change_settings(store, scope, lambda old: msgspec.structs.replace(old, trainer_role=role))
    shown = trainer.command("instruction").wait(quiet=QUIET_S)
    proposed = trainer.click(shown.message.id, "Edit").submit({"text": OWN}).wait(quiet=QUIET_S)
    bot.stop_worker()
    late = trainer.click(proposed.message.id, "Apply")
    change_settings(store, scope, lambda old: msgspec.structs.replace(old, trainer_role=""))
    bot.start_worker()
    assert "is for managers" in late.wait(quiet=QUIET_S).content
    assert show(bot).content.startswith(DEFAULT_START)


def test_forged_buttons_find_nothing(bot: Bot) -> None:
    shown = show(bot)
    for subject in ("1", "../settings", "²", ""):
        told = bot.ada().click(shown.message.id, f"instruction-restore:{subject}", force=True).wait(quiet=QUIET_S)
        assert told.content == "That version is no longer there."
        told = bot.ada().click(shown.message.id, f"instruction-apply:{subject}", force=True).wait(quiet=QUIET_S)
        assert told.content == "This draft is no longer there, so nothing was changed."
        assert (
            bot.ada()
            .click(shown.message.id, f"instruction-discard:{subject}", force=True)
            .wait(quiet=QUIET_S)
            .messages
        )


def test_a_second_delivery_changes_nothing_and_says_the_same(bot: Bot) -> None:
    form = bot.ada().click(show(bot).message.id, "Edit").submit({"text": OWN})
    proposed = form.wait(quiet=QUIET_S)
    assert answered_again(bot, form) == proposed.content
    applying = bot.ada().click(proposed.message.id, "Apply")
    told = applying.wait(quiet=QUIET_S).content
    put_in_force(bot, "Newer.")
    assert answered_again(bot, applying) == told
    assert show(bot).content.startswith("Newer.")


def test_a_text_cannot_end_the_block_it_is_shown_in(bot: Bot) -> None:
    proposed = edit(bot, "```\n@everyone\n````js")
    assert proposed.content.count("```") == 2
    assert not proposed.message.pinged


def test_a_chat_model_is_told_first_what_is_in_force(tmp_path: Path, openapi_if_there: OpenApi | None) -> None:
    with OpenAiServer() as server, Bot(tmp_path, openai_base_url=server.base_url) as bot:
        server.reply_with("Arr, press M.")
        bot.ada().command("train", text="Q: Where is the map? A: Press M.").wait(quiet=QUIET_S)

        def told() -> str:
            assert "Arr" in bot.bob().command("ask", {"prompt": "Where is the map?"}).wait(quiet=QUIET_S).content
            message = server.chats[-1]["messages"][0]
            assert message["role"] == "system"
            return str(message["content"])

        assert told().startswith(f"{default_instruction()}\n\n{RULES}")
        put_in_force(bot, OWN)
        assert told().startswith(f"{OWN}\n\n{RULES}")
        bot.bob(where="dm").command("train", text="Q: Where is the map? A: Press M.").wait(quiet=QUIET_S)
        bot.bob(where="dm").command("ask", {"prompt": "Where is the map?"}).wait(quiet=QUIET_S)
        assert server.chats[-1]["messages"][0]["content"].startswith(default_instruction())
        press(bot, press(bot, show(bot), "Reset"), "Apply")
        assert told().startswith(f"{default_instruction()}\n\n{RULES}")
        if openapi_if_there is not None:
            assert validate_all(openapi_if_there, bot.playground.requests) > 0
