"""Starts the processes that bench/ack measures, each alone on one core, and puts load on those that serve."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from bench.ack_requests import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bench.ack_requests import Request

ROOT: Final = Path(__file__).parents[1]
WARM_UP_REQUESTS: Final = 40
"""Over HTTP, before the clock starts: every thread of the server has its connection to the queue by then."""
CLIENTS: Final = 8
PATIENCE_S: Final = 180.0
"""No measured process takes nearly as long; one that hangs is killed."""


class Cost(NamedTuple):
    """Seconds."""

    wall: float
    cpu: float
    """User and system time of the measured process."""


class Failed(Exception):
    """A measured process ended badly; the message holds the end of what it printed."""


class Children:
    """Starts measured processes with the first core for each of them, and the other cores for everybody else.

    Where the system cannot pin processes (macOS), they run wherever it puts them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._errors = folder / "stderr"
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        self._measured = set(cores[:1])
        self._others = set(cores[1:]) or self._measured

    @contextmanager
    def leave_a_core(self) -> Iterator[None]:
        """This process, and what it starts other than measured processes, stays off their core."""
        before = self._measured | self._others
        self._move(self._others)
        try:
            yield
        finally:
            self._move(before)

    def first(self, shape: str, path: Path, environment: Mapping[str, str]) -> Cost:
        """A fresh process up to its first acknowledgement: from its start to the line that tells of it."""
        started = time.perf_counter()
        with self._process("first", shape, str(path), environment=environment) as process:
            line = self._line(process)
            return Cost(time.perf_counter() - started, float(line))

    def steady(self, shape: str, path: Path, environment: Mapping[str, str]) -> Cost:
        """One acknowledgement after the other, in one thread."""
        with self._process("steady", shape, str(path), environment=environment) as process:
            wall, cpu = self._line(process).split()
            return Cost(float(wall), float(cpu))

    def served(self, shape: str, path: Path, environment: Mapping[str, str]) -> Cost:
        """Requests over HTTP from eight clients at once, whose connections stay open."""
        requests = read(str(path))
        with self._process("serve", shape, environment=environment) as process:
            port = int(self._line(process))
            with Clients(port) as clients:
                clients.send(requests[:WARM_UP_REQUESTS])
                cpu, wall = self._cpu(process), time.perf_counter()
                clients.send(requests[WARM_UP_REQUESTS:])
                return Cost(time.perf_counter() - wall, self._cpu(process) - cpu)

    @contextmanager
    def _process(self, *arguments: str, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
        code = "import sys; from bench import ack_process; getattr(ack_process, sys.argv[1])(*sys.argv[2:])"
        clean = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self._folder), "PYTHONPATH": str(ROOT)}
        with self._errors.open("wb") as errors:
            self._move(self._measured)  # the new process inherits it
            process = subprocess.Popen(
                [sys.executable, "-c", code, *arguments],
                cwd=self._folder,
                env=clean | dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
            self._move(self._others)
        watchdog = threading.Timer(PATIENCE_S, process.kill)
        watchdog.start()
        try:
            yield process
            process.communicate()  # closes its input, which ends a server
            if process.returncode:
                raise self._failure(process)
        finally:
            watchdog.cancel()
            process.kill()
            process.communicate()

    def _cpu(self, process: subprocess.Popen[bytes]) -> float:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
        return float(self._line(process))

    def _line(self, process: subprocess.Popen[bytes]) -> str:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            process.wait()
            raise self._failure(process)
        return line.decode()

    def _failure(self, process: subprocess.Popen[bytes]) -> Failed:
        printed = self._errors.read_bytes()[-2000:].decode(errors="replace")
        return Failed(f"exit status {process.returncode}; it printed: {printed}")

    @staticmethod
    def _move(cores: set[int]) -> None:
        if cores and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, cores)  # of this thread, and of what it starts


class Clients:
    """Eight clients of a server on loopback; a context manager."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._local = threading.local()
        self._connections: list[http.client.HTTPConnection] = []
        self._pool = ThreadPoolExecutor(CLIENTS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()
        for connection in self._connections:
            connection.close()

    def send(self, requests: list[Request]) -> None:
        """Send all of them, each once; raises `Failed` unless each is acknowledged."""
        for _ in self._pool.map(self._send, requests):
            pass

    def _send(self, request: Request) -> None:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
            self._connections.append(connection)
        signature, timestamp, body = request
        headers = {"X-Signature-Ed25519": signature, "X-Signature-Timestamp": timestamp}
        connection.request("POST", "/interactions", body, headers | {"Content-Type": "application/json"})
        response = connection.getresponse()
        response.read()
        if response.status != http.HTTPStatus.OK:
            raise Failed(f"HTTP status {response.status}")
