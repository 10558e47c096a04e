from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.voice.playback.material import phrase, unmade, voice
from trainer.ports.speech import Sound
from voice_sidecar.playback.opus import Encoding
from voice_sidecar.playback.phrases import Packet, Phrase, before, encoded, spoken_part

LOUD, LOW = -20.0, -70.0


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, ""),
        (0.19, ""),
        (0.2, "We"),
        (0.69, "We"),
        (0.7, "We leave"),
        (0.999, "We leave"),
        (1.0, "We leave now"),
    ],
)
def test_words_count_when_all_their_letters_were_said(share: float, said: str) -> None:
    assert spoken_part("We leave now", share) == said


@given(st.text(max_size=80), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_never_has_fewer_words_and_all_of_it_is_the_text(text: str, one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert text.startswith(spoken_part(text, more))
    assert spoken_part(text, more).startswith(spoken_part(text, less))
    assert spoken_part(text, 1).split() == text.split()
    assert spoken_part(text, 0) == ""


def test_spaces_and_lines_stay_as_they_were_given() -> None:
    assert spoken_part("Да,  конечно.\nИ ещё одно", 0.8) == "Да,  конечно.\nИ ещё"


def test_what_has_no_spaces_is_said_at_its_end() -> None:
    assert spoken_part("今天天气很好", 0.99) == ""
    assert spoken_part("今天天气很好", 1) == "今天天气很好"


def test_only_audible_packets_have_words() -> None:
    spoken = phrase("One two", [LOW] * 10 + [LOUD] * 10 + [LOW] * 30)
    assert [spoken.share(sent) for sent in (0, 10, 15, 20, 50)] == [0, 0, 0.5, 1, 1]
    # By time alone, half of the words would have been said by the middle, when all of them were.
    assert spoken.share(25) != 25 / 50


def test_before_all_packets_are_made_the_missing_ones_are_taken_for_words() -> None:
    made = unmade("One two", 10)
    assert made.share(0) == 0
    made.grow([Packet(b"a", LOUD)] * 4)
    assert made.share(4) == pytest.approx(0.4)
    made.grow([Packet(b"a", LOUD)] * 6)
    assert made.share(10) < 1  # there might be more
    made.grow(None)
    assert made.share(10) == 1


def test_what_broke_is_never_whole() -> None:
    made = unmade("One two", 10)
    made.grow([Packet(b"a", LOUD)] * 4)
    made.grow(None, broken=True)
    assert made.share(4) == pytest.approx(0.4)
    assert made.source is None


def test_words_without_sound_are_not_heard() -> None:
    made = Phrase("Hello", encoded(Sound(b"", 24_000), Encoding()), 0)
    assert made.source is not None
    assert list(made.source) == []
    made.grow(None)
    assert made.share(0) == 0


def test_a_silent_phrase_is_said_when_it_was_sent() -> None:
    silent = phrase("…", [LOW] * 5)
    assert silent.share(4) == 0
    assert silent.share(5) == 1


def at(levels: str) -> list[Packet]:
    return [Packet(b"", LOW if letter == "." else LOUD) for letter in levels]


def test_it_goes_on_from_the_nearest_pause_some_way_back() -> None:
    words = at("www..wwww..wwwwwwww")
    assert before(words, 19, 5) == 10
    assert before(words, 13, 5) == 4
    assert before(words, 15, 4) == 10


def test_without_a_pause_it_goes_on_from_the_quietest_packet() -> None:
    word = [Packet(b"", LOUD + (index != 7) * 5) for index in range(30)]
    assert before(word, 14, 5) == 7
    assert before(at("w" * 30), 14, 5) == 9  # all alike: as near as may be


@given(st.lists(st.floats(-100, 0), max_size=80), st.data())
def test_it_goes_back_far_enough_and_not_too_far(levels: list[float], data: st.DataObject) -> None:
    packets = [Packet(b"", level) for level in levels]
    position = data.draw(st.integers(0, len(levels)))
    start = before(packets, position, 15)
    assert max(0, position - 15 - 22) <= start <= max(0, position - 15)


def test_packets_know_how_loud_they_are() -> None:
    sound = voice(1)
    quiet = Sound(bytes(24_000) + sound.pcm + bytes(24_000), 24_000)
    levels = [packet.level for batch in encoded(quiet, Encoding()) for packet in batch]
    assert max(levels[:24]) < -80
    assert max(levels[-24:]) < -80
    assert sum(level > -45 for level in levels[26:74]) > 40
