"""Those in a call, as the voice server sees them: people, and the voice connections of bots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.voice.discord.sealing import RtpPacket


class Seat(Protocol):
    """Somebody in a call, as the voice server sees them."""

    user_id: int
    is_bot: bool

    def tell(self, op: int, data: Mapping[str, object]) -> None:
        """Sends JSON."""

    def tell_binary(self, op: int, payload: bytes) -> None:
        """Sends a binary message."""


class Caller(Seat, Protocol):
    """Somebody in a call, with their sound."""

    ssrc: int

    def hear(self, packet: RtpPacket, user_id: int) -> None:
        """A packet of somebody else."""
