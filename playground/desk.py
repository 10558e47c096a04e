"""Where the application's answers arrive: first responses, edits, follow-ups, and messages of the bot.

The rules of Discord's documentation, interactions/receiving-and-responding and resources/webhook.
"""

from __future__ import annotations

import secrets
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from playground import errors
from playground.cdn import Cdn
from playground.clock import Clock
from playground.commands import Commands
from playground.exchanges import RESPONSE_S, TOKEN_S, Interaction
from playground.messages import CONTEXT_MENU_COMMAND, REPLY, SLASH_COMMAND, Message, Writer
from playground.rules_callbacks import (
    CHOICES,
    COMMAND,
    DEFERRED_MESSAGE,
    DEFERRED_UPDATE,
    MESSAGE,
    MODAL,
    UPDATE,
    check_callback,
)
from playground.rules_messages import EPHEMERAL, LOADING, Upload, Use, check_message
from playground.snowflakes import Snowflakes
from playground.world import Channel, Place, User, World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playground.identity import Identity

MAX_USER_INSTALL_FOLLOW_UPS: Final = 5
MAX_KEPT: Final = 20_000
DEFAULT_SIZE_LIMIT: Final = 10 * 1024 * 1024
NONCE_S: Final = 180.0
"""How long a nonce is remembered; the documentation only says "the past few minutes"."""


