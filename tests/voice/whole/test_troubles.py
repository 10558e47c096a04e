"""What people are told when answers take long, or somebody who helps with them does not answer."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from tests.openai_server import OpenAiServer
from tests.voice.discord import until
from tests.voice.discord.running import in_loop
from tests.voice.whole.listening import Listener, says
from tests.voice.whole.models import DOWN
from tests.voice.whole.stage import NOON, THERE, WHEN, WHERE, Stage, stage
from voice_sidecar.calls.room import CallRoom

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GENERATED = "It is behind the door."
MOMENT = "One moment."
UNHEARD = "Sorry, I cannot make out what is said: my speech recognition does not answer."
WORD_FOR_WORD = "My language model does not answer now, so that was word for word what I was taught."


@pytest.fixture
def chat() -> Iterator[OpenAiServer]:
    with OpenAiServer() as server:
        server.reply_with(GENERATED)
        yield server


def heard(it: Stage, question: str) -> bool:
    return question in it.recogniser.heard


def told(it: Stage, words: str) -> int:
    """How often something was written into the channel's chat."""
    return sum(words in text for text in it.desk.texts(it.channel))


async def asks_for_patience(it: Stage, chat: OpenAiServer, within: float = 20.0) -> None:
    """The chat model takes its time; meanwhile people hear that it does."""
    go_on = threading.Event()

    def slowly(_: dict[str, Any]) -> str:
        go_on.wait(30)
        return GENERATED

    chat.reply_with(slowly)
    try:
        await it.begin()
        await until(lambda: MOMENT in it.reader.said, "it is prepared")
        listener = Listener(it.ada)
        await says(it.ada, WHERE)
        await listener.hears(MOMENT, within=within)
        assert GENERATED not in it.reader.said
        go_on.set()
        await listener.hears(GENERATED)
    finally:
        go_on.set()


@in_loop
async def test_while_the_answer_takes_long_it_asks_for_patience(tmp_path: Path, chat: OpenAiServer) -> None:
    settings = {"OPENAI_BASE_URL": chat.base_url, "TRAINGER_VOICE_FILLER_SECONDS": "0.5"}
    async with stage(tmp_path, **settings) as it:
        await asks_for_patience(it, chat)


@in_loop
async def test_not_asking_for_patience_is_noticed(tmp_path: Path, chat: OpenAiServer) -> None:
    """The wrong variant: it never does."""
    async with stage(tmp_path, OPENAI_BASE_URL=chat.base_url, TRAINGER_VOICE_FILLER_SECONDS="0") as it:
        with pytest.raises(AssertionError, match="until Ada hears: One moment"):
            await asks_for_patience(it, chat, within=3)


@in_loop
async def test_a_chat_model_that_is_down_is_told_of_once(tmp_path: Path, chat: OpenAiServer) -> None:
    async with stage(tmp_path, OPENAI_BASE_URL=chat.base_url) as it:
        await it.begin()
        await it.answers(it.ada, WHERE, GENERATED)
        chat.fail(status=401, code="invalid_api_key", times=2)
        listener = Listener(it.ada)
        await says(it.ada, WHEN)
        await listener.hears(NOON)
        await until(lambda: told(it, "The language model does not answer") == 1, "it is written")
        await until(lambda: WORD_FOR_WORD.startswith(it.reader.said[-1]), "it is said")
        await it.silent()
        await it.answers(it.ada, WHERE, THERE)
        await it.silent()
        assert told(it, "The language model does not answer") == 1
        assert sum(WORD_FOR_WORD.startswith(text) for text in it.reader.said) == 1
        await it.answers(it.ada, WHEN, GENERATED)


@in_loop
async def test_a_recogniser_that_is_down_is_told_of_once(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.begin()
        it.recogniser.failure = DOWN
        listener = Listener(it.ada)
        await says(it.ada, WHERE)
        await listener.hears(UNHEARD)
        assert told(it, "I cannot make out what is said") == 1
        await it.silent()
        await says(it.ada, WHERE)
        await until(lambda: len(it.recogniser.heard) == 2, "it is tried again")
        await it.quiet(it.ada)
        it.recogniser.failure = None
        await it.answers(it.ada, WHERE, THERE)
        assert it.reader.said.count(UNHEARD) == 1
        assert told(it, "I cannot make out what is said") == 1


@in_loop
async def test_a_voice_that_is_down_is_told_of_once(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.begin()
        it.reader.failure = DOWN
        for question in (WHERE, WHEN):
            await says(it.ada, question)
            await until(partial(heard, it, question), "it is recognised")
            await until(lambda: told(it, "I cannot speak right now") == 1, "it is written")
            await it.silent()
        it.reader.failure = None
        await it.answers(it.ada, WHERE, THERE)
        assert told(it, "I cannot speak right now") == 1
        assert it.ada.unheard == []


@in_loop
async def test_not_telling_of_it_is_noticed(tmp_path: Path) -> None:
    """The wrong variant: a room that writes nothing."""

    async def nothing(*_: object) -> None:
        """Writes nothing."""

    with patch.object(CallRoom, "tell", nothing):
        async with stage(tmp_path) as it:
            await it.begin()
            it.reader.failure = DOWN
            await says(it.ada, WHERE)
            with pytest.raises(AssertionError, match="until it is written"):
                await until(lambda: told(it, "I cannot speak right now") == 1, "it is written", within=3)
