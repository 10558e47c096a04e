"""The ports of models of speech: voices, and those that recognise what is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainer.ports.models import OnText


class Sound(NamedTuple):
    """Mono sound, whole."""

    pcm: bytes
    """16-bit samples, little-endian."""
    rate: int
    """Samples a second."""

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.pcm) / 2 / self.rate


@runtime_checkable
class Synthesizer(Protocol):
    """A voice that reads texts aloud. Safe to use from several threads."""

    name: str
    """The voice in force, as `/healthz` shows it; texts and answers in the log never are."""

    def speaks(self, language: str) -> bool:
        """Whether it has a voice for a language, such as `en` or `ru`. Asks nobody."""
        ...

    def speak(self, text: str, *, language: str, speed: float = 1.0, voice: str = "") -> Sound:
        """Read a sentence or a few.

        Args:
            text: without marks, with numbers in words.
            language: such as `en`.
            speed: from 0.5 to 2; 1 is as the voice does by itself.
            voice: which of several voices, by a name of its own; one that has no such voice uses its own.

        Raises `ModelUnavailable`, also for a language that it does not speak, and `Cancelled` if it is cancelled (see
        `trainer.ports.cancelling`) before it is whole, unless it cannot stop.
        """
        ...


class TranscriptPart(NamedTuple):
    """Some words and when they are said, in seconds from the beginning of the sound."""

    start_s: float
    end_s: float
    text: str


class Transcript(NamedTuple):
    """What is said in a sound."""

    text: str
    """Empty where nobody says anything."""
    language: str
    """Such as `en`; empty where the transcriber does not tell."""
    parts: tuple[TranscriptPart, ...]
    """In order; one for the whole where it does not tell more."""
    doubt: float = 0.0
    """How likely it is, 0 to 1, that the words were not said but made up of noise; 0 where it does not tell."""
    billed_s: float = 0.0
    """Seconds of sound that somebody is paid for; 0 where nobody is."""


@runtime_checkable
class Transcriber(Protocol):
    """A model that recognises speech. Safe to use from several threads."""

    name: str
    """The model in force, as `/healthz` shows it."""
    most_s: float
    """Seconds of sound that it takes at once."""
    local: bool
    """It works in this process, on one sound after the other, and finding out the language takes it time."""

    def transcribe(
        self,
        sound: Sound,
        *,
        language: str = "",
        languages: Sequence[str] = (),
        keywords: Sequence[str] = (),
        on_text: OnText | None = None,
    ) -> Transcript:
        """The words of a sound of 16 kHz; none for an empty one.

        Args:
            sound: at most `most_s` seconds.
            language: such as `ru`, where it is known; else it is found out.
            languages: which it may be, where it is not known; none for any.
            keywords: rare words that may be said, and how they are written.
            on_text: told the text as it comes, if the model tells it before it is finished.

        Raises `ModelUnavailable`, also for a sound that is not taken, and `Cancelled` if it is cancelled (see
        `trainer.ports.cancelling`) before anybody was asked.
        """
        ...
