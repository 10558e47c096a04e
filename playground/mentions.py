"""Whom a message pings. Pure.

Source: Discord's documentation, resources/message, "Allowed Mentions Object": without `allowed_mentions`, everything
in the text pings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_USER: Final = re.compile(r"<@!?([0-9]{1,20})>")
_ROLE: Final = re.compile(r"<@&([0-9]{1,20})>")
_EVERYONE: Final = re.compile(r"@(?:everyone|here)")


@dataclass(frozen=True)
class Pinged:
    """Who is notified."""

    users: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    everyone: bool = False

    def __bool__(self) -> bool:
        return bool(self.users or self.roles or self.everyone)

    def __or__(self, other: Pinged) -> Pinged:
        return Pinged(
            tuple(dict.fromkeys((*self.users, *other.users))),
            tuple(dict.fromkeys((*self.roles, *other.roles))),
            self.everyone or other.everyone,
        )


def pinged(text: str, allowed: Mapping[str, Any] | None) -> Pinged:
    """Whom this text notifies under these `allowed_mentions`."""
    users = tuple(dict.fromkeys(_USER.findall(text)))
    roles = tuple(dict.fromkeys(_ROLE.findall(text)))
    everyone = _EVERYONE.search(text) is not None
    if allowed is None:
        return Pinged(users, roles, everyone)
    parse = allowed.get("parse") or ()
    return Pinged(
        users if "users" in parse else _only(users, allowed.get("users")),
        roles if "roles" in parse else _only(roles, allowed.get("roles")),
        everyone and "everyone" in parse,
    )


def _only(mentioned: tuple[str, ...], listed: object) -> tuple[str, ...]:
    named = {str(one) for one in listed} if isinstance(listed, list) else set()
    return tuple(one for one in mentioned if one in named)
