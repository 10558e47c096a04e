"""Lambda's runtime API, and functions that run under AWS's own runtime interface client as they do there.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import queue
import shutil
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CLIENT: Final = ("awslambdaric", "snapshot-restore-py", "simplejson")
FUNCTION_S: Final = 900
ANSWER_S: Final = 120.0
START: Final = (
    "import sys; sys.path[:0] = sys.argv[1:3]; handler = sys.argv[3]; sys.argv = ['bootstrap', handler]\n"
    "import runpy; runpy.run_module('awslambdaric', run_name='__main__')"
)
"""No site-packages: what is not in the package is not there, as on Lambda."""


class Answer(NamedTuple):
    """What a function answered."""

    well: bool
    said: Any
    at: float
    """When, by the monotonic clock in seconds."""


class Function:
    """A running function."""

    def __init__(self) -> None:
        self.events: queue.Queue[bytes] = queue.Queue()
        self.answers: queue.Queue[Answer] = queue.Queue()
        self.started_at = 0.0
        """By the monotonic clock, in seconds."""
        self.ended = threading.Event()

    def call(self, event: object) -> Answer:
        """Hand it an event; its answer. The first one waits for the function to start."""
        self.events.put(json.dumps(event).encode())
        return self.answers.get(timeout=ANSWER_S)


def install_client(folder: Path) -> bool:
    """Copy the runtime interface client and what it needs into a folder; False if it is not installed."""
    for name in CLIENT:
        try:
            files = importlib.metadata.distribution(name).files or []
        except importlib.metadata.PackageNotFoundError:
            return False
        for file in files:
            source = Path(str(file.locate()))
            if source.is_file() and ".." not in file.parts:
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, folder / file)
    return True


@contextlib.contextmanager
def running(package: Path, client: Path, handler: str, environment: Mapping[str, str]) -> Iterator[Function]:
    """A function of an unpacked package, as a process of its own, until the block ends.

    Args:
        package: the folder that stands for /var/task.
        client: the folder of `install_client`.
        handler: such as `interactions.aws.ack`.
        environment: the function's variables, and no others.
    """
    function = Function()
    server = _Server(("127.0.0.1", 0), _api(function))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    variables = {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
        "AWS_LAMBDA_FUNCTION_NAME": "function",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "_HANDLER": handler,
        "LAMBDA_TASK_ROOT": str(package),
        "PATH": "/usr/bin:/bin",
        **environment,
    }
    function.started_at = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", START, str(package), str(client), handler], cwd=package, env=variables
    )
    try:
        yield function
    finally:
        process.kill()
        process.wait()
        function.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A function that is ended leaves its connection open."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type] # as the library calls it


def _api(function: Function) -> type[BaseHTTPRequestHandler]:
    class Api(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            event = None
            while event is None and not function.ended.is_set():
                with contextlib.suppress(queue.Empty):
                    event = function.events.get(timeout=0.1)
            if event is None:
                self.close_connection = True
                return
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
            deadline = int((time.time() + FUNCTION_S) * 1000)
            self.send_header("Lambda-Runtime-Deadline-Ms", str(deadline))
            # Lambda sends these always, and the client breaks without them.
            self.send_header("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0")
            self.send_header("Content-Type", "application/json")
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:1:function:function")
            self._end(event)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            at = time.monotonic()
            function.answers.put(Answer(self.path.endswith("/response"), json.loads(body), at))
            self.send_response(202)
            self._end(b"")

        def _end(self, body: bytes) -> None:
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the library's name
            pass

    return Api
