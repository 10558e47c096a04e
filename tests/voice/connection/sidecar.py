"""The sidecar's connections against the emulator, and all that came of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple
from unittest.mock import patch

from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.voice.discord import Discord, permissions, until
from tests.voice.talker import decoded, spoken
from voice_sidecar.connection.client import SidecarClient, make_client
from voice_sidecar.connection.connections import Connections
from voice_sidecar.connection.patience import Patience
from voice_sidecar.receiving.speaker import Chunk, Sound

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence

    from tests.voice.discord import Guild, Human, Rules, VoiceChannel, VoiceSession
    from voice_sidecar.connection.counters import Counters
    from voice_sidecar.connection.line import Line
    from voice_sidecar.connection.outcomes import Lost

QUICK = Patience(answer=3, leave=1, explain=1, settle=0.2, gateway=5, group=2, give_up=20, first_pause=0.05, join=5)


class Sidecar:
    """The connections, with everything that they told."""

    def __init__(self, client: SidecarClient, consenting: set[int], patience: Patience) -> None:
        self.client = client
        self.consenting = consenting
        self.chunks: dict[int, list[Chunk]] = defaultdict(list)
        self.lost: list[tuple[int, Lost]] = []
        self.moved: list[tuple[int, int]] = []
        self.people_changed: list[int] = []
        self.connections = Connections(
            client,
            heard=lambda guild_id, user_id: user_id in self.consenting,
            on_chunks=self._heard,
            on_lost=lambda *what: self.lost.append(what),
            on_moved=lambda *what: self.moved.append(what),
            on_people=self.people_changed.append,
            patience=patience,
        )

    def _heard(self, line: Line, chunks: list[Chunk]) -> None:
        self.chunks[line.guild_id] += chunks

    @property
    def counters(self) -> Counters:
        return self.connections.counters

    async def join(self, channel: VoiceChannel) -> tuple[Line, VoiceSession]:
        """Joins, and waits until everybody has the same keys."""
        line = await self.connections.join(channel.guild.id, channel.id)
        voice = await channel.guild.bot_in(channel)
        return line, voice

    def sound(self, guild: Guild, user_id: int) -> bytes:
        """What was heard of somebody, without silence and guesses."""
        return b"".join(
            chunk.pcm for chunk in self.chunks[guild.id] if chunk.user_id == user_id and chunk.sound is Sound.HEARD
        )

    async def say(self, line: Line, packets: Iterable[bytes], *, pace: float = 0.0) -> list[bool]:
        """Sends packets as the player does, but from this thread. What became of each."""
        line.speaking(True)
        await asyncio.sleep(0.02)
        results = []
        for packet in packets:
            results.append(line.send(packet))
            await asyncio.sleep(pace)
        return results


class Place(NamedTuple):
    """A voice channel in the emulator's only server."""

    emulator: Discord
    channel: VoiceChannel
    people: list[Human]
    """The members of the server, in the order in which they were named."""


USER_IDS = {"Ada": 11, "Carol": 12, "Bob": 13}


@contextlib.asynccontextmanager
async def channel_with(
    *present: str,
    absent: Sequence[str] = (),
    rules: Rules | None = None,
    stage: bool = False,
    allowed: int = permissions.ALL_THAT_A_VOICE_BOT_NEEDS,
) -> AsyncIterator[Place]:
    """An emulator with one server and one voice channel, or stage.

    Args:
        present: Who is in the channel already.
        absent: Who is a member of the server, and in no channel yet.
        allowed: What the bot may do in the server.
    """
    async with Discord(rules) as emulator:
        guild = emulator.add_guild()
        guild.set_bot_permissions(allowed)
        channel = guild.add_voice_channel(stage=stage)
        people = [guild.add_human(USER_IDS[name], name) for name in (*present, *absent)]
        for human in people[: len(present)]:
            await human.join(channel)
        yield Place(emulator, channel, people)


@contextlib.contextmanager
def library_for_tests() -> Iterator[None]:
    """discord.py that identifies without waiting its turn, and is afterwards as it was."""
    with (
        patch.object(Route, "BASE", Route.BASE),
        patch.object(DiscordWebSocket, "DEFAULT_GATEWAY", DiscordWebSocket.DEFAULT_GATEWAY),
        patch.object(SidecarClient, "IDENTIFY_AGAIN", (0.0, 0.0)),
        patch("voice_sidecar.connection.client._IDENTIFY_EVERY", 0.1),
    ):
        yield


@contextlib.asynccontextmanager
async def sidecar(
    emulator: Discord,
    *,
    consenting: Iterable[int] = (11, 12, 13),
    patience: Patience = QUICK,
    shard_ids: Sequence[int] | None = None,
    shard_count: int | None = None,
) -> AsyncIterator[Sidecar]:
    """A sidecar that is connected to the gateway and has its guilds."""
    with library_for_tests():
        client = make_client(
            emulator.api_base_url, shard_ids=shard_ids, shard_count=shard_count, tls=emulator.ssl_context()
        )
        it = Sidecar(client, set(consenting), patience)
        running = asyncio.create_task(client.start(emulator.token))
        try:
            mine = [
                guild_id
                for guild_id in emulator.guilds
                if shard_ids is None or (guild_id >> 22) % (shard_count or 1) in shard_ids
            ]
            await until(
                lambda: running.done() or all(available(client, each) for each in mine), "the guilds are there"
            )
            if running.done():
                await running
            yield it
        finally:
            await client.close()
            await asyncio.gather(running, return_exceptions=True)


def available(client: SidecarClient, guild_id: int) -> bool:
    guild = client.get_guild(guild_id)
    return guild is not None and not guild.unavailable and client.shard_is_up(guild_id)


async def another_session(channel: VoiceChannel, before: VoiceSession, *, within: float = 10.0) -> VoiceSession:
    """Waits until the bot is in the channel with another session than before, and has its keys."""
    await until(lambda: channel.guild.voice is not before, "there is another session", within=within)
    return await channel.guild.bot_in(channel)


async def both_hear(it: Sidecar, line: Line, human: Human, *, seed: int = 7) -> None:
    """Each says something that the other hears exactly."""
    guild = human.guild
    await until(lambda: line.ready, "there are keys")
    await until(human_is_settled(human), "the group has settled")
    before, heard = len(human.heard_packets()), len(it.sound(guild, human.user_id))
    said, answer = spoken(10, seed=seed), spoken(8, seed=seed + 1)
    await human.speak(said, padding=(0, 4, 200))
    expected = len(decoded(said))
    await until(lambda: len(it.sound(guild, human.user_id)) - heard >= expected, "the bot has heard it")
    assert all(await it.say(line, answer))
    await until(lambda: len(human.heard_packets()) - before >= len(answer), f"{human.name} has heard it")
    assert human.heard_packets()[before:] == list(answer)


def human_is_settled(human: Human) -> Callable[[], bool]:
    channel = human.channel
    assert channel is not None
    return channel.call.group.settled
