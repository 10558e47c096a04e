"""What it takes to make a server's index anew, to look for what is new, and to list what lies in a folder.

The store is SeaweedFS on loopback. Examples come one by one, as people type them (a record and a journal entry each),
or in files (an object for 5,000 of them). How much of it a million would take is computed from the largest that is
measured, in proportion; the number of requests is exact.
"""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from statistics import median
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from bench.report import Table
from bench.scale_scopes import BUCKET
from bench.store_requests import CountingStore, total
from trainer.adapters.file_store import FileStore
from trainer.adapters.s3_store import S3Store
from trainer.batches import Batch, Origin, Report
from trainer.datasets import DEFAULT_DATASET, DatasetKeys
from trainer.importers import Example, Place
from trainer.index_folder import size_of
from trainer.library import Library
from trainer.retention import sweep
from trainer.scope import Scope
from trainer.snowflakes import first_of
from trainer.training import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

    from trainer.ports import ObjectStore

T = TypeVar("T")

TYPED: Final = (500, 2_000)
FILED: Final = (50_000, 200_000)
LISTED: Final = (1_000, 20_000)
SWEPT: Final = (0, 1_000, 5_000)
MILLION: Final = 1_000_000
APART_MS: Final = 3_000
"""Between two lines that are taught: 1,200 an hour, which is all that a server may."""
FILE_MOST: Final = 50_000
"""Examples of one file."""
REQUEST_S: Final = 0.03
"""What is assumed for a request to S3: "a few tens of milliseconds", as AWS puts it for small ones."""
SERVERS: Final = 1_000
BOUNDED: Final = 10
"""Servers with indexes of which not all have room."""
SEARCHES: Final = 30
_VERBS: Final = ("GET", "HEAD", "LIST", "PUT")


def measure(client: S3Client, folder: Path) -> tuple[Table, ...]:
    """All of it; takes some minutes."""
    scopes = (Scope("guild", str(number)) for number in count(700))
    made = (folder / f"cache-{number}" for number in count())
    typed = [_typed(client, next(scopes), next(made), examples) for examples in TYPED]
    filed = [_filed(folder / "files", next(scopes), next(made), examples) for examples in FILED]
    return (
        Table(
            "An index made anew, of examples that were typed one by one",
            ("examples", "requests", "s here", "s with 30 ms more a request", "looking again: requests", "ms"),
            (*typed, _in_proportion(typed[-1])),
        ),
        Table(
            "The same of files, in a folder on the disk, by words alone",
            ("examples", "requests", "s here", "MB on the disk", "search ms, median"),
            (*filed, _filed_in_proportion(filed[-1])),
        ),
        Table(
            "Listing a folder",
            ("objects", "pages", "s here", "ms a page"),
            tuple(_listed(client, next(scopes), objects) for objects in LISTED),
        ),
        Table(
            "One sweep of one server, by how many answers it keeps",
            ("answers", "GET, HEAD", "LIST"),
            tuple(_swept(folder / f"swept-{answers}", answers) for answers in SWEPT),
        ),
        Table(
            "One sweep of many servers, each with a few answers, with 30 ms more a request",
            ("servers", "GET, HEAD", "LIST", "s"),
            (_swept_servers(folder / "servers", SERVERS),),
        ),
        Table(
            "Indexes of ten servers on the disk, where the fourth part of them is allowed",
            ("MB without a bound", "MB with it", "indexes that stay"),
            (_bounded(folder / "bounded"),),
        ),
    )


def write_all(store: ObjectStore, objects: Iterable[tuple[str, bytes]]) -> None:
    """Write objects, some at a time."""
    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(lambda one: store.put(*one), objects):
            pass


def examples(first: int, number: int) -> list[Example]:
    """Examples that differ."""
    return [
        Example("pair", f"Where is room {n} of the castle?", f"In wing {n % 7}, on floor {n % 5}.", Place("row", n))
        for n in range(first, first + number)
    ]


def batch(batch_id: str, taught: list[Example], chunks: list[str]) -> bytes:
    """The record of one /train."""
    return msgspec.json.encode(
        Batch(
            id=batch_id,
            author="1",
            origin=Origin("text"),
            created_at=time.time(),
            report=Report(pairs=len(taught)),
            examples=taught,
            chunks=chunks,
        )
    )


def _typed(client: S3Client, scope: Scope, cache: Path, number: int) -> tuple[float, ...]:
    """Examples that were taught one by one, up to an hour ago."""
    store, keys = S3Store(BUCKET, client=client), DatasetKeys(scope, DEFAULT_DATASET)
    begin = time.time() - 3_600 - number * APART_MS / 1000

    def objects() -> Iterable[tuple[str, bytes]]:
        for at in range(number):
            moment = begin + at * APART_MS / 1000
            batch_id = str(first_of(moment))
            yield keys.batch(batch_id), batch(batch_id, examples(at, 1), [])
            yield keys.entry(int(moment * 1000), "batch", batch_id), b""

    write_all(store, objects())
    seconds, requests, again_s, again, _, _ = _read(store, scope, cache, number)
    remote_s, *_ = _read(store, scope, cache.with_name(f"{cache.name}-remote"), number, delay_s=REQUEST_S)
    return number, requests, seconds, remote_s, again, 1000 * again_s


