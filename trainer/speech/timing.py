"""When words are said, where a recogniser tells only what is said. Pure.

Words are spread over the time in which somebody speaks, in proportion to their length. Pauses get none, so an error
does not grow from one sentence to the next; within half a minute it stays at about a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trainer.ports import TranscriptPart
from trainer.speech.audio_levels import FRAME, silence_below
from trainer.speech.audio_pcm import RATE, frame_levels
from trainer.speech.subtitles import cue_texts

if TYPE_CHECKING:
    from trainer.speech.audio_pcm import Samples


def spread(text: str, samples: Samples) -> tuple[TranscriptPart, ...]:
    """The text in pieces that fit a subtitle, each with its time, in seconds from the first sample."""
    texts = cue_texts(text)
    levels = frame_levels(samples, FRAME)
    spoken = np.flatnonzero(levels > silence_below(levels))
    if not len(spoken):
        spoken = np.arange(max(1, len(levels)))
    whole = sum(map(len, texts))
    parts: list[TranscriptPart] = []
    before = 0
    for piece in texts:
        first = min(before * len(spoken) // whole, len(spoken) - 1)
        before += len(piece)
        last = max(first, before * len(spoken) // whole - 1)
        start, end = int(spoken[first]) * FRAME / RATE, (int(spoken[last]) + 1) * FRAME / RATE
        parts.append(TranscriptPart(start, min(end, len(samples) / RATE), piece))
    return tuple(parts)
