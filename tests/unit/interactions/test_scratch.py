"""Temporary folders go with their block, or when their process is long dead."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from interactions.scratch import LEFT_OVER_S, PREFIX, remove_left_over, scratch

HOLD = """
import sys
from interactions.scratch import scratch
with scratch() as folder:
    (folder / "upload").write_bytes(b"words")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _own_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)


def later() -> float:
    return time.time() + LEFT_OVER_S + 5


def test_a_folder_ends_with_its_block(tmp_path: Path) -> None:
    with scratch() as folder:
        assert folder.parent == tmp_path
        (folder / "upload").write_bytes(b"words")
        assert remove_left_over(later()) == 0
        assert (folder / "upload").read_bytes() == b"words"
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(LookupError), scratch():
        raise LookupError
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_worker_left_goes(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stdout is not None
        folder = tmp_path / Path(worker.stdout.readline().strip()).name
        assert remove_left_over(later()) == 0
        worker.kill()
    assert (folder / "upload").read_bytes() == b"words"
    assert remove_left_over(time.time()) == 0
    assert remove_left_over(later()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_was_never_locked_goes_too(tmp_path: Path) -> None:
    (tmp_path / f"{PREFIX}x").mkdir()
    assert remove_left_over(later()) == 1
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_ours_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_bytes(b"x")
    (tmp_path / f"{PREFIX}link").symlink_to(elsewhere)
    (tmp_path / f"{PREFIX}file").write_bytes(b"x")
    (tmp_path / "trainger-bench-1").mkdir()
    assert remove_left_over(later()) == 0
    assert len(list(tmp_path.iterdir())) == 4
    (tmp_path / f"{PREFIX}theirs").mkdir()
    monkeypatch.setattr("os.getuid", lambda: tmp_path.stat().st_uid + 1)
    assert remove_left_over(later()) == 0


def test_where_there_is_nothing_nothing_happens(tmp_path: Path) -> None:
    assert remove_left_over(later(), root=tmp_path / "missing") == 0
