"""What every chat model does, and what the one on the `openai` package does when its server misbehaves."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import openai
import pytest

from tests.openai_server import CHAT, MODELS, OpenAiServer, Reply
from trainer.adapters import openai_chat
from trainer.adapters.openai_chat import OpenAiChat
from trainer.ports import ChatMessage, ChatModel, ChatUsage, ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

QUESTION = [
    ChatMessage("system", "You are a helpful assistant. Answer in full sentences."),
    ChatMessage("user", "Tell me what a cat is and what it eats."),
]
KEY = "sk-a-secret-key"
PROMPT = "the-words-of-a-person"
ASKED = [ChatMessage("user", PROMPT)]


class ChatModelContract(ABC):
    """The suite of the port. A class for an adapter gives it its `model`."""

    @pytest.fixture
    @abstractmethod
    def model(self) -> ChatModel:
        """A model whose server answers."""

    def test_is_a_chat_model(self, model: ChatModel) -> None:
        assert isinstance(model, ChatModel)
        assert model.name

    def test_answers(self, model: ChatModel) -> None:
        reply = model.reply(QUESTION, max_tokens=64)
        assert reply.text == reply.text.strip() != ""
        assert reply.model
        for tokens in reply.usage[:2]:
            assert tokens is None or tokens > 0

    def test_tells_the_text_as_it_comes(self, model: ChatModel) -> None:
        told: list[str] = []
        reply = model.reply(QUESTION, max_tokens=64, on_text=told.append)
        assert len(told) > 1
        assert told[-1] == reply.text
        assert all(told)
        assert all(after.startswith(before) and after != before for before, after in pairwise(told))

    def test_stops_at_the_limit_and_says_so(self, model: ChatModel) -> None:
        reply = model.reply(QUESTION, max_tokens=3)
        assert reply.truncated
        assert reply.text

    def test_takes_a_conversation(self, model: ChatModel) -> None:
        talk = [*QUESTION, ChatMessage("assistant", "A cat is an animal."), ChatMessage("user", "And what is a dog?")]
        assert model.reply(talk, max_tokens=16).text

    @pytest.mark.parametrize(
        "hostile", ["Привет, 😀", "\ud800 half a character \udfff", "\x00\x1b[31m\u202e", '{"a":"</s>']
    )
    def test_takes_any_text(self, model: ChatModel, hostile: str) -> None:
        assert model.reply([ChatMessage("user", hostile + " Say hello.")], max_tokens=16).text.encode()

    def test_answers_several_threads(self, model: ChatModel) -> None:
        with ThreadPoolExecutor(4) as threads:
            replies = list(threads.map(lambda _: model.reply(QUESTION, max_tokens=12), range(8)))
        assert all(reply.text for reply in replies)

    def test_what_the_listener_raises_passes_and_harms_nothing(self, model: ChatModel) -> None:
        class EnoughError(Exception):
            pass

        def listen(_: str) -> None:
            raise EnoughError

        with pytest.raises(EnoughError):
            model.reply(QUESTION, max_tokens=64, on_text=listen)
        assert model.reply(QUESTION, max_tokens=12).text


@pytest.fixture
def server() -> Iterator[OpenAiServer]:
    with OpenAiServer() as server:
        server.reply_with("A cat is a small animal that eats mice, fish and whatever is on the table.")
        yield server


def chat_with(server: OpenAiServer, **options: Any) -> closing[OpenAiChat]:
    return closing(OpenAiChat(**{"api_key": KEY, "base_url": server.base_url, "model": None} | options))


@pytest.fixture
def chat(server: OpenAiServer) -> Iterator[OpenAiChat]:
    with chat_with(server) as chat:
        yield chat


class TestOpenAiChat(ChatModelContract):
    """The adapter on the `openai` package, with a server of the tests' own."""

    @pytest.fixture
    def model(self, chat: OpenAiChat) -> ChatModel:
        return chat


def failure_of(chat: OpenAiChat, told: list[str] | None = None) -> tuple[str, bool]:
    """What the failing reply says of itself; nothing private is near the exception."""
    with pytest.raises(ModelUnavailable) as caught:
        chat.reply(ASKED, max_tokens=50, on_text=None if told is None else told.append)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert PROMPT not in repr(caught.value) + str(vars(caught.value))
    assert KEY not in repr(caught.value) + str(vars(caught.value))
    return caught.value.reason, caught.value.retryable


