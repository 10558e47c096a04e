"""A stage for calls: scripted connections, conversations and chats around the real thing, on a real store."""

from __future__ import annotations

import asyncio
import functools
import time
from collections import defaultdict
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ParamSpec

from trainer.adapters.file_store import FileStore
from trainer.consent import choose_voice
from trainer.ports import StoreUnavailable
from trainer.voice_orders import Join, Leave, Say
from voice_sidecar.calls.calls import Calls, Settings
from voice_sidecar.calls.coming_back import ComingBack
from voice_sidecar.calls.kept import Kept, scope_of
from voice_sidecar.calls.notices import Notices
from voice_sidecar.calls.obeying import Obeying
from voice_sidecar.calls.places import Spot
from voice_sidecar.calls.rest import NotDone
from voice_sidecar.connection.outcomes import CannotJoin, Hushed, Refusal
from voice_sidecar.parts import Person
from voice_sidecar.receiving.speaker import Chunk, Sound

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
    from pathlib import Path

    from trainer.ports import ObjectStore
    from voice_sidecar.calls.messages import Message
    from voice_sidecar.calls.needs import Line
    from voice_sidecar.parts import Room

GUILD, OTHER = 42 << 22, 43 << 22
VOICE, SECOND, AWAY, TEXT = 700, 701, 702, 800
ADA, BOB, CAROL, MUSIC_BOT = 1, 2, 3, 9
DEADLINE_S = 10.0

Given = ParamSpec("Given")


def run(work: Coroutine[Any, Any, None]) -> None:
    """In a loop of its own, in which nothing may be left behind or go wrong unseen."""
    wrong: list[dict[str, Any]] = []

    async def watched() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: wrong.append(context))
        await work
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(watched())
    assert wrong == []


def leaving_nothing(test: Callable[Given, Coroutine[Any, Any, None]]) -> Callable[Given, None]:
    """A test that is a coroutine; see `run`."""

    @functools.wraps(test)
    def in_loop(*args: Given.args, **kwargs: Given.kwargs) -> None:
        run(test(*args, **kwargs))

    return in_loop


async def until(true: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.002)


@dataclass
class ScriptedPlaces:
    """A server with two voice channels, one for people who are away, and a text channel."""

    channels: dict[int, dict[int, list[int]]] = field(
        default_factory=lambda: {guild: {VOICE: [], SECOND: [], AWAY: []} for guild in (GUILD, OTHER)}
    )
    closed_chats: set[int] = field(default_factory=set)
    unknown: set[int] = field(default_factory=set)
    foreign: set[int] = field(default_factory=set)
    language: str = "en-US"

    def mine(self, guild_id: int) -> bool:
        return guild_id not in self.foreign

    def known(self, guild_id: int) -> bool:
        return guild_id in self.channels and guild_id not in self.unknown

    def where(self, guild_id: int, user_id: int) -> int | None:
        channels = self.channels.get(guild_id, {})
        return next((channel for channel, people in channels.items() if user_id in people), None)

    def spot(self, guild_id: int, channel_id: int) -> Spot | None:
        return Spot(away=channel_id == AWAY) if channel_id in self.channels.get(guild_id, {}) else None

    def people(self, guild_id: int, channel_id: int) -> Mapping[int, Person]:
        there = self.channels.get(guild_id, {}).get(channel_id, [])
        return {user: Person(user, f"name {user}", bot=user == MUSIC_BOT) for user in there}

    def may_write(self, guild_id: int, channel_id: int) -> bool:
        return channel_id not in self.closed_chats

    def locale(self, guild_id: int) -> str:
        return self.language

    def bot_name(self, guild_id: int) -> str:
        return "Trainger"


@dataclass(eq=False)
class ScriptedLine:
    guild_id: int
    channel_id: int | None
    hushed: Hushed | None = None

    def send(self, packet: bytes) -> bool:
        return True

    def speaking(self, on: bool) -> None:
        pass


