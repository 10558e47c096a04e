"""Whether the commands that Discord has are the ones that we define, and in what they differ. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from interactions.outbound import Json

KINDS: Final[Mapping[object, str]] = {1: "/", 2: "user menu: ", 3: "message menu: ", 4: "entry point: "}
SLASH: Final = 1
ENTRY_POINT: Final = 4
TOP: Final = (
    "type",
    "name",
    "name_localizations",
    "description",
    "description_localizations",
    "options",
    "default_member_permissions",
    "contexts",
    "integration_types",
    "nsfw",
    "handler",
)
OPTION: Final = (
    "type",
    "name",
    "name_localizations",
    "description",
    "description_localizations",
    "required",
    "choices",
    "options",
    "channel_types",
    "min_value",
    "max_value",
    "min_length",
    "max_length",
    "autocomplete",
    "file_types",
)
CHOICE: Final = ("name", "name_localizations", "value")
UNORDERED: Final = ("contexts", "integration_types", "channel_types")


class Change(msgspec.Struct, frozen=True):
    """One difference, as a person reads it."""

    sign: str
    """`+` added, `-` removed, `~` changed."""
    command: str
    details: tuple[str, ...] = ()


def compare(have: Sequence[Json], want: Sequence[Json]) -> list[Change]:
    """What it takes to get from the registered commands to the defined ones; empty when they are equal.

    Only what we may set is compared: ids and versions are Discord's, and a missing value equals its default.
    """
    old = {_label(command): _plain(command, TOP) for command in have}
    new = {_label(command): _plain(command, TOP) for command in want}
    changes = [Change("+", label) for label in new if label not in old]
    changes += [Change("-", label) for label in old if label not in new]
    for label, command in new.items():
        if label in old and old[label] != command:
            changes.append(Change("~", label, tuple(_differences(old[label], command, ""))))
    return changes


def to_write(have: Sequence[Json], want: Sequence[Json]) -> list[Json]:
    """The bulk overwrite: our commands, and Discord's own entry point if there is one, which must be kept."""
    return [*want, *(command for command in have if command.get("type") == ENTRY_POINT)]


def _label(command: Json) -> str:
    return f"{KINDS.get(command.get('type', SLASH), '?')}{command['name']}"


def _plain(thing: Json, names: Sequence[str]) -> Json:
    """A definition without what Discord adds, and without values that equal their default."""
    found: Json = {}
    for name in names:
        value = thing.get(name)
        if isinstance(value, list) and name == "options":
            value = [_plain(option, OPTION) for option in value]
        elif isinstance(value, list) and name == "choices":
            value = [_plain(choice, CHOICE) for choice in value]
        elif isinstance(value, list) and name in UNORDERED:
            value = sorted(value)
        if value or (value == 0 and name in {"value", "min_value", "max_value", "min_length"} and value is not False):
            found[name] = value
    if names is TOP:
        found.setdefault("type", SLASH)
        if thing.get("default_member_permissions") is not None:
            found["default_member_permissions"] = str(thing["default_member_permissions"])
    return found


def _differences(old: object, new: object, path: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            yield from _differences(old.get(name), new.get(name), f"{path}.{name}" if path else name)
    elif _named(old) and _named(new):
        before, after = _by_name(old), _by_name(new)
        if list(before) != list(after) and before.keys() == after.keys():
            yield f"{path}: order {', '.join(before)} → {', '.join(after)}"
        yield from _differences(before, after, path)
    elif old != new:
        yield f"{path}: {_show(old)} → {_show(new)}"


def _named(value: object) -> bool:
    return (
        isinstance(value, list) and bool(value) and all(isinstance(item, dict) and "name" in item for item in value)
    )


def _by_name(value: object) -> dict[str, object]:
    return {item["name"]: item for item in value} if isinstance(value, list) else {}


def _show(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict) and "name" in value:
        return f"“{value['name']}”"
    return msgspec.json.encode(value).decode()
