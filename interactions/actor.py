"""Who acts in which scope, from an interaction. Pure."""

from __future__ import annotations

from typing import Final

from interactions.payloads import ADMINISTRATOR, MANAGE_GUILD, Interaction
from trainer.scope import Actor, Scope

GUILD_INSTALL: Final = "0"
USER_INSTALL: Final = "1"


def actor_of(interaction: Interaction) -> Actor | None:
    """Who acts where; None if Discord named nobody.

    The scope is the server when the bot is installed there. In direct messages, and where only the person has
    installed the bot, it is the person's own, and the person is its manager. Permissions are Discord's computed ones
    of the member in the channel, whatever the command's registration says.
    """
    person = interaction.person()
    if person is None:
        return None
    guild_id = _installed_guild(interaction)
    if guild_id is None:
        return Actor(Scope("user", person.id), person.id, is_manager=True)
    member = interaction.member
    granted = int(member.permissions) if member is not None else 0
    is_manager = bool(granted & (MANAGE_GUILD | ADMINISTRATOR))
    roles = tuple(member.roles) if member is not None else ()
    return Actor(Scope("guild", guild_id), person.id, is_manager, roles)


def has_installed(interaction: Interaction) -> bool:
    """Whether who acts has installed the bot for themselves, wherever they use it now."""
    person = interaction.person()
    return person is not None and interaction.authorizing_integration_owners.get(USER_INSTALL) == person.id


def _installed_guild(interaction: Interaction) -> str | None:
    """The server that the bot is installed to, if the interaction comes from one."""
    if interaction.guild_id is None:
        return None
    owners = interaction.authorizing_integration_owners
    if owners and owners.get(GUILD_INSTALL, "0") == "0":
        return None
    return interaction.guild_id
