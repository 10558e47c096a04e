"""The search index's file: transactions, threads, processes, damage."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from trainer.index import Entry, ExampleIndex, IndexClosed, IndexDamaged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def entry(number: int, question: str) -> Entry:
    return Entry(f"{number}/0", "pair", question, f"answer {number}", "", number)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "examples.sqlite3"


@pytest.fixture
def index(path: Path) -> Iterator[ExampleIndex]:
    with closing(ExampleIndex(path)) as opened:
        yield opened


def answers(index: ExampleIndex, query: str) -> list[str]:
    return [hit.entry.answer for hit in index.search(query)]


# --- transactions -----------------------------------------------------------------------------------------------


def test_a_transaction_is_all_or_nothing(index: ExampleIndex) -> None:
    def half() -> None:
        with index.transaction():
            index.add([entry(1, "lost question")])
            index.set_mark("journal", "1")
            assert answers(index, "lost question") == ["answer 1"]
            raise LookupError

    with pytest.raises(LookupError):
        half()
    assert (index.count().pairs, index.get_mark("journal")) == (0, "")
    with index.transaction():
        index.add([entry(1, "kept question")])
        index.set_mark("journal", "1")
    assert (index.count().pairs, index.get_mark("journal")) == (1, "1")


def test_a_part_of_a_transaction_can_fail_alone(index: ExampleIndex) -> None:
    def inner() -> None:
        with index.transaction():
            index.add([entry(2, "second")])
            raise LookupError

    with index.transaction():
        index.add([entry(1, "first")])
        with pytest.raises(LookupError):
            inner()
    assert index.count().pairs == 1


def test_others_see_a_transaction_at_its_end(index: ExampleIndex, path: Path) -> None:
    with closing(ExampleIndex(path)) as other, ThreadPoolExecutor(1) as thread:
        with index.transaction():
            index.add([entry(1, "a question")])
            assert other.count().pairs == 0
            assert thread.submit(index.count).result(30).pairs == 0
        assert other.count().pairs == 1


def test_a_process_that_dies_half_way_leaves_nothing(path: Path) -> None:
    program = f"""
import os, pathlib
from trainer.index import Entry, ExampleIndex
index = ExampleIndex(pathlib.Path({str(path)!r}))
index.add([Entry("1/0", "pair", "first", "one", "", 1)])
with index.transaction():
    index.add(Entry(f"2/{{n}}", "pair", f"question {{n}}", "two", "", 2) for n in range(1200))
    os._exit(9)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False, cwd=os.getcwd()).returncode == 9  # noqa: PTH109
    with closing(ExampleIndex(path)) as index:
        assert index.count().pairs == 1
        assert not index.fresh
        assert index.add([entry(2, "second")]) == 1


def test_threads_add_remove_and_search_together(index: ExampleIndex) -> None:
    start = threading.Barrier(6)

    def write(worker: int) -> None:
        start.wait(30)
        for n in range(10):
            index.add([entry(worker * 100 + n, f"question of worker {worker} number {n}")])
        index.remove(f"{worker * 100}/")

    def read(_: int) -> None:
        start.wait(30)
        for n in range(20):
            assert all(hit.entry.question.startswith("question") for hit in index.search(f"question number {n}"))

    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(work, worker) for worker in range(3) for work in (write, read)]:
            done.result(60)
    assert index.count().pairs == 27
    assert len(index.search("question of worker", limit=100)) > 20


def _teach(path: Path, worker: int) -> None:
    with closing(ExampleIndex(path)) as index:
        for n in range(20):
            index.add([entry(n, f"shared question {n}"), entry(worker * 1_000 + n, f"own question {worker} {n}")])


