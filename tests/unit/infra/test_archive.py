"""Compiled modules in archives that come out the same."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra import archive, packaging, trimming


def module(folder: Path) -> None:
    (folder / "room").mkdir(parents=True)
    (folder / "room" / "__init__.py").write_text("NAMES = {'b', 'a', 'c'}\ndef fail() -> None:\n    raise KeyError\n")
    (folder / "room" / "lib.so").write_bytes(b"library")


def test_the_same_files_make_the_same_archive(tmp_path: Path) -> None:
    made = []
    for name, moment in (("one", 10**9), ("two", 2 * 10**9)):
        folder = tmp_path / name / "package"
        module(folder)
        archive.compile_all(folder, Path(sys.executable))
        for path in folder.rglob("*"):
            os.utime(path, (moment, moment))
        archive.pack(folder, tmp_path / f"{name}.zip")
        made.append((tmp_path / f"{name}.zip").read_bytes())

    assert made[0] == made[1]


def test_compiled_modules_work_without_their_source(tmp_path: Path) -> None:
    module(tmp_path / "package")
    archive.compile_all(tmp_path / "package", Path(sys.executable))
    archive.pack(tmp_path / "package", tmp_path / "package.zip")

    with zipfile.ZipFile(tmp_path / "package.zip") as packed:
        assert packed.namelist() == ["room/__init__.pyc", "room/lib.so"]
        assert packed.getinfo("room/lib.so").external_attr >> 16 == 0o100755
        assert packed.getinfo("room/__init__.pyc").external_attr >> 16 == 0o100644
        # Unchecked: nothing is looked for beside it.
        assert packed.read("room/__init__.pyc")[4:8] == b"\x01\0\0\0"
    code = "import sys; sys.path.insert(0, sys.argv[1]); import room; room.fail()"
    ran = subprocess.run(
        [sys.executable, "-I", "-c", code, str(tmp_path / "package")], capture_output=True, text=True, check=False
    )
    assert 'File "/var/task/room/__init__.py", line 3, in fail' in ran.stderr


def test_a_module_that_does_not_compile_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("def\n")
    with pytest.raises(subprocess.CalledProcessError):
        archive.compile_all(tmp_path, Path(sys.executable))


def test_the_own_interpreter_is_found_and_one_that_is_not_there_is_named() -> None:
    own = ".".join(map(str, sys.version_info[:2]))
    assert archive.interpreter(own) == Path(sys.executable)
    with pytest.raises(archive.NoInterpreter, match=r"no Python 3\.99 here.*uv python install 3\.99"):
        archive.interpreter("3.99")


def test_a_package_that_is_too_large_is_told() -> None:
    built = packaging.Built(Path("ack-arm64.zip"), 8_100_000, 1_000_000, trimming.Trimmed(0, 0))

    assert packaging.complaints("ack", built) == ["ack: 8.1 MB zipped, at most 8.0 MB"]
    assert packaging.complaints("ack", built._replace(zipped=7_900_000)) == []


def test_work_leaves_a_tenth_of_lambdas_limit() -> None:
    assert packaging.PACKAGES["work"].unpacked_most <= 0.9 * packaging.UNPACKED_MOST
