"""The simulated queue: against Erlang's formula where there is one, and by hand where there is none."""

from __future__ import annotations

import random
from itertools import accumulate, pairwise
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.scale_queue import Fleet, Job, erlang_c, mean_wait, work_off


def markovian(rate: float, seconds: float, number: int, seed: int = 1) -> list[Job]:
    """Poisson arrivals with exponential durations."""
    chance = random.Random(seed)
    moments = accumulate(chance.expovariate(rate) for _ in range(number))
    return [Job(at, 0, chance.expovariate(1 / seconds)) for at in moments]


def jobs_at(*moments: float, seconds: float = 1.0) -> list[Job]:
    return [Job(at, 0, seconds) for at in moments]


# --- the formula ----------------------------------------------------------------------------------------------


def test_one_server_waits_as_the_load() -> None:
    assert erlang_c(1, 0.7) == pytest.approx(0.7)


def test_agrees_with_a_published_table() -> None:
    # Ten servers at 8 erlangs: 0.409, as tables of Erlang C have it.
    assert erlang_c(10, 8) == pytest.approx(0.409, abs=0.0005)
    assert erlang_c(2, 1) == pytest.approx(1 / 3)


def test_nothing_comes_nobody_waits() -> None:
    assert erlang_c(3, 0) == 0
    assert mean_wait(3, 0, 1) == 0


@pytest.mark.parametrize("load", [2.0, 5.0, -1.0])
def test_there_is_no_steady_state_above_the_capacity(load: float) -> None:
    with pytest.raises(ValueError, match="steady"):
        erlang_c(2, load)


# --- the simulation against it --------------------------------------------------------------------------------


@pytest.mark.parametrize(("servers", "load"), [(1, 0.7), (5, 4.0), (20, 15.0)])
def test_waits_and_shares_are_those_of_erlang(servers: int, load: float) -> None:
    worked = work_off(markovian(load, 1.0, 200_000), Fleet(most=servers, first=servers))
    assert mean(worked.waited) == pytest.approx(mean_wait(servers, load, 1.0), rel=0.08)
    assert mean(wait > 0 for wait in worked.waited) == pytest.approx(erlang_c(servers, load), rel=0.05)


def test_a_wrong_number_of_servers_would_be_noticed() -> None:
    worked = work_off(markovian(4.0, 1.0, 200_000), Fleet(most=5, first=5))
    assert mean(worked.waited) != pytest.approx(mean_wait(6, 4.0, 1.0), rel=0.5)


# --- by hand --------------------------------------------------------------------------------------------------


def test_one_instance_takes_one_after_the_other() -> None:
    worked = work_off(jobs_at(0, 0.5, 5), Fleet(most=1))
    assert worked.waited == [0, 0.5, 0]
    assert worked.ended == [1, 2, 6]


def test_a_batch_takes_what_waits_and_no_more() -> None:
    worked = work_off(jobs_at(0, 0.1, 0.2, 0.3), Fleet(most=1, batch=2))
    # The first is alone, as nobody waits for others; then two, then one.
    assert worked.ended == [1, 2, 2, 3]


def test_a_batch_holds_its_instance_until_its_slowest_job_is_done() -> None:
    jobs = [Job(0, 0, 1), Job(0.1, 0, 9), Job(0.2, 0, 1), Job(0.3, 0, 1)]
    worked = work_off(jobs, Fleet(most=1, batch=2))
    assert worked.ended == [1, 10, 2, 11]


def test_the_fleet_grows_only_while_somebody_waits() -> None:
    fleet = Fleet(most=10, first=1, a_minute=60)
    assert work_off(jobs_at(0, 2, 4), fleet).instances == 1
    worked = work_off(jobs_at(0, 0, 0, 0, seconds=10), fleet)
    assert worked.waited == [0, 1, 2, 3]
    assert worked.instances == 4


def test_the_fleet_grows_to_its_most() -> None:
    worked = work_off(jobs_at(*[0.0] * 20, seconds=100), Fleet(most=3, first=2, a_minute=60))
    assert worked.instances == 3
    assert max(worked.waited) == pytest.approx(601, abs=1)


def test_a_fleet_smaller_than_the_first_five() -> None:
    assert work_off(jobs_at(0, 0, 0), Fleet(most=2)).waited == [0, 0, 1]


def test_a_start_and_a_batch_delay_what_is_in_them() -> None:
    worked = work_off(jobs_at(0, 4), Fleet(most=1, start_s=2, batch_s=0.5))
    assert worked.waited == [2.5, 0.5]
    assert worked.ended == [3.5, 5.5]


def test_an_instance_makes_each_index_once() -> None:
    jobs = [Job(0, 7, 1), Job(10, 7, 1), Job(20, 8, 1)]
    worked = work_off(jobs, Fleet(most=1, index_s=3))
    assert worked.ended == [4, 11, 24]
    assert worked.built == 2


def test_what_is_computed_is_shared_and_what_is_waited_for_is_not() -> None:
    jobs = [Job(0, 0, 1, 0), *[Job(0.5, 0, 2, 0.25)] * 4]
    worked = work_off(jobs, Fleet(most=1, batch=4, processors=2))
    assert worked.ended[1:] == [1 + 2 + 0.25] * 4


def test_nothing_comes() -> None:
    assert work_off([], Fleet(most=1)) == ([], [], 1, 0)


@pytest.mark.parametrize("fleet", [Fleet(most=0), Fleet(most=1, batch=0)])
def test_a_fleet_of_nothing_is_refused(fleet: Fleet) -> None:
    with pytest.raises(ValueError, match="at least one"):
        work_off([], fleet)


@settings(max_examples=60, deadline=None)
@given(
    gaps=st.lists(st.floats(0, 5), max_size=60),
    seconds=st.floats(0.01, 20),
    most=st.integers(1, 8),
    batch=st.integers(1, 5),
)
def test_every_job_is_done_once_in_order_and_never_too_many_at_once(
    gaps: list[float], seconds: float, most: int, batch: int
) -> None:
    moments = list(accumulate(gaps))
    worked = work_off(jobs_at(*moments, seconds=seconds), Fleet(most=most, batch=batch, a_minute=60))
    begun = [at + wait for at, wait in zip(moments, worked.waited, strict=True)]
    assert all(wait >= 0 for wait in worked.waited)
    assert all(one <= other + 1e-9 for one, other in pairwise(begun))
    assert worked.ended == pytest.approx([at + seconds for at in begun])
    # What begins as another ends may seem to begin before, by the rounding of `at + wait`.
    running = [
        sum(at <= moment < end - 1e-9 for at, end in zip(begun, worked.ended, strict=True)) for moment in begun
    ]
    assert max(running, default=0) <= most * batch
    assert worked.instances <= max(most, 1)
