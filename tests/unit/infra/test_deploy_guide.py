"""What docs/deploy-aws.md names is there, and its sums are right."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import botocore.session
import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[3]
GUIDE: Final = (ROOT / "docs" / "deploy-aws.md").read_text(encoding="utf-8")
OSLS: Final = "infra/node/node_modules/.bin/osls"
OSLS_COMMANDS: Final = {"info", "deploy list", "rollback", "remove", "logs"}
SHELL: Final = {"cat", "export", "git", "read"}
RENAMED: Final = {"notification-endpoint": "endpoint"}
"""Options that the command line calls otherwise than the service."""
MILLION: Final = 1_000_000
GB: Final = 1_000_000
"""kB."""
HOURS: Final = 730
MONTHS_KEPT: Final = 6


class Yaml(yaml.SafeLoader):
    """Takes CloudFormation's short forms, such as `!Ref Store`, for what is written."""


def _short(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return f"{tag} {node.value}"
    assert isinstance(node, yaml.SequenceNode)
    return {tag: loader.construct_sequence(node, deep=True)}


Yaml.add_multi_constructor("!", _short)


def described(path: str) -> Any:
    return yaml.load((ROOT / path).read_text(encoding="utf-8"), Yaml)


def resources() -> Iterator[Any]:
    """The parts of the stack's template."""
    for part in described("serverless.yml")["resources"]:
        found = re.fullmatch(r"\$\{file\((.+)\)\}", part) if isinstance(part, str) else None
        yield described(found[1]) if found else part


def commands() -> Iterator[list[str]]:
    """Each command that is to be typed, and those in `$(…)`."""
    for block in re.findall(r"^```sh\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            for inner in re.findall(r"\$\((.+)\)$", line):
                yield shlex.split(inner)
            outer = re.sub(r"\$\(.+\)$", "…", line)
            for each in outer.split(" && "):
                yield shlex.split(each)


def table(heading: str) -> list[list[str]]:
    """The rows of the table that begins with a heading."""
    lines = GUIDE[GUIDE.index(f"| {heading} |") :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def test_its_settings_are_all_that_there_are() -> None:
    given = described("serverless.yml")["params"]["default"]
    told: dict[str, str] = {}
    for row in table("parameter"):
        names, defaults = re.findall(r"`(\w+)`", row[0]), row[1].split(", ")
        # Several settings with a default each, or with one for all that is told in words.
        told |= dict(zip(names, defaults if len(defaults) == len(names) else [row[1]] * len(names), strict=True))
    assert set(told) == {*given, "publicKey", "applicationId"}
    for name, default in given.items():
        plain = isinstance(default, int) or re.fullmatch(r"\w+(\(.+\))?", default)
        if plain and name != "embeddings":
            assert told[name].strip("`") == str(default)


def test_its_alarms_are_all_that_there_are() -> None:
    names = {name for row in table("alarm") for name in re.findall(r"`(\w+)`", row[0])}
    there = {
        name
        for part in resources()
        for name, each in part.get("Resources", {}).items()
        if each["Type"] == "AWS::CloudWatch::Alarm"
    }
    assert names == there
    assert {row[1] for row in table("what is used") if row[0] == "alarms"} == {str(len(there))}


def test_the_outputs_that_it_asks_for_are_there() -> None:
    asked = set(re.findall(r"OutputKey=='(\w+)'", GUIDE)) | set(re.findall(r"output `(\w+)`", GUIDE))
    there = {name for part in resources() for name in part.get("Outputs", {})}
    assert asked
    assert asked <= there


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\((?!https:)([^)#]+)", GUIDE))))
def test_where_it_leads_there_is_something(link: str) -> None:
    assert (ROOT / "docs" / link).exists()


def test_its_headings_are_linked_to_as_they_are() -> None:
    for document, heading in re.findall(r"\]\((\S*?)#([\w-]+)\)", GUIDE):
        text = (ROOT / "docs" / document).read_text(encoding="utf-8")
        there = {
            re.sub(r"[^\w -]", "", line).lower().replace(" ", "-")
            for line in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        }
        assert heading in there


@pytest.mark.parametrize("words", [pytest.param(words, id=" ".join(words)[:60]) for words in commands()])
def test_what_is_to_be_typed_is_there(words: list[str]) -> None:
    while "=" in words[0] and not words[0].startswith("-"):
        words = words[1:]
        if not words:
            return
    match words:
        case ["make", *targets]:
            makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
            names = {
                target.replace("$(RUN)", ".venv/.run")
                for target in re.findall(r"^([\w$().-]+):", makefile, re.MULTILINE)
            }
            assert set(targets) <= names
        case [".venv/bin/python", "-m", module, *options]:
            assert importlib.util.find_spec(module) is not None
            source = Path(importlib.util.find_spec(module).origin or "")  # type: ignore[union-attr] # it was found
            text = source.read_text(encoding="utf-8")
            assert all(f'"{option}"' in text for option in options if option.startswith("--"))
        case [".venv/bin/python", script, *_]:
            assert (ROOT / script).exists()
        case [program, *rest] if program == OSLS:
            said = " ".join(word for word in rest if not word.startswith("-"))
            assert any(said.startswith(command) for command in OSLS_COMMANDS)
            assert rest[rest.index("--stage") + 1] == "prod"
        case ["aws", service, operation, *options]:
            is_known_to_aws(service, operation, options)
        case [program, *_]:
            assert program in SHELL


def is_known_to_aws(service: str, operation: str, options: list[str]) -> None:
    """The command line's names are those of the service's own description."""
    if (service, operation) in {("s3", "sync"), ("s3", "rb")}:
        return  # made of several operations
    model = botocore.session.get_session().get_service_model(service)
    (name,) = (each for each in model.operation_names if botocore.xform_name(each, "-") == operation)
    shape = model.operation_model(name).input_shape
    taken = {botocore.xform_name(member, "-") for member in shape.members} if shape is not None else set()
    given = {option.removeprefix("--") for option in options if option.startswith("--")}
    assert {RENAMED.get(option, option) for option in given} - {"query", "output"} <= taken


def test_the_stage_and_the_service_are_those_of_the_stack() -> None:
    stack = described("serverless.yml")
    assert stack["service"] == "trainger"
    assert stack["provider"]["stage"] == "${opt:stage, 'prod'}"
    assert set(re.findall(r"--stack-name (\S+)", GUIDE)) == {"trainger-prod"}
    functions = set(re.findall(r"--function (\w+)", GUIDE))
    assert functions
    assert functions <= set(stack["functions"])


def number(text: str) -> float:
    return float(text.replace(",", "").replace("*", ""))


def test_its_sums_are_right() -> None:
    prices = {row[0]: number(row[1]) for row in table("unit")}
    used = {row[0].split(":")[0]: row[1] for row in table("what is used")}
    rows = {row[0].strip("*"): [number(cell) for cell in row[1:]] for row in table("interactions a month")}
    tick_s, tick_of_server_s = (
        number(each) for each in used["`tick`, seconds (of 1 GB) an hour, and more for each server"].split(", ")
    )

    def of(name: str) -> float:
        return number(next(value for each, value in used.items() if each.startswith(name)))

    def price(name: str) -> float:
        return prices[name] / MILLION if "million" in name else prices[name]

    names: set[str] = set()
    for column, interactions in enumerate((100, 10_000, MILLION)):
        servers = rows["servers"][column]
        ticking_s = HOURS * (tick_s + tick_of_server_s * servers)
        listed = of("S3 listings a server") * servers * HOURS
        due = {
            "Lambda, requests": (2 * interactions + HOURS) * price("Lambda, a million requests"),
            "Lambda, `ack` and `work`": interactions
            * (of("`ack`") + of("`work`"))
            * price("Lambda on arm64, a million GB-seconds"),
            "Lambda, `tick`": ticking_s * price("Lambda on arm64, a million GB-seconds"),
            "SQS": (of("SQS requests an interaction") * interactions + of("SQS requests a month"))
            * price("SQS, a million requests"),
            "S3, writes and listings": (of("S3 writes") * interactions + listed)
            * price("S3, a million writes and listings"),
            "S3, reads": of("S3 reads") * interactions * price("S3, a million reads"),
            "S3, kept": of("kB an interaction")
            * interactions
            * MONTHS_KEPT
            / GB
            * price("S3, a GB kept for a month"),
            "CloudWatch, logs": of("kB of logs") * interactions / GB * price("CloudWatch, a GB of logs"),
            "CloudWatch, alarms": of("alarms") * price("CloudWatch, an alarm"),
        }
        assert {name: rows[name][column] for name in due} == {name: round(sum_, 2) for name, sum_ in due.items()}
        names |= set(due)
        assert rows["together"][column] == pytest.approx(sum(due.values()), abs=0.03)
    assert set(rows) == {"servers", "together", *names}
