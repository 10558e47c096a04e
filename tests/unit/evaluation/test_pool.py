"""Threads that work cases off."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import CancelledError

import pytest

from trainer.evaluation.pool import Pool

HANGING = """
import threading
from trainer.evaluation.pool import Pool
pool, begun = Pool(2), threading.Event()
def hang():
    begun.set()
    threading.Event().wait(3600)
pool.submit(hang)
assert begun.wait(20)
pool.close()
print("over")
"""


def fail() -> None:
    raise KeyError("x")


def test_everything_is_done_by_so_many_threads() -> None:
    pool = Pool(3)
    together = threading.Barrier(3)

    def act(number: int, *, by: int) -> tuple[int, str]:
        together.wait(20)
        return number * by, threading.current_thread().name

    done = [one.result(20) for one in [pool.submit(act, number, by=2) for number in range(9)]]
    failed = pool.submit(fail)
    with pytest.raises(KeyError):
        failed.result(20)
    pool.close()
    assert [number for number, _ in done] == [0, 2, 4, 6, 8, 10, 12, 14, 16]
    assert len({name for _, name in done}) == 3


def test_what_has_not_begun_is_not_done() -> None:
    pool = Pool(1)
    begun, going_on = threading.Event(), threading.Event()

    def hold() -> str:
        begun.set()
        going_on.wait(20)
        return "held"

    first, second = pool.submit(hold), pool.submit(fail)
    assert begun.wait(20)
    pool.close()
    with pytest.raises(CancelledError):
        second.result(20)
    going_on.set()
    assert first.result(20) == "held"


def test_a_pool_may_end_without_having_done_anything() -> None:
    Pool(4).close()


@pytest.mark.timeout(60)
def test_the_end_of_the_process_does_not_wait() -> None:
    done = subprocess.run([sys.executable, "-c", HANGING], capture_output=True, text=True, timeout=50, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "over\n", "")
