from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.voice.playback.material import Wave, samples, tone, voice
from tests.voice.talker import same
from trainer.ports.speech import Sound
from trainer.speech.audio_levels import loudness
from voice_sidecar.playback import sound as subject
from voice_sidecar.playback.sound import CEILING, framed, prepared, without_lead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

RATES = (8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
TARGET = -20.0


def made(sound: Sound) -> NDArray[np.int16]:
    return np.concatenate([np.empty(0, np.int16), *prepared(sound, TARGET)])


def spectrum(wave: Wave | NDArray[np.int16]) -> tuple[float, float]:
    """The frequency that is loudest, and in dB how much all others together are below it. Of the middle second."""
    middle = wave.astype(float)[len(wave) // 2 - 24_000 : len(wave) // 2 + 24_000]
    power = np.abs(np.fft.rfft(middle * np.blackman(len(middle)))) ** 2
    peak = int(power.argmax())
    inside = power[max(peak - 4, 0) : peak + 5].sum()
    return float(peak), float(10 * np.log10(inside / (power.sum() - inside + 1e-9)))


def crude(sound: Sound) -> Wave:
    """Every sample repeated until the next one: no resampling worth the name."""
    given = samples(sound)
    return given[np.arange(2 * 48_000) * sound.rate // 48_000]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("hertz", [100, 440, 1_000, 3_000])
def test_tones_keep_their_frequency_and_get_no_company(rate: int, hertz: int) -> None:
    sound = tone(hertz, rate=rate, seconds=2.0)
    frequency, purity = spectrum(made(sound))
    assert frequency == pytest.approx(hertz, abs=1)
    assert purity > 45
    if rate != 48_000 and hertz >= 440:
        assert spectrum(crude(sound))[1] < 45


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("count", [1_000, 1_103, 4_800, 24_001])
def test_nothing_is_lost_or_added(rate: int, count: int) -> None:
    sound = Sound(np.full(count, 500, "<i2").tobytes(), rate)
    assert abs(len(made(sound)) - count * 48_000 / rate) <= 1


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("count", [1, 7, 100])
def test_next_to_nothing_becomes_20_ms(rate: int, count: int) -> None:
    wave = samples(tone(1_000, rate=rate))[:count]
    assert abs(len(made(Sound(wave.astype("<i2").tobytes(), rate))) - 960) <= 3


def test_pieces_make_the_same_sound_as_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = voice(2.05)
    pieces = list(prepared(sound, TARGET))
    assert len(pieces) > 15
    monkeypatch.setattr(subject, "_PIECES_A_S", 1)
    assert same(made(sound).tobytes(), np.concatenate(pieces).tobytes())
    monkeypatch.setattr(subject, "_fade", lambda wave, rate: None)
    assert not same(made(sound).tobytes(), np.concatenate(pieces).tobytes())


def peaky(gain: float) -> Sound:
    """A voice with plosives whose peaks are 23 dB above it, more than fits below full scale."""
    wave = samples(voice(3)) * gain * 0.4
    wave[:: 24_000 // 4] = 12_000 * gain
    return Sound(np.clip(wave, -32_768, 32_767).astype("<i2").tobytes(), 24_000)


@pytest.mark.parametrize("make", [lambda gain: voice(3, gain=gain), peaky])
def test_quiet_and_loud_voices_end_alike_and_never_clip(make: Callable[[float], Sound]) -> None:
    given = [make(gain) for gain in (0.15, 0.5, 1.0)]
    ends = [made(sound) for sound in given]
    levels = [loudness(end) for end in ends]
    assert max(levels) - min(levels) < 1
    assert levels == pytest.approx([TARGET] * 3, abs=2)
    assert all(np.abs(end.astype(int)).max() <= CEILING * 32_768 for end in ends)
    before = [loudness(np.frombuffer(sound.pcm, np.int16)) for sound in given]
    assert max(before) - min(before) > 15


def test_different_voices_end_alike() -> None:
    hoarse = np.random.default_rng(3).normal(0, 4_000, 48_000).astype("<i2")
    sounds = [voice(2, gain=0.2), voice(2, seed=11, gain=2), tone(300), Sound(hoarse.tobytes(), 24_000)]
    levels = [loudness(made(sound)) for sound in sounds]
    assert max(levels) - min(levels) < 2


def test_peaks_are_turned_down_and_not_cut() -> None:
    sound = tone(200, peak=3_000)
    wave = samples(sound)
    wave[9_600:14_400] *= 10
    end = made(Sound(wave.astype("<i2").tobytes(), 24_000)).astype(float)
    assert np.abs(end).max() <= CEILING * 32_768
    loud = end[22_000:26_000]

    def distortion(wave: Wave) -> float:
        power = np.abs(np.fft.rfft(wave * np.blackman(len(wave)))) ** 2
        return float(10 * np.log10(power[40:].sum() / power[:30].sum()))

    assert distortion(loud) < -40
    cut = np.clip(np.sin(2 * np.pi * 200 * np.arange(4_000) / 48_000) * 3, -CEILING, CEILING)
    assert distortion(cut) > -20


def test_one_gain_for_all_of_a_phrase() -> None:
    soft, strong = samples(tone(300, peak=1_000)), samples(tone(300, peak=3_000))
    end = made(Sound(np.concatenate((soft, strong)).astype("<i2").tobytes(), 24_000)).astype(float)
    ratio = np.abs(end[60_000:90_000]).max() / np.abs(end[10_000:40_000]).max()
    assert ratio == pytest.approx(3, rel=0.02)


def test_silence_stays_silence_and_whispers_are_not_made_all_noise() -> None:
    assert not made(Sound(bytes(48_000), 24_000)).any()
    faint = np.random.default_rng(1).integers(-3, 4, 24_000).astype("<i2")
    assert loudness(made(Sound(faint.tobytes(), 24_000))) < -50


def test_an_offset_goes() -> None:
    wave = samples(voice(1)) + 5_000
    end = made(Sound(wave.astype("<i2").tobytes(), 24_000))
    assert abs(float(end.mean())) < 30
    assert loudness(end) == pytest.approx(TARGET, abs=1)


@pytest.mark.parametrize("pcm", [b"", b"\x01"])
def test_no_sound(pcm: bytes) -> None:
    assert len(made(Sound(pcm, 16_000))) == 0


def test_half_a_sample_at_the_end_is_left_out() -> None:
    assert len(made(Sound(tone(300).pcm + b"\x01", 24_000))) == 48_000


def click(wave: NDArray[np.int16]) -> float:
    """The sharpest bend, which in tones up to 400 Hz is small."""
    return float(np.abs(np.diff(wave.astype(float), n=2)).max())


def test_there_is_no_click_where_phrases_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    cut_off = tone(300, rate=48_000, seconds=0.5, phase=np.pi / 2)
    quiet = np.zeros(960, np.int16)
    inside = click(made(cut_off)[4_800:-4_800])
    assert click(np.concatenate((quiet, made(cut_off), made(cut_off), quiet))) < 3 * inside
    monkeypatch.setattr(subject, "_fade", lambda wave, rate: None)
    assert click(np.concatenate((quiet, made(cut_off), made(cut_off), quiet))) > 20 * inside


@pytest.mark.parametrize(("count", "rows"), [(0, 1), (1, 1), (648, 1), (649, 2), (960, 2), (9_600, 11), (9_608, 11)])
def test_frames_hold_everything_and_the_codecs_delay(count: int, rows: int) -> None:
    def pieces() -> Iterator[NDArray[np.int16]]:
        wave = np.arange(count, dtype=np.int16) + 1
        for start, end in pairwise([*range(0, count, 700), count]):
            yield wave[start:end]

    frames = np.concatenate(list(framed(pieces(), 312)))
    assert frames.shape == (rows, 960)
    assert frames.reshape(-1)[:count].tolist() == list(range(1, count + 1))
    assert not frames.reshape(-1)[count:].any()


def after_silence(seconds: float, level: int = 8_000, rate: int = 24_000) -> Sound:
    wave = np.full(rate, level)
    wave[1::2] *= -1
    return Sound(np.append(np.zeros(round(seconds * rate)), wave).astype("<i2").tobytes(), rate)


@pytest.mark.parametrize("rate", RATES)
def test_silence_at_the_beginning_is_left_out_but_for_a_little(rate: int) -> None:
    said = without_lead(after_silence(0.3, rate=rate))
    assert said.rate == rate
    assert said.seconds == pytest.approx(1.04, abs=0.001)
    assert said.pcm == after_silence(0.3, rate=rate).pcm[-len(said.pcm) :]


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.039])
def test_a_short_silence_stays(seconds: float) -> None:
    assert without_lead(after_silence(seconds)) == after_silence(seconds)


def test_a_quiet_beginning_is_no_silence() -> None:
    wave = np.append(np.tile([60, -60], 6_000), np.tile([9_000, -9_000], 6_000))
    sound = Sound(wave.astype("<i2").tobytes(), 24_000)
    assert without_lead(sound) == sound


@pytest.mark.parametrize("pcm", [b"", b"\0", bytes(48_000), bytes(48_001)])
def test_nothing_but_silence_stays(pcm: bytes) -> None:
    assert without_lead(Sound(pcm, 24_000)).pcm == pcm


def test_the_lowest_sample_is_loud() -> None:
    wave = np.append(np.zeros(24_000), np.full(24_000, -32_768)).astype("<i2")
    assert without_lead(Sound(wave.tobytes(), 24_000)).seconds == pytest.approx(1.04, abs=0.001)
