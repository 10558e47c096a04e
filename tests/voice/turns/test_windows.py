"""Windows and our clock."""

from __future__ import annotations

import pytest

from tests.voice.turns.listening import SLOT, USER, Listening, check_order, kinds, nothing, pcm, says
from voice_sidecar.receiving.speaker import Chunk, Sound
from voice_sidecar.turns.events import Ending, SpeechBegan, TurnEnded
from voice_sidecar.turns.vad import RATE, WINDOW
from voice_sidecar.turns.windows import Quiet, Window, Windows


def chunk(
    position: int, samples: int = SLOT, *, stream: int = 1, sound: Sound = Sound.HEARD, level: int = 5
) -> Chunk:
    return Chunk(USER, stream, position, pcm(level, samples), sound)


def test_pieces_become_windows() -> None:
    windows = Windows()
    steps = []
    for k in range(8):
        steps += windows.take(chunk(1000 + k * SLOT, level=k), k / 50, in_turn=False)
    assert [(step.start, step.end) for step in steps] == [(k * WINDOW, (k + 1) * WINDOW) for k in range(5)]
    assert b"".join(step.pcm for step in steps if isinstance(step, Window)) == b"".join(
        pcm(k, SLOT) for k in range(8)
    )


def test_what_is_held_back_comes_before_a_gap() -> None:
    windows = Windows()
    assert windows.take(chunk(0), 0, in_turn=False) == []
    steps = windows.take(chunk(1000), 0, in_turn=False)
    assert steps == [Window(0, SLOT, pcm(5, SLOT)), Quiet(SLOT, 1000)]
    assert windows.flush() == [Window(1000, 1000 + SLOT, pcm(5, SLOT))]
    assert windows.flush() == []


def test_silence_of_the_receiver_is_quiet() -> None:
    windows = Windows()
    windows.take(chunk(0), 0, in_turn=False)
    steps = windows.take(chunk(SLOT, sound=Sound.SILENCE), 0, in_turn=False)
    assert steps == [Window(0, SLOT, pcm(5, SLOT)), Quiet(SLOT, 2 * SLOT)]


def test_what_was_guessed_is_sound() -> None:
    windows = Windows()
    windows.take(chunk(0), 0, in_turn=False)
    steps = windows.take(chunk(SLOT, sound=Sound.CONCEALED), 0, in_turn=False)
    assert steps == [Window(0, WINDOW, pcm(5, WINDOW))]


@pytest.mark.parametrize("sound", list(Sound))
def test_nothing_is_taken_twice(sound: Sound) -> None:
    windows = Windows()
    windows.take(chunk(0, 1024), 0, in_turn=False)
    assert windows.take(chunk(0, 1024, sound=sound), 0, in_turn=False) == []
    assert windows.take(chunk(500, 524, sound=sound), 0, in_turn=False) == []
    steps = windows.take(chunk(900, 124 + WINDOW, sound=sound, level=9), 0, in_turn=False)
    if sound is Sound.SILENCE:
        assert steps == [Quiet(1024, 1024 + WINDOW)]
    else:
        assert steps == [Window(1024, 1024 + WINDOW, pcm(9, WINDOW))]


def test_an_empty_piece_is_nothing() -> None:
    windows = Windows()
    assert windows.take(chunk(7, 0), 0, in_turn=False) == []
    assert windows.take(chunk(7, WINDOW), 0, in_turn=False) != []


def test_the_clock_is_that_of_what_came_soonest() -> None:
    windows = Windows()
    windows.take(chunk(0), 100.3, in_turn=True)  # ended to be said at 100, came 0.3 s late
    windows.take(chunk(SLOT), 100.02, in_turn=True)
    windows.take(chunk(2 * SLOT), 100.2, in_turn=True)
    assert windows.clock(SLOT) == pytest.approx(100)
    assert windows.clock(3 * SLOT) == pytest.approx(100.04)


