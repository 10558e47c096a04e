"""infra/compose.yaml: as the Compose specification has it, and hardened as it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from interactions.worker import GRACE_S
from tests.deploy.box import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FILE: Final = ROOT / "infra" / "compose.yaml"
OURS: Final = ("http", "worker", "sidecar")
PROFILES: Final = ("voice", "caddy", "cloudflared")
NEEDS: Final = "needs {} (requirements/deploy.txt)"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the repository, as far as the file looks at it."""
    (tmp_path / "infra").mkdir()
    shutil.copy(FILE, tmp_path / "infra")
    shutil.copy(ROOT / ".env.example", tmp_path / ".env")
    return tmp_path


def as_read(project: Path, *profiles: str, **settings: str) -> dict[str, Any]:
    """What podman-compose makes of it: merged, and with variables filled in."""
    tool = shutil.which("podman-compose") or shutil.which("podman-compose", path=str(ROOT / ".venv" / "bin"))
    if tool is None:
        pytest.skip(NEEDS.format("podman-compose"))
    # It asks podman for its version before it reads anything; podman does nothing else here.
    podman = project / "bin" / "podman"
    podman.parent.mkdir(exist_ok=True)
    podman.write_text("#!/bin/sh\necho podman version 5.4.2\n")
    podman.chmod(0o755)
    command = [tool, "--file", "infra/compose.yaml", "--env-file", ".env"]
    ran = subprocess.run(
        [*command, *(word for name in profiles for word in ("--profile", name)), "config"],
        cwd=project,
        env={"PATH": f"{podman.parent}:{os.environ['PATH']}", "HOME": str(project), **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = yaml.safe_load(ran.stdout)
    return found


def test_it_is_as_the_specification_has_it(project: Path) -> None:
    spec = pytest.importorskip("compose_spec", reason=NEEDS.format("compose-spec"))
    # The parser knows no image with a tag beside its digest, which Docker and Podman do.
    text = re.sub(r"(image: \S+):[^@/\s]+@sha256:", r"\1@sha256:", yaml.safe_dump(as_read(project, *PROFILES)))
    read = spec.PyCompose.from_yaml(text)
    assert sorted(read.service_names()) == sorted([*OURS, "caddy", "cloudflared"])
    with pytest.raises(Exception, match="mem_limits"):
        spec.PyCompose.from_yaml(text.replace("mem_limit", "mem_limits"))


def test_everything_optional_is_in_a_profile(project: Path) -> None:
    found = as_read(project, *PROFILES)["services"]
    assert {name: each.get("profiles") for name, each in found.items()} == {
        "http": None,
        "worker": None,
        "sidecar": ["voice"],
        "caddy": ["caddy"],
        "cloudflared": ["cloudflared"],
    }


def test_settings_reach_it(project: Path) -> None:
    plain = as_read(project, "caddy")["services"]
    assert plain["http"]["ports"] == [{"host_ip": "127.0.0.1", "published": "8080", "target": 8080}]
    assert plain["http"]["image"] == "trainger:latest"
    (project / ".env").write_text("PORT=9001\nDOMAIN=bot.example.org\nTRAINGER_VERSION=2\nLOCAL_SPEECH=yes\n")
    found = as_read(project, "caddy")["services"]
    assert found["http"]["ports"][0]["published"] == "9001"
    assert "LOCAL_SPEECH=yes" in str(found["http"]["build"]["args"])
    assert {found[name]["image"] for name in ("http", "worker")} == {"trainger:2"}
    assert "bot.example.org" in found["caddy"]["command"]


@pytest.fixture
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text())["services"]
    return found


def test_all_are_hardened(services: dict[str, Any]) -> None:
    for name, each in services.items():
        assert each["read_only"] is True, name
        assert each["cap_drop"] == ["ALL"], name
        assert each["restart"] == "unless-stopped", name
        assert re.fullmatch(r"\d+[mg]", each["mem_limit"]), name
        assert each["pids_limit"] <= 256, name
        assert ("no-new-privileges:true" in each.get("security_opt", [])) == (name != "caddy"), name
        assert not {"privileged", "network_mode", "pid", "devices", "user"} & each.keys(), name
        assert (each["image"].startswith("trainger:")) == (name in OURS)
        if name not in OURS:
            assert re.search(r":\d[\w.-]*@sha256:[0-9a-f]{64}$", each["image"]), name
    assert [name for name, each in services.items() if "build" in each] == ["http"]


def test_the_public_reaches_it_by_the_proxy_alone(services: dict[str, Any]) -> None:
    assert {name for name, each in services.items() if "ports" in each} == {"http", "caddy"}
    assert [port["host_ip"] for port in services["http"]["ports"]] == ["127.0.0.1"]


def test_all_roles_keep_things_in_one_place_and_are_looked_at(services: dict[str, Any]) -> None:
    for name in OURS:
        each = services[name]
        assert "data:/data" in each["volumes"]
        assert each["env_file"] == "../.env"
        assert each["healthcheck"]["test"][:4] == ["CMD", "python", "-m", "infra.healthcheck"]
        assert any(mount.startswith(("/tmp", "scratch:/tmp")) for mount in [*each.get("tmpfs", []), *each["volumes"]])
        # What is in .env, also when it is empty, must not send store or queue elsewhere than to the volume.
        assert not [key for key in each.get("environment", {}) if "STORE" in key or "QUEUE" in key]
    assert float(services["worker"]["stop_grace_period"].removesuffix("s")) >= GRACE_S + 10
