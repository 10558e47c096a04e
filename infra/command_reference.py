"""Writes docs/commands.md from the definitions of the commands: `make docs`. With `--check`, says if it is current.

Everything in it comes from the code: what is registered with Discord in each language, and the table of limits.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from babel import Locale

from interactions.definitions import MANAGERS, SlashCommand
from interactions.limiting import ACTIONS
from interactions.payloads import BOT_DM_CONTEXT, GUILD_CONTEXT, PRIVATE_CHANNEL_CONTEXT
from interactions.registry import registry
from trainer.i18n import languages, translator
from trainer.limits import DAY, HOUR, LIMITS, MIB, MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interactions.definitions import AnyCommand
    from trainer.i18n import Translator
    from trainer.limits import Limit

DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "commands.md"
HEAD: Final = """\
# Commands

Written by `make docs` from the definitions in `interactions/commands/`; do not edit it by hand.

Who sees a command in a server is Discord's setting, and its managers can change that there. Whatever they set,
Trainger checks again who may do something. Where only the person has installed the bot, and in direct messages,
everybody is the manager of what is theirs.
"""
KINDS: Final = {
    3: "text",
    4: "whole number",
    5: "yes or no",
    6: "person",
    7: "channel",
    8: "role",
    9: "person or role",
    10: "number",
    11: "file",
}
"""Discord's types of options."""
BOUNDS: Final = {
    "min_length": "at least {} characters",
    "max_length": "at most {} characters",
    "min_value": "at least {}",
    "max_value": "at most {}",
}
PLACES: Final = {
    GUILD_CONTEXT: "servers",
    BOT_DM_CONTEXT: "direct messages with the bot",
    PRIVATE_CHANNEL_CONTEXT: "other private channels",
}
INSTALLED: Final = {0: "a server", 1: "a person"}
SPANS: Final = {MINUTE: "a minute", HOUR: "an hour", DAY: "a day"}
OWNERS: Final = {"person": "a person", "scope": "a server, or a person's own room"}
FORMS: Final = {"Ask about this": "about"}
"""Commands that are limited when their form is sent: what the form's handler is called."""
OTHERS: Final = "everything else that is done in the background"


def text() -> str:
    """The whole document."""
    commands = registry()
    parts = [HEAD, "## In short\n", *_overview(), "\n## Slash commands\n"]
    for name in sorted(commands.slash):
        parts += _command(commands.slash[name], f"/{name}")
    parts.append("## In a message's menu\n")
    for name in sorted(commands.message):
        parts += _command(commands.message[name], name)
    parts += ["## Limits\n", *_limits()]
    return "\n".join(parts) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the document, or with `--check` say whether it is current; 1 if it is not."""
    parser = argparse.ArgumentParser(prog="python -m infra.command_reference", description="Writes docs/commands.md.")
    parser.add_argument("--check", action="store_true", help="only say whether it is current")
    options = parser.parse_args(arguments)
    wanted = text()
    current = DOCUMENT.exists() and DOCUMENT.read_text(encoding="utf-8") == wanted
    if options.check:
        if not current:
            sys.stderr.write("docs/commands.md is not what the definitions say: run `make docs`.\n")
        return 0 if current else 1
    if not current:
        DOCUMENT.parent.mkdir(parents=True, exist_ok=True)
        DOCUMENT.write_text(wanted, encoding="utf-8")
    return 0


def _overview() -> Iterator[str]:
    commands = registry()
    columns = [f"in {_name(say)}" for say in _others()]
    yield _row(["command", "what it does", "shown to", *columns])
    yield _row(["---"] * (3 + len(columns)))
    for name in sorted(commands.slash):
        slash = commands.slash[name]
        names = [f"`/{say.context('command name', name)}`" for say in _others()]
        yield _row([f"[`/{name}`](#{name})", slash.description, _who(slash), *names])
    for name in sorted(commands.message):
        names = [say.context("message command", name) for say in _others()]
        link = name.lower().replace(" ", "-")
        yield _row([f"[{name}](#{link})", "in a message's menu, under Apps", _who(commands.message[name]), *names])


def _command(command: AnyCommand, title: str) -> Iterator[str]:
    yield f"### {title}\n"
    if isinstance(command, SlashCommand):
        yield f"{command.description}\n"
        for say in _others():
            yield f"- {_name(say)}: `/{say.context('command name', command.name)}`: {say(command.description)}"
    else:
        for say in _others():
            yield f"- {_name(say)}: {say.context('message command', command.name)}"
    yield f"- Shown to: {_who(command)}"
    yield f"- Where: {_listed(PLACES[place] for place in command.contexts)}"
    yield f"- Installed to: {' or '.join(INSTALLED[kind] for kind in command.integration_types)}"
    if isinstance(command, SlashCommand) and command.handler.work is None:
        yield "- Limits: none, it is answered at once"
    else:
        yield f"- Limits: {ACTIONS.get(FORMS.get(command.name, command.name), OTHERS)}"
    yield ""
    definition: dict[str, Any] = command.json()
    if definition.get("options"):
        yield from _options(definition["options"])
        yield ""


def _options(options: list[dict[str, Any]]) -> Iterator[str]:
    columns = [f"in {_name(say)}" for say in _others()]
    yield _row(["option", "kind", "what it is", *columns])
    yield _row(["---"] * (3 + len(columns)))
    for option in options:
        about = [KINDS[option["type"]], "required" if option["required"] else "optional"]
        for limit, sense in BOUNDS.items():
            if limit in option:
                about.append(sense.format(option[limit]))
        if "choices" in option:
            about.append("one of: " + ", ".join(choice["name"] for choice in option["choices"]))
        if option.get("autocomplete"):
            about.append("suggests while you type")
        others = []
        for language in languages()[1:]:
            name, told = option["name_localizations"][language], option["description_localizations"][language]
            others.append(f"`{name}`: {told}")
        yield _row([f"`{option['name']}`", "; ".join(about), option["description"], *others])


def _limits() -> Iterator[str]:
    yield "What is over a limit is refused to that person alone, with the time to wait. `TRAINGER_LIMITS` multiplies"
    yield "all numbers, and 0 lifts them. The numbers for managers hold in servers.\n"
    known = [*sorted(registry().slash), *sorted(registry().message)]
    yield _row(["what", "for", "at most", "managers"])
    yield _row(["---"] * 4)
    for limit in LIMITS:
        names = [name for name in known if ACTIONS.get(FORMS.get(name, name)) == limit.action]
        what = OTHERS if limit.action == "other" else f"{limit.action}: {_listed(_shown(name) for name in names)}"
        own = _amount(limit, limit.managers) if limit.managers else "the same"
        yield _row([what, OWNERS[limit.owner], _amount(limit, limit.amount), own])


def _shown(name: str) -> str:
    return f"`/{name}`" if name in registry().slash else f"“{name}”"


def _amount(limit: Limit, amount: float) -> str:
    counted = f"{amount / MIB:g} MiB" if limit.unit == "bytes" else f"{amount:g}"
    return f"{counted} {SPANS[limit.seconds]}"


def _others() -> list[Translator]:
    """The languages besides that of the code."""
    return [translator(language) for language in languages()[1:]]


def _name(say: Translator) -> str:
    return str(Locale.parse(say.language).english_name)


def _who(command: AnyCommand) -> str:
    if command.permissions is None:
        return "everybody"
    return "managers (Manage Server)" if command.permissions == MANAGERS else f"permissions {command.permissions}"


def _listed(words: Iterator[str]) -> str:
    return ", ".join(words)


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"


if __name__ == "__main__":
    sys.exit(main())
