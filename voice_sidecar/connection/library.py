"""What is used of discord.py beyond what it documents: all of it is here.

The version is pinned exactly because of these names; a test sees to it that they are there.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import yarl
from discord.gateway import DiscordWebSocket
from discord.http import HTTPClient, Route

if TYPE_CHECKING:
    import discord

UNDOCUMENTED: Final = (
    (Route, "BASE"),
    (DiscordWebSocket, "DEFAULT_GATEWAY"),
    (HTTPClient, "get_bot_gateway"),
    (HTTPClient, "edit_my_voice_state"),
)
"""The first two are of classes, so they count for all clients of the process."""


def use_api(base_url: str) -> None:
    """Says where Discord's REST API is."""
    Route.BASE = base_url.rstrip("/")


def use_gateway(url: str) -> None:
    """Says where the gateway is, for first connections and for those after an invalidated session."""
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(url)


async def find_gateway(client: discord.Client) -> tuple[int, int]:
    """Asks Discord where the gateway is, and uses it.

    Returns:
        How many shards it recommends, and how many of them may identify at a time.
    """
    shards, url, limit = await client.http.get_bot_gateway()
    use_gateway(url)
    return shards, max(1, int(limit.get("max_concurrency", 1)))


async def edit_own_voice_state(client: discord.Client, guild_id: int, changes: dict[str, Any]) -> None:
    """Changes how we are in a stage. `Member.edit` and `request_to_speak` do so, too, with a naive clock.

    Raises:
        discord.DiscordException: If Discord refuses.
    """
    await client.http.edit_my_voice_state(guild_id, changes)


def keep_secrets_out_of_logs() -> None:
    """At DEBUG, discord.py logs whole messages, and voice tokens are in them."""
    logger = logging.getLogger("discord")
    if logger.getEffectiveLevel() < logging.INFO:
        logger.setLevel(logging.INFO)
