"""Speech to recognise, with the words that are said: read by people, and by voices where they are installed."""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from trainer.ports import ModelUnavailable
from trainer.speech.audio_bytes import resampled
from trainer.speech.audio_pcm import RATE

if TYPE_CHECKING:
    from trainer.ports import Synthesizer
    from trainer.speech.audio_pcm import Samples

RUSSIAN: Final = Path("/usr/share/festival/voices/russian/msu_ru_nsh_clunits")
"""Where Debian's package `festvox-ru` puts 100 minutes of a man who reads, and what he reads."""
TWO_CITIES: Final = """
It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, it was
the epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the season of Darkness, it
was the spring of hope, it was the winter of despair, we had everything before us, we had nothing before us, we were
all going direct to Heaven, we were all going direct the other way - in short, the period was so far like the present
period, that some of its noisiest authorities insisted on its being received, for good or for evil, in the superlative
degree of comparison only.
"""
"""Charles Dickens, "A Tale of Two Cities", 1859."""
ENGLISH: Final = (
    "How do I reset my password?",
    "Where can I download the invoice of last month?",
    "The support team answers from Monday to Friday between nine and six.",
    "My order has not arrived yet, can you tell me where it is?",
    "Please explain how I invite a new member to our workspace.",
    "Is there a discount for students and teachers?",
)
RUSSIAN_TEXTS: Final = (
    "Как сбросить пароль?",
    "Где скачать счёт за прошлый месяц?",
    "Мой заказ ещё не приехал, где он сейчас?",
    "Есть ли скидка для студентов?",
)


class Utterance(NamedTuple):
    """Some sound and what is said in it."""

    samples: Samples
    text: str

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / RATE


def words_of(text: str) -> str:
    """The words alone, as word error rates compare them: without marks, capitals and the dots of «ё»."""
    return " ".join(re.findall(r"\w+", text.casefold().replace("+", "").replace("ё", "е")))


def two_cities() -> Utterance | None:
    """44 seconds of real English, from the package `moonshine-voice`; None where it is not installed."""
    package = importlib.util.find_spec("moonshine_voice")
    if package is None or package.origin is None:
        return None
    path = Path(package.origin).parent / "assets" / "two_cities.wav"
    return Utterance(_samples(path), TWO_CITIES)


def russian_readings(most: int) -> list[tuple[Path, str]]:
    """Real Russian sentences of 3 to 18 seconds, evenly from the whole; none where the package is not installed."""
    folder = Path(os.environ.get("TRAINGER_FESTVOX_RU") or RUSSIAN)
    index = folder / "etc" / "txt.done.data"
    if not index.is_file():
        return []
    rows = re.findall(r'\(\s*(\w+)\s+"(.*)"\s*\)', index.read_text(encoding="utf-8"))
    there = [(folder / "wav" / f"{name}.wav", text) for name, text in rows]
    there = [(path, text) for path, text in there if path.is_file()]
    return there[:: max(1, len(there) // most)][:most]


def russian(most: int) -> list[Utterance]:
    """The same as samples."""
    return [Utterance(_samples(path), text) for path, text in russian_readings(most)]


def spoken(voice: Synthesizer, language: str, texts: tuple[str, ...]) -> list[Utterance]:
    """The texts in a synthetic voice; none where it is not installed."""
    try:
        sounds = [resampled(voice.speak(text, language=language), RATE) for text in texts]
    except ModelUnavailable:
        return []
    return [
        Utterance(np.frombuffer(sound.pcm, "<i2").astype(np.int16), text)
        for sound, text in zip(sounds, texts, strict=True)
    ]


def _samples(path: Path) -> Samples:
    from trainer.speech.decoding import Decoder

    return np.concatenate(list(Decoder().pcm(path, most_s=600)))
