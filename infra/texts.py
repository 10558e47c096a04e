"""Keeps the translations in step with the code: `make texts`.

Collects every text that the code shows, merges it into each language's catalogue, and compiles the catalogues. What
is left to translate is printed. A new language is a new folder: `python -m infra.texts --add de`.
"""

from __future__ import annotations

import argparse
import io
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from interactions.definitions import fields_of
from interactions.registry import registry
from trainer.i18n import DIRECTORY, DOMAIN

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[1]
ROOMS: Final = ("interactions", "trainer", "voice_sidecar")
EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""Instead of the time of writing: the same texts make the same files."""
KEYWORDS: Final = {"N_": None, "plural": (1, 2), "context": ((1, "c"), 2)}


def catalogue() -> Catalog:
    """Every text of the code, untranslated, in order of where it stands."""
    found = Catalog(domain=DOMAIN, project="Trainger", fuzzy=False)
    for room in ROOMS:
        for file, line, message, comments, context in extract_from_dir(
            ROOT / room, method_map=[("**.py", "python")], keywords=KEYWORDS
        ):
            found.add(message, None, [(f"{room}/{file}", line)], auto_comments=comments, context=context)
    for context, name in _names():
        found.add(name, None, [("interactions/commands", 1)], context=context)
    return found


def translated(language: str) -> Catalog:
    """A language's catalogue as it is on disk; an empty one if there is none."""
    path = _path(language)
    if not path.exists():
        return Catalog(locale=language, domain=DOMAIN, fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language, domain=DOMAIN)


def compiled(catalog: Catalog) -> bytes:
    """What `gettext` reads."""
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def missing(catalog: Catalog) -> list[str]:
    """The texts that a language lacks, or of which it lacks a plural form."""
    lacking = []
    for message in catalog:
        forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if message.id and (not all(forms) or message.fuzzy):
            lacking.append(str(message.id))
    return lacking


def main(arguments: list[str] | None = None) -> int:
    """Merge, compile, and say what is left to translate; 1 if anything is."""
    parser = argparse.ArgumentParser(prog="python -m infra.texts", description="Keeps translations in step.")
    parser.add_argument("--add", metavar="LANGUAGE", action="append", default=[], help="begin a new language")
    options = parser.parse_args(arguments)
    template = catalogue()
    left = 0
    for language in sorted({path.name for path in DIRECTORY.iterdir() if path.is_dir()} | set(options.add)):
        merged = translated(language)
        merged.update(template, no_fuzzy_matching=True)
        merged.obsolete.clear()
        merged.header_comment = "# Trainger's texts. `make texts` keeps this file in step with the code."
        merged.project, merged.version = "Trainger", "1"
        merged.creation_date = merged.revision_date = EPOCH
        _path(language).parent.mkdir(parents=True, exist_ok=True)
        with _path(language).open("wb") as file:
            write_po(file, merged, width=118, no_location=True, omit_header=False, sort_output=True)
        _path(language).with_suffix(".mo").write_bytes(compiled(merged))
        for text in missing(merged):
            left += 1
            print(f"{language}: {text!r} is not translated")
    return 1 if left else 0


def _names() -> Iterator[tuple[str, str]]:
    """Names that Discord shows, with what they name: they are put together where they are registered."""
    commands = registry()
    for name, command in commands.slash.items():
        yield "command name", name
        for option, _, _, _ in fields_of(command.options):
            yield "option name", option
    for name in commands.message:
        yield "message command", name


def _path(language: str) -> Path:
    return DIRECTORY / language / "LC_MESSAGES" / f"{DOMAIN}.po"


if __name__ == "__main__":
    sys.exit(main())
