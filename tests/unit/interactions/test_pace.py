"""How slowly a file may be taken."""

from __future__ import annotations

from interactions.pace import PATIENCE, Pace, Patience

PATIENT = Patience(window_s=10, least=100, total_s=100)


def test_a_window_is_waited_for() -> None:
    pace = Pace(PATIENT, 0)
    assert not pace.too_slow(9.9, 0)
    assert pace.too_slow(10, 99)


def test_each_window_counts_by_itself() -> None:
    """A fast start does not pay for a stall afterwards."""
    pace = Pace(PATIENT, 5, taken=1_000)
    assert not pace.too_slow(15, 1_000_000)
    assert not pace.too_slow(24, 1_000_000)
    assert pace.too_slow(25, 1_000_099)


def test_just_enough_is_enough() -> None:
    pace = Pace(PATIENT, 0)
    assert not any(pace.too_slow(10 * count, 100 * count) for count in range(1, 11))


def test_it_ends() -> None:
    pace = Pace(PATIENT, 0)
    assert not any(pace.too_slow(10 * count, 100_000 * count) for count in range(1, 11))
    assert pace.too_slow(100.1, 10_000_000)


def test_a_slow_line_gets_what_can_be_attached() -> None:
    """What Discord takes is at most some tens of MiB: those must not need more than the patience there is."""
    assert PATIENCE.least / PATIENCE.window_s * PATIENCE.total_s > 100 * 1024 * 1024
