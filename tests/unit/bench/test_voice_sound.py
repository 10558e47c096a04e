"""What bench/voice takes for sound and for silence."""

from __future__ import annotations

import numpy as np
import opuslib_next  # type: ignore[import-untyped]
import pytest

from bench.voice_sound import SLOT, Moment, fell_silent, first_audible, moments, speech
from tests.voice.discord.human import Heard
from voice_sidecar.playback.opus import SILENCE


def heard(*packets: bytes) -> list[Heard]:
    return [Heard(0.02 * at, 1, at, SLOT * at, packet, True) for at, packet in enumerate(packets)]


def told(pattern: str) -> list[Moment]:
    """A packet every 20 ms from 10 s on; `#` is one with sound, `.` one without, a blank none at all."""
    return [Moment(10 + 0.02 * at, mark == "#") for at, mark in enumerate(pattern) if mark != " "]


def test_speech_is_audible_to_its_last_packet() -> None:
    packets = speech(0.5)
    assert len(packets) == 25
    assert all(one.audible for one in moments(heard(*packets))[5:])


def test_silence_is_not() -> None:
    encoder = opuslib_next.Encoder(48_000, 2, "voip")
    hiss = np.random.default_rng(1).integers(-20, 20, 2 * SLOT).astype("<i2").tobytes()
    found = moments(heard(SILENCE, encoder.encode(hiss, SLOT), SILENCE))
    assert [one.audible for one in found] == [False] * 3
    assert [one.at for one in found] == [0.0, 0.02, 0.04]


@pytest.mark.parametrize(
    ("pattern", "after", "at"),
    [("..##", 0, 10.04), ("#..##", 10.0, 10.06), ("....", 0, None), ("##", 11, None), ("", 0, None)],
)
def test_first_sound(pattern: str, after: float, at: float | None) -> None:
    assert first_audible(told(pattern), after) == (None if at is None else pytest.approx(at))


@pytest.mark.parametrize(
    ("pattern", "after", "at"),
    [
        ("####", 0, 10.06),
        ("##......##", 0, 10.02),  # 140 ms
        ("##  ##", 0, 10.10),  # 60 ms: packets were late
        ("##......##", 10.05, 10.18),
        ("....", 0, None),
        ("##", 11, None),
    ],
)
def test_last_sound_before_it_was_silent(pattern: str, after: float, at: float | None) -> None:
    found = fell_silent(told(pattern), after, quiet_s=0.1)
    assert found == (None if at is None else pytest.approx(at))
