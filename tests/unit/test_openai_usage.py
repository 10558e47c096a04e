"""The tokens that a server says it had in its cache: what they cost, and that no answer fails for them."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest

from tests.openai_server import OpenAiServer, Reply
from trainer.adapters.openai_chat import OpenAiChat
from trainer.ports import ChatMessage, ChatReply, ChatUsage
from trainer.prices import Price, cost_usd

ASKED = [ChatMessage("system", "Be brief."), ChatMessage("user", "Which colour has the sky?")]
COUNTS: list[Any] = [None, "many", -1, 1.5, {}]
ODD: list[Any] = [None, {}, [], "many", 5, {"cached": 4}, *[{"cached_tokens": count} for count in COUNTS]]


def asked(answer: Reply) -> ChatReply:
    with (
        OpenAiServer() as server,
        closing(OpenAiChat(api_key=None, base_url=server.base_url, model="test-model")) as chat,
    ):
        server.reply_with(answer)
        return chat.reply(ASKED, max_tokens=50)


def test_cached_tokens_are_counted() -> None:
    details = {"cached_tokens": 4, "cache_write_tokens": 2, "audio_tokens": 0}
    usage = asked(Reply("It is blue.", details=details)).usage
    assert usage == ChatUsage(7, 3, cached_tokens=4, cache_write_tokens=2)
    assert cost_usd(Price(10, 100, cached=1, written=12.5), usage) == pytest.approx((10 + 4 + 25 + 300) / 1e6)


@pytest.mark.parametrize("details", ODD, ids=str)
def test_whatever_else_a_server_says_of_them_is_passed_over(details: Any) -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10, "prompt_tokens_details": details}
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    choice = {"index": 0, "delta": {"content": "It is blue."}, "finish_reason": "stop"}
    chunks = [chunk | {"choices": [choice]}, chunk | {"choices": [], "usage": usage}]
    raw = "".join(f"data: {json.dumps(one)}\n\n" for one in chunks) + "data: [DONE]\n\n"
    reply = asked(Reply(raw=raw.encode()))
    assert (reply.text, reply.usage) == ("It is blue.", ChatUsage(7, 3))
