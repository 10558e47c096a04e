"""What recognisers write where nobody speaks, and how to tell. Pure.

Whisper and its relatives learned from subtitles of films. Into noise they write what subtitles end with (who made
them, thanks for watching), what subtitles say of sounds, such as "[Music]", or one phrase again and again.
"""

from __future__ import annotations

import math
import re
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trainer.ports import TranscriptPart

DOUBTFUL_AT: Final = 0.5
"""A doubt from which on the words are more likely made up than said."""
LOOPING_AT: Final = 3.0
"""How well text compresses that repeats itself. Whisper's own threshold, 2.4, is near what good speakers reach: the
first sentence of "A Tale of Two Cities" has 2.37."""
LOOPING: Final = 0.8
"""The doubt about such text."""
SUSPECT_AT: Final = 0.3
"""A doubt from which on a phrase that subtitles are full of is taken for one of theirs."""

_CREDITS: Final = re.compile(
    r"(?:(?:субтитры|титры)\s+(?:сделал|создавал|создал|подготовил|предоставил|делал|подогнал)\w*\b.*"
    r"|(?:редактор|корректор)\s+субтитров\b.*"
    r"|субтитры\s+(?:и|от|by)\b.*"
    r"|.*\b(?:dimatorzok|amara\.org)\b.*"
    r"|(?:subtitles?|captions?|transcri(?:bed|ption)|translat(?:ed|ion))\s+(?:made\s+|provided\s+|created\s+)?by\b.*"
    r"|(?:untertitel|untertitelung)\b.*\b(?:zdf|funk|ard|swr)\b.*"
    r"|sous-titr\w+\s.*(?:communauté|société|st'\s*501).*"
    r"|(?:thanks?|thank you)(?:\s+(?:so|very)\s+much)?\s+for\s+watching"
    r"(?:\W+(?:and|guys|everyone|everybody|th(?:is|e)\s+video|see|please|until|bye)\b.*)?"
    r"|(?:please\s+)?(?:don't\s+forget\s+to\s+)?(?:like\s+and\s+)?subscribe(?:\s+to\s+(?:my|our|the)\s+channel)?"
    r"|спасибо\s+за\s+(?:просмотр|внимание\s+и\s+до\s+новых\s+встреч)\b.*"
    r"|подпис(?:ывайтесь|ывайся|аться)\s+на\s+(?:мой\s+|наш\s+)?канал\b.*"
    r"|ставьте\s+лайки?\b.*"
    r"|продолжение\s+следует)"
)
"""Nobody says so to a bot; a part that is nothing else goes."""
_COMMON: Final = frozenset(
    {
        "you",
        "thank you",
        "thank you very much",
        "thanks",
        "bye",
        "bye bye",
        "okay",
        "the end",
        "i'm sorry",
        "so",
        "oh",
    }
    | {"спасибо", "всем спасибо", "пока", "да", "нет", "так", "конец", "всем пока", "до свидания", "до новых встреч"}
)
"""People do say so; a part that is nothing else goes if there is some doubt about it."""
_SOUND: Final = re.compile(
    r"[\[(*♪♫].{0,60}[\])*♪♫]"  # [Music], (applause), *sighs*, ♪ la la ♪
    r"|[♪♫\s]+"
    r"|(?:[А-ЯЁ]{4,}\s+){0,3}(?:МУЗЫКА|АПЛОДИСМЕНТЫ|СМЕХ|ТИШИНА|ШУМ|СИГНАЛ|ПЕСНЯ|ЗВОНОК|ВЗДОХ|СТУК)(?:\s+[А-ЯЁ]{4,}){0,2}"
    r"|(?:[A-Z]{4,}\s+){0,3}(?:MUSIC|APPLAUSE|LAUGHTER|SILENCE|NOISE)(?:\s+[A-Z]{4,}){0,2}"
)
"""What is heard and not said."""
_WORD: Final = re.compile(r"\w+(?:['’-]\w+)*")
_LONGEST: Final = 12
"""Words of a phrase that is looked for again after itself."""
_SAID: Final = 3
"""People say something up to so many times in a row; a word alone twice as often."""


class Judged(NamedTuple):
    """A part, and what the recogniser thinks of it."""

    part: TranscriptPart
    doubt: float


def doubt_of(logprob: float, no_speech: float, text: str) -> float:
    """How likely it is that the words were made up, 0 to 1, by what Whisper tells of them.

    Neither number tells it alone: real speech can have a high probability of none, and words that are hard to make
    out a low one of being right. So it is the geometric mean of both doubts. With Whisper's base model, what came of
    hiss, clicks, music and silence was in loops or had 0.55 and more; of four minutes of speech nothing had 0.4.

    Args:
        logprob: the mean logarithm of the tokens' probabilities.
        no_speech: the probability that there is none.
        text: what was recognised.
    """
    doubt = math.sqrt(max(0.0, 1 - math.exp(min(logprob, 0.0))) * min(max(no_speech, 0.0), 1.0))
    return max(doubt, LOOPING) if loops(text) else doubt


def loops(text: str) -> bool:
    """Whether a phrase comes again and again, as often as nobody says it."""
    data = text.encode()
    return without_loops(text) != text or len(data) / len(zlib.compress(data)) > LOOPING_AT


def without_made_up(parts: Iterable[Judged]) -> list[Judged]:
    """The parts that somebody said, without those that subtitles say, and loops cut to one turn."""
    kept = []
    for part, doubt in parts:
        text = part.text.strip()
        short = without_loops(text)
        judged = max(doubt, LOOPING) if loops(text) else doubt
        if _WORD.search(short) and not _is_subtitle(short, judged):
            kept.append(Judged(part._replace(text=short), judged))
    return kept


def without_loops(text: str) -> str:
    """The text with phrases of up to twelve words that come many times in a row said once."""
    words = list(_WORD.finditer(text))
    said = [word[0].casefold() for word in words]
    gone: list[tuple[int, int]] = []
    at = 0
    while at < len(said):
        size, times = _turns(said, at)
        if times > (2 * _SAID if size == 1 else _SAID):
            last = at + size * times
            gone.append((words[at + size - 1].end(), words[last - 1].end()))
            at = last
        else:
            at += 1
    for start, end in reversed(gone):
        text = text[:start] + text[end:]
    return text


def _turns(said: list[str], at: int) -> tuple[int, int]:
    """The length of the phrase at a place that comes most often in a row, and how often."""
    best = (1, 1)
    for size in range(1, min(_LONGEST, (len(said) - at) // 2) + 1):
        times = 1
        while said[at : at + size] == said[at + size * times : at + size * (times + 1)]:
            times += 1
        if times > 1 and size * times > best[0] * best[1]:
            best = (size, times)
    return best


def _is_subtitle(text: str, doubt: float) -> bool:
    if _SOUND.fullmatch(text.rstrip(".!… ")):
        return True
    plain = re.sub(r"\s+", " ", text.casefold()).strip(" .!?…,")
    return bool(_CREDITS.fullmatch(plain)) or (doubt >= SUSPECT_AT and plain in _COMMON)
