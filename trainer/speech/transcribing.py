"""What is said in a recording of any length: taken apart, cut at pauses, recognised piece by piece, put together.

    found = transcribe_file(path, transcriber, Decoder(), on_progress=..., check=time_limit(900))
    if found.heard: ... found.text, to_srt(found.parts)

Memory does not grow with the length: a recording is decoded as it is needed, and of its pieces there are at any time
the few that are being recognised and two that are being cut. Nothing is written to disk.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from contextvars import copy_context
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

import numpy as np

from trainer.ports import Sound, Transcript, TranscriptPart
from trainer.speech.audio_activity import Verdict, activity_of
from trainer.speech.audio_levels import normalise
from trainer.speech.audio_pcm import RATE, AudioRefused, unhurried
from trainer.speech.made_up import DOUBTFUL_AT
from trainer.speech.splitting import split
from trainer.speech.timing import spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from trainer.ports import Transcriber
    from trainer.speech.audio_pcm import Check, Samples
    from trainer.speech.late_decoder import SoundDecoder
    from trainer.speech.splitting import Piece

PIECE_S: Final = 120.0
"""Seconds of a piece at most, whatever the transcriber takes: progress is seen, and a failure costs little."""
AT_ONCE: Final = 4
"""Pieces that are recognised at the same time elsewhere; in this process it is one."""
SHORTEST_S: Final = 1.0
"""What is shorter gets silence at its end: OpenAI refuses less than 0.1 s, and Whisper makes words up."""
_POLL_S: Final = 0.25
_LONG: Final = 60
"""Characters of one part from which on its words are spread over its time."""

Outcome = Literal["speech", "doubtful", "no_speech", "silent", "noise"]
OnProgress: TypeAlias = Callable[[float, "float | None"], None]
"""Told how many seconds are done, and how many there are, if that is known. From the caller's thread."""


class Transcription(NamedTuple):
    """What is said in a recording."""

    text: str
    language: str
    """In which most is said, such as `en`; empty where that is not known."""
    parts: tuple[TranscriptPart, ...]
    """In order, with times from the beginning of the recording."""
    seconds: float
    """How long the recording is."""
    outcome: Outcome
    """`speech`; `doubtful`: words, but likely made up of noise. Without words: `silent`, or nearly; `noise`: a sound
    that nobody could take for speech; `no_speech`: one that could have been, but nothing was recognised."""
    activity: Verdict
    """What the sound is like, before anybody tried to recognise something."""
    doubt: float
    """How likely it is, 0 to 1, that the words were made up; 0 where the transcriber does not tell."""
    billed_s: float
    """Seconds of sound that somebody is paid for."""
    model: str
    """The transcriber's name."""

    @property
    def heard(self) -> bool:
        """Whether there are any words."""
        return bool(self.text)


class _Heard(NamedTuple):
    """A piece that was recognised."""

    transcript: Transcript
    parts: tuple[TranscriptPart, ...]
    """With times from the beginning of the recording."""


def transcribe_file(
    path: Path,
    transcriber: Transcriber,
    decoder: SoundDecoder,
    *,
    language: str = "",
    languages: Sequence[str] = (),
    keywords: Sequence[str] = (),
    most_s: float = 3_600,
    on_progress: OnProgress | None = None,
    check: Check = unhurried,
) -> Transcription:
    """Recognise what is said in a file.

    Args:
        path: any file that `decoder` takes.
        transcriber: recognises the pieces.
        decoder: takes the file apart.
        language: such as `ru`, where it is known; else it is found out.
        languages: which it may be, where it is not known; none for any.
        keywords: rare words that may be said.
        most_s: seconds that the recording may have.
        on_progress: told after each piece; what it raises ends the work and reaches the caller.
        check: called several times a second; what it raises ends the work and reaches the caller.

    Raises:
        AudioRefused: for any of its reasons.
        ModelUnavailable: the transcriber does not answer. What was recognised before is lost.
    """
    whole_s = decoder.probe(path, check).duration_s
    with closing(decoder.pcm(path, most_s=most_s, check=check)) as chunks:
        return transcribe_chunks(
            chunks,
            transcriber,
            language=language,
            languages=languages,
            keywords=keywords,
            whole_s=whole_s,
            on_progress=on_progress,
            check=check,
        )


def transcribe_chunks(
    chunks: Iterable[Samples],
    transcriber: Transcriber,
    *,
    language: str = "",
    languages: Sequence[str] = (),
    keywords: Sequence[str] = (),
    whole_s: float | None = None,
    on_progress: OnProgress | None = None,
    check: Check = unhurried,
) -> Transcription:
    """The same for samples of `RATE` in chunks of any length. Raises `AudioRefused("empty")` if there are none."""
    run = _Run(transcriber, language, languages, keywords, check)
    try:
        for piece in split(chunks, most_s=min(transcriber.most_s, PIECE_S)):
            check()
            run.take(piece)
            if on_progress is not None:
                on_progress(run.done_s, whole_s)
        while run.waiting:
            run.finish_first()
            if on_progress is not None:
                on_progress(run.done_s, whole_s)
    finally:
        run.close()
    return run.result()


