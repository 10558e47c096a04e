"""A server of the Discord emulator with a voice channel, where people come, teach, agree and call the bot."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Final

from tests.voice.discord import until
from trainer import bootstrap
from trainer.batches import Origin
from trainer.consent import choose_voice
from trainer.importers.text import read_text
from trainer.scope import Actor, Scope
from trainer.snowflakes import first_of
from trainer.voice_orders import Join, encode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.voice.discord import Discord, Human
    from trainer.configuration import Configuration
    from trainer.services import Services

STARTS_S: Final = 60.0
"""How long a sidecar may take to be there."""


def environment(emulator: Discord, folder: Path) -> Mapping[str, str]:
    """Of a sidecar that is to be in the emulator's servers, and keeps what it has in a folder."""
    return {
        "DISCORD_TOKEN": emulator.token,
        "DISCORD_API_BASE_URL": emulator.api_base_url,
        "SSL_CERT_FILE": str(emulator.certificate),
        "TRAINGER_STORE": f"file:{folder / 'store'}",
        "TRAINGER_CACHE": str(folder / "cache"),
        "TRAINGER_VOICE_QUEUE": f"sqlite:{folder / 'voice.sqlite3'}",
        "TRAINGER_SIDECAR_PORT": "0",
    }


class Place:
    """A new server in the emulator.

    Args:
        emulator: where.
        configuration: the sidecar's.
        services: with the same store as the sidecar's; their owner's to close.
    """

    def __init__(self, emulator: Discord, configuration: Configuration, services: Services) -> None:
        self.emulator = emulator
        self.guild = emulator.add_guild()
        self.channel = self.guild.add_voice_channel()
        self.scope = Scope("guild", str(self.guild.id))
        self._configuration = configuration
        self._services = services
        self._ids = first_of(time.time())

    def new_id(self) -> str:
        """Of an interaction."""
        self._ids += 1
        return str(self._ids)

    def train(self, text: str) -> None:
        """As /train does."""
        actor = Actor(self.scope, "7", is_manager=True)
        training = self._services.training
        batch = training.train(actor, self.new_id(), "default", Origin("text"), read_text(text), lambda _: None)
        assert batch.report.pairs

    async def comes(self, user_id: int, name: str = "Somebody") -> Human:
        """Somebody who agrees to be heard is in the channel."""
        human = self.guild.add_human(user_id, name)
        await human.join(self.channel)
        choose_voice(self._services.store, self.scope, str(user_id), self.new_id(), on=True)
        return human

    async def join(self, user_id: int) -> None:
        """As /join does; waits until the bot is there, and has said so."""
        before, now = len(self.emulator.edits), time.time()
        order = Join(
            id=self.new_id(),
            application_id=str(self.emulator.bot_id),
            token="token",
            guild_id=str(self.guild.id),
            user_id=str(user_id),
            channel_id=str(self.channel.id),
            locale="en-US",
            at=now,
            expires=now + STARTS_S,
        )
        with contextlib.closing(bootstrap.make_voice_queue(self._configuration)) as queue:
            queue.send(encode(order))
            await self.guild.bot_in(self.channel, within=STARTS_S)
            await until(lambda: len(self.emulator.edits) > before, "the command is answered", within=STARTS_S)
        assert "I hear you" in self.emulator.edits[-1].content
