"""Turns by silence alone."""

from __future__ import annotations

import pytest

from tests.voice.turns.listening import (
    SLOT,
    T0,
    USER,
    Listening,
    ScriptedVad,
    check_order,
    hums,
    kinds,
    nothing,
    pcm,
    says,
)
from voice_sidecar.receiving.speaker import Chunk, Sound
from voice_sidecar.turns.ear import Ear
from voice_sidecar.turns.events import (
    Dropped,
    DropReason,
    Ending,
    Paused,
    SpeechBegan,
    SpeechGoesOn,
    TurnEnded,
    WentOn,
)
from voice_sidecar.turns.settings import Settings
from voice_sidecar.turns.vad import RATE, WINDOW

WINDOW_S = WINDOW / RATE


def near(seconds: float) -> object:
    """As near as windows allow."""
    return pytest.approx(seconds, abs=WINDOW_S + 0.001)


def test_a_turn() -> None:
    heard = Listening()
    heard.hear(nothing(1), says(1), nothing(1))
    assert kinds(heard.events) == ["SpeechBegan", "SpeechGoesOn", "Paused", "TurnEnded"]
    check_order(heard.events)
    began, ended = heard.events[0], heard.events[-1]
    assert isinstance(began, SpeechBegan)
    assert isinstance(ended, TurnEnded)
    assert began.at == near(T0 + 1)
    assert ended.last_voiced_at == near(T0 + 2)
    assert ended.voiced_s == near(1)
    assert ended.reason is Ending.SILENCE
    assert heard.ear.next_deadline() is None


def test_speech_goes_on_with_every_window() -> None:
    heard = Listening()
    heard.hear(says(0.64))
    told = [event for event in heard.events if isinstance(event, SpeechGoesOn)]
    assert [event.voiced_s for event in told] == pytest.approx([WINDOW_S * k for k in range(1, 21)])
    assert [event.at for event in told] == pytest.approx([T0 + WINDOW_S * k for k in range(1, 21)])


def test_when_the_pause_and_the_end_are_told() -> None:
    heard = Listening()
    heard.hear(says(0.96))
    deadline = heard.due()
    assert deadline == pytest.approx(T0 + 0.96 + 0.2)
    assert heard.ear.tick(deadline - 0.001) == []
    assert kinds(heard.ear.tick(deadline)) == ["Paused"]
    deadline = heard.due()
    assert deadline == pytest.approx(T0 + 0.96 + 0.7)
    assert heard.ear.tick(deadline - 0.001) == []
    assert kinds(heard.ear.tick(deadline)) == ["TurnEnded"]
    assert heard.ear.tick(deadline + 10) == []


def test_a_tick_that_is_very_late_tells_everything_once() -> None:
    heard = Listening()
    heard.hear(says(0.96))
    assert kinds(heard.ear.tick(T0 + 1000)) == ["Paused", "TurnEnded"]


def test_silence_that_is_sent_ends_turns_as_silence_that_is_not() -> None:
    told = []
    for pause in (nothing(1), hums(1), hums(1, 0)):
        heard = Listening()
        heard.hear(says(0.96), pause)
        told.append([event for event in heard.events if not isinstance(event, SpeechGoesOn)])
    sent, hummed, zeros = told
    assert kinds(sent) == kinds(hummed) == kinds(zeros) == ["SpeechBegan", "Paused", "TurnEnded"]
    for events in told:
        assert isinstance(events[-1], TurnEnded)
        assert events[-1].last_voiced_at == pytest.approx(T0 + 0.96)


def test_going_on_after_a_short_pause() -> None:
    heard = Listening()
    heard.hear(says(0.5), nothing(0.1), says(0.5), nothing(0.3), says(0.5), nothing(2))
    assert kinds(heard.events) == [
        "SpeechBegan",
        "SpeechGoesOn",
        "Paused",
        "WentOn",
        "SpeechGoesOn",
        "Paused",
        "TurnEnded",
    ]
    check_order(heard.events)
    first, second = heard.pauses()
    assert (first.pause, second.pause) == (1, 2)
    assert first.voiced_s == near(1)
    assert heard.ended()[0].voiced_s == near(1.5)
    assert len(second.sound.pcm) > len(first.sound.pcm)


def test_a_cough_is_dropped() -> None:
    heard = Listening()
    heard.hear(says(0.14), nothing(2))
    assert kinds(heard.events) == ["SpeechBegan", "SpeechGoesOn", "Dropped"]
    assert heard.events[-1] == Dropped(USER, 1, DropReason.SHORT)
    # So short a word would be a turn if less voice were enough.
    heard = Listening(settings=Settings(least_voice=0.1))
    heard.hear(says(0.14), nothing(2))
    assert kinds(heard.events)[-1] == "TurnEnded"


