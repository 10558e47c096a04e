"""How alike two questions are. Pure.

`normalise` says when two questions are the same, `stems` what is left of a text when inflection and small words
are taken away, `confidence` how sure one can be that the answer to one question answers another.

A confidence is a logistic model of few readable parts: how much of the query the taught question covers and the
other way round, each word counted by how rare it is, and how many letters they share in a row. Its weights and the
thresholds were chosen on CLINC150 (Larson et al. 2019) and on a game server's FAQ in English and Russian;
`bench/retrieval.py` measures them.
"""

from __future__ import annotations

import hashlib
import math
import re
import threading
import unicodedata
from functools import cache, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from trainer.stopwords import GENERIC_WORDS, OPPOSITE_WORDS, RELATED_WORDS, STOP_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Weight = Callable[[str], float]

ANSWER_AT: Final = 0.5
"""From here on a trained pair's own answer may be given as the answer."""
SUGGEST_AT: Final = 0.3
"""From here on a trained question may be named as the closest one known, not more."""
CORRECTION_AT: Final = 0.7
"""From here on a correction is applied to a question worded otherwise."""

MAX_WORD: Final = 48
"""Characters of a word that are looked at; what is longer is no word of a language."""

_APOSTROPHE: Final = re.compile(r"(?<=\w)['\u2019\u02bc`](?=\w)")
_MARKS: Final = re.compile(r"((?<=\d)\.(?=\d)|(?<=[^\W\d_])[+#]{1,2}(?![\w+#]))|[+#.]")
_UNSPACED: Final = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+)"
)
_VARIANT: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef\U0001f3fb-\U0001f3ff\u20e3]")
_CYRILLIC: Final = re.compile("[\u0400-\u052f]+")
_LATIN: Final = re.compile("[a-z\u00df-\u024f]+")


class _Letters(dict[int, str]):
    """What becomes of each character, for `str.translate`; filled as characters come by."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        category = unicodedata.category(char)
        if category[0] in "LN" or category in {"Mn", "Mc"} or char in "+#.":
            kept = char
        elif category in {"So", "Sc", "Co", "Cn"} or (category == "Sm" and not char.isascii()):
            kept = f" {char} "  # emoji and the like are words of their own
        else:
            kept = " "
        self[code] = kept
        return kept


class _Invisible(dict[int, str]):
    """Takes away what is not seen: joiners, directions, controls, variants of emoji, halves of characters."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        category = unicodedata.category(char)
        hidden = category in {"Cf", "Cs"} or (category == "Cc" and not char.isspace()) or _VARIANT.match(char)
        self[code] = "" if hidden else char
        return self[code]


_letters: Final = _Letters()
_invisible: Final = _Invisible()


def normalise(text: str) -> str:
    """What two texts have in common that differ in case, punctuation, spacing or ё alone.

    Names such as "C#" and "C++", decimal points and emoji stay. A text of nothing but punctuation is its own
    normal form; one of nothing visible is empty.
    """
    folded = unicodedata.normalize("NFKC", text.translate(_invisible)).casefold()
    folded = unicodedata.normalize("NFKC", folded).replace("ё", "е")
    plain = _MARKS.sub(lambda match: match[1] or " ", _APOSTROPHE.sub("", folded).translate(_letters))
    return " ".join(plain.split()) or " ".join(folded.split())


def fingerprint(question: str, answer: str) -> str:
    """Names a pair: equal for pairs whose questions and answers are the same. 32 hex digits."""
    pair = f"{normalise(question)}\0{normalise(answer)}"
    return hashlib.blake2b(pair.encode(), digest_size=16).hexdigest()


_stemming: Final = threading.Lock()


@cache
def _stemmers() -> tuple[Callable[[str], str], Callable[[str], str]]:
    # Imported late: the package loads every language it knows.
    import snowballstemmer  # noqa: PLC0415

    return snowballstemmer.stemmer("english").stemWord, snowballstemmer.stemmer("russian").stemWord


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """The stem of one normalised word, by its script; a word with digits or of another script stays as it is."""
    word = word[:MAX_WORD]
    if _LATIN.fullmatch(word):
        if not word.isascii():
            word = "".join(char for char in unicodedata.normalize("NFD", word) if not unicodedata.combining(char))
        language = 0
    elif _CYRILLIC.fullmatch(word):
        language = 1
    else:
        return word
    with _stemming:  # a stemmer keeps the word it works on in itself
        return _stemmers()[language](word)


def words(text: str) -> list[str]:
    """The words of a text, normalised; scripts without spaces give overlapping pairs of characters."""
    found: list[str] = []
    for word in normalise(text).split():
        if word.isascii() or not _UNSPACED.search(word):
            found.append(word[:MAX_WORD])
            continue
        for run in filter(None, _UNSPACED.split(word)):
            if _UNSPACED.fullmatch(run) and len(run) > 1:
                found += [run[i : i + 2] for i in range(len(run) - 1)]
            else:
                found.append(run[:MAX_WORD])
    return found


