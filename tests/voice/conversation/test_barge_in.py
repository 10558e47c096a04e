"""Whose speech silences us, and until when."""

from __future__ import annotations

import pytest

from voice_sidecar.conversation.barge_in import BargeIn

ANNA, BORIS, CAROL = 1, 2, 3


@pytest.fixture
def barge_in() -> BargeIn:
    """Something is being said to Anna."""
    machine = BargeIn(voiced_s=0.25, others_most_s=5.0)
    assert not machine.begin(ANNA, 0.0)
    return machine


def test_a_quarter_of_a_second_and_once(barge_in: BargeIn) -> None:
    assert not barge_in.speech(ANNA, 1, 0.24, 0.0)
    assert barge_in.speech(ANNA, 1, 0.25, 0.0)
    assert not barge_in.speech(ANNA, 1, 0.28, 0.0)
    assert barge_in.paused
    assert barge_in.held_by(ANNA, 1)
    assert not barge_in.held_by(ANNA, 2)


def test_a_false_alarm(barge_in: BargeIn) -> None:
    barge_in.speech(ANNA, 1, 0.3, 0.0)
    assert barge_in.settled(ANNA, 1, 1.0)
    assert not barge_in.paused
    assert not barge_in.settled(ANNA, 1, 1.0)
    assert barge_in.speech(ANNA, 2, 0.3, 2.0)


def test_of_several_all_are_waited_for(barge_in: BargeIn) -> None:
    barge_in.speech(ANNA, 1, 0.3, 0.0)
    assert not barge_in.speech(BORIS, 2, 0.3, 0.0)
    assert not barge_in.settled(ANNA, 1, 1.0)
    assert barge_in.settled(BORIS, 2, 1.0)


def test_while_nothing_is_said_nothing_is_paused() -> None:
    machine = BargeIn()
    assert not machine.speech(ANNA, 1, 3.0, 0.0)
    assert not machine.settled(ANNA, 1, 0.0)


def test_what_is_about_to_be_said_waits_for_whoever_speaks() -> None:
    machine = BargeIn()
    machine.speech(BORIS, 1, 3.0, 0.0)
    machine.speech(CAROL, 2, 0.1, 0.0)
    assert machine.begin(ANNA, 1.0)
    assert machine.held_by(BORIS, 1)
    assert machine.settled(BORIS, 1, 2.0)


def test_once_it_is_over_nobody_holds_it(barge_in: BargeIn) -> None:
    barge_in.speech(ANNA, 1, 0.3, 0.0)
    barge_in.over()
    assert not barge_in.paused
    assert barge_in.deadline() is None
    assert not barge_in.settled(ANNA, 1, 1.0)


def test_others_have_a_few_seconds_of_each_answer(barge_in: BargeIn) -> None:
    barge_in.speech(BORIS, 1, 0.3, 10.0)
    assert barge_in.deadline() == 15.0
    assert barge_in.settled(BORIS, 1, 13.0)  # three of five
    assert barge_in.deadline() is None
    barge_in.speech(CAROL, 2, 0.3, 20.0)
    assert barge_in.deadline() == 22.0
    assert not barge_in.due(21.9)
    assert barge_in.due(22.0)
    assert not barge_in.due(22.0)
    assert not barge_in.speech(CAROL, 2, 2.0, 22.5)
    assert not barge_in.speech(BORIS, 3, 2.0, 23.0)
    assert barge_in.speech(ANNA, 4, 0.3, 23.0)
    barge_in.over()
    assert barge_in.begin(ANNA, 24.0)  # Anna still speaks
    assert barge_in.settled(ANNA, 4, 24.0) is False  # and so do the others, who may again
    assert barge_in.deadline() == 29.0


def test_whoever_is_answered_may_take_their_time(barge_in: BargeIn) -> None:
    barge_in.speech(BORIS, 1, 0.3, 10.0)
    barge_in.speech(ANNA, 2, 0.3, 12.0)
    assert barge_in.deadline() is None
    assert not barge_in.due(1000.0)
    barge_in.settled(ANNA, 2, 20.0)
    assert barge_in.deadline() == 23.0  # of the five two were used


def test_whoever_is_gone_holds_nothing(barge_in: BargeIn) -> None:
    barge_in.speech(BORIS, 1, 0.3, 0.0)
    barge_in.speech(BORIS, 2, 0.3, 0.0)
    assert not barge_in.gone(CAROL, 1.0)
    assert barge_in.gone(BORIS, 1.0)
    assert not barge_in.paused
