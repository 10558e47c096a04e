"""Whether anything could be speech: no only where nobody could disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.unit.speech.files import KINDS, write
from tests.unit.speech.sounds import at_level, in_chunks, joined, noise, silence, tone, voice
from trainer.speech.audio_activity import Activity, Verdict, activity_of
from trainer.speech.audio_pcm import RATE, Samples
from trainer.speech.decoding import Decoder

if TYPE_CHECKING:
    from pathlib import Path

HUM = at_level(np.sign(np.sin(2 * np.pi * 50 * np.arange(8 * RATE) / RATE)), -25)


@pytest.mark.parametrize(
    ("samples", "verdict"),
    [
        (np.empty(0, np.int16), "silence"),
        (silence(3), "silence"),
        (np.full(3 * RATE, 900, np.int16), "silence"),
        (noise(3, dbfs=-85), "silence"),
        (noise(3, dbfs=-73), "too_quiet"),
        (voice(3, dbfs=-76), "too_quiet"),
        (noise(120, dbfs=-40), "noise"),
        (noise(8, dbfs=-20), "noise"),
        (noise(8, dbfs=-40, slope=1), "noise"),
        (noise(8, dbfs=-30, slope=2), "noise"),
        (tone(8), "noise"),
        (HUM, "noise"),
        (joined(HUM, HUM // 3), "noise"),
    ],
)
def test_nothing_that_could_be_speech(samples: Samples, verdict: Verdict) -> None:
    assert activity_of(samples) == verdict


@pytest.mark.parametrize("dbfs", [-60, -45, -30, -10])
def test_a_voice(dbfs: float) -> None:
    assert activity_of(voice(5, dbfs=dbfs)) == "speech_like"


def test_a_voice_that_is_as_loud_as_the_noise() -> None:
    mixed = voice(5, dbfs=-30).astype(int) + noise(5, dbfs=-30, slope=1)
    assert activity_of(mixed.astype(np.int16)) == "speech_like"


@pytest.mark.parametrize("where_s", [0, 29.6, 59.4])
def test_one_word_in_a_minute_of_noise(where_s: float) -> None:
    sound = noise(60, dbfs=-50)
    at = int(where_s * RATE)
    sound[at : at + RATE // 2] += voice(0.5, dbfs=-30)
    assert activity_of(sound) == "speech_like"


def test_one_word_in_a_minute_of_silence() -> None:
    assert activity_of(joined(silence(30), voice(0.4), silence(29.6))) == "speech_like"


@pytest.mark.parametrize("count", [400, 1_024, 1_025, 16_001, 16_500])
def test_any_length(count: int) -> None:
    assert activity_of(voice(2, dbfs=-15)[3_000:][:count]) == "speech_like"


def test_too_short_to_say() -> None:
    """A clipped "yes" may be one steady vowel."""
    assert activity_of(tone(0.3)) == "speech_like"


@pytest.mark.parametrize("name", ["voice-message.ogg", "song.mp3", "memo.m4a"])
def test_noise_through_a_codec(name: str, tmp_path: Path) -> None:
    """Codecs fade in; that is not speech."""
    path = write(tmp_path / name, KINDS[name], noise(10, dbfs=-35))
    activity = Activity()
    for _ in activity.watch(Decoder().pcm(path, most_s=60)):
        pass
    assert activity.verdict == "noise"
    assert activity.loudest == pytest.approx(-38, abs=3)


def test_watching_changes_nothing() -> None:
    sound = voice(3.3)
    activity = Activity()
    passed = list(activity.watch(in_chunks(sound, 1_234)))
    assert np.array_equal(joined(*passed), sound)
    assert activity.verdict == "speech_like"
    assert activity.liveliest > 4
