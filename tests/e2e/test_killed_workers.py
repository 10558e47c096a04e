"""kill -9 at any moment: everything that was taught is there once, and everybody gets their reply."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from tests.bot import Bot
from trainer.batches import Batch

if TYPE_CHECKING:
    from playground.clients import Exchange

ROOT = Path(__file__).parents[2]
INTERACTIONS = 300
WORKERS = 3
LIMIT_S = 240


class Shift:
    """Some worker processes, one of which is killed every now and then, at random, and replaced."""

    def __init__(self, environment: dict[str, str], folder: Path, seed: int) -> None:
        self._environment = environment
        self._folder = folder
        self._random = random.Random(seed)
        self._stop = threading.Event()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.kills = 0

    def __enter__(self) -> Self:
        self._processes = [self._hire() for _ in range(WORKERS)]
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(30)

    def _run(self) -> None:
        while not self._stop.wait(self._random.uniform(0.3, 1.2)):
            victim = self._random.randrange(WORKERS)
            self._processes[victim].send_signal(signal.SIGKILL)
            self._processes[victim].wait()
            self.kills += 1
            self._processes[victim] = self._hire()

    def _hire(self) -> subprocess.Popen[bytes]:
        log = (self._folder / "workers.log").open("ab")
        with log:
            return subprocess.Popen(
                [sys.executable, "-m", "interactions.worker", "--threads", "2"],
                env=self._environment,
                cwd=self._folder,
                stderr=log,
            )


def environment(bot: Bot) -> dict[str, str]:
    """What makes a worker of another process work for this bot."""
    c = bot.configuration
    names = {
        **bot.playground.environment(),
        "TRAINGER_STORE": c.store,
        "TRAINGER_QUEUE": c.queue,
        "TRAINGER_CACHE": c.cache,
        "TRAINGER_LEASE_SECONDS": "2",
        "PYTHONPATH": str(ROOT),
    }
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "NO_PROXY"}}
    return {**kept, **names}


def test_nothing_is_lost_and_nothing_done_twice(tmp_path: Path) -> None:
    with Bot(tmp_path) as bot:
        bot.stop_worker()
        # So that there is something to interrupt: every reply takes Discord a moment.
        bot.playground.faults.add(method="PATCH", path="@original", times=None, delay=0.1, processed=True)
        ada = bot.ada()

        def teach(number: int) -> Exchange:
            return ada.command("train", text=f"Q: What is number {number}? A: It is {number}.")

        with Shift(environment(bot), tmp_path, seed=20261122) as shift:
            with ThreadPoolExecutor(8) as people:
                exchanges = list(people.map(teach, range(INTERACTIONS)))
            bot.until(lambda: all(exchange.settled(0) for exchange in exchanges), timeout=LIMIT_S)
            bot.until_idle()
        assert shift.kills >= 5, "too few workers were killed for this to mean anything"

        assert [exchange.error for exchange in exchanges] == [None] * INTERACTIONS
        replies = Counter(tuple(message.text for message in exchange.messages) for exchange in exchanges)
        assert replies == {("I learned 1 new thing for “default”. Just ask!",): INTERACTIONS}
        assert not bot.queue.dead()

        store = bot.services.store
        batches = [
            msgspec.json.decode(store.get(info.key).data, type=Batch)
            for info in store.list(f"{bot.services_scope().prefix}/datasets/default/batches/")
        ]
        assert sorted(batch.id for batch in batches) == sorted(exchange.id for exchange in exchanges)
        taught = Counter(example.question for batch in batches for example in batch.examples)
        assert taught == {f"What is number {number}?": 1 for number in range(INTERACTIONS)}
        assert bot.services.library.index(bot.services_scope(), "default").count().pairs == INTERACTIONS


def test_a_job_that_takes_its_workers_down_is_given_up(tmp_path: Path) -> None:
    """A job that was handed out too often without ever coming back ends among the dead letters."""
    with Bot(tmp_path) as bot:
        bot.stop_worker()
        exchange = bot.ada().command("ask", prompt="What kills you?")
        for _ in range(12):
            deadline = time.monotonic() + 10
            while not (jobs := bot.queue.lease(wait_s=0.2, visibility_s=0.05)):
                assert time.monotonic() < deadline
            assert len(jobs) == 1
        bot.start_worker()
        bot.until(lambda: bool(bot.queue.dead()))
        assert bot.queue.dead()[0].reason.startswith("WorkerLost ")
        assert "Reference: " in exchange.wait().content