class ScriptedConnections:
    def __init__(self) -> None:
        self.lines: dict[int, ScriptedLine] = {}
        self.joins: list[tuple[int, int]] = []
        self.left: list[int] = []
        self.forgotten: list[tuple[int, int]] = []
        self.agreements: list[int] = []
        self.errors: list[Exception] = []
        """What the next joins meet."""
        self.gates: dict[int, asyncio.Event] = {}
        """Joins of a server wait for this."""

    async def join(self, guild_id: int, channel_id: int) -> Line:
        self.joins.append((guild_id, channel_id))
        if guild_id in self.gates:
            await self.gates[guild_id].wait()
        if self.errors:
            raise self.errors.pop(0)
        line = self.lines.setdefault(guild_id, ScriptedLine(guild_id, channel_id))
        line.channel_id = channel_id
        return line

    async def leave(self, guild_id: int) -> None:
        if self.lines.pop(guild_id, None) is not None:
            self.left.append(guild_id)

    def line(self, guild_id: int) -> Line | None:
        return self.lines.get(guild_id)

    def forget(self, guild_id: int, user_id: int) -> None:
        self.forgotten.append((guild_id, user_id))

    def agreed(self, guild_id: int) -> None:
        self.agreements.append(guild_id)


class ScriptedConversation:
    def __init__(self, room: Room, line: Line) -> None:
        self.room = room
        self.line = line
        self.heard: list[Chunk] = []
        self.gone: list[int] = []
        self.revocations: list[int] = []
        self.said: list[tuple[str, str]] = []
        self.closed = False
        self.error: Exception | None = None

    def hear(self, chunks: list[Chunk]) -> None:
        if self.error is not None:
            raise self.error
        self.heard += chunks

    def left(self, user_id: int) -> None:
        self.gone.append(user_id)

    def revoked(self, user_id: int) -> None:
        self.revocations.append(user_id)

    async def say(self, text: str, language: str) -> None:
        self.said.append((text, language))

    async def close(self) -> None:
        self.closed = True
        if self.error is not None:
            raise self.error


class ScriptedRest:
    """Keeps what was written: by channel and message, and the replies by token."""

    def __init__(self) -> None:
        self.posts: list[tuple[int, Message]] = []
        self.shown: dict[int, Message] = {}
        self.edits: list[int] = []
        self.replies: dict[str, list[Message]] = defaultdict(list)
        self.reply_errors: list[NotDone] = []
        self.post_error: dict[int, NotDone] = {}
        self.edit_error: NotDone | None = None

    async def edit_reply(self, application_id: str, token: str, message: Message, *, deadline_s: float = 1) -> None:
        if self.reply_errors:
            raise self.reply_errors.pop(0)
        self.replies[token].append(message)

    async def post(self, channel_id: int, message: Message, *, key: str, deadline_s: float = 1) -> int:
        if channel_id in self.post_error:
            raise self.post_error[channel_id]
        self.posts.append((channel_id, message))
        self.shown[len(self.posts)] = message
        return len(self.posts)

    async def edit(self, channel_id: int, message_id: int, message: Message, *, deadline_s: float = 1) -> None:
        if self.edit_error is not None:
            raise self.edit_error
        if message_id not in self.shown:
            raise NotDone("gone", 404, 10008)
        self.edits.append(message_id)
        self.shown[message_id] = message

    def texts(self, channel_id: int) -> list[str]:
        return [message.text for where, message in self.posts if where == channel_id]


