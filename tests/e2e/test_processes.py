"""The commands that people type in a terminal: the server, the worker, the playground, the registration."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from interactions.registry import registry
from playground.server import Playground

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import AwsServer, S3Server

ROOT = Path(__file__).parents[2]
FAQ = Path(__file__).parent / "faq.csv"
KEPT = ("PATH", "HOME", "LANG", "NO_PROXY", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")


def environment(**more: str) -> dict[str, str]:
    """Nothing of the developer's own settings, but what measures coverage."""
    kept = {name: value for name, value in os.environ.items() if name in KEPT}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Served:
    """A running `python -m interactions`."""

    def __init__(self, folder: Path, port: int, environ: dict[str, str]) -> None:
        self.folder = folder
        self.port = port
        self.environ = environ

    def type(self, *arguments: str) -> str:
        """Type a command into the playground; what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "playground", *arguments],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, (done.stdout, done.stderr)
        return done.stdout

    def health(self) -> dict[str, object]:
        response = requests.get(f"http://127.0.0.1:{self.port}/healthz", timeout=10)
        return {"status": response.status_code, **response.json()}

    def log(self) -> list[dict[str, object]]:
        text = (self.folder / "log.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]


@contextmanager
def process(
    folder: Path, environ: dict[str, str], *arguments: str, says: str = ""
) -> Iterator[subprocess.Popen[str]]:
    """A process of ours, ready, and stopped with SIGINT, which it must obey in order."""
    with (folder / "log.jsonl").open("a") as log:
        running = subprocess.Popen(
            [sys.executable, "-m", *arguments], cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        assert running.stdout is not None
        if says:
            line = running.stdout.readline()
            assert says in line, (line, (folder / "log.jsonl").read_text()[-2000:])
        yield running
        assert running.poll() is None
        running.send_signal(signal.SIGINT)
        assert running.wait(40) == 0
    finally:
        if running.poll() is None:
            running.kill()
            running.wait()
        if running.stdout is not None:
            running.stdout.close()


@contextmanager
def served(folder: Path, *more: str, **settings: str) -> Iterator[Served]:
    port = free_port()
    environ = environment(PORT=str(port), **settings)
    with process(folder, environ, "interactions", *more, says=f"http://127.0.0.1:{port}"):
        yield Served(folder, port, environ)


def message_id(printed: str) -> str:
    return printed.splitlines()[-1].split()[-1]


def test_from_nothing_to_a_corrected_answer_that_survives_a_restart(tmp_path: Path) -> None:
    reworded = "/ask prompt:I forgot my password, what can I do?"
    with served(tmp_path) as bot:
        assert bot.health()["status"] == 200
        assert bot.health()["discord"] == "playground"
        assert "I answer from what people here teach me." in bot.type("/hi")
        assert "I learned 31 new things" in bot.type(f"/train file:@{FAQ}")
        answer = bot.type(reworded)
        assert "press “Forgot password”" in answer
        assert "-# Source: faq.csv, row 2" in answer
        corrected = bot.type(f"/correct message_id:{message_id(answer)} correction:Ask Mira in the office.")
        assert "From now on" in corrected
        assert bot.type(reworded).startswith("Ask Mira in the office.")
    with served(tmp_path) as bot:
        assert bot.type(reworded).startswith("Ask Mira in the office.")
        assert bot.type("/ask prompt:When is the tournament?").startswith("Every Saturday")
        log = bot.log()
    assert any(entry.get("interaction_id") and entry["message"] == "published" for entry in log)
    assert "Mira" not in json.dumps(log)
    assert "forgot my password" not in json.dumps(log)


def test_http_and_worker_apart_with_s3_and_sqs(
    tmp_path: Path, seaweedfs_server: S3Server, ministack_server: AwsServer
) -> None:
    """SeaweedFS holds what is taught, ministack the jobs, and endpoint and worker are two processes."""
    s3 = seaweedfs_server.client("s3")
    sqs = ministack_server.client("sqs")
    bucket, queue = f"bot-{time.time_ns()}", f"jobs-{time.time_ns()}"
    s3.create_bucket(Bucket=bucket)
    dead = sqs.create_queue(QueueName=f"{queue}-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 20})
    url = sqs.create_queue(QueueName=queue, Attributes={"RedrivePolicy": policy})["QueueUrl"]
    settings = {
        "TRAINGER_STORE": f"s3://{bucket}/trainger",
        "TRAINGER_QUEUE": url.replace("localhost", "127.0.0.1"),
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": seaweedfs_server.access_key,
        "AWS_SECRET_ACCESS_KEY": seaweedfs_server.secret_key,
        "AWS_ENDPOINT_URL_S3": seaweedfs_server.endpoint_url,
        "AWS_ENDPOINT_URL_SQS": ministack_server.endpoint_url,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    hacked = "/ask prompt:what if my account gets hacked?"
    with (
        served(tmp_path, "--no-worker", **settings) as bot,
        process(tmp_path, bot.environ, "interactions.worker"),
    ):
        assert bot.health()["status"] == 200
        assert "I learned 31 new things" in bot.type(f"/train file:@{FAQ}")
        answer = bot.type(hacked)
        assert "Open a ticket in #support" in answer
        bot.type(f"/correct message_id:{message_id(answer)} correction:Call the guards.")
        assert bot.type(hacked).startswith("Call the guards.")
    assert not (tmp_path / "data" / "store").exists()
    kept = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert any("/corrections/" in key for key in kept)
    s3.close()
    sqs.close()


def run(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run(tmp_path, "-m", "interactions", "--port", port)
    assert done.returncode == 2
    assert f"port {port}" in done.stderr


@pytest.mark.parametrize("module", ["interactions", "interactions.worker"])
def test_a_setting_that_cannot_be_is_told(tmp_path: Path, module: str) -> None:
    done = run(tmp_path, "-m", module, TRAINGER_STORE="ftp://x")
    assert done.returncode == 2
    assert "TRAINGER_STORE" in done.stderr


def test_without_any_discord_it_says_what_to_do(tmp_path: Path) -> None:
    done = run(tmp_path, "-m", "interactions", "--no-playground", "--port", "0")
    assert done.returncode == 2
    assert "make run" in done.stderr


def test_commands_are_registered_compared_and_left_alone(tmp_path: Path) -> None:
    script = str(ROOT / "register_commands.py")
    with Playground() as discord:
        guild = discord.world.guild.id
        settings = discord.environment()
        before = len(discord.requests)
        count = len(registry().definitions())
        steps = [
            ([], 0, f"Registered {count} commands for all servers."),
            ([], 0, "nothing to write"),
            (["--check"], 0, "nothing to write"),
            (["--guild", guild, "--check"], 1, f"{count} of {count} commands differ"),
            (["--guild", guild, "--dry-run"], 0, "+ /ask"),
            (["--guild", guild], 0, f"Registered {count} commands for server"),
            (["--guild", guild, "--check"], 0, "nothing to write"),
        ]
        for arguments, code, said in steps:
            done = run(tmp_path, script, *arguments, **settings)
            assert (done.returncode, said in done.stdout) == (code, True), (arguments, done.stdout, done.stderr)
        writes = [request.path for request in discord.requests[before:] if request.method == "PUT"]
        assert [path.count("guilds") for path in writes] == [0, 1]
        discord.faults.add(path="/commands", status=401, times=None)
        done = run(tmp_path, script, "--check", **settings)
        assert done.returncode == 2
        assert settings["DISCORD_TOKEN"] not in done.stderr


def test_registering_needs_credentials(tmp_path: Path) -> None:
    done = run(tmp_path, str(ROOT / "register_commands.py"))
    assert done.returncode == 2
    assert "DISCORD_TOKEN" in done.stderr
