"""Keeps one guild's voice connection up: joins, moves, resumes, joins again, and knows when it is over.

One task does it all, so there is no state in which nobody is in charge. What comes from the gateway meanwhile is
noted (`bulletin`), and the task is woken. A new session is tried with growing pauses; a connection that never lasts
counts as one that is not there, and is given up after a while.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import tenacity

from voice_sidecar.connection.bulletin import DROPS, Bulletin, News
from voice_sidecar.connection.closing import NOT_IN_CALL, Next, Situation, after_close, why_removed
from voice_sidecar.connection.door import GatewayDown
from voice_sidecar.connection.outcomes import Dropped, Hushed, Lost, Stopped, Why, describe
from voice_sidecar.connection.voice_socket import SocketClosed

if TYPE_CHECKING:
    from collections.abc import Callable

    from voice_sidecar.connection.counters import Counters
    from voice_sidecar.connection.door import Door
    from voice_sidecar.connection.media import Media
    from voice_sidecar.connection.patience import Patience
    from voice_sidecar.connection.session import Session
    from voice_sidecar.connection.wire import Credentials

_log = logging.getLogger(__name__)


class Keeper:
    """Keeps one voice connection.

    Args:
        channel_id: Where to be.
        door: The gateway.
        media: Where sound comes from and goes to.
        open_session: Makes a session with credentials.
        counters: To count in.
        on_moved: Told the channel that somebody moved us to.
        patience: How long things may take.

    Attributes:
        said: What the gateway says.
        stands: Whether a session stands.
    """

    WATCH: float = 1.0
    """Seconds between looks at what no message announces."""

    def __init__(
        self,
        channel_id: int,
        door: Door,
        media: Media,
        open_session: Callable[[Credentials], Session],
        counters: Counters,
        on_moved: Callable[[int], None],
        patience: Patience,
    ) -> None:
        self.said = Bulletin(channel_id, door, self._in_channel, self._hushed)
        self.stands = False
        self._door = door
        self._media = media
        self._open_session = open_session
        self._counters = counters
        self._on_moved = on_moved
        self._patience = patience
        self._session: Session | None = None
        self._may_ask_to_speak = True
        self._asking: asyncio.Task[None] | None = None

    async def run(self) -> Lost:
        """Keeps the connection until it is over. Cancelling ends it, too."""
        watching = asyncio.create_task(self._watch(), name="voice watchdog")
        try:
            while True:
                await self._outage()
        except Stopped as stopped:
            return stopped.lost
        except Dropped:
            return Lost.GAVE_UP
        finally:
            watching.cancel()
            if self._asking is not None:
                self._asking.cancel()
            self.stands = False
            await self._close_session()

    async def standing_in(self, channel_id: int) -> None:
        """Waits until the connection stands in that channel."""
        await self.said.until(lambda: self.stands and self.said.channel_id == channel_id)

    async def move(self, channel_id: int) -> None:
        """Asks for another channel; see `standing_in`.

        Raises:
            GatewayDown: If that cannot be said now.
        """
        self.said.target = channel_id
        await self._door.ask_for(channel_id)

    def stay(self) -> None:
        """What was asked for is not given: we are where we are."""
        self.said.target = self.said.channel_id

    async def leave(self) -> None:
        """Leaves the channel, and waits for a moment until the gateway has heard it."""
        self.said.outside = self._door.own_channel() is None
        try:
            await self._door.ask_for(None)
        except GatewayDown:
            return  # without us, Discord ends it by itself
        await self.said.within(self._patience.leave, lambda: self.said.outside)

    async def show_speaking(self, *, on: bool) -> None:
        """Tells the others that we speak, or no longer do; in the next session, too."""
        self._media.speaking = on
        if self._session is not None:
            await self._session.show_speaking()

    async def _outage(self) -> None:
        """From being without a connection to one that lasted and then broke."""
        pause = self._patience.first_pause
        async for attempt in tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(Dropped),
            stop=tenacity.stop_after_delay(self._patience.give_up),
            wait=tenacity.wait_exponential_jitter(multiplier=pause, max=self._patience.longest_pause, jitter=pause),
            reraise=True,
        ):
            with attempt:
                await self._attempt()

    async def _attempt(self) -> None:
        """Connects, and stays. Returns if that lasted, raises if not."""
        loop = asyncio.get_running_loop()
        began: float | None = None

        def stands() -> None:
            nonlocal began
            began = began or loop.time()
            self.stands = True
            self.said.wake()

        try:
            await self._connect_and_stay(stands)
        except Stopped:
            raise
        except Exception as error:  # noqa: BLE001  # a fault of our own is a reason to try again as well
            why = error.why if isinstance(error, Dropped) else Why.FAULT
            self._counters.reconnects[why] += 1
            # Without the message of a fault, which may quote what came over the network.
            _log.info("A voice session is over", extra={"why": why.value})
            if why is Why.FAULT:
                _log.error("A voice session failed: %s", describe(error))
            if began is None or loop.time() - began < self._patience.lasting:
                raise Dropped(why) from None
        finally:
            self.stands = False
            await self._close_session()

    async def _connect_and_stay(self, stands: Callable[[], None]) -> None:
        credentials = await self._ask()
        while True:
            self.said.take_up()
            self._session = self._open_session(credentials)
            await self._stay(self._session, stands)
            # There is another server, or another channel: everything else is an exception.
            self._counters.reconnects[Why.SERVER_CHANGED] += 1
            await self._close_session()
            credentials = await self._credentials()

    async def _ask(self) -> Credentials:
        """Asks the gateway for our channel, and waits for where the voice server is."""
        if not await self.said.within(self._patience.gateway, lambda: self._door.usable or self.said.over):
            raise Dropped(Why.GATEWAY)
        self.said.stop_if_over()
        if self._door.own_channel() is not None:
            # A session that is no more; only joining from outside surely makes a new one.
            await self.leave()
        self.said.begin()
        self._may_ask_to_speak = True
        try:
            await self._door.ask_for(self.said.target)
        except GatewayDown:
            raise Dropped(Why.GATEWAY) from None
        credentials = await self._credentials()
        self.said.news.discard(News.REMOVED)  # of the session before
        return credentials

    async def _credentials(self) -> Credentials:
        handshake = self.said.handshake
        await self.said.within(self._patience.answer, lambda: handshake.credentials is not None or self.said.over)
        self.said.stop_if_over()
        if handshake.credentials is None:
            raise Dropped(Why.NO_ANSWER)
        return handshake.credentials

    async def _stay(self, session: Session, stands: Callable[[], None]) -> None:
        """Runs a session, resuming it where that may help. Returns if another server is to be used."""
        loop = asyncio.get_running_loop()
        resume, resumed = False, float("-inf")
        while True:
            running = asyncio.create_task(session.run(stands, resume=resume), name="voice session")
            try:
                await self._until_news(running)
            except BaseException:
                running.cancel()
                await asyncio.wait({running})
                raise
            stood, alive = self.stands, session.alive
            closed = await _end(running)
            self.stands = False
            step = Next.ASK_GATEWAY if closed is None else after_close(closed.code)
            if step is Next.STOP:
                raise Stopped(Lost.REFUSED)
            if step is Next.ASK_GATEWAY or self.said.news:
                await self._heed(alive=alive or (closed is not None and closed.code in NOT_IN_CALL))
                return
            too_soon = loop.time() - resumed < self._patience.resume_again
            if step is Next.REJOIN or not stood or too_soon:
                raise Dropped(Why.CLOSED)
            resume, resumed = True, loop.time()
            _log.info("A voice session is resumed")

    async def _until_news(self, running: asyncio.Task[None]) -> None:
        """Waits until there are news, or the session is over."""
        waking = asyncio.create_task(self.said.until(lambda: bool(self.said.news)))
        try:
            await asyncio.wait({running, waking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waking.cancel()

    async def _heed(self, *, alive: bool) -> None:
        """Acts on what the gateway said, or is about to. Returns if another server is to be used."""
        said, patience = self.said, self._patience
        if not await said.within(patience.explain, lambda: bool(said.news)):
            raise Dropped(Why.CLOSED)
        if News.REMOVED in said.news:
            # Deleting a channel shows itself as a removal first.
            await said.within(patience.settle, lambda: said.over)
            said.stop_if_over()
            exists = self._door.channel_exists(said.channel_id)
            lost = why_removed(
                Situation(self._door.in_guild, exists, gateway_steady=said.removed_in_peace, voice_alive=alive)
            )
            raise Stopped(lost) if lost is not None else Dropped(Why.REMOVED)
        said.stop_if_over()
        for news, why in DROPS.items():
            if news in said.news:
                raise Dropped(why)
        # Moved: another server follows, or was named just before. If none is, the one that we know is asked.
        if News.SERVER not in said.news and not said.server_is_recent(patience.explain):
            await said.within(patience.explain, lambda: bool(said.news - {News.MOVED}))
            if said.news - {News.MOVED, News.SERVER}:
                await self._heed(alive=alive)

    async def _close_session(self) -> None:
        session, self._session = self._session, None
        self._media.detach()
        if session is not None:
            await session.close()

    async def _watch(self) -> None:
        """Sees what no message announces."""
        loop = asyncio.get_running_loop()
        lonely_since: float | None = None
        while True:
            await asyncio.sleep(self.WATCH)
            if self.stands and self._media.sender.used_up:
                self.said.note(News.NONCES)
            if self._session is not None and self._session.way_is_gone:
                self.said.note(News.NO_WAY)
            if not (self.stands and self._media.lacks_group):
                lonely_since = None
            elif lonely_since is None:
                lonely_since = loop.time()
            elif loop.time() - lonely_since >= self._patience.group:
                lonely_since = None
                self.said.note(News.NO_GROUP)

    def _in_channel(self, channel_id: int, asked_for: bool) -> None:
        self._media.group.channel_id = channel_id
        self._may_ask_to_speak = True
        if not asked_for:
            self._on_moved(channel_id)

    def _hushed(self, hushed: Hushed | None) -> None:
        self._media.sender.hushed = hushed is not None
        if hushed is Hushed.AUDIENCE and self._may_ask_to_speak:
            # Once: whom a moderator sends back to the audience stays there.
            self._may_ask_to_speak = False
            if self._asking is not None:
                self._asking.cancel()
            self._asking = asyncio.create_task(self._door.ask_to_speak(self.said.channel_id), name="voice stage")


async def _end(running: asyncio.Task[None]) -> SocketClosed | None:
    """Ends a session's task. How its websocket closed, if it did; any other reason is raised."""
    running.cancel()
    await asyncio.wait({running})
    if running.cancelled():
        return None
    problem = running.exception()
    if problem is None or isinstance(problem, SocketClosed):
        return problem
    raise problem
