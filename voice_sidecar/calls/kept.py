"""What the store keeps of calls, asked for without blocking the event loop.

g42/voice/notice.json   small and mutable: the message that says that we listen
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, ParamSpec, TypeVar

import msgspec

from trainer import consent, records, settings, voice_calls
from trainer.answers import link_message
from trainer.retention import Policy
from trainer.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.ports import ObjectStore
    from trainer.voice_calls import CallState, Side

P = ParamSpec("P")
R = TypeVar("R")


class Standing(msgspec.Struct, frozen=True):
    """The message that says that we listen."""

    voice_channel_id: int
    posted_in: int
    """The channel whose chat it is in."""
    message_id: int
    v: int = 1


class Transcribing(NamedTuple):
    """Whether spoken questions are written down in a server."""

    days: int
    """How long they are kept; 0: not at all."""


def scope_of(guild_id: int) -> Scope:
    """A server's."""
    return Scope("guild", str(guild_id))


def notice_key(guild_id: int) -> str:
    """The message that says that we listen."""
    return f"{scope_of(guild_id).prefix}/voice/notice.json"


class Kept:
    """Records of calls. Every method may raise `StoreUnavailable`; close it.

    Args:
        store: where they lie.
        threads: how many requests go on at once.
        answer_days: how long answers are kept at most, whatever a server chose.
    """

    def __init__(self, store: ObjectStore, *, threads: int = 4, answer_days: int = Policy().answer_days) -> None:
        self._store = store
        self._answer_days = answer_days
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="voice-store")

    def close(self) -> None:
        """Wait for what was begun, and begin nothing more."""
        self._threads.shutdown(cancel_futures=True)

    async def claim(self, guild_id: int, order_id: str) -> Side:
        """Whose the reply to a command is: ours, if nobody was faster."""
        return await self._away(voice_calls.claim, self._store, str(guild_id), order_id, "sidecar")

    async def claimed(self, guild_id: int, order_id: str) -> Side | None:
        """Whose the reply to a command is so far."""
        return await self._away(voice_calls.claimed, self._store, str(guild_id), order_id)

    async def done(self, guild_id: int, order_id: str) -> bool:
        """Whether an order was done."""
        return await self._away(voice_calls.done_by, self._store, str(guild_id), order_id) is not None

    async def do_once(self, guild_id: int, order_id: str) -> bool:
        """Note that an order is done; whether it was not before."""
        return await self._away(voice_calls.do_once, self._store, str(guild_id), order_id)

    async def state(self, guild_id: int) -> CallState | None:
        """Where we are to be in a server."""
        return await self._away(voice_calls.call_state, self._store, str(guild_id))

    async def save_state(self, guild_id: int, state: CallState) -> None:
        """Note where we are, for a restart."""
        await self._away(voice_calls.save_call_state, self._store, str(guild_id), state)

    async def clear_state(self, guild_id: int) -> None:
        """Note that we are nowhere."""
        await self._away(voice_calls.clear_call_state, self._store, str(guild_id))

    async def agreed(self, guild_id: int, user_id: int) -> bool:
        """Whether somebody agreed to be heard."""
        found = await self._away(consent.preferences, self._store, scope_of(guild_id), str(user_id))
        return found.voice

    async def take_back(self, guild_id: int, user_id: int, order_id: str) -> None:
        """Nobody is heard for a call that did not come about: what that /join agreed to does not hold."""
        await self._away(consent.unchoose_voice, self._store, scope_of(guild_id), str(user_id), order_id)

    async def transcribing(self, guild_id: int) -> Transcribing:
        """Whether spoken questions are written down."""
        found = await self._away(settings.scope_settings, self._store, scope_of(guild_id))
        return Transcribing(min(found.voice_transcript_days, self._answer_days))

    async def standing(self, guild_id: int) -> Standing | None:
        """The notice that stands in a server."""
        return await self._away(records.load, self._store, notice_key(guild_id), Standing)

    async def save_standing(self, guild_id: int, standing: Standing) -> None:
        """Note which notice stands."""
        await self._away(records.save, self._store, notice_key(guild_id), standing)

    async def clear_standing(self, guild_id: int) -> None:
        """Note that none does."""
        await self._away(self._store.delete, notice_key(guild_id))

    async def link(self, guild_id: int, message_id: int, answer_id: str) -> None:
        """Note which answer a message shows, so that the message can be corrected."""
        await self._away(link_message, self._store, scope_of(guild_id), str(message_id), answer_id)

    async def _away(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(function, *args, **kwargs))
