"""Commands and options in a text go by the names that Discord shows to people of that language."""

from __future__ import annotations

import gettext
import re

import pytest

from interactions.definitions import fields_of
from interactions.registry import registry
from trainer.i18n import DIRECTORY, DOMAIN, Translator, languages, translator


class Catalogue(gettext.NullTranslations):
    """Translates names alone; every text is as it was."""

    def pgettext(self, context: str, message: str) -> str:
        names = {"command name": {"train": "lehren"}, "option name": {"file": "datei", "private": "privat"}}
        return names.get(context, {}).get(message, message)


GERMAN = Translator("de", Catalogue())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Use `/train`.", "Use `/lehren`."),
        ("Send it with /train file, or in parts.", "Send it with /lehren datei, or in parts."),
        ("`/train file:` takes it", "`/lehren datei:` takes it"),
        ("`/train private:True file`", "`/lehren privat:True file`"),
        ("ask with `private: True` or `private`", "ask with `privat: True` or `privat`"),
        ("a private file, and/train, `python -m train`", "a private file, and/train, `python -m train`"),
        ("https://train.example/train", "https://train.example/train"),
        ("/other file", "/other file"),
    ],
)
def test_names_are_those_that_are_shown(text: str, shown: str) -> None:
    assert GERMAN(text) == shown
    assert Translator("en", Catalogue())(text) == text


def test_what_people_wrote_is_left_alone() -> None:
    assert GERMAN("{said}", said="`/train file`") == "`/train file`"
    assert GERMAN.plural("{count} {said}", "{count} {said}", 2, said="/train") == "2 /train"


def test_plurals_are_looked_into() -> None:
    assert GERMAN.plural("{count} /train", "{count} times /train", 2) == "2 times /lehren"


@pytest.mark.parametrize("language", languages()[1:])
def test_no_text_names_a_command_otherwise(language: str) -> None:
    t = translator(language)
    others = {name for name in registry().slash if t.context("command name", name) != name}
    others |= {
        option
        for command in registry().slash.values()
        for option, *_ in fields_of(command.options)
        if t.context("option name", option) != option
    }
    catalogue = gettext.translation(DOMAIN, DIRECTORY, [language])
    texts = [text for text in catalogue._catalog.values() if isinstance(text, str)]  # type: ignore[attr-defined]
    assert others
    assert texts
    for text in texts:
        names = set(re.findall(r"(?:^|[\s(])`?/([a-z_]+)", t._as_shown(text)))
        names |= set(re.findall(r"`([a-z_]+)(?:: ?\w+)?`", t._as_shown(text)))
        assert not names & others, text
