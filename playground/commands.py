"""The application's commands as Discord keeps them: global ones, and those of the server."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from playground.errors import DiscordError, unknown_command
from playground.rules_commands import CHAT_INPUT, check_command, check_commands, check_counts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playground.snowflakes import Snowflakes

MAX_CREATES: Final = 200
_LOCALIZED: Final = ("name_localizations", "description_localizations")
_SENT_DEFAULTS: Final = ("required", "autocomplete")

Key = tuple[int, str]


class Commands:
    """All commands of the application. Safe to use from several threads."""

    def __init__(self, ids: Snowflakes, application_id: str) -> None:
        self._ids = ids
        self._application_id = application_id
        self._lock = threading.RLock()
        self._kept: dict[str | None, dict[Key, dict[str, Any]]] = {}
        self._created: Counter[str | None] = Counter()

    def all(self, guild_id: str | None, *, localizations: bool = True) -> list[dict[str, Any]]:
        """Those of one server, or the global ones."""
        with self._lock:
            found = list(self._kept.get(guild_id, {}).values())
        return found if localizations else [without_localizations(command) for command in found]

    def available(self, guild_id: str | None) -> list[dict[str, Any]]:
        """What a person in this server, or in a DM, can choose from: a server's own come first."""
        return [*(self.all(guild_id) if guild_id else ()), *self.all(None)]

    def get(self, guild_id: str | None, command_id: str) -> dict[str, Any]:
        """One command. Raises `DiscordError`."""
        for command in self.all(guild_id):
            if command["id"] == command_id:
                return command
        raise unknown_command()

    def overwrite(self, guild_id: str | None, bodies: object) -> list[dict[str, Any]]:
        """Make these the only ones. Raises `DiscordError` and changes nothing if one is wrong."""
        listed: Any = [] if bodies is None else bodies
        check_commands(listed, guild=guild_id is not None)
        with self._lock:
            before = self._kept.get(guild_id, {})
            wanted = {_key(body): body for body in listed if isinstance(body, dict)}
            self._count(guild_id, len(wanted.keys() - before.keys()))
            self._kept[guild_id] = {key: self._saved(guild_id, body, before.get(key)) for key, body in wanted.items()}
        return self.all(guild_id)

    def upsert(self, guild_id: str | None, body: object) -> tuple[dict[str, Any], bool]:
        """Add or replace one; returns it and whether it is new. Raises `DiscordError`."""
        check_command(body)
        definition: dict[str, Any] = body if isinstance(body, dict) else {}
        with self._lock:
            kept = self._kept.setdefault(guild_id, {})
            key = _key(definition)
            before = kept.get(key)
            if before is None:
                counts = Counter(kind for kind, _ in (*kept, key))
                check_counts(counts, guild=guild_id is not None)
                self._count(guild_id, 1)
            kept[key] = self._saved(guild_id, definition, before)
            return kept[key], before is None

    def delete(self, guild_id: str | None, command_id: str) -> None:
        """Remove one. Raises `DiscordError`."""
        with self._lock:
            command = self.get(guild_id, command_id)
            del self._kept[guild_id][_key(command)]

    def _count(self, guild_id: str | None, created: int) -> None:
        if self._created[guild_id] + created > MAX_CREATES:
            message = f"Maximum number of application command creates per day reached ({MAX_CREATES})"
            raise DiscordError(400, 30034, message)
        self._created[guild_id] += created

    def _saved(
        self, guild_id: str | None, body: Mapping[str, Any], before: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        permissions = body.get("default_member_permissions")
        kind = body.get("type") or CHAT_INPUT
        saved: dict[str, Any] = {
            "id": before["id"] if before else self._ids.next(),
            "application_id": self._application_id,
            "version": "",
            "type": kind,
            "name": body["name"],
            "name_localizations": body.get("name_localizations"),
            "description": body.get("description") or "",
            "description_localizations": body.get("description_localizations"),
            "default_member_permissions": None if permissions is None else str(int(permissions)),
            "contexts": body.get("contexts"),
            "integration_types": body.get("integration_types") or [0],
            "nsfw": bool(body.get("nsfw")),
            "dm_permission": body.get("dm_permission", True) is not False,
        }
        if guild_id is not None:
            saved["guild_id"] = guild_id
        if body.get("options"):
            saved["options"] = [_saved_option(option) for option in body["options"]]
        same = before is not None and {**before, "version": ""} == saved
        saved["version"] = before["version"] if same and before else self._ids.next()
        return saved


def _key(body: Mapping[str, Any]) -> Key:
    return body.get("type") or CHAT_INPUT, body["name"]


def _saved_option(option: Mapping[str, Any]) -> dict[str, Any]:
    """An option as Discord gives it back: without nulls, and without flags that are off."""
    saved = {
        name: value
        for name, value in option.items()
        if value is not None and not (name in _SENT_DEFAULTS and value is False)
    }
    for name in ("options", "choices"):
        if name in saved:
            saved[name] = [_saved_option(child) for child in saved[name]]
            if not saved[name]:
                del saved[name]
    return saved


def without_localizations(command: Mapping[str, Any]) -> dict[str, Any]:
    """A command as listed without `with_localizations`."""
    shown = {name: value for name, value in command.items() if name not in _LOCALIZED}
    for name in ("options", "choices"):
        if name in shown:
            shown[name] = [without_localizations(child) for child in shown[name]]
    return shown
