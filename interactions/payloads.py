"""What Discord POSTs to us, typed. Unknown keys are ignored: Discord adds some every month.

Source: https://discord.com/developers/docs/interactions/receiving-and-responding
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

Snowflake = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,20}\Z")]
"""An id: a decimal number of 64 bits as text, ordered by time."""

ADMINISTRATOR: Final = 1 << 3
MANAGE_GUILD: Final = 1 << 5

GUILD_CONTEXT: Final = 0
BOT_DM_CONTEXT: Final = 1
PRIVATE_CHANNEL_CONTEXT: Final = 2


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all payload parts."""


class User(Part, frozen=True, kw_only=True):
    """Who did something."""

    id: Snowflake
    username: str = ""
    global_name: str | None = None
    bot: bool = False


class Member(Part, frozen=True, kw_only=True):
    """A user in a server, with the permissions that hold in the channel."""

    user: User
    permissions: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,40}\Z")] = "0"
    roles: list[Snowflake] = []
    nick: str | None = None


class Attachment(Part, frozen=True, kw_only=True):
    """A file that somebody attached. Nothing in here is believed but the id."""

    id: Snowflake
    filename: str
    size: int
    url: str
    content_type: str | None = None


class InteractionMetadata(Part, frozen=True, kw_only=True):
    """Which interaction a message answers."""

    id: Snowflake


class Forwarded(Part, frozen=True, kw_only=True):
    """What was forwarded, as it was then."""

    attachments: list[Attachment] = []


class Snapshot(Part, frozen=True, kw_only=True):
    """A message that another one forwards."""

    message: Forwarded = Forwarded()


class Message(Part, frozen=True, kw_only=True):
    """A message that a command or a button refers to."""

    id: Snowflake
    channel_id: Snowflake | None = None
    content: str = ""
    flags: int = 0
    author: User | None = None
    application_id: Snowflake | None = None
    interaction_metadata: InteractionMetadata | None = None
    attachments: list[Attachment] = []
    message_snapshots: list[Snapshot] = []


class Resolved(Part, frozen=True, kw_only=True):
    """The objects whose ids appear in options and modal fields."""

    attachments: dict[Snowflake, Attachment] = {}
    messages: dict[Snowflake, Message] = {}


class OptionValue(Part, frozen=True, kw_only=True):
    """One option that was filled in; a subcommand holds options of its own."""

    name: str
    type: int
    value: str | int | float | bool | None = None
    options: list[OptionValue] = []
    focused: bool = False


class SlashData(Part, frozen=True, kw_only=True, tag_field="type", tag=1):
    """A slash command and its options."""

    id: Snowflake
    name: str
    options: list[OptionValue] = []
    resolved: Resolved = Resolved()


class UserCommandData(Part, frozen=True, kw_only=True, tag_field="type", tag=2):
    """A command from a user's menu. We define none."""

    id: Snowflake
    name: str
    target_id: Snowflake
    resolved: Resolved = Resolved()


class MessageCommandData(Part, frozen=True, kw_only=True, tag_field="type", tag=3):
    """A command from a message's menu."""

    id: Snowflake
    name: str
    target_id: Snowflake
    resolved: Resolved = Resolved()

    def target(self) -> Message | None:
        """The message that was pointed at, if Discord sent it along."""
        return self.resolved.messages.get(self.target_id)


class ComponentData(Part, frozen=True, kw_only=True):
    """A button that was pressed or a menu that was used."""

    custom_id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    component_type: int
    values: list[str] = []


class ModalField(Part, frozen=True, kw_only=True):
    """A component of a submitted modal; labels and rows hold others."""

    type: int
    custom_id: str = ""
    value: str | bool | None = None
    values: list[str] = []
    component: ModalField | None = None
    components: list[ModalField] = []


class ModalData(Part, frozen=True, kw_only=True):
    """A modal that was submitted."""

    custom_id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    components: list[ModalField] = []
    resolved: Resolved = Resolved()

    def fields(self) -> dict[str, ModalField]:
        """The filled-in components by custom id, however deep Discord nests them."""
        found: dict[str, ModalField] = {}
        waiting = list(self.components)
        while waiting:
            field = waiting.pop()
            if field.custom_id:
                found[field.custom_id] = field
            waiting.extend(field.components)
            if field.component is not None:
                waiting.append(field.component)
        return found

    def text(self, custom_id: str) -> str:
        """What was typed into a text input; empty if nothing was."""
        field = self.fields().get(custom_id)
        return field.value if field is not None and isinstance(field.value, str) else ""

    def files(self, custom_id: str) -> list[Attachment]:
        """What was uploaded into a file upload."""
        field = self.fields().get(custom_id)
        ids = field.values if field is not None else []
        return [self.resolved.attachments[id_] for id_ in ids if id_ in self.resolved.attachments]


class Ping(Part, frozen=True, kw_only=True, tag_field="type", tag=1):
    """Discord asks whether the endpoint is alive."""

    id: Snowflake = "0"


class Interaction(Part, frozen=True, kw_only=True):
    """What all other interactions have in common."""

    id: Snowflake
    application_id: Snowflake
    token: Annotated[str, msgspec.Meta(min_length=1, max_length=1024, pattern=r"^[\w.~-]+\Z")]
    guild_id: Snowflake | None = None
    channel_id: Snowflake | None = None
    member: Member | None = None
    user: User | None = None
    message: Message | None = None
    locale: str = "en-US"
    guild_locale: str | None = None
    context: int | None = None
    authorizing_integration_owners: dict[str, str] = {}
    attachment_size_limit: int = 10 * 1024 * 1024

    def person(self) -> User | None:
        """Who acted: the member's user in a server, the user elsewhere."""
        return self.member.user if self.member is not None else self.user


class CommandInteraction(Interaction, frozen=True, kw_only=True, tag_field="type", tag=2):
    """Somebody used a command."""

    data: SlashData | UserCommandData | MessageCommandData


class ComponentInteraction(Interaction, frozen=True, kw_only=True, tag_field="type", tag=3):
    """Somebody pressed a button or used a menu of one of our messages."""

    data: ComponentData


class AutocompleteInteraction(Interaction, frozen=True, kw_only=True, tag_field="type", tag=4):
    """Somebody is typing a slash command's option. Values are partial and not validated."""

    data: SlashData


class ModalInteraction(Interaction, frozen=True, kw_only=True, tag_field="type", tag=5):
    """Somebody submitted a modal."""

    data: ModalData


AnyInteraction = CommandInteraction | ComponentInteraction | AutocompleteInteraction | ModalInteraction

DECODER: Final = msgspec.json.Decoder(Ping | AnyInteraction)
