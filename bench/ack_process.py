"""What runs in the processes that bench/ack measures. Imports almost nothing before it tells that it is done.

`first` acknowledges one request in this fresh process; `steady` acknowledges many one after the other; `serve` does
it over HTTP. Each prints plain lines of numbers, in seconds. CPU time is user and system time of all threads.
"""

from __future__ import annotations

import os
import resource
import sys
import time

from bench.ack_requests import read
from bench.ack_shapes import APPS, SHAPES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.ack_requests import Request

WARM_UP = 20
"""Requests before the clock starts."""
THREADS = 8
"""As the product serves."""


def first(shape: str, path: str) -> None:
    """Acknowledge a file's first request; prints the CPU time that the process has taken since it began."""
    request = read(path)[0]
    _acknowledge_one(SHAPES[shape](), request)
    os.write(1, b"%f\n" % _cpu_s())


def steady(shape: str, path: str) -> None:
    """Acknowledge a file's requests in turn; prints wall and CPU time of those after the first twenty."""
    requests = read(path)
    acknowledge = SHAPES[shape]()
    for request in requests[:WARM_UP]:
        _acknowledge_one(acknowledge, request)
    wall, cpu = time.perf_counter(), _cpu_s()
    for request in requests[WARM_UP:]:
        _acknowledge_one(acknowledge, request)
    os.write(1, b"%f %f\n" % (time.perf_counter() - wall, _cpu_s() - cpu))


def serve(shape: str) -> None:
    """Serve through waitress; prints the port, then the CPU time so far for each line that comes in."""
    import threading

    import waitress

    server = waitress.create_server(APPS[shape](), host="127.0.0.1", port=0, threads=THREADS, ident=None)
    threading.Thread(target=server.run, daemon=True).start()
    os.write(1, b"%d\n" % int(server.effective_port))
    for _line in sys.stdin:
        os.write(1, b"%f\n" % _cpu_s())
    server.close()


def _acknowledge_one(acknowledge: Callable[[Request], tuple[int, bytes]], request: Request) -> None:
    status, body = acknowledge(request)
    if status != 200 or b'"type":5' not in body.replace(b" ", b""):
        raise SystemExit(f"not acknowledged: status {status}")


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
