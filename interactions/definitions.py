"""Commands as data: what a command file declares, and Discord's JSON of it. Pure.

A slash command's options are one `Options` struct: the annotation gives the type, the default says whether the option
is required, `Annotated[…, Option(…)]` adds the text and the limits. Handlers get an instance of it, already checked.

Source: https://discord.com/developers/docs/interactions/application-commands
"""

from __future__ import annotations

import types
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Generic,
    NamedTuple,
    NewType,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec

from interactions.payloads import (
    BOT_DM_CONTEXT,
    GUILD_CONTEXT,
    MANAGE_GUILD,
    PRIVATE_CHANNEL_CONTEXT,
    Attachment,
    OptionValue,
    Resolved,
)
from trainer.i18n import languages, translator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from interactions.call import AckCall, WorkCall
    from interactions.outbound import Acknowledgement, Choice, Json, Reply

EVERYWHERE: Final = (GUILD_CONTEXT, BOT_DM_CONTEXT, PRIVATE_CHANNEL_CONTEXT)
INSTALLED_BY_ANYONE: Final = (0, 1)
"""Integration types: installed to a server, installed to a user."""
MANAGERS: Final = MANAGE_GUILD

Role = NewType("Role", str)
"""The type of an option that takes a role: its id."""
OPTION_TYPES: Final[Mapping[object, int]] = {str: 3, int: 4, bool: 5, Role: 8, float: 10, Attachment: 11}


class BadOptions(Exception):
    """Discord sent options that do not fit the definition: it has an older one registered."""


class Option(NamedTuple):
    """What an option's annotation adds to its type."""

    description: str
    max_length: int | None = None
    min_length: int | None = None
    choices: tuple[tuple[str, str | int], ...] = ()
    """Texts and values."""
    autocomplete: Callable[[AckCall[Any], str], tuple[Choice, ...]] | None = None
    """Called with what was typed so far."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the options of slash commands."""


O = TypeVar("O")  # noqa: E741 - options, fields or nothing, as the handler takes them


class Handler(NamedTuple, Generic[O]):
    """What happens when a command is used, a button pressed or a modal submitted.

    `acknowledge` answers within Discord's three seconds and touches nothing slow. If it defers, `work` runs on a
    worker with all services and returns the reply.
    """

    acknowledge: Callable[[AckCall[O]], Acknowledgement]
    work: Callable[[WorkCall[O]], Reply] | None = None


class SlashCommand(NamedTuple):
    """A command typed with a slash."""

    name: str
    description: str
    handler: Handler[Any]
    options: type[Options] = Options
    contexts: tuple[int, ...] = EVERYWHERE
    integration_types: tuple[int, ...] = INSTALLED_BY_ANYONE
    permissions: int | None = None
    """Who sees it by default in a server; we check again when it is used."""

    def parse(self, given: list[OptionValue], resolved: Resolved) -> Options:
        """Discord's options as the command's own struct. Raises `BadOptions`."""
        values: dict[str, object] = {}
        kinds = {name: kind for name, kind, _, _ in fields_of(self.options)}
        for option in given:
            value: object = option.value
            if kinds.get(option.name) is Attachment:
                value = resolved.attachments.get(str(option.value))
            values[option.name] = value
        try:
            return msgspec.convert(values, self.options)
        except msgspec.ValidationError as error:
            raise BadOptions(str(error)) from None

    def json(self) -> Json:
        """The definition as Discord registers it."""
        definition = {
            "type": 1,
            "name": self.name,
            "name_localizations": _localised("command name", self.name),
            "description": self.description,
            "description_localizations": _localised(None, self.description),
            "options": [_option_json(*field) for field in fields_of(self.options)],
        }
        return definition | _where(self)


class MessageCommand(NamedTuple):
    """A command in a message's menu."""

    name: str
    handler: Handler[Any]
    contexts: tuple[int, ...] = EVERYWHERE
    integration_types: tuple[int, ...] = INSTALLED_BY_ANYONE
    permissions: int | None = None

    def json(self) -> Json:
        """The definition as Discord registers it."""
        names = {"name": self.name, "name_localizations": _localised("message command", self.name)}
        return {"type": 3} | names | _where(self)


AnyCommand = SlashCommand | MessageCommand


def fields_of(options: type[Options]) -> list[tuple[str, object, Option, bool]]:
    """Each option's name, Python type, annotation and whether it is required; required ones first."""
    hints = get_type_hints(options, include_extras=True)
    found = []
    for field in msgspec.structs.fields(options):
        hint = hints[field.name]
        if get_origin(hint) is not Annotated:
            raise TypeError(f"option {field.name} needs Annotated[type, Option(...)]")
        kind, *extras = get_args(hint)
        option = next(extra for extra in extras if isinstance(extra, Option))
        found.append((field.name, _without_none(kind), option, field.required))
    return sorted(found, key=lambda entry: not entry[3])


def _without_none(kind: object) -> object:
    if get_origin(kind) in {Union, types.UnionType}:
        rest = [part for part in get_args(kind) if part is not type(None)]
        return rest[0]
    return kind


def _option_json(name: str, kind: object, option: Option, required: bool) -> Json:
    definition: Json = {
        "type": OPTION_TYPES[kind],
        "name": name,
        "name_localizations": _localised("option name", name),
        "description": option.description,
        "description_localizations": _localised(None, option.description),
        "required": required,
    }
    if option.max_length is not None:
        definition["max_length"] = option.max_length
    if option.min_length is not None:
        definition["min_length"] = option.min_length
    if option.choices:
        definition["choices"] = [
            {"name": text, "name_localizations": _localised(None, text), "value": value}
            for text, value in option.choices
        ]
    if option.autocomplete is not None:
        definition["autocomplete"] = True
    return definition


def _localised(context: str | None, text: str) -> dict[str, str]:
    found = {}
    for language in languages()[1:]:
        say = translator(language)
        found[language] = say.context(context, text) if context else say(text)
    return found


def _where(command: AnyCommand) -> Json:
    allowed = None if command.permissions is None else str(command.permissions)
    return {
        "default_member_permissions": allowed,
        "contexts": list(command.contexts),
        "integration_types": list(command.integration_types),
        "nsfw": False,
    }