class _Run:
    """One recording's way through a transcriber.

    Attributes:
        waiting: pieces that are being recognised, in order.
        done_s: seconds of sound that are dealt with.
    """

    def __init__(
        self, transcriber: Transcriber, language: str, languages: Sequence[str], keywords: Sequence[str], check: Check
    ) -> None:
        self._transcriber = transcriber
        self._language = language
        self._languages = languages
        self._keywords = keywords
        self._check = check
        self._at_once = 1 if transcriber.local else AT_ONCE
        self._threads = ThreadPoolExecutor(self._at_once, thread_name_prefix="transcribing")
        self.waiting: deque[tuple[Piece, Future[_Heard]]] = deque()
        self.done_s = 0.0
        self._seconds = 0.0
        self._found: list[_Heard] = []
        self._verdicts: set[Verdict] = set()
        self._settled = ""
        """The language of the last piece with words, where finding it out takes time."""

    def take(self, piece: Piece) -> None:
        """Have a piece recognised, when its turn comes; one without speech is done at once."""
        self._seconds = piece.end_s
        verdict = activity_of(piece.samples)
        if piece.silent and verdict == "speech_like":
            verdict = "too_quiet"
        self._verdicts.add(verdict)
        if verdict != "speech_like":
            self.done_s += len(piece.samples) / RATE
            return
        while len(self.waiting) >= self._at_once:
            self.finish_first()
        # With the caller's context, by which a transcriber is told that nobody waits any more.
        recognised = self._threads.submit(copy_context().run, self._recognise, piece, self._settled)
        self.waiting.append((piece, recognised))

    def finish_first(self) -> None:
        """Wait for the piece that has been waiting longest."""
        piece, future = self.waiting[0]
        while True:
            self._check()
            try:
                heard = future.result(_POLL_S)
            except TimeoutError:
                if future.done():  # it is the transcriber's own
                    raise
                continue
            break
        self.waiting.popleft()
        self.done_s += len(piece.samples) / RATE
        self._found.append(heard)
        transcript = heard.transcript
        if self._transcriber.local and transcript.text and transcript.doubt < DOUBTFUL_AT:
            self._settled = transcript.language

    def close(self) -> None:
        """Leave: what has not begun never does, and nobody waits for the rest."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def result(self) -> Transcription:
        """All that was found."""
        if not self._seconds:
            raise AudioRefused("empty")
        said = [heard for heard in self._found if heard.transcript.text]
        letters = sum(len(heard.transcript.text) for heard in said)
        by_language: dict[str, int] = {}
        for heard in said:
            language = heard.transcript.language
            by_language[language] = by_language.get(language, 0) + len(heard.transcript.text)
        doubt = sum(heard.transcript.doubt * len(heard.transcript.text) for heard in said) / letters if said else 0.0
        activity = next(
            verdict for verdict in ("speech_like", "noise", "too_quiet", "silence") if verdict in self._verdicts
        )
        return Transcription(
            text=" ".join(heard.transcript.text for heard in said),
            language=max(by_language, key=lambda name: by_language[name]) if said else "",
            parts=tuple(part for heard in said for part in heard.parts),
            seconds=self._seconds,
            outcome=_outcome(activity, heard=bool(said), doubt=doubt),
            activity=activity,
            doubt=doubt,
            billed_s=sum(heard.transcript.billed_s for heard in self._found),
            model=self._transcriber.name,
        )

    def _recognise(self, piece: Piece, settled: str) -> _Heard:
        """In a thread of its own."""
        samples = piece.trimmed
        sound = _sound(samples)
        transcript = self._ask(sound, self._language or settled)
        if settled and not self._language and (transcript.doubt >= DOUBTFUL_AT or not transcript.text):
            other = self._ask(sound, "")  # perhaps somebody speaks another language by now
            if other.text and (not transcript.text or other.doubt < transcript.doubt):
                transcript = other
        return _Heard(transcript, tuple(_placed(transcript, samples, piece)))

    def _ask(self, sound: Sound, language: str) -> Transcript:
        return self._transcriber.transcribe(
            sound, language=language, languages=self._languages, keywords=self._keywords
        )


def _sound(samples: Samples) -> Sound:
    """The samples as loud as recognition likes them, and not too short."""
    louder = normalise(samples)
    missing = int(SHORTEST_S * RATE) - len(louder)
    if missing > 0:
        louder = np.concatenate((louder, np.zeros(missing, np.int16)))
    return Sound(louder.astype("<i2", copy=False).tobytes(), RATE)


def _placed(transcript: Transcript, samples: Samples, piece: Piece) -> Iterable[TranscriptPart]:
    """The parts with times from the beginning of the recording, none beyond the piece."""
    parts = transcript.parts
    if len(parts) == 1 and len(parts[0].text) >= _LONG:
        parts = spread(parts[0].text, samples)
    for part in parts:
        start, end = (min(piece.trimmed_start_s + at, piece.end_s) for at in (part.start_s, part.end_s))
        yield TranscriptPart(start, end, part.text)


def _outcome(activity: Verdict, *, heard: bool, doubt: float) -> Outcome:
    if heard:
        return "speech" if doubt < DOUBTFUL_AT else "doubtful"
    if activity == "speech_like":
        return "no_speech"
    return "noise" if activity == "noise" else "silent"
