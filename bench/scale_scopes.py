"""What many writers at once do to the objects that a server has only one of: settings, limits, the month's costs.

Each writer is a thread with services of its own, as functions have: nothing but the store keeps them apart. The store
is SeaweedFS on loopback, as it is and with a delay before each request, as over a network.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple
from unittest.mock import patch

import msgspec

from bench.report import Table, p95
from bench.store_requests import CountingStore, total
from trainer.adapters.s3_client import connect
from trainer.adapters.s3_store import S3Store
from trainer.conversations import Place, Turn, remember
from trainer.limit_store import Limiter
from trainer.ports import ChatReply, ChatUsage, StoreUnavailable
from trainer.prices import Price
from trainer.scope import Actor, Scope
from trainer.settings import ScopeSettings, change_settings, scope_settings
from trainer.snowflakes import first_of
from trainer.usage import Ledger, month_cost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

    from trainer.ports import ObjectStore

    _Act = Callable[[ObjectStore, Scope, int, str], None]

WRITERS: Final = (1, 4, 16)
DELAYS_S: Final = (0.0, 0.025)
EACH: Final = 12
BUCKET: Final = "trainger-bench"


class Row(NamedTuple):
    """What some writers did to one object."""

    what: str
    writers: int
    delay_ms: float
    second: float
    """Calls that ended in a second."""
    median_ms: float
    p95_ms: float
    tries: float
    """PUTs for each that succeeded."""
    lost: int
    """Calls whose change is not in the object."""
    of: int


@contextlib.contextmanager
def bucket(folder: Path) -> Iterator[S3Client]:
    """A bucket on SeaweedFS, and a client as the product makes it."""
    from tests import servers

    folder.mkdir(parents=True, exist_ok=True)
    with servers.seaweedfs(folder) as server:
        with patch.dict(os.environ, server.environment()):
            client = connect(server.endpoint_url, server.region)
        with contextlib.closing(client):
            client.create_bucket(Bucket=BUCKET)
            yield client


def measure(client: S3Client) -> Table:
    """All writers on all objects; takes a minute."""
    numbers = count()
    rows = []
    for delay_s in DELAYS_S:
        for writers in WRITERS:
            for what in ACTS:
                scope = Scope("guild", str(900 + next(numbers)))
                store = CountingStore(S3Store(BUCKET, client=client), delay_s=delay_s)
                rows.append(_contend(what, store, scope, writers, delay_s))
    columns = (
        *("object", "writers at once", "ms added to a request", "calls a second", "ms, median", "p95"),
        *("PUTs for each that succeeds", "changes lost", "of"),
    )
    return Table(f"Compare-and-swap of one object, {EACH} calls of each writer", columns, tuple(rows))


def _contend(what: str, store: CountingStore, scope: Scope, writers: int, delay_s: float) -> Row:
    act, kept = ACTS[what]
    together = threading.Barrier(writers)
    base = int(first_of(time.time()))
    calls = kept(store, scope)
    before = store.counts

    def write(writer: int) -> list[float]:
        mine = []
        together.wait()
        for number in range(EACH):
            began = time.perf_counter()
            act(store, scope, writer, str(base + number * 1_000 + writer))
            mine.append(1000 * (time.perf_counter() - began))
        return mine

    with ThreadPoolExecutor(writers) as pool:
        began = time.perf_counter()
        times = [one for mine in pool.map(write, range(writers)) for one in mine]
        seconds = time.perf_counter() - began
    asked = store.counts - before
    puts, refused = total(asked, "PUT"), total(asked, "refused PUT")
    lost = max(0, len(times) - (kept(store, scope) - calls))
    return Row(
        what,
        writers,
        1000 * delay_s,
        len(times) / seconds,
        median(times),
        p95(times),
        puts / max(1, puts - refused),
        lost,
        len(times),
    )


def _use(store: ObjectStore, scope: Scope, writer: int, interaction_id: str) -> None:
    """A question of one of many people of a server."""
    Limiter(store, factor=1e6).use(Actor(scope, str(writer + 1), is_manager=False), "ask", interaction_id)


def _used(store: CountingStore, scope: Scope) -> int:
    del scope
    return _written(store, "limits/all")


def _pay(store: ObjectStore, scope: Scope, writer: int, interaction_id: str) -> None:
    del writer
    ledger = Ledger(store, price=Price(1.0, 1.0))
    ledger.record(scope, interaction_id, ChatReply("", "model", ChatUsage(1_000_000, 0), truncated=False))


def _paid(store: CountingStore, scope: Scope) -> int:
    return round(month_cost(store, scope, time.time()).usd)


def _choose(store: ObjectStore, scope: Scope, writer: int, interaction_id: str) -> None:
    del writer, interaction_id

    def change(settings: ScopeSettings) -> ScopeSettings:
        return msgspec.structs.replace(settings, voice_transcript_days=settings.voice_transcript_days + 1)

    with contextlib.suppress(StoreUnavailable):
        change_settings(store, scope, change)


def _chosen(store: CountingStore, scope: Scope) -> int:
    return scope_settings(store, scope).voice_transcript_days


def _say(store: ObjectStore, scope: Scope, writer: int, interaction_id: str) -> None:
    turn = Turn(id=interaction_id, question="Where?", answer="There.", topic="Where?", at=time.time())
    remember(store, Place(scope, "1", str(writer + 1), private=False), turn, time.time())


def _said(store: CountingStore, scope: Scope) -> int:
    del scope
    return _written(store, "conversations")


def _written(store: CountingStore, folder: str) -> int:
    """How often an object of this folder was written."""
    here = {asked: count for asked, count in store.counts.items() if asked.folder == folder}
    return total(Counter(here), "PUT") - total(Counter(here), "refused PUT")


ACTS: Final[Mapping[str, tuple[_Act, Callable[[CountingStore, Scope], int]]]] = {
    "limits of a server": (_use, _used),
    "costs of a server": (_pay, _paid),
    "settings of a server": (_choose, _chosen),
    "conversations, each of a person": (_say, _said),
}
"""What a writer does once, under an interaction's id; and how often it has come about."""
