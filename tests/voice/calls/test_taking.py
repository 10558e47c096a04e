"""Orders from a real queue, and what becomes of their jobs."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.voice.calls.stage import ADA, BOB, GUILD, OTHER, VOICE, leaving_nothing, staged, until
from trainer.adapters.sqlite_queue import SqliteQueue
from trainer.ports import LeaseLost, QueueUnavailable
from trainer.voice_calls import claimed
from trainer.voice_orders import SettingsChanged, encode
from voice_sidecar.calls.obeying import DONE, Verdict
from voice_sidecar.calls.taking import Taker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.voice.calls.stage import Stage
    from trainer.ports import Job, JobQueue
    from trainer.voice_orders import Order
    from voice_sidecar.calls.taking import Obeys


class Scripted:
    """Obeys as it is told to."""

    def __init__(self) -> None:
        self.stopping = False
        self.obeyed: list[Order] = []
        self.given_up: list[Order] = []
        self.gate: asyncio.Event | None = None
        self.outcomes: list[Verdict | Exception] = []
        self.error: Exception | None = None

    async def obey(self, order: Order) -> Verdict:
        self.obeyed.append(order)
        if self.gate is not None:
            await self.gate.wait()
        outcome = self.outcomes.pop(0) if self.outcomes else DONE
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def give_up(self, order: Order) -> None:
        self.given_up.append(order)
        if self.error is not None:
            raise self.error


@asynccontextmanager
async def taking(queue: JobQueue, obeys: Obeys, *, grace_s: float = 5, **more: Any) -> AsyncIterator[Taker]:
    taker = Taker(queue, obeys, poll_s=0.05, pause_s=0.01, **more)
    taker.start()
    try:
        yield taker
    finally:
        await taker.stop(grace_s=grace_s)


@pytest.fixture
def queue(tmp_path: Path) -> Any:
    queue = SqliteQueue(tmp_path / "voice.sqlite3")
    yield queue
    queue.close()


ORDER = SettingsChanged(guild_id="5", expires=9e9)


@leaving_nothing
async def test_an_order_is_obeyed_and_gone(queue: SqliteQueue) -> None:
    obeys = Scripted()
    queue.send(encode(ORDER))
    async with taking(queue, obeys) as taker:
        await until(lambda: queue.depth()[:3] == (0, 0, 0))
        assert taker.looked_at > 0
    assert obeys.obeyed == [ORDER]
    assert queue.depth().dead == 0


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"v":2,"order":{"kind":"settings"}}', b'{"v":1,"order":{"kind":"dance","guild_id":"5"}}']
)
@leaving_nothing
async def test_what_is_no_order_is_buried(queue: SqliteQueue, body: bytes) -> None:
    obeys = Scripted()
    queue.send(body)
    queue.send(encode(ORDER))
    async with taking(queue, obeys):
        await until(lambda: obeys.obeyed and queue.depth() == (0, 0, 0, 1))
    (letter,) = queue.dead()
    assert letter.reason == "BadOrder"


@leaving_nothing
async def test_a_slow_order_keeps_no_other_waiting(queue: SqliteQueue) -> None:
    obeys = Scripted()
    obeys.gate = asyncio.Event()
    for _ in range(5):
        queue.send(encode(ORDER))
    async with taking(queue, obeys):
        await until(lambda: len(obeys.obeyed) == 5)
        assert queue.depth().leased == 5
        obeys.gate.set()


@leaving_nothing
async def test_no_more_are_taken_than_can_be_dealt_with(queue: SqliteQueue) -> None:
    obeys = Scripted()
    obeys.gate = asyncio.Event()
    for _ in range(5):
        queue.send(encode(ORDER))
    async with taking(queue, obeys, most=2):
        await until(lambda: len(obeys.obeyed) == 2)
        await asyncio.sleep(0.15)
        assert len(obeys.obeyed) == 2
        obeys.gate.set()
        await until(lambda: len(obeys.obeyed) == 5)


@leaving_nothing
async def test_an_order_that_is_given_back_comes_again(queue: SqliteQueue) -> None:
    obeys = Scripted()
    obeys.outcomes = [Verdict("release", 0.02), Verdict("release", 0.02)]
    queue.send(encode(ORDER))
    async with taking(queue, obeys):
        await until(lambda: len(obeys.obeyed) == 3 and queue.depth() == (0, 0, 0, 0))


@pytest.mark.parametrize("error", [None, RuntimeError("again")])
@leaving_nothing
async def test_an_order_that_fails_again_and_again_is_given_up(queue: SqliteQueue, error: Exception | None) -> None:
    obeys = Scripted()
    obeys.error = error
    obeys.outcomes = [RuntimeError("words of people")] * 3
    queue.send(encode(ORDER))
    async with taking(queue, obeys):
        await until(lambda: queue.depth() == (0, 0, 0, 1))
    assert obeys.given_up == [ORDER]
    (letter,) = queue.dead()
    assert letter.reason == "RuntimeError"


@leaving_nothing
async def test_leases_are_kept_while_an_order_takes_long(queue: SqliteQueue) -> None:
    obeys = Scripted()
    obeys.gate = asyncio.Event()
    queue.send(encode(ORDER))
    async with taking(queue, obeys, lease_s=0.3):
        await until(lambda: obeys.obeyed)
        await asyncio.sleep(0.7)
        assert len(obeys.obeyed) == 1
        obeys.gate.set()
        await until(lambda: queue.depth() == (0, 0, 0, 0))


@leaving_nothing
async def test_the_lease_of_one_order_does_not_wait_for_those_of_others(queue: SqliteQueue) -> None:
    """A queue that takes half a second for each would lose the leases of a dozen that are done at the same time."""
    together = threading.Barrier(4, timeout=30)
    extended: list[bool] = []

    def extend(job: Job, *, visibility_s: float) -> None:
        if not extended:
            together.wait()
            extended.append(True)

    obeys = Scripted()
    obeys.gate = asyncio.Event()
    queue.extend = extend  # type: ignore[method-assign]  # a slow one
    for number in range(together.parties):
        queue.send(encode(SettingsChanged(guild_id=str(number), expires=9e9)))
    async with taking(queue, obeys, lease_s=3):
        await until(lambda: extended)
        obeys.gate.set()
        await until(lambda: queue.depth() == (0, 0, 0, 0))


@leaving_nothing
async def test_on_a_stop_what_runs_ends_and_what_does_not_end_is_given_back(queue: SqliteQueue) -> None:
    obeys = Scripted()
    obeys.gate = asyncio.Event()
    queue.send(encode(ORDER))
    async with taking(queue, obeys, grace_s=0.05):
        await until(lambda: obeys.obeyed)
    assert obeys.stopping
    assert queue.depth() == (1, 0, 0, 0)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("voice-")]


class Broken:
    """A queue in front of a real one, which fails in ways of its own."""

    def __init__(self, queue: SqliteQueue) -> None:
        self._queue = queue
        self.down = 2
        self.settles: Exception | None = None
        self.looks = 0

    def lease(self, **more: Any) -> Any:
        self.looks += 1
        if self.down:
            self.down -= 1
            raise QueueUnavailable("down")
        return self._queue.lease(**more)

    def complete(self, job: Any) -> None:
        if self.settles is not None:
            raise self.settles
        self._queue.complete(job)


@leaving_nothing
async def test_a_queue_that_does_not_answer_is_looked_at_again(queue: SqliteQueue) -> None:
    obeys, broken = Scripted(), Broken(queue)
    queue.send(encode(ORDER))
    fronted: Any = broken
    async with taking(fronted, obeys):
        await until(lambda: queue.depth() == (0, 0, 0, 0) and obeys.obeyed)
    assert broken.looks >= 3


@pytest.mark.parametrize("error", [LeaseLost("lost"), QueueUnavailable("down")])
@leaving_nothing
async def test_a_job_that_cannot_be_settled_is_left_to_its_lease(queue: SqliteQueue, error: Exception) -> None:
    obeys, broken = Scripted(), Broken(queue)
    broken.settles = error
    queue.send(encode(ORDER))
    queue.send(encode(ORDER))
    fronted: Any = broken
    async with taking(fronted, obeys):
        await until(lambda: len(obeys.obeyed) == 2)
    assert queue.depth().leased == 2


# --- together -------------------------------------------------------------------------------------------------------


async def both_are_in(stage: Stage) -> None:
    await until(lambda: stage.calls.call(GUILD) and stage.calls.call(OTHER))


@leaving_nothing
async def test_orders_of_one_server_are_done_in_order_and_servers_do_not_wait(
    tmp_path: Path, queue: SqliteQueue
) -> None:
    async with staged(tmp_path) as stage:
        gate = stage.connections.gates[GUILD] = asyncio.Event()
        stage.enter(ADA)
        stage.enter(BOB, VOICE, OTHER)
        join, leave, other = stage.join_order(), stage.leave_order(), stage.join_order(BOB, OTHER)
        for order in (join, leave, other):
            queue.send(encode(order))
        async with taking(queue, stage.obeying):
            await until(lambda: stage.calls.call(OTHER) is not None)
            assert claimed(stage.store, str(GUILD), leave.id) == "sidecar"
            gate.set()
            await until(lambda: stage.rest.replies[leave.token] and queue.depth() == (0, 0, 0, 0))
        assert stage.reply(leave).text == f"I left <#{VOICE}>."
        assert "I hear you" in stage.reply(join).text


@leaving_nothing
async def test_two_sidecars_share_a_queue(tmp_path: Path, queue: SqliteQueue) -> None:
    async with staged(tmp_path / "one") as one, staged(tmp_path / "two") as two:
        one.places.foreign, two.places.foreign = {OTHER}, {GUILD}
        one.enter(ADA)
        two.enter(BOB, VOICE, OTHER)
        orders = [one.join_order(), two.join_order(BOB, OTHER)]
        async with taking(queue, one.obeying), taking(queue, two.obeying):
            for order in orders:
                queue.send(encode(order))
            await until(lambda: one.calls.call(GUILD) and two.calls.call(OTHER))
            await until(lambda: queue.depth() == (0, 0, 0, 0))
        assert one.connections.joins == [(GUILD, VOICE)]
        assert two.connections.joins == [(OTHER, VOICE)]


@leaving_nothing
async def test_killed_in_the_middle_of_a_join_the_next_process_goes_on(tmp_path: Path, queue: SqliteQueue) -> None:
    async with staged(tmp_path) as stage:
        stage.connections.gates[GUILD] = asyncio.Event()
        stage.enter(ADA)
        order = stage.join_order()
        queue.send(encode(order))
        async with taking(queue, stage.obeying, grace_s=0.01):
            await until(lambda: stage.connections.joins)
        assert stage.rest.replies == {}
        assert claimed(stage.store, str(GUILD), order.id) == "sidecar"
        await stage.restart()
        del stage.connections.gates[GUILD]
        async with taking(queue, stage.obeying):
            await until(lambda: stage.rest.replies[order.token])
            await until(lambda: queue.depth() == (0, 0, 0, 0))
        assert "I hear you" in stage.reply(order).text
        assert len(stage.connections.joins) == 2


@leaving_nothing
async def test_what_has_not_begun_is_given_back_on_a_stop(tmp_path: Path, queue: SqliteQueue) -> None:
    async with staged(tmp_path) as stage:
        stage.enter(ADA)
        order = stage.join_order()
        async with stage.calls.lane(GUILD):
            queue.send(encode(order))
            async with taking(queue, stage.obeying, grace_s=0.05):
                await until(lambda: claimed(stage.store, str(GUILD), order.id))
        assert queue.depth() == (1, 0, 0, 0)
        assert stage.connections.joins == []
