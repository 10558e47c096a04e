from __future__ import annotations

from typing import Any

import numpy as np
import opuslib_next  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opuslib_next.api import decoder as libopus  # type: ignore[import-untyped]

from tests.voice.talker import speech, spoken
from voice_sidecar.receiving import opus
from voice_sidecar.receiving.opus import BadFrame, SpeechDecoder


def samples(pcm: bytes) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.frombuffer(pcm, "<i2").astype(float)


def encoded(sound: np.ndarray[Any, Any]) -> list[bytes]:
    encoder = opuslib_next.Encoder(48_000, 2, "audio")
    encoder.bitrate = 128_000
    return [encoder.encode(sound[at : at + 960].astype("<i2").tobytes(), 960) for at in range(0, len(sound), 960)]


def tone(hertz: float) -> np.ndarray[Any, Any]:
    time = np.arange(48_000) / 48_000
    return np.repeat((8000 * np.sin(2 * np.pi * hertz * time))[:, None], 2, axis=1)


def loudness(sound: np.ndarray[Any, Any]) -> float:
    """Decibels relative to the tone that went in."""
    middle = sound[len(sound) // 4 : -len(sound) // 4]
    return float(20 * np.log10(np.sqrt(np.mean(middle**2)) / (8000 / np.sqrt(2)) + 1e-9))


def heard(hertz: float) -> float:
    decoder = SpeechDecoder()
    return loudness(samples(b"".join(decoder.decode(frame) for frame in encoded(tone(hertz)))))


def test_a_second_is_a_second() -> None:
    decoder = SpeechDecoder()
    assert [len(decoder.decode(frame)) for frame in spoken(50)] == [640] * 50


@pytest.mark.parametrize("hertz", [100, 440, 1_000, 3_400, 7_000])
def test_what_speech_needs_comes_through(hertz: float) -> None:
    assert abs(heard(hertz)) < 0.5


@pytest.mark.parametrize("hertz", [9_000, 12_000, 15_600])
def test_what_16_khz_cannot_hold_is_gone_and_not_folded_down(hertz: float) -> None:
    assert heard(hertz) < -50
    # Taking every third sample, as if that were resampling, fails the same check.
    assert loudness(tone(hertz)[::3, 0]) > -1


def test_both_sides_are_heard() -> None:
    sound = tone(500)
    sound[:, 0] = 0
    decoder = SpeechDecoder()
    assert abs(loudness(samples(b"".join(decoder.decode(frame) for frame in encoded(sound)))) + 6) < 1


def error_of(stand_in: bytes, truth: bytes) -> float:
    return float(np.sqrt(np.mean((samples(stand_in) - samples(truth)) ** 2)))


def test_the_copy_in_the_next_packet_is_better_than_a_guess_and_a_guess_than_nothing() -> None:
    frames = spoken(60, fec=True)
    errors: dict[str, list[float]] = {"copy": [], "guess": [], "nothing": []}
    for lost in range(10, 50, 3):
        truth, copy, guess = SpeechDecoder(), SpeechDecoder(), SpeechDecoder()
        for frame in frames[:lost]:
            for decoder in (truth, copy, guess):
                decoder.decode(frame)
        real = truth.decode(frames[lost])
        errors["copy"].append(error_of(copy.recover(frames[lost + 1], 960), real))
        errors["guess"].append(error_of(guess.conceal(960), real))
        errors["nothing"].append(error_of(bytes(640), real))
    copy_, guess_, nothing = (float(np.mean(errors[kind])) for kind in ("copy", "guess", "nothing"))
    assert copy_ < 0.7 * guess_
    assert guess_ < 0.9 * nothing


def test_guesses_have_the_length_asked_for_and_fade() -> None:
    decoder = SpeechDecoder()
    for frame in spoken(20):
        decoder.decode(frame)
    guesses = [decoder.conceal(960) for _ in range(50)]
    assert {len(guess) for guess in guesses} == {640}
    assert np.abs(samples(guesses[-1])).mean() < 0.1 * np.abs(samples(guesses[0])).mean()


@given(st.binary(min_size=1, max_size=80))
def test_durations_agree_with_libopus(packet: bytes) -> None:
    try:
        official = libopus.packet_get_nb_frames(packet) * libopus.packet_get_samples_per_frame(packet, 48_000)
    except opuslib_next.OpusError:
        official = 0
    if 0 < official <= 5760:
        assert opus.duration(packet) == official
    else:
        with pytest.raises(BadFrame):
            opus.duration(packet)


DECODER = SpeechDecoder()


@given(st.binary(max_size=200))
def test_any_bytes_are_sound_or_refused(packet: bytes) -> None:
    try:
        pcm = DECODER.decode(packet)
    except BadFrame:
        return
    assert len(pcm) == 2 * opus.duration(packet) // 3


def test_a_decoder_goes_on_after_a_bad_frame() -> None:
    decoder = SpeechDecoder()
    for bad in (b"", b"\xff", b"\x03"):
        with pytest.raises(BadFrame):
            decoder.decode(bad)
    with pytest.raises(BadFrame):
        opus.duration(b"")
    assert decoder.decode(spoken(1)[0]) == SpeechDecoder().decode(spoken(1)[0])


def test_the_silence_frame_is_silent() -> None:
    assert opus.duration(opus.SILENCE) == 960
    assert not any(SpeechDecoder().decode(opus.SILENCE))


def test_the_sound_of_these_tests_is_sound() -> None:
    assert np.abs(speech(50)).max() > 1_000
