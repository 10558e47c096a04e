"""Servers: who is in which voice channel, and where its voice server is."""

from __future__ import annotations

import dataclasses
import secrets
from typing import TYPE_CHECKING, Any, TypeVar

from tests.voice.discord import payloads, permissions
from tests.voice.discord.channels import Channel, VoiceChannel, VoiceState
from tests.voice.discord.human import Human
from tests.voice.discord.waiting import until

if TYPE_CHECKING:
    from tests.voice.discord.emulator import Discord
    from tests.voice.discord.voice_server import VoiceServer
    from tests.voice.discord.voice_session import VoiceSession

AnyChannel = TypeVar("AnyChannel", bound=Channel)


class Guild:
    """Made by `Discord.add_guild`.

    Attributes:
        voice: The bot's voice connection, the last if there were several; it may be over.
        voices: All that there were.
    """

    def __init__(self, discord: Discord, guild_id: int, name: str) -> None:
        self.discord = discord
        self.id = guild_id
        self.name = name
        self.locale = "en-US"
        self.owner_id = discord.new_id()
        self.role_id = discord.new_id()
        self.bot_nick: str | None = None
        self.bot_permissions = permissions.ALL_THAT_A_VOICE_BOT_NEEDS
        self.channels: dict[int, Channel] = {}
        self.humans: dict[int, Human] = {}
        self.voice_states: dict[int, VoiceState] = {}
        self.voice_token = ""
        self.voice: VoiceSession | None = None
        self.voices: list[VoiceSession] = []
        self._server = 0

    # What is in it

    def add_text_channel(self, name: str = "general") -> Channel:
        return self._add(Channel(self, self.discord.new_id(), name))

    def add_voice_channel(self, name: str = "Voice", *, stage: bool = False, user_limit: int = 0) -> VoiceChannel:
        return self._add(VoiceChannel(self, self.discord.new_id(), name, stage=stage, user_limit=user_limit))

    def _add(self, channel: AnyChannel) -> AnyChannel:
        channel.position = len(self.channels)
        self.channels[channel.id] = channel
        self.discord.channels[channel.id] = channel
        self.dispatch("CHANNEL_CREATE", channel.payload() | {"guild_id": str(self.id)})
        return channel

    def add_human(self, user_id: int, name: str) -> Human:
        human = Human(self, user_id, name)
        self.humans[user_id] = human
        return human

    def set_bot_permissions(self, granted: int) -> None:
        self.bot_permissions = granted
        role = payloads.role(self.role_id, self.discord.bot_name, granted, position=1)
        self.dispatch("GUILD_ROLE_UPDATE", {"guild_id": str(self.id), "role": role})

    def delete(self) -> None:
        """The bot is removed from the server."""
        if self.voice is not None:
            self.voice.close(4014)
        self.voice_states.pop(self.discord.bot_id, None)
        self.discord.guilds.pop(self.id)
        self.dispatch("GUILD_DELETE", {"id": str(self.id)})

    def fail(self) -> None:
        """The server becomes unavailable, as in an outage of Discord."""
        self.dispatch("GUILD_DELETE", {"id": str(self.id), "unavailable": True})

    def recover(self) -> None:
        self.dispatch("GUILD_CREATE", payloads.guild_create(self))

    def dispatch(self, event: str, data: dict[str, Any]) -> None:
        """To the shard that the server is of."""
        self.discord.gateway.dispatch(self.id, event, data)

    # Who is where

    @property
    def bot_state(self) -> VoiceState | None:
        """Where the bot is; None if it is nowhere."""
        return self.voice_states.get(self.discord.bot_id)

    @property
    def bot_channel(self) -> VoiceChannel | None:
        state = self.bot_state
        return None if state is None else self.channel_of(state)

    def channel_of(self, state: VoiceState) -> VoiceChannel:
        channel = self.channels[state.channel_id] if state.channel_id is not None else None
        assert isinstance(channel, VoiceChannel)
        return channel

    def place(self, user_id: int, channel: VoiceChannel | None, session_id: str | None = None) -> None:
        """Puts somebody into a channel as far as voice states go, or out of all."""
        old = self.voice_states.get(user_id)
        if channel is None:
            if old is not None:
                del self.voice_states[user_id]
                self._tell(dataclasses.replace(old, channel_id=None))
            return
        state = old or VoiceState(user_id, channel.id, session_id or secrets.token_hex(16))
        state = dataclasses.replace(state, channel_id=channel.id, session_id=session_id or state.session_id)
        state.suppress = channel.stage or (
            user_id == self.discord.bot_id and not channel.permissions() & permissions.SPEAK
        )
        self.voice_states[user_id] = state
        self._tell(state)

    def change_voice_state(self, user_id: int, **changes: Any) -> None:
        """Mutes or deafens somebody, or lets them speak on a stage."""
        state = dataclasses.replace(self.voice_states[user_id], **changes)
        self.voice_states[user_id] = state
        self._tell(state)

    def _tell(self, state: VoiceState) -> None:
        self.dispatch("VOICE_STATE_UPDATE", payloads.voice_state(self, state))

    # The bot's voice connection

    @property
    def voice_server(self) -> VoiceServer:
        return self.discord.voice_servers[self._server]

    def bot_asks(self, session_id: str, channel_id: int | None, *, self_mute: bool, self_deaf: bool) -> None:
        """Op 4 of the gateway. What is not allowed is not answered at all."""
        state = self.bot_state
        if channel_id is None:
            if state is not None:
                self._end_voice(1000)
                self.place(self.discord.bot_id, None)
            return
        channel = self.channels.get(channel_id)
        if not isinstance(channel, VoiceChannel) or not self._may_enter(channel):
            return
        if state is not None and (state.channel_id, state.session_id) == (channel_id, session_id):
            if (state.self_mute, state.self_deaf) != (self_mute, self_deaf):
                self.change_voice_state(state.user_id, self_mute=self_mute, self_deaf=self_deaf)
            return
        new = state or VoiceState(self.discord.bot_id, channel_id, session_id)
        new = dataclasses.replace(new, self_mute=self_mute, self_deaf=self_deaf)
        self.voice_states[self.discord.bot_id] = new
        self._send_bot_to(channel, session_id)

    def _may_enter(self, channel: VoiceChannel) -> bool:
        allowed = channel.permissions()
        if not allowed & permissions.CONNECT:
            return False
        others = [user_id for user_id in channel.members() if user_id != self.discord.bot_id]
        full = channel.user_limit and len(others) >= channel.user_limit
        return not full or bool(allowed & permissions.MOVE_MEMBERS)

    def _send_bot_to(self, channel: VoiceChannel, session_id: str | None = None) -> None:
        if self.discord.rules.close_before_server:
            self._end_voice(4014)
        self.place(self.discord.bot_id, channel, session_id)
        self._announce_server()
        self._end_voice(4014, of=channel)

    def _announce_server(self) -> None:
        self.voice_token = secrets.token_hex(8)
        endpoint = self.voice_server.endpoint
        data = {"guild_id": str(self.id), "token": self.voice_token, "endpoint": endpoint}
        self.dispatch("VOICE_SERVER_UPDATE", data)

    def _end_voice(self, code: int, of: VoiceChannel | None = None) -> None:
        if self.voice is not None and not self.voice.over and self.voice.channel is not of:
            self.voice.close(code)

    def kick_bot(self) -> None:
        """Disconnects the bot from voice, as a moderator can."""
        self._end_voice(4014)
        self.place(self.discord.bot_id, None)

    def move_bot(self, channel: VoiceChannel) -> None:
        """Drags the bot into another channel, as a moderator can."""
        self._send_bot_to(channel)

    def change_voice_server(self, *, awaited: bool = False) -> None:
        """Another voice server takes over.

        Args:
            awaited: The old one is gone before the new one is known: at first the endpoint is null. Call again.
        """
        if awaited:
            data = {"guild_id": str(self.id), "token": self.voice_token, "endpoint": None}
            self.dispatch("VOICE_SERVER_UPDATE", data)
            self._end_voice(4014)
            return
        self._server = (self._server + 1) % len(self.discord.voice_servers)
        self._announce_server()

    def close_voice(self, code: int) -> None:
        """Closes the bot's voice websocket. 1006 breaks the connection."""
        assert self.voice is not None, "the bot has no voice connection"
        self.voice.close(code)

    async def bot_in(self, channel: VoiceChannel, *, within: float = 10.0) -> VoiceSession:
        """Waits until the bot's voice connection to a channel is there, and has the keys of its group."""
        await until(lambda: self._connected(channel), f"the bot is in {channel.name}", within=within)
        assert self.voice is not None
        return self.voice

    def _connected(self, channel: VoiceChannel) -> bool:
        return self.voice is not None and self.voice.channel is channel and self.voice.ready
