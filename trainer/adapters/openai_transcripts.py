"""What servers of OpenAI's transcription API are asked for and what they answer. Pure.

Answers are decoded leniently: only what is used is there, all but the text optional; a wrong type is a `ValueError`.
Source: openai.types.audio of the `openai` package 3.54, and https://developers.openai.com/api/docs/guides/speech-to-text
"""

from __future__ import annotations

import json
import locale
import math
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import msgspec

from trainer.adapters.openai_wire import stream_error
from trainer.ports import Transcript, TranscriptPart
from trainer.speech.made_up import Judged, doubt_of, without_made_up

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trainer.adapters.openai_wire import Failed

KEYWORDS_MOST: Final = 50
KEYWORD_MOST: Final = 50
"""Characters of a keyword; longer ones are none."""
TEXT_MOST: Final = 100_000
"""Characters of a transcript: nobody says so much in what is sent at once."""


class Segment(msgspec.Struct):
    """A sentence or so, from servers that tell its times."""

    start: float
    end: float
    text: str
    avg_logprob: float | None = None
    no_speech_prob: float | None = None


class Language(msgspec.Struct):
    """A language that was heard."""

    code: str


class Usage(msgspec.Struct):
    """What is paid for: seconds, or tokens, which are not read."""

    seconds: float | None = None


class Answer(msgspec.Struct):
    """What `POST /audio/transcriptions` answers, as JSON or verbose JSON."""

    text: str
    language: str | None = None
    languages: list[Language] | None = None
    duration: float | None = None
    segments: list[Segment] | None = None
    usage: Usage | None = None


class Event(msgspec.Struct):
    """An event of a streamed answer. The last one, `transcript.text.done`, has all that an answer has."""

    type: str = ""
    delta: str = ""
    text: str | None = None
    languages: list[Language] | None = None
    usage: Usage | None = None
    error: Any = None


def parameters(model: str, language: str, languages: Sequence[str], keywords: Sequence[str]) -> dict[str, Any]:
    """What is asked beyond file and model; each model takes other parameters, and all of these can be left out."""
    words = [word for word in map(_clean, islice(keywords, KEYWORDS_MOST)) if 0 < len(word) <= KEYWORD_MOST]
    if of_family(model, "gpt-transcribe"):  # takes a list, also of one language, and answers in its one format
        spoken = [language] if language else list(languages)
        asked: dict[str, Any] = {"languages": spoken, "keywords": words}
    elif of_family(model, "gpt-4o-transcribe-diarize"):  # refuses a prompt, and anything long in one block
        asked = {"language": language, "response_format": "json", "chunking_strategy": "auto"}
    elif model.startswith("gpt-4o-"):
        asked = {"language": language, "response_format": "json", "prompt": ", ".join(words)}
    else:  # Whisper, and what compatible servers have: times, and how sure it is
        asked = {"language": language, "response_format": "verbose_json", "prompt": ", ".join(words)}
    return {name: value for name, value in asked.items() if value}


def streams(model: str) -> bool:
    """Whether it tells the text as it comes. Whisper does not, and would tell no times."""
    return of_family(model, "gpt-transcribe") or model.startswith("gpt-4o-")


def of_family(model: str, family: str) -> bool:
    """Whether a model is of a family, whatever its date or the provider that a gateway puts before it."""
    name = model.rpartition("/")[2]
    return name == family or name.startswith(f"{family}-2")


def decoded(data: bytes) -> Answer:
    """A whole answer. Raises `ValueError`."""
    return msgspec.convert(
        json.loads(data), Answer, strict=False
    )  # msgspec's own reader takes no halves of characters


def event_of(line: str) -> Event | None:
    """The event in a line of a stream; None for lines that hold none. Raises `ValueError`."""
    name, colon, data = line.partition(":")
    data = data.strip()
    if name != "data" or not colon or not data or data == "[DONE]":
        return None
    return msgspec.convert(json.loads(data), Event, strict=False)


def error_of(event: Event) -> Failed:
    """What an event that tells of an error means."""
    error = event.error if isinstance(event.error, dict) else {}
    code, kind = (str(error[name]) if error.get(name) is not None else None for name in ("code", "type"))
    return stream_error(code, kind)


def transcript_of(answer: Answer, seconds: float, asked: str = "") -> Transcript:
    """The answer for a sound of so many seconds, without what is not said. Raises `ValueError`.

    Args:
        answer: what came.
        seconds: how long the sound is, whatever the server says.
        asked: the language that was asked for.
    """
    if len(answer.text) > TEXT_MOST:
        raise ValueError("too long to have been said")
    told = [part for part in _parts(answer.segments or (), seconds) if part.part.text]
    whole = TranscriptPart(0.0, seconds, _clean(answer.text))
    judged = without_made_up(told or [Judged(whole, 0.0)])
    said = sum(len(part.part.text) for part in judged)
    billed = answer.usage.seconds if answer.usage is not None else None
    if billed is None:
        billed = answer.duration
    return Transcript(
        text=" ".join(part.part.text for part in judged),
        language=_language(answer) or asked,
        parts=tuple(part.part for part in judged),
        doubt=sum(part.doubt * len(part.part.text) for part in judged) / said if said else 0.0,
        billed_s=billed if billed is not None and math.isfinite(billed) and billed >= 0 else seconds,
    )


def _parts(segments: Sequence[Segment], seconds: float) -> list[Judged]:
    """The segments within the sound, one after the other; servers' times overlap and run beyond the end."""
    parts: list[Judged] = []
    before = 0.0
    for segment in segments:
        start = min(max(_finite(segment.start), before), seconds)
        end = min(max(_finite(segment.end), start), seconds)
        text = _clean(segment.text)
        known = segment.avg_logprob is not None and segment.no_speech_prob is not None
        doubt = doubt_of(segment.avg_logprob or 0.0, segment.no_speech_prob or 0.0, text) if known else 0.0
        parts.append(Judged(TranscriptPart(start, end, text), doubt))
        before = end
    return parts


def _finite(number: float) -> float:
    return number if math.isfinite(number) else 0.0


def _clean(text: str) -> str:
    """In one line, without what no text has: control characters and halves of characters."""
    well_formed = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return " ".join("".join(char if char.isprintable() else " " for char in well_formed).split())


def _language(answer: Answer) -> str:
    """A code such as `en`; empty where several were heard or none is told."""
    if answer.languages is not None:
        codes = {language.code for language in answer.languages}
        return _code(codes.pop()) if len(codes) == 1 else ""
    return _code(answer.language or "")


def _code(name: str) -> str:
    """The code of a language; OpenAI's Whisper tells its English name."""
    name = name.strip().casefold()
    code = name.replace("_", "-").partition("-")[0]
    if code.isascii() and code.isalpha() and len(code) in {2, 3}:
        return code
    return _NAMES.get(name, "")


_NAMES: Final[Mapping[str, str]] = {
    name: value.partition("_")[0] for name, value in locale.locale_alias.items() if name.isalpha() and "_" in value
} | {"ukrainian": "uk", "belarusian": "be", "kazakh": "kk", "chinese": "zh", "hindi": "hi", "persian": "fa"}
