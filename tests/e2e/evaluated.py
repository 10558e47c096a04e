"""Cases, and people who test with them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from playground.cdn import File

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

    from playground.clients import Client, Exchange, Reply
    from tests.bot import Bot

MANY = 200


def case(number: int, **more: Any) -> dict[str, Any]:
    """Question number n, to which the answer is that n times 7."""
    right = {"input": f"What is number {number}?", "expected": f"It is {number * 7}.", "match": "exact"}
    return {**right, "tags": ["even" if number % 2 == 0 else "odd"], **more}


def cases(numbers: Iterable[int] = range(MANY)) -> list[dict[str, Any]]:
    return [case(number) for number in numbers]


def lines(records: Iterable[Any], name: str = "cases.jsonl") -> File:
    """A JSON Lines file; text stands there as it is."""
    rows = [record if isinstance(record, str) else json.dumps(record, ensure_ascii=False) for record in records]
    return File(name, "\n".join(rows).encode())


def teach(client: Client, numbers: Iterable[int], dataset: str = "") -> None:
    """The right answers to these questions."""
    pairs = [{"question": one["input"], "answer": one["expected"]} for one in cases(numbers)]
    options: dict[str, Any] = {"file": lines(pairs, "lessons.jsonl")}
    reply = client.command("train", {**options, **({"dataset": dataset} if dataset else {})}).wait(quiet=0.1)
    assert "I learned" in reply.content or "Выучено" in reply.content, reply.content


def report_of(client: Client, records: Iterable[Any] | None = None, **options: Any) -> Reply:
    """The report of a test."""
    given: dict[str, Any] = dict(options)
    if records is not None:
        given["file"] = lines(records)
    return client.command("test", given).wait(120, quiet=0.3)


def correct(client: Client, number: int, right: str = "") -> None:
    """Ask a question, and correct what comes."""
    answer = client.command("ask", prompt=case(number)["input"]).wait(quiet=0.1)
    done = client.command("correct", message_id=answer.message.id, correction=right or case(number)["expected"])
    assert "From now on" in done.wait(quiet=0.1).content


def press(client: Client, message_id: str, button: str, *, force: bool = False, **more: Any) -> Reply:
    return client.click(message_id, button, force=force, **more).wait(60, quiet=0.2)


def labels(reply: Reply) -> list[str]:
    return [part.get("label", "") for row in reply.messages[-1].components for part in row["components"]]


def names(reply: Reply) -> list[str]:
    return [file.filename for file in reply.files]


def slow_down(bot: Bot, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Each answer takes a while."""
    answer = bot.services.answering.answer

    def slow(*given: Any, **more: Any) -> Any:
        time.sleep(seconds)
        return answer(*given, **more)

    monkeypatch.setattr(bot.services.answering, "answer", slow)


def begun(bot: Bot, exchange: Exchange) -> str:
    """The message of a test that is being done, once it can be cancelled; its id."""

    def cancellable() -> bool:
        return bool(exchange.messages) and "Cancel" in labels(exchange.reply())

    bot.until(cancellable)
    return exchange.messages[0].id
