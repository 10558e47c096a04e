"""Sound that a voice answered with: small, whole and in memory. What people send is `trainer.speech.decoding`'s."""

from __future__ import annotations

import io
from typing import Final

import av
import numpy as np
from av.audio.resampler import AudioResampler

from trainer.ports import Sound
from trainer.speech.audio_pcm import AudioRefused

RATE: Final = 24_000
"""Samples a second: as many as the voices that we use have."""
SECONDS_MOST: Final = 900
"""A voice that never ends must not fill the memory."""


def decoded(data: bytes) -> Sound:
    """MP3 as mono samples of `RATE`. Raises `AudioRefused`."""
    resampler = AudioResampler(format="s16", layout="mono", rate=RATE)
    pcm = bytearray()
    try:
        with av.open(io.BytesIO(data), "r", format="mp3") as container:
            for packet in container.demux(audio=0):
                for frame in _frames(packet):
                    for piece in resampler.resample(frame):
                        pcm += _bytes(piece)
                if len(pcm) > SECONDS_MOST * RATE * 2:
                    raise AudioRefused("too_long")
            for piece in resampler.resample(None):
                pcm += _bytes(piece)
    except (av.FFmpegError, IndexError, ValueError):
        raise AudioRefused("broken") from None
    if not pcm:
        raise AudioRefused("empty")
    return Sound(bytes(pcm), RATE)


def _frames(packet: av.Packet[av.AudioStream]) -> list[av.AudioFrame]:
    """A packet's sound; none of what is no sound, such as the header of a file that was appended to another."""
    try:
        return packet.decode()
    except av.FFmpegError:
        return []


def _bytes(frame: av.AudioFrame) -> bytes:
    data: bytes = frame.to_ndarray().reshape(-1).astype("<i2").tobytes()
    return data


def resampled(sound: Sound, rate: int) -> Sound:
    """The same sound with so many samples a second."""
    if sound.rate == rate or not sound.pcm:
        return Sound(sound.pcm, rate)
    frame = av.AudioFrame.from_ndarray(np.frombuffer(sound.pcm, "<i2").reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = sound.rate
    resampler = AudioResampler(format="s16", layout="mono", rate=rate)
    frames = [*resampler.resample(frame), *resampler.resample(None)]
    return Sound(b"".join(map(_bytes, frames)), rate)
