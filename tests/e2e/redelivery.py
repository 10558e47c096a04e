"""Jobs that are delivered again, as if their worker had died before it kept what came out of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playground.clients import Exchange
    from tests.bot import Bot
    from trainer.scope import Scope


def forget_outcome(bot: Bot, exchange: Exchange, scope: Scope | None = None) -> None:
    store = bot.services.store
    bot.until_idle()
    for info in list(store.list(f"{(scope or bot.services_scope()).prefix}/outcomes/{exchange.id}")):
        store.delete(info.key)


def deliver_again(bot: Bot, exchange: Exchange) -> None:
    forget_outcome(bot, exchange)
    exchange.redeliver()
    bot.until_idle()


def answered_again(bot: Bot, exchange: Exchange) -> str:
    """Deliver a job again that must edit its reply again; what that says then."""
    forget_outcome(bot, exchange)
    before = _edits(bot)
    exchange.redeliver()
    bot.until(lambda: _edits(bot) > before)
    bot.until_idle()
    return exchange.wait(quiet=0.05).content


def _edits(bot: Bot) -> int:
    return sum(request.method == "PATCH" for request in bot.playground.requests)
