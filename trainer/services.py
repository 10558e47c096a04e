"""Everything that a worker, or a voice, may ask of what the bot knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from trainer.retention import Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trainer.answering import Answering
    from trainer.corrections import Corrections
    from trainer.evaluation.running import Runner
    from trainer.lesson_book import LessonBook
    from trainer.library import Library
    from trainer.limit_store import Limiter
    from trainer.ports import Embedder, JobQueue, ObjectStore, Transcriber
    from trainer.scope import Scope
    from trainer.speech.late_decoder import SoundDecoder
    from trainer.speech.speaking import Speaker
    from trainer.training import Training
    from trainer.usage import Ledger
    from trainer.voice_line import VoiceLine


class Services(NamedTuple):
    """The rooms, wired. `trainer.bootstrap` makes it."""

    store: ObjectStore
    library: Library
    training: Training
    answering: Answering
    corrections: Corrections
    limits: Limiter | None = None
    """None: nobody is held back."""
    ledger: Ledger | None = None
    """None: what answers cost is not counted."""
    policy: Policy = Policy()
    """How long things are kept, as far as that can be chosen."""
    chat_host: str = ""
    """The host of the language model that questions are sent to; empty if there is none."""
    embedder: Embedder | None = None
    """None: questions are compared by their words alone."""
    embeddings_host: str = ""
    """The host that turns questions into vectors; empty if that happens here or not at all."""
    queue: JobQueue | None = None
    """Where jobs lie that were given up, with what people wrote; None: nobody looks for them."""
    lessons: LessonBook | None = None
    """Has a chat model word what corrections teach; None: they stay as they are."""
    evaluation: Runner | None = None
    """None: nothing is measured."""
    transcriber: Transcriber | None = None
    """None: nobody listens."""
    transcription_host: str = ""
    """The host that recordings are sent to, to be recognised; empty if that happens here or not at all."""
    decoder: SoundDecoder | None = None
    """Takes recordings apart; None: none can be listened to."""
    keywords: Callable[[Scope], Sequence[str]] | None = None
    """The rare words of what a scope was taught, which may be said; None: none are known."""
    speaker: Speaker | None = None
    """None: nothing is said aloud."""
    speech_hosts: tuple[str, ...] = ()
    """The hosts that answers are sent to, to be spoken; none where that happens here or not at all."""

    voice: VoiceLine | None = None
    """Tells the sidecars what to do in voice channels; None: nobody is there who would."""

    def close(self) -> None:
        """Close what was opened."""
        self.library.close()
        if self.voice is not None:
            self.voice.close()
