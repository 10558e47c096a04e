"""Processes that are killed in the middle of a run, and runs that are large."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.unit.evaluation.rooms import SCOPE, Room, case, timeless
from tests.unit.evaluation.slow_run import LASTS_S
from trainer.answers import Answer, Source
from trainer.evaluation.cases import Case, Check
from trainer.evaluation.running import Runner
from trainer.evaluation.store import shards_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from trainer.evaluation.results import Run

ROOT = Path(__file__).parents[3]
COUNT = 130
MIB = 1024 * 1024


def work_until(room: Room, run: Run, folder: Path, shards: int) -> bool:
    """Have a process work on the run, and kill it once there are so many stretches; whether it was killed at work."""
    environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.unit.evaluation.slow_run", str(folder), run.id],
        cwd=ROOT,
        env={**environ, "PYTHONPATH": str(ROOT)},
    )
    deadline = time.monotonic() + 60
    try:
        while len(room.runs.shards(SCOPE, run.id)) < shards:
            assert time.monotonic() < deadline
            if process.poll() is not None:
                return False
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        return process.wait() == -signal.SIGKILL
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_killed_workers_change_nothing_in_the_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """kill -9 twice; then a worker in this process ends the run."""
    monkeypatch.setattr("trainer.evaluation.running.LOOK_S", 0.05)
    room = Room(tmp_path)
    try:
        for number in range(0, COUNT, 3):
            room.teach(f"What is thing {number}?", f"Answer {number}")
        given = [case(number) for number in range(COUNT)]
        killed, undisturbed = room.begin(given), room.begin(given)
        assert work_until(room, killed, tmp_path, 2)
        there = len(room.runs.shards(SCOPE, killed.id))
        assert 2 <= there < shards_of(COUNT)
        assert room.runner.active(SCOPE) in {killed.id, ""}
        assert work_until(room, killed, tmp_path, there + 2)
        runner = Runner(room.store, room.library, room.answering, lasts_s=LASTS_S)
        outcome = runner.run(SCOPE, killed)
        assert (outcome.state, outcome.done, outcome.changed) == ("finished", COUNT, False)
        assert outcome.stored < shards_of(COUNT)
        assert runner.run(SCOPE, undisturbed).state == "finished"
        results = timeless(room.results(killed))
        assert results == timeless(room.results(undisturbed))
        assert [one.verdict == "passed" for one in results] == [number % 3 == 0 for number in range(COUNT)]
    finally:
        room.close()


class Long:
    """Gives long answers at once."""

    model = ""

    def answer(self, scope: object, dataset: str, question: str, **more: Any) -> Answer:
        return Answer("trained", question + " is " + "x" * 2_000, [Source("text", author="3003")], learned_by=[7])


def test_ten_thousand_cases_need_little_memory(tmp_path: Path) -> None:
    """Cases and answers are some 60 MB together; at no time are more than a few of them in memory."""
    count = 10_000

    def many() -> Iterator[Case]:
        for number in range(count):
            yield Case(
                id=f"c{number}", question=f"Question {number} " + "y" * 2_000, checks=(Check("contains", ("is",)),)
            )

    room = Room(tmp_path)
    answering: Any = Long()
    runner = Runner(room.store, room.library, answering)
    try:
        warm = room.begin([case(1)])
        runner.run(SCOPE, warm)
        tracemalloc.start()
        run = room.begin(many())
        begun = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        outcome = runner.run(SCOPE, run)
        worked = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        numbers = [result.number for result in runner.runs.results(SCOPE, run.id)]
        read = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        room.close()
    assert (outcome.state, outcome.done, outcome.stored) == ("finished", count, count // 10)
    assert numbers == list(range(count))
    size = sum(info.size for info in room.store.list(f"g42/evaluations/{run.id}/"))
    assert size > 60 * MIB
    assert max(begun, worked, read) < 12 * MIB
