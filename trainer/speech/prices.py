"""What speech costs elsewhere: recognising it by the minute, reading aloud by the character or the minute. Pure.

Like those of `trainer.prices`, these are for ordinary requests; what is worked out is an estimate of the bill.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECKED: Final = "2026-11-22"
"""When the tables were last compared with what is published: a page for each model below
https://developers.openai.com/api/docs/models, as copied in September to November 2026. Those of the models that are
paid by the token are what OpenAI says a minute comes to."""

MINUTE: Final[Mapping[str, float]] = {
    "gpt-transcribe": 0.0045,
    "whisper-1": 0.006,
    "gpt-4o-transcribe": 0.006,
    "gpt-4o-transcribe-diarize": 0.006,
    "gpt-4o-mini-transcribe": 0.003,
    "gpt-4o-mini-transcribe-2025-12-15": 0.003,
}
"""US dollars for a minute that is recognised. A fraction of a minute costs that fraction."""
SPOKEN_MINUTE: Final[Mapping[str, float]] = {"gpt-4o-mini-tts": 0.015, "gpt-4o-mini-tts-2025-12-15": 0.015}
"""US dollars for a minute that is read aloud."""
MILLION_CHARACTERS: Final[Mapping[str, float]] = {"tts-1": 15.0, "tts-1-hd": 30.0}
"""US dollars for a million characters that are read aloud."""
FREE: Final = frozenset({"hibari", "espeak-ng", "gtts"})
"""Voices that nobody is paid for."""


def recognised_usd(model: str, billed_s: float) -> float | None:
    """What recognising so many seconds cost; None where the price is not known. `Transcript.billed_s` tells them."""
    if billed_s <= 0:
        return 0.0
    price = MINUTE.get(model)
    return None if price is None else price * billed_s / 60


def spoken_usd(model: str, characters: int, seconds: float) -> float | None:
    """What reading so many characters aloud, which took so many seconds, cost; None where that is not known."""
    if model in FREE or not characters:
        return 0.0
    if model in SPOKEN_MINUTE:
        return SPOKEN_MINUTE[model] * seconds / 60
    price = MILLION_CHARACTERS.get(model)
    return None if price is None else price * characters / 1_000_000
