"""How a word sounds, roughly, whichever alphabet it is written in. Pure.

Recognisers write names as they hear them: "Trainger" comes back as "Tringer", "Train girl" or "тренджер". So words
are compared by two spellings of their sound. The loose one has a letter a kind of consonant and one for any run of
vowels, in the manner of Soundex; the close one keeps the vowels.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_CYRILLIC: Final[Mapping[str, str]] = dict(
    re.findall(
        r"(\w):(\w*)",
        "а:a б:b в:v г:g д:d е:e ё:o ж:zh з:z и:i й:y к:k л:l м:m н:n о:o п:p р:r с:s т:t у:u ф:f х:h ц:ts ч:ch ш:sh "
        "щ:sh ъ: ы:i ь: э:e ю:u я:a і:i ї:i є:e ґ:g ў:u",
    )
)
_CONSONANTS: Final = tuple(
    (re.compile(pattern), to)
    for pattern, to in (
        # What sounds like the middle of "Trainger", hard or soft, is one kind.
        ("dzh|tch|dg(?=e)|sch|dj|zh|ch|sh|g|j", "J"),
        ("ph", "f"),
        ("ck|q", "k"),
        ("th", "t"),
        ("wh", "v"),
        ("^kn", "n"),
        ("^wr", "r"),
        ("x", "ks"),
        ("c(?=[eiy])", "s"),
        ("c", "k"),
    )
)
_SYLLABIC: Final = re.compile(r"(?<=[bdfgJkptsz])le$")
_SILENT: Final = re.compile(r"(?<=[a-zJ]{2}[^aeiouy])e$")
_VOWELS: Final = "aeiouy"
_SPELLED: Final = tuple(
    (re.compile(pattern), to)
    for pattern, to in (("a[iy]|e[iy]|ea|ae", "e"), ("ee|ie", "i"), ("oo|ou|ow", "u"), ("y", "i"))
)
"""One vowel, spelled in many ways."""
_KIND: Final = str.maketrans("dbzvwl", "tpsffr")
"""Pairs that are easily mistaken for one another: with voice and without, r and l."""
_REPEATED: Final = re.compile(r"(.)\1+")


class Sounding(NamedTuple):
    """How something sounds."""

    loose: str
    """Kinds of consonants, and `V` for each run of vowels."""
    close: str
    """The same with vowels as they are."""


@lru_cache(maxsize=4096)
def sounding(text: str) -> Sounding:
    """How one or several words sound, without the pauses between them; empty for what has no letters of ours."""
    close = "".join(_close(word) for word in _latin(text).split())
    close = _REPEATED.sub(r"\1", close)
    loose = re.sub(f"[{_VOWELS}]+", "V", close.translate(_KIND).replace("m", "n"))
    return Sounding(_REPEATED.sub(r"\1", loose), close)


def _latin(text: str) -> str:
    """In small Latin letters and digits, without accents, everything else a space."""
    text = "".join(_CYRILLIC.get(char, char) for char in text.casefold())
    plain = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return re.sub(r"[^a-z0-9]+", " ", plain.replace("'", "").replace("’", ""))


def _close(word: str) -> str:
    for pattern, to in _CONSONANTS:
        word = pattern.sub(to, word)
    word = _SYLLABIC.sub("el", word)
    word = _SILENT.sub("", word)
    # Inside a word nobody hears an h; at its beginning one does: "train her" is no "trainer".
    word = word[:1] + word[1:].replace("h", "")
    for pattern, to in _SPELLED:
        word = pattern.sub(to, word)
    return word
