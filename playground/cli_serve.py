"""`python -m playground serve`: runs a playground until it is told to stop, or its parent is gone."""

from __future__ import annotations

import argparse
import errno
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playground.environment import DEFAULT_DIRECTORY, DEFAULT_PORT, environment_file
from playground.server import Playground

if TYPE_CHECKING:
    from collections.abc import Sequence

STOPPED: Final = 0
CANNOT: Final = 2
_ENDPOINT: Final = "http://127.0.0.1:8080/interactions"
_RECORDED: Final = 200
_WATCH_S: Final = 0.5


def parser() -> argparse.ArgumentParser:
    """The command line's options."""
    made = argparse.ArgumentParser(prog="python -m playground serve", description="Run a local Discord.")
    made.add_argument("--port", type=int, help=f"where to listen; {DEFAULT_PORT}, or a free port if that is taken")
    made.add_argument("--interactions-url", default=_ENDPOINT, help="where the application takes interactions")
    made.add_argument("--directory", type=Path, default=DEFAULT_DIRECTORY, help="where keys and ids are kept")
    made.add_argument("--ready-fd", type=int, help="write the line that says it is ready here instead of to stdout")
    made.add_argument("--parent-pid", type=int, help="stop when this process is not the parent any more")
    made.add_argument("--watch-stdin", action="store_true", help="stop when standard input ends")
    return made


def main(arguments: Sequence[str]) -> int:
    """Run; returns the exit code."""
    options = parser().parse_args(arguments)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        playground = _start(options)
    except (OSError, OverflowError, ValueError) as error:
        print(f"The playground cannot start: {error}", file=sys.stderr)
        return CANNOT
    try:
        if options.watch_stdin:
            threading.Thread(target=_watch_stdin, args=(stopping,), daemon=True).start()
        _say_ready(playground, options)
        while not stopping.wait(_WATCH_S):
            if options.parent_pid is not None and os.getppid() != options.parent_pid:
                break
    finally:
        playground.stop()
    return STOPPED


def _start(options: argparse.Namespace) -> Playground:
    port = DEFAULT_PORT if options.port is None else options.port
    try:
        return _playground(options, port).start()
    except OSError as error:
        if error.errno != errno.EADDRINUSE or options.port is not None:
            raise
    return _playground(options, 0).start()


def _playground(options: argparse.Namespace, port: int) -> Playground:
    url = options.interactions_url
    return Playground(port=port, interactions_url=url, directory=options.directory, recorded=_RECORDED)


def _say_ready(playground: Playground, options: argparse.Namespace) -> None:
    ready = {
        "url": playground.url,
        "environment_file": str(environment_file(options.directory)),
        "interactions_url": options.interactions_url,
    }
    line = json.dumps(ready) + "\n"
    if options.ready_fd is None:
        sys.stdout.write(line)
        sys.stdout.flush()
    else:
        with os.fdopen(options.ready_fd, "w") as file:
            file.write(line)


def _watch_stdin(stopping: threading.Event) -> None:
    """Standard input ends when the process that holds its other end is gone."""
    while os.read(0, 4096):
        pass
    stopping.set()