def content_words(text: str) -> list[str]:
    """The words of a text but its stop words; all of them if there are no others."""
    every = words(text)
    return [word for word in every if word not in STOP_WORDS] or every


def stems(text: str) -> list[str]:
    """The stems of a text's words but its stop words, in order; of all words if there are no others."""
    return [stem(word) for word in content_words(text)]


# --- how much a word says ---------------------------------------------------------------------------------------

_BACKGROUND: Final = 300
"""Questions of an imagined corpus that every dataset is added to, so that rarity means something from the first."""
_IN_STOP, _IN_GENERIC, _IN_OTHER = 120, 25, 1
"""In how many of them a stop word, a word that all sorts of questions share, and any other word occur."""


@cache
def _background() -> dict[str, int]:
    generic = {stem(word): _IN_GENERIC for word in GENERIC_WORDS}
    return generic | {stem(word): _IN_STOP for word in STOP_WORDS}


def rarity(stem: str, entries: int, total: int) -> float:
    """Smoothed inverse document frequency: how much a stem says that is in `entries` of `total` taught entries."""
    return math.log((total + _BACKGROUND + 1) / (entries + _background().get(stem, _IN_OTHER) + 0.5))


# --- how alike two words are ------------------------------------------------------------------------------------

_KIN: Final = 0.9
"""Forms of one word that the stemmer leaves apart, or a compound written in two words."""
_RELATED: Final = 0.6
"""Words that stand for each other in questions."""
_NEGATION: Final = re.compile("^(?:un|dis|de|in|non|не|от|вы|раз|рас)")


@cache
def _related() -> dict[str, frozenset[int]]:
    groups: dict[str, set[int]] = {}
    for number, group in enumerate(RELATED_WORDS):
        for word in group:
            groups.setdefault(stem(word), set()).add(number)
    return {word: frozenset(numbers) for word, numbers in groups.items()}


@cache
def _opposites() -> frozenset[tuple[str, str]]:
    pairs = {(stem(one), stem(other)) for one, other in OPPOSITE_WORDS}
    return frozenset(pairs | {(other, one) for one, other in pairs})


@lru_cache(maxsize=1 << 16)
def likeness(one: str, other: str) -> float:
    """How far two stems are the same word, 0 to 1: equal, forms of one word, a slip of the finger, or related."""
    if one == other:
        return 1.0
    if (one, other) in _opposites():
        return 0.0
    groups = _related()
    best = 0.0 if groups.get(one, frozenset()).isdisjoint(groups.get(other, frozenset())) else _RELATED
    if one.isalpha() and other.isalpha():
        best = max(best, _inflected(one, other), _misspelt(one, other))
    return best


def _inflected(one: str, other: str) -> float:
    """Whether one stem is the other with a little more at its end, as Russian verbs and their nouns are."""
    short, long = sorted((one, other), key=len)
    shortest, ending, changed = (4, 4, 6) if _CYRILLIC.fullmatch(long) else (5, 2, 7)
    if len(short) < shortest or len(long) - len(short) > ending:
        return 0.0
    return _KIN if long.startswith(short) or (len(short) >= changed and long.startswith(short[:-1])) else 0.0


def _misspelt(one: str, other: str) -> float:
    short, long = sorted((one, other), key=len)
    if len(short) < 5 or len(long) - len(short) > 2 or one[0] != other[0]:  # noqa: PLR2004 - few letters decide
        return 0.0  # short words are too close to each other, and few people miss the first letter
    if _NEGATION.sub("", one) == _NEGATION.sub("", other):
        return 0.0
    from rapidfuzz.distance import OSA  # noqa: PLC0415 - costs more to import than all the rest

    slips = OSA.distance(one, other, score_cutoff=2)
    if slips == 1:
        return 0.85 if len(short) >= 6 else 0.75  # noqa: PLR2004
    return 0.7 if slips == 2 and len(short) >= 9 else 0.0  # noqa: PLR2004


# --- how alike two questions are --------------------------------------------------------------------------------

_MAX_STEMS: Final = 48
"""Stems of a question that are compared: its rarest."""
_LEAST_SAID: Final = 1.4
"""In weights of a word never heard: a text that says less than this does not say enough to be sure."""
_CONTRARY: Final = 4.0
"""Log odds lost where one question has a word and the other its opposite: enough to withhold the answer."""
_SURE: Final = 0.99
"""The most that is said of questions that are not the same."""


class Question(NamedTuple):
    """A question taken apart for comparison."""

    same: str
    """Its normal form."""
    content: tuple[str, ...]
    """Its words without stop words, each once."""
    stems: tuple[str, ...]
    """The stems of these, each once."""
    every: frozenset[str]
    """All its stems."""
    joined: frozenset[str]
    """Stems of each two neighbouring words written as one."""
    grams: frozenset[str]
    """Its normal form in overlapping threes of characters."""
    telling: frozenset[str]
    """Its words but the stop words in overlapping threes of characters."""


