"""Files as people send them, written with FFmpeg's encoders for the tests."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple, cast

import av
import numpy as np

from trainer.speech.audio_pcm import RATE

if TYPE_CHECKING:
    from pathlib import Path

    from av.audio.stream import AudioStream
    from av.video.stream import VideoStream

    from trainer.speech.audio_pcm import Samples


class Kind(NamedTuple):
    """What to write."""

    container: str
    codec: str | None
    rate: int = 48_000
    layout: str = "mono"
    video: str | None = None


KINDS: Final = {
    "voice-message.ogg": Kind("ogg", "libopus"),
    "stereo.ogg": Kind("ogg", "libopus", layout="stereo"),
    "song.mp3": Kind("mp3", "libmp3lame", 44_100, "stereo"),
    "memo.m4a": Kind("ipod", "aac", 44_100),
    "bare.aac": Kind("adts", "aac"),
    "lossless.m4a": Kind("ipod", "alac", 44_100),
    "8.wav": Kind("wav", "pcm_u8", 8_000),
    "16.wav": Kind("wav", "pcm_s16le", RATE),
    "24.wav": Kind("wav", "pcm_s24le", 96_000, "stereo"),
    "32.wav": Kind("wav", "pcm_s32le"),
    "float.wav": Kind("wav", "pcm_f32le", 44_100, "stereo"),
    "telephone.wav": Kind("wav", "pcm_mulaw", 8_000),
    "5.1.wav": Kind("wav", "pcm_s16le", layout="5.1"),
    "browser.webm": Kind("webm", "libopus"),
    "cd.flac": Kind("flac", "flac", 44_100, "stereo"),
    "mac.aiff": Kind("aiff", "pcm_s16be", 44_100),
    "film.mp4": Kind("mp4", "aac", video="mpeg4"),
    "film.mov": Kind("mov", "aac", video="mpeg4"),
    "film.mkv": Kind("matroska", "libmp3lame", 44_100, video="mpeg4"),
    "film.webm": Kind("webm", "libopus", video="libvpx-vp9"),
    "film.avi": Kind("avi", "libmp3lame", 44_100, video="mpeg4"),
}


def write(
    path: Path, kind: Kind, samples: Samples, *, title: str | None = None, options: dict[str, str] | None = None
) -> Path:
    """Encode mono 16 kHz samples, the same on all channels."""
    with av.open(str(path), "w", format=kind.container, options=options) as container:
        sound = None
        if kind.codec:
            sound = cast("AudioStream", container.add_stream(kind.codec, rate=kind.rate, layout=kind.layout))
            if title:
                sound.metadata["title"] = title
        picture = None
        if kind.video:
            picture = cast("VideoStream", container.add_stream(kind.video, rate=5))
            picture.width, picture.height, picture.pix_fmt = 32, 32, "yuv420p"
        if sound:
            frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, RATE), 0
            container.mux(_encoded(sound, frame, kind))
        if picture:
            for number in range(max(1, len(samples) * 5 // RATE)):
                pixels = np.full((32, 32, 3), number * 20 % 256, np.uint8)
                container.mux(picture.encode(av.VideoFrame.from_ndarray(pixels)))
            container.mux(picture.encode(None))
    return path


def _encoded(sound: AudioStream, frame: av.AudioFrame, kind: Kind) -> list[av.Packet[AudioStream]]:
    """The same samples on all channels: FFmpeg's own way from mono to stereo makes them 3 dB quieter."""
    mono = av.AudioResampler(format="s16", layout="mono", rate=kind.rate)
    parts = [*mono.resample(frame), *(mono.resample(None) if kind.rate != RATE else [])]
    one = np.concatenate([part.to_ndarray().reshape(-1) for part in parts])
    channels = av.AudioLayout(kind.layout).nb_channels
    many = av.AudioFrame.from_ndarray(np.repeat(one, channels).reshape(1, -1), format="s16", layout=kind.layout)
    many.sample_rate, many.time_base, many.pts = kind.rate, Fraction(1, kind.rate), 0
    return [*sound.encode(many), *sound.encode(None)]
