from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_sidecar.playback.pacing import STEP, Pace

if TYPE_CHECKING:
    from collections.abc import Sequence


class Relative:
    """The wrong way: 20 ms after the last one."""

    late = 0.0

    def __init__(self) -> None:
        self._last: float | None = None

    def wait(self, now: float) -> float:
        return 0.0 if self._last is None else self._last + STEP - now

    def sent(self, now: float) -> None:
        self._last = now


def sending_times(pace: Pace | Relative, delays: Sequence[float]) -> list[float]:
    """When packets are sent by a thread that wakes up so much too late."""
    now, times = 50.0, []
    for delay in delays:
        now += max(pace.wait(now), 0.0) + delay
        times.append(now)
        pace.sent(now)
    return times


def drift(pace: Pace | Relative) -> float:
    times = sending_times(pace, [0.003] * 1_000)
    return times[-1] - times[0] - 999 * STEP


def test_small_delays_do_not_add_up() -> None:
    assert abs(drift(Pace())) < 0.001
    assert drift(Relative()) > 1


@given(st.lists(st.floats(0, 0.5), min_size=3, max_size=60))
def test_never_more_than_two_packets_at_once_and_all_time_is_accounted_for(delays: list[float]) -> None:
    pace = Pace()
    times = sending_times(pace, delays)
    for first, third in zip(times, times[2:], strict=False):
        assert third - first > STEP - 1e-9
    behind = times[-1] - times[0] - (len(times) - 1) * STEP
    assert behind <= pace.late + max(delays[-1], 0) + 1e-6
    assert behind >= pace.late - delays[0] - max(delays[-1], STEP) - 1e-6


@pytest.mark.parametrize("stall", [0.005, 0.019, 0.02])
def test_a_stall_of_less_than_a_packet_is_made_up_for(stall: float) -> None:
    pace = Pace()
    times = sending_times(pace, [0, 0, stall, 0, 0])
    assert times[-1] - times[0] == pytest.approx(4 * STEP)
    assert pace.late == pytest.approx(0)


def test_after_a_long_stall_two_packets_follow_each_other_and_the_rest_is_let_go() -> None:
    pace = Pace()
    times = sending_times(pace, [0, 0, 1.0, 0, 0, 0])
    gaps = [after - before for before, after in pairwise(times)]
    assert gaps == pytest.approx([STEP, STEP + 1, 0, STEP, STEP])
    assert pace.late == pytest.approx(1 - STEP)


def test_after_a_rest_the_next_packet_is_due_at_once() -> None:
    pace = Pace()
    assert pace.wait(10.0) == 0
    pace.sent(10.0)
    assert pace.wait(10.0) == pytest.approx(STEP)
    pace.rest()
    pace.sent(11.0)  # what was sent last while it was told to rest
    assert pace.wait(12.0) == 0
    assert pace.late == 0
