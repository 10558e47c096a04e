"""How the chat model on the `openai` package decides; what it asks of OpenAI itself; what it keeps to itself."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.openai_server import OpenAiServer
from tests.openai_spec import problem_with
from trainer.adapters.openai_chat import DEFAULT_MODEL, OpenAiChat
from trainer.adapters.openai_wire import (
    Choice,
    Chunk,
    Delta,
    Reader,
    classify,
    pick_model,
    refused_parameter,
    retry_after_s,
    shown_name,
    spoken,
    stream_error,
)
from trainer.ports import ChatMessage, ChatModel, ChatReply, ChatUsage, ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class TestConstruction:
    def test_it_imports_nothing_heavy(self) -> None:
        script = (
            "import sys\n"
            "from trainer.adapters.openai_chat import OpenAiChat\n"
            "OpenAiChat(api_key='k', base_url=None, model=None).close()\n"
            "print(sorted({'openai', 'httpx2', 'pydantic', 'tenacity', 'numpy'} & set(sys.modules)))"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"

    @pytest.mark.parametrize("base_url", ["localhost:8080/v1", "ftp://localhost/v1", "http://", "http:///v1"])
    def test_an_address_that_is_none(self, base_url: str) -> None:
        with pytest.raises(ValueError, match="http or https"):
            OpenAiChat(api_key=None, base_url=base_url, model=None)

    @pytest.mark.parametrize("api_key", ["sk-\nx", "ключ", "two words", "sk-\x00"])
    def test_a_key_that_no_header_carries(self, api_key: str) -> None:
        with pytest.raises(ValueError, match="no HTTP header carries") as caught:
            OpenAiChat(api_key=api_key, base_url=None, model=None)
        assert api_key not in str(caught.value)

    @pytest.mark.parametrize("base_url", [None, "https://api.openai.com/v1", "https://eu.api.openai.com/v1"])
    def test_openai_needs_a_key(self, base_url: str | None) -> None:
        with pytest.raises(ValueError, match="needs an API key"):
            OpenAiChat(api_key=" ", base_url=base_url, model=None)

    @pytest.mark.parametrize(
        ("options", "name"),
        [
            ({"api_key": "k\n", "base_url": None, "model": None}, DEFAULT_MODEL),
            ({"api_key": "k", "base_url": None, "model": "gpt-6-sol"}, "gpt-6-sol"),
            ({"api_key": None, "base_url": "http://localhost/v1", "model": None}, "first of the server"),
            ({"api_key": None, "base_url": "http://localhost/v1", "model": "/models/a.gguf"}, "a.gguf"),
        ],
    )
    def test_it_has_a_name_before_it_is_asked(self, options: dict[str, Any], name: str) -> None:
        chat: ChatModel = OpenAiChat(**options)
        assert chat.name == name


class TestAtOpenAi:
    """Requests for OpenAI's host, led to a server on loopback."""

    @pytest.fixture(autouse=True)
    def _openai_is_here(self, monkeypatch: pytest.MonkeyPatch) -> None:
        resolve = socket.getaddrinfo

        def resolve_here(host: str, *rest: Any) -> Any:
            return resolve("127.0.0.1" if host == "api.openai.com" else host, *rest)

        monkeypatch.setattr(socket, "getaddrinfo", resolve_here)
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(name, raising=False)

    def ask(self, server: OpenAiServer, **options: Any) -> None:
        url = server.base_url.replace("127.0.0.1", "api.openai.com")
        with closing(OpenAiChat(api_key="sk-key", base_url=url, **options)) as chat:
            chat.reply([ChatMessage("user", "Hello")], max_tokens=20)

    def test_the_default_model_answers_at_once_and_nothing_is_kept(self) -> None:
        with OpenAiServer(models=(DEFAULT_MODEL,), api_key="sk-key") as server:
            self.ask(server, model=None)
        assert server.chats == [
            {
                "model": DEFAULT_MODEL,
                "messages": [{"role": "user", "content": "Hello"}],
                "stream": True,
                "stream_options": {"include_usage": True},
                "store": False,
                "reasoning_effort": "none",
                "max_completion_tokens": 20,
            }
        ]

    def test_a_model_of_ones_own_reasons_as_it_likes(self) -> None:
        with OpenAiServer(models=("gpt-6-sol",)) as server:
            self.ask(server, model="gpt-6-sol")
            self.ask(server, model="gpt-6-sol", reasoning_effort="high")
        assert [body.get("reasoning_effort") for body in server.chats] == [None, "high"]


SECRETIVE = """
import logging, sys
_, url, key, prompt = sys.argv
logging.basicConfig(level=logging.DEBUG)
from trainer.adapters.openai_chat import OpenAiChat
from trainer.ports import ChatMessage, ModelUnavailable
chat = OpenAiChat(api_key=key, base_url=url, model=None)
for _ in range(2):
    try:
        print(chat.reply([ChatMessage("user", prompt)], max_tokens=50).text)
    except ModelUnavailable:
        logging.exception("it failed")
"""


def test_neither_words_nor_keys_reach_a_log() -> None:
    with OpenAiServer() as server:
        server.reply_with("the-answer")
        server.fail(status=400, message="the-prompt sk-secret")
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", SECRETIVE, server.base_url, "sk-secret", "the-prompt"],
            env={"OPENAI_LOG": "debug", "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout == "the-answer\n"
    assert "it failed" in done.stderr
    for secret in ("the-answer", "sk-secret", "the-prompt"):
        assert secret not in done.stderr
    assert "ResourceWarning" not in done.stderr


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (402, None, ("refused", False)),
        (429, "billing_not_active", ("rate_limited", False)),
        (409, None, ("server", True)),
        (529, None, ("server", True)),
        (304, None, ("protocol", False)),
    ],
)
def test_statuses(status: int, code: str | None, expected: tuple[str, bool]) -> None:
    assert classify(status, code) == expected


