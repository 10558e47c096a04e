"""Takes calls up again after a restart: where people still are in the channel, and silently.

What is left of a call whose people are gone, or whose channel cannot be joined any more, is tidied up.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from trainer import logs
from trainer.i18n import translator
from trainer.ports import StoreUnavailable
from voice_sidecar.calls import wording
from voice_sidecar.calls.calls import Joining
from voice_sidecar.calls.deciding import refusal
from voice_sidecar.connection.outcomes import CannotJoin, Refusal

if TYPE_CHECKING:
    from trainer.voice_calls import CallState
    from voice_sidecar.calls.calls import Calls
    from voice_sidecar.calls.kept import Kept
    from voice_sidecar.calls.notices import Notices
    from voice_sidecar.calls.places import Places

PAUSES_S: Final = (2.0, 8.0)
"""Between tries."""
AT_ONCE: Final = 4
"""Servers that are looked after at the same time."""
_FINAL: Final = frozenset(
    {Refusal.NO_PERMISSION, Refusal.FULL, Refusal.UNKNOWN_CHANNEL, Refusal.UNKNOWN_GUILD, Refusal.NOT_VOICE}
)
"""Trying again would change nothing about these."""

log = logging.getLogger(__name__)


class ComingBack:
    """Looks after each server of which the gateway tells. Used in the event loop's thread.

    Args:
        calls: takes them up.
        places: where people are.
        kept: where we were.
        notices: what is written into chats.
        pauses_s: between tries, in seconds.
        at_once: servers at the same time.
    """

    def __init__(
        self,
        calls: Calls,
        places: Places,
        kept: Kept,
        notices: Notices,
        *,
        pauses_s: tuple[float, ...] = PAUSES_S,
        at_once: int = AT_ONCE,
    ) -> None:
        self._calls = calls
        self._places = places
        self._kept = kept
        self._notices = notices
        self._pauses_s = pauses_s
        self._few = asyncio.Semaphore(at_once)

    def guild_available(self, guild_id: int) -> None:
        """The gateway tells of a server."""
        if self._places.mine(guild_id):
            self._calls.spawn("coming back", self._come_back, guild_id)

    async def _come_back(self, guild_id: int) -> None:
        async with self._few, self._calls.lane(guild_id):
            if self._calls.call(guild_id) is not None:
                return
            state = await self._state(guild_id)
            if state is None:
                return
            channel_id, text_channel_id = int(state.channel_id), int(state.text_channel_id)
            people = self._places.people(guild_id, channel_id).values()
            refused = refusal(channel_id, self._places.spot(guild_id, channel_id))
            if refused is not None or all(person.bot for person in people):
                log.info("not back", extra={"guild_id": guild_id, "reason": "nobody is there"})
                await self._calls.end(guild_id)
                return
            if not await self._joined(Joining(guild_id, channel_id, text_channel_id, int(state.joined_by))):
                await self._calls.end(guild_id)
                message = wording.not_back(translator(self._places.locale(guild_id)))
                await self._notices.tell(guild_id, channel_id, message)

    async def _state(self, guild_id: int) -> CallState | None:
        for pause in self._pauses_s:
            try:
                return await self._kept.state(guild_id)
            except StoreUnavailable as error:
                log.warning("call not known", extra={"guild_id": guild_id, **logs.places(error)})
                await asyncio.sleep(pause)
        return await self._kept.state(guild_id)

    async def _joined(self, joining: Joining) -> bool:
        for pause in (*self._pauses_s, None):
            try:
                await self._calls.arrive(joining)
            except CannotJoin as error:
                log.warning("not back", extra={"guild_id": joining.guild_id, "reason": error.reason.value})
                if error.reason in _FINAL or pause is None:
                    return False
                await asyncio.sleep(pause)
            else:
                return True
        return False
