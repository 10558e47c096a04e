"""What the gateway says about one voice connection, as the task that keeps it wants to know it: state, and news."""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from voice_sidecar.connection.handshake import Handshake, OwnState, read_state
from voice_sidecar.connection.outcomes import Hushed, Lost, Stopped, Why

if TYPE_CHECKING:
    from collections.abc import Callable

    from voice_sidecar.connection.door import Door


class News(Enum):
    """What the task has to act on."""

    REMOVED = auto()
    SERVER = auto()
    MOVED = auto()
    NEW_GATEWAY_SESSION = auto()
    GUILD_REMOVED = auto()
    CHANNEL_DELETED = auto()
    NO_GROUP = auto()
    NONCES = auto()
    NO_WAY = auto()


DROPS: Final = {
    News.NEW_GATEWAY_SESSION: Why.GATEWAY,
    News.NO_GROUP: Why.NO_GROUP,
    News.NONCES: Why.NONCES,
    News.NO_WAY: Why.NETWORK,
}
"""News that make a new session necessary."""
_STOPS: Final = {News.GUILD_REMOVED: Lost.GUILD_REMOVED, News.CHANNEL_DELETED: Lost.CHANNEL_DELETED}


class Bulletin:
    """Notes what the gateway says, and wakes whoever waits for it.

    Args:
        channel_id: Where we want to be.
        door: The gateway.
        on_channel: Told the channel that we are in when that changes, and whether we asked for it.
        on_hushed: Told when others can hear us no more, or again.

    Attributes:
        channel_id: Where we are, or are on our way back to.
        target: Where we want to be.
        news: What was not acted on yet.
        outside: We are in no channel, by the last voice state.
        removed_in_peace: When we were taken out, the gateway was not catching up.
        hushed: Why nobody hears us.
    """

    def __init__(
        self,
        channel_id: int,
        door: Door,
        on_channel: Callable[[int, bool], None],
        on_hushed: Callable[[Hushed | None], None],
    ) -> None:
        self.channel_id = channel_id
        self.target = channel_id
        self.news: set[News] = set()
        self.outside = False
        self.removed_in_peace = False
        self.hushed: Hushed | None = None
        self.handshake = Handshake()
        self._door = door
        self._on_channel = on_channel
        self._on_hushed = on_hushed
        self._server_came = float("-inf")
        self._changed = asyncio.Event()

    def voice_state(self, data: object) -> None:
        """VOICE_STATE_UPDATE about ourselves."""
        state = read_state(data)
        if state is None:
            return
        self.outside = state.channel_id is None
        if state.channel_id is None:
            self.removed_in_peace = self._door.steady
            self.note(News.REMOVED)
            return
        self.news.discard(News.REMOVED)
        self.handshake.state(state)
        if state.channel_id != self.channel_id:
            asked_for = state.channel_id == self.target
            self.channel_id = self.target = state.channel_id
            self._on_channel(state.channel_id, asked_for)
            self.note(News.MOVED)
        self._hush(state)
        self.wake()

    def voice_server(self, data: object) -> None:
        """VOICE_SERVER_UPDATE."""
        if self.handshake.server(data):
            self._server_came = asyncio.get_running_loop().time()
            self.note(News.SERVER)

    def note(self, news: News) -> None:
        """Something to act on."""
        self.news.add(news)
        self.wake()

    def begin(self) -> None:
        """A connection is asked for anew: what came before does not count."""
        self.news &= _STOPS.keys()
        self.handshake.expect()

    def take_up(self) -> None:
        """A session is opened with what is known now."""
        self.news -= {News.SERVER, News.MOVED}

    @property
    def over(self) -> bool:
        """Whether there is nothing to connect to any more."""
        return not self.news.isdisjoint(_STOPS)

    def stop_if_over(self) -> None:
        """Raises `Stopped` if there is nothing to connect to any more."""
        for news, lost in _STOPS.items():
            if news in self.news:
                raise Stopped(lost)

    def server_is_recent(self, seconds: float) -> bool:
        """Whether a voice server was named within that time."""
        return asyncio.get_running_loop().time() - self._server_came < seconds

    def wake(self) -> None:
        """Lets whoever waits look again."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits for something that the gateway tells."""
        while not condition():
            await self._changed.wait()

    async def within(self, patience: float, condition: Callable[[], bool]) -> bool:
        """The same for a time; False if it did not come."""
        try:
            async with asyncio.timeout(patience):
                await self.until(condition)
        except TimeoutError:
            return False
        return True

    def _hush(self, state: OwnState) -> None:
        self.hushed = Hushed.AUDIENCE if state.suppressed else Hushed.MUTED if state.muted else None
        self._on_hushed(self.hushed)
