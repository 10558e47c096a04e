"""What Discord accepts as definitions of application commands. Pure.

Limits: Discord's documentation, interactions/application-commands.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from playground.errors import DiscordError
from playground.forms import Fields, FormErrors, form
from playground.rules_callbacks import check_localizations
from playground.rules_modals import check_file_types

CHAT_INPUT: Final = 1
USER: Final = 2
MESSAGE: Final = 3
ENTRY_POINT: Final = 4
MAX_BY_TYPE: Final = {CHAT_INPUT: 100, USER: 15, MESSAGE: 15, ENTRY_POINT: 1}
MAX_COMMANDS: Final = 130

SUBCOMMAND: Final = 1
GROUP: Final = 2
STRING: Final = 3
INTEGER: Final = 4
NUMBER: Final = 10
CHANNEL: Final = 7
ATTACHMENT: Final = 11
VALUE_TYPES: Final[tuple[int, ...]] = (STRING, INTEGER, 5, 6, CHANNEL, 8, 9, NUMBER, ATTACHMENT)

MAX_NAME: Final = 32
MAX_DESCRIPTION: Final = 100
MAX_OPTIONS: Final = 25
MAX_CHOICES: Final = 25
MAX_CHOICE: Final = 100
MAX_TEXT: Final = 6000
MAX_NUMBER: Final = 2**53
MAX_CHARACTERS: Final = 8000
MAX_PERMISSIONS: Final = 2**53

_DEVANAGARI: Final = ((0x0900, 0x0950), (0x0955, 0x0963), (0x0966, 0x097F), (0xA8E0, 0xA8FF))
_THAI: Final = ((0x0E01, 0x0E3A), (0x0E40, 0x0E5B))


def is_chat_name(name: str) -> bool:
    """Whether a slash command or an option may have this name (without its length)."""
    return bool(name) and name == name.lower() and all(_in_name(character) for character in name)


def _in_name(character: str) -> bool:
    """The class of Discord's pattern: - _ ' and letters, numbers, Devanagari, Thai."""
    code = ord(character)
    return (
        character in "-_'"
        or unicodedata.category(character)[0] in "LN"
        or any(low <= code <= high for low, high in (*_DEVANAGARI, *_THAI))
    )


def check_command(body: object) -> None:
    """Raise `DiscordError` unless Discord takes this definition."""
    errors = FormErrors()
    _check(form(body, errors))
    errors.raise_if_any()


def check_commands(bodies: object, *, guild: bool) -> None:
    """Raise `DiscordError` unless Discord takes these definitions as all that there are."""
    errors = FormErrors()
    listed = Fields({"commands": bodies}, errors)
    commands = listed.objects("commands", high=MAX_COMMANDS, required=True)
    if errors:
        raise DiscordError(400, 50035, "Invalid Form Body", errors.tree()["commands"])
    for index, command in enumerate(commands):
        _check(Fields(command.value, errors, (str(index),)))
    seen: set[tuple[object, object]] = set()
    for index, command in enumerate(commands):
        key = (command.value.get("type") or CHAT_INPUT, command.value.get("name"))
        if key in seen:
            errors.add(
                (str(index),), "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique"
            )
        seen.add(key)
    errors.raise_if_any()
    check_counts(Counter(command.value.get("type") or CHAT_INPUT for command in commands), guild=guild)


def check_counts(counts: Mapping[int, int], *, guild: bool) -> None:
    """Raise `DiscordError` for more commands of a type than Discord keeps."""
    for kind, most in MAX_BY_TYPE.items():
        if counts.get(kind, 0) > (0 if guild and kind == ENTRY_POINT else most):
            raise DiscordError(400, 30032, f"Maximum number of application commands reached ({most})")


def _check(command: Fields) -> None:
    kind = command.choice("type", tuple(MAX_BY_TYPE)) or CHAT_INPUT
    name = command.string("name", low=1, high=MAX_NAME, required=True)
    if kind == CHAT_INPUT:
        _check_names(command, name)
        command.string("description", low=1, high=MAX_DESCRIPTION, required=True)
        check_localizations(command, "description_localizations", high=MAX_DESCRIPTION)
        _check_options(command, depth=0)
        if _characters(command.value) > MAX_CHARACTERS:
            command.fail("", "APPLICATION_COMMAND_TOO_LARGE", f"Command exceeds maximum size ({MAX_CHARACTERS})")
    else:
        check_localizations(command, "name_localizations", high=MAX_NAME)
        if kind != ENTRY_POINT and command.value.get("description"):
            command.fail("description", "APPLICATION_COMMAND_DESCRIPTION_FORBIDDEN", "No description here")
        if command.value.get("options"):
            command.fail("options", "APPLICATION_COMMAND_OPTIONS_FORBIDDEN", "Only slash commands have options")
    _check_permissions(command)
    _check_set(command, "contexts", (0, 1, 2))
    _check_set(command, "integration_types", (0, 1))
    for flag in ("nsfw", "dm_permission", "default_permission"):
        command.boolean(flag)


def _check_names(owner: Fields, name: str | None) -> None:
    names = {"name": name, **check_localizations(owner, "name_localizations", high=MAX_NAME)}
    for locale, text in names.items():
        if isinstance(text, str) and not is_chat_name(text):
            path = (*owner.path, "name") if locale == "name" else (*owner.path, "name_localizations", locale)
            owner.errors.add(path, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")


def _check_permissions(command: Fields) -> None:
    value = command.value.get("default_member_permissions")
    if value is None:
        return
    digits = isinstance(value, str) and value.isascii() and value.isdigit()
    if isinstance(value, bool) or not (digits or isinstance(value, int)) or not 0 <= int(value) < MAX_PERMISSIONS:
        command.fail("default_member_permissions", "BITFIELD_TYPE_CONVERT", "Not a set of permissions.")


def _check_set(command: Fields, name: str, known: Sequence[int]) -> None:
    values = command.items(name, low=1, high=len(known))
    for index, value in enumerate(values or ()):
        if value not in known or isinstance(value, bool):
            path = (*command.path, name, str(index))
            command.errors.add(path, "BASE_TYPE_CHOICES", f"Value must be one of {known}.")
    if values and len({str(value) for value in values}) != len(values):
        command.fail(name, "SET_TYPE_ALREADY_CONTAINS_VALUE", "The set already contains this value.")


def _check_options(owner: Fields, *, depth: int) -> None:
    """Options of a command (depth 0), a subcommand or a group; one group may hold subcommands, no deeper."""
    options = owner.objects("options", high=MAX_OPTIONS)
    nested = [option.value.get("type") in (SUBCOMMAND, GROUP) for option in options]
    if any(nested) and not all(nested):
        owner.fail("options", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Subcommands and options cannot be mixed")
    seen: set[object] = set()
    optional = False
    for option in options:
        name = option.value.get("name")
        if isinstance(name, str) and name in seen:
            option.fail("name", "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", "Option name already exists")
        seen.add(name if isinstance(name, str) else None)
        if option.value.get("required") and optional:
            option.fail(
                "required",
                "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                "Required options must be placed before non-required options",
            )
        optional = optional or not option.value.get("required")
        _check_option(option, depth=depth, owner_type=owner.value.get("type") if depth else None)


def _check_option(option: Fields, *, depth: int, owner_type: object) -> None:
    kinds = VALUE_TYPES
    if depth == 0:
        kinds = (SUBCOMMAND, GROUP, *VALUE_TYPES)
    elif owner_type == GROUP:
        kinds = (SUBCOMMAND,)
    kind = option.choice("type", kinds, required=True)
    _check_names(option, option.string("name", low=1, high=MAX_NAME, required=True))
    option.string("description", low=1, high=MAX_DESCRIPTION, required=True)
    check_localizations(option, "description_localizations", high=MAX_DESCRIPTION)
    required = option.boolean("required")
    option.boolean("autocomplete")
    if kind in {SUBCOMMAND, GROUP}:
        if required:
            option.fail("required", "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", "A subcommand is not required")
        _check_options(option, depth=depth + 1)
        return
    if option.value.get("options"):
        option.fail("options", "APPLICATION_COMMAND_OPTIONS_FORBIDDEN", "Only subcommands have options")
    _check_value_rules(option, kind)


def _check_value_rules(option: Fields, kind: object) -> None:
    typed = kind in {STRING, INTEGER, NUMBER}
    for name in ("choices", "autocomplete"):
        if option.value.get(name) and not typed:
            option.fail(name, "APPLICATION_COMMAND_OPTIONS_FIELD_FORBIDDEN", "Not for this type of option")
    if option.value.get("autocomplete") and option.value.get("choices"):
        option.fail("choices", "APPLICATION_COMMAND_OPTIONS_CHOICES_AUTOCOMPLETE", "Choices exclude autocomplete")
    if typed:
        _check_choices(option, kind)
    if kind == STRING:
        low = option.integer("min_length", low=0, high=MAX_TEXT)
        high = option.integer("max_length", low=1, high=MAX_TEXT)
        if low is not None and high is not None and low > high:
            option.fail("min_length", "NUMBER_TYPE_RANGE", "min_length should not be above max_length.")
    elif kind in {INTEGER, NUMBER}:
        low_value = option.number("min_value", low=-MAX_NUMBER, high=MAX_NUMBER)
        high_value = option.number("max_value", low=-MAX_NUMBER, high=MAX_NUMBER)
        if low_value is not None and high_value is not None and low_value > high_value:
            option.fail("min_value", "NUMBER_TYPE_RANGE", "min_value should not be above max_value.")
    elif kind == CHANNEL:
        option.items("channel_types", high=MAX_OPTIONS)
    elif kind == ATTACHMENT:
        check_file_types(option)


def _check_choices(option: Fields, kind: object) -> None:
    seen: set[object] = set()
    for choice in option.objects("choices", high=MAX_CHOICES):
        name = choice.string("name", low=1, high=MAX_CHOICE, required=True)
        check_localizations(choice, "name_localizations", high=MAX_CHOICE)
        if kind == STRING:
            choice.string("value", high=MAX_CHOICE, required=True)
        elif kind == INTEGER:
            choice.integer("value", low=-MAX_NUMBER, high=MAX_NUMBER, required=True)
        else:
            choice.number("value", low=-MAX_NUMBER, high=MAX_NUMBER, required=True)
        if name in seen:
            choice.fail("name", "APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_ALREADY_EXISTS", "Name already exists")
        if name is not None:
            seen.add(name)


def _longest(owner: Mapping[str, Any], name: str) -> int:
    texts = [owner.get(name)]
    if isinstance(localized := owner.get(f"{name}_localizations"), Mapping):
        texts.extend(localized.values())
    return max(len(text) if isinstance(text, str) else 0 for text in texts)


def _characters(owner: Mapping[str, Any]) -> int:
    """Names, descriptions and values of a command and all that is in it, each in its longest language."""
    total = _longest(owner, "name") + _longest(owner, "description")
    if isinstance(value := owner.get("value"), str):
        total += len(value)
    for name in ("options", "choices"):
        children = owner.get(name)
        if isinstance(children, list):
            total += sum(_characters(child) for child in children if isinstance(child, Mapping))
    return total
