"""Ogg/Opus and MP3: right length, right form, the same bytes each time, and no file if anything fails."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.speech.sounds import in_chunks, joined, pitch_of, silence, tone, voice
from trainer.speech.audio_pcm import RATE, AudioRefused, Samples, level
from trainer.speech.decoding import Decoder
from trainer.speech.encoding import AudioFormat, write_audio
from trainer.speech.voice_message import MOST_POINTS, waveform, write_voice_message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMS: list[AudioFormat] = ["ogg", "mp3"]
FRAME_S = {"ogg": 0.02, "mp3": 0.024}


def decoded(path: Path) -> Samples:
    return np.concatenate(list(Decoder().pcm(path, most_s=600)))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000])
def test_decodes_to_the_same(form: AudioFormat, rate: int, tmp_path: Path) -> None:
    """All rates that voices come in; 2.017 s is no whole number of frames."""
    path = tmp_path / "answer"
    sound = np.resize(tone(4, hertz=440 * RATE / rate, dbfs=-20), int(2.017 * rate))
    encoded = write_audio(in_chunks(sound, 700), path, rate=rate, form=form)
    assert encoded.duration_s == pytest.approx(2.017, abs=0.001)
    assert encoded.size == path.stat().st_size
    back = decoded(path)
    assert len(back) / RATE == pytest.approx(2.017, abs=FRAME_S[form])
    assert pitch_of(back) == pytest.approx(440, abs=3)
    assert level(back) == pytest.approx(-20, abs=1)


def test_opus_as_discord_has_it(tmp_path: Path) -> None:
    path = tmp_path / "answer.ogg"
    write_audio([voice(10)], path, rate=RATE)
    with av.open(str(path)) as container:
        assert container.format.name == "ogg"
        (stream,) = container.streams
        assert stream.codec_context.name == "opus"
        sound = container.streams.audio[0]
        assert (sound.rate, sound.layout.nb_channels) == (48_000, 1)
    assert 16_000 < path.stat().st_size * 8 / 10 < 48_000


def test_mp3_says_how_long_it_is(tmp_path: Path) -> None:
    """Players need the Xing or Info frame, which is written last, at the beginning."""
    path = tmp_path / "answer.mp3"
    write_audio([voice(10)], path, rate=RATE, form="mp3")
    head = path.read_bytes()[:300]
    assert b"Info" in head or b"Xing" in head
    with av.open(str(path)) as container:
        assert container.duration is not None
        assert container.duration / 1e6 == pytest.approx(10, abs=0.03)


@pytest.mark.parametrize("form", FORMS)
def test_bit_rate(form: AudioFormat, tmp_path: Path) -> None:
    small = write_audio([voice(10)], tmp_path / "small", rate=RATE, form=form, bit_rate=16_000)
    large = write_audio([voice(10)], tmp_path / "large", rate=RATE, form=form, bit_rate=64_000)
    assert 2 * small.size < large.size


@pytest.mark.parametrize("form", FORMS)
def test_same_samples_same_bytes(form: AudioFormat, tmp_path: Path) -> None:
    """However they come: what is cached by content stays what it is."""
    write_audio([voice(2)], tmp_path / "one", rate=RATE, form=form)
    write_audio(in_chunks(voice(2), 333), tmp_path / "two", rate=RATE, form=form)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("count", [1, 7, 319, 320, 321])
def test_a_scrap_is_a_whole_file(form: AudioFormat, count: int, tmp_path: Path) -> None:
    encoded = write_audio([tone(1)[:count]], tmp_path / "scrap", rate=RATE, form=form)
    assert encoded.duration_s == max(320, count) / RATE
    assert len(decoded(tmp_path / "scrap")) / RATE == pytest.approx(encoded.duration_s, abs=FRAME_S[form])


@pytest.mark.parametrize("form", FORMS)
def test_nothing_makes_no_file(form: AudioFormat, tmp_path: Path) -> None:
    with pytest.raises(AudioRefused) as caught:
        write_audio([], tmp_path / "answer", rate=RATE, form=form)
    assert caught.value.reason == "empty"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", FORMS)
def test_a_voice_that_fails_leaves_no_file(form: AudioFormat, tmp_path: Path) -> None:
    class Failed(Exception):
        pass

    def speaking() -> Iterator[Samples]:
        yield voice(3)
        raise Failed

    with pytest.raises(Failed):
        write_audio(speaking(), tmp_path / "answer", rate=RATE, form=form)
    assert list(tmp_path.iterdir()) == []


class TestVoiceMessage:
    def test_file_and_facts(self, tmp_path: Path) -> None:
        path = tmp_path / "answer.ogg"
        message = write_voice_message(in_chunks(joined(silence(1), voice(2)), 5_000), path, rate=RATE)
        assert message.duration_secs == 3.0
        assert len(decoded(path)) == 3 * RATE
        assert message.size == path.stat().st_size
        points = base64.b64decode(message.waveform, validate=True)
        assert len(points) == 30
        assert max(points[:10]) == 0
        assert max(points[10:]) == 255

    def test_a_long_one_has_256_points(self, tmp_path: Path) -> None:
        message = write_voice_message((voice(1) for _ in range(60)), tmp_path / "answer.ogg", rate=RATE)
        assert len(base64.b64decode(message.waveform)) == 256

    def test_the_loudest_of_each_group(self) -> None:
        curve = [1.0] * 5_120
        curve[2_000] = 10.0
        points = base64.b64decode(waveform(curve))
        assert points[2_000 * 256 // 5_120] == 255
        assert sorted(points)[-2] == 26

    def test_silence_and_nothing(self) -> None:
        assert base64.b64decode(waveform([0.0, 0.0])) == b"\0\0"
        assert base64.b64decode(waveform([])) == b"\0"

    @given(st.lists(st.floats(0, 32_768), max_size=700))
    def test_any_curve(self, curve: list[float]) -> None:
        points = base64.b64decode(waveform(curve), validate=True)
        assert len(points) == max(1, min(MOST_POINTS, len(curve)))
        assert max(points) == (255 if any(curve) else 0)

    def test_nothing_is_no_message(self, tmp_path: Path) -> None:
        with pytest.raises(AudioRefused):
            write_voice_message([], tmp_path / "answer.ogg", rate=RATE)
        assert list(tmp_path.iterdir()) == []
