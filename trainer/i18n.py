"""Texts in the reader's language. The English text in the code is the key; `trainer/locale` holds the others.

Adding a language is adding `trainer/locale/<language>/LC_MESSAGES/trainger.po` (and `make texts`, which compiles it).
"""

from __future__ import annotations

import gettext
import re
from functools import cache
from pathlib import Path
from typing import Final

DIRECTORY: Final = Path(__file__).parent / "locale"
DOMAIN: Final = "trainger"
SOURCE_LANGUAGE: Final = "en"
COMMAND_NAME: Final = "command name"
OPTION_NAME: Final = "option name"
"""The contexts in which catalogues hold the names that Discord shows for commands and their options."""
_COMMAND: Final = re.compile(r"(?<![\w/.])/([a-z_]+)((?: [a-z_]+)*)")
"""A command in a text, with the options that are named right after it."""
_OPTION: Final = re.compile(r"(?<=`)[a-z_]+(?=(?::[^`]*)?`)")
"""An option in a text, alone or with a value."""
_NAME: Final = re.compile(r"[a-z_]+")


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
        return self._as_shown(self._catalogue.gettext(text)).format(**values)

    def plural(self, one: str, many: str, count: int, /, **values: object) -> str:
        """The text in the form that `count` takes in this language; `{count}` is filled in too."""
        return self._as_shown(self._catalogue.ngettext(one, many, count)).format(count=count, **values)

    def context(self, context: str, text: str, /) -> str:
        """The text as it is said in a context, such as a command's name."""
        return self._catalogue.pgettext(context, text)

    def _as_shown(self, template: str) -> str:
        """A text with commands and options by the names that Discord shows to people of this language."""
        if self.language == SOURCE_LANGUAGE:
            return template

        def option(match: re.Match[str]) -> str:
            return self.context(OPTION_NAME, match[0])

        def command(match: re.Match[str]) -> str:
            name = self.context(COMMAND_NAME, match[1])
            return match[0] if name == match[1] else f"/{name}{_NAME.sub(option, match[2])}"

        return _OPTION.sub(option, _COMMAND.sub(command, template))


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
