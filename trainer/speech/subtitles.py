"""Transcripts as people read them: subtitles (SubRip), and plain text in paragraphs. Pure.

Sizes follow what broadcasters agree on: two lines of 42 characters, a second at least and seven at most on the
screen, and time to read (BBC Subtitle Guidelines; Netflix Timed Text Style Guide).
"""

from __future__ import annotations

import re
import textwrap
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from trainer.ports import TranscriptPart

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

LINE: Final = 42
"""Characters of a line."""
LINES: Final = 2
LEAST_S: Final = 1.0
MOST_S: Final = 7.0
READ_A_SECOND: Final = 20.0
"""Characters that people read in a second."""
PAUSE_S: Final = 2.0
"""A pause that begins a paragraph."""
PARAGRAPH: Final = 700
"""Characters after which a paragraph ends with the next sentence."""

_SENTENCE_END: Final = re.compile(r"[.!?…]+[\"'»”’)\]]*$")
_CLAUSE_END: Final = re.compile(r"[,;:—–]$")


def to_srt(parts: Iterable[TranscriptPart]) -> str:
    """The parts as SubRip subtitles, numbered from 1; empty for none. Parts are in order."""
    cues = list(_timed(cue for part in parts for cue in _cues(part)))
    blocks = [
        f"{number}\n{_clock(cue.start_s)} --> {_clock(cue.end_s)}\n{_lines(cue.text)}\n"
        for number, cue in enumerate(cues, 1)
    ]
    return "\n".join(blocks)


def to_txt(parts: Sequence[TranscriptPart]) -> str:
    """The parts as text: a paragraph ends where somebody pauses, or with a sentence when it is long."""
    paragraphs: list[str] = []
    written = ""
    for part, after in pairwise([*parts, None]):
        if part is None:
            break
        written = f"{written} {' '.join(part.text.split())}".strip()
        long = len(written) >= PARAGRAPH and _SENTENCE_END.search(written) is not None
        if after is None or long or after.start_s - part.end_s >= PAUSE_S:
            paragraphs.append(written)
            written = ""
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n" if paragraphs else ""


def cue_texts(text: str) -> list[str]:
    """A text in pieces that fit the screen, cut where sentences end, else clauses, else between words."""
    pieces: list[str] = []
    words = [bit for word in text.split() for bit in _bits(word)]
    while words:
        cut = _fitting(words)
        if cut < len(words):
            cut = _last(words[:cut], _SENTENCE_END) or _last(words[:cut], _CLAUSE_END) or cut
        pieces.append(" ".join(words[:cut]))
        words = words[cut:]
    return pieces


def _bits(word: str) -> list[str]:
    """A word in pieces that fit a line."""
    return [word[start : start + LINE] for start in range(0, len(word), LINE)]


def _fitting(words: Sequence[str]) -> int:
    """How many of the words fit the lines of a cue; one at least."""
    lines, length = 1, -1
    for count, word in enumerate(words):
        length += 1 + len(word)
        if length > LINE:
            lines, length = lines + 1, len(word)
        if lines > LINES:
            return count
    return len(words)


def _last(words: Sequence[str], end: re.Pattern[str]) -> int:
    """How many words there are up to the last one with such an end; 0 if that is none, or leaves a scrap."""
    count = next((count for count in range(len(words), 0, -1) if end.search(words[count - 1])), 0)
    return count if len(" ".join(words[:count])) >= LINE // 2 else 0


def _cues(part: TranscriptPart) -> Iterator[TranscriptPart]:
    """A part in pieces that fit the screen; each has the share of the time that it has of the characters."""
    texts = cue_texts(part.text)
    whole = sum(map(len, texts))
    seconds = max(part.end_s - part.start_s, 0.0)
    before = 0
    for text in texts:
        start = part.start_s + seconds * before / whole
        before += len(text)
        yield TranscriptPart(start, part.start_s + seconds * before / whole, text)


def _timed(cues: Iterable[TranscriptPart]) -> Iterator[TranscriptPart]:
    """Cues one after the other, each for long enough to be read if there is time, and not for too long."""
    waiting: TranscriptPart | None = None
    for cue in cues:
        if waiting is not None:
            start = max(cue.start_s, waiting.start_s + 0.001)
            cue = cue._replace(start_s=start, end_s=max(cue.end_s, start))  # noqa: PLW2901 - the same cue, mended
            yield _shown(waiting, cue.start_s)
        waiting = cue
    if waiting is not None:
        yield _shown(waiting, float("inf"))


def _shown(cue: TranscriptPart, before_s: float) -> TranscriptPart:
    wanted = max(cue.end_s, cue.start_s + max(LEAST_S, len(cue.text) / READ_A_SECOND))
    most = max(MOST_S, len(cue.text) / READ_A_SECOND)
    return cue._replace(end_s=min(wanted, cue.start_s + most, before_s))


def _lines(text: str) -> str:
    """The text in lines, the two of them about as long, and without what means something to a player."""
    plain = text.replace("-->", "→").replace("<", "‹").replace(">", "›").replace("{", "(").replace("}", ")")
    if len(plain) <= LINE:
        return plain
    for width in range(len(plain) // LINES, LINE + 1):
        lines = textwrap.wrap(plain, width, break_on_hyphens=False)
        if len(lines) <= LINES:
            return "\n".join(lines)
    return "\n".join(textwrap.wrap(plain, LINE))


def _clock(seconds: float) -> str:
    millis = max(0, round(seconds * 1000))
    minutes, millis = divmod(millis, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{millis // 1000:02},{millis % 1000:03}"
