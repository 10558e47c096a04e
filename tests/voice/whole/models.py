"""Models that know what is said by its sound: one that recognises, one that reads aloud."""

from __future__ import annotations

import threading
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from tests.voice.whole.sounds import pcm_of, words_in
from trainer.ports import ModelUnavailable, Sound, Transcript
from trainer.speech.audio_pcm import RATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainer.ports import OnText

DOWN = ModelUnavailable("connection", retryable=True)


def words_once(heard: Sequence[str]) -> list[str]:
    """What was recognised but noise, and what was recognised twice in a row once."""
    return [words for words, _ in groupby(filter(None, heard))]


class Recogniser:
    """Recognises what it knows; anything else is noise to it.

    Attributes:
        knows: what people may say.
        heard: what it recognised, in order; empty texts for noise.
        sounds: what it was given.
        failure: raised instead.
    """

    name = "recogniser"
    most_s = 60.0
    local = False

    def __init__(self) -> None:
        self.knows: list[str] = []
        self.heard: list[str] = []
        self.sounds: list[bytes] = []
        self.failure: ModelUnavailable | None = None
        self._lock = threading.Lock()

    def transcribe(
        self,
        sound: Sound,
        *,
        language: str = "",
        languages: Sequence[str] = (),
        keywords: Sequence[str] = (),
        on_text: OnText | None = None,
    ) -> Transcript:
        assert sound.rate == RATE
        words = words_in(sound.pcm, tuple(self.knows))
        with self._lock:
            self.sounds.append(sound.pcm)
            self.heard.append(words)
        if self.failure is not None:
            raise self.failure
        cyrillic = any("а" <= letter <= "я" for letter in words.casefold())
        return Transcript(words, "ru" if cyrillic else "en", ())

    @property
    def understood(self) -> list[str]:
        """The words that it recognised, in order.

        On a busy machine, people seem to pause: what they said by then is recognised in advance, and once more.
        """
        return words_once(self.heard)

    def was_given(self, text: str) -> bool:
        """Whether any sound held this, whole."""
        return any(words_in(pcm, [text]) for pcm in self.sounds)


class Reader:
    """Reads aloud.

    Attributes:
        said: what it was asked to say, in order.
        languages: in which language.
        failure: raised instead.
    """

    name = "reader"
    rate = 24_000

    def __init__(self) -> None:
        self.said: list[str] = []
        self.languages: dict[str, str] = {}
        self.failure: ModelUnavailable | None = None

    def speaks(self, language: str) -> bool:
        return True

    def speak(self, text: str, *, language: str, speed: float = 1.0, voice: str = "") -> Sound:
        if self.failure is not None:
            raise self.failure
        self.said.append(text)
        self.languages[text] = language
        return Sound(pcm_of(text, self.rate), self.rate)


class Mumbler(Reader):
    """A wrong one: its sound has nothing to do with the text."""

    def speak(self, text: str, *, language: str, speed: float = 1.0, voice: str = "") -> Sound:
        sound = super().speak(text, language=language, speed=speed, voice=voice)
        noise = np.random.default_rng(1).normal(0, 3_000, len(sound.pcm) // 2)
        return Sound(noise.astype("<i2").tobytes(), self.rate)
