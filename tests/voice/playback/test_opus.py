from __future__ import annotations

import numpy as np
import opuslib_next  # type: ignore[import-untyped]
import pytest
from scipy.signal import resample_poly

from tests.voice.playback.material import (
    Wave,
    listened,
    packets_of,
    packets_of_voice,
    samples,
    tone,
    voice,
)
from trainer.ports.speech import Sound
from trainer.speech.audio_levels import loudness
from voice_sidecar.playback.opus import SILENCE, Encoding, VoiceEncoder
from voice_sidecar.playback.phrases import encoded
from voice_sidecar.receiving.opus import SpeechDecoder, duration


def likeness(heard: Wave, given: Wave) -> tuple[float, int]:
    """How alike they are, 0 to 1, where they fit best, and by how many samples the first is later there."""
    size = len(heard) + len(given)
    both = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(given, size)), size)
    shift = int(both.argmax())
    return float(
        both[shift] / np.sqrt((heard**2).sum() * (given**2).sum())
    ), shift if shift < size // 2 else shift - size


def test_every_packet_is_20_ms_and_their_size_is_as_asked_for() -> None:
    packets = packets_of_voice(4)
    assert {duration(packet) for packet in packets} == {960}
    assert 40_000 < sum(map(len, packets)) * 8 / 4 < 70_000
    small = [packet.data for batch in encoded(voice(4), Encoding(bit_rate=24_000)) for packet in batch]
    assert sum(map(len, small)) < 0.6 * sum(map(len, packets))


def test_what_is_heard_is_what_was_given() -> None:
    heard = listened(packets_of_voice(4))
    like, shift = likeness(heard, resample_poly(samples(voice(4)), 2, 1))
    assert like > 0.93  # libopus takes the lowest bass out of voices
    assert shift == pytest.approx(312, abs=48)  # the codec's own delay, 6.5 ms
    assert likeness(heard, resample_poly(samples(voice(4, seed=8)), 2, 1))[0] < 0.7


def test_the_end_is_not_kept_back_by_the_codec() -> None:
    cut_off = tone(300, seconds=0.2)  # ten packets exactly
    whole = listened(packets_of(cut_off))
    short = listened(packets_of(cut_off)[:10])
    assert len(whole) == 11 * 960
    assert np.abs(whole[9_600:9_800]).max() > 1_000
    assert len(short) == 9_600


@pytest.mark.parametrize("gain", [0.05, 0.3, 1.0, 6.0])
def test_listeners_hear_every_voice_alike(gain: float) -> None:
    heard = listened(packets_of(voice(3, gain=gain))).astype(np.int16)
    assert loudness(heard) == pytest.approx(-20, abs=1)
    assert np.abs(heard.astype(int)).max() < 32_767


def test_recognisers_hear_it_too() -> None:
    decoder = SpeechDecoder()
    heard = np.frombuffer(b"".join(map(decoder.decode, packets_of_voice(2))), "<i2").astype(float)
    assert likeness(heard, resample_poly(samples(voice(2)), 2, 3))[0] > 0.93


def mended(packets: list[bytes]) -> float:
    """How far from the truth are packets that were lost and restored from the next one, over those guessed."""
    errors = {True: 0.0, False: 0.0}
    for lost in range(10, 90, 7):
        decoders = [opuslib_next.Decoder(48_000, 1) for _ in range(3)]
        for packet in packets[:lost]:
            for decoder in decoders:
                decoder.decode(packet, 960)
        truth = np.frombuffer(decoders[0].decode(packets[lost], 960), "<i2").astype(float)
        for decoder, copy in zip(decoders[1:], (True, False), strict=True):
            given = packets[lost + 1] if copy else b""
            restored = np.frombuffer(decoder.decode(given, 960, decode_fec=copy), "<i2").astype(float)
            errors[copy] += float(np.sqrt(np.mean((restored - truth) ** 2)))
    return errors[True] / errors[False]


def test_a_lost_packet_is_in_the_next_one_too() -> None:
    assert mended(list(packets_of_voice(2))) < 0.75
    plain = [packet.data for batch in encoded(voice(2), Encoding(expected_loss=0)) for packet in batch]
    assert mended(plain) > 0.9


def click(wave: Wave) -> float:
    return float(np.abs(np.diff(wave, n=2)).max())


def test_phrases_meet_without_a_click_or_a_gap() -> None:
    one, two = voice(0.84), voice(0.9, seed=9)
    first = packets_of(one)
    heard = listened([*first, *packets_of(two), SILENCE, SILENCE])
    border = len(first) * 960
    assert 0 <= border - 48_000 * one.seconds <= 960
    assert click(heard[border - 960 : border + 960]) < 1.2 * click(heard[9_600:-19_200])
    # A step in the middle of a wave is heard as one:
    steps = [
        click(np.concatenate((heard[at - 500 : at], -heard[at : at + 500]))) for at in range(10_000, 20_000, 250)
    ]
    assert max(steps) > 1.5 * click(heard[9_600:-19_200])


def test_going_back_and_silence_in_between_make_no_noise() -> None:
    packets = list(packets_of_voice(2))
    heard = listened([*packets[:50], *[SILENCE] * 10, *packets[35:], *[SILENCE] * 5])
    assert np.abs(heard[53 * 960 : 60 * 960]).max() < 30
    again, _ = likeness(heard[61 * 960 : 74 * 960], listened(packets)[36 * 960 : 49 * 960])
    assert again > 0.95
    assert np.abs(heard).max() < 1.3 * np.abs(listened(packets)).max()


def test_the_same_sound_makes_the_same_packets() -> None:
    assert packets_of(voice(1)) == packets_of(voice(1))


def test_what_libopus_refuses_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(opuslib_next.OpusError):
        VoiceEncoder(Encoding(bit_rate=-5))
    with pytest.raises(opuslib_next.OpusError):
        VoiceEncoder(Encoding(expected_loss=101))
    encoder = VoiceEncoder(Encoding())
    monkeypatch.setattr("voice_sidecar.playback.opus._LONGEST", 0)
    with pytest.raises(opuslib_next.OpusError):
        encoder.encode(np.zeros(960, np.int16))


@pytest.mark.parametrize("pcm", [b"", b"\x01"])
def test_no_sound_makes_no_packets(pcm: bytes) -> None:
    assert packets_of(Sound(pcm, 24_000)) == []


def test_one_sample_is_enough() -> None:
    assert len(packets_of(Sound(b"\x00\x10", 24_000))) == 2
