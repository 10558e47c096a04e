"""Recogniser and voice as a call uses them: what they cost is counted, and no more than the budget spent. Blocking.

Counting is left to later, as somebody is waiting for the words.
"""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from trainer.ports import Cancelled, Transcript, current_cancellation
from trainer.settings import scope_settings
from trainer.speech.prices import recognised_usd, spoken_usd
from trainer.speech.transcribing import transcribe_chunks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from trainer.ports import ObjectStore, Sound, Transcriber
    from trainer.scope import Scope
    from trainer.speech.speaking import Speaker, Spoken
    from trainer.usage import Ledger

    Later = Callable[[Callable[[], None]], object]

SAMPLE: Final = 2
"""Bytes."""


class BudgetUsed(Exception):
    """This month's budget does not allow it."""


class Recognises(Protocol):
    """Makes words of what somebody said. Called in threads that may wait."""

    def __call__(self, sound: Sound, languages: Sequence[str], turn_id: str) -> Transcript:
        """The words. Raises `ModelUnavailable`, `BudgetUsed` and `Cancelled`."""
        ...


class Says(Protocol):
    """Makes sound of words. Called in threads that may wait."""

    def __call__(self, text: str, language: str, turn_id: str) -> Iterator[Spoken]:
        """The sentences, as they get ready; none of what has no words.

        Raises `ModelUnavailable`, `BudgetUsed` and `Cancelled`.
        """
        ...


class Recogniser:
    """Recognises speech on a scope's account.

    Args:
        transcriber: the model.
        ledger: counts what it costs; None for not at all.
        scope: whose account.
        keywords: rare words that may be said.
        later: does something in another thread.
    """

    def __init__(
        self,
        transcriber: Transcriber,
        ledger: Ledger | None,
        scope: Scope,
        keywords: Callable[[Scope], Sequence[str]] | None,
        later: Later,
    ) -> None:
        self._transcriber = transcriber
        self._ledger = ledger
        self._scope = scope
        self._keywords = keywords
        self._later = later

    def __call__(self, sound: Sound, languages: Sequence[str], turn_id: str) -> Transcript:
        """The words of a sound of any length. Raises `ModelUnavailable`, `BudgetUsed` and `Cancelled`."""
        paid = None if self._transcriber.local else self._ledger
        if paid is not None and paid.spending(self._scope).exhausted:
            raise BudgetUsed
        keywords = self._keywords(self._scope) if self._keywords is not None else ()
        current_cancellation().check()
        if sound.seconds <= self._transcriber.most_s:
            transcript = self._transcriber.transcribe(sound, languages=languages, keywords=keywords)
        else:
            samples = np.frombuffer(sound.pcm[: len(sound.pcm) // SAMPLE * SAMPLE], "<i2").astype(np.int16)
            found = transcribe_chunks([samples], self._transcriber, languages=languages, keywords=keywords)
            transcript = Transcript(found.text, found.language, found.parts, found.doubt, found.billed_s)
        if paid is not None and transcript.billed_s:
            model, usd = self._transcriber.name, recognised_usd(self._transcriber.name, transcript.billed_s)
            name = f"{turn_id}-heard-{token_hex(4)}"
            self._later(lambda: paid.record_cost(self._scope, name, model, usd))
        return transcript


class Voice:
    """Speaks on a scope's account, as fast and in the voice that its managers chose.

    Args:
        speaker: the voices.
        store: where the managers' choice is kept.
        ledger: counts what they cost; None for not at all.
        scope: whose account.
        later: does something in another thread.
    """

    def __init__(
        self, speaker: Speaker, store: ObjectStore, ledger: Ledger | None, scope: Scope, later: Later
    ) -> None:
        self._speaker = speaker
        self._store = store
        self._ledger = ledger
        self._scope = scope
        self._later = later

    def __call__(self, text: str, language: str, turn_id: str) -> Iterator[Spoken]:
        """The sentences of a text, as they get ready. Raises `ModelUnavailable`, `BudgetUsed` and `Cancelled`."""
        speaker = self._speaker
        if self._ledger is not None and self._ledger.spending(self._scope).exhausted:
            speaker = speaker.free()
            if not speaker.voices:
                raise BudgetUsed
        settings = scope_settings(self._store, self._scope)
        try:
            for spoken in speaker.say(text, language, speed=settings.speech_speed, voice=settings.speech_voice):
                if not spoken.cached:
                    self._count(spoken.voice, len(spoken.text), spoken.sound.seconds, turn_id)
                yield spoken
        except Cancelled as cancelled:
            self._count(cancelled.model, cancelled.characters, cancelled.seconds, turn_id)
            raise

    def _count(self, voice: str, characters: int, seconds: float, turn_id: str) -> None:
        if self._ledger is None or not voice:
            return
        ledger, name = self._ledger, f"{turn_id}-said-{token_hex(4)}"
        usd = spoken_usd(voice, characters, seconds)
        self._later(lambda: ledger.record_cost(self._scope, name, voice, usd))
