"""How many words are recognised wrongly, and how long that takes, beside faster-whisper on its own.

Recordings are of people who read, in English and Russian, and of a synthetic voice. Both sides have the same model,
Whisper's base, the same recordings and the same machine; the peer gets a recording whole, with its own defaults, and
cuts it into windows itself. espeak-ng's Russian is left out: no model understands it. What is not installed is said.
"""

from __future__ import annotations

import importlib.util
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jiwer
import numpy as np

from bench.report import Aim, Result, table_of
from bench.speech_material import ENGLISH, RUSSIAN, Utterance, russian, spoken, two_cities, words_of
from trainer.adapters.hibari_synthesizer import HibariSynthesizer
from trainer.adapters.whisper_transcriber import WhisperTranscriber
from trainer.adapters.whisper_weights import assembled, packaged
from trainer.ports import Transcript, TranscriptPart
from trainer.speech.audio_pcm import RATE, regroup
from trainer.speech.transcribing import transcribe_chunks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.report import Value
    from trainer.ports import Sound, Transcriber
    from trainer.speech.audio_pcm import Samples

READINGS = 12
PAUSE = np.zeros(RATE, np.int16)
HOUR_S = 3_600


class Timed:
    """A transcriber, with the time that is spent in it."""

    def __init__(self, inner: Transcriber) -> None:
        self._inner = inner
        self.name, self.most_s, self.local = inner.name, inner.most_s, inner.local
        self.seconds = 0.0

    def transcribe(self, sound: Sound, **options: Any) -> Transcript:  # noqa: ANN401 - passed on as they are
        """As the one inside does."""
        started = time.perf_counter()
        found = self._inner.transcribe(sound, **options)
        self.seconds += time.perf_counter() - started
        return found


class Instant:
    """A transcriber that takes no time: what is left is our own."""

    name, most_s, local = "instant", 30.0, True

    def transcribe(self, sound: Sound, **_: Any) -> Transcript:  # noqa: ANN401 - whatever they are
        """As many words as somebody says in half a minute."""
        text = "word after word, all of them said " * 12
        return Transcript(text.strip(), "en", (TranscriptPart(0.0, sound.seconds, text.strip()),))


class Heard(NamedTuple):
    """What came of a recording."""

    text: str
    seconds: float
    own_s: float | None = None
    """Of these, those that were not spent in the model."""


def recordings() -> tuple[dict[str, Utterance], list[str]]:
    """What there is to recognise here, and what is missing."""
    found: dict[str, Utterance] = {}
    missing: list[str] = []
    cities = two_cities()
    if cities is not None:
        found["English, read by a person"] = cities
    else:
        missing.append("real English: the package moonshine-voice (make test-models)")
    readings = russian(READINGS)
    if readings:
        found["Russian, read by a person"] = joined(readings)
    else:
        missing.append(f"real Russian: {RUSSIAN} (Debian's festvox-ru, or a folder in TRAINGER_FESTVOX_RU)")
    voiced = spoken(HibariSynthesizer(), "en", ENGLISH)
    if voiced:
        found["English, hibari-tts"] = joined(voiced)
    else:
        missing.append("an English voice: the package hibari-tts (make test-models)")
    return found, missing


def joined(utterances: Sequence[Utterance]) -> Utterance:
    """One recording of all, with a second of silence after each."""
    samples = [part for utterance in utterances for part in (utterance.samples, PAUSE)]
    return Utterance(np.concatenate(samples), " ".join(utterance.text for utterance in utterances))


def ours(samples: Samples, whisper: Transcriber) -> Heard:
    timed = Timed(whisper)
    started = time.perf_counter()
    found = transcribe_chunks([samples], timed, languages=("en", "ru"))
    seconds = time.perf_counter() - started
    return Heard(found.text, seconds, seconds - timed.seconds)


def peer(samples: Samples, model: Any) -> Heard:  # noqa: ANN401 - the package has no types
    started = time.perf_counter()
    segments, _ = model.transcribe(samples.astype(np.float32) / 32_768)
    text = " ".join(segment.text for segment in segments)
    return Heard(text, time.perf_counter() - started)


