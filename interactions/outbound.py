"""What we answer Discord with, typed, and its JSON. Pure.

Source: https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-response-object
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from discord_interactions import InteractionResponseFlags, InteractionResponseType

EPHEMERAL: Final = InteractionResponseFlags.EPHEMERAL
VOICE_MESSAGE: Final = 1 << 13
"""IS_VOICE_MESSAGE: one audio attachment with its length and waveform, and nothing else."""
ACTION_ROW: Final = 1
BUTTON: Final = 2
TEXT_INPUT: Final = 4
TEXT_DISPLAY: Final = 10
LABEL: Final = 18
FILE_UPLOAD: Final = 19

BUTTON_STYLES: Final = {"primary": 1, "secondary": 2, "success": 3, "danger": 4}

Json = dict[str, object]


class Button(msgspec.Struct, frozen=True):
    """A button below a message. Its custom id is `<handler>:<what it is about>`."""

    custom_id: str
    label: str
    style: Literal["primary", "secondary", "success", "danger"] = "secondary"
    emoji: str = ""

    def json(self) -> Json:
        """Discord's form."""
        button: Json = {"type": BUTTON, "style": BUTTON_STYLES[self.style], "custom_id": self.custom_id}
        if self.label:
            button["label"] = self.label
        if self.emoji:
            button["emoji"] = {"name": self.emoji}
        return button


class ReplyFile(msgspec.Struct, frozen=True):
    """A file that goes with a reply."""

    name: str
    data: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    description: str = ""
    key: str = ""
    """Where it lies in the object store, instead of `data`: for what is too large to be kept with the reply."""
    duration_secs: float = 0.0
    """Of a voice message: how long it is. Such a file is a message of its own, the last of the reply."""
    waveform: str = ""
    """Of a voice message: what clients draw, in base64."""


class Reply(msgspec.Struct, frozen=True):
    """A message to the person who acted. Too long a text is split or attached when it is published."""

    content: str
    buttons: tuple[Button, ...] = ()
    files: tuple[ReplyFile, ...] = ()
    answer_id: str = ""
    """The answer that this message shows, if it shows one: then the message can be corrected."""
    notices: tuple[str, ...] = ()
    """Notices that it mentions, and that need not be mentioned again."""
    private: bool = False
    """Only for this person: it must not be posted to the channel when the reply can no longer be edited."""
    whisper: Literal["no", "instead", "beside"] = "no"
    """Only for this person although all saw "thinking…": it takes the place of that, or comes beside the message that
    the button stands on. Handlers say "instead"; how they acknowledged decides."""
    kept: bool = True
    """Whether the outcome may be stored. It may not while it holds words that somebody has yet to allow us; a second
    delivery does the work again then."""
    instead: str = ""
    """What the person is told below their next answer where a reply that may not be kept can no longer be shown."""

    elsewhere: bool = False
    """The voice sidecar shows what comes of the command, by the same token: nothing is to be published."""

    def components(self) -> list[Json]:
        """The buttons in rows of five."""
        rows = [self.buttons[at : at + 5] for at in range(0, len(self.buttons), 5)]
        return [{"type": ACTION_ROW, "components": [button.json() for button in row]} for row in rows]


class TextInput(msgspec.Struct, frozen=True):
    """A text field of a modal."""

    custom_id: str
    label: str
    description: str = ""
    placeholder: str = ""
    value: str = ""
    paragraph: bool = True
    required: bool = True
    max_length: int = 4000

    def json(self) -> Json:
        """Discord's form: a label around the input."""
        field: Json = {
            "type": TEXT_INPUT,
            "custom_id": self.custom_id,
            "style": 2 if self.paragraph else 1,
            "required": self.required,
            "max_length": self.max_length,
        }
        if self.placeholder:
            field["placeholder"] = self.placeholder
        if self.value:
            field["value"] = self.value
        return _labelled(self.label, self.description, field)


class FileUpload(msgspec.Struct, frozen=True):
    """A file field of a modal."""

    custom_id: str
    label: str
    description: str = ""
    required: bool = False

    def json(self) -> Json:
        """Discord's form: a label around the upload."""
        field: Json = {
            "type": FILE_UPLOAD,
            "custom_id": self.custom_id,
            "min_values": 1 if self.required else 0,
            "max_values": 1,
            "required": self.required,
        }
        return _labelled(self.label, self.description, field)


class Note(msgspec.Struct, frozen=True):
    """A text shown in a modal."""

    content: str

    def json(self) -> Json:
        """Discord's form."""
        return {"type": TEXT_DISPLAY, "content": self.content}


class Modal(msgspec.Struct, frozen=True):
    """A form. Its custom id is `<handler>:<what it is about>`."""

    custom_id: str
    title: str
    fields: tuple[TextInput | FileUpload | Note, ...]


class Choice(msgspec.Struct, frozen=True):
    """A suggestion while somebody types an option."""

    name: str
    value: str | int | float


class Defer(msgspec.Struct, frozen=True):
    """Acknowledge now, answer later through the queue."""

    ephemeral: bool = False


class DeferUpdate(msgspec.Struct, frozen=True):
    """Acknowledge a button press now; the message it stands on is edited later through the queue."""


class Say(msgspec.Struct, frozen=True):
    """Answer at once."""

    reply: Reply
    ephemeral: bool = False


class Suggest(msgspec.Struct, frozen=True):
    """Answer an autocomplete request."""

    choices: tuple[Choice, ...]


Acknowledgement = Defer | DeferUpdate | Say | Modal | Suggest


def acknowledgement_json(acknowledgement: Acknowledgement) -> Json:
    """The body that acknowledges an interaction."""
    match acknowledgement:
        case Defer(ephemeral):
            data: Json = {"flags": EPHEMERAL} if ephemeral else {}
            kind = InteractionResponseType.DEFERRED_CHANNEL_MESSAGE_WITH_SOURCE
            return {"type": kind, "data": data} if data else {"type": kind}
        case DeferUpdate():
            return {"type": InteractionResponseType.DEFERRED_UPDATE_MESSAGE}
        case Say(reply, ephemeral):
            message = message_json(reply.content, reply.components())
            if ephemeral:
                message["flags"] = EPHEMERAL
            return {"type": InteractionResponseType.CHANNEL_MESSAGE_WITH_SOURCE, "data": message}
        case Modal(custom_id, title, fields):
            form: Json = {"custom_id": custom_id, "title": title, "components": [field.json() for field in fields]}
            return {"type": InteractionResponseType.MODAL, "data": form}
        case Suggest(choices):
            return {
                "type": InteractionResponseType.APPLICATION_COMMAND_AUTOCOMPLETE_RESULT,
                "data": {"choices": [{"name": choice.name, "value": choice.value} for choice in choices[:25]]},
            }


def message_json(content: str, components: list[Json] | None = None) -> Json:
    """A message that pings nobody, whatever its text says."""
    return {"content": content, "components": components or [], "allowed_mentions": {"parse": []}}


def _labelled(label: str, description: str, field: Json) -> Json:
    labelled: Json = {"type": LABEL, "label": label, "component": field}
    if description:
        labelled["description"] = description
    return labelled
