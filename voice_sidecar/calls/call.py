"""One call: the room, the connection, the conversation, and whether staying makes sense."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from trainer import logs

if TYPE_CHECKING:
    from collections.abc import Callable

    from voice_sidecar.calls.attendance import Attendance, Pointless
    from voice_sidecar.calls.needs import Conversation, Line
    from voice_sidecar.calls.room import CallRoom
    from voice_sidecar.connection.outcomes import Hushed
    from voice_sidecar.receiving.speaker import Chunk

log = logging.getLogger(__name__)


class Changes(NamedTuple):
    """Who has come and gone since the last look."""

    came: frozenset[int]
    went: frozenset[int]


class Call:
    """We are in a voice channel. Used in the event loop's thread.

    Args:
        room: who is there.
        line: the connection.
        conversation: what is said.
        attendance: whether staying makes sense.
        called_by: who asked us in; 0 if that is not known.
        pointless: called when staying makes no sense any more.
        clock: steady seconds.

    Attributes:
        over: it is about to end: nothing more is heard or said.
        noticed: a message that says that we listen stands where people can read it.
        hushed: why nobody hears us, as far as people were told.
    """

    def __init__(
        self,
        room: CallRoom,
        line: Line,
        conversation: Conversation,
        attendance: Attendance,
        *,
        called_by: int,
        pointless: Callable[[Call], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.room = room
        self.line = line
        self.conversation = conversation
        self.attendance = attendance
        self.called_by = called_by
        self.over = False
        self.noticed = False
        self.hushed: Hushed | None = None
        self._pointless = pointless
        self._clock = clock
        self._present: frozenset[int] = frozenset()
        self._going = False
        self._timer: asyncio.TimerHandle | None = None

    def look(self) -> Changes:
        """Who is there now, against the last look; whoever went is out of the conversation."""
        present = frozenset(self.room.people())
        before, self._present = self._present, present
        went = before - present
        for user_id in went:
            self._guarded(partial(self.conversation.left, user_id))
        return Changes(present - before, went)

    def attend(self) -> None:
        """Note how many are there, and how many of them are heard."""
        people, heard = self.room.people(), set(self.room.heard())
        self.attendance.seen(people=len(people), heard=len(heard), now=self._clock())
        self._arm()

    def why_go(self) -> Pointless | None:
        """Why staying makes no sense any more; None if it does again."""
        self._going = False
        self.attend()
        return self.attendance.due(self._clock())

    def hear(self, chunks: list[Chunk]) -> None:
        """Somebody's sound, for the conversation."""
        if not self.over:
            self._guarded(partial(self.conversation.hear, chunks))

    def revoke(self, user_id: int) -> None:
        """Somebody is not heard any more."""
        self._guarded(partial(self.conversation.revoked, user_id))

    async def say(self, text: str, language: str) -> None:
        """Say something that somebody wants to hear."""
        await self.conversation.say(text, language)

    async def close(self) -> None:
        """End the conversation; the connection is left as it is."""
        self.over = True
        if self._timer is not None:
            self._timer.cancel()
        try:
            await self.conversation.close()
        except Exception as error:  # noqa: BLE001 - a conversation that does not end well must not keep us there
            log.error("conversation not ended well", extra=self._of(error))  # noqa: TRY400 - no traceback

    def _arm(self) -> None:
        """Look again when staying may make no sense any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self.attendance.next_deadline()
        if deadline is not None and not self.over and not self._going:
            delay = max(0.0, deadline - self._clock())
            self._timer = asyncio.get_running_loop().call_later(delay, self._due)

    def _due(self) -> None:
        self._timer = None
        if self.attendance.due(self._clock()) is None:
            self._arm()
        elif not self.over:
            self._going = True
            self._pointless(self)

    def _guarded(self, function: Callable[[], None]) -> None:
        try:
            function()
        except Exception as error:  # noqa: BLE001 - one call's trouble is not everybody's
            log.error("conversation failed", extra=self._of(error))  # noqa: TRY400 - no traceback

    def _of(self, error: BaseException) -> dict[str, object]:
        return {"guild_id": self.room.guild_id, **logs.places(error)}
