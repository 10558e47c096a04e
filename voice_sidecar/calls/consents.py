"""Who agreed to be heard, of those who are in a channel with us: asked for every packet, so it is in memory.

What holds is in the store. Somebody is heard once it has said so since they came, and until an order says otherwise
or they go. What cannot be read counts as no. Orders may be lost, late or doubled: a revocation works at once, and
what is read meanwhile and was asked for before it is not believed; agreeing only has the store read; and everything
is read again from time to time.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from trainer import logs

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

AGAIN_S: Final = 60.0
"""Between looks at what everybody chose."""
RETRY_S: Final = 5.0
"""Between tries to read what could not be read."""

log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Known:
    """What is known of one person."""

    agreed: bool | None = None
    """None: not known."""
    turn: int = 0
    """Counts the orders about them."""


class Consents:
    """Who is heard, by server. Used in the event loop's thread.

    Args:
        read: what the store says of somebody; whatever it raises leaves that unknown.
        changed: told when somebody is heard from now on, or no longer.
    """

    def __init__(
        self,
        read: Callable[[int, int], Awaitable[bool]],
        changed: Callable[[int, int, bool], None],
    ) -> None:
        self._read = read
        self._changed = changed
        self._guilds: dict[int, dict[int, _Known]] = {}

    def heard(self, guild_id: int, user_id: int) -> bool:
        """Whether somebody is there and agreed."""
        people = self._guilds.get(guild_id)
        known = None if people is None else people.get(user_id)
        return known is not None and known.agreed is True

    def all_heard(self, guild_id: int) -> frozenset[int]:
        """Everybody there who agreed."""
        people = self._guilds.get(guild_id, {})
        return frozenset(user_id for user_id, known in people.items() if known.agreed)

    async def came(self, guild_id: int, user_ids: Iterable[int]) -> None:
        """Somebody is in our channel: find out what they chose."""
        people = self._guilds.setdefault(guild_id, {})
        new = [user_id for user_id in user_ids if user_id not in people]
        people.update((user_id, _Known()) for user_id in new)
        await asyncio.gather(*(self._learn(guild_id, user_id) for user_id in new))

    def went(self, guild_id: int, user_id: int) -> None:
        """Somebody is there no longer."""
        self._guilds.get(guild_id, {}).pop(user_id, None)

    def clear(self, guild_id: int) -> None:
        """We are there no longer."""
        self._guilds.pop(guild_id, None)

    async def told(self, guild_id: int, user_id: int, *, agreed: bool) -> None:
        """An order says what somebody chose; what they take back works before this waits for anything."""
        known = self._guilds.get(guild_id, {}).get(user_id)
        if known is None:
            return
        known.turn += 1
        if agreed:
            await self._learn(guild_id, user_id)
        else:
            self._set(guild_id, user_id, known, agreed=False)

    async def read_again(self, *, unknown_only: bool = False) -> None:
        """Read what everybody chose, or what could not be read before."""
        everybody = [
            (guild_id, user_id)
            for guild_id, people in self._guilds.items()
            for user_id, known in people.items()
            if known.agreed is None or not unknown_only
        ]
        await asyncio.gather(*(self._learn(*one) for one in everybody))

    async def keep_fresh(self, *, again_s: float = AGAIN_S, retry_s: float = RETRY_S) -> None:
        """Read again from time to time, until cancelled."""
        waited = 0.0
        while True:
            await asyncio.sleep(min(retry_s, again_s))
            waited += min(retry_s, again_s)
            await self.read_again(unknown_only=waited < again_s)
            if waited >= again_s:
                waited = 0.0

    async def _learn(self, guild_id: int, user_id: int) -> None:
        known = self._guilds.get(guild_id, {}).get(user_id)
        if known is None:
            return
        turn = known.turn
        try:
            agreed = await self._read(guild_id, user_id)
        except Exception as error:  # noqa: BLE001 - whatever it is, they are not heard, and it is tried again
            log.warning("not known who agreed", extra={"guild_id": guild_id, **logs.places(error)})
            return
        if known.turn == turn and self._guilds.get(guild_id, {}).get(user_id) is known:
            self._set(guild_id, user_id, known, agreed=agreed)

    def _set(self, guild_id: int, user_id: int, known: _Known, *, agreed: bool) -> None:
        before, known.agreed = known.agreed, agreed
        if bool(before) != agreed:
            self._changed(guild_id, user_id, agreed)
