"""An emulator of Discord for voice bots: gateway, voice, and people with Discord's own end-to-end encryption."""

from __future__ import annotations

from tests.voice.discord.channels import Channel, VoiceChannel, VoiceState
from tests.voice.discord.emulator import Discord
from tests.voice.discord.guild import Guild
from tests.voice.discord.human import Heard, Human, decode, encode
from tests.voice.discord.rules import AES, XCHACHA, Committer, Network, Rules
from tests.voice.discord.voice_session import VoiceSession
from tests.voice.discord.waiting import TookTooLong, until

__all__ = [
    "AES",
    "XCHACHA",
    "Channel",
    "Committer",
    "Discord",
    "Guild",
    "Heard",
    "Human",
    "Network",
    "Rules",
    "TookTooLong",
    "VoiceChannel",
    "VoiceSession",
    "VoiceState",
    "decode",
    "encode",
    "until",
]