def test_between_turns_the_clock_is_set_anew() -> None:
    windows = Windows()
    windows.take(chunk(0), 100, in_turn=False)
    windows.take(chunk(SLOT), 100.3, in_turn=False)
    assert windows.clock(2 * SLOT) == pytest.approx(100.3)


def test_positions_that_stood_still_are_not_late() -> None:
    windows = Windows()
    windows.take(chunk(0), 100, in_turn=True)
    windows.take(chunk(SLOT), 103, in_turn=True)
    assert windows.clock(2 * SLOT) == pytest.approx(103)


def test_a_new_stream_goes_on_where_the_clock_is() -> None:
    windows = Windows()
    windows.take(chunk(0, WINDOW + 100), 100, in_turn=True)
    steps = windows.take(chunk(777_777, WINDOW, stream=2), 101, in_turn=True)
    assert steps[0] == Window(WINDOW, WINDOW + 100, pcm(5, 100))
    assert steps[1:] == [
        Quiet(WINDOW + 100, RATE + 100),
        Window(RATE + 100, RATE + 100 + WINDOW, pcm(5, WINDOW)),
    ]
    assert windows.clock(RATE + 100 + WINDOW) == pytest.approx(101)
    # Even if the clock says that it overlaps.
    steps = windows.take(chunk(0, WINDOW, stream=3), 101, in_turn=True)
    assert steps == [Window(RATE + 100 + WINDOW, RATE + 100 + 2 * WINDOW, pcm(5, WINDOW))]


def test_jitter_does_not_lengthen_a_turn() -> None:
    """Of two people who say the same, the packets of one come up to 180 ms late."""
    ends = []
    for late in (0.0, 0.18):
        heard = Listening()
        heard.hear(nothing(0.5), says(0.5))
        for _ in range(9):
            heard.slot(pcm(1000, SLOT))
        heard.slot(pcm(1000, SLOT), delay=late)
        last = heard.position / RATE
        heard.hear(nothing(2))
        check_order(heard.events)
        ended = heard.ended()[0]
        assert ended.last_voiced_at == pytest.approx(500 + last, abs=0.001)
        ends.append(ended)
    assert ends[0].voiced_s == ends[1].voiced_s


def test_a_burst_after_a_stall_is_one_turn_as_it_was_said() -> None:
    """What is said in 1.5 s comes at once: with a pause in it that ends nothing, and one that does."""
    heard = Listening()
    ear = heard.ear
    events = []
    script = [*[1000] * 25, *[0] * 20, *[1000] * 25, *[0] * 60]
    for k, level in enumerate(script):
        now = 500.0 + max(0.02 * (k + 1), 1.5)
        events += ear.feed(chunk(k * SLOT, level=level), now)
    assert kinds(events) == ["SpeechBegan", "SpeechGoesOn", "Paused", "WentOn", "SpeechGoesOn", "Paused", "TurnEnded"]
    check_order(events)
    assert isinstance(events[-1], TurnEnded)
    assert events[-1].last_voiced_at == pytest.approx(500 + 1.4, abs=0.033)


def test_a_person_who_comes_back_with_a_new_stream_begins_a_new_turn() -> None:
    heard = Listening()
    heard.hear(says(0.64))
    events = heard.ear.feed(Chunk(USER, 2, 0, pcm(1000, 2 * SLOT), Sound.HEARD), heard.now + 5)
    assert kinds(events) == ["Paused", "TurnEnded", "SpeechBegan", "SpeechGoesOn"]
    ended, began = events[1], events[2]
    assert isinstance(ended, TurnEnded)
    assert ended.reason is Ending.SILENCE
    assert isinstance(began, SpeechBegan)
    assert began.at == pytest.approx(heard.now + 5 - 0.04)


def test_a_person_whose_stream_changes_in_mid_speech_is_in_the_same_turn() -> None:
    heard = Listening()
    heard.hear(says(0.64))
    events = heard.ear.feed(Chunk(USER, 2, 0, pcm(1000, 2 * SLOT), Sound.HEARD), heard.now + 0.1)
    assert kinds(events) == ["SpeechGoesOn"]