class Desk:
    """All that the playground knows. `changed` is notified whenever something does, and guards everything."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.clock = Clock()
        self.ids = Snowflakes(self.clock)
        self.world = World(identity.application_id)
        self.cdn = Cdn(self.clock, identity.cdn_secret)
        self.commands = Commands(self.ids, identity.application_id)
        self.writer = Writer(self.ids, self.cdn, self.world)
        self.changed = threading.Condition(threading.RLock())
        self.attachment_size_limit = DEFAULT_SIZE_LIMIT
        self.unready_s = 0.0
        self.interactions: dict[str, Interaction] = {}
        self.messages: dict[str, Message] = {}
        self._by_token: dict[str, Interaction] = {}

    # --- what people do ---------------------------------------------------------------------------------------

    def open(self, kind: int, user: User, place: Place) -> Interaction:
        """A new interaction, not sent yet."""
        interaction_id = self.ids.next()
        token = "aW50ZXJhY3Rpb246" + secrets.token_urlsafe(120)
        made = Interaction(interaction_id, token, kind, user, place, {}, self.clock.now())
        with self.changed:
            self.interactions[made.id] = made
            self._by_token[token] = made
            while len(self.interactions) > MAX_KEPT:
                oldest = self.interactions.pop(next(iter(self.interactions)))
                del self._by_token[oldest.token]
        return made

    def say(self, user: User, channel: Channel, content: str, uploads: Sequence[Upload] = ()) -> Message:
        """A person writes a message."""
        message = Message(self.ids.next(), channel, user, 0, self.clock.now())
        with self.changed:
            self.writer.fill(message, {"content": content}, uploads, now=self.clock.now())
            self._keep(message)
        return message

    def fail(self, interaction: Interaction, reason: str, refused: dict[str, Any] | None = None) -> None:
        """The application's answer did not come, or was refused."""
        with self.changed:
            if interaction.response is None:
                interaction.failed = reason
                interaction.refused = refused
                interaction.touch()
                self.changed.notify_all()

    # --- first responses --------------------------------------------------------------------------------------

    def respond(self, interaction_id: str, token: str, body: object, uploads: Sequence[Upload]) -> Interaction:
        """Apply a first response. Raises `DiscordError`."""
        with self.changed:
            interaction = self.interactions.get(interaction_id)
            if interaction is None or not secrets.compare_digest(interaction.token.encode(), token.encode()):
                raise errors.unknown_interaction()
            if interaction.response is not None:
                raise errors.already_acknowledged()
            if interaction.failed is not None or self.clock.now() - interaction.sent_at > RESPONSE_S:
                raise errors.unknown_interaction()
            kind = check_callback(
                body,
                uploads,
                interaction=interaction.kind,
                on_message=interaction.on_message,
                size_limit=self.attachment_size_limit,
                flags_before=interaction.source.flags if interaction.source else 0,
                focused_type=interaction.focused_type,
            )
            data = (body.get("data") if isinstance(body, dict) else None) or {}
            self._apply(interaction, kind, data, uploads)
            interaction.response = kind
            interaction.responded_at = time.monotonic()
            interaction.changed_at = interaction.responded_at
            self.changed.notify_all()
        return interaction

    def _apply(self, interaction: Interaction, kind: int, data: dict[str, Any], uploads: Sequence[Upload]) -> None:
        now = self.clock.now()
        if kind in {MESSAGE, DEFERRED_MESSAGE}:
            message = self._answer(interaction)
            if kind == DEFERRED_MESSAGE:
                message.flags = LOADING | (data.get("flags") or 0) & EPHEMERAL
                interaction.deferred = interaction.first_follow_up_fills = True
            else:
                self.writer.fill(message, data, uploads, now=now)
            interaction.original = message
            self._keep(message)
        elif kind in {UPDATE, DEFERRED_UPDATE}:
            interaction.original = interaction.source
            interaction.deferred = kind == DEFERRED_UPDATE
            if kind == UPDATE and interaction.source is not None:
                self.writer.edit(interaction.source, data, uploads, now=now)
                interaction.changes += 1
        elif kind == MODAL:
            interaction.modal = data
        elif kind == CHOICES:
            interaction.choices = list(data.get("choices") or ())

    def _answer(self, interaction: Interaction, *, follow_up: bool = False) -> Message:
        """A message of the application that answers an interaction, still empty."""
        place = interaction.place
        message = Message(self.ids.next(), place.channel, self.world.bot, REPLY, self.clock.now())
        message.interaction_id = interaction.id
        message.metadata = interaction.metadata(place.owners)
        if follow_up and interaction.original is not None:
            message.metadata["original_response_message_id"] = interaction.original.id
            message.reference = interaction.original.id
        elif interaction.source is not None:
            message.reference = interaction.source.id
        elif interaction.kind == COMMAND:
            chat = interaction.payload.get("data", {}).get("type") == 1
            message.kind = SLASH_COMMAND if chat else CONTEXT_MENU_COMMAND
        return message

    # --- the interaction's webhook ----------------------------------------------------------------------------

    def webhook(self, application_id: str, token: str) -> Interaction:
        """The interaction that a token belongs to, if it may be used now. Raises `DiscordError`."""
        if application_id != self.identity.application_id:
            raise errors.unknown_webhook()
        interaction = self._by_token.get(token)
        if interaction is None or self.clock.now() - interaction.sent_at > TOKEN_S:
            raise errors.invalid_webhook_token()
        if interaction.response is None:
            raise errors.unknown_webhook()
        if interaction.deferred and time.monotonic() - interaction.responded_at < self.unready_s:
            raise errors.unknown_webhook()
        return interaction

    def answer_of(self, interaction: Interaction, message_id: str) -> Message:
        """A message that belongs to an interaction: `@original`, or by id. Raises `DiscordError`."""
        original = interaction.original
        if message_id == "@original" or (original is not None and message_id == original.id):
            found = original
        else:
            found = next((message for message in interaction.follow_ups if message.id == message_id), None)
        if found is None or found.deleted:
            raise errors.unknown_message()
        return found

    def follow_up(self, application_id: str, token: str, body: dict[str, Any], uploads: Sequence[Upload]) -> Message:
        """Post a follow-up; the first one after a deferral fills the waiting message. Raises `DiscordError`."""
        with self.changed:
            interaction = self.webhook(application_id, token)
            check_message(body, uploads, use=Use.REPLY, size_limit=self.attachment_size_limit)
            now = self.clock.now()
            if interaction.first_follow_up_fills and interaction.original and not interaction.original.deleted:
                message = interaction.original
                self.writer.edit(message, body, uploads, now=now)
            else:
                limited = interaction.place.user_install_only
                if limited and len(interaction.follow_ups) >= MAX_USER_INSTALL_FOLLOW_UPS:
                    raise errors.too_many_follow_ups()
                message = self._answer(interaction, follow_up=True)
                self.writer.fill(message, body, uploads, now=now)
                interaction.follow_ups.append(message)
                self._keep(message)
            interaction.first_follow_up_fills = False
            self._touched(message, interaction)
            return message

    def edit_answer(
        self, application_id: str, token: str, message_id: str, body: dict[str, Any], uploads: Sequence[Upload]
    ) -> Message:
        """Edit what an interaction got. Raises `DiscordError`."""
        with self.changed:
            interaction = self.webhook(application_id, token)
            message = self.answer_of(interaction, message_id)
            self._edit(message, body, uploads)
            if message is interaction.original:
                interaction.first_follow_up_fills = False
            self._touched(message, interaction)
            return message

    def delete_answer(self, application_id: str, token: str, message_id: str) -> None:
        """Delete what an interaction got. Raises `DiscordError`."""
        with self.changed:
            interaction = self.webhook(application_id, token)
            message = self.answer_of(interaction, message_id)
            message.deleted = True
            self._touched(message, interaction)

    # --- channels ---------------------------------------------------------------------------------------------

    def channel(self, channel_id: str) -> Channel:
        """A channel that the bot is in. Raises `DiscordError`."""
        channel = self.world.channel(channel_id)
        if channel is None:
            raise errors.unknown_channel()
        if not channel.has_bot:
            raise errors.missing_access()
        return channel

    def in_channel(self, channel: Channel) -> list[Message]:
        """What everybody in a channel sees, newest first."""
        with self.changed:
            return [
                message
                for message in reversed(self.messages.values())
                if message.channel.id == channel.id and not message.deleted and not message.ephemeral
            ]

    def public(self, channel_id: str, message_id: str) -> Message:
        """A message that the bot can see with its token. Raises `DiscordError`."""
        channel = self.channel(channel_id)
        with self.changed:
            message = self.messages.get(message_id)
            if message is None or message.deleted or message.ephemeral or message.channel.id != channel.id:
                raise errors.unknown_message()
            return message

    def post(self, channel_id: str, body: dict[str, Any], uploads: Sequence[Upload]) -> Message:
        """The bot writes to a channel. Raises `DiscordError`."""
        channel = self.channel(channel_id)
        check_message(body, uploads, use=Use.CHANNEL, size_limit=self.attachment_size_limit)
        with self.changed:
            nonce = str(body["nonce"]) if body.get("enforce_nonce") and body.get("nonce") else ""
            if (known := self._same_nonce(channel, nonce)) is not None:
                return known
            message = Message(self.ids.next(), channel, self.world.bot, 0, self.clock.now(), nonce=nonce)
            reference = body.get("message_reference")
            if isinstance(reference, dict) and reference.get("message_id"):
                self._refer(message, reference)
            self.writer.fill(message, body, uploads, now=self.clock.now())
            self._keep(message)
            return message

    def _same_nonce(self, channel: Channel, nonce: str) -> Message | None:
        """The message that was created with this nonce "in the past few minutes", as the documentation has it."""
        oldest = self.clock.now() - NONCE_S
        recent = (
            m for m in reversed(self.messages.values()) if m.channel.id == channel.id and m.created_at >= oldest
        )
        return next((message for message in recent if nonce and message.nonce == nonce), None)

    def _refer(self, message: Message, reference: dict[str, Any]) -> None:
        target = self.messages.get(str(reference["message_id"]))
        if target is not None and target.channel.id == message.channel.id and not target.deleted:
            message.kind, message.reference = REPLY, target.id
        elif reference.get("fail_if_not_exists", True):
            unknown = {"_errors": [{"code": "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "message": "Unknown message"}]}
            raise errors.invalid_form({"message_reference": unknown})

    def edit_public(
        self, channel_id: str, message_id: str, body: dict[str, Any], uploads: Sequence[Upload]
    ) -> Message:
        """The bot edits a message of its own. Raises `DiscordError`."""
        with self.changed:
            message = self.public(channel_id, message_id)
            if message.author != self.world.bot:
                raise errors.cannot_edit_others()
            self._edit(message, body, uploads)
            self._touched(message, None)
            return message

    def delete_public(self, channel_id: str, message_id: str) -> None:
        """The bot deletes a message of its own. Raises `DiscordError`."""
        with self.changed:
            message = self.public(channel_id, message_id)
            if message.author != self.world.bot:
                raise errors.missing_access()
            message.deleted = True
            self._touched(message, None)

    # --- inside -----------------------------------------------------------------------------------------------

    def _edit(self, message: Message, body: dict[str, Any], uploads: Sequence[Upload]) -> None:
        check_message(body, uploads, use=Use.EDIT, size_limit=self.attachment_size_limit, flags_before=message.flags)
        self.writer.edit(message, body, uploads, now=self.clock.now())

    def _keep(self, message: Message) -> None:
        self.messages[message.id] = message
        while len(self.messages) > MAX_KEPT:
            del self.messages[next(iter(self.messages))]
        self.changed.notify_all()

    def _touched(self, message: Message, through: Interaction | None) -> None:
        """Tell every interaction that shows the message that it changed."""
        owners = {through, self.interactions.get(message.interaction_id or "")}
        for interaction in owners:
            if interaction is not None:
                interaction.touch()
        self.changed.notify_all()