def test_processes_share_a_file_even_from_its_first_moment(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_teach, args=(path, worker)) for worker in (1, 2, 3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    with closing(ExampleIndex(path)) as index:
        assert index.count().pairs == 80


# --- the file ---------------------------------------------------------------------------------------------------


def test_a_file_is_fresh_once(path: Path) -> None:
    with closing(ExampleIndex(path)) as index:
        assert index.fresh
    with closing(ExampleIndex(path)) as index:
        assert not index.fresh


@pytest.mark.parametrize("content", [b"", b"not a database" * 500, b"SQLite format 3\0" + b"\xff" * 5_000])
def test_what_is_no_index_is_started_anew(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with closing(ExampleIndex(path)) as index:
        assert index.fresh
        assert index.add([entry(1, "a question")]) == 1


@pytest.mark.parametrize("version", [0, 999])
def test_another_versions_file_is_started_anew(path: Path, version: int) -> None:
    with closing(ExampleIndex(path)) as index:
        index.add([entry(1, "a question")])
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {version}")
    with closing(ExampleIndex(path)) as index:
        assert index.fresh
        assert index.count().pairs == 0


def test_damage_found_later_is_told_and_mended(path: Path) -> None:
    with closing(ExampleIndex(path)) as index:
        index.add(entry(n, f"question number {n}") for n in range(300))
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))
    with closing(ExampleIndex(path)) as index:
        with pytest.raises(IndexDamaged):
            index.search("question number 7")
        assert index.get_mark("journal") == ""
        assert index.fresh
        assert index.add([entry(1, "a question")]) == 1
    path.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))
    with closing(ExampleIndex(path)) as index:
        with pytest.raises(IndexDamaged):
            index.add([entry(1, "a question")])
        assert index.add([entry(1, "a question")]) == 1


def test_deleting_the_file_while_it_is_used_empties_it(index: ExampleIndex, path: Path) -> None:
    index.add([entry(1, "a question")])
    index.set_mark("journal", "1")
    assert index.count().pairs == 1
    for one in path.parent.glob(f"{path.name}*"):
        one.unlink()
    assert index.get_mark("journal") == ""
    assert index.fresh
    assert index.add([entry(1, "a question")]) == 1
    assert answers(index, "a question") == ["answer 1"]


def test_of_what_was_removed_no_word_stays(index: ExampleIndex, path: Path) -> None:
    """The word is in the rows, in the full-text tables and in the log; and zeroed pages are not enough."""

    def files() -> bytes:
        return b"".join(one.read_bytes() for one in path.parent.iterdir())

    index.add(entry(number, f"zither question number {number}") for number in range(50))
    index.add([entry(100, "zzxylophone question")])
    assert not index.tidy()
    index.remove("100/")
    index.remove("nothing/")
    assert b"zzxylo" in files()
    assert index.tidy()
    assert b"zzxylo" not in files()
    assert b"zither" in files()
    assert not index.tidy()
    assert answers(index, "zither question number 7")[0] == "answer 7"
    assert index.count().pairs == 50


def test_while_somebody_reads_the_rest_is_tidied(index: ExampleIndex) -> None:
    index.add([entry(1, "zzxylophone question")])
    index.remove("1/")
    with index._file.reading() as db:
        assert db.execute("SELECT count(*) FROM entry").fetchone() == (0,)
        assert index.tidy()
    assert index.add([entry(2, "another")]) == 1


def test_a_closed_index_says_so(path: Path) -> None:
    index = ExampleIndex(path)
    index.add([entry(1, "a question")])
    index.close()
    index.close()
    with pytest.raises(IndexClosed):
        index.search("a question")
    with pytest.raises(IndexClosed):
        index.add([entry(2, "another")])


def test_closing_lets_a_reader_finish(path: Path) -> None:
    index = ExampleIndex(path)
    with index._file.reading() as db:
        index.close()
        assert db.execute("SELECT count(*) FROM entry").fetchone() == (0,)
    with pytest.raises(sqlite3.ProgrammingError):
        db.execute("SELECT 1")


def test_resting_disturbs_nobody_and_closes_the_rest(index: ExampleIndex, path: Path) -> None:
    held = path.with_name(f"{path.name}-shm")
    with index.transaction():
        index.add([entry(1, "first")])
        index.rest()
        index.add([entry(2, "second")])
    with index._file.reading() as db, ThreadPoolExecutor(1) as thread:
        assert db.execute("SELECT count(*) FROM entry").fetchone() == (2,)
        index.rest()
        assert thread.submit(index.add, [entry(3, "third")]).result(30) == 1
        assert db.execute("SELECT count(*) FROM entry").fetchone() == (2,)
    assert held.exists()
    index.rest()
    assert not held.exists(), "SQLite removes it with the last connection"
    index.rest()
    assert answers(index, "third") == ["answer 3"]
    index.close()
    index.rest()
    with pytest.raises(IndexClosed):
        index.count()


def test_errors_other_than_damage_are_passed_on(index: ExampleIndex) -> None:
    with pytest.raises(sqlite3.OperationalError), index._file.reading() as db:
        db.execute("SELECT nothing FROM nowhere")
    assert index.count().pairs == 0


def test_a_folder_in_its_place_is_no_damage(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(sqlite3.OperationalError):
        ExampleIndex(path)
