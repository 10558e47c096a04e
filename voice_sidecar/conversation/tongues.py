"""In which language somebody speaks, and something is said. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from trainer.i18n import languages
from trainer.speech.speakable import language_of

if TYPE_CHECKING:
    from trainer.ports.speech import Transcript

_CYRILLIC: Final = frozenset({"ru", "uk", "be", "bg", "sr", "mk", "kk"})
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}")
_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_SURE_FROM: Final = 3
"""Words from which on a recogniser's word for the language is taken, against what the person spoke before."""


def base(locale: str) -> str:
    """The language of a locale, such as `en` of `en-US`; `en` for what is none."""
    language = re.split(r"[-_]", locale.casefold(), maxsplit=1)[0]
    return language if _LANGUAGE.fullmatch(language) else "en"


class Tongues:
    """Which language each person speaks.

    Args:
        locale: the server's, such as `en-US`: of those who have not spoken.
    """

    def __init__(self, locale: str) -> None:
        self._server = base(locale)
        self._spoken: dict[int, str] = {}

    def of(self, user_id: int | None) -> str:
        """Somebody's language, such as `ru`."""
        return self._spoken.get(user_id, self._server) if user_id is not None else self._server

    def expected(self, user_id: int) -> tuple[str, ...]:
        """Which languages somebody may speak, the likeliest first, for a recogniser that finds out which it is."""
        return tuple(dict.fromkeys((self.of(user_id), self._server, *languages())))

    def heard(self, user_id: int, transcript: Transcript) -> str:
        """Somebody said something; in which language.

        The letters decide about the alphabet. A word or two say little: "ok" is the same everywhere.
        """
        before = self._spoken.get(user_id)
        words = len(_WORD.findall(transcript.text))
        if not words:
            return self.of(user_id)
        letters = language_of(transcript.text)
        told = base(transcript.language) if transcript.language else letters
        if (told in _CYRILLIC) != (letters == "ru"):
            told = letters
        alike = before is not None and (before in _CYRILLIC) == (told in _CYRILLIC)
        language = before if before is not None and alike and words < _SURE_FROM else told
        self._spoken[user_id] = language
        return language

    def forget(self, user_id: int) -> None:
        """Somebody's language is nobody's business any more."""
        self._spoken.pop(user_id, None)


def voice_for(text: str, listener: str, *, written_for_them: bool) -> str:
    """The language in which a text is read out.

    Args:
        text: what is said.
        listener: the language of whom it is said to.
        written_for_them: it was made for them just now, so it is in their language if its letters are.
    """
    letters = language_of(text, otherwise=listener)
    if (listener in _CYRILLIC) == (letters == "ru") and (written_for_them or listener in {"en", "ru"}):
        return listener
    return letters
