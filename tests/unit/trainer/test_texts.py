"""Every text has a translation, in the right form, and the compiled catalogues are those of the sources."""

from __future__ import annotations

import re
import string

import pytest

from infra import texts
from trainer.i18n import languages, translator

LANGUAGES = languages()[1:]


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_missing_or_left_over(language: str) -> None:
    wanted = {(message.context, message.id) for message in texts.catalogue() if message.id}
    have = {(message.context, message.id) for message in texts.translated(language) if message.id}
    assert wanted == have, "run `make texts`"
    assert texts.missing(texts.translated(language)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_current(language: str) -> None:
    compiled = texts._path(language).with_suffix(".mo").read_bytes()
    assert compiled == texts.compiled(texts.translated(language)), "run `make texts`"


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_fill_in_the_same_values(language: str) -> None:
    for message in texts.translated(language):
        sources = message.id if isinstance(message.id, tuple | list) else (message.id,)
        forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
        for form in forms if message.id else ():
            assert fields(str(form)) == fields(sources[-1]), message.id


def test_a_missing_translation_would_be_found() -> None:
    catalog = texts.translated("ru")
    catalog.add("A text that nobody has translated")
    catalog.add(("{count} new form", "{count} new forms"))
    assert len(texts.missing(catalog)) == 2


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, "1 новую запись"), (3, "3 новые записи"), (5, "5 новых записей"), (11, "11 новых"), (21, "21 новую запись")],
)
def test_russian_plurals(count: int, expected: str) -> None:
    said = translator("ru").plural("I learned {count} new thing", "I learned {count} new things", count)
    assert expected in said


def test_locales_fall_back_to_their_language_and_then_to_english() -> None:
    assert translator("ru-RU").language == "ru"
    assert translator("de").language == "en"
    assert translator("").language == "en"
    assert translator("en-GB").plural("{count} cat", "{count} cats", 2) == "2 cats"


def test_values_are_not_looked_into() -> None:
    assert translator("en")("Hello {name}", name="{secret}") == "Hello {secret}"


def test_no_russian_text_is_english() -> None:
    """A translation without a Cyrillic letter is only right where there is nothing to translate."""
    for message in texts.translated("ru"):
        forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
        for form in forms if message.id else ():
            letters = re.sub(r"<[^>]*>|\{[^}]*\}", "", str(form))
            assert re.search(r"[а-яё]", letters, re.IGNORECASE) or not re.search(r"[a-z]", letters), message.id