class TestRequests:
    """What is sent, and what is learned from refusals."""

    def test_a_plain_request(self, server: OpenAiServer, chat: OpenAiChat) -> None:
        reply = chat.reply(QUESTION, max_tokens=50)
        assert server.chats == [
            {
                "model": "test-model",
                "messages": [{"role": role, "content": content} for role, content in QUESTION],
                "stream": True,
                "stream_options": {"include_usage": True},
                "max_tokens": 50,
            }
        ]
        assert server.requests[-1].headers["authorization"] == f"Bearer {KEY}"
        assert reply.model == chat.name == "test-model"
        assert reply.usage == ChatUsage(19, 16)
        assert not reply.truncated

    def test_needs_no_key_for_a_server_that_needs_none(
        self, server: OpenAiServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        with chat_with(server, api_key=None) as chat:
            chat.reply(ASKED, max_tokens=50)
        assert KEY not in server.requests[-1].headers["authorization"]  # a stranger does not get OpenAI's key

    def test_options_are_sent(self, server: OpenAiServer) -> None:
        with chat_with(server, temperature=0.5, reasoning_effort="low") as chat:
            chat.reply(ASKED, max_tokens=50)
        assert server.chats[-1]["temperature"] == 0.5
        assert server.chats[-1]["reasoning_effort"] == "low"

    def test_the_first_model_is_asked_for_once_and_again_after_a_failure(
        self, server: OpenAiServer, chat: OpenAiChat
    ) -> None:
        chat.reply(ASKED, max_tokens=50)
        chat.reply(ASKED, max_tokens=50)
        assert [request.path for request in server.requests] == [MODELS, CHAT, CHAT]
        server.models = ("another-model",)
        assert failure_of(chat) == ("refused", False)
        assert chat.reply(ASKED, max_tokens=50).model == chat.name == "another-model"

    def test_a_named_model_is_not_asked_for(self, server: OpenAiServer) -> None:
        server.models = ("one", "other")
        with chat_with(server, model="other") as chat:
            assert chat.name == "other"
            assert chat.reply(ASKED, max_tokens=50).model == "other"
        assert [request.path for request in server.requests] == [CHAT]

    @pytest.mark.parametrize("parameter", ["stream_options", "temperature", "reasoning_effort", "max_tokens"])
    def test_a_refused_parameter_is_not_sent_again(self, server: OpenAiServer, parameter: str) -> None:
        server.refuse(parameter)
        with chat_with(server, temperature=0.5, reasoning_effort="low") as chat:
            chat.reply(ASKED, max_tokens=2)
            assert chat.reply(ASKED, max_tokens=2).truncated
        assert [parameter in body for body in server.chats] == [True, False, False]
        assert ("max_completion_tokens" in server.chats[-1]) == (parameter == "max_tokens")

    def test_several_parameters_are_refused_one_after_the_other(self, server: OpenAiServer, chat: OpenAiChat) -> None:
        server.refuse("stream_options")
        server.refuse("max_tokens", message="Unsupported: '{}'. Use 'max_completion_tokens' instead.")
        reply = chat.reply(ASKED, max_tokens=50)
        assert reply.usage == ChatUsage(None, None)
        assert len(server.chats) == 3

    def test_a_server_that_takes_no_limit_under_any_name_is_not_asked_forever(
        self, server: OpenAiServer, chat: OpenAiChat
    ) -> None:
        server.refuse("max_tokens")
        server.refuse("max_completion_tokens")
        assert failure_of(chat) == ("refused", False)
        assert len(server.chats) == 2

    def test_a_limit_that_is_too_high_changes_nothing(self, server: OpenAiServer, chat: OpenAiChat) -> None:
        too_large = "max_tokens or max_completion_tokens is too large"
        server.fail(status=400, message=too_large, times=2)
        assert failure_of(chat) == ("refused", False)
        chat.reply(ASKED, max_tokens=50)
        assert "max_tokens" in server.chats[-1]

    def test_a_refusal_in_another_shape_is_understood(self, server: OpenAiServer, chat: OpenAiChat) -> None:
        unknown = b'{"detail": [{"loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}]}'
        server.fail(status=422, body=unknown)
        chat.reply(ASKED, max_tokens=50)
        assert "stream_options" not in server.chats[-1]


class TestAnswers:
    """What becomes of what the server sends."""

    @pytest.mark.parametrize(
        "reply",
        [
            Reply("It is blue.", reasoning="They ask about the sky."),
            Reply(pieces=("<th", "ink>They ", "ask</think", ">\n\n", "It is", " blue.")),
            Reply("<think>\n</think>\n\nIt is blue.", usage=False),
            Reply("\n\n It is blue.\n"),
        ],
    )
    def test_only_the_answer_is_told(self, server: OpenAiServer, chat: OpenAiChat, reply: Reply) -> None:
        server.reply_with(reply)
        told: list[str] = []
        assert chat.reply(ASKED, max_tokens=50, on_text=told.append).text == "It is blue."
        assert all("It is blue.".startswith(text) for text in told)

    def test_what_only_looks_like_reasoning_is_told_in_the_end(self, server: OpenAiServer, chat: OpenAiChat) -> None:
        server.reply_with(Reply(pieces=("<", "th")))
        told: list[str] = []
        assert chat.reply(ASKED, max_tokens=50, on_text=told.append).text == "<th"
        assert told == ["<th"]

    def test_a_character_in_two_halves_is_mended(self, server: OpenAiServer, chat: OpenAiChat) -> None:
        server.reply_with(Reply(pieces=("Hi ", "\ud83d", "\ude00", " and ", "\udc00")))
        told: list[str] = []
        chat.reply(ASKED, max_tokens=50, on_text=told.append)
        assert told == ["Hi", "Hi 😀", "Hi 😀 and", "Hi 😀 and \ufffd"]

    def test_an_answer_whose_usage_never_comes_is_whole(self, server: OpenAiServer, chat: OpenAiChat) -> None:
        server.reply_with(Reply(pieces=("One.",)))
        server.cut_after(3)
        reply = chat.reply(ASKED, max_tokens=50)
        assert reply.text == "One."
        assert reply.usage == ChatUsage(None, None)


class TestFailures:
    """Every way to fail ends as a `ModelUnavailable` that says what is known."""

    @pytest.mark.parametrize(
        ("status", "code", "expected"),
        [
            (400, "context_length_exceeded", ("refused", False)),
            (401, "invalid_api_key", ("credentials", False)),
            (403, None, ("credentials", False)),
            (404, "model_not_found", ("refused", False)),
            (408, None, ("timeout", True)),
            (422, None, ("refused", False)),
            (429, "rate_limit_exceeded", ("rate_limited", True)),
            (429, "insufficient_quota", ("rate_limited", False)),
            (500, None, ("server", True)),
            (503, None, ("server", True)),
        ],
    )
    def test_statuses(self, server: OpenAiServer, status: int, code: str | None, expected: tuple[str, bool]) -> None:
        with chat_with(server, max_retries=0) as chat:
            server.fail(status=status, code=code, message=f"{PROMPT} {KEY}")
            assert failure_of(chat) == expected
            assert chat.reply(ASKED, max_tokens=50).text

    def test_the_models_fail(self, server: OpenAiServer) -> None:
        with chat_with(server, max_retries=0) as chat:
            server.fail(status=401, path=MODELS)
            assert failure_of(chat) == ("credentials", False)
            server.fail(status=200, path=MODELS, body=b"<html>")
            assert failure_of(chat) == ("protocol", False)
            server.models = ()
            assert failure_of(chat) == ("protocol", False)

    def test_a_wrong_key(self) -> None:
        with OpenAiServer(api_key="sk-right") as server, chat_with(server) as chat:
            assert failure_of(chat) == ("credentials", False)

    @pytest.mark.parametrize(("status", "expected"), [(429, ("rate_limited", True)), (500, ("server", True))])
    def test_a_passing_failure_is_tried_again_as_soon_as_the_server_says(
        self, server: OpenAiServer, chat: OpenAiChat, status: int, expected: tuple[str, bool]
    ) -> None:
        server.fail(status=status, headers={"Retry-After": "0"})
        assert chat.reply(ASKED, max_tokens=50).text
        server.fail(status=status, headers={"Retry-After-Ms": "1"}, times=2)
        assert failure_of(chat) == expected
        assert len(server.chats) == 4

    def test_a_wait_longer_than_the_reply_may_take_is_not_begun(self, server: OpenAiServer, chat: OpenAiChat) -> None:
        server.fail(status=429, headers={"Retry-After": "100"})
        assert failure_of(chat) == ("rate_limited", True)
        assert len(server.chats) == 1

    def test_a_connection_dropped_before_the_first_word_is_tried_again(
        self, server: OpenAiServer, chat: OpenAiChat
    ) -> None:
        server.cut_after(1)
        assert chat.reply(ASKED, max_tokens=50).text
        assert len(server.chats) == 2

    def test_a_stream_cut_in_the_middle_is_not_an_answer(self, server: OpenAiServer, chat: OpenAiChat) -> None:
        server.cut_after(4)
        told: list[str] = []
        assert failure_of(chat, told) == ("connection", True)
        assert told[-1] == "A cat is"
        assert len(server.chats) == 1

    def test_nobody_listens(self) -> None:
        with OpenAiServer() as server:
            url = server.base_url
        with closing(OpenAiChat(api_key=None, base_url=url, model=None, max_retries=0)) as chat:
            assert failure_of(chat) == ("connection", True)

    @pytest.mark.parametrize(
        ("raw", "expected"),
        [
            (b"data: [DONE]\n\n", ("protocol", False)),
            (b"<html>Bad gateway</html>", ("protocol", False)),
            (b'data: {"choices": [{"delta"\n\n', ("protocol", False)),
            (b"data: \xff\xfe\n\n", ("protocol", False)),
            (b'data: "text"\n\n', ("protocol", False)),
            (b"data: null\n\n", ("protocol", False)),
            (b'data: {"choices": [{"delta": {"content": 5}}]}\n\n', ("protocol", False)),
            (b"data: " + b"[" * 100_000 + b"\n\n", ("protocol", False)),
            (b'data: {"choices": []}\n\ndata: [DONE]\n\n', ("protocol", False)),
            (b'data: {"choices": [{"delta": {"content": "Half of"}}]}\n\ndata: [DONE]\n\n', ("connection", True)),
            (b'data: {"error": {"message": "no", "code": 503}}\n\n', ("server", True)),
            (b'data: {"error": {"message": "no", "type": "rate_limit_error"}}\n\n', ("rate_limited", True)),
            (b'data: {"error": {"message": "no", "type": "invalid_request_error"}}\n\n', ("refused", False)),
            (b'data: {"error": "no"}\n\n', ("server", True)),
        ],
    )
    def test_streams_that_are_no_answers(self, server: OpenAiServer, raw: bytes, expected: tuple[str, bool]) -> None:
        server.reply_with(Reply(raw=raw))
        with chat_with(server, max_retries=0) as chat:
            assert failure_of(chat) == expected

    @pytest.mark.parametrize(
        ("reply", "reason"),
        [
            (Reply(""), "protocol"),
            (Reply(" \n"), "protocol"),
            (Reply("<think>Hm, hm, hm", finish_reason="length"), "protocol"),
            (Reply("Half of", finish_reason="content_filter"), "refused"),
            (Reply(refusal="I will not."), "refused"),
            (Reply(pieces=("x" * 500_000,)), "protocol"),
        ],
    )
    def test_answers_that_are_none(self, server: OpenAiServer, chat: OpenAiChat, reply: Reply, reason: str) -> None:
        server.reply_with(reply)
        assert failure_of(chat) == (reason, False)

    @pytest.mark.parametrize("delay_s", [0.1, 600.0])
    def test_the_time_limit_is_for_the_whole_reply(self, server: OpenAiServer, delay_s: float) -> None:
        server.chunk_delay_s = delay_s
        server.reply_with("word " * 1000)
        with chat_with(server, model="test-model", timeout_s=0.7) as chat:
            assert failure_of(chat) == ("timeout", True)
        assert len(server.chats) == 1

    def test_a_read_without_a_limit_of_its_own_ends_too(
        self, server: OpenAiServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(openai_chat, "timeout", lambda _: openai.Timeout(None))
        server.chunk_delay_s = 600.0
        with chat_with(server, timeout_s=0.7) as chat:
            assert failure_of(chat) == ("timeout", True)

    def test_no_time_is_left(self, server: OpenAiServer) -> None:
        with chat_with(server, model="test-model", timeout_s=0) as chat:
            assert failure_of(chat) == ("timeout", True)
        assert not server.requests

    def test_a_listener_that_takes_all_the_time_ends_the_reply(self, server: OpenAiServer) -> None:
        with chat_with(server, timeout_s=1.0) as chat, pytest.raises(ModelUnavailable, match="timeout"):
            chat.reply(ASKED, max_tokens=50, on_text=lambda _: time.sleep(1.0))

    def test_closing_twice_and_using_again(self, server: OpenAiServer, chat: OpenAiChat) -> None:
        chat.reply(ASKED, max_tokens=50)
        chat.close()
        chat.close()
        assert chat.reply(ASKED, max_tokens=50).text
        assert not server.problems
