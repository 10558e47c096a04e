"""With an OpenAI-compatible server, a model words the answer from what was taught, while the person watches."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
import requests

from tests.bot import Bot
from tests.openai_server import OpenAiServer, Reply
from trainer.answers import load_answer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playground.clients import Exchange

QUESTION = "How do I reset my password?"
REWORDED = "I forgot my password, what can I do?"


@pytest.fixture
def server() -> Iterator[OpenAiServer]:
    with OpenAiServer() as running:
        yield running


@pytest.fixture
def taught(tmp_path: Path, server: OpenAiServer) -> Iterator[Bot]:
    with Bot(tmp_path, openai_base_url=server.base_url) as bot:
        bot.ada().command("train", text=f"Q: {QUESTION} A: Press “Forgot password”.").wait()
        yield bot


def ask(bot: Bot, prompt: str = REWORDED) -> Exchange:
    return bot.bob().command("ask", prompt=prompt)


def test_the_model_answers_from_what_was_taught(taught: Bot, server: OpenAiServer) -> None:
    server.reply_with("Simply press “Forgot password”.")
    reply = ask(taught).wait()
    assert reply.content.startswith("Simply press “Forgot password”.\n-# Source: taught by")
    (request,) = server.chats
    system, user = request["messages"]
    assert "NO_ANSWER" in system["content"]
    asked = json.loads(user["content"])
    assert asked["question"] == REWORDED
    assert asked["taught"][0]["answer"] == "Press “Forgot password”."


def test_the_text_grows_in_the_reply(taught: Bot, server: OpenAiServer) -> None:
    words = [f"word{number} " for number in range(12)]
    server.chunk_delay_s = 0.25
    server.reply_with(Reply("".join(words), pieces=tuple(words)))
    exchange = ask(taught)
    reply = exchange.wait()
    shown = [revision.content for revision in reply.message.history]
    growing = [content for content in shown if content.endswith(" ▌")]
    assert len(growing) >= 2
    assert all(late.startswith(early.removesuffix(" ▌").rstrip()) for early, late in pairwise(growing))
    assert reply.content.startswith("".join(words).strip())
    assert "▌" not in reply.content


def test_a_model_that_finds_no_answer_leaves_an_honest_reply(taught: Bot, server: OpenAiServer) -> None:
    server.reply_with("NO_ANSWER")
    content = ask(taught, "Is my password case sensitive?").wait().content
    assert content.startswith("I don't know that yet.")
    assert "NO_ANSWER" not in content


def test_a_correction_needs_no_model(taught: Bot, server: OpenAiServer) -> None:
    server.reply_with("Something else.")
    answer = ask(taught).wait().message
    taught.ada().click(answer.id, "Correct").submit({"correction": "Ask Mira."}).wait()
    taught.until_idle()
    asked = len(server.chats)
    assert ask(taught).wait().content.startswith("Ask Mira.")
    assert len(server.chats) == asked


def test_without_its_model_it_says_what_it_was_taught(taught: Bot, server: OpenAiServer) -> None:
    server.fail(status=401, code="invalid_api_key", times=5)
    content = ask(taught).wait().content
    assert content.startswith("Press “Forgot password”.")
    assert "word for word" in content


def test_a_model_that_comes_back_answers_the_same_command(taught: Bot, server: OpenAiServer) -> None:
    """Nothing that was taught answers by itself, so the job is tried again."""
    server.reply_with("It depends on the company.")
    server.fail(status=503, times=3)
    vague = "password strength and account reset policies of other companies"
    assert ask(taught, vague).wait(60).content.startswith("It depends on the company.")


def test_an_answer_remembers_whose_words_the_model_read(taught: Bot, server: OpenAiServer) -> None:
    """The former answers are among them."""
    cleo = taught.playground.client("Cleo", manager=True)
    cleo.command("train", text="Q: How do I tame a wolf? A: With a bone.").wait()
    server.reply_with("Press it.")
    bob, scope = taught.bob(), taught.services_scope()
    first = bob.command("ask", prompt=REWORDED)
    first.wait()
    second = bob.command("ask", prompt="and how do I tame a wolf?")
    second.wait()
    kept = [load_answer(taught.services.store, scope, one.id) for one in (first, second)]
    assert [one and one.kind for one in kept] == ["generated", "generated"]
    read = [set(one.words_of) if one else set() for one in kept]
    assert len(read[0]) == 1
    assert read[1] > read[0]


def test_health_names_the_model(taught: Bot, server: OpenAiServer) -> None:
    server.reply_with("x")
    state = requests.get(f"{taught.url}/healthz", timeout=10).json()
    assert state["ok"]
    assert "first" in state["models"]["chat"]
