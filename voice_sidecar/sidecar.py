"""Puts the sidecar together: the gateway, calls, conversations, what takes orders, what an operator sees."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from voice_sidecar.calls.calls import Calls
from voice_sidecar.calls.calls import Settings as CallSettings
from voice_sidecar.calls.client_cache import ClientCache, attach
from voice_sidecar.calls.coming_back import ComingBack
from voice_sidecar.calls.kept import Kept, scope_of
from voice_sidecar.calls.notices import Notices
from voice_sidecar.calls.obeying import Obeying
from voice_sidecar.calls.rest import Rest
from voice_sidecar.calls.taking import Taker
from voice_sidecar.calls.transcripts import Transcripts
from voice_sidecar.connection.client import make_client
from voice_sidecar.connection.connections import Connections
from voice_sidecar.conversation.conversation import Conversation
from voice_sidecar.conversation.tools import Pools, Settings, make_tools
from voice_sidecar.ops.activity import Activity, connection_events
from voice_sidecar.ops.health import HealthServer
from voice_sidecar.ops.metrics import Metrics, Seen
from voice_sidecar.playback.player import Player
from voice_sidecar.playback.programme import Timing
from voice_sidecar.warming import warm_knowledge, warm_models

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ssl import SSLContext

    from trainer.configuration import Configuration
    from trainer.ports import JobQueue
    from trainer.services import Services
    from voice_sidecar.calls.needs import Line
    from voice_sidecar.connection.patience import Patience
    from voice_sidecar.conversation.tools import Tools
    from voice_sidecar.conversation.turn import TurnReport
    from voice_sidecar.parts import Room
    from voice_sidecar.receiving.speaker import Chunk
    from voice_sidecar.turns.ears import Ears

RECOGNISED_AT_ONCE: Final = 8
"""Sounds at a time at a provider; a model on this machine takes one after the other anyway."""
ANSWERED_AT_ONCE: Final = 8
SPOKEN_AT_ONCE: Final = 4
QUEUE_SILENT_S: Final = 60.0
"""A queue that did not answer for so long makes the sidecar unwell."""
REFUSED_S: Final = 3.0
"""How long an answer waits for a connection that is being mended: that takes two seconds at most."""

log = logging.getLogger(__name__)


class Talk(Conversation):
    """A conversation that closes its player with it."""

    def __init__(self, room: Room, player: Player, tools: Tools) -> None:
        super().__init__(room, player, tools)
        self._player = player

    async def close(self) -> None:
        """End both. A second time it does nothing."""
        await super().close()
        self._player.close()


class Sidecar:
    """One process of it. Made, run and closed in a running event loop.

    Args:
        configuration: what the environment decides.
        services: what answers, recognises and speaks; its owner's to close.
        queues: where orders are; closed with the sidecar.
        ears: make those that listen.
        shard_ids: which shards are ours; all if not given.
        shard_count: how many there are.
        tls: checks certificates; the system's authorities if not given.
        patience: how long things of voice connections may take.
        timing: of what is said.
    """

    def __init__(
        self,
        configuration: Configuration,
        services: Services,
        queues: Sequence[JobQueue],
        ears: Ears,
        *,
        shard_ids: Sequence[int] | None = None,
        shard_count: int | None = None,
        tls: SSLContext | None = None,
        patience: Patience | None = None,
        timing: Timing | None = None,
    ) -> None:
        voice = configuration.voice
        self._token = configuration.token
        self._services = services
        self._queues = list(queues)
        self._ears = ears
        self._timing = timing or Timing(patience=REFUSED_S)
        self._settings = Settings(
            wake_names=voice.wake_names, follow_up_s=voice.follow_up_seconds, filler_s=voice.filler_seconds
        )
        local = services.transcriber is not None and services.transcriber.local
        self._pools = Pools(
            recognising=ThreadPoolExecutor(1 if local else RECOGNISED_AT_ONCE, "voice-recognition"),
            answering=ThreadPoolExecutor(ANSWERED_AT_ONCE, "voice-answers"),
            speaking=ThreadPoolExecutor(SPOKEN_AT_ONCE, "voice-speech"),
            judging=ThreadPoolExecutor(1, "voice-turns"),
        )
        self.client = make_client(configuration.api_base_url, shard_ids=shard_ids, shard_count=shard_count, tls=tls)
        self._places = ClientCache(self.client)
        self._kept = Kept(services.store, answer_days=services.policy.answer_days)
        self._rest = Rest(configuration.api_base_url, configuration.token)
        self._notices = notices = Notices(self._rest, self._kept, self._places)
        self._transcripts = Transcripts(self._rest, self._kept, self._places)
        settings = CallSettings(empty_s=60 * voice.empty_minutes)
        self.calls = Calls(self._places, self._begin, self._kept, notices, settings)
        obeying = Obeying(self.calls, self._kept, self._rest, self._places, notices)
        attach(self.client, self.calls, ComingBack(self.calls, self._places, self._kept, notices))
        self.connections = Connections(
            self.client,
            heard=self.calls.heard,
            on_chunks=self._heard,
            on_lost=self.calls.on_lost,
            on_moved=self.calls.on_moved,
            on_people=self.calls.on_people,
            patience=patience,
        )
        self._activity = Activity()
        seen = Seen(
            counters=self._activity.counters,
            speakers=self._activity.speaking,
            calls=lambda: len(self.calls),
            connection=lambda: connection_events(self.connections.counters),
            gateway=lambda: self.client.up and not self.client.is_closed(),
            queue_silent=self._queue_silent,
        )
        self.metrics = Metrics(seen)
        self.takers = [Taker(queue, obeying) for queue in self._queues]
        self.health_server = HealthServer(voice.port, self.health, self.metrics.registry)
        self._began_at = time.monotonic()
        self._started = False

    async def run(self) -> None:
        """Be there until `close`. Raises discord.py's `LoginFailure` for a wrong token, OSError for a taken port."""
        await self.health_server.start()
        warm_models(self._services, self._pools)
        self.calls.start(self.connections)
        for taker in self.takers:
            taker.start()
        self._started = True
        await self.client.start(self._token)

    async def close(self) -> None:
        """Give back orders that are not begun, end calls so that the next process takes them up, and hang up."""
        if self._started:
            await asyncio.gather(*(taker.stop() for taker in self.takers))
        await self.calls.close()
        await self.client.close()
        await self._notices.stopped()
        await self._rest.close()
        self._kept.close()
        for pool in self._pools:
            pool.shutdown(wait=False, cancel_futures=True)
        await self.health_server.stop()
        for queue in self._queues:
            queue.close()

    async def health(self) -> dict[str, object]:
        """What `/healthz` says."""
        gateway = "ok" if self.client.up and not self.client.is_closed() else "not connected"
        queue = "ok" if self._queue_silent() < QUEUE_SILENT_S else "does not answer"
        recogniser, speaker = self._services.transcriber, self._services.speaker
        return {
            "ok": gateway == "ok" and queue == "ok",
            "gateway": gateway,
            "queue": queue,
            "guilds": len(self.client.guilds),
            "calls": len(self.calls),
            "shards": {"ids": self.client.shard_ids or "all", "count": self.client.shard_count},
            "models": {
                "turns": self._ears.name,
                "recognition": recogniser.name if recogniser is not None else "none: nothing is understood",
                "chat": self._services.answering.model or "none: trained answers as they stand",
                "voices": speaker.name if speaker is not None else "none: nothing is said",
            },
        }

    def _queue_silent(self) -> float:
        """Seconds since the queue last answered that has been silent for longest."""
        now = time.monotonic()
        return max(now - max(taker.looked_at, self._began_at) for taker in self.takers)

    def _begin(self, room: Room, line: Line) -> Talk:
        connected = self.connections.line(room.guild_id)
        if connected is not None:
            standing = [one.receiver.counters for one in self.connections.lines]
            self._activity.watch(connected.receiver.counters, standing)
        warm_knowledge(self._services, scope_of(room.guild_id), self._pools)
        tools = make_tools(
            self._services,
            room,
            self._ears,
            self._pools,
            is_manager=lambda user_id: self._places.manages(room.guild_id, user_id),
            keeps=self._transcripts.of(room),
            on_turn=self._turn,
            settings=self._settings,
        )
        return Talk(room, Player(line, timing=self._timing), tools)

    def _heard(self, line: Line, chunks: list[Chunk]) -> None:
        self._activity.heard(line.guild_id, chunks)
        self.calls.on_chunks(line, chunks)

    def _turn(self, report: TurnReport) -> None:
        self.metrics.turn(report.outcome.value, report.stages)
