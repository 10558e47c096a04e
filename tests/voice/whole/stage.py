"""The sidecar in this process, all of it but its models, in a server with people; and what holds in each scene."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.voice.connection.sidecar import QUICK, available
from tests.voice.discord import Discord, until
from tests.voice.whole.desk import Desk
from tests.voice.whole.listening import Listener, says
from tests.voice.whole.models import Reader, Recogniser
from tests.voice.whole.sounds import STORY
from trainer import bootstrap
from trainer.configuration import read
from trainer.speech.speaking import Speaker
from voice_sidecar.connection.client import SidecarClient
from voice_sidecar.sidecar import Sidecar
from voice_sidecar.turns.ears import load_ears
from voice_sidecar.turns.settings import ear_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from tests.voice.discord import Guild, Human, Rules, VoiceChannel, VoiceSession
    from trainer.configuration import Configuration
    from trainer.ports import Job, JobQueue
    from voice_sidecar.receiving.counters import Counters
    from voice_sidecar.turns.ears import Ears
    from voice_sidecar.turns.settings import Settings as EarSettings

ADA, BOB = 11, 12
WHERE = "Where is the key?"
THERE = "Behind the blue door."
WHEN = "When do we meet?"
NOON = "At noon in the hall."
LONG = "Tell me of the hall."


def configured(folder: Path, emulator: Discord, **settings: str) -> dict[str, str]:
    """The environment of a sidecar, but for what is the process's own."""
    return {
        "DISCORD_API_BASE_URL": emulator.api_base_url,
        "DISCORD_TOKEN": emulator.token,
        "TRAINGER_STORE": f"file:{folder / 'store'}",
        "TRAINGER_CACHE": str(folder / "cache"),
        "TRAINGER_VOICE_QUEUE": f"sqlite:{folder / 'voice.sqlite3'}",
        "TRAINGER_EMBEDDINGS": "none",
        "TRAINGER_STT": "none",
        "TRAINGER_TTS": "none",
        "TRAINGER_SIDECAR_PORT": "0",
        "TRAINGER_VOICE_SILENCE_SECONDS": "0.4",
        "TRAINGER_VOICE_FILLER_SECONDS": "0",
        **settings,
    }


USUAL_EARS = ear_settings


def slow_ears(silence: float) -> EarSettings:
    """In place of `ear_settings`: nothing is a pause before that, so that a busy machine makes none in mid-speech."""
    return replace(USUAL_EARS(silence), short_pause=silence, least_pause=silence, complete_pause=silence)


