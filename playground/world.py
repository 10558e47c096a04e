"""The little world of the playground: a server with its channels and roles, people, and places to act in.

Everything is named, and its id follows from the name, so ids stay the same over restarts.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from playground import permissions
from playground.snowflakes import named

OWNER: Final = "Ada"
BOT: Final = "Trainger"

Where = Literal["guild", "dm", "private", "elsewhere"]
"""A server's channel; the bot's DM; a private channel without the bot; another server, without the bot.

In the last two the application is installed to the person only.
"""

GUILD_TEXT: Final = 0
DM: Final = 1
GUILD_VOICE: Final = 2
GROUP_DM: Final = 3
_JOINED: Final = "2020-01-01T00:00:00+00:00"


@dataclass(frozen=True)
class User:
    """Somebody on Discord."""

    id: str
    name: str
    bot: bool = False

    def json(self) -> dict[str, Any]:
        """As Discord shows a user."""
        return {
            "id": self.id,
            "username": self.name.lower().replace(" ", "_"),
            "global_name": None if self.bot else self.name,
            "discriminator": "0",
            "avatar": None,
            "avatar_decoration_data": None,
            "banner": None,
            "accent_color": None,
            "collectibles": None,
            "clan": None,
            "primary_guild": None,
            "flags": 0,
            "public_flags": 0,
            **({"bot": True} if self.bot else {}),
        }


@dataclass(frozen=True)
class Role:
    """A role of a server."""

    id: str
    name: str
    permissions: int

    def json(self) -> dict[str, Any]:
        """As Discord shows a role."""
        return {
            "id": self.id,
            "name": self.name,
            "permissions": str(self.permissions),
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "icon": None,
            "unicode_emoji": None,
            "position": 0,
            "managed": False,
            "mentionable": False,
            "flags": 0,
        }


@dataclass
class Guild:
    """A server."""

    id: str
    name: str
    owner: User
    roles: dict[str, Role] = field(default_factory=dict)


@dataclass(frozen=True)
class Channel:
    """A place where messages are."""

    id: str
    name: str
    kind: int
    guild: Guild | None
    has_bot: bool
    """Whether the bot may read and write here with its token."""
    recipient: User | None = None

    def json(self) -> dict[str, Any]:
        """As an interaction's payload shows a channel."""
        shown: dict[str, Any] = {"id": self.id, "type": self.kind, "flags": 0, "last_message_id": None}
        if self.guild:
            shown |= {"guild_id": self.guild.id, "name": self.name, "parent_id": None, "position": 0}
            shown |= {"nsfw": False, "topic": None, "rate_limit_per_user": 0}
        else:
            shown["recipients"] = [self.recipient.json()] if self.recipient else []
        return shown


@dataclass(frozen=True)
class Place:
    """Where an interaction happens."""

    where: Where
    context: int
    channel: Channel
    owners: dict[str, str]
    """`authorizing_integration_owners`."""
    app_permissions: int

    @property
    def user_install_only(self) -> bool:
        """Whether the application is not installed here, only to the person."""
        return "0" not in self.owners