@pytest.mark.parametrize(
    ("code", "kind", "expected"),
    [
        ("500", "server_error", ("server", True)),
        ("429", None, ("rate_limited", True)),
        ("insufficient_quota", "insufficient_quota", ("rate_limited", False)),
        ("context_length_exceeded", None, ("refused", False)),
        ("99999", None, ("server", True)),
        (None, None, ("server", True)),
    ],
)
def test_errors_in_a_stream(code: str | None, kind: str | None, expected: tuple[str, bool]) -> None:
    failed = stream_error(code, kind)
    assert (failed.reason, failed.retryable) == expected


@pytest.mark.parametrize(
    ("param", "body", "expected"),
    [
        ("max_tokens", {"message": "stream_options"}, "max_tokens"),
        ("messages", {"message": "too long"}, None),
        (None, "unknown field `stream_options`", "stream_options"),
        (None, [{"loc": ["body", "stream_options", "include_usage"]}], "stream_options"),
        (None, "max_tokens_per_minute and restore", None),
        (None, "x" * 1_000_000 + " max_tokens", None),
        (None, None, None),
    ],
)
def test_which_parameter_an_error_names(param: str | None, body: object, expected: str | None) -> None:
    assert refused_parameter(param, body, ("max_tokens", "store", "stream_options")) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "2", "retry-after-ms": "30"}, 0.03),
        ({"retry-after": "-1"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
    ],
)
def test_how_long_to_wait(headers: Mapping[str, str], expected: float | None) -> None:
    assert retry_after_s(headers) == expected


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([], None),
        (["b", "a"], "b"),
        (["text-embedding-nomic", "whisper-1", "qwen"], "qwen"),
        (["bge-reranker"], "bge-reranker"),
    ],
)
def test_which_model_is_the_first(ids: Sequence[str], expected: str | None) -> None:
    assert pick_model(ids) == expected


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("qwen", "qwen"),
        ("Qwen/Qwen3-8B", "Qwen/Qwen3-8B"),
        ("/home/somebody/a.gguf", "a.gguf"),
        (r"C:\models\a.gguf", "a.gguf"),
    ],
)
def test_the_name_for_people(model: str, expected: str) -> None:
    assert shown_name(model) == expected


def test_only_the_first_choice_is_read() -> None:
    reader = Reader()
    assert reader.take(Chunk(choices=[Choice(delta=Delta("One.")), Choice(index=1, delta=Delta("Two."))]))
    assert not reader.take(Chunk(choices=[Choice(finish_reason="stop")]))
    assert not reader.end()
    assert reader.reply("m") == ChatReply("One.", "m", ChatUsage(None, None), truncated=False)


PIECES = st.lists(
    st.sampled_from(["<think>", "</think>", "<", "th", "ink>", " ", "\n", "a", "\ud83d", "\ude00", "😀"])
)


@given(PIECES)
def test_what_is_told_only_grows_and_is_well_formed(pieces: list[str]) -> None:
    told = ""
    for end in range(1, len(pieces) + 1):
        now = spoken("".join(pieces[:end]), final=False)
        assert now.startswith(told)
        assert now.encode().decode() == now == now.strip()
        told = now
    assert spoken("".join(pieces), final=True).startswith(told)


@given(st.text().filter(lambda text: not text.lstrip().startswith("<")))
def test_an_answer_without_reasoning_is_told_as_it_is(text: str) -> None:
    assert spoken(text, final=True) == text.strip()


REQUEST = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.mark.parametrize(
    "change",
    [
        {"max_token": 5},
        {"max_tokens": "5"},
        {"messages": []},
        {"messages": [{"role": "human", "content": "Hello"}]},
        {"messages": [{"role": "user", "content": "Hello", "text": "Hello"}]},
        {"stream_options": {"usage": True}},
        {"temperature": 9},
    ],
)
def test_openais_document_refuses_mistakes(change: dict[str, object]) -> None:
    assert problem_with(REQUEST, "CreateChatCompletionRequest", closed=True) is None
    assert problem_with(REQUEST | change, "CreateChatCompletionRequest", closed=True) is not None


def ask_mistakenly() -> None:
    with (
        OpenAiServer() as server,
        closing(OpenAiChat(api_key=None, base_url=server.base_url, model=None)) as chat,
        pytest.raises(ModelUnavailable, match="refused"),
    ):
        chat.reply([ChatMessage("user", "Hello")], max_tokens="many")  # type: ignore[arg-type]


def test_a_mistaken_request_fails_the_test_that_makes_it() -> None:
    with pytest.raises(AssertionError, match="max_tokens"):
        ask_mistakenly()


def test_the_server_answers_in_one_piece_too() -> None:
    def answer(body: dict[str, Any]) -> str:
        return f"You said: {body['messages'][-1]['content']}"

    with OpenAiServer() as server, openai.OpenAI(base_url=server.base_url, api_key="k", max_retries=0) as client:
        server.reply_with(answer)
        said = client.chat.completions.create(model="test-model", messages=[{"role": "user", "content": "Hello"}])
        with pytest.raises(openai.NotFoundError):
            client.moderations.create(input="x")
    assert said.choices[0].message.content == "You said: Hello"
    assert said.usage is not None
    assert said.usage.total_tokens == 4
