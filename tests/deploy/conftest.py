"""What deploying needs, made once for the whole run; tests are skipped where it is missing, and say what it is."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from infra import packaging
from tests import servers
from tests.deploy.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
NODE: Final = ROOT / "infra" / "node"
HOST: Final = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")
HOST_PYTHON: Final = ".".join(map(str, sys.version_info[:2]))


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """These take minutes: they run where they are asked for, and `make test` does not."""
    named = any("tests/deploy" in str(each) for each in config.args)
    asked = named or "deploy" in (config.getoption("markexpr") or "")
    return None if asked else True


def pytest_itemcollected(item: pytest.Item) -> None:
    item.add_marker(pytest.mark.deploy)
    item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="session", autouse=True)
def _no_account() -> Iterator[None]:
    """The developer's own account must not be touched, nor decide about a test."""
    with pytest.MonkeyPatch.context() as patched:
        for name in [each for each in os.environ if each.startswith("AWS_")]:
            patched.delenv(name)
        patched.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patched.setenv("AWS_CONFIG_FILE", os.devnull)
        patched.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        yield


@pytest.fixture(scope="session")
def osls() -> Path:
    """The deployment tool, in the version of infra/node/package-lock.json."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("needs Node.js 20 or newer with npm: https://nodejs.org, or `apt-get install nodejs npm`")
    tool = NODE / "node_modules" / ".bin" / "osls"
    if not tool.exists():
        command = ["npm", "ci", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=NODE, check=True, stdout=subprocess.DEVNULL, timeout=600)
    return tool


@pytest.fixture(scope="session")
def serverless3(osls: Path) -> Path:
    """The framework that osls was made of: 250 MB that nobody needs, so it is used where it is."""
    tool = os.environ.get("SERVERLESS3")
    if not tool:
        pytest.skip("needs SERVERLESS3=…/node_modules/.bin/serverless, of `npm install serverless@3`")
    return Path(tool)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as osls needs it, with packages that run on this machine, in this Python."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "serverless.yml", folder)
    shutil.copytree(ROOT / "infra" / "aws", folder / "infra" / "aws")
    for name in packaging.PACKAGES:
        packaging.build(name, HOST, python=HOST_PYTHON, out=folder / "dist")
    return folder


@pytest.fixture(scope="session")
def stack(osls: Path, project: Path) -> Iterator[Stack]:
    """The deployed stack: on ministack, which checks the rights of roles, with a playground for Discord."""
    with servers.ministack() as aws, Stack(aws, osls, project, HOST) as deployed:
        yield deployed
