"""What Discord POSTs to an application. Source: Discord's documentation, interactions/receiving-and-responding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from playground.cdn import Attachment, File
from playground.errors import Refused
from playground.options import CHANNEL, MENTIONABLE, ROLE, USER, Chosen, Definition, Value
from playground.rules_commands import ATTACHMENT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from playground.desk import Desk
    from playground.exchanges import Interaction
    from playground.messages import Message
    from playground.world import Channel, User

SELECTED: Final = {5: USER, 6: ROLE, 7: MENTIONABLE, 8: CHANNEL}
"""What the selects of a message choose from: type of the component -> type of option."""


@dataclass(frozen=True)
class Actor:
    """Who does something, and how they see Discord."""

    user: User
    manager: bool
    locale: str
    roles: tuple[str, ...] = ()


class Payloads:
    """Builds the payloads of one playground."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def envelope(self, interaction: Interaction, actor: Actor, data: Mapping[str, Any]) -> dict[str, Any]:
        """Everything around `data`."""
        place, desk = interaction.place, self._desk
        payload: dict[str, Any] = {
            "id": interaction.id,
            "application_id": desk.identity.application_id,
            "type": interaction.kind,
            "token": interaction.token,
            "version": 1,
            "channel_id": place.channel.id,
            "channel": place.channel.json(),
            "locale": actor.locale,
            "app_permissions": str(place.app_permissions),
            "entitlements": [],
            "authorizing_integration_owners": place.owners,
            "context": place.context,
            "attachment_size_limit": desk.attachment_size_limit,
            "data": dict(data),
        }
        guild = place.channel.guild
        if guild is None:
            payload["user"] = actor.user.json()
        else:
            payload["guild_id"] = guild.id
            payload["guild"] = {"id": guild.id, "locale": "en-US", "features": []}
            payload["guild_locale"] = "en-US"
            payload["member"] = self._member(actor, interaction)
        if interaction.source is not None:
            payload["message"] = interaction.source.json()
        return payload

    def permissions(self, actor: Actor, channel: Channel) -> int | None:
        """What the person may do here; None outside of servers."""
        if channel.guild is None:
            return None
        return self._desk.world.permissions(actor.user, channel.guild, manager=actor.manager)

    def _member(self, actor: Actor, interaction: Interaction) -> dict[str, Any]:
        channel = interaction.place.channel
        if channel.guild is None:
            raise ValueError("there are members only in servers")
        member = self._desk.world.member(actor.user, channel.guild, manager=actor.manager, roles=actor.roles)
        return {**member, "permissions": str(self.permissions(actor, channel))}

    def command(
        self,
        chosen: Chosen,
        values: Sequence[tuple[Definition, Value]],
        interaction: Interaction,
        *,
        focused: str = "",
    ) -> dict[str, Any]:
        """`data` of a slash command, or of an autocomplete where one option has the focus."""
        resolved: dict[str, dict[str, Any]] = {}
        options = []
        for definition, value in values:
            sent = {"name": definition["name"], "type": definition["type"]}
            sent["value"] = self._resolve(definition, value, interaction, resolved)
            if definition["name"] == focused:
                sent |= {"focused": True, "value": str(value)}
            options.append(sent)
        for owner in reversed(chosen.path):
            options = [{"name": owner["name"], "type": owner["type"], "options": options}]
        data = self._named(chosen.command)
        if options:
            data["options"] = options
        if resolved:
            data["resolved"] = resolved
        return data

    def message_command(self, chosen: Chosen, message: Message) -> dict[str, Any]:
        """`data` of a command on a message."""
        resolved = {"messages": {message.id: message.json()}}
        return self._named(chosen.command) | {"target_id": message.id, "resolved": resolved}

    @staticmethod
    def _named(command: Definition) -> dict[str, Any]:
        data = {"id": command["id"], "name": command["name"], "type": command["type"]}
        if "guild_id" in command:
            data["guild_id"] = command["guild_id"]
        return data

    def upload(self, file: File, interaction: Interaction, resolved: dict[str, dict[str, Any]]) -> str:
        """Keep a file that comes with an interaction; returns its id."""
        kept: Attachment = self._desk.cdn.add(
            self._desk.ids.next(), interaction.place.channel.id, file, ephemeral=True
        )
        resolved.setdefault("attachments", {})[kept.id] = kept.json()
        return kept.id

    def _resolve(
        self, definition: Definition, value: Value, interaction: Interaction, resolved: dict[str, dict[str, Any]]
    ) -> Value:
        if isinstance(value, File):
            return self.upload(value, interaction, resolved)
        if definition["type"] in {USER, MENTIONABLE, CHANNEL, ROLE} and isinstance(value, str):
            return self.mention(definition["type"], value, interaction, resolved)
        if definition["type"] == ATTACHMENT:
            raise Refused(f"{definition['name']} takes a file")
        return value

    def mention(self, kind: int, name: str, interaction: Interaction, resolved: dict[str, dict[str, Any]]) -> str:
        """The id of the user, role or channel of this name or id, shown in `resolved`. Raises `Refused`."""
        world, guild = self._desk.world, interaction.place.channel.guild
        if kind == CHANNEL:
            found = [channel for channel in world.channels() if name in {channel.id, channel.name}]
            if not found:
                raise Refused(f"there is no channel {name!r}")
            resolved.setdefault("channels", {})[found[0].id] = {**found[0].json(), "permissions": "0"}
            return found[0].id
        if kind == ROLE:
            role = world.role(name)
            resolved.setdefault("roles", {})[role.id] = role.json()
            return role.id
        user = world.user_by_id(name) or world.user(name)
        resolved.setdefault("users", {})[user.id] = user.json()
        if guild is not None:
            member = world.member(user, guild, manager=False)
            shown = {key: value for key, value in member.items() if key not in {"user", "deaf", "mute"}}
            shown["permissions"] = str(world.permissions(user, guild, manager=False))
            resolved.setdefault("members", {})[user.id] = shown
        return user.id
