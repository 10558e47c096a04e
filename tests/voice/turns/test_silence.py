"""The pause that ends a turn follows the speaker's own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_sidecar.turns.settings import Settings
from voice_sidecar.turns.silence import AdaptiveSilence

SETTINGS = Settings()


def after(*pauses: float) -> float:
    silence = AdaptiveSilence(SETTINGS)
    for pause in pauses:
        silence.went_on_after(pause)
    return silence.wait


def test_at_first_it_is_what_was_set() -> None:
    assert after() == pytest.approx(0.7)


def test_somebody_with_long_pauses_is_waited_for() -> None:
    assert after(*[0.6] * 10) > 0.7
    assert after(*[0.6, 1.1] * 10) == SETTINGS.most_pause


def test_somebody_with_short_pauses_is_answered_soon() -> None:
    assert after(*[0.22] * 30) == SETTINGS.least_pause


def test_pauses_that_differ_need_more_than_pauses_that_do_not() -> None:
    assert after(*[0.3, 0.5] * 20) > after(*[0.4] * 40)


def test_it_clearly_exceeds_every_usual_pause() -> None:
    assert after(*[0.3, 0.5] * 20) > 0.5


def test_who_changes_is_followed() -> None:
    slow = [0.9] * 20
    assert after(*slow) > 0.9
    assert after(*slow, *[0.25] * 40) < 0.5


def test_an_absence_counts_as_the_longest_pause() -> None:
    assert after(1000) == after(SETTINGS.most_pause)


@given(st.lists(st.floats(0, 1e6)))
def test_it_stays_within_bounds(pauses: list[float]) -> None:
    assert SETTINGS.least_pause <= after(*pauses) <= SETTINGS.most_pause
    silence = AdaptiveSilence(SETTINGS)
    for pause in pauses:
        silence.went_on_after(pause)
    assert 0 <= silence.usual <= SETTINGS.most_pause


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": 1.5},
        {"stop": 0.0},
        {"stop": 0.6},
        {"least_voice": -0.1},
        {"least_voice": 1.5},
        {"longest": 0.5},
        {"longest": 4000},
        {"short_pause": 0},
        {"short_pause": 0.5},
        {"least_pause": 0.8},
        {"most_pause": 0.5},
        {"incomplete_pause": 1.0},
        {"complete_pause": 0.1},
        {"incomplete_below": 0.7},
        {"padding": float("nan")},
    ],
)
def test_settings_that_contradict_each_other_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Settings(**wrong)
