"""Texts in the reader's language. The English text in the code is the key; `trainer/locale` holds the others.

Adding a language is adding `trainer/locale/<language>/LC_MESSAGES/trainger.po` (and `make texts`, which compiles it).
"""

from __future__ import annotations

import gettext
from functools import cache
from pathlib import Path
from typing import Final

DIRECTORY: Final = Path(__file__).parent / "locale"
DOMAIN: Final = "trainger"
SOURCE_LANGUAGE: Final = "en"


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for "translate this later"
    """Mark a text for extraction; it is translated where it is shown."""
    return text


class Translator:
    """Says things in one language."""

    def __init__(self, language: str, catalogue: gettext.NullTranslations) -> None:
        self.language = language
        self._catalogue = catalogue

    def __call__(self, text: str, /, **values: object) -> str:
        """The text in this language, with `{name}` replaced by values. Values are not looked into."""
        return self._catalogue.gettext(text).format(**values)

    def plural(self, one: str, many: str, count: int, /, **values: object) -> str:
        """The text in the form that `count` takes in this language; `{count}` is filled in too."""
        return self._catalogue.ngettext(one, many, count).format(count=count, **values)

    def context(self, context: str, text: str, /) -> str:
        """The text as it is said in a context, such as a command's name."""
        return self._catalogue.pgettext(context, text)


def languages() -> list[str]:
    """The languages there are, the source language first."""
    found = sorted(path.parents[1].name for path in DIRECTORY.glob(f"*/LC_MESSAGES/{DOMAIN}.mo"))
    return [SOURCE_LANGUAGE, *found]


@cache
def translator(locale: str) -> Translator:
    """The translator for a locale such as `ru` or `en-GB`: its language where there is one, else English."""
    language = locale.split("-", maxsplit=1)[0]
    if language not in languages():
        language = SOURCE_LANGUAGE
    if language == SOURCE_LANGUAGE:
        return Translator(language, gettext.NullTranslations())
    return Translator(language, gettext.translation(DOMAIN, DIRECTORY, [language]))
