"""Dead letters are listed without people's words, and repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from interactions import dead, forgetting
from interactions.jobs import pack
from tests import interactions_made as made
from trainer import records
from trainer.adapters.file_store import FileStore
from trainer.adapters.sqlite_queue import SqliteQueue
from trainer.datasets import forgotten_key
from trainer.privacy import Forgotten
from trainer.scope import Scope

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


def test_deleting(queue: SqliteQueue, capsys: pytest.CaptureFixture[str]) -> None:
    job_id = bury(queue, b"garbage", "MalformedJob")
    assert dead.main(["--discard", job_id, "--discard", "404"]) == 1
    printed = capsys.readouterr()
    assert printed.out == "1 of 2 deleted.\n"
    assert printed.err == "There is no dead letter 404.\n"
    assert queue.depth() == (0, 0, 0, 0)


def test_those_of_forgotten_people_are_deleted(
    queue: SqliteQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRAINGER_STORE", f"file:{tmp_path / 'store'}")
    store = FileStore(tmp_path / "store")
    server = Scope("guild", made.GUILD)
    message = made.message(author=made.user(made.BOB, "Bob"))
    mine = made.slash("ask", {"prompt": "words"}, user_id=made.BOB)
    about_mine = made.menu("Train on this", message)
    others = made.slash("ask", {"prompt": "words"})
    elsewhere = made.direct(made.slash("ask", {"prompt": "words"}), made.BOB)
    pressed = made.snowflake()
    later = made.slash("ask", {"prompt": "words"}, user_id=made.BOB)
    nobody = {**made.slash("ask"), "member": None}
    given_up = (mine, about_mine, others, elsewhere, later, nobody)
    ids = [bury(queue, pack(made.encode(one)), "Boom") for one in given_up]
    garbage = bury(queue, b"garbage", "MalformedJob")
    assert dead.main(["--forgotten"]) == 0
    assert capsys.readouterr().out == "0 deleted.\n"
    note = Forgotten(user_id=made.BOB, interaction_id=pressed, at=0)
    records.save(store, forgotten_key(server, made.BOB), note)
    assert dead.main(["--forgotten"]) == 0
    assert capsys.readouterr().out == "2 deleted.\n"
    assert [letter.id for letter in queue.dead()] == [*ids[2:], garbage]


def test_of_very_many_the_oldest_are_looked_at(
    queue: SqliteQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(forgetting, "LOOKED_AT", 2)
    for _ in range(3):
        bury(queue, b"garbage", "MalformedJob")
    assert forgetting.drop_dead_letters(queue, FileStore(tmp_path / "store")) == 0
    assert "more dead letters than are looked at" in caplog.text


def test_what_cannot_be_done_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TRAINGER_QUEUE", "redis://x")
    assert dead.main([]) == 2
    assert "TRAINGER_QUEUE" in capsys.readouterr().err
