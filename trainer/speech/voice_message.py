"""Voice messages as Discord has them: a file, how long it is, and what its curve looks like.

Discord's documentation (resources/message, "Voice Messages") asks for one audio attachment with `duration_secs` and
`waveform`, and no content. Clients measure the sound every 100 ms, or so seldom that there are no more than 256
values; each is a byte, all of them in base64.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from trainer.speech.audio_pcm import regroup
from trainer.speech.encoding import write_audio

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from trainer.speech.audio_pcm import Samples

FILE_NAME: Final = "voice-message.ogg"
"""As Discord's clients call it."""
CONTENT_TYPE: Final = "audio/ogg"
MOST_POINTS: Final = 256


class VoiceMessage(NamedTuple):
    """What an attachment of a voice message says, beside the file."""

    duration_secs: float
    waveform: str
    """Base64 of 1 to 256 bytes."""
    size: int
    """Of the file, in bytes."""


def write_voice_message(
    chunks: Iterable[Samples], path: Path, *, rate: int, bit_rate: int | None = None
) -> VoiceMessage:
    """Encode mono 16-bit samples as Ogg/Opus, mono, 48 kHz. Takes and raises what `write_audio` does."""
    curve: list[float] = []
    encoded = write_audio(_measured(chunks, rate // 10, curve), path, rate=rate, bit_rate=bit_rate)
    return VoiceMessage(encoded.duration_s, waveform(curve), encoded.size)


def waveform(curve: Sequence[float]) -> str:
    """The amplitudes of successive 100 ms, of any scale, as Discord wants them: the loudest is 255."""
    amplitudes = np.asarray(curve, np.float64)
    if len(amplitudes) > MOST_POINTS:
        # The loudest of each group, so that a short word does not vanish from a long message.
        starts = np.arange(MOST_POINTS) * len(amplitudes) // MOST_POINTS
        amplitudes = np.maximum.reduceat(amplitudes, starts)
    loudest = float(amplitudes.max(initial=0.0))
    points = np.rint(amplitudes / loudest * 255) if loudest else np.zeros(max(1, len(amplitudes)))
    return base64.b64encode(points.astype(np.uint8).tobytes()).decode()


def _measured(chunks: Iterable[Samples], size: int, curve: list[float]) -> Iterator[Samples]:
    """The same samples, with the RMS of each `size` of them appended to `curve` as they pass."""
    for chunk in regroup(chunks, size):
        curve.append(float(np.sqrt(np.mean(np.square(chunk.astype(np.float64))))))
        yield chunk
