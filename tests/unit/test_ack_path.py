"""What the acknowledging path imports. Discord waits three seconds, and a fresh process pays for each import."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import boto3
import pytest

from tests import interactions_made as made
from trainer.adapters.sqlite_queue import SqliteQueue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.servers import AwsServer

ROOT: Final = Path(__file__).parents[2]
FORBIDDEN: Final = (
    "boto3",
    "botocore",
    "charset_normalizer",
    "gtts",
    "httpx",
    "httpx2",
    "ijson",
    "numpy",
    "openai",
    "playground",
    "pydub",
    "pypdf",
    "rapidfuzz",
    "requests",
    "s3transfer",
    "snowballstemmer",
    "tenacity",
    "trainer.answering",
    "trainer.importers",
    "trainer.index",
    "urllib3",
)
"""Neither these nor anything below them. Sending to SQS needs none of AWS's libraries where the environment has
credentials, as it has in a function."""

ACKNOWLEDGE: Final = """
import json, sys
from interactions.wiring import configured, make_http
from trainer import logs

body, signature, timestamp = sys.stdin.buffer.read(), *sys.argv[1:]
configuration = configured()
logs.set_up(configuration.log_level)
headers = {"X-Signature-Ed25519": signature, "X-Signature-Timestamp": timestamp, "Content-Type": "application/json"}
response = make_http(configuration).test_client().post("/interactions", data=body, headers=headers)
print(json.dumps({"status": response.status_code, "answer": response.get_json(), "modules": sorted(sys.modules)}))
"""


class Acknowledged(NamedTuple):
    """How a fresh process answered, and what it had imported by then."""

    status: int
    answer: dict[str, Any]
    modules: list[str]


def acknowledge(
    interaction: made.Json, environment: Mapping[str, str], folder: Path, *, first: str = ""
) -> Acknowledged:
    """Acknowledge an interaction through the Flask app in a fresh process, which runs the code `first` at first."""
    body, signature, timestamp = made.signed(made.encode(interaction))
    variables = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "DISCORD_PUBLIC_KEY": made.KEY.verify_key.encode().hex(),
        "DISCORD_APPLICATION_ID": made.APPLICATION,
        # Everything that is configured in production is configured: nothing may be imported for having been named.
        "DISCORD_TOKEN": "a-token",
        "OPENAI_API_KEY": "a-key",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
        "TRAINGER_STORE": "s3://a-bucket/a-prefix",
    }
    ran = subprocess.run(
        [sys.executable, "-c", first + ACKNOWLEDGE, signature, timestamp],
        input=body,
        env=variables | dict(environment),
        cwd=folder,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr.decode(errors="replace")
    return Acknowledged(**json.loads(ran.stdout))


def forbidden_among(modules: list[str]) -> list[str]:
    return [
        module for module in modules if any(module == name or module.startswith(f"{name}.") for name in FORBIDDEN)
    ]


def deferred() -> list[made.Json]:
    """A command of each kind that is answered later."""
    return [
        made.slash("ask", {"prompt": "How do I reset my password?"}),
        made.slash("train", {"text": "Q: How do I reset my password? A: With the link on the sign-in page."}),
        made.slash("correct", {"message_id": "777777777777777777", "correction": "With the link."}),
        made.slash("join"),
    ]


@pytest.mark.parametrize("interaction", deferred(), ids=lambda interaction: interaction["data"]["name"])
def test_acknowledging_with_the_sqlite_queue_imports_little(interaction: made.Json, tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite3"

    acknowledged = acknowledge(interaction, {"TRAINGER_QUEUE": f"sqlite:{path}"}, tmp_path)

    assert (acknowledged.status, acknowledged.answer["type"]) == (200, 5)
    with contextlib.closing(SqliteQueue(path)) as queue:
        (job,) = queue.lease(wait_s=0, visibility_s=60, limit=2)
    assert interaction["id"] in job.body.decode()
    assert forbidden_among(acknowledged.modules) == []
    assert "trainer.adapters.sqs_queue" not in acknowledged.modules


def test_acknowledging_with_sqs_imports_little(ministack_server: AwsServer, tmp_path: Path) -> None:
    session = boto3.session.Session(
        ministack_server.access_key, ministack_server.secret_key, region_name=ministack_server.region
    )
    interaction = deferred()[0]
    with contextlib.closing(session.client("sqs", endpoint_url=ministack_server.endpoint_url)) as sqs:
        url = sqs.create_queue(QueueName="the-acknowledging-path")["QueueUrl"]

        acknowledged = acknowledge(interaction, ministack_server.environment() | {"TRAINGER_QUEUE": url}, tmp_path)

        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=2, WaitTimeSeconds=5)["Messages"]
        sqs.delete_queue(QueueUrl=url)
    assert (acknowledged.status, acknowledged.answer["type"]) == (200, 5)
    (message,) = messages
    assert interaction["id"] in message["Body"]
    assert forbidden_among(acknowledged.modules) == []
    assert "trainer.adapters.sqlite_queue" not in acknowledged.modules


@pytest.mark.parametrize("module", ["openai", "boto3", "trainer.index"])
def test_an_import_too_many_is_seen(module: str, tmp_path: Path) -> None:
    environment = {"TRAINGER_QUEUE": f"sqlite:{tmp_path}/queue.sqlite3"}

    acknowledged = acknowledge(deferred()[0], environment, tmp_path, first=f"import {module}\n")

    assert acknowledged.status == 200
    assert module in forbidden_among(acknowledged.modules)
