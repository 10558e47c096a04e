from __future__ import annotations

import pytest

from tests.voice.playback.material import phrase
from tests.voice.playback.scene import LOUD, LOW, SHORT, Scene, said
from voice_sidecar.parts import Heard


def test_a_pause_is_silent_at_once_and_loses_nothing() -> None:
    scene = Scene()
    scene.begin(said(8))
    assert scene.run(8) == "---01234"
    scene.programme.pause()
    scene.programme.pause()
    assert scene.run(4) == "----"
    assert scene.programme.playing
    scene.programme.resume()
    scene.programme.resume()
    assert scene.run(6) == "34567-"
    assert scene.ends == [Heard("One two three four five", 0.16, whole=True)]


def test_a_long_pause_sends_nothing_and_begins_anew() -> None:
    scene = Scene()
    scene.begin(said(8))
    scene.run(8)
    scene.programme.pause()
    assert scene.run(10) == "-------   "
    scene.programme.resume()
    assert scene.run(9) == "---34567-"


def test_going_on_begins_at_a_pause_between_words() -> None:
    scene = Scene(SHORT._replace(back=0.06))
    scene.begin(phrase("One two", [LOUD, LOUD, LOW, LOUD, LOUD, LOUD, LOUD, LOUD]))
    assert scene.run(9) == "---012345"
    scene.programme.pause()
    scene.programme.resume()
    assert scene.run(6) == "234567"


def test_what_is_said_again_is_not_heard_twice() -> None:
    scene = Scene()
    track = scene.begin(said(10))
    scene.run(8)
    before = track.heard()
    scene.programme.pause()
    scene.programme.resume()
    assert scene.run(1) == "3"
    assert track.heard() == before == Heard("One two", 0.1, whole=False)


def test_a_pause_with_nothing_said_is_none() -> None:
    scene = Scene()
    scene.programme.pause()
    scene.begin(said(1))
    assert scene.run(4) == "---0"


def test_a_pause_between_phrases_repeats_nothing() -> None:
    scene = Scene()
    track = scene.begin(said(4), finish=False)
    assert scene.run(8) == "---0123-"
    scene.programme.pause()
    scene.programme.add(track, said(2))
    assert scene.run(2) == "--"
    scene.programme.resume()
    assert scene.run(2) == "01"


def test_a_pause_ends_with_the_utterance_and_holds_for_those_that_wait() -> None:
    scene = Scene()
    track = scene.begin(said(2), finish=False)
    scene.run(6)
    scene.programme.pause()
    scene.programme.finish(track)
    assert not scene.programme.playing
    track = scene.begin(said(2), finish=False)
    scene.begin(said(2))
    assert scene.run(3) == "01-"
    scene.programme.pause()
    scene.programme.finish(track)
    assert scene.run(2) == "--"
    scene.programme.resume()
    assert scene.run(2) == "01"


def test_stop_drops_everything_and_tells_what_was_heard() -> None:
    scene = Scene()
    scene.begin(said(10))
    waiting = scene.begin(said(10))
    assert scene.run(8) == "---01234"
    assert scene.programme.stop() == Heard("One two", 0.1, whole=False)
    assert scene.programme.stop() is None
    assert scene.ends == [Heard("One two", 0.1, whole=False), Heard("", 0, whole=False)]
    assert scene.run(8) == "-----   "
    scene.programme.add(waiting, said(3))
    scene.programme.finish(waiting)
    assert scene.run(2) == "  "
    assert len(scene.ends) == 2


def test_stop_in_a_pause_and_then_a_new_one() -> None:
    scene = Scene()
    scene.begin(said(10))
    scene.run(8)
    scene.programme.pause()
    scene.run(2)
    scene.programme.stop()
    scene.begin(said(2))
    assert scene.run(3) == "01-"


def test_stop_before_anything_was_sent_sends_nothing() -> None:
    scene = Scene()
    scene.begin(said(2))
    assert scene.programme.stop() == Heard("", 0, whole=False)
    assert scene.run(2) == "  "


def test_stop_in_the_pause_at_the_end_of_the_last_phrase_misses_no_word() -> None:
    scene = Scene()
    scene.begin(phrase("One two", [LOUD, LOUD, LOW, LOW, LOW]))
    scene.run(6)
    assert scene.programme.stop() == Heard("One two", 3 / 50, whole=True)


def test_a_pause_costs_no_patience() -> None:
    scene = Scene()
    scene.begin(said(5))
    scene.run(5)
    scene.run(3, taken=False)
    scene.programme.pause()
    scene.run(20, taken=False)
    scene.programme.resume()
    scene.run(3, taken=False)
    assert not scene.ends


def test_a_packet_that_was_on_its_way_when_it_was_turned_back_or_stopped() -> None:
    scene = Scene()
    track = scene.begin(said(9))
    scene.run(8)
    due = scene.programme.due()
    assert due is not None
    scene.programme.pause()
    scene.programme.resume()
    scene.programme.sent(due, 1.0, taken=True)
    assert track.heard().seconds == pytest.approx(0.12)
    assert scene.run(4) == "3456"
    due = scene.programme.due()
    assert due is not None
    stopped = scene.programme.stop()
    scene.programme.sent(due, 2.0, taken=True)
    assert track.heard() == stopped
    assert scene.run(7) == "-----  "
