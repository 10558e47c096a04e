"""An answer as it is spoken: without marks, numbers and abbreviations in words, a sentence at a time. Pure.

What is spoken has no second look: "1,5 км" must come out as words in the right language, whichever voice reads it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from trainer.speech import numbers_en, numbers_ru
from trainer.speech.markup import unmarked
from trainer.speech.units import ENGLISH_SHORT, RUSSIAN_SHORT, SYMBOLS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SENTENCE_MOST: Final = 300
"""Characters of what is given to a voice at once, unless told otherwise."""
_NUMBERS: Final[Mapping[str, Callable[[str], str]]] = {
    "en": numbers_en.spoken_numbers,
    "ru": numbers_ru.spoken_numbers,
}
_CYRILLIC: Final = re.compile(r"[\u0400-\u04ff]")
_LATIN: Final = re.compile(r"[A-Za-z]")
_SYMBOL: Final = re.compile(r"(?<!\S)([&+=×÷≈≤≥<>→№@])(?=\s|\d)|(?<=\d)\s?([×÷=+])\s?(?=\d)")
_SLASH: Final = re.compile(r"(?<=[^\W\d_])\s?/\s?(?=[^\W\d_])")
_UNSPOKEN: Final = re.compile(r"[*_`~#|\\{}\[\]^<>«»“”„\"]+")
_REPEATED: Final = re.compile(r"([!?.,;:])\1+")
_ELLIPSIS: Final = re.compile(r"…|\.{3,}")
_SPACES: Final = re.compile(r"[ \t\u00a0\u202f]+")
_BEFORE_MARK: Final = re.compile(r" +([.,;:!?])")
_SAID: Final = re.compile(r"\w")
_CLAUSE: Final = re.compile(r"(?<=[,;:–—])\s+")


def language_of(text: str, otherwise: str = "en") -> str:
    """`ru` or `en`, by the letters that most of the text is written in; `otherwise` where it has none."""
    cyrillic, latin = len(_CYRILLIC.findall(text)), len(_LATIN.findall(text))
    if cyrillic == latin == 0:
        return otherwise
    return "ru" if cyrillic >= latin else "en"


def speakable(text: str, language: str) -> str:
    """The text as it is spoken, a sentence or list entry to a line.

    Args:
        text: Discord's Markdown.
        language: `en` or `ru`; of other languages only the marks are taken away.
    """
    lines = (_line(line, language) for line in unmarked(text, language).split("\n"))
    return "\n".join(line for line in lines if _SAID.search(line))


def sentences(text: str, language: str, most: int = SENTENCE_MOST) -> list[str]:
    """What is spoken at once: the sentences of a speakable text, none longer than `most` characters.

    Short ones are not joined: the first one should be heard as soon as it can be.
    """
    from sentencex import segment  # noqa: PLC0415 - only where something is spoken

    found: list[str] = []
    for line in text.split("\n"):
        # Its list of Russian abbreviations ends sentences after "т. е."; they are in words by now.
        for sentence in segment(language, line):
            found += _parts(sentence.strip(), most)
    return [sentence for sentence in found if _SAID.search(sentence)]


def _line(line: str, language: str) -> str:
    short = RUSSIAN_SHORT if language == "ru" else ENGLISH_SHORT if language == "en" else {}
    for abbreviation, whole in short.items():
        line = re.sub(rf"(?<!\w){re.escape(abbreviation)}(?!\w)", whole, line)
    line = _ELLIPSIS.sub("…", line)
    symbols = SYMBOLS.get(language, {})
    line = line.replace("№", f" {symbols['№']} ") if symbols else line
    numbers = _NUMBERS.get(language)
    if numbers is not None:
        line = _SYMBOL.sub(lambda match: f" {symbols[match[1] or match[2]]} ", line)
        line = numbers(line)
    line = _SLASH.sub(", ", line)
    line = _UNSPOKEN.sub(" ", line)
    line = _REPEATED.sub(r"\1", line)
    return _BEFORE_MARK.sub(r"\1", _SPACES.sub(" ", line)).strip()


def _parts(sentence: str, most: int) -> list[str]:
    """A sentence in pieces of at most so many characters, cut after a clause, else between words, else anywhere."""
    if len(sentence) <= most:
        return [sentence]
    pieces: list[str] = []
    current = ""
    for clause in _CLAUSE.split(sentence):
        for word in [clause] if len(clause) <= most else clause.split(" "):
            while_left = word
            if current and len(current) + 1 + len(word) > most:
                pieces.append(current)
                current = ""
            while len(while_left) > most:
                pieces.append(while_left[:most])
                while_left = while_left[most:]
            current = f"{current} {while_left}".strip()
    return [*pieces, current] if current else pieces
