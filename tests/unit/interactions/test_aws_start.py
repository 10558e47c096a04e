"""What a function imports until it has answered: each import is paid for at every cold start."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tests import interactions_made as made
from tests.unit.test_ack_path import FORBIDDEN, ROOT, forbidden_among
from trainer.adapters.sqlite_queue import SqliteQueue

if TYPE_CHECKING:
    from pathlib import Path

ALSO_FORBIDDEN: Final = ("flask", "werkzeug", "waitress", "interactions.performing", "interactions.app")
START: Final = """
import json, sys

import interactions.aws

by_then = sorted(sys.modules)
answered = interactions.aws.ack(json.load(sys.stdin), None)
json.dump({"answered": answered, "started": by_then, "modules": sorted(sys.modules)}, sys.stdout)
"""


class Answered(NamedTuple):
    """What a fresh process answered, and what it had imported when it had started, and then."""

    answered: dict[str, Any]
    started: list[str]
    modules: list[str]


def start(event: made.Json, folder: Path) -> Answered:
    """Answer a request in a process that starts as Lambda starts `ack`."""
    variables = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "_HANDLER": "interactions.aws.ack",
        "DISCORD_PUBLIC_KEY": made.KEY.verify_key.encode().hex(),
        "DISCORD_APPLICATION_ID": made.APPLICATION,
        "TRAINGER_STORE": "s3://a-bucket",
        "TRAINGER_QUEUE": f"sqlite:{folder}/queue.sqlite3",
    }
    command = [sys.executable, "-c", START]
    given = json.dumps(event).encode()
    ran = subprocess.run(
        command, input=given, env=variables, cwd=folder, capture_output=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr.decode(errors="replace")
    return Answered(**json.loads(ran.stdout))


def event_of(interaction: made.Json) -> made.Json:
    body, signature, timestamp = made.signed(made.encode(interaction))
    return {
        "rawPath": "/interactions",
        "requestContext": {"http": {"method": "POST"}},
        "headers": {"x-signature-ed25519": signature, "x-signature-timestamp": timestamp},
        "body": body.decode(),
    }


def test_acknowledging_imports_little_and_nothing_after_the_start(tmp_path: Path) -> None:
    interaction = made.slash("ask", {"prompt": "How do I reset my password?"})

    answered = start(event_of(interaction), tmp_path)

    assert json.loads(answered.answered["body"])["type"] == 5
    assert forbidden_among(answered.modules) == []
    assert [name for name in answered.modules if name in ALSO_FORBIDDEN] == []
    # All that is ours was there before Discord had to wait for it.
    late = set(answered.modules) - set(answered.started)
    assert {name for name in late if name.startswith(("interactions", "trainer", "nacl", "msgspec"))} == set()
    with contextlib.closing(SqliteQueue(tmp_path / "queue.sqlite3")) as queue:
        (job,) = queue.lease(wait_s=0, visibility_s=60, limit=2)
    assert interaction["id"] in job.body.decode()


def test_what_is_forbidden_is_what_the_web_app_does_without_as_well() -> None:
    assert {"boto3", "openai", "pydub", "gtts", "numpy"} <= set(FORBIDDEN)
