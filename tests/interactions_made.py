"""Interactions as Discord sends them, for tests that need no server: payloads after Discord's documentation."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

from nacl.signing import SigningKey

KEY = SigningKey(bytes(range(32)))
APPLICATION = "111111111111111111"
GUILD = "222222222222222222"
CHANNEL = "333333333333333333"
ADA = "444444444444444444"
BOB = "555555555555555555"
MANAGE_GUILD = str(1 << 5)
_count = itertools.count(1)

Json = dict[str, Any]


def snowflake() -> str:
    """A fresh id of now."""
    return str((int(time.time() * 1000) - 1420070400000 << 22) + next(_count))


def user(user_id: str = ADA, name: str = "Ada") -> Json:
    return {"id": user_id, "username": name.lower(), "global_name": name, "discriminator": "0", "avatar": None}


def base(kind: int, data: Json, *, manager: bool = True, user_id: str = ADA, **more: Any) -> Json:
    """An interaction in a server that has the bot."""
    return {
        "id": snowflake(),
        "application_id": APPLICATION,
        "type": kind,
        "token": f"aW50ZXJhY3Rpb24-{next(_count)}",
        "version": 1,
        "guild_id": GUILD,
        "channel_id": CHANNEL,
        "channel": {"id": CHANNEL, "type": 0, "guild_id": GUILD},
        "member": {
            "user": user(user_id),
            "roles": [],
            "permissions": MANAGE_GUILD if manager else "0",
            "joined_at": "2026-01-01T00:00:00+00:00",
            "deaf": False,
            "mute": False,
        },
        "app_permissions": "442368",
        "locale": "en-US",
        "guild_locale": "en-US",
        "context": 0,
        "authorizing_integration_owners": {"0": GUILD},
        "entitlements": [],
        "attachment_size_limit": 10485760,
        "data": data,
    } | more


def slash(name: str, options: Json | None = None, **more: Any) -> Json:
    """A slash command; options are given by name."""
    kinds = {str: 3, int: 4, bool: 5}
    filled = [{"name": key, "type": kinds[type(value)], "value": value} for key, value in (options or {}).items()]
    return base(2, {"id": snowflake(), "name": name, "type": 1, "options": filled}, **more)


def direct(interaction: Json, user_id: str = ADA) -> Json:
    """The same in a direct message with the bot."""
    changed = {**interaction, "context": 1, "user": user(user_id), "authorizing_integration_owners": {"0": "0"}}
    for key in ("guild_id", "member", "guild_locale"):
        changed.pop(key)
    return changed


def message(message_id: str = "777777777777777777", **more: Any) -> Json:
    """A message of the bot's own."""
    return {
        "id": message_id,
        "channel_id": CHANNEL,
        "content": "An answer",
        "author": user(APPLICATION, "Trainger") | {"bot": True},
        "application_id": APPLICATION,
        "interaction_metadata": {"id": snowflake(), "type": 2, "user": user(), "authorizing_integration_owners": {}},
        "attachments": [],
        "embeds": [],
        "type": 20,
    } | more


def menu(name: str, target: Json, **more: Any) -> Json:
    """A command of a message's menu."""
    resolved = {"messages": {target["id"]: target}}
    return base(
        2, {"id": snowflake(), "name": name, "type": 3, "target_id": target["id"], "resolved": resolved}, **more
    )


def press(custom_id: str, **more: Any) -> Json:
    """A button press."""
    return base(3, {"custom_id": custom_id, "component_type": 2}, message=message(), **more)


def submit(custom_id: str, texts: Json, **more: Any) -> Json:
    """A submitted modal; its fields are given by custom id."""
    fields = [
        {"type": 18, "id": n, "component": {"type": 4, "id": n + 100, "custom_id": key, "value": value}}
        for n, (key, value) in enumerate(texts.items())
    ]
    return base(5, {"custom_id": custom_id, "components": fields}, **more)


def typing(name: str, option: str, typed: str, **more: Any) -> Json:
    """A slash command whose option is being typed."""
    options = [{"name": option, "type": 3, "value": typed, "focused": True}]
    return base(4, {"id": snowflake(), "name": name, "type": 1, "options": options}, **more)


def signed(body: bytes, timestamp: str = "1700000000") -> tuple[bytes, str, str]:
    """Body, signature and timestamp, as `core.receive` takes them."""
    return body, KEY.sign(timestamp.encode() + body).signature.hex(), timestamp


def encode(interaction: Json) -> bytes:
    return json.dumps(interaction, ensure_ascii=False).encode()
