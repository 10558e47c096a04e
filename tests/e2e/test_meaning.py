"""Questions that share no word with what was taught, from the command to the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from tests.bot import Bot
from tests.openai_server import OpenAiServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TAUGHT = "How do I get a refund?"
ANSWER = "Write to the treasurer."
REWORDED = "I would like my money back"


@pytest.fixture
def server() -> Iterator[OpenAiServer]:
    with OpenAiServer() as server:
        server.reply_with(ANSWER)
        yield server


def teach(bot: Bot) -> None:
    bot.ada().command("train", text=f"Q: {TAUGHT} A: {ANSWER}\n\nQ: Is there a wiki? A: Yes.").wait()


def test_a_chat_model_is_given_what_means_the_same(tmp_path: Path, server: OpenAiServer) -> None:
    with Bot(tmp_path, openai_base_url=server.base_url) as bot:
        teach(bot)
        assert bot.bob().command("ask", prompt=REWORDED).wait().content.startswith(ANSWER)
        state = requests.get(f"{bot.url}/healthz", timeout=10).json()
    assert TAUGHT in str(server.chats[-1]["messages"])
    assert not server.embeddings
    assert state["models"]["embeddings"] == "universal-sentence-encoder-multilingual-3"


def test_without_an_embedder_words_alone_count(tmp_path: Path, server: OpenAiServer) -> None:
    with Bot(tmp_path, openai_base_url=server.base_url, embeddings="none") as bot:
        teach(bot)
        assert "don't know" in bot.bob().command("ask", prompt=REWORDED).wait().content
        state = requests.get(f"{bot.url}/healthz", timeout=10).json()
    assert not server.chats
    assert state["models"]["embeddings"].startswith("none")


def test_a_server_that_tells_what_means_the_same_is_named(tmp_path: Path, server: OpenAiServer) -> None:
    with Bot(tmp_path, openai_base_url=server.base_url, embeddings="openai:test-model") as bot:
        teach(bot)
        bot.bob().command("ask", prompt="a refund is what I want").wait()
        first = bot.bob().command("privacy").wait()
        second = bot.bob().click(first.message.id, "Next").wait()
        assert "A service at 127.0.0.1 tells me which questions mean the same" in second.content
    sent = [text for body in server.embeddings for text in body["input"]]
    assert sorted(sent) == sorted(["a refund is what I want", TAUGHT, "Is there a wiki?"])
