from __future__ import annotations

import pytest

from tests.voice.playback.material import phrase, unmade
from tests.voice.playback.scene import LOUD, LOW, SHORT, Scene, said
from voice_sidecar.parts import Heard
from voice_sidecar.playback.programme import Timing


def test_silence_then_sound_then_silence_then_nothing() -> None:
    scene = Scene()
    scene.begin(said(4))
    assert scene.run(15) == "---0123-----   "
    assert scene.ends == [Heard("One two three four five", 0.08, whole=True)]
    assert not scene.programme.playing


def test_no_gap_between_phrases_nor_between_utterances_that_wait() -> None:
    scene = Scene()
    scene.begin(said(2), said(3))
    scene.begin(said(2))
    assert scene.run(17) == "---0101201-----  "
    assert [heard.seconds for heard in scene.ends] == [pytest.approx(0.1), pytest.approx(0.04)]


def test_what_is_left_of_an_utterance() -> None:
    scene = Scene()
    track = scene.begin(said(10), unmade("Six seven", 50), finish=False)
    assert track.left_s() == pytest.approx(1.2)  # what is not made counts as long as it is expected to be
    scene.run(3 + 4)
    assert track.left_s() == pytest.approx(1.12)
    scene.programme.pause()
    scene.run(3)
    scene.programme.resume()  # two packets back
    assert track.left_s() == pytest.approx(1.16)
    scene.programme.stop()
    assert track.left_s() == 0


def test_a_phrase_that_came_out_shorter_is_not_waited_for() -> None:
    """Else whoever waits for the rest of it to be played would wait for ever."""
    scene = Scene()
    short = unmade("Six seven", 50)
    track = scene.begin(short, finish=False)
    scene.programme.grow(short, said(4).packets)
    scene.programme.grow(short, None)
    scene.run(10)
    assert track.left_s() == 0


def test_while_the_first_phrase_is_made_the_silence_is_sent() -> None:
    scene = Scene()
    track = scene.begin(finish=False)
    assert scene.run(5) == "-----"
    scene.programme.add(track, said(2))
    assert scene.run(2) == "01"
    assert not scene.ends
    scene.programme.finish(track)
    assert scene.ends == [Heard("One two three four five", 0.04, whole=True)]


def test_part_of_the_silence_counts_too() -> None:
    scene = Scene()
    track = scene.begin(finish=False)
    assert scene.run(1) == "-"
    scene.programme.add(track, said(2))
    assert scene.run(4) == "--01"


def test_waiting_long_for_a_phrase_sends_nothing_and_begins_anew() -> None:
    scene = Scene()
    track = scene.begin(said(2), finish=False)
    assert scene.run(15) == "---01-------   "
    assert scene.programme.playing
    scene.programme.add(track, said(2))
    assert scene.run(6) == "---01-"


def test_the_next_one_is_waited_for_with_silence_too() -> None:
    scene = Scene()
    scene.begin(finish=False)
    assert scene.run(9) == "-------  "
    scene.programme.stop()
    scene.begin(finish=False)
    assert scene.run(9) == "-------  "


def test_waiting_shortly_goes_on_at_once() -> None:
    scene = Scene()
    track = scene.begin(said(2), finish=False)
    assert scene.run(9) == "---01----"
    scene.programme.add(track, said(2))
    assert scene.run(3) == "01-"


def test_the_next_utterance_right_after_the_last_needs_no_silence_and_a_later_one_does() -> None:
    scene = Scene()
    scene.begin(said(1))
    assert scene.run(6) == "---0--"
    scene.begin(said(1))
    assert scene.run(8) == "0-----  "
    scene.begin(said(1))
    assert scene.run(4) == "---0"


def test_the_first_audible_packet_is_told_once_and_not_the_silence_before_it() -> None:
    scene = Scene()
    scene.begin(phrase("Hello", [LOW, LOW, LOUD, LOUD]))
    scene.run(5)
    assert scene.first == []
    scene.run(10)
    assert scene.first == [pytest.approx(5 * 0.02)]


def test_a_refused_packet_is_not_the_first_one() -> None:
    scene = Scene()
    scene.begin(said(4))
    scene.run(3)
    scene.run(2, taken=False)
    scene.run(4)
    assert scene.first == [pytest.approx(5 * 0.02)]


def test_phrases_that_were_not_reached_are_missing() -> None:
    scene = Scene()
    track = scene.begin(said(2), said(2, "Six"))
    scene.run(5)
    assert track.heard() == Heard("One two three four five", 0.04, whole=False)
    scene.run(2)
    assert track.heard() == Heard("One two three four five Six", 0.08, whole=True)


