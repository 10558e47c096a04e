"""Finds the commands: each file in `interactions/commands` declares one subject.

A file may define `COMMANDS` (slash and message commands), `BUTTONS` and `MODALS` (handlers by the first part of their
custom id). Nothing else has to be told of a new file.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from interactions import commands
from interactions.definitions import AnyCommand, Handler, MessageCommand, SlashCommand

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

    from interactions.outbound import Json


class Registry(NamedTuple):
    """All commands, and who handles which button and modal."""

    slash: dict[str, SlashCommand]
    message: dict[str, MessageCommand]
    buttons: dict[str, Handler[Any]]
    modals: dict[str, Handler[Any]]

    def definitions(self) -> list[Json]:
        """All commands as Discord registers them, in order of kind and name."""
        ordered: list[AnyCommand] = [self.slash[name] for name in sorted(self.slash)]
        ordered += [self.message[name] for name in sorted(self.message)]
        return [command.json() for command in ordered]


class Duplicate(Exception):
    """Two files claim one name."""


def collect(modules: Iterable[ModuleType]) -> Registry:
    """The registry of these modules. Raises `Duplicate`."""
    registry = Registry({}, {}, {}, {})
    for module in modules:
        for command in getattr(module, "COMMANDS", ()):
            table: dict[str, Any] = registry.slash if isinstance(command, SlashCommand) else registry.message
            _add(table, command.name, command)
        for name, handler in getattr(module, "BUTTONS", {}).items():
            _add(registry.buttons, name, handler)
        for name, handler in getattr(module, "MODALS", {}).items():
            _add(registry.modals, name, handler)
    return registry


@cache
def registry() -> Registry:
    """The registry of `interactions.commands`."""
    names = sorted(info.name for info in pkgutil.iter_modules(commands.__path__))
    return collect(importlib.import_module(f"{commands.__name__}.{name}") for name in names)


def _add(table: dict[str, Any], name: str, entry: object) -> None:
    if name in table:
        raise Duplicate(f"two commands are called {name}")
    table[name] = entry
