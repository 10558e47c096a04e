"""Answers aloud: a sentence at a time, in the first voice that can, the same sentence but once."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from cachetools import LRUCache

from trainer.ports import ModelUnavailable, Sound
from trainer.speech.prices import FREE
from trainer.speech.speakable import language_of, sentences, speakable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from trainer.ports import Synthesizer

CACHE_BYTES: Final = 32 * 1024 * 1024
"""Spoken sentences that are kept: eleven minutes at 24 kHz. In memory alone, as they are people's words."""
REST_S: Final = 60.0
"""How long a voice that failed is not asked again, as long as there is another."""
SLOWEST: Final = 0.5
FASTEST: Final = 2.0

log = logging.getLogger(__name__)


class Spoken(NamedTuple):
    """A sentence that was spoken."""

    text: str
    """In the words that were spoken: without marks, with numbers in words."""
    sound: Sound
    voice: str
    """The name of the voice."""
    cached: bool
    """It had been spoken before: nobody was asked, and it costs nothing."""


class _Wish(NamedTuple):
    """What is to be said, and how."""

    text: str
    language: str
    speed: float
    voice: str


class Speaker:
    """Speaks texts. Safe to use from several threads.

    Args:
        voices: in the order in which they are tried.
        cache_bytes: of spoken sentences that are kept.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        voices: Sequence[Synthesizer],
        *,
        cache_bytes: int = CACHE_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.voices = tuple(voices)
        self._clock = clock
        self._lock = threading.Lock()
        self._cache: LRUCache[tuple[str, _Wish], Sound] = LRUCache(
            cache_bytes, getsizeof=lambda sound: len(sound.pcm)
        )
        self._resting: dict[str, float] = {}

    @property
    def name(self) -> str:
        """The voices in force, in order, as `/healthz` shows them."""
        return ", ".join(voice.name for voice in self.voices)

    def free(self) -> Speaker:
        """Only those voices that nobody is paid for."""
        return Speaker([voice for voice in self.voices if voice.name in FREE], clock=self._clock)

    def say(self, text: str, language: str = "", *, speed: float = 1.0, voice: str = "") -> Iterator[Spoken]:
        """Speak a text, a sentence at a time, as the sentences get ready. A text without words says nothing.

        Args:
            text: Discord's Markdown.
            language: `en`, `ru` or another one; empty: found by its letters.
            speed: 0.5 to 2; 1 is as the voice does by itself.
            voice: which of a voice's own voices, where it has several.

        Raises:
            ModelUnavailable: no voice answers, or all refuse every sentence. What was yielded before has been spoken.
                One sentence that all refuse, such as one in another script, is left out.
        """
        language = language or language_of(text)
        speed = min(max(speed, SLOWEST), FASTEST)
        tried: set[str] = set()
        refused: ModelUnavailable | None = None
        some = False
        for sentence in sentences(speakable(text, language), language):
            try:
                spoken = self._sentence(_Wish(sentence, language, speed, voice), tried)
            except ModelUnavailable as error:
                if error.reason != "refused":
                    raise
                refused = error
                continue
            some = True
            yield spoken
        if refused is not None and not some:
            raise refused

    def _sentence(self, wish: _Wish, tried: set[str]) -> Spoken:
        """One sentence; `tried` are voices that failed in this text, which is not to change its voice to and fro."""
        failure: ModelUnavailable | None = None
        for voice in self._order(wish.language, tried):
            key = (voice.name, wish)
            with self._lock:
                known: Sound | None = self._cache.get(key)
            if known is not None:
                return Spoken(wish.text, known, voice.name, cached=True)
            try:
                sound = voice.speak(wish.text, language=wish.language, speed=wish.speed, voice=wish.voice)
            except ModelUnavailable as error:
                if failure is None or failure.reason == "refused":
                    failure = error
                tried.add(voice.name)
                self._rest(voice.name, error)
                continue
            with self._lock:
                self._resting.pop(voice.name, None)
                if len(sound.pcm) <= self._cache.maxsize:
                    self._cache[key] = sound
            return Spoken(wish.text, sound, voice.name, cached=False)
        raise failure or ModelUnavailable("missing", retryable=False)

    def _order(self, language: str, tried: set[str]) -> list[Synthesizer]:
        """The voices to try: those that failed a while ago, or in this text, come last."""
        able = [voice for voice in self.voices if voice.speaks(language)]
        now = self._clock()
        with self._lock:
            resting = {name for name, until in self._resting.items() if until > now}
        return sorted(able, key=lambda voice: voice.name in tried or voice.name in resting)

    def _rest(self, name: str, error: ModelUnavailable) -> None:
        log.warning("voice failed", extra={"voice": name, "reason": error.reason, "retryable": error.retryable})
        if error.reason == "refused":
            return  # it is this sentence that it does not speak
        with self._lock:
            self._resting[name] = self._clock() + REST_S
