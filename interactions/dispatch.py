"""Which handler an interaction is for, and what it was given. Pure; used by the door and by the worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from interactions.definitions import BadOptions
from interactions.payloads import (
    AutocompleteInteraction,
    CommandInteraction,
    ComponentInteraction,
    MessageCommandData,
    ModalInteraction,
    SlashData,
)

if TYPE_CHECKING:
    from interactions.definitions import Handler
    from interactions.payloads import AnyInteraction
    from interactions.registry import Registry


class UnknownCommand(Exception):
    """Nothing of ours has this name: Discord, or an old message, knows an earlier version of us."""


class Target(NamedTuple):
    """The handler, with what it is given."""

    name: str
    """Goes to the log: the command's name or the first part of a custom id, never what people wrote."""
    handler: Handler[Any]
    given: object
    subject: str = ""


def find(registry: Registry, interaction: AnyInteraction) -> Target:
    """The target of a command, button or modal. Raises `UnknownCommand` and `BadOptions`."""
    match interaction:
        case CommandInteraction(data=SlashData() as data):
            command = registry.slash.get(data.name)
            if command is None:
                raise UnknownCommand
            return Target(command.name, command.handler, command.parse(data.options, data.resolved))
        case CommandInteraction(data=MessageCommandData() as data):
            menu = registry.message.get(data.name)
            message = data.target()
            if menu is None:
                raise UnknownCommand
            if message is None:
                raise BadOptions("the message is missing")
            return Target(menu.name, menu.handler, message)
        case ComponentInteraction(data=data):
            return _by_custom_id(registry.buttons, data.custom_id, data)
        case ModalInteraction(data=data):
            return _by_custom_id(registry.modals, data.custom_id, data)
        case AutocompleteInteraction() | CommandInteraction():
            raise UnknownCommand


def _by_custom_id(handlers: dict[str, Handler[Any]], custom_id: str, data: object) -> Target:
    name, _, subject = custom_id.partition(":")
    handler = handlers.get(name)
    if handler is None:
        raise UnknownCommand
    return Target(name, handler, data, subject)
