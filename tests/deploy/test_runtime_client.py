"""The packages under AWS's own runtime interface client: with nothing but what is in them, as on Lambda."""

from __future__ import annotations

import contextlib
import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from infra import packaging
from playground.server import Playground
from tests import interactions_made as made
from tests.deploy import runtime_api
from tests.unit.interactions.test_aws_start import event_of
from trainer.adapters.sqlite_queue import SqliteQueue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("client")
    if not runtime_api.install_client(folder):
        pytest.skip("needs awslambdaric, which `make test-all` installs")
    return folder


@pytest.fixture(scope="session")
def unpacked(project: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The packages' folders."""
    folders = {}
    for name in packaging.PACKAGES:
        folders[name] = tmp_path_factory.mktemp(name)
        (archive,) = (project / "dist").glob(f"{name}-*.zip")
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folders[name])
    return folders


def environment(folder: Path) -> dict[str, str]:
    return {
        "DISCORD_PUBLIC_KEY": made.KEY.verify_key.encode().hex(),
        "DISCORD_APPLICATION_ID": made.APPLICATION,
        "TRAINGER_STORE": f"file:{folder}/store",
        "TRAINGER_QUEUE": f"sqlite:{folder}/queue.sqlite3",
        "TRAINGER_CACHE": f"{folder}/cache",
    }


@pytest.fixture
def playground() -> Iterator[Playground]:
    with Playground() as running:
        yield running


def test_acknowledging(unpacked: dict[str, Path], client: Path, tmp_path: Path) -> None:
    interaction = made.slash("ask", {"prompt": "Who?"})

    with runtime_api.running(unpacked["ack"], client, "interactions.aws.ack", environment(tmp_path)) as function:
        well, said, _ = function.call(event_of(interaction))
        refused = function.call({**event_of(interaction), "body": "{}"})

    assert well
    assert (said["statusCode"], json.loads(said["body"])["type"]) == (200, 5)
    assert refused.said["statusCode"] == 401
    with contextlib.closing(SqliteQueue(tmp_path / "queue.sqlite3")) as queue:
        assert queue.depth().ready == 1


def test_working(unpacked: dict[str, Path], client: Path, tmp_path: Path, playground: Playground) -> None:
    with contextlib.closing(SqliteQueue(tmp_path / "queue.sqlite3")) as queue:
        queue.send(b"poison")
        (job,) = queue.lease(wait_s=1, visibility_s=60)
        record = {"messageId": job.id, "receiptHandle": job.receipt, "body": "poison", "attributes": {}}
        variables = environment(tmp_path) | playground.environment()
        with runtime_api.running(unpacked["work"], client, "interactions.aws.work", variables) as function:
            well, said, _ = function.call({"Records": [record]})
            wrong = function.call({"Records": "none"})

        assert (well, said) == (True, {"batchItemFailures": []})
        assert [dead.reason for dead in queue.dead()] == ["MalformedJob"]
    # An error, so that the platform deletes nothing.
    assert not wrong.well
    assert wrong.said["errorType"] == "NotABatch"


def test_keeping_house(unpacked: dict[str, Path], client: Path, tmp_path: Path) -> None:
    with runtime_api.running(unpacked["work"], client, "interactions.aws.tick", environment(tmp_path)) as function:
        assert function.call({})[:2] == (True, None)


def test_a_function_that_is_not_configured_says_so(unpacked: dict[str, Path], client: Path, tmp_path: Path) -> None:
    variables = {**environment(tmp_path), "DISCORD_PUBLIC_KEY": "short"}
    with runtime_api.running(unpacked["ack"], client, "interactions.aws.ack", variables) as function:
        failed = function.call({})

    assert not failed.well
    assert "DISCORD_PUBLIC_KEY must be" in failed.said["errorMessage"]
