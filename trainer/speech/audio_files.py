"""Sound as the bytes of a file, for recognisers that take files. Small and in memory."""

from __future__ import annotations

import io
import wave
from typing import TYPE_CHECKING

import av
import numpy as np

if TYPE_CHECKING:
    from trainer.ports import Sound


def wav(sound: Sound) -> bytes:
    """A WAV file, which everything reads."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(sound.rate)
        writer.writeframes(sound.pcm)
    return file.getvalue()


def flac(sound: Sound) -> bytes:
    """A FLAC file: half the size, and nothing is lost."""
    file = io.BytesIO()
    with av.open(file, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=sound.rate, layout="mono", format="s16")
        frame = av.AudioFrame.from_ndarray(
            np.frombuffer(sound.pcm, "<i2").reshape(1, -1), format="s16", layout="mono"
        )
        frame.sample_rate = sound.rate
        for part in (frame, None):
            container.mux(stream.encode(part))
    return file.getvalue()
