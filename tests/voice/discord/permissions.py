"""Permissions of the bot, as bits."""

from __future__ import annotations

ADMINISTRATOR = 1 << 3
VIEW_CHANNEL = 1 << 10
SEND_MESSAGES = 1 << 11
EMBED_LINKS = 1 << 14
ATTACH_FILES = 1 << 15
READ_MESSAGE_HISTORY = 1 << 16
CONNECT = 1 << 20
SPEAK = 1 << 21
MUTE_MEMBERS = 1 << 22
MOVE_MEMBERS = 1 << 24
USE_VOICE_ACTIVITY = 1 << 25

ALL_THAT_A_VOICE_BOT_NEEDS = (
    VIEW_CHANNEL
    | SEND_MESSAGES
    | EMBED_LINKS
    | ATTACH_FILES
    | READ_MESSAGE_HISTORY
    | CONNECT
    | SPEAK
    | USE_VOICE_ACTIVITY
)


def effective(granted: int, denied: int) -> int:
    """What remains in a channel. Who may not see it may do nothing there."""
    if granted & ADMINISTRATOR:
        return granted | ALL_THAT_A_VOICE_BOT_NEEDS | MUTE_MEMBERS | MOVE_MEMBERS
    left = granted & ~denied
    return left if left & VIEW_CHANNEL else 0
