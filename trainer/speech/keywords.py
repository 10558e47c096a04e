"""The words of a dataset that a recogniser is unlikely to know: names, products, abbreviations. Pure.

Rare words are told by how they are written, as there is no list of all common ones: with capitals in the middle
(PostgreSQL), with digits (RTX4090), all in capitals (VAT), or with a capital where no sentence begins (Khabarovsk).
"""

from __future__ import annotations

import calendar
import re
from collections import Counter, defaultdict
from itertools import islice
from typing import TYPE_CHECKING, Final

from trainer.matching import stem
from trainer.stopwords import STOP_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST: Final = 50
LONGEST: Final = 40
"""Characters of a word."""
SHORTEST: Final = 2
TEXTS_MOST: Final = 50_000
TEXT_MOST: Final = 10_000
"""Characters of a text that are looked at."""
FORMS_MOST: Final = 100_000
"""Different words that are remembered."""
SHOUTED: Final = 0.5
"""A text with a greater share of words in capitals is shouted, and its capitals tell nothing."""

_ADDRESS: Final = re.compile(
    r"\w+://\S+|www\.\S+|\S+@\S+|<[@#:a-z][^>]{0,80}>|`[^`]{0,2000}`|[/\\]\S*[/\\]\S*", re.IGNORECASE
)
"""Addresses, mentions, code and paths: nobody says them."""
_WORD: Final = re.compile(r"[^\W_]+(?:[-.'’&+][^\W_]+)*\+{0,2}")
_NUMBER: Final = re.compile(r"v?\d[\w.,:'’-]*|[0-9a-f-]{8,}", re.IGNORECASE)
"""Numbers, ordinals, sizes, versions, hashes: they are said otherwise than they are written."""
_BEGINS: Final = re.compile(r"(?:^|[.!?…:;\n\"«“„(\[•*#>|-])\s*$")
"""What stands before a word that begins a sentence."""
_CALENDAR: Final = frozenset(name.casefold() for name in (*calendar.day_name, *calendar.month_name))
_WEIGHT: Final = {"mixed": 4, "digits": 3, "capitals": 2, "name": 1}


def rare_words(texts: Iterable[str], *, most: int = MOST) -> tuple[str, ...]:
    """The rare words of some texts, those first that are the least likely to be known and the most often there.

    Of the forms of a word (`Хабаровске`, `Хабаровска`) the most frequent one counts. The order does not depend on the
    order of the texts.
    """
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    kinds: dict[str, str] = {}
    ordinary: set[str] = set()
    for text in islice(texts, TEXTS_MOST):
        found = set[str]()
        for word, kind in _words(text[:TEXT_MOST]):
            if not kind:
                if len(ordinary) < FORMS_MOST:
                    ordinary.add(word.casefold())
            elif word not in found and (word in kinds or len(kinds) < FORMS_MOST):
                found.add(word)
                kinds[word] = kind
                seen[stem(word.casefold())][word] += 1
    ranked: list[tuple[int, int, str]] = []
    for forms in seen.values():
        word = min(forms, key=lambda form: (-forms[form], form))
        if kinds[word] != "name" or word.casefold() not in ordinary:
            ranked.append((-_WEIGHT[kinds[word]], -sum(forms.values()), word))
    return tuple(word for _, _, word in sorted(ranked)[:most])


def _words(text: str) -> Iterator[tuple[str, str]]:
    """The words of a text, each with its kind of rarity, empty for ordinary ones.

    Those that begin a sentence tell nothing by their capital, and are left out.
    """
    plain = _ADDRESS.sub(" ", text)
    words = list(_WORD.finditer(plain))
    loud = sum(word[0].isupper() and len(word[0]) > 1 for word in words)
    shouted = len(words) > 1 and loud > SHOUTED * len(words)
    for match in words:
        word = match[0].rstrip("'’")
        if not SHORTEST <= len(word) <= LONGEST:
            continue
        begins = _BEGINS.search(plain, max(0, match.start() - 8), match.start()) is not None
        kind = _kind(word, begins=begins, shouted=shouted)
        if kind or not begins:
            yield word, kind


def _kind(word: str, *, begins: bool, shouted: bool) -> str:
    if word.casefold() in STOP_WORDS or _NUMBER.fullmatch(word):
        return ""
    if any(char.isdigit() for char in word):
        return "digits" if any(char.isalpha() for char in word) else ""
    if shouted:
        return ""
    if word.isupper():
        return "capitals"
    inner = re.split(r"[-.'’]", word)
    if any(char.isupper() for part in inner for char in part[1:]):
        return "mixed"
    return "name" if word[0].isupper() and not begins and word.casefold() not in _CALENDAR else ""
