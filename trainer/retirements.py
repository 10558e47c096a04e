"""Which of OpenAI's models end when, so that a deployer hears of it before people do. Pure; a small table."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trainer.services import Services

CHECKED: Final = "2026-11-22"
"""When the table was last compared with what is published."""
SOURCE: Final = "https://developers.openai.com/api/docs/deprecations"
"""The dates also stand in the package `openai` 3.54, beside the names of the models."""
OPENAI: Final = "api.openai.com"
SOON_DAYS: Final = 90
"""So long before a model's end it is told."""

_ENDS: Final[Mapping[date, tuple[str, ...]]] = {
    date(2026, 12, 11): ("gpt-5", "gpt-5-mini", "gpt-5-nano", "o3"),
    date(2027, 1, 6): ("tts-1", "tts-1-hd", "gpt-4o-mini-tts", "gpt-4o-mini-tts-2025-12-15"),
    date(2027, 1, 14): ("gpt-4.1", "gpt-4.1-mini", "gpt-4o", "gpt-4o-mini"),
    date(2027, 2, 26): (
        "whisper-1",
        "gpt-4o-transcribe",
        "gpt-4o-mini-transcribe",
        "gpt-4o-mini-transcribe-2025-12-15",
        "gpt-4o-transcribe-diarize",
    ),
    date(2027, 4, 1): ("gpt-5.1", "gpt-5.4-nano"),
}
ENDS: Final[Mapping[str, date]] = {name: day for day, names in _ENDS.items() for name in names}
"""The last day of each model."""


class Retirement(NamedTuple):
    """A model in force that ends."""

    use: str
    """The setting that names it, such as `TRAINGER_STT`."""
    model: str
    on: date
    days: int
    """From today; 0 or less: it has ended."""


def retiring(models: Mapping[str, str], now: float) -> list[Retirement]:
    """Those that end soon, or have ended, in the order in which they are given.

    Args:
        models: the name of the model in force for each setting; only those of OpenAI itself.
        now: seconds since the epoch.
    """
    today = datetime.fromtimestamp(now, UTC).date()
    found = []
    for use, name in models.items():
        on = ENDS.get(name)
        if on is not None and (days := (on - today).days) <= SOON_DAYS:
            found.append(Retirement(use, name, on, days))
    return found


def models_at_openai(services: Services) -> dict[str, str]:
    """The models in force that OpenAI serves, by the settings that choose them."""
    return dict(_named(services))


def _named(services: Services) -> Iterator[tuple[str, str]]:
    if services.chat_host == OPENAI:
        yield "TRAINGER_CHAT_MODEL", services.answering.model
    if services.transcription_host == OPENAI and services.transcriber is not None:
        yield "TRAINGER_STT", services.transcriber.name
    if OPENAI in services.speech_hosts and services.speaker is not None:
        for voice in services.speaker.voices:
            if voice.name in ENDS:
                yield "TRAINGER_TTS", voice.name
