"""A voice connection as the rest of the sidecar sees it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from voice_sidecar.connection.keeper import Keeper
    from voice_sidecar.connection.media import Media
    from voice_sidecar.connection.outcomes import Hushed
    from voice_sidecar.receiving.receiver import Receiver


class Line:
    """One voice connection; a `parts.PacketSink`. Made by `Connections.join`.

    It stays the same through reconnects and moves, until it is closed or lost.

    Args:
        guild_id: Where.
        media: Its sound.
        keeper: What keeps it up.
        close: Ends it.
    """

    def __init__(
        self, guild_id: int, media: Media, keeper: Keeper, close: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        self.guild_id = guild_id
        self._media = media
        self._keeper = keeper
        self._close = close
        self._loop = asyncio.get_running_loop()
        self._showing: set[asyncio.Task[None]] = set()

    @property
    def channel_id(self) -> int | None:
        """The channel that we are in, or are on our way back to."""
        return self._keeper.said.channel_id

    @property
    def receiver(self) -> Receiver:
        """What is heard."""
        return self._media.receiver

    @property
    def connected(self) -> bool:
        """Whether a voice session stands at this moment."""
        return self._keeper.stands

    @property
    def ready(self) -> bool:
        """Whether what is sent now is heard: there is a session, a key where one is needed, and we may speak."""
        return self._media.ready

    @property
    def hushed(self) -> Hushed | None:
        """Why nobody would hear us although the connection stands; None if they would."""
        return self._keeper.said.hushed

    @property
    def privacy_code(self) -> str | None:
        """The code of the encrypted group that its members can compare; None without a group."""
        return self._media.group.privacy_code

    def send(self, packet: bytes) -> bool:
        """See `parts.PacketSink.send`. From any thread."""
        return self._media.sender.send(packet)

    def speaking(self, on: bool) -> None:
        """See `parts.PacketSink.speaking`. From any thread."""
        with contextlib.suppress(RuntimeError):  # the event loop is closed
            self._loop.call_soon_threadsafe(self._show_speaking, on)

    async def close(self) -> None:
        """Leaves the channel. Does nothing the second time."""
        await self._close()

    def _show_speaking(self, on: bool) -> None:
        task = self._loop.create_task(self._keeper.show_speaking(on=on), name="voice speaking")
        self._showing.add(task)
        task.add_done_callback(self._showing.discard)
