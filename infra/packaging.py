"""Packages the functions for AWS Lambda, on any machine and without containers: `python -m infra.packaging`.

`dist/ack-arm64.zip` is what acknowledges, small, so that it starts fast; `dist/work-arm64.zip` is all the rest. The
wheels are those of the function's machine, in the versions and with the hashes that requirements.txt names. The same
commit makes the same bytes.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from infra import archive, trimming

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT: Final = Path(__file__).parents[1]
OUT: Final = ROOT / "dist"
MB: Final = 1_000_000
PYTHON: Final = "3.13"
"""The newest of Lambda's runtimes that the product runs on."""
PLATFORMS: Final[Mapping[str, str]] = {
    "arm64": "aarch64-manylinux_2_28",
    "x86_64": "x86_64-manylinux_2_28",
}
"""Lambda's names of machines, and wheels that run there: Amazon Linux 2023 has glibc 2.34."""
ROOMS: Final = ("interactions", "trainer")
FILES: Final = ("bot_instruction.md", "bot_instruction.ru.md", "LICENSE")
UNPACKED_MOST: Final = 250 * 1024 * 1024
"""Lambda's limit, https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


class Package(NamedTuple):
    """One function's package."""

    requirements: str
    services: frozenset[str]
    """Those of AWS's that it calls through boto3."""
    zipped_most: int
    unpacked_most: int


PACKAGES: Final[Mapping[str, Package]] = {
    "ack": Package("requirements/ack.txt", frozenset({"s3"}), 8 * MB, 40 * MB),
    "work": Package(
        "requirements.txt", frozenset({"s3", "sqs", "ssm"}), 120 * MB, UNPACKED_MOST - UNPACKED_MOST // 10
    ),
}


class Built(NamedTuple):
    """A package, and its sizes in bytes."""

    path: Path
    zipped: int
    unpacked: int
    trimmed: trimming.Trimmed


class PackagingFailed(Exception):
    """The message says what to do."""


def build(name: str, machine: str, *, python: str = PYTHON, out: Path = OUT) -> Built:
    """Make one package for a machine. Raises `PackagingFailed`."""
    package = PACKAGES[name]
    try:
        interpreter = archive.interpreter(python)
        with tempfile.TemporaryDirectory(prefix="trainger-package-") as scratch:
            folder = Path(scratch) / "package"
            requirements = Path(scratch) / "requirements.txt"
            requirements.write_text(trimming.without((ROOT / package.requirements).read_text()))
            _install(requirements, folder, machine, python)
            _add_ours(folder)
            trimmed = trimming.trim(folder, services=package.services)
            archive.compile_all(folder, interpreter)
            target = out / f"{name}-{machine}.zip"
            unpacked = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            archive.pack(folder, target)
    except archive.NoInterpreter as error:
        raise PackagingFailed(str(error)) from None
    except subprocess.CalledProcessError as error:
        raise PackagingFailed(f"{' '.join(map(str, error.cmd[1:4]))} failed; what it says is above") from None
    return Built(target, target.stat().st_size, unpacked, trimmed)


def complaints(name: str, built: Built) -> list[str]:
    """In what a package is larger than it may be."""
    package = PACKAGES[name]
    sizes = [("zipped", built.zipped, package.zipped_most), ("unpacked", built.unpacked, package.unpacked_most)]
    return [
        f"{name}: {size / MB:.1f} MB {what}, at most {most / MB:.1f} MB" for what, size, most in sizes if size > most
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the packages and print their sizes; 1 if one is too large or cannot be made."""
    parser = argparse.ArgumentParser(prog="python -m infra.packaging", description="Packages the functions.")
    parser.add_argument("names", nargs="*", choices=[[], *PACKAGES], help="which (default: all)")
    parser.add_argument("--machine", choices=PLATFORMS, default="arm64", help="default: %(default)s")
    parser.add_argument(
        "--python", default=PYTHON, help="the version of the function's runtime; default: %(default)s"
    )
    parser.add_argument("--out", type=Path, default=OUT, help="the folder to write to; default: dist")
    options = parser.parse_args(arguments)
    if not re.fullmatch(r"3\.\d+", options.python):
        parser.error("--python wants a version such as 3.13")
    wrong: list[str] = []
    for name in options.names or PACKAGES:
        try:
            built = build(name, options.machine, python=options.python, out=options.out)
        except PackagingFailed as error:
            print(f"packaging {name}: {error}", file=sys.stderr)
            return 1
        print(
            f"{built.path.name}: {built.zipped / MB:.1f} MB, unpacked {built.unpacked / MB:.1f} MB "
            f"(left out {built.trimmed.files / MB:.1f} MB of files, {built.trimmed.sections / MB:.1f} MB of sections)"
        )
        wrong += complaints(name, built)
    for complaint in wrong:
        print(complaint, file=sys.stderr)
    return 1 if wrong else 0


def _install(requirements: Path, folder: Path, machine: str, python: str) -> None:
    """Unpack the wheels. The file names every package that there is: nothing has to be resolved."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--only-binary", ":all:", "--no-compile-bytecode", "--link-mode", "copy", "--target", str(folder)]
    command += ["--python-platform", PLATFORMS[machine], "--python-version", python, "-r", str(requirements)]
    subprocess.run(command, check=True)  # noqa: S603 - our own environment's uv, with arguments of ours


def _add_ours(folder: Path) -> None:
    for room in ROOMS:
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    for name in FILES:
        shutil.copyfile(ROOT / name, folder / name)


if __name__ == "__main__":
    sys.exit(main())
