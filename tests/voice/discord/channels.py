"""Channels, and who is in them how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.voice.discord import permissions
from tests.voice.discord.calls import Call

if TYPE_CHECKING:
    from tests.voice.discord.guild import Guild

TEXT, VOICE, STAGE = 0, 2, 13


@dataclass
class VoiceState:
    """Where somebody is, and how."""

    user_id: int
    channel_id: int | None
    session_id: str
    self_mute: bool = False
    self_deaf: bool = False
    mute: bool = False
    deaf: bool = False
    suppress: bool = False


class Channel:
    """A channel of text; people write into voice channels too."""

    def __init__(self, guild: Guild, channel_id: int, name: str, kind: int = TEXT) -> None:
        self.guild = guild
        self.id = channel_id
        self.name = name
        self.kind = kind
        self.position = 0
        self.bot_denied = 0
        """Permissions that the bot lacks here though it has them in the server."""

    def permissions(self) -> int:
        """The bot's here."""
        return permissions.effective(self.guild.bot_permissions, self.bot_denied)

    def deny(self, denied: int) -> None:
        """Takes permissions from the bot, in this channel."""
        self.bot_denied = denied
        self.guild.dispatch("CHANNEL_UPDATE", self.payload() | {"guild_id": str(self.guild.id)})

    def delete(self) -> None:
        self.guild.discord.channels.pop(self.id)
        del self.guild.channels[self.id]
        self.guild.dispatch("CHANNEL_DELETE", self.payload() | {"guild_id": str(self.guild.id)})

    def payload(self) -> dict[str, Any]:
        overwrites = []
        if self.bot_denied:
            denied = {"id": str(self.guild.discord.bot_id), "type": 1, "allow": "0", "deny": str(self.bot_denied)}
            overwrites.append(denied)
        return {
            "id": str(self.id),
            "type": self.kind,
            "name": self.name,
            "position": self.position,
            "permission_overwrites": overwrites,
            "parent_id": None,
            "nsfw": False,
            "rate_limit_per_user": 0,
            "last_message_id": None,
            "flags": 0,
        }


class VoiceChannel(Channel):
    """A voice channel, or a stage channel."""

    def __init__(self, guild: Guild, channel_id: int, name: str, *, stage: bool, user_limit: int) -> None:
        super().__init__(guild, channel_id, name, STAGE if stage else VOICE)
        self.stage = stage
        self.user_limit = user_limit
        self.call = Call(channel_id, guild.discord.rules, self._complain, 0 if stage else 1)

    def _complain(self, what: str) -> None:
        self.guild.discord.complain(f"call in {self.name}: {what}")

    def members(self) -> list[int]:
        """Who is in it by the voice states."""
        return [state.user_id for state in self.guild.voice_states.values() if state.channel_id == self.id]

    def delete(self) -> None:
        """Everybody is put out of it."""
        guild = self.guild
        if guild.voice is not None and guild.voice.channel is self:
            guild.voice.close(4022)
        for human in guild.humans.values():
            if human.channel is self:
                human._leave_call()
        for user_id in self.members():
            guild.place(user_id, None)
        super().delete()
        self.call.close()

    def payload(self) -> dict[str, Any]:
        more = {"bitrate": 64_000, "user_limit": self.user_limit, "rtc_region": None, "video_quality_mode": 1}
        return super().payload() | more
