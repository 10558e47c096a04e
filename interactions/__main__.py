"""`python -m interactions`: the HTTP endpoint and a worker in one process, and a playground without credentials."""

from __future__ import annotations

import argparse
import http.client
import logging
import os
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING, Final

import msgspec

from interactions import local
from interactions.serving import make_server
from interactions.wiring import configured, make_http, make_metrics, make_worker
from trainer import bootstrap, logs, watchdog
from trainer.configuration import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainer.configuration import Configuration

HTTP_THREADS: Final = 8
ANSWER_S: Final = 5.0
"""What the server may take to answer itself."""

log = logging.getLogger("interactions")


def parse(arguments: Sequence[str] | None, port: int) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m interactions", description="Serves Trainger.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=port, help="port to listen on (default: %(default)s)")
    parser.add_argument("--no-worker", action="store_true", help="only acknowledge; jobs wait for a worker")
    parser.add_argument("--no-playground", action="store_true", help="start no local Discord")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal stops it."""
    try:
        configuration = bootstrap.configure()
        options = parse(arguments, configuration.port)
        logs.set_up(configuration.log_level)
        # Before the playground is started: a second server must not disturb the first one's.
        with listen(options.host, options.port) as listener:
            options.port = listener.getsockname()[1]
            if configuration.has_credentials or options.no_playground:
                return serve(configured(), options, listener)
            with local.playground(f"http://{_reachable(options.host)}:{options.port}/interactions") as url:
                return serve(configured(), options, listener, playground_url=url)
    except (ConfigurationError, local.PlaygroundFailed) as error:
        print(f"trainger: {error}", file=sys.stderr)
        return 2


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises `ConfigurationError`."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise ConfigurationError(f"port {port} on {host}: {error.strerror or error}") from None


def serve(
    configuration: Configuration, options: argparse.Namespace, listener: socket.socket, *, playground_url: str = ""
) -> int:
    """The HTTP door and, unless told otherwise, a worker, until SIGINT or SIGTERM."""
    configuration = msgspec.structs.replace(configuration, port=options.port)
    metrics = make_metrics(configuration)
    app = make_http(configuration, playground_url=playground_url, metrics=metrics)
    server = make_server(app, listener, threads=HTTP_THREADS)
    worker, close = (None, None) if options.no_worker else make_worker(configuration, metrics=metrics)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    listening = threading.Thread(target=server.run, name="http", daemon=True)
    listening.start()
    if worker is not None:
        worker.start()
    if playground_url:
        local.register_commands(configuration)
    _greet(options, playground_url)
    host = _reachable(options.host).strip("[]")
    watchdog.attend(stop, lambda: (worker is None or worker.works()) and _answers(host, options.port))
    server.close()
    finished = worker is None or worker.stop()
    if close is not None and finished:
        close()
    log.info("stopped", extra={"finished": finished})
    if not finished:
        # A thread still runs a job that was given back: it must not go on beside whoever takes it over.
        sys.stderr.flush()
        os._exit(0)
    return 0


def _answers(host: str, port: int) -> bool:
    """Whether the server answers: a process may live while all its threads hang. Asks for nothing but a greeting."""
    connection = http.client.HTTPConnection(host, port, timeout=ANSWER_S)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < http.client.INTERNAL_SERVER_ERROR
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _reachable(host: str) -> str:
    """The address under which a playground on this machine reaches a server that listens there."""
    if host in {"", "0.0.0.0", "::"}:  # noqa: S104 - compared with, not bound to
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _greet(options: argparse.Namespace, playground_url: str) -> None:
    log.info("serving", extra={"host": options.host, "port": options.port, "worker": not options.no_worker})
    print(f"Trainger is on http://{options.host}:{options.port}", flush=True)
    if playground_url:
        print(f"The playground, a Discord of your own, is on {playground_url}", flush=True)
        print("Try:  .venv/bin/python -m playground '/hi'", flush=True)


if __name__ == "__main__":
    sys.exit(main())
