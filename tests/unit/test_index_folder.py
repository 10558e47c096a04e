"""Which indexes are deleted from a folder that holds too much, with other processes that have some of them open."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from trainer.index import ExampleIndex
from trainer.index_folder import Hold, shrink, size_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLDING = """
import sys
from pathlib import Path
from trainer.index import ExampleIndex
from trainer.index_folder import Hold
path = Path(sys.argv[1])
hold = Hold(path)
index = ExampleIndex(path)
print("held", flush=True)
sys.stdin.read()
"""


def make(folder: Path, name: str, used_at: float | None = None) -> Path:
    """An index that was last used at a moment; None for one of a version that did not note it."""
    path = folder / "store" / name / "dataset.sqlite3"
    path.parent.mkdir(parents=True)
    hold = Hold(path)
    ExampleIndex(path).close()
    hold.release()
    if used_at is None:
        path.with_name(f"{path.name}.used").unlink()
    else:
        os.utime(path.with_name(f"{path.name}.used"), (used_at, used_at))
    return path


@contextmanager
def held_elsewhere(path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_the_least_lately_used_go_first_and_no_more_than_must(tmp_path: Path) -> None:
    now = time.time()
    first, second, third = (make(tmp_path, name, now - age) for name, age in (("g1", 5), ("g2", 500), ("g3", 50)))
    size = size_of(tmp_path)
    each = first.stat().st_size
    assert size == 3 * each
    assert shrink(tmp_path, size) == 0
    assert shrink(tmp_path, size - 1) == 1
    assert [path.exists() for path in (first, second, third)] == [True, False, True]
    assert shrink(tmp_path, each) == 1
    assert [path.exists() for path in (first, second, third)] == [True, False, False]
    assert shrink(tmp_path, 0) == 1
    assert (shrink(tmp_path, 0), size_of(tmp_path)) == (0, 0)


def test_an_index_of_an_earlier_version_counts_by_when_it_was_written(tmp_path: Path) -> None:
    now = time.time()
    old, new = make(tmp_path, "g1"), make(tmp_path, "g2", now - 1000)
    os.utime(old, (now, now))
    assert shrink(tmp_path, size_of(tmp_path) - 1) == 1
    assert [path.exists() for path in (old, new)] == [True, False]
    os.utime(old, (now - 2000, now - 2000))
    assert shrink(tmp_path, 0) == 1


def test_touching_makes_an_index_the_last_to_go(tmp_path: Path) -> None:
    now = time.time()
    first, second = make(tmp_path, "g1", now - 1000), make(tmp_path, "g2", now - 500)
    hold = Hold(first)
    hold.touch()
    hold.release()
    shrink(tmp_path, size_of(tmp_path) - 1)
    assert [path.exists() for path in (first, second)] == [True, False]


def test_what_another_process_has_open_stays_until_it_ends(tmp_path: Path) -> None:
    now = time.time()
    path, other = make(tmp_path, "g1", now - 1000), make(tmp_path, "g2", now)
    with held_elsewhere(path):
        assert shrink(tmp_path, 0) == 1
        assert [one.exists() for one in (path, other)] == [True, False]
        with Held(path):
            pass
    assert shrink(tmp_path, 0) == 1
    assert not path.exists()


class Held:
    """A hold for a block."""

    def __init__(self, path: Path) -> None:
        self._hold = Hold(path)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self._hold.release()


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    make(tmp_path, "g1", 5)
    others = [tmp_path / "overlaid-x" / "index.sqlite3", tmp_path / "models" / "whisper" / "model.bin"]
    for path in others:
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x" * 100_000)
    size = size_of(tmp_path)
    assert shrink(tmp_path, 0) == 1
    assert size < 2_000_000
    assert all(path.exists() for path in others)


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert (size_of(tmp_path / "none"), shrink(tmp_path / "none", 0)) == (0, 0)
