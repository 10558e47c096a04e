"""Whose knowledge it is, and who is acting on it. Pure."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Scope(NamedTuple):
    """A server's own room, or a person's (in direct messages and where only the person installed the bot).

    Everything stored lies under one prefix a scope, so nothing of one can be reached from another.
    """

    kind: Literal["guild", "user"]
    id: str

    @property
    def prefix(self) -> str:
        """The first segment of every key of this scope."""
        return f"{self.kind[0]}{self.id}"


class Actor(NamedTuple):
    """Who does something, where, and whether they may manage there."""

    scope: Scope
    user_id: str
    is_manager: bool
    roles: tuple[str, ...] = ()
    """The roles they have there, but for the one that everybody has."""
