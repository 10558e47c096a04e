"""All voice connections of this process: joining, moving, leaving, and who is there."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING

import aiohttp

from voice_sidecar.connection import people as cached
from voice_sidecar.connection.bulletin import News
from voice_sidecar.connection.call import Call
from voice_sidecar.connection.counters import Counters
from voice_sidecar.connection.door import GuildDoor, VoiceChannel
from voice_sidecar.connection.outcomes import CannotJoin, Lost, Refusal, describe
from voice_sidecar.connection.patience import Patience
from voice_sidecar.connection.permission import refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from voice_sidecar.connection.client import SidecarClient
    from voice_sidecar.connection.line import Line
    from voice_sidecar.parts import Person
    from voice_sidecar.receiving.speaker import Chunk

_log = logging.getLogger(__name__)


class Connections:
    """The voice connections of a client, one a guild at most. In the event loop.

    Args:
        client: The gateway. Its voice events are taken by this object from now on.
        heard: Whether a person of a guild agreed to be heard, at this moment.
        on_chunks: Given what was heard.
        on_lost: Told when a connection ended that nobody asked to end; its line is closed.
        on_moved: Told when somebody moved us: the guild, the new channel.
        on_people: Told when somebody came to, left, or changed in the channel that we are in.
        counters: To count in.
        patience: How long things may take.
    """

    def __init__(
        self,
        client: SidecarClient,
        *,
        heard: Callable[[int, int], bool],
        on_chunks: Callable[[Line, list[Chunk]], None],
        on_lost: Callable[[int, Lost], None],
        on_moved: Callable[[int, int], None] | None = None,
        on_people: Callable[[int], None] | None = None,
        counters: Counters | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.counters = counters or Counters()
        self._client = client
        self._heard = heard
        self._on_chunks = on_chunks
        self._on_lost = on_lost
        self._on_moved = on_moved
        self._on_people = on_people
        self._patience = patience or Patience()
        self._calls: dict[int, Call] = {}
        self._ending: defaultdict[int, list[Call]] = defaultdict(list)
        self._locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._http: aiohttp.ClientSession | None = None
        client.listen(self)

    async def join(self, guild_id: int, channel_id: int) -> Line:
        """Joins a channel, or moves there from another of the guild.

        Returns:
            The guild's line: the same as before after a move, or if we were there already.

        Raises:
            CannotJoin: If that is not possible. A connection to another channel of the guild stays.
        """
        async with self._locks[guild_id]:
            channel = self._allowed(guild_id, channel_id)
            call = self._calls.get(guild_id)
            if call is not None:
                await self._go(call, channel_id)
            else:
                call = await self._begin(guild_id, channel)
            return call.line

    async def leave(self, guild_id: int) -> None:
        """Leaves, if we are in a channel of the guild. A join that is under way ends."""
        call = self._calls.get(guild_id)
        if call is not None:
            await self._end(call)

    def line(self, guild_id: int) -> Line | None:
        """The guild's voice connection."""
        call = self._calls.get(guild_id)
        return call.line if call is not None else None

    @property
    def lines(self) -> list[Line]:
        """All voice connections."""
        return [call.line for call in self._calls.values()]

    def forget(self, guild_id: int, user_id: int) -> None:
        """Somebody took their consent back: see `Receiver.forget`."""
        line = self.line(guild_id)
        if line is not None:
            line.receiver.forget(user_id)

    def agreed(self, guild_id: int) -> None:
        """Somebody agreed just now: see `Receiver.agreed`."""
        line = self.line(guild_id)
        if line is not None:
            line.receiver.agreed()

    def people(self, guild_id: int) -> dict[int, Person]:
        """Everybody in the channel that we are in but ourselves, other bots included."""
        guild, line = self._client.get_guild(guild_id), self.line(guild_id)
        if guild is None or line is None or line.channel_id is None:
            return {}
        return cached.people_in(guild, line.channel_id)

    def channel_of(self, guild_id: int, user_id: int) -> int | None:
        """The voice channel of a guild that somebody is in."""
        guild = self._client.get_guild(guild_id)
        return cached.channel_of(guild, user_id) if guild is not None else None

    async def close(self) -> None:
        """Leaves all channels."""
        calls = [*self._calls.values(), *(call for ending in self._ending.values() for call in ending)]
        self._calls.clear()
        self._ending.clear()
        await asyncio.gather(*(call.close() for call in calls), return_exceptions=True)
        if self._http is not None:
            await self._http.close()
            self._http = None

    # What the client tells.

    def voice_state_changed(self, guild_id: int, user_id: int, before: int | None, after: int | None) -> None:  # noqa: ARG002
        """See `client.Listener`."""
        line = self.line(guild_id)
        if line is not None and line.channel_id in (before, after):
            self._people_changed(guild_id)

    def gateway_session_began(self, shard_id: int) -> None:
        """See `client.Listener`."""
        for guild_id, call in self._calls.items():
            if self._client.shard_of(guild_id) == shard_id:
                call.keeper.said.note(News.NEW_GATEWAY_SESSION)

    def gateway_changed(self) -> None:
        """See `client.Listener`."""
        for call in self._calls.values():
            call.keeper.said.wake()

    def guild_removed(self, guild_id: int) -> None:
        """See `client.Listener`."""
        if guild_id in self._calls:
            self._calls[guild_id].keeper.said.note(News.GUILD_REMOVED)

    def channel_deleted(self, guild_id: int, channel_id: int) -> None:
        """See `client.Listener`."""
        call = self._calls.get(guild_id)
        if call is not None and call.keeper.said.channel_id == channel_id:
            call.keeper.said.note(News.CHANNEL_DELETED)

    def _allowed(self, guild_id: int, channel_id: int) -> VoiceChannel:
        """The channel, if the cache says nothing against joining it."""
        door = GuildDoor(self._client, guild_id)
        guild = self._client.get_guild(guild_id)
        if guild is None:
            raise CannotJoin(Refusal.UNKNOWN_GUILD)
        if not door.usable or guild.me is None:
            raise CannotJoin(Refusal.GATEWAY_DOWN)
        refused = refusal(door.place(channel_id))
        if refused is not None:
            raise CannotJoin(*refused)
        channel = guild.get_channel(channel_id)
        if not isinstance(channel, VoiceChannel):  # what `refusal` said already
            raise CannotJoin(Refusal.NOT_VOICE)
        return channel

    async def _go(self, call: Call, channel_id: int) -> None:
        if call.keeper.said.channel_id == channel_id:
            await call.standing_in(channel_id, self._patience.join)
        else:
            await call.move(channel_id, self._patience.join)
            self._people_changed(call.line.guild_id)

    async def _begin(self, guild_id: int, channel: VoiceChannel) -> Call:
        for before in self._ending.pop(guild_id, []):
            await before.close()  # or its goodbye would be taken for ours
        if self._http is None:
            self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=self._client.tls))
        call = Call(
            self._client,
            self._http,
            channel,
            heard=partial(self._heard, guild_id),
            on_chunks=self._on_chunks,
            on_moved=partial(self._moved, guild_id),
            on_close=self._end,
            counters=self.counters,
            patience=self._patience,
        )
        self._calls[guild_id] = call
        try:
            await call.begin(self._lost)
            await call.standing_in(channel.id, self._patience.join)
        except BaseException:
            await self._end(call)
            raise
        call.joined = True
        return call

    async def _end(self, call: Call) -> None:
        self._drop(call)
        await call.close()

    def _drop(self, call: Call) -> None:
        """It is none of the connections any more; the next one waits for its end."""
        guild_id = call.line.guild_id
        if self._calls.get(guild_id) is call:
            del self._calls[guild_id]
            self._ending[guild_id].append(call)

    def _lost(self, call: Call, lost: Lost) -> None:
        self._drop(call)
        if call.joined:  # else whoever joins is told
            self._tell(self._on_lost, call.line.guild_id, lost)

    def _moved(self, guild_id: int, channel_id: int) -> None:
        if self._on_moved is not None:
            self._tell(self._on_moved, guild_id, channel_id)
        self._people_changed(guild_id)

    def _people_changed(self, guild_id: int) -> None:
        if self._on_people is not None:
            self._tell(self._on_people, guild_id)

    def _tell(self, listener: Callable[..., None], *what: object) -> None:
        """A listener that fails does not end a connection."""
        try:
            listener(*what)
        except Exception as error:  # noqa: BLE001
            _log.error("An event of a voice connection was not handled: %s", describe(error))
