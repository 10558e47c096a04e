"""Definitions of commands that Discord takes and that it refuses, each with a name."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def command(**more: Any) -> Json:
    return {"name": "ask", "description": "Ask", **more}


def option(**more: Any) -> Json:
    return {"type": 3, "name": "prompt", "description": "What", **more}


def with_option(**more: Any) -> Json:
    return command(options=[option(**more)])


GOOD_COMMANDS: dict[str, Json] = {
    "the least": command(),
    "all there is": command(
        type=1,
        name_localizations={"ru": "спросить"},
        description_localizations={"ru": "Задать вопрос"},
        contexts=[0, 1, 2],
        integration_types=[0, 1],
        default_member_permissions="32",
        nsfw=False,
        options=[
            option(required=True, min_length=1, max_length=6000),
            option(name="which", autocomplete=True),
            option(name="many", type=4, min_value=1, max_value=5),
            option(name="part", type=10, min_value=0.5),
            option(name="file", type=11, file_types=[".csv", "audio"]),
            option(name="mood", choices=[{"name": "Good", "value": "good", "name_localizations": {"ru": "Хорошо"}}]),
            *(option(name=f"o{kind}", type=kind) for kind in (5, 6, 7, 8, 9)),
        ],
    ),
    "other scripts": command(name="команда-1"),
    "an apostrophe": command(name="what's"),
    "on a message": {"type": 3, "name": "Correct this answer"},
    "on a user": {"type": 2, "name": "Who is this"},
    "subcommands": command(
        options=[
            {"type": 1, "name": "show", "description": "Show"},
            {
                "type": 2,
                "name": "group",
                "description": "Group",
                "options": [{"type": 1, "name": "edit", "description": "Edit", "options": [option()]}],
            },
        ]
    ),
    "25 options": command(options=[option(name=f"o{n}") for n in range(25)]),
    "nobody but administrators": command(default_member_permissions="0"),
}

BAD_COMMANDS: dict[str, Json] = {
    "no name": {"description": "x"},
    "name too long": command(name="x" * 33),
    "name empty": command(name=""),
    "description too long": command(description="x" * 101),
    "26 options": command(options=[option(name=f"o{n}") for n in range(26)]),
    "option without description": command(options=[{"type": 3, "name": "x"}]),
    "option of unknown type": with_option(type=12),
    "26 choices": with_option(choices=[{"name": str(n), "value": str(n)} for n in range(26)]),
    "choice without value": with_option(choices=[{"name": "x"}]),
    "choice name": with_option(choices=[{"name": "x" * 101, "value": "x"}]),
    "choice of another type": with_option(type=4, choices=[{"name": "x", "value": "x"}]),
    "max_length": with_option(max_length=6001),
    "max_length 0": with_option(max_length=0),
    "no context": command(contexts=[]),
    "unknown context": command(contexts=[3]),
    "the same context twice": command(contexts=[0, 0]),
    "unknown installation": command(integration_types=[2]),
    "permissions": command(default_member_permissions="manager"),
    "localized name too long": command(name_localizations={"ru": "я" * 33}),
    "options within options": with_option(type=1, options=[option(type=1, name="x")]),
    "unknown type": command(type=9),
}

BAD_COMMANDS_BY_DOCUMENTATION: dict[str, Json] = {
    "no description": {"name": "ask"},
    "capital letters": command(name="Ask"),
    "a space": command(name="ask me"),
    "a capital in a localized name": command(name_localizations={"ru": "Спросить"}),
    "unknown locale": command(name_localizations={"tlh": "ask"}),
    "a capital in an option": with_option(name="Prompt"),
    "required after optional": command(options=[option(), option(name="x", required=True)]),
    "the same option twice": command(options=[option(), option()]),
    "choices and autocomplete": with_option(autocomplete=True, choices=[{"name": "x", "value": "x"}]),
    "the same choice twice": with_option(choices=[{"name": "x", "value": "1"}, {"name": "x", "value": "2"}]),
    "autocomplete of a file": with_option(type=11, autocomplete=True),
    "choices of a switch": with_option(type=5, choices=[{"name": "x", "value": "x"}]),
    "subcommands and options": command(options=[option(), option(name="x", type=1)]),
    "a required subcommand": with_option(type=1, required=True),
    "a group in a group": with_option(type=2, options=[option(name="x", type=2)]),
    "an option in a group": with_option(type=2, options=[option(name="x")]),
    "options of an option": with_option(options=[option()]),
    "min above max": with_option(type=4, min_value=5, max_value=1),
    "min_length above max_length": with_option(min_length=5, max_length=1),
    "unknown kind of file": with_option(type=11, file_types=["csv"]),
    "a described message command": {"type": 3, "name": "Ask", "description": "x"},
    "a message command with options": {"type": 3, "name": "Ask", "options": [option()]},
    "more than 8000 characters": command(
        options=[
            option(
                name=f"o{n}",
                choices=[{"name": f"{m:03}" + "x" * 90, "value": "y" * 90} for m in range(20)],
            )
            for n in range(3)
        ]
    ),
}