class Prompt:
    """A queue that is looked into often, so that whoever does it stops soon."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue

    def lease(self, *, wait_s: float, visibility_s: float, limit: int = 1) -> Sequence[Job]:
        return self._queue.lease(wait_s=min(wait_s, 0.1), visibility_s=visibility_s, limit=limit)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)


class Stage:
    """A server with a voice channel, two people, and a sidecar that knows some answers.

    Attributes:
        recogniser: hears them.
        reader: the bot's voice.
    """

    def __init__(self, emulator: Discord, folder: Path, **settings: str) -> None:
        self.emulator = emulator
        self.guild = emulator.add_guild()
        self.channel = self.guild.add_voice_channel()
        self.ada, self.bob = self.guild.add_human(ADA, "Ada"), self.guild.add_human(BOB, "Bob")
        self.recogniser = Recogniser()
        self.reader = Reader()
        self.configuration: Configuration = read(configured(folder, emulator, **settings), {})
        services = bootstrap.make_services(self.configuration)
        self.services = services._replace(transcriber=self.recogniser, speaker=Speaker([self.reader]))
        self.desk = Desk(emulator, services)
        self.sidecar: Sidecar = None  # type: ignore[assignment] # made when it enters
        self.know(self.guild)

    def know(self, guild: Guild) -> None:
        """A server knows the answers."""
        for question, answer in ((WHERE, THERE), (WHEN, NOON), (LONG, STORY)):
            self.desk.teach_pair(guild, question, answer)
            self.recogniser.knows.append(question)

    async def enter(
        self, ears: Ears, *, shard_ids: Sequence[int] | None = None, shard_count: int | None = None
    ) -> asyncio.Task[None]:
        queue: Any = Prompt(bootstrap.make_voice_queue(self.configuration))
        self.sidecar = Sidecar(
            self.configuration,
            self.services,
            [queue],
            ears,
            shard_ids=shard_ids,
            shard_count=shard_count,
            tls=self.emulator.ssl_context(),
            patience=QUICK,
        )
        running = asyncio.create_task(self.sidecar.run())
        await until(self.up, "the sidecar is there")
        return running

    def up(self) -> bool:
        """The sidecar sees its servers."""
        return all(available(self.sidecar.client, guild_id) for guild_id in self.emulator.guilds)

    async def begin(self, *people: Human, channel: VoiceChannel | None = None) -> VoiceSession:
        """These people are in a channel, and the first has the bot join."""
        channel = channel or self.channel
        for human in people or (self.ada,):
            await human.join(channel)
        human = people[0] if people else self.ada
        assert "and I hear you" in await self.desk.join(human)
        return await self.ready(channel)

    async def ready(self, channel: VoiceChannel | None = None) -> VoiceSession:
        """Waits until the bot and all who are there hear each other."""
        channel = channel or self.channel
        voice = await channel.guild.bot_in(channel, within=20)
        await until(lambda: self.speaks_in(channel), "the bot has the keys", within=20)
        return voice

    def speaks_in(self, channel: VoiceChannel) -> bool:
        line = self.sidecar.connections.line(channel.guild.id)
        call = self.sidecar.calls.call(channel.guild.id)
        return line is not None and line.ready and call is not None and call.room.channel_id == channel.id

    async def answers(
        self, human: Human, question: str = WHERE, answer: str = THERE, *, within: float = 20.0
    ) -> None:
        """Somebody asks, and hears the answer."""
        listener = Listener(human)
        await says(human, question)
        await listener.hears(answer, within=within)

    def counters(self, guild: Guild | None = None) -> Counters:
        """What became of the packets of a server's call."""
        line = self.sidecar.connections.line((guild or self.guild).id)
        assert line is not None
        return line.receiver.counters

    async def silent(self) -> None:
        """Waits until the bot has finished what it has to say."""
        call = self.sidecar.calls.call(self.guild.id)
        assert call is not None
        replies, player = call.conversation._replies, call.conversation._player  # type: ignore[attr-defined]
        await until(lambda: replies.idle and not player.playing, "the bot has finished", within=20)

    async def quiet(self, human: Human) -> None:
        """Waits until all that somebody sent has come in, and no turn is open any more."""
        position = human.sequence
        await asyncio.sleep(0.1)
        assert human.sequence == position
        await asyncio.sleep(self.configuration.voice.silence_seconds + 0.6)


ORDINARY = frozenset(logging.makeLogRecord({}).__dict__) - {"exc_info", "exc_text", "stack_info"}
"""Fields of records that hold nothing that was given to them."""


class Log(logging.Handler):
    """Everything that is logged, as text."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        fields = {name: value for name, value in record.__dict__.items() if name not in ORDINARY}
        self.lines.append(f"{record.name}: {record.getMessage()} {json.dumps(fields, default=repr)}")


@contextlib.contextmanager
def logged() -> Iterator[Log]:
    """What is logged meanwhile."""
    log, root = Log(), logging.getLogger()
    level = root.level
    root.addHandler(log)
    root.setLevel(logging.INFO)
    try:
        yield log
    finally:
        root.removeHandler(log)
        root.setLevel(level)


def wordless(lines: Sequence[str], words: Sequence[str]) -> None:
    """No line repeats what was said."""
    for line in lines:
        for text in words:
            assert text.casefold().rstrip(".?") not in line.casefold(), line


@contextlib.asynccontextmanager
async def stage(
    folder: Path, rules: Rules | None = None, semantic: bool = False, /, **settings: str
) -> AsyncIterator[Stage]:
    """A stage with its sidecar. At its end, Discord had no reason to complain, and the log has no words in it."""
    async with Discord(rules) as emulator:
        it = Stage(emulator, folder, **settings)
        with (
            logged() as log,
            patch.object(Route, "BASE", Route.BASE),
            patch.object(DiscordWebSocket, "DEFAULT_GATEWAY", DiscordWebSocket.DEFAULT_GATEWAY),
            patch.object(SidecarClient, "IDENTIFY_AGAIN", (0.0, 0.0)),
            patch("voice_sidecar.connection.client._IDENTIFY_EVERY", 0.1),
        ):
            ears = load_ears(ear_settings(it.configuration.voice.silence_seconds), semantic=semantic)
            running = await it.enter(ears)
            try:
                yield it
            except BaseException as error:
                error.add_note("\n".join(log.lines))
                raise
            finally:
                await it.sidecar.close()
                await asyncio.gather(running, return_exceptions=True)
                it.services.close()
        assert emulator.violations == []
        wordless(log.lines, [*it.recogniser.knows, *it.reader.said])
