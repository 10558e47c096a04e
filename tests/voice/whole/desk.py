"""The HTTP side, as far as the sidecar notices it: what is taught, who agrees, and orders through the voice queue."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import TYPE_CHECKING, Any

from tests.voice.discord import until
from trainer.answers import AnswerRecord, save_answer
from trainer.batches import Origin
from trainer.consent import choose_voice
from trainer.importers import Example, Place
from trainer.scope import Actor, Scope
from trainer.snowflakes import first_of
from trainer.voice_calls import claimed
from trainer.voice_orders import REPLIED_S, SAID_S, Join, Leave, Say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.voice.discord import Discord, Guild, Human, VoiceChannel
    from trainer.services import Services
    from trainer.voice_line import VoiceLine

MANAGER = "99"
TEXT_CHANNEL = "1"


def scope_of(guild: Guild) -> Scope:
    return Scope("guild", str(guild.id))


class Desk:
    """Gives orders.

    Args:
        emulator: shows what comes of them.
        services: the same store and queue as the sidecar's.
    """

    def __init__(self, emulator: Discord, services: Services) -> None:
        assert services.voice is not None
        self.line: VoiceLine = services.voice
        self._emulator = emulator
        self._services = services
        self._asked_for: list[str] = []
        self._ids = itertools.count(first_of(time.time()), 1 << 22)

    def new_id(self) -> str:
        """The next interaction's."""
        return str(next(self._ids))

    # What is known.

    def teach(self, guild: Guild, **answers: str) -> None:
        """Answers to questions; in names of arguments, `_` is a space and the question mark is left out."""
        for question, answer in answers.items():
            self.teach_pair(guild, f"{question.replace('_', ' ')}?", answer)

    def teach_pair(self, guild: Guild, question: str, answer: str) -> None:
        manager = Actor(scope_of(guild), MANAGER, is_manager=True)
        example = Example("pair", question, answer, Place("block", 1))
        self._services.training.train(manager, self.new_id(), "default", Origin("text"), [example], lambda _: None)

    def correct(self, guild: Guild, question: str, wrong: str, right: str) -> None:
        """Somebody was given a wrong answer, and says what is right."""
        manager = Actor(scope_of(guild), MANAGER, is_manager=True)
        record = AnswerRecord(
            id=self.new_id(),
            dataset="default",
            question=question,
            text=wrong,
            kind="trained",
            author=MANAGER,
            created_at=time.time(),
        )
        save_answer(self._services.store, manager.scope, record)
        correction = self._services.corrections.correct(manager, self.new_id(), record.id, right)
        assert not correction.proposed

    # Commands, and buttons.

    async def join(self, human: Human, *, within: float = 30.0) -> str:
        """Somebody types /join, which says that they agree to be heard, too; the reply."""
        order = Join(**self._asked(human))
        choose_voice(self._services.store, scope_of(human.guild), str(human.user_id), order.id, on=True)
        return await self._answered(order, within=within)

    async def leave(self, human: Human) -> str:
        return await self._answered(Leave(**self._asked(human)))

    async def consent(self, human: Human, *, on: bool) -> None:
        """Somebody presses Agree, or takes it back."""
        store, scope, user_id = self._services.store, scope_of(human.guild), str(human.user_id)
        choose_voice(store, scope, user_id, self.new_id(), on=on)
        await asyncio.to_thread(self.line.tell_consent, scope.id, user_id)

    def agreed(self, *humans: Human) -> None:
        """They did so long ago."""
        for human in humans:
            choose_voice(self._services.store, scope_of(human.guild), str(human.user_id), self.new_id(), on=True)

    async def say(self, human: Human, text: str) -> None:
        """Somebody typed /ask with speak:True, and this is the answer."""
        now = time.time()
        guild_id, user_id = str(human.guild.id), str(human.user_id)
        order = Say(
            id=self.new_id(),
            guild_id=guild_id,
            user_id=user_id,
            text=text,
            language="en",
            at=now,
            expires=now + SAID_S,
        )
        await asyncio.to_thread(self.line.send, order)

    def taken_on(self, guild: Guild) -> int:
        """How many commands a sidecar has promised to answer."""
        store, guild_id = self._services.store, str(guild.id)
        return [claimed(store, guild_id, number) for number in self._asked_for].count("sidecar")

    def _asked(self, human: Human) -> dict[str, Any]:
        now, number = time.time(), self.new_id()
        self._asked_for.append(number)
        return {
            "id": number,
            "application_id": str(self._emulator.bot_id),
            "token": f"token-{number}",
            "guild_id": str(human.guild.id),
            "user_id": str(human.user_id),
            "channel_id": TEXT_CHANNEL,
            "locale": "en-US",
            "at": now,
            "expires": now + REPLIED_S,
        }

    async def _answered(self, order: Join | Leave, *, within: float = 30.0) -> str:
        """Gives an order as a worker does; how the sidecar answers it."""
        assert await asyncio.to_thread(self.line.ask, order) == "sidecar", "no sidecar took the order on"
        await until(lambda: self._edits(order.token), "the command is answered", within=within)
        (edit,) = self._edits(order.token)
        return edit

    def _edits(self, token: str) -> Sequence[str]:
        return [edit.content for edit in self._emulator.edits if edit.token == token]

    # What people read.

    def texts(self, channel: VoiceChannel) -> list[str]:
        """What stands in a channel's chat."""
        return [message.content for message in self._emulator.sent_messages if message.channel_id == channel.id]