class World:
    """All of it. Safe to use from several threads."""

    def __init__(self, application_id: str) -> None:
        self._lock = threading.Lock()
        self._users: dict[str, User] = {}
        self.bot = User(application_id, BOT, bot=True)
        self.owner = self.user(OWNER)
        self.guild = self._guild("Playground", self.owner)
        self.foreign_guild = self._guild("Elsewhere", self.user("Zoe"))
        self.text_channel = Channel(named("channel", "general"), "general", GUILD_TEXT, self.guild, has_bot=True)
        self.voice_channel = Channel(named("channel", "Voice"), "Voice", GUILD_VOICE, self.guild, has_bot=True)
        self.foreign_channel = Channel(
            named("channel", "elsewhere"), "elsewhere", GUILD_TEXT, self.foreign_guild, has_bot=False
        )
        self.managers = self.role("Managers", permissions.MANAGE_GUILD)
        first = (self.text_channel, self.voice_channel, self.foreign_channel)
        self._channels = {channel.id: channel for channel in first}
        self._voice: dict[str, Channel] = {}

    @staticmethod
    def _guild(name: str, owner: User) -> Guild:
        guild = Guild(named("guild", name), name, owner)
        guild.roles["@everyone"] = Role(guild.id, "@everyone", permissions.MEMBER)
        return guild

    def user(self, name: str) -> User:
        """The person of this name, who exists from now on."""
        with self._lock:
            return self._users.setdefault(name, User(named("user", name), name))

    def user_by_id(self, user_id: str) -> User | None:
        """The person or bot with this id, if there is one."""
        if user_id == self.bot.id:
            return self.bot
        with self._lock:
            return next((user for user in self._users.values() if user.id == user_id), None)

    def role(self, name: str, bits: int = 0) -> Role:
        """The server's role of this name, which exists from now on."""
        with self._lock:
            return self.guild.roles.setdefault(name, Role(named("role", name), name, bits))

    def channel(self, channel_id: str) -> Channel | None:
        """The channel with this id, if there is one."""
        with self._lock:
            return self._channels.get(channel_id)

    def channels(self) -> list[Channel]:
        """All channels there are so far."""
        with self._lock:
            return list(self._channels.values())

    def place(self, where: Where, user: User, channel: Channel | None = None) -> Place:
        """Where this person is, for an interaction."""
        if where == "guild":
            return Place(where, 0, channel or self.text_channel, {"0": self.guild.id}, permissions.BOT)
        if where == "elsewhere":
            return Place(where, 0, channel or self.foreign_channel, {"1": user.id}, permissions.MEMBER)
        made = self._direct(user) if where == "dm" else self._private(user)
        if where == "dm":
            return Place(where, 1, made, {"0": "0"}, permissions.BOT)
        return Place(where, 2, made, {"1": user.id}, permissions.MEMBER)

    def _direct(self, user: User) -> Channel:
        made = Channel(named("dm", user.name), "", DM, None, has_bot=True, recipient=user)
        with self._lock:
            return self._channels.setdefault(made.id, made)

    def _private(self, user: User) -> Channel:
        made = Channel(named("private", user.name), "", GROUP_DM, None, has_bot=False, recipient=user)
        with self._lock:
            return self._channels.setdefault(made.id, made)

    def permissions(self, user: User, guild: Guild, *, manager: bool) -> int:
        """What this person may do in a server."""
        if user == guild.owner:
            return permissions.OWNER
        return permissions.MANAGER if manager else permissions.MEMBER

    def member(self, user: User, guild: Guild, *, manager: bool, roles: tuple[str, ...] = ()) -> dict[str, Any]:
        """As Discord shows a member of a server, but for `permissions`."""
        ids = [self.role(name).id for name in roles] if guild is self.guild else []
        if manager and guild is self.guild and self.managers.id not in ids:
            ids.append(self.managers.id)
        return {
            "user": user.json(),
            "nick": None,
            "avatar": None,
            "banner": None,
            "roles": ids,
            "joined_at": _JOINED,
            "premium_since": None,
            "deaf": False,
            "mute": False,
            "flags": 0,
            "pending": False,
            "communication_disabled_until": None,
            "avatar_decoration_data": None,
            "collectibles": None,
        }

    def join_voice(self, name: str, channel: Channel | None = None) -> None:
        """The person of this name is in a voice channel from now on."""
        user = self.bot if name == BOT else self.user(name)
        with self._lock:
            self._voice[user.id] = channel or self.voice_channel

    def leave_voice(self, name: str) -> None:
        """The person of this name is in no voice channel any more."""
        user = self.bot if name == BOT else self.user(name)
        with self._lock:
            self._voice.pop(user.id, None)

    def voice_channel_of(self, user_id: str) -> Channel | None:
        """The voice channel that this person is in."""
        with self._lock:
            return self._voice.get(user_id)
