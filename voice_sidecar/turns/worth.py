"""Whether what was recognised was said, before it is answered. Pure.

Recognisers make up words where there are none (see `trainer.speech.made_up`). Beyond what they tell themselves, we
know how long there was voice: nobody says twelve words in half a second.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from trainer.ports.speech import TranscriptPart
from trainer.speech.made_up import DOUBTFUL_AT, SUSPECT_AT, Judged, without_made_up

if TYPE_CHECKING:
    from trainer.ports.speech import Transcript

LEAST_VOICE: Final = 0.2
"""Seconds. The shortest words, such as "да", take this long."""

# The fastest speakers say some 12 syllables a second, or 6 words, 35 letters; voice that was missed is allowed for.
_WORDS: Final = (2.0, 7.0)  # at any length, and for each second of voice
_LETTERS: Final = (14.0, 45.0)
_HASTY: Final = 0.6
"""Of what is possible: more than most people ever say, so what recognisers like to make up is not believed."""

_WORD: Final = re.compile(r"\w+(?:['’-]\w+)*")


class Unworthy(StrEnum):
    """Why something is not answered."""

    WORDLESS = "wordless"
    SHORT = "short"
    DOUBTFUL = "doubtful"
    TOO_FAST = "too_fast"
    MADE_UP = "made_up"


def worth_answering(
    transcript: Transcript, voiced_s: float, *, least_voice: float = LEAST_VOICE, doubtful_at: float = DOUBTFUL_AT
) -> Unworthy | None:
    """Why the words were most likely never said; None if they were.

    Args:
        transcript: What was recognised.
        voiced_s: Seconds of voice in the sound.
        least_voice: Less is no word.
        doubtful_at: The recogniser's own doubt from which on it is not believed.
    """
    words = _WORD.findall(transcript.text)
    if not words:
        return Unworthy.WORDLESS
    if voiced_s < least_voice:
        return Unworthy.SHORT
    if transcript.doubt >= doubtful_at:
        return Unworthy.DOUBTFUL
    haste = max(len(words) / _possible(_WORDS, voiced_s), sum(map(len, words)) / _possible(_LETTERS, voiced_s))
    if haste > 1:
        return Unworthy.TOO_FAST
    doubt = max(transcript.doubt, SUSPECT_AT if haste > _HASTY else 0.0)
    whole = TranscriptPart(0.0, voiced_s, transcript.text)
    if not without_made_up(Judged(part, doubt) for part in transcript.parts or (whole,)):
        return Unworthy.MADE_UP
    return None


def _possible(limit: tuple[float, float], voiced_s: float) -> float:
    at_any_length, a_second = limit
    return at_any_length + a_second * voiced_s
