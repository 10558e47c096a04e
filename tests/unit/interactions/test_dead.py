"""Dead letters are listed without people's words, and repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from interactions import dead
from interactions.jobs import pack
from tests import interactions_made as made
from trainer.adapters.sqlite_queue import SqliteQueue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteQueue]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRAINGER_QUEUE", "sqlite:./queue.sqlite3")
    made_here = SqliteQueue(tmp_path / "queue.sqlite3")
    yield made_here
    made_here.close()


def bury(queue: SqliteQueue, body: bytes, reason: str) -> str:
    queue.send(body)
    (job,) = queue.lease(wait_s=5, visibility_s=30)
    queue.bury(job, reason=reason)
    return job.id


def test_none(queue: SqliteQueue, capsys: pytest.CaptureFixture[str]) -> None:
    assert dead.main([]) == 0
    assert capsys.readouterr().out == "There are no dead letters.\n"


def test_listing_and_repeating(queue: SqliteQueue, capsys: pytest.CaptureFixture[str]) -> None:
    interaction = made.slash("ask", {"prompt": "somebody's words"})
    job_id = bury(queue, pack(made.encode(interaction)), "ValueError 7KQ2MX")
    bury(queue, b"garbage", "MalformedJob")
    assert dead.main([]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{job_id}  20")
    assert first.endswith(f"ValueError 7KQ2MX  interaction {interaction['id']}")
    assert "words" not in first
    assert second.endswith("MalformedJob  no interaction")
    assert dead.main(["--redrive", job_id, "--redrive", "404"]) == 1
    printed = capsys.readouterr()
    assert printed.out == "1 of 2 will be done again.\n"
    assert printed.err == "There is no dead letter 404.\n"
    assert dead.main(["--redrive-all"]) == 0
    assert queue.depth() == (2, 0, 0, 0)


def test_what_cannot_be_done_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TRAINGER_QUEUE", "redis://x")
    assert dead.main([]) == 2
    assert "TRAINGER_QUEUE" in capsys.readouterr().err
