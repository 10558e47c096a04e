"""A server whose changes are tested before they count, and something to test them with."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Final

from trainer.answers import AnswerRecord, save_answer
from trainer.batches import Origin
from trainer.evaluation.cases import Case, Check
from trainer.evaluation.regression import add_cases
from trainer.importers import Example, Place
from trainer.scope import Actor, Scope
from trainer.settings import scope_settings
from trainer.snowflakes import first_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playground.clients import Client, Exchange, Reply
    from playground.messages import Message
    from tests.bot import Bot
    from trainer.corrections import Correction

QUIET_S: Final = 0.1
DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_IDS = count(first_of(1_790_000_000) + 1, 1 << 22)


def days(shift: int = 0) -> dict[str, str]:
    """Seven questions, to each of which the answer is a day of the week, which `shift` moves on."""
    return {f"On which day does event number {place} start?": DAYS[(place + shift) % 7] for place in range(7)}


def fresh_id() -> str:
    return str(next(_IDS))


def ada_of(bot: Bot, scope: Scope | None = None) -> Actor:
    return Actor(scope or bot.services_scope(), bot.ada().user.id, is_manager=True)


def correct(
    bot: Bot,
    rights: Mapping[str, str],
    *,
    dataset: str = "default",
    by: Actor | None = None,
    wrong: str = "Never.",
    scope: Scope | None = None,
) -> list[Correction]:
    """Have answers corrected: cases of the dataset, if a manager does it."""
    made = []
    for question, right in rights.items():
        actor = by or ada_of(bot, scope)
        answer = AnswerRecord(
            id=fresh_id(),
            dataset=dataset,
            question=question,
            text=wrong,
            kind="trained",
            author=actor.user_id,
            created_at=1_790_000_000,
        )
        save_answer(bot.services.store, actor.scope, answer)
        made.append(bot.services.corrections.correct(actor, fresh_id(), answer.id, right))
    return made


def teach(bot: Bot, answers: Mapping[str, str], *, dataset: str = "default", scope: Scope | None = None) -> None:
    examples = [Example("pair", question, answer, Place("block", 1)) for question, answer in answers.items()]
    actor = ada_of(bot, scope)
    bot.services.training.train(actor, fresh_id(), dataset, Origin("text"), examples, lambda _: None)


def add(bot: Bot, answers: Mapping[str, str], *, dataset: str = "default") -> None:
    """Add cases as the failures of a run are added: the answer must hold this text."""
    cases = [Case(id=f"f{number}", question=question, checks=(Check("contains", (answer,)),))
             for number, (question, answer) in enumerate(answers.items())]  # fmt: skip
    ada = ada_of(bot)
    added = add_cases(bot.services.store, ada, dataset, cases, run_id=fresh_id(), owner=ada.user_id)
    assert added.added == len(answers)


def turn_on(bot: Bot, client: Client | None = None) -> None:
    told = (client or bot.ada()).command("settings", {"gate": True}).wait(quiet=QUIET_S).content
    assert "I test them" in told or "проверяю" in told


def select(bot: Bot, name: str, client: Client | None = None, **more: Any) -> Exchange:
    return (client or bot.ada()).command("select_dataset", {"name": name, **more})


def selected(bot: Bot, scope: Scope | None = None) -> str:
    return scope_settings(bot.services.store, scope or bot.services_scope()).dataset


def labels(message: Message) -> list[str]:
    return [part.get("label", "") for row in message.components for part in row["components"]]


def force(
    client: Client, held: Reply, reason: str = "We start anew.", label: str = "Do it all the same…"
) -> Exchange:
    """Bring into force what did not pass."""
    return client.click(held.message.id, label).submit({"reason": reason})


def gate_runs(bot: Bot) -> int:
    """How many runs there are."""
    prefix = f"{bot.services_scope().prefix}/evaluations/"
    return sum(info.key.endswith("/run.json") for info in bot.services.store.list(prefix))


def prepare(bot: Bot) -> None:
    """Each answer of the dataset `events` is wrong."""
    correct(bot, days())
    teach(bot, days(shift=1), dataset="events")
    turn_on(bot)


def held(bot: Bot, name: str = "events") -> Reply:
    """Try to select a dataset that answers worse."""
    reply = select(bot, name).wait(quiet=QUIET_S)
    assert "was not selected" in reply.content
    assert selected(bot) == "default"
    return reply
