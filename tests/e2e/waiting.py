"""Proposals that wait, and what a manager does about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.gated import QUIET_S, ada_of, correct
from trainer.datasets import proposals_prefix

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playground.clients import Client, Exchange, Reply
    from tests.bot import Bot
    from trainer.corrections import Correction
    from trainer.scope import Actor


def bob_of(bot: Bot) -> Actor:
    return ada_of(bot)._replace(user_id=bot.bob().user.id, is_manager=False)


def propose(bot: Bot, rights: Mapping[str, str], dataset: str = "default") -> list[Correction]:
    return correct(bot, rights, by=bob_of(bot), dataset=dataset)


def show(bot: Bot, client: Client | None = None) -> Reply:
    return (client or bot.ada()).command("proposals").wait(quiet=QUIET_S)


def press(bot: Bot, reply: Reply, label: str) -> Exchange:
    return bot.ada().click(reply.message.id, label)


def answer(bot: Bot, question: str) -> str:
    return bot.bob().command("ask", prompt=question).wait(quiet=QUIET_S).content.splitlines()[0]


def statuses(bot: Bot, made: list[Correction], dataset: str = "default") -> list[str]:
    corrections = bot.services.corrections
    return [corrections.standing(bot.services_scope(), dataset, one.id).status for one in made]


def marks(bot: Bot, dataset: str = "default") -> set[str]:
    prefix = proposals_prefix(bot.services_scope(), dataset)
    return {info.key.removeprefix(prefix) for info in bot.services.store.list(prefix)}


def many(count: int) -> dict[str, str]:
    return {f"What is the code of room {number}?": f"Code {number}" for number in range(count)}