def test_nothing_is_added_after_the_end() -> None:
    scene = Scene()
    track = scene.begin(said(2))
    scene.programme.add(track, said(2))
    scene.run(20)
    scene.programme.add(track, said(2))
    assert scene.ends == [track.heard()]
    assert track.heard().seconds == pytest.approx(0.04)
    assert track.end() == track.heard()
    assert len(scene.ends) == 1


def test_an_utterance_of_nothing_is_over_at_once_wherever_it_waits() -> None:
    scene = Scene()
    scene.begin()
    assert scene.ends == [Heard("", 0, whole=True)]
    scene.begin(said(2))
    scene.begin()
    scene.begin(said(1))
    assert len(scene.ends) == 1
    assert scene.run(8) == "---010--"
    assert len(scene.ends) == 4


def test_refused_sound_waits_and_goes_on_where_it_was() -> None:
    scene = Scene()
    scene.begin(said(6))
    assert scene.run(5) == "---01"
    assert scene.run(2, taken=False) == "22"
    assert scene.run(5) == "2345-"
    assert scene.ends[0].whole


def test_after_a_longer_refusal_there_is_silence_again_first() -> None:
    scene = Scene()
    scene.begin(said(6))
    scene.run(5)
    assert scene.run(4, taken=False) == "222-"
    assert scene.run(5) == "---23"


def test_a_connection_that_does_not_recover_ends_the_utterance_but_not_the_next() -> None:
    scene = Scene()
    scene.begin(said(10))
    scene.begin(said(2))
    scene.begin()
    scene.run(8)
    assert scene.run(5, taken=False) == "555--"
    assert not scene.ends
    scene.run(1, taken=False)
    assert scene.ends == [Heard("One two", 0.1, whole=False)]
    assert scene.run(6) == "---01-"
    assert scene.ends[1:] == [Heard("One two three four five", 0.04, whole=True), Heard("", 0, whole=True)]


def test_giving_up_the_last_one_clears_what_follows_it() -> None:
    scene = Scene()
    scene.begin(said(3))
    scene.begin()
    scene.run(10, taken=False)
    assert [heard.whole for heard in scene.ends] == [False, True]
    assert not scene.programme.playing
    assert scene.run(10, taken=False).endswith("   ")


def test_refused_silence_costs_no_patience() -> None:
    scene = Scene()
    track = scene.begin(finish=False)
    scene.run(7, taken=False)
    assert scene.run(3) == "   "
    scene.programme.add(track, said(2))
    assert scene.run(3) == "---"
    scene.run(4, taken=False)
    scene.run(1)
    scene.run(4, taken=False)
    assert not scene.ends


def test_packets_are_waited_for_and_made_in_the_order_in_which_they_are_needed() -> None:
    scene = Scene()
    first, second = unmade("One", 2), unmade("two", 2)
    track = scene.begin(first, second)
    assert scene.run(4) == "----"
    assert scene.programme.unmade() is first
    assert first.source is not None
    assert second.source is not None
    scene.programme.grow(first, next(first.source))
    assert scene.run(3) == "01-"
    assert track.heard() == Heard("", 0.04, whole=False)  # a third packet might have been made of the word
    scene.programme.grow(first, None)
    assert track.heard() == Heard("One", 0.04, whole=False)
    assert scene.programme.unmade() is second
    scene.programme.grow(second, next(second.source))
    scene.programme.grow(second, None)
    assert scene.programme.unmade() is None
    assert scene.run(2) == "01"
    assert scene.ends == [Heard("One two", 0.08, whole=True)]


def test_a_phrase_that_breaks_is_passed_over_and_missed() -> None:
    scene = Scene()
    broken = unmade("Broken", 2)
    scene.begin(said(1, "One"), broken, said(1, "two"))
    scene.programme.grow(broken, None, broken=True)
    assert scene.run(5) == "---00"
    assert scene.ends == [Heard("One two", 0.04, whole=False)]


def test_an_utterance_that_breaks_as_a_whole_ends() -> None:
    scene = Scene()
    broken = unmade("Broken", 2)
    scene.begin(broken)
    scene.programme.grow(broken, None, broken=True)
    assert scene.ends == [Heard("", 0, whole=False)]


def test_no_lead_if_none_is_wanted() -> None:
    scene = Scene(SHORT._replace(lead=0.0))
    scene.begin(said(2))
    assert scene.run(3) == "01-"


def test_the_usual_times_are_whole_packets() -> None:
    scene = Scene(Timing())
    scene.begin(said(3))
    assert scene.run(20) == "-" * 10 + "012" + "-" * 5 + "  "
