"""All calls: joining, moving, being moved, being thrown out, and leaving.

What is done about one server is done in order, in its lane; servers do not wait for each other. What must not wait,
such as a revocation, is done at once.

A call that ends on purpose, by anybody's, is over for good: what the store keeps of it goes. Only where the process
ends with a call going on, it is taken up again by the next one.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakValueDictionary

from trainer import logs
from trainer.i18n import translator
from trainer.ports import StoreUnavailable
from trainer.voice_calls import CallState
from voice_sidecar.calls import attendance, wording
from voice_sidecar.calls.attendance import Attendance
from voice_sidecar.calls.call import Call
from voice_sidecar.calls.consents import Consents
from voice_sidecar.calls.room import CallRoom
from voice_sidecar.connection.outcomes import CannotJoin, Lost, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from voice_sidecar.calls.kept import Kept
    from voice_sidecar.calls.messages import Message
    from voice_sidecar.calls.needs import Begins, Connections, Line
    from voice_sidecar.calls.notices import Notices
    from voice_sidecar.calls.places import Places
    from voice_sidecar.receiving.speaker import Chunk

log = logging.getLogger(__name__)


class Settings(NamedTuple):
    """How long things may take, in seconds."""

    empty_s: float = attendance.EMPTY_S
    """How long to stay where nobody is."""
    unheard_s: float = attendance.UNHEARD_S
    """How long to stay where nobody agreed to be heard."""
    join_s: float = 40.0
    """How long joining may take: the connection has a shorter end of its own."""
    hushed_s: float = 3.0
    """How long to be hushed before people are told."""


class Joining(NamedTuple):
    """What a call is to be."""

    guild_id: int
    channel_id: int
    text_channel_id: int
    called_by: int
    """Who asked for it; 0 if that is not known any more."""


class Calls:
    """The calls of all servers. Used in the event loop's thread.

    Args:
        places: where people and channels are.
        begin: makes the conversation of a call.
        kept: what is kept of calls.
        notices: what is written into chats.
        settings: how long things may take.
    """

    def __init__(
        self, places: Places, begin: Begins, kept: Kept, notices: Notices, settings: Settings | None = None
    ) -> None:
        self._places = places
        self._begin = begin
        self._kept = kept
        self._notices = notices
        self._settings = settings or Settings()
        self._consents = Consents(kept.agreed, self._consent_changed)
        self._connections: Connections | None = None
        self._calls: dict[int, Call] = {}
        self._heading: dict[int, int] = {}
        self._lanes: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    def start(self, connections: Connections) -> None:
        """Begin, in the running loop. The connections are made with what this has for them: `heard`, `on_…`."""
        self._connections = connections
        self.spawn("consents", self._consents.keep_fresh)

    async def close(self) -> None:
        """End the conversations. The calls stay noted: the next process takes them up."""
        self._closing = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(call.close() for call in self._calls.values()))
        self._calls.clear()

    # --- what others ask ---------------------------------------------------------------------------------------

    @property
    def connections(self) -> Connections:
        """The voice connections."""
        if self._connections is None:
            raise RuntimeError("not started")
        return self._connections

    def __len__(self) -> int:
        return len(self._calls)

    def call(self, guild_id: int) -> Call | None:
        """The call of a server, unless it is about to end."""
        call = self._calls.get(guild_id)
        return None if call is None or call.over else call

    def lane(self, guild_id: int) -> asyncio.Lock:
        """What is done about a server, is done holding this, in the order in which it was asked for."""
        lane = self._lanes.get(guild_id)
        if lane is None:
            self._lanes[guild_id] = lane = asyncio.Lock()
        return lane

    def heard(self, guild_id: int, user_id: int) -> bool:
        """Whether somebody may be heard, at this moment: asked for every packet."""
        return self._consents.heard(guild_id, user_id)

    def spawn(self, what: str, work: Callable[..., Coroutine[object, object, object]], *args: object) -> None:
        """Do something beside; what goes wrong is logged."""
        task = asyncio.get_running_loop().create_task(self._logged(what, work, *args))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- beginning and ending, in the server's lane ------------------------------------------------------------

    async def arrive(self, joining: Joining) -> Call:
        """Join, or move. Raises `CannotJoin`."""
        guild_id = joining.guild_id
        before = self._calls.get(guild_id)
        self._heading[guild_id] = joining.channel_id
        try:
            async with asyncio.timeout(self._settings.join_s):
                line = await self.connections.join(guild_id, joining.channel_id)
        except TimeoutError:
            await self._disconnect(guild_id)
            raise CannotJoin(Refusal.TIMEOUT) from None
        finally:
            del self._heading[guild_id]
            if before is not None and self.connections.line(guild_id) is None:
                await self.end(guild_id)
        return await self._settle(joining, line)

    async def end(self, guild_id: int, *, tell: Message | None = None) -> None:
        """Leave, on purpose or because it cannot go on; `tell` is written into the chat."""
        call = self._calls.pop(guild_id, None)
        if call is not None:
            await call.close()
        self._consents.clear(guild_id)
        await self._disconnect(guild_id)
        await self._forget_state(guild_id)
        await self._notices.over(guild_id)
        if call is not None and tell is not None:
            await call.room.tell(tell.text)

    async def _settle(self, joining: Joining, line: Line) -> Call:
        """We are there: begin to listen, and say so."""
        guild_id = joining.guild_id
        before = self._calls.pop(guild_id, None)
        if before is not None:
            # Those who are here must not be answered by what was said elsewhere.
            await before.close()
            self._consents.clear(guild_id)
        room = CallRoom(
            guild_id, joining.channel_id, joining.text_channel_id, self._places, self._consents, self._notices
        )
        watch = Attendance(empty_s=self._settings.empty_s, unheard_s=self._settings.unheard_s)
        try:
            conversation = self._begin(room, line)
        except Exception:
            await self.end(guild_id)
            raise
        call = Call(room, line, conversation, watch, called_by=joining.called_by, pointless=self._pointless)
        self._calls[guild_id] = call
        await self._consents.came(guild_id, call.look().came)
        await self._note_state(joining)
        call.noticed = await self._notices.here(
            guild_id, joining.channel_id, joining.text_channel_id, joining.called_by or None
        )
        if self.connections.line(guild_id) is None:
            await self.end(guild_id)
            raise CannotJoin(Refusal.REMOVED)
        self._look_whether_hushed(call)
        call.attend()
        log.info("joined", extra={"guild_id": guild_id, "channel_id": joining.channel_id})
        return call

    # --- what connections and the gateway tell -----------------------------------------------------------------

    def on_chunks(self, line: Line, chunks: list[Chunk]) -> None:
        """Somebody's sound."""
        call = self._calls.get(line.guild_id)
        if call is not None and call.line is line and line.guild_id not in self._heading:
            call.hear(chunks)

    def on_lost(self, guild_id: int, lost: Lost) -> None:
        """A connection is gone, and nobody asked for that."""
        call = self._calls.get(guild_id)
        if call is not None and not self._closing:
            call.over = True
            self.spawn("lost", self._lost, call, lost)

    def on_moved(self, guild_id: int, channel_id: int) -> None:
        """Somebody moved us."""
        call = self._calls.get(guild_id)
        if call is None or self._heading.get(guild_id) == channel_id or call.room.channel_id == channel_id:
            return
        call.over = True
        self.spawn("moved", self._moved, call, channel_id)

    async def _lost(self, call: Call, lost: Lost) -> None:
        async with self.lane(call.room.guild_id):
            if self._calls.get(call.room.guild_id) is call:
                log.info("lost", extra={"guild_id": call.room.guild_id, "why": lost.value})
                gone = lost in {Lost.GUILD_REMOVED, Lost.CHANNEL_DELETED}
                tell = None if gone else wording.lost(translator(call.room.locale), lost)
                await self.end(call.room.guild_id, tell=tell)

    async def _moved(self, call: Call, channel_id: int) -> None:
        guild_id = call.room.guild_id
        async with self.lane(guild_id):
            line = self.connections.line(guild_id)
            if self._calls.get(guild_id) is not call or line is None:
                return
            channel_id = line.channel_id or channel_id
            if channel_id == call.room.channel_id:  # moved back meanwhile
                call.over = False
                call.attend()
                return
            spot = self._places.spot(guild_id, channel_id)
            if spot is not None and spot.away:
                await self.end(guild_id, tell=wording.in_away_channel(translator(call.room.locale)))
                return
            await self._settle(Joining(guild_id, channel_id, call.room.text_channel_id, call.called_by), line)

    def on_people(self, guild_id: int) -> None:
        """Somebody came, went, or was muted, we ourselves included."""
        call = self.call(guild_id)
        if call is None:
            return
        call.room.refresh()
        changes = call.look()
        for user_id in changes.went:
            self._consents.went(guild_id, user_id)
        if changes.came:
            self.spawn("came", self._came, call, changes.came)
        self._look_whether_hushed(call)
        call.attend()

    async def _came(self, call: Call, user_ids: frozenset[int]) -> None:
        await self._consents.came(call.room.guild_id, user_ids)
        call.attend()

    def _look_whether_hushed(self, call: Call) -> None:
        if call.line.hushed is None:
            call.hushed = None
        elif call.line.hushed is not call.hushed:
            self.spawn("hushed", self._tell_hushed, call)

    async def _tell_hushed(self, call: Call) -> None:
        """On a stage, we are hushed until Discord has made us a speaker: that takes a moment."""
        await asyncio.sleep(self._settings.hushed_s)
        why = call.line.hushed
        if why is not None and why is not call.hushed and not call.over:
            call.hushed = why
            await call.room.tell(wording.hushed(translator(call.room.locale), why).text)

    def guild_removed(self, guild_id: int) -> None:
        """We are no longer a member of a server."""
        self._notices.guild_gone(guild_id)
        call = self._calls.get(guild_id)
        if call is not None:
            self.on_lost(guild_id, Lost.GUILD_REMOVED)
        else:
            self.spawn("guild removed", self._forget_state, guild_id)

    # --- consent, at once ---------------------------------------------------------------------------------------

    async def consent(self, guild_id: int, user_id: int, *, agreed: bool) -> None:
        """An order says what somebody chose."""
        if not agreed:
            self._drop(guild_id, user_id)
        await self._consents.told(guild_id, user_id, agreed=agreed)
        if not agreed:
            self._drop(guild_id, user_id)  # also what came in between

    def _consent_changed(self, guild_id: int, user_id: int, agreed: bool) -> None:
        if agreed:
            self.connections.agreed(guild_id)
        else:
            self._drop(guild_id, user_id)
        call = self._calls.get(guild_id)
        if call is not None:
            call.attend()

    def _drop(self, guild_id: int, user_id: int) -> None:
        """Whatever there is of somebody in memory, here or not here any more."""
        self.connections.forget(guild_id, user_id)
        call = self._calls.get(guild_id)
        if call is not None:
            call.revoke(user_id)

    # --- inside -------------------------------------------------------------------------------------------------

    def _pointless(self, call: Call) -> None:
        self.spawn("pointless", self._go, call)

    async def _go(self, call: Call) -> None:
        guild_id = call.room.guild_id
        async with self.lane(guild_id):
            if self.call(guild_id) is not call or (why := call.why_go()) is None:
                return
            log.info("left of our own accord", extra={"guild_id": guild_id, "why": why.value})
            minutes = round(self._settings.empty_s / 60)
            await self.end(guild_id, tell=wording.pointless(translator(call.room.locale), why, minutes))

    async def _disconnect(self, guild_id: int) -> None:
        try:
            await self.connections.leave(guild_id)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, we are to go on without this connection
            log.error("not disconnected", extra={"guild_id": guild_id, **logs.places(error)})  # noqa: TRY400

    async def _note_state(self, joining: Joining) -> None:
        state = CallState(
            channel_id=str(joining.channel_id),
            text_channel_id=str(joining.text_channel_id),
            joined_by=str(joining.called_by),
            at=time.time(),
        )
        await self._store(self._kept.save_state(joining.guild_id, state), joining.guild_id)

    async def _forget_state(self, guild_id: int) -> None:
        await self._store(self._kept.clear_state(guild_id), guild_id)

    @staticmethod
    async def _store(work: Coroutine[object, object, None], guild_id: int) -> None:
        """Without the store, only a restart would tell the difference."""
        try:
            await work
        except StoreUnavailable as error:
            log.warning("call not noted", extra={"guild_id": guild_id, **logs.places(error)})

    @staticmethod
    async def _logged(what: str, work: Callable[..., Coroutine[object, object, object]], *args: object) -> None:
        try:
            await work(*args)
        except Exception as error:  # noqa: BLE001 - there is nobody else to tell
            log.error("not done", extra={"what": what, **logs.places(error)})  # noqa: TRY400 - no traceback
