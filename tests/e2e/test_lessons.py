"""With a chat model, a correction's lesson is worded after its reply, and answers to near questions heed it."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.bot import Bot
from tests.openai_server import OpenAiServer
from trainer.lessons import RULES
from trainer.prices import Price
from trainer.usage import Ledger, month_cost

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUESTION = "When does the spring festival start?"
NEAR = "festival parking, when does it open?"
LESSON = "Say that the festival starts on Friday at 20:00."


@pytest.fixture
def server() -> Iterator[OpenAiServer]:
    with OpenAiServer() as running:
        running.reply_with(lambda body: LESSON if is_lesson(body) else "On Thursday.")
        yield running


@pytest.fixture
def taught(tmp_path: Path, server: OpenAiServer) -> Iterator[Bot]:
    with Bot(tmp_path, openai_base_url=server.base_url) as bot:
        bot.ada().command("train", text=f"Q: {QUESTION} A: On Thursday.").wait()
        yield bot


def is_lesson(body: dict[str, Any]) -> bool:
    return bool(body["messages"][0]["content"] == RULES)


def lessons(server: OpenAiServer) -> list[dict[str, Any]]:
    return [json.loads(body["messages"][1]["content"]) for body in server.chats if is_lesson(body)]


def history(bot: Bot, answer_id: str) -> str:
    bot.until_idle()
    return bot.ada().click(answer_id, "History").wait().content


def test_a_correction_is_summed_up_and_heeded(taught: Bot, server: OpenAiServer) -> None:
    answer = taught.bob().command("ask", prompt=QUESTION).wait().message
    corrected = taught.ada().click(answer.id, "Correct").submit({"correction": "On Friday at 20:00."})
    shown = corrected.wait()
    assert "From now on I will answer" in shown.content
    assert f"Lesson: {LESSON}" in history(taught, shown.message.id)
    assert lessons(server) == [{"question": QUESTION, "wrong": "On Thursday.", "right": "On Friday at 20:00."}]
    taught.ada().command("ask", prompt=NEAR).wait()
    asked = json.loads(server.chats[-1]["messages"][1]["content"])
    assert asked["lessons"] == [LESSON]
    # A second delivery neither asks nor pays again.
    corrected.redeliver()
    taught.until_idle()
    assert len(lessons(server)) == 1


def test_a_proposal_is_summed_up_when_it_is_approved(taught: Bot, server: OpenAiServer) -> None:
    answer = taught.bob().command("ask", prompt=QUESTION).wait().message
    proposal = taught.bob().click(answer.id, "Correct").submit({"correction": "On Friday at 20:00."}).wait().message
    taught.until_idle()
    assert not lessons(server)
    taught.ada().click(proposal.id, "Approve").wait()
    assert f"Lesson: {LESSON}" in history(taught, proposal.id)
    assert len(lessons(server)) == 1


def test_a_rejected_proposal_teaches_nothing(taught: Bot, server: OpenAiServer) -> None:
    answer = taught.bob().command("ask", prompt=QUESTION).wait().message
    proposal = taught.bob().click(answer.id, "Correct").submit({"correction": "On Friday."}).wait().message
    taught.ada().click(proposal.id, "Reject").wait()
    taught.until_idle()
    assert not lessons(server)


def test_nobody_waits_for_it(taught: Bot, server: OpenAiServer) -> None:
    answer = taught.bob().command("ask", prompt=QUESTION).wait().message
    replied = threading.Event()

    def answered(body: dict[str, Any]) -> str:
        if is_lesson(body):
            assert replied.wait(20)  # the model says nothing until the person has their reply
            return LESSON
        return "On Thursday."

    server.reply_with(answered)
    shown = taught.ada().click(answer.id, "Correct").submit({"correction": "On Friday at 20:00."}).wait()
    replied.set()
    assert "From now on I will answer" in shown.content
    assert f"Lesson: {LESSON}" in history(taught, shown.message.id)


@pytest.mark.parametrize("trouble", ["two lines", "no model"])
def test_without_a_proper_line_the_plain_one_stays(taught: Bot, server: OpenAiServer, trouble: str) -> None:
    answer = taught.bob().command("ask", prompt=QUESTION).wait().message
    if trouble == "no model":
        server.fail(status=401, code="invalid_api_key", times=5)
    server.reply_with("First,\nthen second.")
    shown = taught.ada().click(answer.id, "Correct").submit({"correction": "On Friday."}).wait()
    assert "From now on I will answer" in shown.content
    assert "Lesson: When does the spring festival start: Thursday → Friday" in history(taught, shown.message.id)


def test_it_is_counted_and_ends_with_the_budget(taught: Bot, server: OpenAiServer) -> None:
    store, scope = taught.services.store, taught.services_scope()
    answer = taught.bob().command("ask", prompt=QUESTION).wait().message
    before = month_cost(store, scope, taught.playground.desk.clock.now()).input_tokens
    taught.ada().click(answer.id, "Correct").submit({"correction": "On Friday."}).wait()
    taught.until_idle()
    words = sum(len(message["content"].split()) for message in server.chats[-1]["messages"])
    assert month_cost(store, scope, taught.playground.desk.clock.now()).input_tokens == before + words
    taught.stop_worker()
    book = taught.services.lessons
    assert book is not None
    book._ledger = Ledger(store, budget_usd=0, price=Price(1, 1))
    taught.start_worker()
    taught.ada().command("correct", message_id=answer.id, correction="On Saturday.").wait()
    taught.until_idle()
    assert len(lessons(server)) == 1
