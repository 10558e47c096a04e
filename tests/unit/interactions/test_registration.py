"""The difference between the commands that Discord has and ours."""

from __future__ import annotations

import copy
from typing import Any

from interactions.registration import Change, compare, to_write
from interactions.registry import registry


def as_discord_returns(definitions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Discord adds ids, leaves out defaults, and reorders lists that have no order."""
    returned = copy.deepcopy(definitions)
    for number, command in enumerate(returned):
        command |= {"id": str(number), "application_id": "1", "version": "2", "dm_permission": True, "guild_id": None}
        command["contexts"] = list(reversed(command["contexts"]))
        if not command["nsfw"]:
            del command["nsfw"]
        if command["type"] == 3:
            command["description"] = ""
        for option in command.get("options", []):
            if not option["required"]:
                del option["required"]
    return list(reversed(returned))


def ours() -> list[dict[str, Any]]:
    return registry().definitions()


def test_what_discord_returns_equals_what_was_sent() -> None:
    assert compare(as_discord_returns(ours()), ours()) == []


def test_added_and_removed() -> None:
    have = as_discord_returns(ours())
    gone = [command for command in have if command["name"] != "ask"]
    assert compare(gone, ours()) == [Change("+", "/ask")]
    assert compare([*have, {"name": "old", "type": 3, "id": "9"}], ours()) == [Change("-", "message menu: old")]
    assert [change.sign for change in compare([], ours())] == ["+"] * len(ours())


def test_a_change_names_the_place_and_both_values() -> None:
    have = as_discord_returns(ours())
    train = next(command for command in have if command["name"] == "train")
    train["default_member_permissions"] = None
    train["options"][0]["description"] = "Old"
    (change,) = compare(have, ours())
    assert (change.sign, change.command) == ("~", "/train")
    assert 'default_member_permissions: nothing → "32"' in change.details
    assert any(line.startswith(f"options.{train['options'][0]['name']}.description: ") for line in change.details)


def test_order_of_options_counts() -> None:
    have = as_discord_returns(ours())
    train = next(command for command in have if command["name"] == "train")
    train["options"].reverse()
    (change,) = compare(have, ours())
    assert change.details == ("options: order archive, dataset, file, text → text, file, dataset, archive",)


def test_a_missing_option_is_named() -> None:
    have = as_discord_returns(ours())
    train = next(command for command in have if command["name"] == "train")
    del train["options"][1]
    (change,) = compare(have, ours())
    assert any("options.file: nothing → “file”" in line for line in change.details)


def test_zero_permissions_are_not_no_permissions() -> None:
    closed = {"type": 1, "name": "x", "description": "x", "default_member_permissions": "0"}
    free = {"type": 1, "name": "x", "description": "x", "default_member_permissions": None}
    assert len(compare([free], [closed])) == 1
    assert compare([closed | {"default_member_permissions": 0}], [closed]) == []


def test_discords_entry_point_is_kept() -> None:
    launch = {"type": 4, "name": "launch", "id": "5"}
    assert to_write([launch, {"type": 1, "name": "old"}], ours()) == [*ours(), launch]
    assert compare([launch], []) == [Change("-", "entry point: launch")]
