"""Type a slash command, get back what you taught: as a manager, a member, in a direct message, in Russian."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from playground.cdn import File

if TYPE_CHECKING:
    from tests.bot import Bot

QUESTION = "How do I reset my password?"
REWORDED = "I forgot my password, what can I do?"
WRONG = "Ask a friend."
RIGHT = "Press “Forgot password” on the sign-in page."
FAQ = Path(__file__).parent / "faq.csv"


def teach(bot: Bot, text: str, dataset: str = "") -> str:
    options = {"text": text, "dataset": dataset} if dataset else {"text": text}
    return bot.ada().command("train", options).wait().content


def ask(bot: Bot, prompt: str) -> str:
    return bot.bob().command("ask", prompt=prompt).wait().content


def test_what_was_taught_is_answered_and_corrected(bot: Bot) -> None:
    assert "I don't know that yet." in ask(bot, QUESTION)
    assert "I learned 1 new thing" in teach(bot, f"Q: {QUESTION}\nA: {WRONG}")
    first = bot.bob().command("ask", prompt=REWORDED).wait()
    assert first.content.startswith(WRONG)
    assert "-# Source: taught by" in first.content
    told = bot.ada().command("correct", message_id=first.message.id, correction=RIGHT).wait().content
    assert told.startswith("Thank you! From now on")
    assert ask(bot, QUESTION).startswith(RIGHT) or ask(bot, REWORDED).startswith(RIGHT)
    corrected = ask(bot, REWORDED)
    assert corrected.startswith(RIGHT)
    assert "-# Corrected by" in corrected


def test_teaching_the_same_twice_changes_nothing(bot: Bot) -> None:
    teach(bot, f"Q: {QUESTION} A: {RIGHT}")
    assert teach(bot, f"Q: {QUESTION.upper()} A: {RIGHT}") == "I knew all of that already, so nothing has changed."


def test_a_file_is_learned_with_its_rows_as_sources(bot: Bot) -> None:
    with FAQ.open(encoding="utf-8") as file:
        rows = len(list(csv.DictReader(file)))
    reply = bot.ada().command("train", file=File("faq.csv", FAQ.read_bytes())).wait()
    assert f"I learned {rows} new things for “default”" in reply.content
    answer = ask(bot, "my account got hacked, who do I tell?")
    assert "faq.csv, row" in answer


def test_rejected_lines_are_told_and_attached(bot: Bot) -> None:
    lines = ["question,answer", "Where is the map?,Press M.", *[f"Only a question {n}?," for n in range(9)]]
    reply = bot.ada().command("train", file=File("faq.csv", "\n".join(lines).encode())).wait()
    assert "I learned 1 new thing" in reply.content
    assert "• 9 not learned:" in reply.content
    assert "row 3: the answer is missing" in reply.content
    assert "…and 4 more, in the file." in reply.content
    (attached,) = reply.files
    assert attached.data.decode().splitlines()[-1].startswith("row 11: the answer is missing")


def test_text_beside_a_refused_file_is_learned(bot: Bot) -> None:
    picture = File("faq.csv", b"\x89PNG\r\n\x1a\n" + bytes(64))
    told = bot.ada().command("train", text="Q: One? A: Uno.", file=picture).wait().content
    assert "I don't read that kind of file (image)" in told
    assert "I learned 1 new thing" in told
    answer = bot.bob().command("ask", prompt="One?").wait().content
    assert answer.startswith("Uno.\n-# Source: taught by")


def test_a_file_that_is_no_text_is_refused_with_a_reason(bot: Bot) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + bytes(64)
    told = bot.ada().command("train", file=File("faq.csv", picture)).wait().content
    assert "I read JSONL, JSON, CSV" in told
    empty = bot.ada().command("train", file=File("faq.csv", b"")).wait().content
    assert "empty" in empty


def test_the_form_teaches_text_and_file_together(bot: Bot) -> None:
    opened = bot.ada().command("train", dataset="default")
    assert opened.modal is not None
    sent = opened.submit({"text": "Q: One? A: Uno.", "file": File("two.txt", b"Q: Two?\nA: Due.")})
    assert "I learned 2 new things" in sent.wait().content
    assert ask(bot, "Two?").startswith("Due.")


def test_a_dataset_of_another_name_is_kept_apart(bot: Bot) -> None:
    assert "for “events”" in teach(bot, "Q: When is the party? A: Friday.", dataset="Events")
    assert "I don't know that yet." in ask(bot, "When is the party?")
    choices = bot.ada().autocomplete("train", "dataset", "ev").wait().choices
    assert choices == [{"name": "events", "value": "events"}]


def test_the_button_and_the_menu_correct_too(bot: Bot) -> None:
    teach(bot, f"Q: {QUESTION} A: {WRONG}")
    answer = bot.ada().command("ask", prompt=QUESTION).wait().message
    by_button = bot.ada().click(answer.id, "Correct").submit({"correction": "First."}).wait().content
    assert "From now on" in by_button
    assert ask(bot, QUESTION).startswith("First.")
    opened = bot.ada().message_command("Correct this answer", answer.id)
    assert "From now on" in opened.submit({"correction": RIGHT}).wait().content
    assert ask(bot, QUESTION).startswith(RIGHT)


def test_an_unknown_question_can_be_taught_by_its_button(bot: Bot) -> None:
    unknown = bot.ada().command("ask", prompt="Who painted the lobby?").wait().message
    bot.ada().click(unknown.id, "Correct").submit({"correction": "Mira did."}).wait()
    assert ask(bot, "Who painted the lobby?").startswith("Mira did.")


def test_a_members_correction_waits_for_a_manager(bot: Bot) -> None:
    teach(bot, f"Q: {QUESTION} A: {WRONG}")
    answer = bot.bob().command("ask", prompt=QUESTION).wait().message
    proposal = bot.bob().click(answer.id, "Correct").submit({"correction": RIGHT}).wait()
    assert "A manager decides" in proposal.content
    assert ask(bot, QUESTION).startswith(WRONG)
    refused = bot.bob().click(proposal.message.id, "Approve").wait()
    assert "Only managers" in refused.content
    approved = bot.ada().click(proposal.message.id, "Approve").wait()
    assert "Approved by" in approved.content
    assert approved.message.id == proposal.message.id
    assert ask(bot, QUESTION).startswith(RIGHT)


def test_a_rejected_correction_changes_nothing_and_stays_rejected(bot: Bot) -> None:
    teach(bot, f"Q: {QUESTION} A: {WRONG}")
    answer = bot.bob().command("ask", prompt=QUESTION).wait().message
    proposal = bot.bob().click(answer.id, "Correct").submit({"correction": "spam"}).wait().message
    rejected = bot.ada().click(proposal.id, "Reject").wait().content
    assert "Rejected by" in rejected
    again = bot.ada().click(proposal.id, f"approve:{proposal_subject(rejected, bot)}", force=True).wait().content
    assert "Rejected by" in again
    assert ask(bot, QUESTION).startswith(WRONG)


def proposal_subject(_: str, bot: Bot) -> str:
    """What the buttons of the only proposal are about."""
    keys = [info.key for info in bot.services.store.list("g") if "/corrections/" in info.key]
    return f"{keys[0].rpartition('/')[2].removesuffix('.json')}:default"


def test_a_message_that_is_no_answer_is_not_corrected(bot: Bot) -> None:
    said = bot.bob().say("hello")
    told = bot.ada().message_command("Correct this answer", said.id).wait()
    assert "not an answer of mine" in told.content
    told = bot.ada().command("correct", message_id=said.id, correction="x").wait()
    assert "I find no answer of mine in that message" in told.content


def test_a_private_answer_is_only_for_the_person(bot: Bot) -> None:
    teach(bot, f"Q: {QUESTION} A: {RIGHT}")
    assert bot.bob().command("ask", prompt=QUESTION, private=True).wait().ephemeral
    assert not bot.bob().command("ask", prompt=QUESTION).wait().ephemeral


def test_a_direct_message_is_a_room_of_its_own(bot: Bot) -> None:
    teach(bot, f"Q: {QUESTION} A: {RIGHT}")
    in_private = bot.bob(where="dm")
    assert "I don't know that yet." in in_private.command("ask", prompt=QUESTION).wait().content
    assert "I learned 1" in in_private.command("train", text=f"Q: {QUESTION} A: My own.").wait().content
    assert in_private.command("ask", prompt=QUESTION).wait().content.startswith("My own.")
    assert ask(bot, QUESTION).startswith(RIGHT)


def test_installed_by_the_person_only_it_is_the_same_room(bot: Bot) -> None:
    bot.bob(where="dm").command("train", text=f"Q: {QUESTION} A: My own.").wait()
    elsewhere = bot.bob(where="private")
    assert elsewhere.command("ask", prompt=QUESTION).wait().content.startswith("My own.")


def test_russian(bot: Bot) -> None:
    ada = bot.ada(locale="ru")
    assert "Я выучил 1 новую запись" in ada.command("train", text="В: Где карта? О: Нажмите М.").wait().content
    answer = ada.command("ask", prompt="где найти карту").wait()
    assert answer.content.startswith("Нажмите М.")
    assert "Исправить" in str(answer.message.components)
    assert "Этого я пока не знаю." in ada.command("ask", prompt="Кто здесь главный?").wait().content


def test_a_code_block_that_was_left_open_does_not_take_the_source_in(bot: Bot) -> None:
    teach(bot, "Q: How do I print? A: Like this:\n```python\nprint(1)")
    told = bot.bob().command("ask", prompt="How do I print?").wait().content
    assert "print(1)\n```\n-# Source: taught by" in told


def test_whoever_cannot_teach_is_not_told_to(bot: Bot) -> None:
    question = "Who painted the lobby?"
    asked = {who: who.command("ask", prompt=question).wait().content for who in (bot.ada(), bot.bob())}
    to_manager, to_member = asked.values()
    assert "Teach me with `/train`" in to_manager
    assert "/train" not in to_member
    assert "a manager then decides" in to_member
    assert "Teach me with `/train`" in bot.bob(where="dm").command("ask", prompt=question).wait().content


def test_nobody_is_pinged_whatever_was_taught(bot: Bot) -> None:
    teach(bot, "Q: Who is here? A: @everyone <@1> <@&2> @here")
    message = bot.bob().command("ask", prompt="Who is here?").wait().message
    assert message.text.startswith("@everyone")
    assert not message.pinged


def test_a_long_answer_is_split_and_a_very_long_one_attached(bot: Bot) -> None:
    paragraph = "All about the castle and its many rooms. " * 20
    teach(bot, f"Q: Tell me about the castle? A: {paragraph}\n\n{paragraph}\n\n{paragraph}\n\n{paragraph}")
    reply = bot.bob().command("ask", prompt="Tell me about the castle?").wait()
    assert len(reply.messages) == 2
    assert all(len(message.text) <= 2000 for message in reply.messages)
    assert "Correct" in str(reply.messages[-1].components)
    last = reply.messages[-1]
    bot.ada().click(last.id, "Correct").submit({"correction": "Short."}).wait()
    assert ask(bot, "Tell me about the castle?").startswith("Short.")
