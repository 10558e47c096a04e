"""Commands as data: what Discord is told, and what handlers get."""

from __future__ import annotations

import re
from typing import Annotated

import pytest

from interactions.definitions import BadOptions, Handler, Option, Options, SlashCommand
from interactions.outbound import Reply, Say
from interactions.payloads import Attachment, OptionValue, Resolved
from interactions.registry import Duplicate, collect, registry

NAME = re.compile(r"[-_'\w]{1,32}")


class Everything(Options, frozen=True, kw_only=True):
    maybe: Annotated[int, Option("A number", choices=(("One", 1), ("Two", 2)))] = 1
    text: Annotated[str, Option("A text", min_length=1, max_length=9)]
    file: Annotated[Attachment | None, Option("A file")] = None
    ratio: Annotated[float, Option("A ratio")] = 0.5


COMMAND = SlashCommand(
    name="all",
    description="All kinds",
    options=Everything,
    handler=Handler(lambda call: Say(Reply("x"))),
    contexts=(0,),
    integration_types=(0,),
    permissions=32,
)


def test_a_definition_says_everything_explicitly() -> None:
    definition = COMMAND.json()
    options = definition.pop("options")
    assert definition == {
        "type": 1,
        "name": "all",
        "name_localizations": {"ru": "all"},
        "description": "All kinds",
        "description_localizations": {"ru": "All kinds"},
        "default_member_permissions": "32",
        "contexts": [0],
        "integration_types": [0],
        "nsfw": False,
    }
    assert isinstance(options, list)
    assert [(option["name"], option["type"], option["required"]) for option in options] == [
        ("text", 3, True),
        ("maybe", 4, False),
        ("file", 11, False),
        ("ratio", 10, False),
    ]
    assert options[0]["min_length"] == 1
    assert options[0]["max_length"] == 9
    assert [choice["value"] for choice in options[1]["choices"]] == [1, 2]


def test_options_become_the_commands_own_struct() -> None:
    file = Attachment(id="9", filename="a.csv", size=1, url="https://x")
    given = [
        OptionValue(name="text", type=3, value="hello"),
        OptionValue(name="file", type=11, value="9"),
        OptionValue(name="ratio", type=10, value=2),
    ]
    parsed = COMMAND.parse(given, Resolved(attachments={"9": file}))
    assert parsed == Everything(text="hello", file=file, ratio=2.0)


@pytest.mark.parametrize(
    "given",
    [
        [],
        [OptionValue(name="text", type=4, value=1)],
        [OptionValue(name="text", type=3, value=None)],
    ],
)
def test_options_that_do_not_fit_are_refused(given: list[OptionValue]) -> None:
    with pytest.raises(BadOptions):
        COMMAND.parse(given, Resolved())


def test_an_attachment_that_was_not_sent_along_is_none() -> None:
    given = [OptionValue(name="text", type=3, value="x"), OptionValue(name="file", type=11, value="9")]
    assert COMMAND.parse(given, Resolved()) == Everything(text="x", file=None)


def test_an_option_without_annotation_is_a_mistake_of_ours() -> None:
    class Bare(Options, frozen=True, kw_only=True):
        text: str

    with pytest.raises(TypeError, match="Annotated"):
        COMMAND._replace(options=Bare).json()


def test_two_files_cannot_claim_one_name() -> None:
    class First:
        COMMANDS = (COMMAND,)

    with pytest.raises(Duplicate, match="all"):
        collect([First, First])  # type: ignore[list-item]


def test_every_command_is_fit_for_discord() -> None:
    commands = registry()
    for definition in commands.definitions():
        names = [definition["name"], *dict(definition["name_localizations"]).values()]  # type: ignore[call-overload]
        slash = definition["type"] == 1
        assert all(NAME.fullmatch(name) and name == name.lower() for name in names) or not slash
        assert all(1 <= len(name) <= 32 for name in names)
        assert not slash or 1 <= len(str(definition["description"])) <= 100
        in_servers_only = definition["name"] in {"join", "leave"}
        assert definition["contexts"] == ([0] if in_servers_only else [0, 1, 2])
        assert definition["integration_types"] == ([0] if in_servers_only else [0, 1])


def test_every_button_and_form_belongs_to_a_handler() -> None:
    commands = registry()
    assert {"correct", "approve", "reject"} <= commands.buttons.keys()
    assert {"correct", "train"} <= commands.modals.keys()
