"""Compiled modules, and ZIP archives that come out the same from the same files, whoever makes them and when."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

MOMENT: Final = (1980, 1, 1, 0, 0, 0)
"""ZIP's first moment, for every file."""
PLACE: Final = "/var/task"
"""Where Lambda unpacks a function: what tracebacks show."""
MODE: Final = 0o100644 << 16
MODE_LIBRARY: Final = 0o100755 << 16


class NoInterpreter(Exception):
    """There is no Python of the version that the function runs on."""


def interpreter(version: str) -> Path:
    """A Python of this version (`3.13`) on this machine, to compile for the function. Raises `NoInterpreter`."""
    if version == ".".join(map(str, sys.version_info[:2])):
        return Path(sys.executable)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    candidates = [shutil.which(f"python{version}"), *sorted(map(str, pyenv.glob(f"versions/{version}.*/bin/python")))]
    found = _run_uv("python", "find", "--no-python-downloads", version)
    for candidate in [found, *candidates]:
        if candidate and _version(candidate) == version:
            return Path(candidate)
    raise NoInterpreter(
        f"no Python {version} here, whose bytecode the function needs: `.venv/bin/uv python install {version}`"
    )


def compile_all(folder: Path, python: Path) -> None:
    """Put bytecode in place of every module. Its source is not there to be looked at, nor is it looked for.

    Raises:
        subprocess.CalledProcessError: a module does not compile.
    """
    subprocess.run(  # noqa: S603 - an interpreter of this machine, with arguments of ours
        [
            *(str(python), "-W", "ignore", "-m", "compileall", "-q", "-b", "-s", str(folder), "-p", PLACE),
            *("--invalidation-mode", "unchecked-hash", str(folder)),
        ],
        check=True,
        # The order of what a set constant holds must not change from one package to the next.
        env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONHASHSEED": "0"},
    )
    for source in folder.rglob("*.py"):
        source.unlink()


def pack(folder: Path, target: Path) -> None:
    """Write a folder's files as a ZIP archive."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, MOMENT)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3  # Unix, wherever this runs
            info.external_attr = MODE_LIBRARY if ".so" in Path(name).suffixes else MODE
            archive.writestr(info, files[name].read_bytes())
    partial.replace(target)


def _run_uv(*arguments: str) -> str:
    ran = subprocess.run(  # noqa: S603 - see infra/packaging.py
        [sys.executable, "-m", "uv", *arguments], capture_output=True, text=True, check=False
    )
    return ran.stdout.strip()


def _version(python: str) -> str:
    code = "import sys; print('.'.join(map(str, sys.version_info[:2])))"
    try:
        ran = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603 - as above
    except OSError:
        return ""
    return ran.stdout.strip()
