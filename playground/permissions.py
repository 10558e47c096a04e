"""Discord's permissions, as bits. Source: Discord's documentation, topics/permissions."""

from __future__ import annotations

from typing import Final

ADMINISTRATOR: Final = 1 << 3
MANAGE_GUILD: Final = 1 << 5
ADD_REACTIONS: Final = 1 << 6
VIEW_CHANNEL: Final = 1 << 10
SEND_MESSAGES: Final = 1 << 11
MANAGE_MESSAGES: Final = 1 << 13
EMBED_LINKS: Final = 1 << 14
ATTACH_FILES: Final = 1 << 15
READ_MESSAGE_HISTORY: Final = 1 << 16
MENTION_EVERYONE: Final = 1 << 17
CONNECT: Final = 1 << 20
SPEAK: Final = 1 << 21
USE_VAD: Final = 1 << 25
USE_APPLICATION_COMMANDS: Final = 1 << 31
SEND_VOICE_MESSAGES: Final = 1 << 46
USE_EXTERNAL_APPS: Final = 1 << 50

MEMBER: Final = (
    ADD_REACTIONS
    | VIEW_CHANNEL
    | SEND_MESSAGES
    | EMBED_LINKS
    | ATTACH_FILES
    | READ_MESSAGE_HISTORY
    | CONNECT
    | SPEAK
    | USE_VAD
    | USE_APPLICATION_COMMANDS
    | SEND_VOICE_MESSAGES
    | USE_EXTERNAL_APPS
)
MANAGER: Final = MEMBER | MANAGE_GUILD | MANAGE_MESSAGES
OWNER: Final = MANAGER | ADMINISTRATOR | MENTION_EVERYONE
BOT: Final = MEMBER | MENTION_EVERYONE


def allows(permissions: int, needed: int) -> bool:
    """Whether somebody with these permissions has all that are needed; an administrator has every one."""
    return bool(permissions & ADMINISTRATOR) or permissions & needed == needed
