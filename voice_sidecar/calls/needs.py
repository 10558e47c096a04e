"""What calls need of the voice connections and of conversations. All of it is used in the event loop's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from voice_sidecar.connection.outcomes import Hushed
    from voice_sidecar.parts import PacketSink, Room
    from voice_sidecar.receiving.speaker import Chunk


class Line(Protocol):
    """One voice connection. It is a `voice_sidecar.parts.PacketSink`, too."""

    @property
    def guild_id(self) -> int:
        """Of which server."""
        ...

    @property
    def channel_id(self) -> int | None:
        """Where we are."""
        ...

    @property
    def hushed(self) -> Hushed | None:
        """Why nobody would hear us although the connection stands; None if they would."""
        ...

    def send(self, packet: bytes) -> bool:
        """See `voice_sidecar.parts.PacketSink`."""
        ...

    def speaking(self, on: bool) -> None:
        """See `voice_sidecar.parts.PacketSink`."""
        ...


class Connections(Protocol):
    """All voice connections, at most one a server."""

    async def join(self, guild_id: int, channel_id: int) -> Line:
        """Connects, or moves; the line stays the same then. Raises `voice_sidecar.connection.outcomes.CannotJoin`."""
        ...

    async def leave(self, guild_id: int) -> None:
        """Disconnects; nothing happens if we are nowhere."""
        ...

    def line(self, guild_id: int) -> Line | None:
        """The connection of a server, if there is one."""
        ...

    def forget(self, guild_id: int, user_id: int) -> None:
        """Drops everything that was received of somebody."""
        ...

    def agreed(self, guild_id: int) -> None:
        """Somebody agreed to be heard."""
        ...


class Conversation(Protocol):
    """What is said in one call. It looks at the clock by itself."""

    def hear(self, chunks: list[Chunk]) -> None:
        """Somebody's sound."""
        ...

    def left(self, user_id: int) -> None:
        """Somebody went out."""
        ...

    def revoked(self, user_id: int) -> None:
        """Somebody no longer agrees: whatever of theirs is there, is to be dropped."""
        ...

    async def say(self, text: str, language: str) -> None:
        """Says something that somebody wants to hear; returns when it was said, or was stopped."""
        ...

    async def close(self) -> None:
        """Ends it, and forgets everything."""
        ...


class Begins(Protocol):
    """Makes the conversation of a call, and what plays its answers."""

    def __call__(self, room: Room, line: Line) -> Conversation:
        """Begins it; both go with the call."""
        ...


if TYPE_CHECKING:

    def _is_a_sink(line: Line) -> PacketSink:
        return line
