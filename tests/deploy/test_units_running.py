"""The units of infra/systemd, run by systemd itself, in namespaces of its own: hardened, watched, restarted, stopped.

Needs root and a systemd that is installed; that of the machine is not touched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.deploy import box
from tests.deploy.box import READY_S, ROOT, Installation, until

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER: Final = Path(__file__).parent
SYSTEMD: Final = Path("/lib/systemd/systemd")
PYTHON: Final = Path("/usr/bin/python3")
"""One that is not below a home folder, which services do not see."""
CODE: Final = ("bot_instruction.md", "bot_instruction.ru.md", "register_commands.py")
ROOMS: Final = ("infra", "interactions", "trainer", "voice_sidecar", "docs", "requirements")
CGROUPS: Final = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"))
TAUGHT: Final = "Q: When is the tournament? A: Every Saturday at eight."
FAST: Final = "[Service]\nWatchdogSec=15\n"
"""Sooner than as it stands, and late enough for a machine that has other work to do."""
DOCTOR: Final = """[Service]
Type=oneshot
ExecStart=
ExecStart=/opt/trainger/.venv/bin/python -m voice_sidecar --doctor
SuccessExitStatus=1
Restart=no
StandardOutput=file:/run/doctor.txt
"""


class Machine:
    """A systemd that runs our units."""

    def __init__(self, first: int) -> None:
        self._first = first

    def run(self, *command: str) -> str:
        """Run a command there; what it prints."""
        enter = ["nsenter", f"--target={self._first}", "--mount", "--pid", "--ipc", "--uts", "--cgroup"]
        ran = subprocess.run([*enter, *command], capture_output=True, text=True, timeout=60, check=False)
        return ran.stdout.strip()

    def shows(self, service: str, name: str) -> str:
        return self.run("systemctl", "show", "--property", name, "--value", service)

    def status(self, service: str) -> dict[str, str]:
        lines = self.run("cat", f"/proc/{self.shows(service, 'MainPID')}/status").splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


@pytest.fixture(scope="module")
def opt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """/opt/trainger, as docs/deploy-box.md has it made."""
    if os.geteuid() != 0 or shutil.which("unshare") is None or not SYSTEMD.exists():
        pytest.skip("needs root, unshare (util-linux) and systemd, installed but not necessarily running")
    if not PYTHON.exists():
        pytest.skip(f"needs {PYTHON}")
    version = subprocess.run(
        [PYTHON, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, check=True
    )
    if not (3, 11) <= tuple(map(int, version.stdout.split())) <= (3, 13):
        pytest.skip(f"needs Python 3.11 to 3.13 as {PYTHON}")
    made = tmp_path_factory.mktemp("opt")
    for parent in made.parents[:2]:
        parent.chmod(0o755)
    made.chmod(0o755)
    for name in CODE:
        shutil.copy(ROOT / name, made)
    for name in ROOMS:
        shutil.copytree(ROOT / name, made / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", made / ".venv"], check=True)
    install: list[str | Path] = ["--require-hashes", "--only-binary", ":all:", "--no-binary", "docopt", "-q"]
    files: list[str | Path] = ["-r", ROOT / "requirements.txt", "-r", ROOT / "voice_sidecar" / "requirements.txt"]
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", made / ".venv" / "bin" / "python", "install"]
    subprocess.run([*pip, *install, *files], check=True, capture_output=True)
    return made


@pytest.fixture
def installation() -> Iterator[Installation]:
    with box.discord() as made:
        yield made


@pytest.fixture
def machine(opt: Path, installation: Installation, tmp_path: Path) -> Iterator[Machine]:
    more = tmp_path / "more"
    for service, text in (("trainger-worker", FAST), ("trainger-sidecar", DOCTOR)):
        (more / f"{service}.service.d").mkdir(parents=True)
        (more / f"{service}.service.d" / "test.conf").write_text(text)
    settings = "".join(f"{name}={value}\n" for name, value in installation.settings.items())
    (tmp_path / "env").write_text((ROOT / ".env.example").read_text() + settings)
    group = next((each for each in CGROUPS if (each / "cgroup.controllers").exists()), CGROUPS[0]) / uuid.uuid4().hex
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"needs a control group of its own: {error.strerror}")
    # In the group first, so that the namespace begins there.
    join = f'echo $$ > "{group}/cgroup.procs"; '
    spaces = "unshare --cgroup --mount --pid --ipc --uts --fork"
    boot = f'{join}exec {spaces} sh "$@"'
    arguments = [FOLDER / "systemd_boot.sh", opt, tmp_path / "env", ROOT / "infra" / "systemd", more]
    with (tmp_path / "boot.log").open("wb") as log:
        process = subprocess.Popen(
            ["sh", "-c", boot, "sh", *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    first = 0
    try:
        until(lambda: process.poll() is not None or bool(children.read_text().split()))
        if process.poll() is not None:
            pytest.skip(f"needs namespaces: {(tmp_path / 'boot.log').read_text()[-300:]}")
        first = int(children.read_text().split()[0])
        booted = Machine(first)
        until(lambda: booted.run("systemctl", "is-active", "trainger.target") == "active")
        yield booted
    finally:
        if first:
            os.kill(first, 9)  # and the system ends all of its namespace
        process.kill()
        process.wait()
        until(lambda: removed(group))


def removed(group: Path) -> bool:
    """Whether a control group is gone; those of processes that are still ending are not yet."""
    for path in [*sorted(group.rglob("*/"), reverse=True), group]:
        with suppress(OSError):
            path.rmdir()
    return not group.exists()


def test_systemd_runs_them(machine: Machine, installation: Installation, tmp_path: Path) -> None:
    services = ("trainger-http", "trainger-worker")
    until(lambda: machine.run("systemctl", "is-active", *services).split() == ["active", "active"])
    installation.until_healthy()
    for service in services:
        assert machine.shows(service, "Type") == "notify"
        status = machine.status(service)
        assert (status["NoNewPrivs"], status["Seccomp"], status["CapBnd"]) == ("1", "2", "0" * 16)
        assert "0" not in status["Uid"].split()
    user = machine.run("stat", "--format", "%U %a", "/var/lib/trainger")
    assert user == "trainger 700"

    environ = {**os.environ, **installation.settings}
    subprocess.run(
        [sys.executable, str(ROOT / "register_commands.py")],
        cwd=tmp_path,
        env=environ,
        check=True,
        capture_output=True,
    )
    ada = installation.ada()
    assert "I answer from what people here teach me." in ada.command("hi").wait(READY_S).content
    assert "I learned" in ada.command("train", text=TAUGHT).wait(READY_S).content
    assert "Every Saturday at eight" in ada.command("ask", prompt="When's the tournament?").wait(READY_S).content

    # One that hangs is found out, and another begins.
    machine.run("kill", "-STOP", machine.shows("trainger-worker", "MainPID"))
    until(lambda: machine.shows("trainger-worker", "NRestarts") not in {"", "0"})
    until(lambda: machine.run("systemctl", "is-active", "trainger-worker") == "active")
    assert "Every Saturday at eight" in ada.command("ask", prompt="When's the tournament?").wait(READY_S).content
    # So is one that is gone.
    machine.run("kill", "-KILL", machine.shows("trainger-http", "MainPID"))
    until(lambda: machine.shows("trainger-http", "NRestarts") not in {"", "0"})
    installation.until_healthy()

    machine.run("systemctl", "stop", "trainger.target")
    until(lambda: machine.run("systemctl", "is-active", *services).split() == ["inactive", "inactive"])
    assert [machine.shows(service, "Result") for service in services] == ["success", "success"]
    assert machine.run("ls", "-A", "/var/lib/trainger") == "data"


def test_the_sidecars_libraries_work_behind_its_walls(machine: Machine) -> None:
    machine.run("systemctl", "start", "trainger-sidecar")
    found = machine.run("cat", "/run/doctor.txt")
    well = {line.removeprefix("OK").strip().partition(":")[0] for line in found.splitlines() if line.startswith("OK")}
    assert {"token", "libopus", "davey", "voice activity", "store", "voice queue"} <= well, found


def test_a_wrong_setting_is_not_tried_over_and_over(machine: Machine) -> None:
    machine.run("sh", "-c", "echo TRAINGER_STORE=ftp://x >> /etc/trainger.env")
    machine.run("systemctl", "restart", "trainger-worker")
    until(lambda: machine.run("systemctl", "is-failed", "trainger-worker") == "failed")
    assert machine.shows("trainger-worker", "ExecMainStatus") == "2"
    assert machine.shows("trainger-worker", "NRestarts") == "0"