def test_a_cough_just_before_speech_belongs_to_it() -> None:
    heard = Listening()
    heard.hear(says(0.14), nothing(0.3), says(1), nothing(1))
    assert kinds(heard.events) == ["SpeechBegan", "SpeechGoesOn", "Paused", "TurnEnded"]


def test_hysteresis() -> None:
    heard = Listening()
    heard.hear(hums(0.5, 450))
    assert heard.events == []
    heard.hear(says(0.32), hums(0.64, 450), nothing(0.3))
    assert heard.pauses()[0].voiced_s == near(0.96)
    # Voice that is too faint to begin with does not count after a pause either.
    heard.hear(hums(0.1, 300), hums(2, 450))
    assert kinds(heard.events) == ["SpeechBegan", "SpeechGoesOn", "Paused", "TurnEnded"]


def test_the_sound_has_silence_in_front_then_what_came_before_the_voice() -> None:
    heard = Listening()
    heard.hear(hums(3, 77), says(0.64), nothing(1))
    sound = heard.ended()[0].sound
    assert sound.rate == RATE
    samples = memoryview(sound.pcm).cast("h")
    lead = round(0.5 * RATE)
    assert set(samples[:lead]) == {0}
    first = samples.tolist().index(1000)
    assert set(samples[lead:first]) == {77}
    # A window begins to be voice with its first voiced sample, so quiet sound of up to a window comes on top.
    assert round(0.3 * RATE) <= first - lead < round(0.3 * RATE) + WINDOW
    assert samples.tolist().count(1000) == round(0.64 * RATE)


def test_a_gap_is_silence_in_the_sound_as_long_as_it_was() -> None:
    heard = Listening()
    heard.hear(says(0.64), nothing(0.3), says(0.64), nothing(1))
    samples = memoryview(heard.ended()[0].sound.pcm).cast("h").tolist()
    first = samples.index(1000)
    gap = samples[first + round(0.64 * RATE) : first + round(0.94 * RATE)]
    assert set(gap) == {0}
    assert samples[first + round(0.94 * RATE)] == 1000


def test_quiet_beginnings_right_after_a_turn_are_kept() -> None:
    heard = Listening(settings=Settings(first_pause=0.4))
    heard.hear(says(0.64), hums(0.42, 55), says(0.64), nothing(1))
    first, second = heard.ended()
    samples = memoryview(second.sound.pcm).cast("h").tolist()
    before = samples[round(0.5 * RATE) : samples.index(1000)]
    assert set(before) == {55}
    assert len(before) >= round(0.25 * RATE)
    assert memoryview(first.sound.pcm).cast("h").tolist().count(1000) == round(0.64 * RATE)
    assert samples.count(1000) == round(0.64 * RATE)


def test_two_turns_have_two_numbers() -> None:
    heard = Listening()
    heard.hear(says(0.5), nothing(2), says(0.5), nothing(2))
    assert [event.turn for event in heard.ended()] == [1, 2]
    check_order(heard.events)


def test_the_longest_turn_is_cut_and_goes_on() -> None:
    heard = Listening(settings=Settings(longest=2))
    heard.hear(says(5), nothing(1))
    assert [event.reason for event in heard.ended()] == [Ending.LONG, Ending.LONG, Ending.SILENCE]
    check_order(heard.events)
    voiced = sum(memoryview(event.sound.pcm).cast("h").tolist().count(1000) for event in heard.ended())
    assert voiced == 5 * RATE  # nothing is lost, nothing said twice
    assert all(event.sound.seconds < 2 + 0.5 + WINDOW_S for event in heard.ended())


def test_a_long_turn_is_rather_ended_at_a_short_pause() -> None:
    heard = Listening(settings=Settings(longest=2))
    heard.hear(says(1.7), nothing(0.3), says(0.5), nothing(1))
    first, second = heard.ended()
    assert (first.reason, second.reason) == (Ending.LONG, Ending.SILENCE)
    assert first.voiced_s == near(1.7)
    # The same pause early in a turn ends nothing.
    heard = Listening(settings=Settings(longest=20))
    heard.hear(says(1.7), nothing(0.3), says(0.5), nothing(1))
    assert len(heard.ended()) == 1


def test_clicks_without_end_are_no_turn() -> None:
    heard = Listening(settings=Settings(longest=2))
    for _ in range(60):
        heard.hear(says(0.02), hums(0.38))
    assert heard.ended() == []
    assert len(heard.events) < 200
    check_order(heard.events)
    assert all(not turn.samples > 1.5 * RATE for turn in [heard.ear._turn] if turn)


