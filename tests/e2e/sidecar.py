"""A voice sidecar that takes orders on and answers them, and does nothing else."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self, TypeVar

from interactions.discord_api import DiscordApi
from trainer import bootstrap
from trainer.voice_calls import CallState, claim, clear_call_state, do_once, save_call_state
from trainer.voice_orders import Join, Leave, decode

if TYPE_CHECKING:
    from tests.bot import Bot
    from trainer.voice_orders import Order

JOINED = "Here I am."
LEFT = "Bye."
O = TypeVar("O")  # noqa: E741 - a kind of order


class Sidecar:
    """Takes orders while the `with` block runs.

    Attributes:
        orders: what it was told, in order.
        replied: the ids of what it answered.
    """

    def __init__(self, bot: Bot) -> None:
        self.bot = bot
        self.orders: list[Order] = []
        self.replied: list[str] = []
        self.queue = bootstrap.make_voice_queue(bot.configuration)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self.queue.close()

    def told(self, kind: type[O]) -> list[O]:
        """The orders of one kind."""
        return [order for order in self.orders if isinstance(order, kind)]

    def until_told(self, kind: type[O], count: int = 1) -> list[O]:
        """Wait for so many orders of a kind."""
        self.bot.until(lambda: len(self.told(kind)) >= count)
        return self.told(kind)

    def until_quiet(self) -> None:
        """Wait until every order has been taken."""
        self.bot.until_idle()
        self.bot.until(lambda: self.queue.depth()[:3] == (0, 0, 0))

    def _run(self) -> None:
        while not self._stopping.is_set():
            for job in self.queue.lease(wait_s=0.1, visibility_s=30):
                order = decode(job.body)
                if isinstance(order, Join | Leave):
                    self._answer(order)
                self.orders.append(order)
                self.queue.complete(job)

    def _answer(self, order: Join | Leave) -> None:
        store, guild = self.bot.services.store, order.guild_id
        if order.id in self.replied or claim(store, guild, order.id, "sidecar") != "sidecar":
            return
        self.replied.append(order.id)
        if isinstance(order, Join):
            channel = self.bot.playground.world.voice_channel
            self.bot.playground.world.join_voice("Trainger")
            state = CallState(
                channel_id=channel.id, text_channel_id=order.channel_id, joined_by=order.user_id, at=order.at
            )
            save_call_state(store, guild, state)
        else:
            self.bot.playground.world.leave_voice("Trainger")
            clear_call_state(store, guild)
        text = JOINED if isinstance(order, Join) else LEFT
        with DiscordApi(self.bot.configuration.api_base_url, order.application_id) as api:
            api.edit_original(order.token, {"content": text})
        do_once(store, guild, order.id)
