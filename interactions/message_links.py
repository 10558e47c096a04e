"""Which message people mean, and links to messages. Pure.

Source: https://discord.com/developers/docs/reference#message-formatting, and what Discord's client copies.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from interactions.payloads import Interaction

DIRECT: Final = "@me"
"""Stands for the server in links to direct messages."""
_ID: Final = re.compile(r"[0-9]{1,20}")
_WRITTEN: Final = re.compile(
    r"(?:https://(?:\w+\.)?discord(?:app)?\.com/channels/(?P<guild>[0-9]{1,20}|@me)/(?P<in>[0-9]{1,20})/"
    r"|(?P<channel>[0-9]{1,20})-)?(?P<message>[0-9]{1,20})/?"
)
"""A message's id, alone, as "Copy message link" gives it, or as shift-click on "Copy message ID" does."""


class MessagePlace(NamedTuple):
    """A message, and where it is as far as that is known."""

    message_id: str
    channel_id: str = ""
    guild_id: str = ""


def is_id(text: str) -> bool:
    """Whether this is an id: what stands in custom ids may be forged."""
    return _ID.fullmatch(text) is not None


def read_message(text: str) -> MessagePlace | None:
    """The message that somebody names by its id or link; None for anything else."""
    match = _WRITTEN.fullmatch(text.strip())
    if match is None:
        return None
    return MessagePlace(match["message"], match["in"] or match["channel"] or "", match["guild"] or "")


def link_to(interaction: Interaction, place: MessagePlace) -> str:
    """A link to a message; what is not known of its place is taken from where the interaction is."""
    guild = place.guild_id or interaction.guild_id or DIRECT
    channel = place.channel_id or interaction.channel_id
    return f"https://discord.com/channels/{guild}/{channel}/{place.message_id}" if channel else ""


def link_to_pressed(interaction: Interaction) -> str:
    """A link to the message whose button was pressed; empty if Discord did not say which."""
    message = interaction.message
    if message is None:
        return ""
    return link_to(interaction, MessagePlace(message.id, message.channel_id or ""))
