"""The gateway client: which events we get, where Discord is found, and how its certificates are checked."""

from __future__ import annotations

import asyncio
import random
import ssl
from typing import TYPE_CHECKING, Final, Protocol

import aiohttp
import discord

from voice_sidecar.connection import library

if TYPE_CHECKING:
    from collections.abc import Sequence

DISCORD_API: Final = "https://discord.com/api/v10"
_IDENTIFY_EVERY: Final = 5.0
"""Seconds between identifies that share a bucket of the session start limit."""


class Listener(Protocol):
    """Whoever keeps voice connections: told what happens at the gateway. All in the event loop."""

    def voice_state_changed(self, guild_id: int, user_id: int, before: int | None, after: int | None) -> None:
        """Somebody came, went, or changed otherwise; the channels before and after."""
        ...

    def gateway_session_began(self, shard_id: int) -> None:
        """A new gateway session: voice sessions of the one before it are void."""
        ...

    def gateway_changed(self) -> None:
        """A gateway connection came back, or a guild became available."""
        ...

    def guild_removed(self, guild_id: int) -> None:
        """We are no member any more."""
        ...

    def channel_deleted(self, guild_id: int, channel_id: int) -> None:
        """A channel is gone."""
        ...

    async def close(self) -> None:
        """The client closes."""
        ...


def trust() -> ssl.SSLContext:
    """Checks certificates against the system's authorities, or those in `SSL_CERT_FILE` and `SSL_CERT_DIR`."""
    return ssl.create_default_context()


class SidecarClient(discord.AutoShardedClient):
    """Sees guilds and who is in which voice channel; nothing else.

    Args:
        shard_ids: Which shards this process has; all if not given.
        shard_count: How many there are altogether; as Discord recommends if not given.
        tls: Checks certificates.
    """

    IDENTIFY_AGAIN: tuple[float, float] = (1.0, 5.0)
    """Seconds, at random, before identifying again after a session was invalidated, as Discord asks."""

    def __init__(
        self,
        *,
        shard_ids: Sequence[int] | None = None,
        shard_count: int | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        check_shards(shard_ids, shard_count)
        self.tls = tls or trust()
        super().__init__(
            intents=discord.Intents(guilds=True, voice_states=True),
            shard_count=shard_count,
            member_cache_flags=discord.MemberCacheFlags(voice=True, joined=False),
            chunk_guilds_at_startup=False,
            max_messages=None,
            connector=aiohttp.TCPConnector(limit=0, ssl=self.tls),
        )
        self.shard_ids = list(shard_ids) if shard_ids is not None else None
        self._shards_are_given = shard_count is not None
        self._listener: Listener | None = None
        self._begun = False
        self._up: set[int] = set()
        self._identified: dict[int, float] = {}
        self._buckets = 1

    def listen(self, listener: Listener) -> None:
        """Sets who is told what happens."""
        self._listener = listener

    def shard_of(self, guild_id: int) -> int:
        """The shard that a guild belongs to."""
        return (guild_id >> 22) % (self.shard_count or 1)

    def shard_is_up(self, guild_id: int) -> bool:
        """Whether a guild's gateway connection stands."""
        return self.shard_of(guild_id) in self._up

    @property
    def up(self) -> bool:
        """Whether the gateway connections of all our shards stand."""
        ours = self.shard_ids if self.shard_ids is not None else range(self.shard_count or 1)
        return self._up.issuperset(ours)

    async def login(self, token: str) -> None:
        """Logs in. Raises `discord.LoginFailure` for a wrong token."""
        self._begun = True
        await super().login(token)

    async def setup_hook(self) -> None:
        """Asks where the gateway is."""
        recommended, self._buckets = await library.find_gateway(self)
        if not self._shards_are_given:
            self.shard_count = recommended

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:  # noqa: ARG002
        """Keeps to the limit of identifies, and to the pause after an invalidated session."""
        loop = asyncio.get_running_loop()
        shard = shard_id or 0
        last = self._identified.get(shard % self._buckets)
        if last is not None:
            # Not a secret: it only spreads the load.
            pause = random.uniform(*self.IDENTIFY_AGAIN)  # noqa: S311
            await asyncio.sleep(max(pause, last + _IDENTIFY_EVERY - loop.time()))
        self._identified[shard % self._buckets] = loop.time()

    async def close(self) -> None:
        """Leaves all calls, then closes the gateway."""
        listener, self._listener = self._listener, None
        if listener is not None:
            await listener.close()
        if self._begun:  # else there is nothing to close, and discord.py would fall over that
            await super().close()

    # What discord.py dispatches.

    async def on_shard_connect(self, shard_id: int) -> None:
        """A new session was identified."""
        self._up.add(shard_id)
        if self._listener is not None:
            self._listener.gateway_session_began(shard_id)

    async def on_shard_resumed(self, shard_id: int) -> None:
        """A session was resumed, and all that was missed has been replayed."""
        self._up.add(shard_id)
        self._changed()

    async def on_shard_disconnect(self, shard_id: int) -> None:
        """A shard's websocket is gone."""
        self._up.discard(shard_id)

    async def on_guild_available(self, guild: discord.Guild) -> None:  # noqa: ARG002
        """A guild came back."""
        self._changed()

    async def on_guild_join(self, guild: discord.Guild) -> None:  # noqa: ARG002
        """A guild is new to us."""
        self._changed()

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """We left a guild, or it is gone."""
        if self._listener is not None:
            self._listener.guild_removed(guild.id)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """A channel is gone."""
        if self._listener is not None:
            self._listener.channel_deleted(channel.guild.id, channel.id)

    async def on_voice_state_update(
        self, member: discord.Member, before: discord.VoiceState, after: discord.VoiceState
    ) -> None:
        """Somebody came, went, or was muted."""
        if self._listener is not None:
            was = before.channel.id if before.channel is not None else None
            now = after.channel.id if after.channel is not None else None
            self._listener.voice_state_changed(member.guild.id, member.id, was, now)

    def _changed(self) -> None:
        if self._listener is not None:
            self._listener.gateway_changed()


def check_shards(shard_ids: Sequence[int] | None, shard_count: int | None) -> None:
    """Checks what a deployer wrote.

    Raises:
        ValueError: With what is wrong.
    """
    if shard_count is not None and shard_count < 1:
        raise ValueError("there is at least one shard")
    if shard_ids is None:
        return
    if shard_count is None:
        raise ValueError("shard ids need the number of all shards")
    if not shard_ids or len(set(shard_ids)) != len(shard_ids):
        raise ValueError("shard ids: at least one, and each once")
    if not all(0 <= shard_id < shard_count for shard_id in shard_ids):
        raise ValueError(f"shard ids are from 0 to {shard_count - 1}")


def make_client(
    api_base_url: str = DISCORD_API,
    *,
    shard_ids: Sequence[int] | None = None,
    shard_count: int | None = None,
    tls: ssl.SSLContext | None = None,
) -> SidecarClient:
    """Makes a client, within a running event loop. `start(token)` connects it.

    Args:
        api_base_url: Discord's REST API; the gateway is found through it.
        shard_ids: See `SidecarClient`.
        shard_count: See `SidecarClient`.
        tls: Checks certificates; as `trust` does if not given.

    Raises:
        ValueError: If the shards make no sense.
    """
    library.use_api(api_base_url)
    library.keep_secrets_out_of_logs()
    return SidecarClient(shard_ids=shard_ids, shard_count=shard_count, tls=tls)
