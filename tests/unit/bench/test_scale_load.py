"""What is made up for the simulation: rates, skew, durations and limits, the same for the same seed."""

from __future__ import annotations

import random
from collections import Counter
from statistics import mean, quantiles

import pytest

from bench.scale_load import Kind, Load, Spread, Step, bursts, draw, moments, zipf

ASK = Kind(1.0, 0.5, 0.02, question=True)
REFUSED = Kind(1.0, 0.1, 0.01)


def test_moments_are_poisson_in_each_step() -> None:
    found = list(moments([Step(100, 5), Step(100, 0), Step(50, 200)], random.Random(3)))
    assert found == sorted(found)
    first, none, last = (sum(begin <= at < end for at in found) for begin, end in ((0, 100), (100, 200), (200, 250)))
    assert none == 0
    assert first == pytest.approx(500, abs=4 * 500**0.5)
    assert last == pytest.approx(10_000, abs=4 * 10_000**0.5)


def test_counts_of_seconds_vary_as_poissons_do() -> None:
    counts = Counter(int(at) for at in moments([Step(5_000, 20)], random.Random(4)))
    seconds = [counts[second] for second in range(5_000)]
    average = mean(seconds)
    assert mean((count - average) ** 2 for count in seconds) == pytest.approx(average, rel=0.1)


def test_bursts_fill_the_time_and_keep_their_shares() -> None:
    steps = bursts(Step(60, 500), Step(30, 2_000), 100_000, random.Random(5))
    assert sum(step.seconds for step in steps) == pytest.approx(100_000)
    assert {step.rate for step in steps} == {500, 2_000}
    assert sum(step.seconds for step in steps if step.rate == 500) == pytest.approx(66_667, rel=0.1)


def test_zipf_has_the_busiest_first() -> None:
    shares = zipf(1_000, 1.0)
    assert sum(shares) == pytest.approx(1)
    assert shares[0] == pytest.approx(2 * shares[1])
    assert shares[0] == pytest.approx(1 / 7.485, rel=0.001)  # by the thousandth harmonic number
    assert zipf(4, 0) == [0.25] * 4


def test_durations_have_their_median_percentile_and_mean() -> None:
    chance, spread = random.Random(6), Spread(3.0, 8.0)
    drawn = [spread.draw(chance) for _ in range(100_000)]
    cuts = quantiles(drawn, n=100)
    assert cuts[49] == pytest.approx(3.0, rel=0.02)
    assert cuts[94] == pytest.approx(8.0, rel=0.02)
    assert mean(drawn) == pytest.approx(spread.mean, rel=0.02)


def test_servers_and_kinds_come_by_their_shares() -> None:
    load = Load((Step(100, 500),), (ASK._replace(share=3.0), Kind(1.0, 9.0, 0.0)), servers=10, skew=1.0)
    jobs = draw(load, 7).jobs
    servers = Counter(job.server for job in jobs)
    assert servers[0] / len(jobs) == pytest.approx(zipf(10, 1.0)[0], rel=0.05)
    assert set(servers) == set(range(10))
    assert mean(job.seconds == 9.0 for job in jobs) == pytest.approx(0.25, rel=0.05)
    assert load.mean_s == pytest.approx((3 * 0.5 + 9.0) / 4)


def test_equal_seeds_draw_equal_loads() -> None:
    load = Load((Step(20, 100),), (ASK._replace(model=Spread(1, 2)),), servers=5)
    assert draw(load, 8) == draw(load, 8)
    assert draw(load, 8) != draw(load, 9)


def test_a_server_has_its_sixty_questions_a_minute_and_no_more() -> None:
    load = Load((Step(600, 10),), (ASK,), servers=1, refused=REFUSED)
    drawn = draw(load, 10)
    # A full bucket, and what flows into it in ten minutes.
    assert drawn.questions - drawn.refused == pytest.approx(660, abs=2)
    assert sum(job.seconds == REFUSED.base_s for job in drawn.jobs) == drawn.refused
    assert draw(load._replace(factor=1e6), 10).refused == 0
    assert draw(load._replace(refused=None), 10).refused == 0


def test_what_is_no_question_is_not_limited() -> None:
    drawn = draw(Load((Step(60, 50),), (ASK._replace(question=False),), servers=1, refused=REFUSED), 11)
    assert drawn.questions == drawn.refused == 0
    assert len(drawn.jobs) > 2_000
