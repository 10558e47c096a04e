"""What a semantic detector's answers do."""

from __future__ import annotations

import math

import pytest

from tests.voice.turns.listening import Listening, check_order, hums, kinds, nothing, says
from voice_sidecar.turns.events import Ending
from voice_sidecar.turns.settings import Settings

PAUSE = 0.22  # seconds after which it was told that there is one
ADAPTIVE = 0.7  # seconds that end the turn of somebody who is new


def at_pause() -> Listening:
    """Somebody spoke for 0.96 s, and paused."""
    heard = Listening()
    heard.hear(says(0.96))
    assert kinds(heard.hear(nothing(PAUSE))) == ["Paused"]
    return heard


def silence(heard: Listening) -> float:
    """How long after the voice the turn ended; not more than three seconds."""
    began = heard.now - PAUSE
    while not heard.ended():
        heard.wait(0.001)
        assert heard.now < began + 3
    check_order(heard.events)
    return heard.now - began


def test_complete_ends_sooner() -> None:
    heard = at_pause()
    heard.events += heard.ear.verdict(1, 0.9, heard.now)
    assert silence(heard) == pytest.approx(0.3, abs=0.002)
    assert heard.ended()[0].reason is Ending.COMPLETE


def test_complete_ends_at_once_if_the_short_pause_is_over() -> None:
    heard = at_pause()
    heard.wait(0.2)
    told = heard.ear.verdict(1, 0.9, heard.now, pause=1)
    assert kinds(told) == ["TurnEnded"]


def test_incomplete_waits() -> None:
    heard = at_pause()
    assert heard.ear.verdict(1, 0.1, heard.now) == []
    assert silence(heard) == pytest.approx(2.0, abs=0.002)
    assert heard.ended()[0].reason is Ending.WAITED


@pytest.mark.parametrize("probability", [0.5, 0.4, 0.599, math.nan])
def test_unsure_changes_nothing(probability: float) -> None:
    heard = at_pause()
    assert heard.ear.verdict(1, probability, heard.now) == []
    assert silence(heard) == pytest.approx(ADAPTIVE, abs=0.002)
    assert heard.ended()[0].reason is Ending.SILENCE


def test_an_answer_that_comes_late_is_ignored() -> None:
    heard = at_pause()
    heard.wait(1)
    assert len(heard.ended()) == 1
    assert heard.ear.verdict(1, 0.1, heard.now) == []
    assert heard.ear.verdict(1, 0.9, heard.now) == []
    assert heard.ear.next_deadline() is None


def test_an_answer_about_an_earlier_pause_is_ignored() -> None:
    heard = at_pause()
    heard.hear(says(0.32), nothing(0.22))
    assert [paused.pause for paused in heard.pauses()] == [1, 2]
    assert heard.ear.verdict(1, 0.9, heard.now, pause=1) == []
    heard.wait(0.15)
    assert heard.ended() == []
    # One about this pause is not.
    assert kinds(heard.ear.verdict(1, 0.9, heard.now, pause=2)) == ["TurnEnded"]


def test_an_answer_that_comes_when_the_speaker_goes_on_is_ignored() -> None:
    heard = at_pause()
    heard.hear(says(0.32))
    assert heard.ear.verdict(1, 0.9, heard.now) == []
    heard.hear(says(0.32))
    assert heard.ended() == []
    heard.hear(nothing(0.3))
    assert heard.ended() == []


def test_answers_about_turns_that_never_were_are_ignored() -> None:
    heard = at_pause()
    assert heard.ear.verdict(0, 0.9, heard.now) == []
    assert heard.ear.verdict(2, 0.9, heard.now) == []
    assert silence(heard) == pytest.approx(ADAPTIVE, abs=0.002)
    assert Listening().ear.verdict(1, 0.9, 0.0) == []


def test_the_first_answer_about_a_pause_counts() -> None:
    heard = at_pause()
    heard.ear.verdict(1, 0.1, heard.now)
    heard.wait(0.5)
    assert heard.ear.verdict(1, 0.9, heard.now) == []
    assert heard.ended() == []


def test_a_verdict_counts_for_one_pause() -> None:
    heard = at_pause()
    heard.ear.verdict(1, 0.1, heard.now)
    heard.hear(nothing(0.4), says(0.32))
    voiced_until = heard.now
    heard.hear(nothing(2.5))
    assert heard.ended()[0].reason is Ending.SILENCE
    assert heard.ended()[0].last_voiced_at == pytest.approx(voiced_until, abs=0.033)


def test_complete_waits_as_long_as_the_speaker_usually_pauses() -> None:
    heard = Listening()
    for _ in range(8):
        heard.hear(says(0.64), nothing(0.6))
        heard.ear.verdict(1, 0.1, heard.now)
    heard.hear(says(0.64), nothing(PAUSE))
    assert heard.ear.verdict(1, 0.9, heard.now) == []
    assert 0.45 < silence(heard) < heard.ear.silence.wait
    assert heard.ended()[-1].reason is Ending.COMPLETE


def test_incomplete_does_not_outlast_the_longest_turn() -> None:
    heard = Listening(settings=Settings(longest=2))
    heard.hear(says(1.6), nothing(PAUSE))
    assert heard.ear.verdict(1, 0.1, heard.now) == []
    heard.hear(hums(0.24))
    assert [event.reason for event in heard.ended()] == [Ending.LONG]
    check_order(heard.events)