def grams(text: str) -> frozenset[str]:
    """The overlapping threes of characters of a normalised text, with a space before and after it."""
    padded = f" {text} "
    return frozenset(padded[i : i + 3] for i in range(len(padded) - 2))


def read(text: str) -> Question:
    """Take a question apart."""
    found = words(text)
    content = [word for word in found if word not in STOP_WORDS] or found
    return Question(
        same=normalise(text),
        content=tuple(dict.fromkeys(content)),
        stems=tuple(dict.fromkeys(map(stem, content))),
        every=frozenset(map(stem, found)),
        joined=frozenset(stem(one + other) for one, other in pairwise(found)),
        grams=grams(" ".join(found)),
        telling=grams(" ".join(content)),
    )


def _dice(one: frozenset[str], other: frozenset[str]) -> float:
    return 2 * len(one & other) / ((len(one) + len(other)) or 1)


def _covered(stems: Iterable[str], by: Question, weight: Weight) -> tuple[float, float]:
    """How much of some stems a question covers, 0 to 1: by their weights, and by the squares of their weights.

    The squares let the rarest words decide. A text that says little is covered in part at most: what it lacks of
    `_LEAST_SAID` counts as not covered.
    """
    known = frozenset(by.stems)
    got = total = got_squared = total_squared = 0.0
    for one in stems:
        if one in known:
            found = 1.0
        else:
            found = max((likeness(one, other) for other in by.stems), default=0.0)
            found = max(found, _KIN if one in by.joined else 0.0)
        value = weight(one)
        got, total = got + value * found, total + value
        got_squared, total_squared = got_squared + value * value * found, total_squared + value * value
    least = _LEAST_SAID * weight("")
    return got / max(total, least, 1e-9), got_squared / max(total_squared, least * least, 1e-9)


def _rarest(stems: Sequence[str], weight: Weight) -> Sequence[str]:
    return stems if len(stems) <= _MAX_STEMS else sorted(stems, key=weight, reverse=True)[:_MAX_STEMS]


def evidence(query: Question, candidate: Question, weight: Weight) -> float:
    """The log odds that the answer to `candidate` answers `query`."""
    query = query._replace(stems=tuple(_rarest(query.stems, weight)))
    candidate = candidate._replace(stems=tuple(_rarest(candidate.stems, weight)))
    asked, asked_rarest = _covered(query.stems, candidate, weight)
    taught, _ = _covered(candidate.stems, query, weight)
    odds = 4 * asked + taught + 2 * _dice(query.telling, candidate.telling) - 4.3
    odds += 2 * asked_rarest * _dice(query.grams, candidate.grams)
    only_query, only_candidate = query.every - candidate.every, candidate.every - query.every
    if any((one, other) in _opposites() for one in only_query for other in only_candidate):
        odds -= _CONTRARY
    return odds


def phrasing(query: Question, candidate: Question) -> float:
    """Log odds for being worded alike, small words included, beside `evidence`.

    "Where is X" and "what is X" differ in nothing else, so it tells which of the near questions is the nearest. It
    must not tell whether that is near enough: "how do I become a ..." is worded alike whatever follows.
    """
    return 4 * _dice(query.grams, candidate.grams) - 2


def sureness(odds: float) -> float:
    """Log odds as a confidence."""
    return min(_SURE, 1 / (1 + math.exp(-max(odds, -50.0))))


def confidence(query: str, candidate: str, weight: Weight) -> float:
    """How sure one can be that the answer to `candidate` answers `query`: 0 to 1, and 1 only if they are the same.

    Args:
        query: what is asked.
        candidate: a question that was taught.
        weight: how much a stem says, as `rarity`; asked with "" for a word never heard.
    """
    one, other = read(query), read(candidate)
    if not one.same or not other.same:
        return 0.0
    return 1.0 if one.same == other.same else sureness(evidence(one, other, weight))


def agreement(others: Iterable[float]) -> float:
    """Log odds added to a candidate by the confidences of other questions taught with the very same answer."""
    return sum(sorted(others, reverse=True)[:4])


def passage_confidence(query: Question, passage: frozenset[str], weight: Weight) -> float:
    """How sure one can be that a passage, given as the stems of its title and text, tells what is asked."""
    starts: dict[str, list[str]] = {}
    for one in passage:
        starts.setdefault(one[:3], []).append(one)
    got = total = 0.0
    for one in _rarest(query.stems, weight):
        near = starts.get(one[:3], ())
        found = 1.0 if one in passage else max((likeness(one, other) for other in near), default=0.0)
        value = weight(one)
        got, total = got + value * found, total + value
    return sureness(8 * got / max(total, _LEAST_SAID * weight(""), 1e-9) - 5.8)