def _filed(folder: Path, scope: Scope, cache: Path, number: int) -> tuple[float, ...]:
    """Examples of files of 50,000 each."""
    store, keys = FileStore(folder), DatasetKeys(scope, DEFAULT_DATASET)
    begin = time.time() - 86_400
    for file in range(number // FILE_MOST):
        batch_id = str(first_of(begin + 60 * file))
        chunks = [keys.chunk(batch_id, "bench", part) for part in range(FILE_MOST // CHUNK)]
        for part, key in enumerate(chunks):
            taught = examples(file * FILE_MOST + part * CHUNK, CHUNK)
            store.put(key, b"".join(msgspec.json.encode(example) + b"\n" for example in taught))
        store.put(keys.batch(batch_id), batch(batch_id, [], chunks))
        store.put(keys.entry(int((begin + 60 * file) * 1000), "batch", batch_id), b"")
    seconds, requests, _, _, size, search_s = _read(store, scope, cache, number)
    return number, requests, seconds, size / 1e6, 1000 * search_s


def _read(
    store: ObjectStore, scope: Scope, cache: Path, number: int, *, delay_s: float = 0.0
) -> tuple[float, int, float, int, int, float]:
    """Make an index and look again: seconds and requests of both, its bytes, and the seconds of a search."""
    counting = CountingStore(store, delay_s=delay_s)
    with contextlib.closing(Library(counting, cache)) as library:
        seconds, index = _timed(lambda: library.index(scope, DEFAULT_DATASET))
        if index.count().pairs != number:
            raise RuntimeError(f"{index.count().pairs} examples of {number} were read")
        requests = total(counting.counts, *_VERBS)
        again_s = median(_timed(lambda: library.index(scope, DEFAULT_DATASET))[0] for _ in range(5))
        again = (total(counting.counts, *_VERBS) - requests) // 5
        asked = [f"Which floor is room {n * number // SEARCHES} on, in the castle?" for n in range(SEARCHES)]
        search_s = median(_timed(partial(index.search, text))[0] for text in asked)
    size = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())
    return seconds, requests, again_s, again, size, search_s


def _listed(client: S3Client, scope: Scope, number: int) -> tuple[float, ...]:
    store = CountingStore(S3Store(BUCKET, client=client))
    prefix = f"{scope.prefix}/answers/"
    write_all(store, ((f"{prefix}{at:019}.json", b"{}") for at in range(number)))
    seconds, found = _timed(lambda: sum(1 for _ in store.list(prefix)))
    if found != number:
        raise RuntimeError(f"{found} objects of {number} were listed")
    pages = total(store.counts, "LIST")
    return number, pages, seconds, 1000 * seconds / pages


def _swept(folder: Path, answers: int) -> tuple[float, ...]:
    """A server that was asked so many questions in half a year; each has a message, every other one a vote."""
    files = FileStore(folder)
    ids = [first_of(time.time() - 86_400 * 170 * at / max(1, answers)) for at in range(answers)]
    files.put("g1/settings.json", b"{}")
    for number, one in enumerate(ids):
        files.put(f"g1/answers/{one}.json", b"{}")
        files.put(f"g1/messages/{one + 1}.json", b"{}")
        if number % 2:
            files.put(f"g1/votes/{one}/7.json", b"{}")
    store = CountingStore(files)
    sweep(store, time.time())
    return answers, total(store.counts, "GET", "HEAD"), total(store.counts, "LIST")


def _swept_servers(folder: Path, servers: int) -> tuple[float, ...]:
    """Servers that were asked something now and then."""
    files = FileStore(folder)
    write_all(
        files,
        (
            (f"g{server}/{kind}/{first_of(time.time() - 86_400 * days)}.json", b"{}")
            for server in range(1, servers + 1)
            for days in (3, 30, 150)
            for kind in ("answers", "messages")
        ),
    )
    store = CountingStore(files, delay_s=REQUEST_S)
    seconds, _ = _timed(lambda: sweep(store, time.time()))
    return servers, total(store.counts, "GET", "HEAD"), total(store.counts, "LIST"), seconds


def _bounded(folder: Path) -> tuple[float, ...]:
    """One server after the other is asked something, by a process that starts anew for each."""
    store = FileStore(folder / "store")
    scopes = [Scope("guild", str(number)) for number in range(1, BOUNDED + 1)]
    for scope in scopes:
        keys = DatasetKeys(scope, DEFAULT_DATASET)
        store.put(keys.batch("1"), batch("1", examples(0, 500), []))
        store.put(keys.entry(int(time.time() * 1000), "batch", "1"), b"")

    def ask(cache: Path, most: float) -> float:
        for scope in scopes:
            with contextlib.closing(Library(store, cache, cache_most=most)) as library:
                library.index(scope, DEFAULT_DATASET)
        return size_of(cache)

    every = ask(folder / "all", float("inf"))
    bounded = ask(folder / "bounded", every / 4)
    return every / 1e6, bounded / 1e6, len(list((folder / "bounded").glob("*/*/*.sqlite3")))


def _in_proportion(largest: tuple[float, ...]) -> tuple[float | str, ...]:
    times = MILLION / largest[0]
    _, requests, seconds, remote, again, again_ms = largest
    return "1,000,000, in proportion", requests * times, seconds * times, remote * times, again, again_ms


def _filed_in_proportion(largest: tuple[float, ...]) -> tuple[float | str, ...]:
    times = MILLION / largest[0]
    return "1,000,000, in proportion", *(value * times for value in largest[1:])


def _timed(act: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    done = act()
    return time.perf_counter() - began, done
