"""What infra/Containerfile makes, made in a plain folder by its own commands, and its roles, started there.

`/` of the image is a folder, so `/app`, `/data` and `/tmp` are folders in it. Commands are run as they stand; only
the paths in variables and arguments are those below the folder.
"""

from __future__ import annotations

import io
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest
import requests

from playground.server import Playground

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from playground.clients import Client

ROOT: Final = Path(__file__).parents[2]
CONTAINERFILE: Final = ROOT / "infra" / "Containerfile"
IMAGE_PATHS: Final = ("/app", "/data", "/tmp")
KEPT: Final = ("PATH", "LANG", "NO_PROXY", "LD_LIBRARY_PATH")
READY_S: Final = 180.0
"""Longer than anything here takes, even on a busy machine."""


class Instruction(NamedTuple):
    """A line of a Containerfile."""

    name: str
    value: str
    stage: int


def instructions() -> list[Instruction]:
    """Those of infra/Containerfile, each with the number of its stage."""
    parsing = pytest.importorskip("dockerfile_parse", reason="needs dockerfile-parse (requirements/deploy.txt)")
    parsed = parsing.DockerfileParser(fileobj=io.BytesIO(CONTAINERFILE.read_bytes()))
    found, stage = [], -1
    for each in parsed.structure:
        stage += each["instruction"] == "FROM"
        if each["instruction"] != "COMMENT":
            found.append(Instruction(each["instruction"], each["value"], stage))
    return found


def image_environment() -> dict[str, str]:
    """What the image sets, with the image's paths."""
    pairs = [shlex.split(each.value) for each in instructions() if each.name == "ENV" and each.stage == 1]
    return dict(pair.partition("=")[::2] for line in pairs for pair in line)


class Box:
    """An image's file system in a folder.

    Attributes:
        root: what is `/` in the image.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def build(self) -> None:
        """Do what the Containerfile says."""
        build, workdir = self.root / "build", "/"
        environ = dict(os.environ)
        # The python that runs the tests stands for that of the base image.
        environ["PATH"] = f"{Path(sys.executable).parent}:{environ['PATH']}"
        for name, value, stage in instructions():
            words = shlex.split(value)
            source = build if "--from=build" in words else ROOT
            *copied, target = [word for word in words if not word.startswith("--")] or [""]
            root = self.root if stage else build
            match name:
                case "WORKDIR":
                    workdir = value
                    _in(root, workdir).mkdir(parents=True, exist_ok=True)
                case "ENV" if stage == 0:
                    environ.update(pair.partition("=")[::2] for pair in words)
                case "ARG" if stage == 0:
                    environ.update([value.partition("=")[::2]])
                case "COPY":
                    for each in copied:
                        _copy(_in(source, each), _in(root, str(Path(workdir, target))), whole=target.endswith("/"))
                case "RUN":
                    assert stage == 0
                    ran = subprocess.run(
                        ["/bin/sh", "-c", value],
                        cwd=_in(root, workdir),
                        env=environ,
                        capture_output=True,
                        text=True,
                        check=False,
                    )
                    assert ran.returncode == 0, (value, ran.stdout[-2000:], ran.stderr[-4000:])
        shutil.rmtree(build)
        (self.root / "tmp").mkdir(mode=0o1777)

    def path(self, name: str) -> Path:
        """Where a path of the image is."""
        return _in(self.root, name)

    def mapped(self, text: str) -> str:
        """A variable or an argument with the paths of the folder for those of the image."""
        parts = text.split(":")
        return ":".join(str(self.path(part)) if part.startswith(IMAGE_PATHS) else part for part in parts)

    def environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        """What a process in the container sees."""
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        image = {name: self.mapped(value) for name, value in image_environment().items()}
        return {**kept, **image, "TMPDIR": self.mapped("/tmp"), **settings}

    def run(
        self, command: Sequence[str], settings: Mapping[str, str], *, cwd: Path | None = None, **more: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the image to its end."""
        return subprocess.run(
            self._arguments(command),
            cwd=cwd or self.root,
            env=self.environment(settings),
            check=False,
            **({"capture_output": True, "text": True, "timeout": 120} | more),
        )

    def start(self, command: Sequence[str], settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start a command of the image; its log goes to log.jsonl in its /tmp."""
        with (self.root / "tmp" / "log.jsonl").open("ab") as log:
            return subprocess.Popen(
                self._arguments(command), cwd=self.root, env=self.environment(settings), stdout=log, stderr=log
            )

    def log(self) -> str:
        return (self.root / "tmp" / "log.jsonl").read_text()

    def files(self, *names: str) -> dict[str, tuple[int, int]]:
        """The files below some paths of the image, with their sizes and moments."""
        found = {}
        for name in names:
            for path in self.path(name).rglob("*"):
                status = path.lstat()
                found[str(path)] = (status.st_size, status.st_mtime_ns)
        return found

    def _arguments(self, command: Sequence[str]) -> list[str]:
        mapped = [self.mapped(each) for each in command]
        if mapped[0] == "python":  # found by the PATH of the image
            mapped[0] = str(self.path("/app/.venv/bin/python"))
        return mapped


def _in(root: Path, name: str) -> Path:
    return root / name.lstrip("/")


def _copy(source: Path, target: Path, *, whole: bool) -> None:
    """As COPY does it: a folder's contents, or a file into a folder or to a name."""
    if source.is_dir():
        unwanted = shutil.ignore_patterns("__pycache__", "*.pyc", "node_modules")
        shutil.copytree(
            source, target, dirs_exist_ok=True, symlinks=True, ignore=unwanted if ROOT in source.parents else None
        )
        return
    into = target if whole else target.parent
    into.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target / source.name if whole else target)


class Installation:
    """A box whose HTTP endpoint and worker run, and a Discord that knows them."""

    def __init__(self, discord: Playground, port: int) -> None:
        self.discord = discord
        self.url = f"http://127.0.0.1:{port}"
        self.settings = {**discord.environment(), "PORT": str(port), "TRAINGER_TTS": "none"}
        discord.interactions_url = f"{self.url}/interactions"

    def ada(self) -> Client:
        return self.discord.client()

    def until_healthy(self) -> None:
        until(lambda: answers(f"{self.url}/healthz"))


@contextmanager
def discord() -> Iterator[Installation]:
    """A Discord, and where the endpoint is to be."""
    with Playground() as running, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
        probe.close()
        yield Installation(running, port)


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.RequestException:  # it is not there yet, or is too busy to answer
        return False


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + READY_S
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


@contextmanager
def ended(process: subprocess.Popen[bytes], within_s: float) -> Iterator[subprocess.Popen[bytes]]:
    """A process that SIGTERM ends in order when the block does."""
    try:
        yield process
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(within_s) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
