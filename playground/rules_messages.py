"""What Discord accepts as a message. Pure: takes the JSON and the sizes of the files, raises Discord's refusal.

Limits: Discord's documentation, resources/message and interactions/receiving-and-responding.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from playground.errors import DiscordError, empty_message, too_large
from playground.forms import Fields, FormErrors, Path, form
from playground.rules_components import check_components
from playground.rules_embeds import check_embeds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_CONTENT: Final = 2000
MAX_FILES: Final = 10
MAX_ALT_TEXT: Final = 1024
MAX_FILENAME: Final = 1024
MAX_MENTIONED: Final = 100
MAX_WAVEFORM: Final = 400
MAX_SECONDS: Final = 2**31 - 1
MAX_FLAGS: Final = 2**53

SUPPRESS_EMBEDS: Final = 1 << 2
EPHEMERAL: Final = 1 << 6
LOADING: Final = 1 << 7
SUPPRESS_NOTIFICATIONS: Final = 1 << 12
VOICE_MESSAGE: Final = 1 << 13
COMPONENTS_V2: Final = 1 << 15


class Upload(NamedTuple):
    """A file of a multipart request."""

    key: str
    """The n of `files[n]`, which the `attachments` member refers to."""
    filename: str
    content_type: str
    data: bytes


class Use(enum.Enum):
    """What a message is sent as: that decides which flags may be set."""

    REPLY = "a reply to an interaction"
    CHANNEL = "a message of the bot in a channel"
    EDIT = "an edit"


SETTABLE: Final = {
    Use.REPLY: SUPPRESS_EMBEDS | EPHEMERAL | SUPPRESS_NOTIFICATIONS | VOICE_MESSAGE | COMPONENTS_V2,
    Use.CHANNEL: SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS | VOICE_MESSAGE | COMPONENTS_V2,
    Use.EDIT: SUPPRESS_EMBEDS | COMPONENTS_V2,
}


def check_message(
    body: Mapping[str, Any],
    uploads: Sequence[Upload],
    *,
    use: Use,
    size_limit: int,
    flags_before: int = 0,
    path: Path = (),
) -> None:
    """Raise `DiscordError` unless Discord takes this message.

    Args:
        body: the JSON of the message.
        uploads: its files.
        use: what it is sent as.
        size_limit: bytes that each file may have.
        flags_before: for an edit, the flags that the message has.
        path: where the message lies within the body of the request.
    """
    errors = FormErrors()
    fields = form(body, errors, path)
    _check_fields(fields, uploads, use=use, size_limit=size_limit, flags_before=flags_before)
    errors.raise_if_any()
    flags = (body.get("flags") or 0) | flags_before
    if flags & VOICE_MESSAGE:
        _check_voice(body, uploads, use=use)
    if use is not Use.EDIT and is_empty(body, files=len(uploads)):
        raise empty_message()


def _check_fields(fields: Fields, uploads: Sequence[Upload], *, use: Use, size_limit: int, flags_before: int) -> None:
    """Note what is wrong with a message. Raises for files above the limit."""
    if any(len(upload.data) > size_limit for upload in uploads):
        raise too_large()
    flags = fields.integer("flags", low=0, high=MAX_FLAGS) or 0
    second_version = bool((flags | flags_before) & COMPONENTS_V2)
    if flags & ~SETTABLE[use] and use is not Use.EDIT:  # an edit ignores the others
        fields.fail("flags", "BASE_TYPE_CHOICES", "Only some flags may be set here.")
    fields.string("content", high=MAX_CONTENT)
    if use is not Use.EDIT:
        fields.boolean("tts")
    check_embeds(fields)
    if second_version:
        for name in ("content", "embeds", "poll", "sticker_ids"):
            if fields.value.get(name):
                fields.fail(
                    name,
                    "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                    f"The '{name}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
                )
    check_components(fields, second_version=second_version)
    _check_mentions(fields)
    _check_attachments(fields, uploads, editing=use is Use.EDIT)


def is_empty(body: Mapping[str, Any], *, files: int) -> bool:
    """Whether there is nothing to show in a message."""
    content = body.get("content")
    if isinstance(content, str) and content.strip():
        return False
    return not files and not any(body.get(name) for name in ("embeds", "components", "poll", "sticker_ids"))


def _check_mentions(fields: Fields) -> None:
    allowed = fields.object("allowed_mentions")
    if allowed is None:
        return
    parse = allowed.items("parse", high=MAX_MENTIONED) or []
    for index, kind in enumerate(parse):
        if kind not in {"users", "roles", "everyone"}:
            path = (*allowed.path, "parse", str(index))
            allowed.errors.add(path, "BASE_TYPE_CHOICES", "Value must be one of {users, roles, everyone}.")
    for kind in ("users", "roles"):
        listed = allowed.items(kind, high=MAX_MENTIONED)
        if listed and kind in parse:
            allowed.fail(kind, "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", f'parse:["{kind}"] and {kind} exclude')
        if listed and len({str(one) for one in listed}) != len(listed):
            allowed.fail(kind, "SET_TYPE_ALREADY_CONTAINS_VALUE", "The set already contains this value.")
    if len({str(kind) for kind in parse}) != len(parse):
        allowed.fail("parse", "SET_TYPE_ALREADY_CONTAINS_VALUE", "The set already contains this value.")
    allowed.boolean("replied_user")


def _check_attachments(fields: Fields, uploads: Sequence[Upload], *, editing: bool) -> None:
    if len(uploads) > MAX_FILES:
        fields.fail("attachments", "BASE_TYPE_MAX_LENGTH", f"Must be {MAX_FILES} or fewer in length.")
    keys = {upload.key for upload in uploads}
    for attachment in fields.objects("attachments", high=MAX_FILES):
        key = attachment.snowflake("id", required=True)
        attachment.string("filename", low=1, high=MAX_FILENAME)
        attachment.string("title", high=MAX_FILENAME)
        attachment.string("description", high=MAX_ALT_TEXT)
        attachment.number("duration_secs", low=0, high=MAX_SECONDS)
        attachment.string("waveform", high=MAX_WAVEFORM)
        if key is not None and key not in keys and not editing:
            attachment.fail("", "ATTACHMENT_NOT_FOUND", "Attachment data not found")


def _check_voice(body: Mapping[str, Any], uploads: Sequence[Upload], *, use: Use) -> None:
    """A voice message is one audio file with its length and waveform, and nothing else, for ever."""
    if use is Use.EDIT:
        raise DiscordError(400, 50162, "Voice messages cannot be edited.")
    if any(body.get(name) for name in ("content", "embeds", "components", "poll", "sticker_ids")):
        raise DiscordError(400, 50159, "Voice messages do not support additional content.")
    if len(uploads) != 1:
        raise DiscordError(400, 50160, "Voice messages must have a single audio attachment.")
    described: Mapping[str, Any] = next(iter(body.get("attachments") or ()), {})
    if described.get("duration_secs") is None or not described.get("waveform"):
        raise DiscordError(400, 50161, "Voice messages must have supporting metadata.")
