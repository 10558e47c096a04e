"""Long sound in pieces: nothing lost, no word cut, exact times."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.speech.sounds import in_chunks, joined, noise, silence, tone, voice
from trainer.speech.audio_pcm import RATE, Samples
from trainer.speech.splitting import SHORTEST_S, Piece, split

if TYPE_CHECKING:
    from collections.abc import Iterator


def pieces_of(samples: Samples, most_s: float, *, chunk: int = RATE) -> list[Piece]:
    return list(split(in_chunks(samples, chunk), most_s=most_s))


PARTS = st.lists(
    st.one_of(
        st.builds(lambda tenths: voice(tenths / 10), st.integers(1, 60)),
        st.builds(lambda tenths: silence(tenths / 10), st.integers(1, 40)),
        st.builds(lambda tenths, dbfs: noise(tenths / 10, dbfs=dbfs), st.integers(1, 40), st.integers(-90, -20)),
        st.builds(lambda count: np.full(count, -32_768, np.int16), st.integers(1, 20_000)),
    ),
    max_size=8,
)


@settings(max_examples=40, deadline=None)
@given(parts=PARTS, most_s=st.floats(SHORTEST_S, 9), chunk=st.integers(1_000, 40_000))
def test_nothing_is_lost(parts: list[Samples], most_s: float, chunk: int) -> None:
    """The pieces joined are the input, each knows where it is, and none is too long or a scrap."""
    sound = joined(np.empty(0, np.int16), *parts)
    pieces = pieces_of(sound, most_s, chunk=chunk)
    assert np.array_equal(joined(np.empty(0, np.int16), *(piece.samples for piece in pieces)), sound)
    assert [piece.start for piece in pieces] == [0, *np.cumsum([len(piece.samples) for piece in pieces])][
        : len(pieces)
    ]
    most = int(most_s * RATE)
    for piece in pieces:
        assert len(piece.samples) <= most
        assert len(piece.samples) >= most // 3 - 1 or len(pieces) == 1
        assert piece.end_s == pytest.approx(piece.start_s + len(piece.samples) / RATE)
        assert 0 <= piece.lead <= len(piece.samples) - piece.tail
        assert len(piece.trimmed) == len(piece.samples) - piece.lead - piece.tail
        if piece.silent:
            assert len(piece.trimmed) == 0
        else:
            at = round(piece.trimmed_start_s * RATE)
            assert np.array_equal(sound[at : at + len(piece.trimmed)], piece.trimmed)


def test_no_sound_at_all() -> None:
    assert list(split([], most_s=10)) == []


def test_short_sound_is_one_piece() -> None:
    (piece,) = pieces_of(voice(5), 5)
    assert (piece.start, len(piece.samples)) == (0, 5 * RATE)


def test_cut_in_the_middle_of_the_longest_pause() -> None:
    """Of pauses of 0.5 s at 5.5 s, 1 s at 7 s and 0.3 s at 9 s, the one in the middle."""
    sound = joined(
        voice(5.5), silence(0.5), voice(1, seed=2), silence(1), voice(1, seed=3), silence(0.3), voice(5, seed=4)
    )
    first, second = pieces_of(sound, 10)
    assert first.end_s == pytest.approx(7.5, abs=0.05)
    assert second.start == len(first.samples)


def test_pauses_with_noise_are_pauses() -> None:
    sound = joined(voice(8), silence(0.8), voice(6, seed=2))
    sound = (sound + noise(len(sound) / RATE, dbfs=-48)).astype(np.int16)
    first, _ = pieces_of(sound, 10)
    assert first.end_s == pytest.approx(8.4, abs=0.1)


def test_a_late_pause_goes_before_a_longer_early_one() -> None:
    """Recognisers take as long for a short piece as for a full one."""
    sound = joined(voice(4), silence(1.5), voice(3, seed=2), silence(0.4), voice(6, seed=3))
    assert pieces_of(sound, 10)[0].end_s == pytest.approx(8.7, abs=0.05)


def test_without_a_pause_at_the_quietest_place() -> None:
    """Somebody who never stops: between two syllables, not in one."""
    loud = tone(20, dbfs=-20)
    loud[int(8.0 * RATE) : int(8.2 * RATE)] //= 4
    assert pieces_of(loud, 10)[0].end_s == pytest.approx(8.1, abs=0.05)


def test_silence_at_both_ends_is_trimmed() -> None:
    (piece,) = pieces_of(joined(silence(1), voice(2), silence(3)), 10)
    assert not piece.silent
    assert piece.trimmed_start_s == pytest.approx(0.8, abs=0.06)
    assert len(piece.trimmed) / RATE == pytest.approx(2.4, abs=0.1)


@pytest.mark.parametrize("sound", [silence(3), noise(3, dbfs=-75), np.full(3 * RATE, 500, np.int16)])
def test_only_silence(sound: Samples) -> None:
    (piece,) = pieces_of(sound, 10)
    assert piece.silent
    assert len(piece.trimmed) == 0


def test_without_silence_nothing_is_trimmed() -> None:
    (piece,) = pieces_of(tone(3, dbfs=-30), 10)
    assert (piece.lead, piece.tail) == (0, 0)


def test_too_short_a_limit() -> None:
    with pytest.raises(ValueError, match="pieces of at least"):
        list(split([voice(1)], most_s=1.9))


def test_memory_does_not_grow_with_the_length() -> None:
    """Twenty minutes are 38 MB of samples; pieces of 10 s have 320 kB."""
    second = voice(1)

    def talking() -> Iterator[Samples]:
        for _ in range(1_200):
            yield second

    tracemalloc.start()
    try:
        pieces = sum(1 for _ in split(talking(), most_s=10))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert pieces >= 120
    assert peak < 5_000_000


def test_pieces_do_not_hold_what_went_before() -> None:
    """A piece kept for later keeps its own samples alive, not the buffer that it was cut from."""
    for piece in pieces_of(voice(30), 5):
        assert piece.samples.base is None
