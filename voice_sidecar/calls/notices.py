"""The message that says that we listen: posted once a call, changed when we are gone, or the process ends.

It stands in the voice channel's own chat, or where `/join` was typed if we may not write there. Whoever comes later
finds it there; nobody is written to anew. If we come back to the channel soon, the old one holds again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from trainer import logs
from trainer.i18n import translator
from trainer.ports import StoreUnavailable
from voice_sidecar.calls import wording
from voice_sidecar.calls.kept import Standing, Transcribing
from voice_sidecar.calls.rest import DEADLINE_S, NotDone

if TYPE_CHECKING:
    from collections.abc import Callable

    from voice_sidecar.calls.kept import Kept
    from voice_sidecar.calls.messages import Message
    from voice_sidecar.calls.places import Places
    from voice_sidecar.calls.rest import Rest

SOON_S: Final = 300.0
"""Coming back to a channel within so many seconds needs no new notice."""
STOPPING_S: Final = 2.0
"""How long the end of the process may wait for the notices to say so."""

log = logging.getLogger(__name__)


class _Noted(NamedTuple):
    standing: Standing
    asked_by: int | None
    days: int
    over_at: float | None = None
    """When we left, on a steady clock; None while it holds."""


class Notices:
    """The notices of all servers. Used in the event loop's thread, one call a server at a time. Raises nothing."""

    def __init__(
        self, rest: Rest, kept: Kept, places: Places, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rest = rest
        self._kept = kept
        self._places = places
        self._clock = clock
        self._noted: dict[int, _Noted] = {}

    async def message(self, guild_id: int, asked_by: int | None) -> Message:
        """The notice of a server, in its language."""
        days = (await self._transcribing(guild_id)).days
        return wording.notice(translator(self._places.locale(guild_id)), asked_by=asked_by, days=days)

    async def here(self, guild_id: int, voice_channel_id: int, text_channel_id: int, asked_by: int | None) -> bool:
        """We listen in this channel: whether a notice that says so stands where people can read it."""
        days = (await self._transcribing(guild_id)).days
        message = wording.notice(translator(self._places.locale(guild_id)), asked_by=asked_by, days=days)
        before = self._noted.get(guild_id) or await self._noted_before(guild_id)
        if before is not None and before.standing.voice_channel_id == voice_channel_id:
            fresh = before.over_at is None or self._clock() - before.over_at < SOON_S
            if fresh and await self._edit(guild_id, before.standing, message):
                await self._note(guild_id, _Noted(before.standing, asked_by, days))
                return True
        elif before is not None and before.over_at is None:
            await self.over(guild_id, gone_to=voice_channel_id)
        for channel_id in dict.fromkeys((voice_channel_id, text_channel_id)):
            if not self._places.may_write(guild_id, channel_id):
                continue
            message_id = await self._post(guild_id, channel_id, message, f"{voice_channel_id}-{self._clock()}")
            if message_id is not None:
                await self._note(guild_id, _Noted(Standing(voice_channel_id, channel_id, message_id), asked_by, days))
                return True
        return False

    async def over(self, guild_id: int, *, gone_to: int | None = None) -> None:
        """We listen there no longer: the notice says so."""
        noted = self._noted.get(guild_id) or await self._noted_before(guild_id)
        if noted is None or noted.over_at is not None:
            return
        self._noted[guild_id] = noted._replace(over_at=self._clock())
        message = wording.notice_over(translator(self._places.locale(guild_id)), gone_to=gone_to)
        await self._edit(guild_id, noted.standing, message)
        try:
            await self._kept.clear_standing(guild_id)
        except StoreUnavailable as error:
            log.warning("notice not cleared", extra={"guild_id": guild_id, **logs.places(error)})

    async def stopped(self) -> None:
        """The process ends: what stands says so, where Discord takes it in time. Coming back changes it again."""
        await asyncio.gather(*(self._stopped(*one) for one in self._noted.items() if one[1].over_at is None))

    async def _stopped(self, guild_id: int, noted: _Noted) -> None:
        message = wording.notice_stopped(translator(self._places.locale(guild_id)))
        await self._edit(guild_id, noted.standing, message, deadline_s=STOPPING_S)

    async def settings_changed(self, guild_id: int) -> None:
        """What is kept may have changed: the notice says what holds now."""
        noted = self._noted.get(guild_id)
        if noted is None or noted.over_at is not None:
            return
        days = (await self._transcribing(guild_id)).days
        if days == noted.days:
            return
        t = translator(self._places.locale(guild_id))
        await self._edit(guild_id, noted.standing, wording.notice(t, asked_by=noted.asked_by, days=days))
        self._noted[guild_id] = noted._replace(days=days)
        if days and not noted.days:
            # People agreed to less than that: they are to see it, wherever the notice has scrolled to.
            key = f"{noted.standing.message_id}-{days}"
            await self._post(guild_id, noted.standing.posted_in, wording.written_from_now_on(t), key)

    def guild_gone(self, guild_id: int) -> None:
        """There is no such server any more."""
        self._noted.pop(guild_id, None)

    async def tell(self, guild_id: int, channel_id: int, message: Message) -> bool:
        """Write something else into a chat; whether it is there."""
        if not self._places.may_write(guild_id, channel_id):
            log.warning("may not write", extra={"guild_id": guild_id, "channel_id": channel_id})
            return False
        return await self._post(guild_id, channel_id, message, str(time.time_ns())) is not None

    async def _noted_before(self, guild_id: int) -> _Noted | None:
        """From before a restart."""
        try:
            standing = await self._kept.standing(guild_id)
        except StoreUnavailable as error:
            log.warning("notice not known", extra={"guild_id": guild_id, **logs.places(error)})
            return None
        return None if standing is None else _Noted(standing, None, 0)

    async def _note(self, guild_id: int, noted: _Noted) -> None:
        self._noted[guild_id] = noted
        try:
            await self._kept.save_standing(guild_id, noted.standing)
        except StoreUnavailable as error:
            log.warning("notice not noted", extra={"guild_id": guild_id, **logs.places(error)})

    async def _transcribing(self, guild_id: int) -> Transcribing:
        try:
            return await self._kept.transcribing(guild_id)
        except StoreUnavailable as error:
            log.warning("settings not known", extra={"guild_id": guild_id, **logs.places(error)})
            noted = self._noted.get(guild_id)
            return Transcribing(0 if noted is None else noted.days)

    async def _post(self, guild_id: int, channel_id: int, message: Message, key: str) -> int | None:
        try:
            return await self._rest.post(channel_id, message, key=f"{guild_id}-{channel_id}-{key}")
        except NotDone as error:
            extra = {"guild_id": guild_id, "channel_id": channel_id, "reason": error.reason, "code": error.code}
            log.warning("not posted", extra=extra)
            return None

    async def _edit(
        self, guild_id: int, standing: Standing, message: Message, *, deadline_s: float = DEADLINE_S
    ) -> bool:
        try:
            await self._rest.edit(standing.posted_in, standing.message_id, message, deadline_s=deadline_s)
        except NotDone as error:
            log.info("notice not changed", extra={"guild_id": guild_id, "reason": error.reason, "code": error.code})
            return False
        return True