class FailingStore:
    """A store that fails when told to."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self.down = False
        self.down_for: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            if self.down or any(part in str(args[0]) for part in self.down_for):
                raise StoreUnavailable("down")
            return method(*args, **kwargs)

        return call


class Stage:
    """Everything together."""

    def __init__(self, folder: Path, settings: Settings | None = None) -> None:
        self.folder = folder
        self.store: Any = FailingStore(FileStore(folder / "store"))
        self.places = ScriptedPlaces()
        self.connections = ScriptedConnections()
        self.rest = ScriptedRest()
        self.conversations: list[ScriptedConversation] = []
        self.begin_error: Exception | None = None
        self.now = time.time
        self.settings = settings or Settings()
        self._ids = 0
        self._processes = 0
        self.begin_process()

    def begin_process(self) -> None:
        """As if the process began anew: only store, Discord and its chats stay."""
        self._processes += 1
        rest: Any = self.rest
        self.kept = Kept(self.store)
        self.notices = Notices(rest, self.kept, self.places)
        self.calls = Calls(self.places, self._begin, self.kept, self.notices, self.settings)
        self.obeying = Obeying(self.calls, self.kept, rest, self.places, self.notices, now=self._now)

    def _now(self) -> float:
        return self.now()

    def come_back(self, guild_id: int = GUILD) -> None:
        coming = ComingBack(self.calls, self.places, self.kept, self.notices, pauses_s=(0.0, 0.0))
        coming.guild_available(guild_id)

    async def restart(self) -> None:
        """kill -9, as far as others see it, and a new process."""
        await self.calls.close()
        self.kept.close()
        self.connections.lines.clear()
        self.begin_process()
        self.calls.start(self.connections)

    def _begin(self, room: Room, line: Line) -> ScriptedConversation:
        if self.begin_error is not None:
            raise self.begin_error
        conversation = ScriptedConversation(room, line)
        self.conversations.append(conversation)
        return conversation

    @property
    def conversation(self) -> ScriptedConversation:
        return self.conversations[-1]

    # --- people ---------------------------------------------------------------------------------------------------

    def enter(self, user_id: int, channel_id: int | None = VOICE, guild_id: int = GUILD) -> None:
        """Somebody is in a channel from now on, or in none."""
        for people in self.places.channels[guild_id].values():
            if user_id in people:
                people.remove(user_id)
        if channel_id is not None:
            self.places.channels[guild_id][channel_id].append(user_id)
        self.calls.on_people(guild_id)

    def agree(self, user_id: int, guild_id: int = GUILD, *, on: bool = True) -> None:
        """Only in the store, as the HTTP side does before it tells."""
        self._ids += 1
        choose_voice(self.store, scope_of(guild_id), str(user_id), str(self._ids), on=on)

    def order_id(self) -> str:
        self._ids += 1
        return str(self._ids)

    def join_order(
        self, user_id: int = ADA, guild_id: int = GUILD, *, locale: str = "en-US", ends_in: float = 60
    ) -> Join:
        order_id = self.order_id()
        choose_voice(self.store, scope_of(guild_id), str(user_id), order_id, on=True)
        return Join(**self._asked(order_id, user_id, guild_id, locale, ends_in))

    def leave_order(
        self, user_id: int = ADA, guild_id: int = GUILD, *, locale: str = "en-US", ends_in: float = 60
    ) -> Leave:
        return Leave(**self._asked(self.order_id(), user_id, guild_id, locale, ends_in))

    def say_order(self, user_id: int = ADA, text: str = "Tea.", *, ends_in: float = 60) -> Say:
        return Say(
            id=self.order_id(),
            guild_id=str(GUILD),
            user_id=str(user_id),
            text=text,
            language="en",
            at=self.now(),
            expires=self.now() + ends_in,
        )

    def _asked(self, order_id: str, user_id: int, guild_id: int, locale: str, ends_in: float) -> dict[str, Any]:
        return {
            "id": order_id,
            "application_id": "99",
            "token": f"token-{order_id}",
            "guild_id": str(guild_id),
            "user_id": str(user_id),
            "channel_id": str(TEXT),
            "locale": locale,
            "at": self.now(),
            "expires": self.now() + ends_in,
        }

    async def joined(self, user_id: int = ADA, channel_id: int = VOICE) -> Join:
        """Somebody called us in; the order."""
        self.enter(user_id, channel_id)
        order = self.join_order(user_id)
        assert (await self.obeying.obey(order)).do == "complete"
        assert self.calls.call(GUILD) is not None
        return order

    async def answer(self, order: Join | Leave) -> Message:
        """Obeys a command; the reply to it."""
        assert (await self.obeying.obey(order)).do == "complete"
        return self.reply(order)

    def reply(self, order: Join | Leave) -> Message:
        """The only reply to a command."""
        (message,) = self.rest.replies[order.token]
        return message


@asynccontextmanager
async def staged(folder: Path, settings: Settings | None = None) -> AsyncIterator[Stage]:
    """A stage on which things happen."""
    stage = Stage(folder, settings)
    stage.calls.start(stage.connections)
    try:
        yield stage
    finally:
        await stage.calls.close()
        stage.kept.close()


def chunk(user_id: int) -> Chunk:
    """A little sound of somebody."""
    return Chunk(user_id, 1, 0, b"\0\0", Sound.HEARD)


def cannot(reason: Refusal, *missing: str) -> CannotJoin:
    return CannotJoin(reason, missing)
