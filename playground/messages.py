"""Messages: what they hold, how they are edited, and how Discord shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playground.cdn import Attachment, Cdn, File
from playground.clock import iso
from playground.errors import empty_message
from playground.mentions import Pinged, pinged
from playground.rules_components import TEXT_DISPLAY, walk
from playground.rules_messages import COMPONENTS_V2, EPHEMERAL, LOADING, SUPPRESS_EMBEDS, Upload, is_empty

if TYPE_CHECKING:
    from playground.snowflakes import Snowflakes
    from playground.world import Channel, User, World

DEFAULT: int = 0
REPLY: int = 19
SLASH_COMMAND: int = 20
CONTEXT_MENU_COMMAND: int = 23


@dataclass(frozen=True)
class Revision:
    """What a message was at some time."""

    at: float
    content: str
    flags: int
    attachments: tuple[str, ...]
    """Their filenames."""


@dataclass(eq=False)
class Message:
    """One message, as everybody in the channel (or, if it is ephemeral, one person) sees it now.

    Attributes:
        history: every state that it had, the present one last.
        pinged: everybody that any of its states could notify.
        allowed_mentions_missing: whether something with text was sent without `allowed_mentions`.
        interaction_id: the interaction that it answers, if it does.
    """

    id: str
    channel: Channel
    author: User
    kind: int
    created_at: float
    content: str = ""
    flags: int = 0
    embeds: list[dict[str, Any]] = field(default_factory=list)
    components: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    edited_at: float | None = None
    deleted: bool = False
    tts: bool = False
    pinged: Pinged = field(default_factory=Pinged)
    allowed_mentions_missing: bool = False
    history: list[Revision] = field(default_factory=list)
    nonce: str = ""
    interaction_id: str | None = None
    metadata: dict[str, Any] | None = None
    reference: str | None = None
    mentioned: list[User] = field(default_factory=list)

    @property
    def ephemeral(self) -> bool:
        """Whether only one person sees it."""
        return bool(self.flags & EPHEMERAL)

    @property
    def loading(self) -> bool:
        """Whether it still says "thinking…"."""
        return bool(self.flags & LOADING)

    @property
    def text(self) -> str:
        """All its text: the content, or what the text displays of the second version say."""
        shown = [part.get("content", "") for part in walk(self.components) if part.get("type") == TEXT_DISPLAY]
        return "\n".join([self.content, *shown]) if self.content else "\n".join(shown)

    def find(self, name: str) -> dict[str, Any] | None:
        """The component with this custom id, or else with this label, or with this emoji for one."""
        parts = [dict(part) for part in walk(self.components)]
        by_id = next((part for part in parts if part.get("custom_id") == name), None)
        by_label = next((part for part in parts if part.get("label") == name), None)
        return by_id or by_label or next((part for part in parts if _emoji(part) == name), None)

    def file(self, name: str) -> Attachment:
        """The attachment of this name. Raises KeyError."""
        for attachment in self.attachments:
            if attachment.filename == name:
                return attachment
        raise KeyError(name)

    def json(self) -> dict[str, Any]:
        """As Discord shows a message."""
        shown: dict[str, Any] = {
            "id": self.id,
            "channel_id": self.channel.id,
            "type": self.kind,
            "content": self.content,
            "author": self.author.json(),
            "timestamp": iso(self.created_at),
            "edited_timestamp": None if self.edited_at is None else iso(self.edited_at),
            "flags": self.flags,
            "tts": self.tts,
            "pinned": False,
            "mention_everyone": self.pinged.everyone,
            "mentions": [user.json() for user in self.mentioned],
            "mention_roles": list(self.pinged.roles),
            "attachments": [attachment.json() for attachment in self.attachments],
            "embeds": self.embeds,
            "components": self.components,
        }
        if self.author.bot:
            shown["application_id"] = self.author.id
        if self.interaction_id is not None:
            shown["webhook_id"] = self.author.id
            shown["interaction_metadata"] = self.metadata
        if self.reference is not None:
            shown["message_reference"] = {"type": 0, "channel_id": self.channel.id, "message_id": self.reference}
            if self.channel.guild:
                shown["message_reference"]["guild_id"] = self.channel.guild.id
        return shown


class Writer:
    """Fills messages from requests that were found to be in order."""

    def __init__(self, ids: Snowflakes, cdn: Cdn, world: World) -> None:
        self._ids = ids
        self._cdn = cdn
        self._world = world

    def fill(self, message: Message, body: Mapping[str, Any], uploads: Sequence[Upload], *, now: float) -> None:
        """Give a new message its contents."""
        message.flags |= body.get("flags") or 0
        message.tts = bool(body.get("tts"))
        self._change(message, body, uploads, now=now)

    def edit(self, message: Message, body: Mapping[str, Any], uploads: Sequence[Upload], *, now: float) -> None:
        """Change a message; what the request does not name stays.

        Raises:
            DiscordError: nothing would be left of it, or it would have too many files.
        """
        flags = body.get("flags")
        kept = self._kept(message, body)
        after = {name: body[name] if name in body else getattr(message, name) for name in _PARTS}
        if is_empty(after | {"poll": None}, files=len(kept) + len(uploads)):
            raise empty_message()
        was_loading = message.loading
        if flags is not None:
            message.flags = (message.flags & ~SUPPRESS_EMBEDS) | (flags & (SUPPRESS_EMBEDS | COMPONENTS_V2))
        message.flags &= ~LOADING
        message.attachments = kept
        self._change(message, body, uploads, now=now)
        if not was_loading:
            message.edited_at = now

    def _kept(self, message: Message, body: Mapping[str, Any]) -> list[Attachment]:
        listed = body.get("attachments")
        if "attachments" not in body:
            return message.attachments
        ids = {str(one.get("id")) for one in listed or ()}
        return [attachment for attachment in message.attachments if attachment.id in ids]

    def _change(self, message: Message, body: Mapping[str, Any], uploads: Sequence[Upload], *, now: float) -> None:
        if "content" in body:
            message.content = body["content"] or ""
        if "embeds" in body:
            message.embeds = [_shown_embed(embed) for embed in body["embeds"] or ()]
        if "components" in body:
            message.components = number(body["components"] or [])
        described = {str(one.get("id")): one for one in body.get("attachments") or ()}
        for upload in uploads:
            message.attachments = [*message.attachments, self._attach(message, upload, described.get(upload.key, {}))]
        if "content" in body or "components" in body:
            allowed = body.get("allowed_mentions")
            message.allowed_mentions_missing |= allowed is None and bool(message.text)
            message.pinged |= pinged(message.text, allowed)
            found = (self._world.user_by_id(user_id) for user_id in message.pinged.users)
            message.mentioned = [user for user in found if user is not None]
        names = tuple(attachment.filename for attachment in message.attachments)
        message.history.append(Revision(now, message.content, message.flags, names))

    def _attach(self, message: Message, upload: Upload, described: Mapping[str, Any]) -> Attachment:
        extra = {name: described[name] for name in _DESCRIBED if described.get(name) is not None}
        file = File(described.get("filename") or upload.filename, upload.data, upload.content_type or None)
        return self._cdn.add(self._ids.next(), message.channel.id, file, ephemeral=message.ephemeral, extra=extra)


_PARTS = ("content", "embeds", "components")
_DESCRIBED = ("description", "title", "duration_secs", "waveform")


def _shown_embed(embed: Mapping[str, Any]) -> dict[str, Any]:
    """An embed as Discord gives it back."""
    shown = {**embed, "type": "rich"}
    if embed.get("fields"):
        shown["fields"] = [{**field, "inline": bool(field.get("inline"))} for field in embed["fields"]]
    return shown


def number(components: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Components as Discord gives them back: each with an id of its own."""
    used = {part["id"] for part in walk(list(components)) if part.get("id")}
    following = iter(candidate for candidate in range(1, 10_000) if candidate not in used)

    def numbered(component: Mapping[str, Any]) -> dict[str, Any]:
        shown = {**component, "id": component.get("id") or next(following)}
        if isinstance(component.get("components"), list):
            shown["components"] = [numbered(child) for child in component["components"]]
        for name in ("accessory", "component"):
            if isinstance(component.get(name), Mapping):
                shown[name] = numbered(component[name])
        return shown

    return [numbered(component) for component in components]


def _emoji(part: dict[str, Any]) -> str:
    """The emoji of a button without a label; empty for any other component."""
    emoji = part.get("emoji")
    return str(emoji.get("name") or "") if isinstance(emoji, dict) and not part.get("label") else ""
