"""What each command takes: requests to the store, seconds and processor time; and what one box does in a second.

The whole product in one process, as the tests run it: a signed request to the HTTP endpoint, a SQLite queue, a
worker, the store in a folder, and the playground for Discord. The store's requests are counted
(`bench.store_requests`). A cold command is the first one of a worker that has just started with an empty cache.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections import Counter
from contextlib import contextmanager
from functools import partial
from statistics import mean, median
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from unittest.mock import patch

from bench.report import Table, p95
from bench.store_requests import CountingStore, total
from trainer.datasets import DEFAULT_DATASET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from bench.store_requests import Requested
    from interactions.performing import Performer, Verdict
    from playground.clients import Client, Exchange
    from tests.bot import Bot
    from trainer.configuration import Configuration

TIMES: Final = 16
COLD_TIMES: Final = 3
TAUGHT: Final = 1_000
"""Examples of the dataset, in one file and one object."""
BUSY: Final = 200
"""Questions that lie in the queue when one box is measured."""
EMBEDDING_S: Final = 300.0
LIFTED: Final = 1_000.0
"""Limits are counted, as always, and not reached."""
STRICT: Final = 0.1


class Cost(NamedTuple):
    """What one job took."""

    counts: Counter[Requested]
    seconds: float
    cpu_s: float


class Watched:
    """A performer that is watched, one job at a time."""

    def __init__(self, performer: Performer, store: CountingStore) -> None:
        self._performer = performer
        self._store = store
        self.costs: list[Cost] = []

    def perform(
        self, body: bytes, attempts: int, abandoned: Callable[[], bool], must_stop: Callable[[], bool]
    ) -> Verdict:
        """Do a job."""
        before, began, began_cpu = self._store.counts, time.perf_counter(), time.thread_time()
        verdict = self._performer.perform(body, attempts, abandoned, must_stop)
        seconds, cpu_s = time.perf_counter() - began, time.thread_time() - began_cpu
        self.costs.append(Cost(self._store.counts - before, seconds, cpu_s))
        return verdict


class Stage:
    """The product with its store counted."""

    def __init__(self, bot: Bot, store: CountingStore) -> None:
        self.bot = bot
        self._store = store
        self.watched: Watched
        self.watch()

    def restart(self) -> None:
        """As a new process with an empty cache."""
        from trainer import bootstrap

        bot = self.bot
        bot.stop_worker()
        bot.services.close()
        shutil.rmtree(bot.configuration.cache, ignore_errors=True)
        bot.services = bootstrap.make_services(bot.configuration, bot.queue)
        bot.start_worker()
        self.watch()

    def watch(self) -> None:
        """Let one thread do the jobs, watched."""
        from interactions.worker import Worker

        self.bot.stop_worker()
        watched = Watched(self.bot.performer, self._store)
        self.bot.worker = Worker(self.bot.queue, watched, threads=1, lease_s=60, poll_s=0.05)
        self.bot.worker.start()
        self.watched = watched

    def cost(self, act: Callable[[], object]) -> Cost:
        """What the one job of an action takes."""
        done = len(self.watched.costs)
        act()
        self.bot.until(lambda: len(self.watched.costs) > done)
        self.bot.until_idle()
        (cost,) = self.watched.costs[done:]
        return cost


def measure(folder: Path) -> tuple[Table, ...]:
    """All of it; takes a minute or two."""
    from tests.openai_server import OpenAiServer

    costs: dict[str, list[Cost]] = {}
    with _stage(folder / "plain", limits=LIFTED) as stage:
        costs |= _plain(stage)
        small = _box(stage)
        costs |= _large(stage)
        large = _box(stage)
    with OpenAiServer() as server:
        server.reply_with("The room is beside the fountain.")
        with _stage(folder / "model", limits=LIFTED, base_url=server.base_url) as stage:
            costs |= _with_model(stage)
    with _stage(folder / "strict", limits=STRICT) as stage:
        costs |= _refused(stage)
    columns = ("examples", "threads of the worker", "taken in, a second, by one client", "answered, a second")
    title = f"One box, {BUSY} questions from the queue; Discord is played in the same process, which takes its share"
    return _cost_table(costs), _folder_table(costs), Table(title, columns, (*small, *large))


@contextmanager
def _stage(folder: Path, *, limits: float, base_url: str = "") -> Iterator[Stage]:
    """The product, with a dataset."""
    from playground.cdn import File
    from tests.bot import Bot
    from trainer import bootstrap

    folder.mkdir(parents=True)
    make_store, made = bootstrap.make_store, dict[str, CountingStore]()

    def counting(configuration: Configuration) -> CountingStore:
        return made.setdefault(configuration.store, CountingStore(make_store(configuration)))

    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # it prints each request
    with patch.object(bootstrap, "make_store", counting), Bot(folder, limits=limits, openai_base_url=base_url) as bot:
        stage = Stage(bot, made[bot.configuration.store])
        bot.ada().command("train", file=File("faq.csv", faq(TAUGHT))).wait(quiet=0.05)
        bot.until_idle()
        yield stage


def faq(count: int) -> bytes:
    """A file of questions and answers that differ."""
    rows = (f"Where is room {n} of the castle?,Room {n} is in wing {n % 7} on floor {n % 5}." for n in range(count))
    return "\n".join(["question,answer", *rows]).encode()


def _plain(stage: Stage) -> dict[str, list[Cost]]:
    """Without a chat model."""
    bot = stage.bot
    ada, bob = bot.ada(), bot.bob()

    def ask(number: int, *, fresh: bool = False) -> Exchange:
        return bob.command("ask", prompt=f"Where is room {number} of the castle?", fresh=fresh)

    def cold() -> Cost:
        stage.restart()
        return stage.cost(lambda: ask(1, fresh=True))

    costs = {"/ask, cold": [cold() for _ in range(COLD_TIMES)]}
    ask(2).wait(quiet=0.05)
    bot.until_idle()
    costs["/ask"] = [stage.cost(partial(ask, number)) for number in range(TIMES)]
    answer = ask(3)
    answer.wait(quiet=0.1)
    bot.until_idle()
    message = answer.messages[-1].id
    votes = [f"{rating}:{answer.id}" for rating in ("up", "down") * (TIMES // 4)]
    costs["👍 or 👎"] = [stage.cost(partial(bob.click, message, vote)) for vote in votes]

    def form(client: Client, text: str) -> Cost:
        opened = client.click(message, "Correct")
        return stage.cost(partial(opened.submit, {"correction": text}))

    costs["/correct by a manager"] = [form(ada, f"Beside the stairs, number {n}.") for n in range(TIMES // 2)]
    costs["/correct, proposed"] = [form(bob, f"Below the stairs, number {n}.") for n in range(TIMES // 2)]
    lines = [f"Q: Who is guard {number}? A: Mira {number}." for number in range(TIMES // 2)]
    costs["/train, a line"] = [stage.cost(partial(ada.command, "train", {"text": line})) for line in lines]
    costs["/stats"] = [stage.cost(partial(ada.command, "stats")) for _ in range(COLD_TIMES)]
    return costs


def _large(stage: Stage) -> dict[str, list[Cost]]:
    """A large file."""
    from playground.cdn import File

    file = File("large.csv", faq(12_000).replace(b"castle", b"tower"))
    return {"/train, 12,000 rows": [stage.cost(partial(stage.bot.ada().command, "train", file=file))]}


def _with_model(stage: Stage) -> dict[str, list[Cost]]:
    bob = stage.bot.bob()

    def ask(number: int, *, fresh: bool = False) -> Exchange:
        prompt = f"Please tell me, where would room {number} of that castle be?"
        return bob.command("ask", prompt=prompt, fresh=fresh)

    def cold() -> Cost:
        stage.restart()
        return stage.cost(lambda: ask(1, fresh=True))

    costs = {"/ask with a chat model, cold": [cold()]}
    costs["/ask with a chat model"] = [stage.cost(partial(ask, number, fresh=True)) for number in range(TIMES)]
    costs["/ask with a chat model, going on"] = [stage.cost(partial(ask, number)) for number in range(TIMES)][-4:]
    return costs


def _refused(stage: Stage) -> dict[str, list[Cost]]:
    """A question more than a server may ask: six a minute here."""
    people = [stage.bot.playground.client(f"Person {number}") for number in range(10)]
    costs = [stage.cost(partial(client.command, "ask", prompt="Where?")) for client in people]
    return {"/ask, one too many for the server": costs[7:]}


def _box(stage: Stage) -> list[tuple[int, int, float, float]]:
    """How fast one process works off questions that wait, with four threads and with one."""
    from interactions.worker import Worker

    bot = stage.bot
    index = bot.services.library.index(bot.services_scope(), DEFAULT_DATASET)
    assert index.catch_up(EMBEDDING_S)
    rows = []
    for threads in (1, 4):
        bot.stop_worker()
        people = [bot.playground.client(f"Asker {number}") for number in range(20)]
        began = time.perf_counter()
        for number in range(BUSY):
            people[number % len(people)].command("ask", prompt=f"Where is room {number} of the castle?")
        taken = BUSY / (time.perf_counter() - began)
        bot.worker = Worker(bot.queue, bot.performer, threads=threads, lease_s=60, poll_s=0.05)
        began = time.perf_counter()
        bot.worker.start()
        bot.until_idle(timeout=300)
        rows.append((sum(index.count()), threads, taken, BUSY / (time.perf_counter() - began)))
    stage.watch()
    return rows


def _cost_table(costs: Mapping[str, list[Cost]]) -> Table:
    rows = []
    for name, of in costs.items():
        verbs = [mean(total(cost.counts, verb) for cost in of) for verb in ("GET", "HEAD", "PUT", "LIST", "DELETE")]
        seconds = [1000 * cost.seconds for cost in of]
        slow = p95(seconds) if len(seconds) > 3 else None
        rows.append((name, *verbs, sum(verbs), median(seconds), slow, 1000 * median(cost.cpu_s for cost in of)))
    columns = ("command", "GET", "HEAD", "PUT", "LIST", "DELETE", "all", "ms here", "p95", "CPU ms")
    return Table(f"Requests to the store for a command, of a server with {TAUGHT} examples", columns, tuple(rows))


def _folder_table(costs: Mapping[str, list[Cost]]) -> Table:
    """Where the requests of questions go."""
    of = costs["/ask with a chat model"]
    counts = sum((cost.counts for cost in of), Counter[Any]())
    folders = sorted({requested.folder for requested in counts})
    rows = []
    for folder in folders:
        here = Counter({requested: count for requested, count in counts.items() if requested.folder == folder})
        reads = total(here, "GET", "HEAD") / len(of)
        rows.append((folder, reads, total(here, "LIST") / len(of), total(here, "PUT", "DELETE") / len(of)))
    columns = ("folder of the server", "GET, HEAD", "LIST", "PUT, DELETE")
    return Table("Where the requests of `/ask` with a chat model go", columns, tuple(rows))
