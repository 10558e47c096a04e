"""Why the sidecar ended by itself, as a sentence that says what is to be mended."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Final, NamedTuple

import aiohttp
import discord

if TYPE_CHECKING:
    from trainer.configuration import Configuration

NOTHING_SET: Final = 2
"""The exit code where only another setting helps."""
NOT_NOW: Final = 1
"""That where it may help to start again."""
_UNKNOWN: Final = "Discord does not accept DISCORD_TOKEN"
_REFUSED: Final = 4004
_SHARDS: Final = {
    4010: "Discord does not know such a shard",
    4011: "the bot is in so many servers that Discord wants it to have more shards",
}
"""Close codes of the gateway.

Source: https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
"""


class Ending(NamedTuple):
    """How the process ends."""

    code: int
    text: str


def ending(error: BaseException, configuration: Configuration) -> Ending | None:
    """What a deployer is told; None for what should never happen. The error's own message is in none of it."""
    match error:
        case discord.LoginFailure():
            return Ending(NOTHING_SET, _UNKNOWN)
        case discord.ConnectionClosed() if error.code == _REFUSED:
            return Ending(NOTHING_SET, _UNKNOWN)
        case discord.ConnectionClosed() if error.code in _SHARDS:
            return Ending(NOTHING_SET, f"--shard-ids and --shard-count: {_SHARDS[error.code]}")
        case discord.ConnectionClosed():
            return Ending(NOT_NOW, f"Discord closed the gateway connection: code {error.code}")
        case discord.HTTPException():
            return Ending(NOT_NOW, f"Discord does not let the sidecar in: status {error.status}")
        case discord.GatewayNotFound():
            return Ending(NOT_NOW, "Discord does not say where its gateway is")
        case aiohttp.ClientConnectionError() | TimeoutError():
            return Ending(NOT_NOW, f"Discord is not reached at {configuration.api_base_url}")
        case OSError() if error.errno in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
            text = f"the port {configuration.voice.port} (TRAINGER_SIDECAR_PORT) cannot be listened on"
            return Ending(NOTHING_SET, f"{text}: {error.strerror}")
        case _:
            return None