def row(heard: Heard, utterance: Utterance) -> dict[str, Value]:
    said = words_of(utterance.text)
    return {
        "words": len(said.split()),
        "word errors %": round(100 * float(jiwer.wer(said, words_of(heard.text))), 1),
        "letter errors %": round(100 * float(jiwer.cer(said, words_of(heard.text))), 1),
        "sound s": round(utterance.seconds, 1),
        "took s": round(heard.seconds, 1),
        "times real time": round(heard.seconds / utterance.seconds, 2),
        "our share %": None if heard.own_s is None else round(100 * heard.own_s / heard.seconds, 1),
    }


def accuracy(found: Mapping[str, Utterance], cache: Path) -> tuple[dict[str, dict[str, Value]], list[Aim]]:
    import faster_whisper

    whisper = WhisperTranscriber(cache=cache)
    model = faster_whisper.WhisperModel(str(assembled(cache)), device="cpu", compute_type="int8", cpu_threads=2)
    silence = np.zeros(RATE, np.int16)
    ours(silence, whisper)  # what is loaded once does not count
    peer(silence, model)
    rows: dict[str, dict[str, Value]] = {}
    shares: list[float] = []
    worse: list[float] = []
    for name, utterance in found.items():
        mine, theirs = ours(utterance.samples, whisper), peer(utterance.samples, model)
        rows[f"{name}: ours"] = row(mine, utterance)
        rows[f"{name}: faster-whisper alone"] = row(theirs, utterance)
        shares.append(100 * (mine.own_s or 0.0) / mine.seconds)
        said = words_of(utterance.text)
        worse.append(100 * float(jiwer.wer(said, words_of(mine.text)) - jiwer.wer(said, words_of(theirs.text))))
    aims = [
        Aim("our own share of the time, %, at worst", round(max(shares), 1), "at most", 5),
        Aim(
            "word errors more than faster-whisper alone makes, in points, at worst",
            round(max(worse), 1),
            "at most",
            2,
        ),
    ]
    return rows, aims


def an_hour() -> tuple[dict[str, dict[str, Value]], Aim]:
    """What an hour of speech takes without the model, and how much memory at its height."""
    chance = np.random.default_rng(20)
    envelope = np.repeat(chance.uniform(0, 1, 4 * 60) ** 2, RATE // 4)
    minute = (chance.standard_normal(len(envelope)) * envelope * 6_000).astype(np.int16)
    chunks = regroup((minute for _ in range(HOUR_S // 60)), RATE)
    tracemalloc.start()
    started = time.perf_counter()
    found = transcribe_chunks(chunks, Instant())
    seconds = time.perf_counter() - started
    height = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    rows: dict[str, dict[str, Value]] = {
        "an hour": {"took s, with memory being traced": round(seconds, 1), "peak MiB": round(height, 1)}
    }
    assert found.seconds == HOUR_S
    return rows, Aim("memory for an hour of sound, MiB", round(height, 1), "at most", 32)


def measure() -> Result:
    """Errors and time where model and recordings are at hand; our own part in any case."""
    rows, aim = an_hour()
    tables = [table_of("Our part alone: cutting, judging, levelling, timing", "sound", rows)]
    aims = [aim]
    found, missing = recordings()
    if importlib.util.find_spec("faster_whisper") is None or not packaged():
        missing.append("a model: the packages of requirements/local-speech.txt (make test-models)")
    elif found:
        with tempfile.TemporaryDirectory() as name:
            heard, more = accuracy(found, Path(name))
        tables.insert(0, table_of("Recognising, Whisper base, int8, on the processor", "recording", heard))
        aims += more
    notes = (
        "The peer's first guess of the language is among a hundred; ours is among English and Russian.",
        "Both sides run on the same cores, one after the other.",
        *(f"Not measured, as it is not installed: {what}." for what in missing),
    )
    return Result("Speech recognised in recordings, beside faster-whisper alone.", tuple(tables), tuple(aims), notes)
