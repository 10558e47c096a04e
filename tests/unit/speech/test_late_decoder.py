"""A decoder that is made when it is needed."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.unit.speech.sounds import voice
from trainer.ports import Sound
from trainer.speech.audio_files import wav
from trainer.speech.decoding import Decoder
from trainer.speech.late_decoder import LateDecoder

if TYPE_CHECKING:
    from pathlib import Path


def test_it_decodes_like_the_other(tmp_path: Path) -> None:
    path = tmp_path / "recording"
    path.write_bytes(wav(Sound(voice(3).tobytes(), 16_000)))
    late, other = LateDecoder(), Decoder()
    assert late.probe(path) == other.probe(path)
    assert [chunk.tolist() for chunk in late.pcm(path, most_s=5)] == [
        chunk.tolist() for chunk in other.pcm(path, most_s=5)
    ]


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        LateDecoder(tmp_path / "ffmpeg")


def test_until_then_nothing_is_loaded() -> None:
    code = (
        "import sys; from trainer.speech.late_decoder import LateDecoder; LateDecoder(); "
        "import trainer.adapters.openai_transcriber, trainer.adapters.whisper_transcriber; "
        "print(*sorted({'av', 'numpy', 'openai', 'faster_whisper', 'pydub'} & sys.modules.keys()))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""
