"""What the guide shows works, and it names every option."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import yaml

from trainer.evaluation.cases import CASES_MOST, Case
from trainer.evaluation.checks import DEFAULT_THRESHOLDS
from trainer.evaluation.command_line import parse
from trainer.evaluation.gate import ERRORS_MOST
from trainer.evaluation.reading import read_cases
from trainer.evaluation.statistics import RESAMPLES, SAME_WITHIN, SIGNIFICANT, mcnemar_exact, unseen

if TYPE_CHECKING:
    from collections.abc import Iterator

GUIDE: Final = (Path(__file__).parents[3] / "docs" / "evaluation.md").read_text(encoding="utf-8")


def blocks(language: str) -> Iterator[str]:
    return (match[1] for match in re.finditer(rf"^```{language}\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE))


def cases(language: str, text: str, folder: Path) -> list[Case]:
    path = folder / f"cases.{language}"
    path.write_text(text, encoding="utf-8")
    found = list(read_cases(path, path.name))
    assert all(isinstance(one, Case) for one in found), found
    return [one for one in found if isinstance(one, Case)]


def test_the_files_of_cases_that_it_shows_can_be_read(tmp_path: Path) -> None:
    (lines,) = blocks("jsonl")
    kinds = [[check.kind for check in one.checks] for one in cases("jsonl", lines, tmp_path)]
    assert kinds == [["contains"], ["numeric"], ["semantic"], ["abstain"]]
    (table,) = blocks("csv")
    rows = cases("csv", table, tmp_path)
    assert [(one.checks[0].kind, one.checks[0].negate) for one in rows] == [("contains", False), ("contains", True)]
    (promptfoo, _) = blocks("yaml")
    (one,) = cases("yaml", promptfoo, tmp_path)
    assert [(check.kind, check.negate) for check in one.checks] == [("contains", False), ("contains", True)]


@pytest.mark.parametrize("kind", sorted(DEFAULT_THRESHOLDS))
def test_its_thresholds_are_those_in_force(kind: str) -> None:
    row = re.search(rf"^\| `{kind}` \|.*\| (\S+) \|$", GUIDE, re.MULTILINE)
    assert row is not None
    assert float(row[1]) == {**DEFAULT_THRESHOLDS}[kind]  # type: ignore[index]  # a kind, as a text


def test_its_numbers_are_true() -> None:
    assert f"up to {CASES_MOST:,} cases" in GUIDE
    assert f"{RESAMPLES:,} resamples" in GUIDE
    assert f"p < {SIGNIFICANT}" in GUIDE
    assert mcnemar_exact(0, 6) < SIGNIFICANT <= mcnemar_exact(0, 5)
    assert unseen(183) <= SAME_WITHIN < unseen(182)
    assert f"by more than {SAME_WITHIN}" in GUIDE
    assert ERRORS_MOST == 1 / 5


def test_it_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--help"], {})
    options = set(re.findall(r"^  (--[a-z-]+)", capsys.readouterr().out, re.MULTILINE))
    table = GUIDE[GUIDE.index("## From a terminal") : GUIDE.index("| exit code |")]
    assert options == set(re.findall(r"`(--[a-z-]+)", table))


def test_its_commands_can_be_typed() -> None:
    flat = re.sub(r"\\?\n +", " ", GUIDE)
    typed = re.findall(r"python -m trainer\.evaluation([^\n`]*)", flat)
    assert len(typed) == 4
    for command in typed:
        parse(command.split(" env:")[0].split(), {})


def test_the_workflow_is_yaml() -> None:
    (_, workflow) = blocks("yaml")
    steps = yaml.safe_load(workflow)["jobs"]["evaluate"]["steps"]
    command = next(step["run"] for step in steps if "trainer.evaluation" in step.get("run", ""))
    options = parse(command.removeprefix("python -m trainer.evaluation").split(), {})
    assert options.bar.no_worse
    assert options.bar.min_pass == 0.9
    assert options.kept
