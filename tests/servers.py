"""Real S3 and SQS servers on loopback, for the contract suites: SeaweedFS, ministack and moto's server.

Each is a context manager: it yields when the server answers, and the server and all of its children are gone when
the block ends. They listen on 127.0.0.1 alone, on ports that were free, and keep nothing.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

LOOPBACK: Final = "127.0.0.1"
START_DEADLINE_S: Final = 60.0
"""Starting takes a second; a machine whose cores are all taken needs many times that."""
STOP_GRACE_S: Final = 3.0
"""Between SIGTERM and SIGKILL. Nothing is kept, so nothing is lost by the latter."""
START_ATTEMPTS: Final = 3
"""A port that was free may be taken by another process before the server listens on it."""

DIE_WITH_PARENT: Final = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG, of prctl(2); it outlives execv
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Run as a program with the server's command for arguments: tests that are killed clean nothing up themselves.

The kernel's "parent" is the thread that started the server, so that must live as long.
"""


@dataclass(frozen=True, slots=True)
class AwsServer:
    """A server that speaks AWS's protocols, and credentials that it takes."""

    endpoint_url: str
    access_key: str = "trainger-test"
    secret_key: str = "trainger-test-secret"
    region: str = "us-east-1"

    def environment(self) -> dict[str, str]:
        """The variables by which boto3 in another process finds this server."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
        }

    def client(self, service: Literal["s3", "sqs"]) -> Any:
        """A client of boto3."""
        import boto3

        return boto3.client(
            service,
            endpoint_url=self.endpoint_url,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name=self.region,
        )


class S3Server(AwsServer):
    """A server that speaks S3 alone."""

    __slots__ = ()


class ServerDidNotStart(Exception):
    """The server ended or stayed silent; the message holds the end of what it printed."""


@contextmanager
def seaweedfs(directory: Path) -> Iterator[S3Server]:
    """SeaweedFS, a real S3 store that checks signatures, with its data in `directory`."""
    data = directory / "seaweedfs"
    data.mkdir(parents=True, exist_ok=True)
    credentials = {"accessKey": S3Server("").access_key, "secretKey": S3Server("").secret_key}
    config = directory / "seaweedfs-s3.json"
    config.write_text(
        json.dumps({"identities": [{"name": "test", "credentials": [credentials], "actions": ["Admin"]}]})
    )
    parts = ("s3", "master", "volume", "filer", "admin")

    def command(ports: Sequence[int], scratch: Path) -> list[str]:
        listening = [
            flag
            for part, http_port, grpc_port in zip(parts, ports[:5], ports[5:], strict=True)
            for flag in (f"-{part}.port={http_port}", f"-{part}.port.grpc={grpc_port}")
        ]
        return [
            *(_executable("weed"), "mini", f"-dir={data}", f"-ip={LOOPBACK}", f"-ip.bind={LOOPBACK}"),
            *(f"-s3.config={config}", "-s3.port.iceberg=0", "-s3.port.lance=0", *listening),
            *(f"-s3.localSocket={scratch}/s3.sock", f"-filer.localSocket={scratch}/filer.sock"),
            *("-master.telemetry=false", "-admin.ui=false", "-webdav=false"),
            *("-volume.preStopSeconds=0", "-master.volumeSizeLimitMB=64"),
        ]

    with _running(command, ports=10, health="/healthz") as port:
        server = S3Server(f"http://{LOOPBACK}:{port}")
        _await_writable(server)
        yield server


@contextmanager
def ministack() -> Iterator[AwsServer]:
    """ministack: S3, SQS, Lambda and more in memory. It checks signatures and the rights of roles."""
    root = AwsServer("")

    def command(ports: Sequence[int], scratch: Path) -> list[str]:
        return [_executable("ministack")]

    def environment(port: int) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": root.access_key,
            "AWS_SECRET_ACCESS_KEY": root.secret_key,
            "AUTH": "true",
            "BIND_HOST": LOOPBACK,
            "GATEWAY_PORT": str(port),
            "MINISTACK_HOST": LOOPBACK,
        }

    with _running(command, ports=1, health="/_ministack/health", environment=environment) as port:
        yield AwsServer(f"http://{LOOPBACK}:{port}")


@contextmanager
def moto() -> Iterator[AwsServer]:
    """moto's server: a second SQS. It checks no credentials."""

    def command(ports: Sequence[int], scratch: Path) -> list[str]:
        return [_executable("moto_server"), "-H", LOOPBACK, "-p", str(ports[0])]

    with _running(command, ports=1, health="/moto-api/data.json") as port:
        yield AwsServer(f"http://{LOOPBACK}:{port}")


