"""Loudness, the gain for recognition, and what counts as silence."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.speech.sounds import in_chunks, joined, noise, silence, tone, voice
from trainer.speech.audio_levels import FRAME, TARGET, loudness, noise_floor, normalise, silence_below
from trainer.speech.audio_pcm import QUIETEST, RATE, Samples, frame_levels, level, regroup

NOTHING = np.empty(0, np.int16)


class TestLevels:
    @pytest.mark.parametrize("dbfs", [-60, -40, -20, -6])
    def test_of_a_tone(self, dbfs: float) -> None:
        assert level(tone(1, dbfs=dbfs)) == pytest.approx(dbfs, abs=0.2)

    def test_a_constant_offset_is_not_sound(self) -> None:
        assert level(np.full(1_000, 20_000, np.int16)) == QUIETEST
        assert level(tone(1, dbfs=-30) + np.int16(10_000)) == pytest.approx(-30, abs=0.2)

    def test_of_nothing(self) -> None:
        assert level(NOTHING) == QUIETEST
        assert len(frame_levels(NOTHING, 320)) == 0

    def test_an_incomplete_last_frame_counts(self) -> None:
        assert len(frame_levels(silence(1)[:640], 320)) == 2
        assert len(frame_levels(silence(1)[:641], 320)) == 3
        assert len(frame_levels(silence(1)[:100], 320)) == 1


class TestLoudness:
    def test_pauses_do_not_count(self) -> None:
        talk = voice(4, dbfs=-25)
        assert loudness(joined(talk, silence(20))) == pytest.approx(loudness(talk), abs=1)
        assert loudness(joined(talk, noise(20, dbfs=-60))) == pytest.approx(loudness(talk), abs=1)

    @pytest.mark.parametrize("samples", [NOTHING, silence(2), noise(2, dbfs=-85)])
    def test_of_silence(self, samples: Samples) -> None:
        assert loudness(samples) == QUIETEST


class TestNormalise:
    @pytest.mark.parametrize("dbfs", [-55, -40, -25, -12])
    def test_a_voice_gets_the_target(self, dbfs: float) -> None:
        """A voice has peaks, which may keep it a little below."""
        talk = joined(silence(0.5), voice(4, dbfs=dbfs), silence(1))
        assert loudness(normalise(talk)) == pytest.approx(TARGET, abs=2.5)

    def test_one_click_does_not_keep_a_voice_quiet(self) -> None:
        talk = voice(4, dbfs=-45)
        talk[20_000:20_020] = 32_767
        louder = normalise(talk)
        assert loudness(louder) == pytest.approx(TARGET, abs=2.5)
        assert louder.max() == 32_767

    def test_the_gain_has_a_limit(self) -> None:
        assert loudness(normalise(noise(2, dbfs=-66))) == pytest.approx(-26, abs=0.5)

    @pytest.mark.parametrize("samples", [NOTHING, silence(1), noise(1, dbfs=-88)])
    def test_silence_stays_silence(self, samples: Samples) -> None:
        assert np.array_equal(normalise(samples), samples)

    def test_an_offset_is_taken_away(self) -> None:
        centred = normalise(tone(1, dbfs=-30) + np.int16(3_000))
        assert abs(float(centred.mean())) < 1

    def test_the_input_is_left_alone(self) -> None:
        talk = voice(1)
        before = talk.copy()
        normalise(talk)
        assert np.array_equal(talk, before)

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.integers(-32_768, 32_767), min_size=1, max_size=300), st.integers(1, 100))
    def test_any_samples(self, values: list[int], repeat: int) -> None:
        """No overflow: what was louder is not quieter afterwards, and signs stay, apart from the offset."""
        samples = np.tile(np.asarray(values, np.int16), repeat)
        result = normalise(samples)
        assert result.shape == samples.shape
        assert result.dtype == np.int16
        order = np.argsort(samples, kind="stable")
        assert np.all(np.diff(result[order].astype(int)) >= 0)


class TestSilence:
    def test_noise_floor(self) -> None:
        talk = joined(voice(3, dbfs=-25), silence(1))
        talk = (talk + noise(len(talk) / RATE, dbfs=-55)).astype(np.int16)
        assert noise_floor(frame_levels(talk, FRAME)) == pytest.approx(-55, abs=2)
        assert noise_floor(frame_levels(NOTHING, FRAME)) == QUIETEST

    def test_between_noise_and_voice(self) -> None:
        talk = joined(voice(3, dbfs=-25), silence(1))
        talk = (talk + noise(len(talk) / RATE, dbfs=-55)).astype(np.int16)
        assert -55 < silence_below(frame_levels(talk, FRAME)) < -35

    def test_steady_sound_has_no_silence(self) -> None:
        levels = frame_levels(tone(2, dbfs=-30), FRAME)
        assert silence_below(levels) < levels.min()

    def test_of_nothing(self) -> None:
        assert silence_below(frame_levels(NOTHING, FRAME)) == -65


class TestRegroup:
    @given(st.lists(st.integers(0, 50), max_size=20), st.integers(1, 40))
    def test_same_samples_in_equal_chunks(self, lengths: list[int], size: int) -> None:
        sound = np.arange(sum(lengths), dtype=np.int16)
        edges = np.cumsum([0, *lengths])
        chunks = [sound[start:end] for start, end in pairwise(edges)]
        groups = list(regroup(chunks, size))
        assert np.array_equal(joined(NOTHING, *groups), sound)
        assert all(len(group) == size for group in groups[:-1])
        assert all(0 < len(group) <= size for group in groups)

    def test_taken_as_needed(self) -> None:
        taken = []

        def chunks() -> object:
            for chunk in in_chunks(silence(1), 100):
                taken.append(chunk)
                yield chunk

        next(regroup(chunks(), 250))  # type: ignore[arg-type] # a generator of chunks
        assert len(taken) == 3
