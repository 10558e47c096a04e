"""What somebody types, such as `/ask prompt:How do I reset my password?`, taken apart. Pure.

A value reaches to the next name of an option of that command, so it may hold spaces, colons and quotes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from playground.errors import Refused
from playground.options import Chosen, choose
from playground.rules_commands import CHAT_INPUT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Typed(NamedTuple):
    """A command and its options, each as text."""

    name: str
    """With its subcommand: `instruction edit`."""
    chosen: Chosen
    options: dict[str, str]


def parse_command(text: str, commands: Sequence[Mapping[str, Any]]) -> Typed:
    """Take apart what was typed. Raises `Refused`."""
    words = text.strip()
    if not words.startswith("/"):
        raise Refused("a command starts with a slash: /ask prompt:…")
    slash = [command for command in commands if command["type"] == CHAT_INPUT]
    name, rest = _split_name(words[1:], slash)
    chosen = choose(slash, name)
    return Typed(name, chosen, _split_options(rest, chosen.options))


def _names(definition: Mapping[str, Any]) -> list[str]:
    """Its name, and what it is called in other languages."""
    return [definition["name"], *(definition.get("name_localizations") or {}).values()]


def _split_name(words: str, commands: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """The name of the command (in the default language) with its subcommand, and what follows."""
    first, _, rest = words.partition(" ")
    name = next((command["name"] for command in commands if first in _names(command)), first)
    level = next((command for command in commands if command["name"] == name), None)
    found = [name]
    while level is not None:
        word, _, after = rest.lstrip().partition(" ")
        nested = [option for option in level.get("options") or () if option["type"] in {1, 2}]
        level = next((option for option in nested if word in _names(option)), None)
        if level is not None:
            found.append(level["name"])
            rest = after
    return " ".join(found), rest


def _split_options(rest: str, definitions: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    if not rest.strip():
        return {}
    named = {name: definition["name"] for definition in definitions for name in _names(definition)}
    if not named:
        raise Refused(f"this command has no options, but {rest.strip()!r} follows it")
    alternatives = "|".join(re.escape(name) for name in sorted(named, key=len, reverse=True))
    found: dict[str, str] = {}
    current, start = "", 0
    for match in re.finditer(rf"(?:^|(?<=\s))({alternatives}):", rest):
        option = named[match[1]]
        if option in found or option == current:
            continue  # each option is there once: what looks like it again belongs to the value
        _store(found, current, rest[start : match.start()], definitions)
        current, start = option, match.end()
    _store(found, current, rest[start:], definitions)
    return found


def _store(found: dict[str, str], option: str, value: str, definitions: Sequence[Mapping[str, Any]]) -> None:
    text = value.strip()
    if option:
        if text:
            found[option] = text
    elif text:
        names = ", ".join(f"{definition['name']}:" for definition in definitions)
        raise Refused(f"say which option {text!r} is for: {names}")