def test_a_long_turn_with_hardly_any_voice_is_dropped() -> None:
    settings = Settings(longest=1, least_voice=0.9, least_pause=0.7, first_pause=0.7)
    heard = Listening(settings=settings)
    heard.hear(says(0.1), hums(0.6), says(0.1), hums(0.6))
    assert "Dropped" in kinds(heard.events)
    assert "Paused" not in kinds(heard.events)


def test_memory_is_bounded() -> None:
    heard = Listening()
    heard.hear(hums(120), nothing(1))
    assert len(heard.ear._before) <= 2 * round(0.3 * RATE)
    heard = Listening(settings=Settings(longest=3))
    most = 0
    for _ in range(20):
        heard.hear(says(0.5))
        assert heard.ear._turn is not None
        most = max(most, len(heard.ear._turn.pcm))
        heard.events.clear()
    assert most <= 2 * RATE * 3.6


def test_a_pause_that_positions_alone_tell() -> None:
    """No tick came in time: the loop was busy."""
    heard = Listening()
    ear = heard.ear
    events = []
    for position in (*range(0, RATE, SLOT), *range(3 * RATE, 4 * RATE, SLOT)):
        events += ear.feed(Chunk(USER, 1, position, pcm(1000, SLOT), Sound.HEARD), T0 + 10)
    assert kinds(events) == ["SpeechBegan", "SpeechGoesOn", "Paused", "TurnEnded", "SpeechBegan", "SpeechGoesOn"]
    check_order(events)


def test_silence_that_the_receiver_fills_in_is_no_work_for_the_model() -> None:
    vad = ScriptedVad()
    heard = Listening(vad=vad)
    heard.hear(says(0.64))
    asked = vad.asked
    events = []
    for position in range(round(0.64 * RATE), 2 * RATE, SLOT):
        now = T0 + (position + SLOT) / RATE
        events += heard.ear.feed(Chunk(USER, 1, position, bytes(2 * SLOT), Sound.SILENCE), now)
    assert kinds(events) == ["Paused", "TurnEnded"]
    assert vad.asked == asked


def test_the_model_begins_anew_after_silence() -> None:
    vad = ScriptedVad()
    heard = Listening(vad=vad)
    heard.hear(says(0.64), nothing(0.1), says(0.64))
    assert vad.resets == 0
    heard.hear(nothing(0.3), says(0.64))
    assert vad.resets == 1


def test_the_sound_of_somebody_else_is_refused() -> None:
    with pytest.raises(ValueError, match="somebody else"):
        Ear(7, ScriptedVad()).feed(Chunk(8, 1, 0, pcm(1000, SLOT), Sound.HEARD), 0)


def test_waits_longer_for_somebody_who_pauses_long() -> None:
    heard = Listening()
    before = heard.ear.silence.wait
    for _ in range(6):
        heard.hear(says(0.64), nothing(0.6))
    heard.hear(nothing(2))
    assert heard.ear.silence.wait > before
    slow = heard.ear.silence.wait
    heard.hear(says(0.64))
    voice_ended = heard.now
    heard.hear(nothing(3))
    assert heard.ended()[-1].reason is Ending.SILENCE
    assert slow > 0.7
    assert len(heard.ended()) == 2
    assert heard.ended()[-1].last_voiced_at == near(voice_ended)


def test_speech_right_after_an_end_shows_that_it_came_too_early() -> None:
    heard = Listening()
    before = heard.ear.silence.wait
    heard.hear(says(0.64), nothing(0.8), says(0.64))
    assert len(heard.ended()) == 1
    assert heard.ear.silence.wait > before
    # A new question much later tells nothing.
    heard = Listening()
    heard.hear(says(0.64), nothing(1.7), says(0.64))
    assert heard.ear.silence.wait == before


def test_a_cut_in_mid_speech_is_no_pause_of_the_speaker() -> None:
    heard = Listening(settings=Settings(longest=2))
    before = heard.ear.silence.wait
    heard.hear(says(6.5))
    assert heard.ear.silence.wait == before


def test_wrong_ears_are_found() -> None:
    """The checks of this file can fail."""
    heard = Listening()
    heard.hear(says(0.5), nothing(0.3), says(0.5), nothing(2))
    good = heard.events
    check_order(good)
    paused, ended = heard.pauses()[0], heard.ended()[0]
    for bad in (
        good[1:],
        [event for event in good if not isinstance(event, WentOn)],
        [event for event in good if not isinstance(event, Paused)],
        [*good, paused],
        [*good, SpeechBegan(USER, 1, 0.0)],
        [Dropped(USER, 1, DropReason.SHORT), *good],
        [*good[:-1], ended._replace(turn=9)],
        [*good[:-1], ended._replace(sound=paused.sound)],
    ):
        with pytest.raises(AssertionError):
            check_order(bad)
