"""What is told of a simulated run, and that the assumptions are those of the product and of serverless.yml."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bench import scale
from bench.__main__ import measurements
from bench.scale_load import Step
from bench.scale_queue import Fleet, Job, Worked, work_off

ROOT = Path(__file__).resolve().parents[3]


def test_the_measurement_is_found_and_its_parts_are_not() -> None:
    known = measurements()
    assert "scale" in known
    assert not any(name.startswith("scale_") for name in known)


def test_the_fleet_is_the_one_that_is_deployed() -> None:
    text = (ROOT / "serverless.yml").read_text(encoding="utf-8")
    given = yaml.load(text, Loader=_Tolerant)["params"]["default"]
    assert scale.AS_DEPLOYED.most == given["workersMost"]
    assert scale.AS_DEPLOYED.batch == given["batchSize"]
    assert pytest.approx(given["workMemory"] / 1769) == scale.PROCESSORS


def test_shares_of_commands_are_whole() -> None:
    for kinds in (scale.TRAINED, scale.GENERATED):
        assert sum(kind.share for kind in kinds) == pytest.approx(1)


def test_the_rush_ends_with_its_last_busiest_step() -> None:
    assert scale.rush_ends([Step(10, 1), Step(20, 5), Step(30, 1)]) == 30
    assert scale.rush_ends([Step(10, 5), Step(20, 1), Step(30, 5), Step(40, 1)]) == 60


def test_drained_is_when_nobody_waits_long_any_more() -> None:
    jobs = [Job(0, 0, 1), Job(1, 0, 1), Job(2, 0, 1), Job(50, 0, 1)]
    worked = Worked([0.0, 30.0, 40.0, 0.5], [1.0, 32.0, 43.0, 51.5], 1, 0)
    assert scale.drained(jobs, worked, 10) == 32
    assert scale.drained(jobs, worked, 100) == 0
    assert scale.drained([], Worked([], [], 1, 0), 5) == 0


def test_what_is_sustained_is_what_the_middle_ends() -> None:
    worked = work_off([Job(0, 0, 2.0)] * 1_000, Fleet(most=10, first=10))
    assert scale.sustained(worked.ended) == pytest.approx(5, rel=0.05)


def test_scenarios_name_fleets_that_there_are() -> None:
    found = scale.scenarios()
    assert {scenario.fleet for scenario in found} <= set(scale.FLEETS)
    assert len({(one.comes, one.commands, one.fleet) for one in found}) == len(found)


class _Tolerant(yaml.SafeLoader):
    """Takes CloudFormation's tags for what they stand before."""


_Tolerant.add_multi_constructor("!", lambda loader, suffix, node: (suffix, getattr(node, "value", None)))
