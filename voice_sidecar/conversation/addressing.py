"""Whether somebody calls the bot by its name, and what they say besides. Pure; English and Russian.

A name counts where one calls somebody: at the beginning or the end of a sentence, or between commas, which
recognisers write. How it is heard differs (see `sounds_alike`), and the likelier it is that another word was said,
such as "trainer" or "triangle", the more its place has to say for it. "The trainer at my gym" and "train her" call
nobody.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from rapidfuzz.distance import Levenshtein

from voice_sidecar.conversation.address_words import (
    ABOUT,
    ASKING,
    BESIDE,
    CALLING,
    ENDINGS,
    JOINING,
    ONESELF,
    ORDINARY,
    TELLING,
)
from voice_sidecar.conversation.sounds_alike import Sounding, sounding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DEFAULT_NAMES: Final = ("Trainger", "тренер")
"""Beside the bot's display name, where none are chosen."""
WORDS_MOST: Final = 4
"""Of a name, or of what it is heard as."""
FUZZY_FROM: Final = 5
"""Kinds of sound, as in `Sounding.loose`, from which on a name is told by its sound; shorter ones sound like much."""
SAME_AT: Final = 0.8
"""Similarity of the close spelling from which on what sounds like the name is taken for it."""
LIKE_AT: Final = 0.6
"""From here on it may be the name."""
NEAR_AT: Final = 0.7
"""From here on it may be, although a sound is missing or one too many."""
_TEXT_MOST: Final = 2_000
_CALLS_MOST: Final = 4
"""People say a name twice."""

_WORD: Final = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_SENTENCE_END: Final = ".!?…"
_MARKS: Final = ",;:—–-" + _SENTENCE_END
_EDGES: Final = " \t\n,;:—–-"
_POSSESSIVE: Final = ("'s", "’s")

Strength = Literal["", "weak", "inflected", "strong"]
"""How sure it is that a name was said: not; it may have been; the same in an oblique case; it was."""


class Addressed(NamedTuple):
    """What somebody said, with regard to our name."""

    called: bool
    """They called us by it."""
    rest: str
    """What they said but for that; empty where they said nothing else."""


class _Name(NamedTuple):
    plain: str
    words: int
    sound: Sounding
    ordinary: bool
    """Others are called so as well."""


class _Span(NamedTuple):
    """Words that may be a name: the first, and the one after the last."""

    first: int
    end: int
    strength: Strength


def wake_names(chosen: Sequence[str], bot_name: str) -> tuple[str, ...]:
    """The names that the bot answers to: those that were chosen, else its display name and our own."""
    names = [name.strip() for name in chosen if name.strip()] or [bot_name.strip(), *DEFAULT_NAMES]
    return tuple(dict.fromkeys(name for name in names if name))


