"""Checks that look for the expected words: exact, contains, contains_all, contains_any, starts_with.

Texts are compared as people read them: whatever their case and spacing, ё being е, with all dashes, quotation marks
and apostrophes alike, and without Markdown's marks for bold and code.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from trainer.evaluation.checks.compared import Compared, Unusable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trainer.evaluation.cases import Check

_ALIKE: Final = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛ʼ´", "'"),
        **dict.fromkeys("“”„‟«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
    }
)
_UNSEEN: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]")
"""Soft hyphens, joiners, directions, variants of emoji."""
_MARKDOWN: Final = re.compile(r"`|(?<!\w)\*\*|\*\*(?!\w)")
_BEFORE: Final = re.compile(r"""(?:[\s"'*~(\[{<>|¿¡]|\.{2,}|[-#•](?=\s))+""")
_AFTER: Final = " .,:;!?…。、\"'*~)]}<>|¡¿"
_SENTENCE_END: Final = " .,:;!?…。、"
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Scripts that write no spaces between words or glue particles to them: Thai, Khmer, Chinese, Japanese, Korean."""


def fold(text: str) -> str:
    """What texts have in common that read the same."""
    seen = _UNSEEN.sub("", _MARKDOWN.sub("", text)).translate(_ALIKE)
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).casefold())
    return " ".join(folded.replace("ё", "е").split())


def _from_first_word(folded: str) -> str:
    found = _BEFORE.match(folded)
    return folded[found.end() :] if found else folded


def plain(text: str) -> str:
    """The same without punctuation, quotation marks and brackets at both ends; they stay if there is nothing else.

    Signs that say something stay: "-5", "50%", "C#", ".NET", "$5".
    """
    folded = fold(text)
    bare = _from_first_word(folded).rstrip(_AFTER)
    return bare.removesuffix(" -").rstrip(_AFTER) or folded


def _wanted(value: str) -> str:
    """What is looked for inside a text: as it was given, but for quotation marks around it and a full stop."""
    folded = fold(value)
    bare = folded.rstrip(_SENTENCE_END)
    if len(bare) > 2 and bare[0] == bare[-1] and bare[0] in "\"'":  # noqa: PLR2004 - two quotation marks
        bare = bare[1:-1].strip().rstrip(_SENTENCE_END)
    return bare or folded


def _joined(one: str, other: str) -> bool:
    """Whether two neighbouring characters belong to the same word."""
    return all(
        (char.isalnum() or char == "_" or unicodedata.category(char)[0] == "M") and not _UNSPACED.match(char)
        for char in (one, other)
    )


def holds(text: str, value: str) -> bool:
    """Whether a folded text holds another, not as a part of a word: "15" does not hold "5".

    Chinese, Japanese, Korean, Thai and the like have no such bounds.
    """
    start = text.find(value) if value else -1
    while start >= 0:
        end = start + len(value)
        inside = start > 0 and _joined(text[start - 1], value[0])
        if not inside and not (end < len(text) and _joined(value[-1], text[end])):
            return True
        start += 1
        while inside and start < len(text) and _joined(text[start - 1], text[start]):
            start += 1  # to the next word: it would only be found inside this one again
        start = text.find(value, start)
    return False


def begins(text: str, value: str) -> bool:
    """Whether a folded text begins with another and does not go on in the midst of its last word."""
    if not value or not text.startswith(value):
        return False
    return len(text) == len(value) or not _joined(value[-1], text[len(value)])


def _usable(check: Check, prepare: Callable[[str], str]) -> Sequence[str]:
    found = [value for value in map(prepare, check.values) if value]
    if not found:
        raise Unusable("nothing is expected")
    return found


def exact(check: Check, answer: str) -> Compared:
    """1 if the answer is one of the texts."""
    return Compared(float(plain(answer) in _usable(check, plain)))


def contains(check: Check, answer: str) -> Compared:
    """1 if the answer holds one of the texts."""
    text = fold(answer)
    return Compared(float(any(holds(text, value) for value in _usable(check, _wanted))))


def contains_all(check: Check, answer: str) -> Compared:
    """How many of the texts the answer holds, as a share of them."""
    text = fold(answer)
    values = _usable(check, _wanted)
    return Compared(sum(holds(text, value) for value in values) / len(values))


def starts_with(check: Check, answer: str) -> Compared:
    """1 if the answer begins with one of the texts, whatever quotation marks or bullets come before."""
    text = fold(answer)
    bare = _from_first_word(text)
    return Compared(float(any(begins(text, value) or begins(bare, value) for value in _usable(check, plain))))
