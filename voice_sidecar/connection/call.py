"""What belongs to one voice connection: its line, the task that keeps it, and its place in discord.py's registry."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING

import discord

from voice_sidecar.connection.door import GatewayDown, GuildDoor
from voice_sidecar.connection.keeper import Keeper
from voice_sidecar.connection.line import Line
from voice_sidecar.connection.media import Media
from voice_sidecar.connection.outcomes import CannotJoin, Lost, Refusal, describe
from voice_sidecar.connection.session import Identity, Session

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    import aiohttp

    from voice_sidecar.connection.bulletin import Bulletin
    from voice_sidecar.connection.client import SidecarClient
    from voice_sidecar.connection.counters import Counters
    from voice_sidecar.connection.patience import Patience
    from voice_sidecar.connection.wire import Credentials
    from voice_sidecar.receiving.speaker import Chunk

_log = logging.getLogger(__name__)
_REFUSALS = {
    Lost.KICKED: Refusal.REMOVED,
    Lost.CHANNEL_DELETED: Refusal.UNKNOWN_CHANNEL,
    Lost.GUILD_REMOVED: Refusal.UNKNOWN_GUILD,
    Lost.REFUSED: Refusal.REFUSED,
    Lost.GAVE_UP: Refusal.TIMEOUT,
}


class VoicePort(discord.VoiceProtocol):
    """discord.py's public way to speak voice oneself: it gives us what the gateway says about our own voice state."""

    def __init__(self, client: discord.Client, channel: discord.abc.Connectable, said: Bulletin) -> None:
        super().__init__(client, channel)
        self._said = said

    async def on_voice_state_update(self, data: object, /) -> None:
        """See `discord.VoiceProtocol`."""
        self._said.voice_state(data)

    async def on_voice_server_update(self, data: object, /) -> None:
        """See `discord.VoiceProtocol`."""
        self._said.voice_server(data)

    async def connect(
        self,
        *,
        timeout: float,  # noqa: ASYNC109  # as discord.py has it
        reconnect: bool,
        self_deaf: bool = False,
        self_mute: bool = False,
    ) -> None:
        """Only takes its place in the registry: the keeper connects."""

    async def disconnect(self, *, force: bool) -> None:  # noqa: ARG002
        """Gives its place back."""
        self.cleanup()


class Call:
    """One voice connection from joining to its end. Made by `Connections`.

    Args:
        client: The gateway.
        http: For websockets.
        channel: To join first.
        heard: Whether a person agreed to be heard.
        on_chunks: Given what was heard.
        on_moved: Told the channel that somebody moved us to.
        on_close: Called when the line is closed; it calls `close`.
        counters: To count in.
        patience: How long things may take.

    Attributes:
        joined: Whoever joined has the line.
    """

    def __init__(
        self,
        client: SidecarClient,
        http: aiohttp.ClientSession,
        channel: discord.VoiceChannel | discord.StageChannel,
        *,
        heard: Callable[[int], bool],
        on_chunks: Callable[[Line, list[Chunk]], None],
        on_moved: Callable[[int], None],
        on_close: Callable[[Call], Coroutine[Any, Any, None]],
        counters: Counters,
        patience: Patience,
    ) -> None:
        user = client.user
        assert user is not None  # noqa: S101  # there is no channel before logging in
        guild_id = channel.guild.id
        identity = Identity(user.id, guild_id)
        self._counters = counters
        self._client = client
        self._channel = channel
        self._media = Media(user.id, channel.id, heard, lambda chunks: on_chunks(self.line, chunks), counters)

        def session(credentials: Credentials) -> Session:
            return Session(http, identity, credentials, self._media, counters)

        door = GuildDoor(client, guild_id)
        self.keeper = Keeper(channel.id, door, self._media, session, counters, on_moved, patience)
        self.line = Line(guild_id, self._media, self.keeper, lambda: on_close(self))
        self.joined = False
        self._port: VoicePort | None = None
        self._keeping: asyncio.Task[Lost] | None = None
        self._closing: asyncio.Task[None] | None = None

    async def begin(self, on_lost: Callable[[Call, Lost], None]) -> None:
        """Begins to keep the connection.

        Args:
            on_lost: Told if it ends without being closed.
        """
        made = partial(VoicePort, said=self.keeper.said)
        self._port = await self._channel.connect(cls=made, timeout=1.0, reconnect=False)
        self._keeping = asyncio.create_task(self.keeper.run(), name="voice connection")
        self._keeping.add_done_callback(lambda task: self._ended(task, on_lost))

    async def standing_in(self, channel_id: int, patience: float) -> None:
        """Waits until the connection stands in a channel.

        Raises:
            CannotJoin: If it does not.
        """
        assert self._keeping is not None  # noqa: S101  # begun
        standing = asyncio.create_task(self.keeper.standing_in(channel_id))
        try:
            await asyncio.wait({standing, self._keeping}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            if standing.done():
                return
        finally:
            standing.cancel()
        if not self._keeping.done():
            raise CannotJoin(Refusal.TIMEOUT)
        if self._keeping.cancelled():
            raise CannotJoin(Refusal.LEFT)
        problem = self._keeping.exception()
        raise CannotJoin(Refusal.REFUSED if problem is not None else _REFUSALS[self._keeping.result()])

    async def move(self, channel_id: int, patience: float) -> None:
        """Goes to another channel.

        Raises:
            CannotJoin: If that fails; the connection stays where it is.
        """
        try:
            await self.keeper.move(channel_id)
            await self.standing_in(channel_id, patience)
        except GatewayDown:
            self.keeper.stay()
            raise CannotJoin(Refusal.GATEWAY_DOWN) from None
        except BaseException:
            self.keeper.stay()
            raise

    async def close(self) -> None:
        """Ends it, and leaves the channel. Whoever calls waits until it is done, the second caller, too."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(), name="voice closing")
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        self._media.close()
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait({self._keeping})
        await self.keeper.leave()
        if self._port is not None:
            self._port.cleanup()

    def _ended(self, task: asyncio.Task[Lost], on_lost: Callable[[Call, Lost], None]) -> None:
        if task.cancelled() or self._closing is not None:
            return
        problem = task.exception()
        if problem is not None:
            _log.error("A voice connection failed: %s", describe(problem))
        lost = Lost.GAVE_UP if problem is not None else task.result()
        self._counters.lost[lost] += 1
        self._closing = asyncio.create_task(self._close(), name="voice closing")
        on_lost(self, lost)
