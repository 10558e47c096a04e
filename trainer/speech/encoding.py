"""Sound written as Ogg/Opus or MP3, as a stream: memory does not grow with its length."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, cast

import av
import av.logging
import numpy as np
from av.audio.frame import AudioFrame

from trainer.speech.audio_pcm import AudioRefused, regroup

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from av.audio.stream import AudioStream
    from av.container import OutputContainer

    from trainer.speech.audio_pcm import Samples

av.logging.set_level(None)

AudioFormat = Literal["ogg", "mp3"]


class _Recipe(NamedTuple):
    codec: str
    rate: int
    bit_rate: int
    options: dict[str, str]


_RECIPES: Final[dict[AudioFormat, _Recipe]] = {
    # Discord's own voice messages are Opus, mono, 48 kHz. `voip` favours intelligibility; 32 kbit/s is transparent
    # for one voice, and an attachment of 10 MiB holds 40 minutes of it.
    "ogg": _Recipe("libopus", 48_000, 32_000, {"application": "voip", "vbr": "on"}),
    "mp3": _Recipe("libmp3lame", 24_000, 48_000, {}),
}
_LEAST_PER_S: Final = 50
"""Less than 20 ms is filled up with silence: the encoders write no file at all for a few samples."""


class Encoded(NamedTuple):
    """A file that was written."""

    duration_s: float
    """Of what was given, which is what decoding gives again; at least 0.02."""
    size: int
    """Bytes."""


def write_audio(
    chunks: Iterable[Samples], path: Path, *, rate: int, form: AudioFormat = "ogg", bit_rate: int | None = None
) -> Encoded:
    """Encode mono 16-bit samples, `rate` a second, to a new file; the same samples give the same bytes.

    Args:
        chunks: of any length; taken as they are needed.
        path: replaced if it exists; if anything fails, also in `chunks`, there is no file.
        rate: any, as it is converted to what the format has: 48 kHz for Opus, 24 kHz for MP3.
        form: the format.
        bit_rate: bits a second; by default what is right for a voice.

    Raises:
        AudioRefused: `empty`, if there is not one sample.
    """
    recipe = _RECIPES[form]
    try:
        with path.open("wb") as file, av.open(file, "w", format=form, options={"fflags": "+bitexact"}) as container:
            stream = _add_stream(container, recipe, bit_rate or recipe.bit_rate)
            count = 0
            for chunk in regroup(chunks, rate):
                _encode(container, stream, _frame(chunk, rate, count))
                count += len(chunk)
            if not count:
                raise AudioRefused("empty")
            if count < rate // _LEAST_PER_S:
                rest = np.zeros(rate // _LEAST_PER_S - count, np.int16)
                _encode(container, stream, _frame(rest, rate, count))
                count += len(rest)
            _encode(container, stream, None)
        return Encoded(count / rate, path.stat().st_size)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _add_stream(container: OutputContainer, recipe: _Recipe, bit_rate: int) -> AudioStream:
    stream = container.add_stream(recipe.codec, rate=recipe.rate, layout="mono", options=dict(recipe.options))
    stream = cast("AudioStream", stream)  # as both codecs are of sound
    stream.bit_rate = bit_rate
    return stream


def _frame(samples: Samples, rate: int, position: int) -> AudioFrame:
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = rate
    frame.time_base = Fraction(1, rate)
    frame.pts = position
    return frame


def _encode(container: OutputContainer, stream: AudioStream, frame: AudioFrame | None) -> None:
    for packet in stream.encode(frame):
        container.mux(packet)