class WakeNames:
    """Finds where one of some names is called.

    Args:
        names: in either alphabet; each is understood in both.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names: list[_Name] = []
        for name in names:
            words = [word[0].casefold() for word in _WORD.finditer(name)][:WORDS_MOST]
            if words:
                plain = " ".join(words)
                self._names.append(_Name(plain, len(words), sounding(plain), plain in ORDINARY))

    def find(self, text: str) -> Addressed:
        """Whether one of the names is called in a text, and the text without it."""
        rest, called = text.strip(), False
        if len(rest) > _TEXT_MOST:
            return Addressed(called=False, rest=rest)
        for _ in range(_CALLS_MOST):
            cut = self._cut(rest)
            if cut is None:
                break
            rest, called = cut, True
        return Addressed(called, rest)

    def _cut(self, text: str) -> str | None:
        """The text without the first name that is called in it; None if none is."""
        said = _Said(text)
        for first in range(len(said.words)):
            for size in range(min(WORDS_MOST, len(said.words) - first), 0, -1):
                strength = self._strength(said.words[first : first + size])
                if strength and said.calls(span := _Span(first, first + size, strength)):
                    return said.without(span)
        return None

    def _strength(self, words: Sequence[str]) -> Strength:
        found: list[Strength] = [_strength(name, words) for name in self._names]
        order: tuple[Strength, ...] = ("strong", "weak", "inflected")
        return next((strength for strength in order if strength in found), "")


class _Said:
    """A text, its words, and what stands between them."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found = list(_WORD.finditer(text))
        self.words = [word[0].casefold() for word in self._found]

    def calls(self, span: _Span) -> bool:
        """Whether words that may be a name stand where one calls somebody."""
        before, after = self._gap(span.first), self._gap(span.end)
        following = self.words[span.end] if span.end < len(self.words) else ""
        marked = any(mark in after for mark in _MARKS) or not following
        closes = not following or any(mark in after for mark in _SENTENCE_END)
        if self._opens(span.first):
            if marked:
                return span.strength == "strong" or closes or following not in JOINING
            if span.strength == "strong":
                return following not in TELLING or self._asks(span, question_mark_alone=True)
            return following in ASKING | ONESELF
        if any(mark in before for mark in _MARKS):
            if closes:
                return span.strength != "inflected"
            if marked:
                return span.strength == "strong" or (span.strength == "weak" and following not in JOINING)
            return False
        return (
            closes
            and span.strength == "strong"
            and self.words[span.first - 1] not in ABOUT
            and self._asks(span, question_mark_alone=False)
        )

    def without(self, span: _Span) -> str:
        """The text without the name, and without what only called."""
        start = self._found[span.first].start()
        if self._opens(span.first):
            calling = [at for at in range(self._sentence(span.first), span.first) if self.words[at] in CALLING]
            if len(calling) == span.first - self._sentence(span.first) and calling:
                start = self._found[calling[0]].start()
        before = self._text[:start].rstrip(_EDGES)
        after = self._text[self._found[span.end - 1].end() :]
        joint = "" if after[:1] in _SENTENCE_END or not before else " "
        if before and before[-1] not in _SENTENCE_END and after.startswith(",") and after.strip(_EDGES):
            joint = ", "
        after = after.lstrip(_EDGES) if before else after.lstrip(_EDGES + _SENTENCE_END)
        if before.endswith(tuple(_SENTENCE_END)):
            after = after[:1].upper() + after[1:]
        rest = f"{before}{joint}{after}".strip().strip(_EDGES)
        return rest[:1].upper() + rest[1:] if _WORD.search(rest) else ""

    def _gap(self, at: int) -> str:
        """What stands before a word."""
        start = self._found[at - 1].end() if at else 0
        return self._text[start : self._found[at].start() if at < len(self._found) else len(self._text)]

    def _sentence(self, at: int) -> int:
        """The first word of a word's sentence."""
        while at and not any(mark in self._gap(at) for mark in _SENTENCE_END):
            at -= 1
        return at

    def _opens(self, at: int) -> bool:
        """Whether a sentence begins with a word, but for what one says before a name."""
        return all(self.words[before] in CALLING | BESIDE for before in range(self._sentence(at), at))

    def _asks(self, span: _Span, *, question_mark_alone: bool) -> bool:
        """Whether the sentence around the words is a question or a request."""
        after = (self._gap(at) for at in range(span.end, len(self._found) + 1))
        end = next((gap for gap in after if any(mark in gap for mark in _SENTENCE_END)), "")
        if "?" in end:
            return True
        return not question_mark_alone and self.words[self._sentence(span.first)] in ASKING


def _strength(name: _Name, words: Sequence[str]) -> Strength:
    """How sure it is that words are a name."""
    said = " ".join(words)
    if said.endswith(_POSSESSIVE):
        return ""
    ordinary = name.ordinary or said in ORDINARY
    if said == name.plain:
        return "weak" if ordinary else "strong"
    if not name.sound.loose:
        return ""
    strength = _by_sound(name, sounding(said), len(words))
    if strength:
        return "weak" if ordinary else strength
    if len(words) == name.words:
        for ending in ENDINGS:
            if said.endswith(ending) and _by_sound(name, sounding(said.removesuffix(ending)), len(words)) == "strong":
                return "inflected"
    return ""


def _by_sound(name: _Name, sound: Sounding, words: int) -> Strength:
    if sound.close == name.sound.close:
        return "strong"
    if len(name.sound.loose) < FUZZY_FROM:
        return ""
    like = Levenshtein.normalized_similarity(name.sound.close, sound.close)
    if sound.loose == name.sound.loose:
        return "strong" if like >= SAME_AT and words == name.words else "weak" if like >= LIKE_AT else ""
    if words != name.words or sound.loose[:2] != name.sound.loose[:2] or like < NEAR_AT:
        return ""
    # A sound that is missing or one too many; one in place of another makes it another word.
    one = Levenshtein.distance(name.sound.loose, sound.loose, weights=(1, 1, 2)) <= 1
    return "weak" if one else ""
