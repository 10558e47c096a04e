"""Which message people mean."""

from __future__ import annotations

import msgspec
import pytest

from interactions.message_links import MessagePlace, is_id, link_to, link_to_pressed, read_message
from interactions.payloads import DECODER, ComponentInteraction
from tests import interactions_made as made

MESSAGE = "777777777777777777"


def pressed(**more: object) -> ComponentInteraction:
    interaction = DECODER.decode(made.encode(made.press("up:1") | more))
    assert isinstance(interaction, ComponentInteraction)
    return interaction


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (MESSAGE, MessagePlace(MESSAGE)),
        (f"  {MESSAGE} ", MessagePlace(MESSAGE)),
        (f"55-{MESSAGE}", MessagePlace(MESSAGE, "55")),
        (f"https://discord.com/channels/1/2/{MESSAGE}", MessagePlace(MESSAGE, "2", "1")),
        (f"https://discord.com/channels/@me/2/{MESSAGE}/", MessagePlace(MESSAGE, "2", "@me")),
        (f"https://ptb.discord.com/channels/1/2/{MESSAGE}", MessagePlace(MESSAGE, "2", "1")),
        (f"https://discordapp.com/channels/1/2/{MESSAGE}", MessagePlace(MESSAGE, "2", "1")),
    ],
)
def test_messages_are_read(text: str, place: MessagePlace) -> None:
    assert read_message(text) == place


@pytest.mark.parametrize(
    "text",
    ["", "hello", "1-2-3", "https://discord.com/channels/1/2", "https://evil.com/channels/1/2/3", "1" * 21, "١٢"],
)
def test_other_texts_are_not(text: str) -> None:
    assert read_message(text) is None


def test_ids() -> None:
    assert is_id(MESSAGE)
    assert not any(map(is_id, ["", "x", "1" * 21, "1\n", "../1", "١"]))


def test_links_say_where_a_message_is() -> None:
    here = pressed()
    assert link_to(here, MessagePlace("5")) == f"https://discord.com/channels/{made.GUILD}/{made.CHANNEL}/5"
    assert link_to(here, MessagePlace("5", "4")) == f"https://discord.com/channels/{made.GUILD}/4/5"
    assert link_to(here, MessagePlace("5", "4", "3")) == "https://discord.com/channels/3/4/5"
    assert link_to_pressed(here) == f"https://discord.com/channels/{made.GUILD}/{made.CHANNEL}/{MESSAGE}"
    direct = msgspec.structs.replace(here, guild_id=None)
    assert link_to_pressed(direct) == f"https://discord.com/channels/@me/{made.CHANNEL}/{MESSAGE}"
    nowhere = msgspec.structs.replace(here, channel_id=None)
    assert link_to(nowhere, MessagePlace("5")) == ""
    assert link_to_pressed(msgspec.structs.replace(here, message=None)) == ""
