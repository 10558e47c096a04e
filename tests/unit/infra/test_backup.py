"""Backups: made while everything is in use, put back where nothing is, and refused where they would do harm."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra import backup
from tests.unit.infra.backups import KEYS, Site, create, members, restore
from trainer.adapters.file_store import FileStore
from trainer.configuration import Configuration
from trainer.ports import ObjectNotFound

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]


def test_what_is_put_back_is_what_was_there(site: Callable[[str], Site], tmp_path: Path) -> None:
    old, new = site("old"), site("new/deep")
    old.fill()
    for path in old.place.store.rglob("o.*"):
        os.utime(path, (1_000_000.5, 1_000_000.5))
    left = set(old.place.store.iterdir())

    data = create(old.place)
    manifest = restore(new.place, data)

    assert new.everything() == old.everything()
    assert {moment for _, _, moment in new.everything().values()} == {1_000_000.5}
    assert len(manifest.files) == len(KEYS) + 1
    assert new.queue.depth() == (1, 0, 0, 1)
    assert [job.body for job in new.queue.lease(wait_s=0, visibility_s=1)] == [b"second"]
    assert [(dead.body, dead.reason) for dead in new.queue.dead()] == [(b"first", "It failed")]
    assert set(old.place.store.iterdir()) == left
    assert not list(new.place.store.glob(f"{backup.PREFIX}*"))
    modes = {path.stat().st_mode & 0o077 for path in new.place.store.rglob("o.*")}
    assert modes == {0}


def test_the_queue_keeps_its_log(site: Callable[[str], Site], archive: bytes) -> None:
    new = site("new")
    restore(new.place, archive)
    assert new.place.queue is not None
    with sqlite3.connect(new.place.queue) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()


def test_a_stopped_queue_is_copied_too(site: Callable[[str], Site]) -> None:
    old, new = site("old"), site("new")
    old.fill()
    old.queue.close()
    restore(new.place, create(old.place))
    assert new.queue.depth() == (1, 0, 0, 1)


def test_while_others_write_nothing_refers_to_what_is_missing(site: Callable[[str], Site], tmp_path: Path) -> None:
    """Each pointer, replaced over and over, names an object that was written before it; each job its result."""
    old = site("old")
    stop = threading.Event()
    writers = [
        threading.Thread(target=_write, args=(FileStore(old.place.store), name, stop)) for name in ("a", "m", "z")
    ]
    workers = [threading.Thread(target=_work, args=(old, stop))]
    old.store.put("zz/first", b"")
    for thread in writers + workers:
        thread.start()
    try:
        archives = [create(old.place) for _ in range(5)]
    finally:
        stop.set()
        for thread in writers + workers:
            thread.join()
    for number, data in enumerate(archives):
        new = site(f"new-{number}")
        restore(new.place, data)
        for name in ("a", "m", "z"):
            try:
                pointed = new.store.get(f"{name}/pointer").data.decode()
            except ObjectNotFound:
                continue
            assert new.store.get(pointed).data == pointed.encode()
        assert new.queue.depth().dead == 0
        done = {info.key for info in new.store.list("done/")}
        waiting = {f"done/{job.body.decode()}" for job in new.queue.lease(wait_s=0, visibility_s=1, limit=10_000)}
        sent = sorted(int(key.removeprefix("done/")) for key in done | waiting)
        # What was sent before something that is there has either been done or still waits.
        assert sent == list(range(len(sent)))


def _write(store: FileStore, name: str, stop: threading.Event) -> None:
    """Objects on both sides of the pointer in a listing, so that each order of copying would be caught."""
    number = 0
    while not stop.is_set():
        number += 1
        key = f"{name}/{'aa' if number % 2 else 'zz'}/{number:06}"
        store.put(key, key.encode())
        store.put(f"{name}/pointer", key.encode())
        stop.wait(0.002)


def _work(site: Site, stop: threading.Event) -> None:
    number = 0
    while not stop.is_set():
        site.queue.send(str(number).encode())
        for job in site.queue.lease(wait_s=0, visibility_s=30):
            site.store.put(f"done/{job.body.decode()}", b"")
            site.queue.complete(job)
        number += 1
        stop.wait(0.002)


def test_what_comes_changes_and_goes_meanwhile(site: Callable[[str], Site], monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = site("old"), site("new")
    old.fill()
    real = os.link
    links: list[str] = []

    def link(source: str, target: Path) -> None:
        real(source, target)
        links.append(str(source))
        if len(links) == 1:
            # The first round is still under way.
            old.store.put("a/new", b"came")
            old.store.put("u2/a", b"changed")
            old.store.put("g1/settings.json", b"changed")

    monkeypatch.setattr(os, "link", link)
    real_moment = backup._moment

    def moment(folder: Path) -> int:
        now = real_moment(folder)
        later = time.monotonic() + 20
        while real_moment(folder) == now:  # the clock of file systems is coarse
            assert time.monotonic() < later
        old.store.put("too/late", b"late")
        old.store.put("u2/a/b", b"changed too late")
        old.store.delete("g1/examples/0001")
        return now

    monkeypatch.setattr(backup, "_moment", moment)
    restore(new.place, create(old.place))
    found = {key: data for key, (data, _, _) in new.everything().items()}
    assert set(found) == {*KEYS, "a/new"}
    assert (found["a/new"], found["u2/a"], found["g1/settings.json"]) == (b"came", b"changed", b"changed")
    assert found["u2/a/b"] == b"u2/a/b"


def test_what_takes_the_place_of_another_at_the_last_moment_is_not_copied(
    site: Callable[[str], Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would refer to what came when all that is copied had been found."""
    old, new = site("old"), site("new")
    old.fill()
    real_link, real_moment = os.link, backup._moment
    second: list[str] = []

    def link(source: str, target: Path) -> None:
        if second:
            old.store.put("a/late", b"late")
            old.store.put("g1/settings.json", b"a/late")
        real_link(source, target)

    def moment(folder: Path) -> int:
        old.store.put("g1/settings.json", b"u2/a")
        second.append("round")
        return real_moment(folder)

    monkeypatch.setattr(os, "link", link)
    monkeypatch.setattr(backup, "_moment", moment)
    restore(new.place, create(old.place))
    found = {key: data for key, (data, _, _) in new.everything().items()}
    assert found == {key: key.encode() for key in KEYS}
    assert old.store.get("g1/settings.json").data == b"a/late"


