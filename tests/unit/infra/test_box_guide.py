"""What docs/deploy-box.md names is there, and its sums are right."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import yaml

from trainer.configuration import NAMES
from trainer.prices import PRICES
from trainer.voice_configuration import NAMES as VOICE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[3]
GUIDE: Final = (ROOT / "docs" / "deploy-box.md").read_text(encoding="utf-8")
COMPOSE: Final = (ROOT / "infra" / "compose.yaml").read_text(encoding="utf-8")
CONTAINERFILE: Final = (ROOT / "infra" / "Containerfile").read_text(encoding="utf-8")
EXAMPLE: Final = (ROOT / ".env.example").read_text(encoding="utf-8")
OURS: Final = re.compile(r"\b(?:TRAINGER|DISCORD|OPENAI|AWS)_[A-Z_]+\b")
BY_COMPOSE: Final = {"TRAINGER_VERSION", "LOCAL_SPEECH", "DOMAIN", "TUNNEL_TOKEN", "PORT"}
ELSEWHERE: Final = {"AWS_DEFAULT_REGION", "COMPOSE_PROFILES"}
"""Names that are not ours."""
OTHERS: Final = {"curl", "git", "nano", "cloudflared", "ngrok", "ssh", "journalctl", "cd", "docker", "export"}
SYSTEM: Final = {"apt-get", "git", "useradd", "systemctl", "sudoedit", "mv"}
DAYS_A_MONTH: Final = 30


def lines() -> Iterator[str]:
    """Each line that is to be typed."""
    for block in re.findall(r"^```sh\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE):
        yield from block.splitlines()


def words(line: str) -> list[str]:
    """A command without what is set before it and where its output goes."""
    found = shlex.split(re.sub(r" [<>] \S+$", "", line))
    while re.match(r"[A-Z_]+=", found[0]):
        found = found[1:]
    return found[1:] if found[0] == "sudo" else found


def services() -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = yaml.safe_load(COMPOSE)["services"]
    return found


def check_python(arguments: list[str]) -> None:
    """What a Python is to run, here or in the image."""
    if arguments[0] == "-m":
        module = importlib.util.find_spec(arguments[1])
        assert module is not None
        if arguments[1:2] == ["infra.backup"]:
            assert arguments[2] in {"create", "restore"}
    else:
        script = arguments[0].removeprefix("/app/code/").removeprefix("/opt/trainger/")
        assert (ROOT / script).is_file()
        assert arguments[0].startswith("/opt/trainger/") or f"COPY {script}" in CONTAINERFILE.replace(
            "bot_instruction.md bot_instruction.ru.md ", ""
        )


def check_compose(arguments: list[str]) -> None:
    """A command of the function `trainger`."""
    profiles = [arguments[at + 1] for at, word in enumerate(arguments) if word == "--profile"]
    assert set(profiles) <= {each for its in services().values() for each in its.get("profiles", [])}  # type: ignore[attr-defined] # a list of names
    rest = [word for at, word in enumerate(arguments) if word != "--profile" and arguments[at - 1] != "--profile"]
    match rest:
        case ["up" | "build" | "ps" | "down", *options]:
            assert all(option.startswith("--") for option in options)
        case ["logs", *_]:
            assert rest[-1] in services()
        case ["exec" | "run", *more]:
            service = next(word for word in more if not word.startswith("-"))
            assert service in services()
            command = more[more.index(service) + 1 :]
            assert command[0] == "python"
            check_python(command[1:])
        case _:
            pytest.fail("no such command")


@pytest.mark.parametrize("line", [pytest.param(line, id=line[:60]) for line in lines()])
def test_what_is_to_be_typed_is_there(line: str) -> None:
    if line.startswith("trainger() {"):
        assert "--file infra/compose.yaml --env-file .env" in line
        return
    match words(line):
        case ["trainger", *arguments]:
            check_compose(arguments)
        case ["trainger-run", *arguments]:
            check_python(arguments)
        case ["install", "--mode", _, source, _]:
            assert (ROOT / source).is_file()
        case ["cp", *sources, target]:
            assert {ROOT / source for source in sources} == set((ROOT / "infra" / "systemd").glob("trainger*.*"))
            assert target == "/etc/systemd/system/"
        case [".venv/bin/python", "-m", "pip", "install", *options]:
            assert "--require-hashes" in options
            for at, option in enumerate(options):
                assert option != "--requirement" or (ROOT / options[at + 1]).is_file()
        case ["python3", "-m", "venv", ".venv"]:
            pass
        case ["systemctl", "enable" | "start" | "stop" | "status" as what, *units]:
            there = {path.stem for path in (ROOT / "infra" / "systemd").iterdir()} | {"trainger.target"}
            assert {unit for unit in units if unit != "--now"} <= there, what
        case ["journalctl", "--unit", unit, *_]:
            assert (ROOT / "infra" / "systemd" / f"{unit}.service").is_file()
        case [program, *_]:
            assert program in OTHERS | SYSTEM


def test_the_variables_that_it_names_are_there() -> None:
    known = {name for names in NAMES.values() for name in names} | set(VOICE_NAMES.values())
    known |= set(re.findall(r"^([A-Z_]+)=", EXAMPLE, re.MULTILINE))
    named = set(OURS.findall(GUIDE))
    assert named
    assert named <= known | BY_COMPOSE | ELSEWHERE
    for name in BY_COMPOSE:
        assert f"${{{name}:-" in COMPOSE
        assert name in GUIDE


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\((?!https:)([^)#]+)", GUIDE))))
def test_where_it_leads_there_is_something(link: str) -> None:
    assert (ROOT / "docs" / link).exists()


def test_its_headings_are_linked_to_as_they_are() -> None:
    found = re.findall(r"\]\(([^):#]*)#([\w-]+)\)", GUIDE)
    assert found
    for document, heading in found:
        text = (ROOT / "docs" / document).read_text(encoding="utf-8") if document else GUIDE
        titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        assert heading in {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def table(heading: str) -> list[list[str]]:
    """The rows of each table that begins with a heading, together."""
    rows = []
    for part in GUIDE.split(f"| {heading} |")[1:]:
        rows += [
            [cell.strip() for cell in row.strip("|").split("|")] for row in part.split("\n\n")[0].splitlines()[2:]
        ]
    return rows


def number(text: str) -> float:
    return float(text.replace(",", ""))


def test_its_sums_are_right() -> None:
    found = re.search(
        r"With ([\d,]+) tokens in and ([\d,]+) out for a question, and `(.+?)` at US\$ (\S+) and (\S+) for", GUIDE
    )
    assert found is not None
    price = PRICES[found[3]]
    assert (number(found[4]), number(found[5])) == (price.input, price.output)
    each = (number(found[1]) * price.input + number(found[2]) * price.output) / 1_000_000
    assert f"US$ {each:.6f} a question" in GUIDE
    kept = [row for row in table("questions a month") if "kB" in row[1]]
    paid = [row for row in table("questions a month") if "kB" not in row[1]]
    assert len(kept) == len(paid) == 3
    for row in kept:
        questions, months, kilobytes = (number(part.split()[0]) for part in row[1].split(" × "))
        assert questions == number(row[0])
        assert number(row[2]) == pytest.approx(questions * months * kilobytes / 1_000_000)
    for row in paid:
        assert number(row[1]) == pytest.approx(number(row[0]) * each, abs=0.005)
        assert number(row[3]) == pytest.approx(number(row[1]) + number(row[2]))
    memory = [number(row[1]) for row in table("process")]
    assert f"{memory[0]:.0f} + {memory[1]:.0f} + {memory[2]:.0f} = {sum(memory[:3]):.0f} MB" in GUIDE
    assert f"{sum(memory[:3]):.0f} + 2 × {memory[3]:.0f} = {sum(memory[:3]) + 2 * memory[3]:.0f} MB" in GUIDE


def test_its_limits_are_those_of_the_files() -> None:
    limits = {row[0].strip("`").split("`")[0]: row[2] for row in table("process")}
    for name in ("http", "worker", "sidecar"):
        compose = str(services()[name]["mem_limit"])
        unit = (ROOT / "infra" / "systemd" / f"trainger-{name}.service").read_text(encoding="utf-8")
        of_unit = re.search(r"^MemoryMax=(\S+)$", unit, re.MULTILINE)
        assert of_unit is not None
        megabytes = [
            int(re.sub(r"\D", "", each)) * (1024 if each.upper().endswith("G") else 1)
            for each in (compose, of_unit[1])
        ]
        assert [int(each) for each in re.findall(r"\d+", limits[name])] == list(dict.fromkeys(megabytes))