def free_ports(count: int) -> list[int]:
    """TCP ports on loopback that nobody listens on now."""
    with contextlib.ExitStack() as open_together:
        sockets = [open_together.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]


@contextmanager
def _running(
    command: Callable[[Sequence[int], Path], Sequence[str]],
    *,
    ports: int,
    health: str,
    environment: Callable[[int], dict[str, str]] = lambda _port: {},
) -> Iterator[int]:
    """Run a server until the block ends; yields the first of its ports once `health` answers 200 there."""
    for attempt in range(1, START_ATTEMPTS + 1):
        with contextlib.ExitStack() as stack:
            # Short, because a Unix socket's path has at most 107 bytes; also its HOME, so it leaves nothing behind.
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="trg", ignore_cleanup_errors=True)))
            chosen = free_ports(ports)
            stack.callback(_remove_sockets, chosen)
            # The variables of this process stay here: AWS credentials, and coverage, which would slow the server.
            clean = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(scratch), "TMPDIR": str(scratch)}
            variables = clean | environment(chosen[0])
            process = stack.enter_context(_process(command(chosen, scratch), variables, scratch))
            try:
                _await_healthy(process, chosen[0], health, scratch / "log")
            except ServerDidNotStart:
                if attempt == START_ATTEMPTS:
                    raise
                continue
            yield chosen[0]
            return


@contextmanager
def _process(
    arguments: Sequence[str], environment: dict[str, str], scratch: Path
) -> Iterator[subprocess.Popen[bytes]]:
    with (scratch / "log").open("wb") as log:
        # A group of its own: Ctrl-C in the terminal reaches the tests alone, and stopping reaches the children too.
        process = subprocess.Popen(
            [sys.executable, "-c", DIE_WITH_PARENT, *arguments],
            cwd=scratch,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server and whatever it started, and reap it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_GRACE_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _remove_sockets(ports: Sequence[int]) -> None:
    """SeaweedFS leaves Unix sockets behind, at places that no flag moves."""
    for port in ports:
        for path in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
            path.unlink(missing_ok=True)


def _await_healthy(process: subprocess.Popen[bytes], port: int, path: str, log: Path) -> None:
    deadline = time.monotonic() + START_DEADLINE_S
    while process.poll() is None and time.monotonic() < deadline:
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.05)
    end = log.read_bytes()[-2000:].decode(errors="replace")
    raise ServerDidNotStart(f"exit status {process.poll()}; it printed: {end}")


def _await_writable(server: S3Server) -> None:
    """SeaweedFS answers a little before it has a volume to write to."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    deadline = time.monotonic() + START_DEADLINE_S
    session = boto3.session.Session(server.access_key, server.secret_key, region_name=server.region)
    client = session.client("s3", endpoint_url=server.endpoint_url)
    with contextlib.closing(client):
        while True:
            try:
                client.create_bucket(Bucket="ready")
                client.put_object(Bucket="ready", Key="ready", Body=b"ready")
                client.delete_object(Bucket="ready", Key="ready")
                client.delete_bucket(Bucket="ready")
            except (BotoCoreError, ClientError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return


def _executable(name: str) -> str:
    """The program that a development package installed beside this Python."""
    return str(Path(sys.executable).parent / name)
