"""pydub: no warning when it is imported, samples there and back, and the deployer's program."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.unit.speech.sounds import tone
from trainer.speech.audio_pcm import RATE
from trainer.speech.audio_segments import AudioSegment, samples_of, segment_of, use_ffmpeg

if TYPE_CHECKING:
    from pathlib import Path


def test_there_and_back() -> None:
    sound = tone(1.234)
    segment = segment_of(sound)
    assert (segment.channels, segment.sample_width, segment.frame_rate) == (1, 2, RATE)
    back, rate = samples_of(segment)
    assert rate == RATE
    assert np.array_equal(back, sound)
    back[0] = 1  # it is the caller's own


def test_stereo_of_another_width_and_rate() -> None:
    mono = segment_of(tone(0.5, dbfs=-20), 44_100)
    stereo = AudioSegment.from_mono_audiosegments(mono, mono).set_sample_width(4)
    back, rate = samples_of(stereo)
    assert rate == 44_100
    assert np.array_equal(back, tone(0.5, dbfs=-20))


def test_no_warning_without_ffmpeg() -> None:
    """pydub warns at import when the machine has none, and of itself on newer Pythons."""
    program = "import trainer.speech.audio_segments as a; print(len(a.AudioSegment.silent(1000)))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={"PATH": "", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "1000\n", "")


@pytest.mark.parametrize("with_prober", [True, False])
def test_the_deployers_program(with_prober: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AudioSegment, "converter", "ffmpeg")
    utils = sys.modules["pydub.utils"]
    before = utils.get_prober_name
    monkeypatch.setattr(utils, "get_prober_name", before)
    if with_prober:
        (tmp_path / "ffprobe").touch()
    use_ffmpeg(tmp_path / "ffmpeg")
    assert AudioSegment.converter == str(tmp_path / "ffmpeg")
    if with_prober:
        assert utils.get_prober_name() == str(tmp_path / "ffprobe")
    else:
        assert utils.get_prober_name is before
