"""pydub's AudioSegment: the one place that imports pydub.

pydub looks for FFmpeg when it is imported and warns when there is none, which is how it is meant to be here; and it
has escape sequences and an `audioop` that newer Pythons warn about.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from trainer.speech.audio_pcm import RATE

if TYPE_CHECKING:
    from pathlib import Path

    from trainer.speech.audio_pcm import Samples

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pydub.utils
    from pydub import AudioSegment

__all__ = ["AudioSegment", "samples_of", "segment_of", "use_ffmpeg"]


def segment_of(samples: Samples, rate: int = RATE) -> AudioSegment:
    """Mono samples as a segment."""
    return AudioSegment(data=samples.astype("<i2", copy=False).tobytes(), sample_width=2, frame_rate=rate, channels=1)


def samples_of(segment: AudioSegment) -> tuple[Samples, int]:
    """A segment as mono 16-bit samples, and how many there are a second: that is left as it is."""
    mono = segment.set_channels(1).set_sample_width(2)
    return np.frombuffer(mono.raw_data, "<i2").astype(np.int16), int(mono.frame_rate)


def use_ffmpeg(ffmpeg: Path) -> None:
    """Have pydub run this program, and the `ffprobe` beside it if there is one, in this process from now on."""
    AudioSegment.converter = str(ffmpeg)
    ffprobe = ffmpeg.with_name(f"ffprobe{ffmpeg.suffix}")
    if ffprobe.is_file():
        # pydub has no setting for it and looks along PATH at every use.
        pydub.utils.get_prober_name = lambda: str(ffprobe)
