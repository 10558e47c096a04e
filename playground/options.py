"""What Discord's client checks before it sends a command: who may use it where, and the values of options. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from playground.cdn import File
from playground.errors import Refused
from playground.permissions import allows
from playground.rules_commands import ATTACHMENT, CHAT_INPUT, GROUP, INTEGER, NUMBER, STRING, SUBCOMMAND

BOOLEAN: Final = 5
USER: Final = 6
CHANNEL: Final = 7
ROLE: Final = 8
MENTIONABLE: Final = 9
_TEXT_DEFAULT_MAX: Final = 6000

Value = str | int | float | bool | File
Definition = Mapping[str, Any]


class Chosen(NamedTuple):
    """A command, and the subcommand of it, that somebody chose."""

    command: Definition
    path: tuple[Definition, ...]
    """The group and subcommand, outermost first; empty if there is none."""

    @property
    def options(self) -> Sequence[Definition]:
        """The options that take values."""
        owner = self.path[-1] if self.path else self.command
        return owner.get("options") or ()


def choose(commands: Sequence[Definition], name: str, kind: int = CHAT_INPUT) -> Chosen:
    """The command of this name, such as `ask`, or `instruction edit` for a subcommand. Raises `Refused`."""
    for command in commands:
        if command["type"] == kind and kind != CHAT_INPUT and command["name"] == name:
            return Chosen(command, ())
    words = name.split()
    for command in commands:
        if kind == CHAT_INPUT and command["type"] == kind and words and command["name"] == words[0]:
            return Chosen(command, _path(command, words[1:]))
    known = ", ".join(sorted(_shown(command) for command in commands)) or "none are registered"
    raise Refused(f"there is no command {name!r}; there are: {known}")


def _shown(command: Definition) -> str:
    return f"/{command['name']}" if command["type"] == CHAT_INPUT else f"“{command['name']}”"


def _path(owner: Definition, words: list[str]) -> tuple[Definition, ...]:
    nested = {
        option["name"]: option for option in owner.get("options") or () if option["type"] in {SUBCOMMAND, GROUP}
    }
    if not nested and not words:
        return ()
    if not words or words[0] not in nested:
        if nested:
            raise Refused(f"choose one of: {', '.join(sorted(nested))}")
        raise Refused(f"{owner['name']} has no subcommand {words[0]!r}")
    found = nested[words[0]]
    return (found, *_path(found, words[1:]))


def check_access(command: Definition, *, context: int, permissions: int | None, user_install: bool) -> None:
    """Raise `Refused` where Discord would not show the command.

    Args:
        command: as registered.
        context: 0 server, 1 the bot's DM, 2 private channel.
        permissions: of the person in the server; None outside of servers.
        user_install: whether the application is installed to the person only.
    """
    contexts = command.get("contexts")
    allowed = contexts if contexts is not None else (0, 1, 2) if command.get("dm_permission", True) else (0,)
    name = command["name"]
    if context not in allowed:
        raise Refused(f"{name} cannot be used {('in a server', 'in a DM', 'in a private channel')[context]}")
    if (1 if user_install else 0) not in command.get("integration_types", (0,)):
        raise Refused(
            f"{name} is not there where the application is installed to {'a person' if user_install else 'a server'}"
        )
    needed = command.get("default_member_permissions")
    if needed is None or permissions is None or user_install:
        return
    # "0" hides a command from everybody but administrators.
    if not allows(permissions, int(needed)) or (int(needed) == 0 and not allows(permissions, 1 << 3)):
        raise Refused(f"{name} is only for members with more permissions")


def check_values(
    definitions: Sequence[Definition], values: Mapping[str, Value], *, partial: bool = False
) -> list[tuple[Definition, Value]]:
    """The values in the order of their definitions. Raises `Refused` for what Discord's client does not send.

    `partial` is for autocomplete: then required options may be missing and texts are not checked.
    """
    known = {definition["name"] for definition in definitions}
    if unknown := sorted(values.keys() - known):
        raise Refused(f"no option {', '.join(unknown)}; the options are: {', '.join(sorted(known)) or 'none'}")
    found = []
    for definition in definitions:
        name = definition["name"]
        if name in values:
            if not partial:
                _check_value(definition, values[name])
            found.append((definition, values[name]))
        elif definition.get("required") and not partial:
            raise Refused(f"{name} is required")
    return found


_TYPES: Final[Mapping[int, tuple[type, ...]]] = {
    STRING: (str,),
    INTEGER: (int,),
    BOOLEAN: (bool,),
    USER: (str,),
    CHANNEL: (str,),
    ROLE: (str,),
    MENTIONABLE: (str,),
    NUMBER: (int, float),
    ATTACHMENT: (File,),
}


def _check_value(definition: Definition, value: Value) -> None:
    name, kind = definition["name"], definition["type"]
    expected = _TYPES[kind]
    if not isinstance(value, expected) or (isinstance(value, bool) and kind != BOOLEAN):
        raise Refused(f"{name} takes {' or '.join(one.__name__ for one in expected)}, not {type(value).__name__}")
    choices = definition.get("choices") or ()
    if choices and value not in [choice["value"] for choice in choices]:
        raise Refused(f"{name} is one of: {', '.join(str(choice['value']) for choice in choices)}")
    if isinstance(value, str) and kind == STRING:
        low, high = definition.get("min_length", 1), definition.get("max_length", _TEXT_DEFAULT_MAX)
        if not max(low, 1) <= len(value) <= high:
            raise Refused(f"{name} takes {max(low, 1)} to {high} characters, not {len(value)}")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        low, high = definition.get("min_value", value), definition.get("max_value", value)
        if not low <= value <= high:
            raise Refused(f"{name} takes numbers from {low} to {high}")
    elif isinstance(value, File):
        _check_file_type(definition, value)


def _check_file_type(definition: Definition, file: File) -> None:
    types = definition.get("file_types") or ()
    extensions = [kind for kind in types if kind.startswith(".")]
    if types and len(extensions) == len(types) and not file.filename.lower().endswith(tuple(extensions)):
        raise Refused(f"{definition['name']} takes files of these kinds: {', '.join(types)}")


def parse_value(definition: Definition, text: str) -> Value:
    """What somebody typed, as a value of the option's type (files excepted). Raises `Refused`."""
    kind = definition["type"]
    for choice in definition.get("choices") or ():
        if text in {str(choice["value"]), choice["name"], *(choice.get("name_localizations") or {}).values()}:
            chosen: Value = choice["value"]
            return chosen
    try:
        if kind == INTEGER:
            return int(text)
        if kind == NUMBER:
            return float(text)
    except ValueError:
        raise Refused(f"{definition['name']} takes a number, not {text!r}") from None
    if kind == BOOLEAN:
        folded = unicodedata.normalize("NFKC", text).casefold()
        if folded not in {"true", "false"}:
            raise Refused(f"{definition['name']} is true or false, not {text!r}")
        return folded == "true"
    return text
