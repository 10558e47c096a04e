"""What was recognised of a recording, kept until its reply is: whoever does the job again pays for nothing twice.

    g42/outcomes/<interaction>.heard-<piece>.json    the words of one piece

They lie beside the outcome, which will hold them, and go as it does: after a day, and with their person's data; but
mostly sooner, once the reply is out. Words that may not be stored are remembered by this process alone.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from typing import TYPE_CHECKING, Final, Protocol

import msgspec
from cachetools import TTLCache

from trainer import records
from trainer.ports import PortError, Transcript, TranscriptPart

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trainer.ports import ObjectStore, OnText, Sound, Transcriber
    from trainer.scope import Scope

REMEMBERED_S: Final = 1_800.0
"""How long words are remembered that may not be stored: by then all tries of a job are over."""
REMEMBERED_MOST: Final = 32
"""Recordings of which they are."""

log = logging.getLogger(__name__)
_remembered: Final[TTLCache[str, dict[str, Transcript]]] = TTLCache(REMEMBERED_MOST, REMEMBERED_S)
_lock: Final = threading.Lock()


class Pieces(Protocol):
    """What was recognised of one recording, by the names of its pieces. Safe to use from several threads."""

    def load(self, name: str) -> Transcript | None:
        """What is known of a piece. Nobody is paid for it again."""
        ...

    def save(self, name: str, transcript: Transcript) -> None:
        """Keep what was recognised. Raises nothing: it was paid for, and must reach its person."""
        ...

    def drop(self) -> None:
        """Let go of all of it."""
        ...


class _Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A piece as it is stored."""

    author: str
    """Whose question it is, so that it is found."""
    text: str
    language: str
    parts: list[tuple[float, float, str]]
    doubt: float
    v: int = 1


class StoredPieces:
    """Pieces of a question, in the store."""

    def __init__(self, store: ObjectStore, scope: Scope, interaction_id: str, author: str) -> None:
        self._store = store
        self._author = author
        self._prefix = f"{scope.prefix}/outcomes/{interaction_id}.heard-"
        self._lock = threading.Lock()
        self._keys = {info.key for info in store.list(self._prefix)}

    def load(self, name: str) -> Transcript | None:
        """From an earlier delivery of the job."""
        key = self._key(name)
        kept = records.load(self._store, key, _Piece) if key in self._keys else None
        if kept is None:
            return None
        return Transcript(kept.text, kept.language, tuple(TranscriptPart(*part) for part in kept.parts), kept.doubt)

    def save(self, name: str, transcript: Transcript) -> None:
        """For a later one."""
        key = self._key(name)
        piece = _Piece(
            author=self._author,
            text=transcript.text,
            language=transcript.language,
            parts=[(part.start_s, part.end_s, part.text) for part in transcript.parts],
            doubt=transcript.doubt,
        )
        try:
            records.save_once(self._store, key, piece)
        except PortError as error:
            log.warning("a piece was not kept", extra={"error": type(error).__name__})
            return
        with self._lock:
            self._keys.add(key)

    def drop(self) -> None:
        """The outcome has them now."""
        with self._lock:
            keys = sorted(self._keys)
        for key in keys:
            self._store.delete(key)

    def _key(self, name: str) -> str:
        return f"{self._prefix}{name}.json"


class RememberedPieces:
    """Pieces of a recording that belongs to somebody else: in the memory of this process, and nowhere else."""

    def __init__(self, interaction_id: str) -> None:
        self._id = interaction_id

    def load(self, name: str) -> Transcript | None:
        """If this process has recognised it."""
        with _lock:
            return _remembered.get(self._id, {}).get(name)

    def save(self, name: str, transcript: Transcript) -> None:
        """For a while."""
        with _lock:
            # Entered anew, so that a long recording is not forgotten while it is being recognised.
            _remembered[self._id] = {**_remembered.get(self._id, {}), name: transcript._replace(billed_s=0.0)}

    def drop(self) -> None:
        """Forget them."""
        with _lock:
            _remembered.pop(self._id, None)


class Sparing:
    """A transcriber that is not asked for what was recognised before.

    Args:
        transcriber: recognises the rest.
        pieces: what was recognised.
        count: told of each piece of how many seconds of it somebody is paid for, at once.
    """

    def __init__(self, transcriber: Transcriber, pieces: Pieces, count: Callable[[float], None]) -> None:
        self._transcriber = transcriber
        self._pieces = pieces
        self._count = count
        self.name = transcriber.name
        self.most_s = transcriber.most_s
        self.local = transcriber.local

    def transcribe(
        self,
        sound: Sound,
        *,
        language: str = "",
        languages: Sequence[str] = (),
        keywords: Sequence[str] = (),
        on_text: OnText | None = None,
    ) -> Transcript:
        """As the transcriber does, or did."""
        name = hashlib.blake2b(sound.pcm + language.encode(), digest_size=16).hexdigest()
        known = self._pieces.load(name)
        if known is not None:
            return known
        transcript = self._transcriber.transcribe(
            sound, language=language, languages=languages, keywords=keywords, on_text=on_text
        )
        self._count(transcript.billed_s)
        self._pieces.save(name, transcript)
        return transcript