def test_objects_that_never_rest_do_not_keep_it(site: Callable[[str], Site], monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = site("old"), site("new")
    old.fill()
    real = os.link

    def link(source: str, target: Path) -> None:
        real(source, target)
        old.store.put("g1/settings.json", os.urandom(4))

    monkeypatch.setattr(os, "link", link)
    restore(new.place, create(old.place))
    assert set(new.everything()) == set(KEYS)
    assert not list(old.place.store.glob(f"{backup.PREFIX}*"))


def test_there_is_one_backup_at_a_time_and_left_overs_go(site: Callable[[str], Site]) -> None:
    old = site("old")
    old.fill()
    left = old.place.store / f"{backup.PREFIX}killed" / "objects"
    left.mkdir(parents=True)
    with backup._working_folder(old.place.store), pytest.raises(backup.Refused, match="another backup"):
        create(old.place)
    assert not left.exists()
    assert create(old.place)


@pytest.mark.parametrize("kept", ["store", "queue"])
def test_nothing_is_put_back_over_data(kept: str, site: Callable[[str], Site], archive: bytes) -> None:
    new = site("new")
    if kept == "store":
        new.store.put("mine", b"mine")
    else:
        new.queue.send(b"mine")
    with pytest.raises(backup.Refused, match=f"there is (data|a {kept})"):
        restore(new.place, archive)
    assert set(new.everything()) == ({"mine"} if kept == "store" else set())
    assert new.queue.depth().ready == (1 if kept == "queue" else 0)


def test_a_store_that_was_only_looked_at_is_no_data(site: Callable[[str], Site], archive: bytes) -> None:
    new = site("new")
    new.store.put("g/once", b"")
    new.store.delete("g/once")
    (new.place.store / "objects" / "d.empty" / "d.er").mkdir(parents=True)
    restore(new.place, archive)
    assert set(new.everything()) == set(KEYS)


def test_a_second_time_is_refused(site: Callable[[str], Site], archive: bytes) -> None:
    new = site("new")
    restore(new.place, archive)
    before = new.everything()
    with pytest.raises(backup.Refused, match="there is data"):
        restore(new.place, archive)
    assert new.everything() == before


def test_a_queue_that_is_elsewhere_is_not_ours(site: Callable[[str], Site], archive: bytes) -> None:
    old, new = site("old"), site("new")
    here = backup.Place(new.place.store, None)
    with pytest.raises(backup.Refused, match="TRAINGER_QUEUE"):
        restore(here, archive)
    restore(here, create(backup.Place(old.place.store, None)))
    assert set(new.everything()) == set(KEYS)


def test_a_broken_queue_is_told(site: Callable[[str], Site]) -> None:
    old = site("old")
    old.store.put("a", b"")
    assert old.place.queue is not None
    old.place.queue.write_bytes(b"SQLite format 3\0" + b"rubbish" * 1_000)
    with pytest.raises(backup.Refused, match="queue"):
        create(old.place)


def test_a_store_elsewhere_has_its_own_means() -> None:
    with pytest.raises(backup.Refused, match="aws s3 sync s3://bucket/prefix FOLDER"):
        backup.place(Configuration(store="s3://bucket/prefix"))
    assert backup.place(Configuration(queue="https://sqs.example/q")).queue is None


def test_where_there_is_nothing_there_is_nothing_to_copy(site: Callable[[str], Site]) -> None:
    with pytest.raises(backup.Refused, match="nothing"):
        create(site("empty").place)


def run(folder: Path, *arguments: str, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("TRAINGER_", "DISCORD_"))}
    return subprocess.run(
        [sys.executable, "-m", "infra.backup", *arguments],
        cwd=folder,
        env={**environ, "PYTHONPATH": str(ROOT)},
        input=given,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_by_the_command_line(site: Callable[[str], Site], tmp_path: Path) -> None:
    old, new = tmp_path / "old" / "data", tmp_path / "new" / "data"
    there = site("old/data")
    there.fill()
    made = run(old.parent, "create", str(tmp_path / "a.tar.gz"))
    assert made.returncode == 0, made.stderr
    assert b"5 objects and the queue copied, as of 20" in made.stderr
    assert (tmp_path / "a.tar.gz").stat().st_mode & 0o777 == 0o600
    again = run(old.parent, "create", str(tmp_path / "a.tar.gz"))
    assert (again.returncode, b"already" in again.stderr) == (1, True)
    piped = run(old.parent, "create", "-")
    assert members(piped.stdout).keys() == members((tmp_path / "a.tar.gz").read_bytes()).keys()
    new.parent.mkdir()
    assert run(new.parent, "restore", "-", given=piped.stdout[:200]).returncode == 1
    back = run(new.parent, "restore", "-", given=piped.stdout)
    assert (back.returncode, b"put back" in back.stderr) == (0, True)
    assert site("new/data").everything() == there.everything()
    over = run(new.parent, "restore", str(tmp_path / "a.tar.gz"))
    assert (over.returncode, b"there is data" in over.stderr) == (1, True)
    missing = run(new.parent, "restore", "nowhere.tar.gz")
    assert (missing.returncode, b"No such file" in missing.stderr) == (1, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar.gz", "new", "old"]
