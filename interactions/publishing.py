"""Shows a reply: in place of "thinking…", split into messages where it is long, once, whatever happens in between."""

from __future__ import annotations

import io
import logging
import shutil
import tempfile
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple, cast

import msgspec

from interactions.discord_api import Gone, OutgoingFile, Refused, TokenExpired
from interactions.outbound import EPHEMERAL, Reply, ReplyFile, message_json
from interactions.outcomes import Delivery, load_delivery, save_delivery
from interactions.payloads import ComponentInteraction
from interactions.splitting import arrange
from trainer import notices
from trainer.answers import link_message

if TYPE_CHECKING:
    from interactions.discord_api import DiscordApi
    from interactions.outbound import Json
    from interactions.payloads import Interaction
    from trainer.ports import ObjectStore
    from trainer.scope import Actor

MESSAGES_MOST: Final = 3
NOTICE_MOST: Final = 600
"""Characters of a reply that a notice repeats."""
SPOOL: Final = 1024 * 1024
"""Bytes of an attachment that are held in memory."""
EMPTY: Final = "\N{ZERO WIDTH SPACE}"

log = logging.getLogger(__name__)


class _Piece(NamedTuple):
    """One message to be sent."""

    payload: Json
    files: tuple[ReplyFile, ...] = ()


class Publisher:
    """Shows replies at Discord."""

    def __init__(self, api: DiscordApi, store: ObjectStore) -> None:
        self._api = api
        self._store = store

    def publish(self, interaction: Interaction, actor: Actor, reply: Reply) -> None:
        """Show a reply, going on where an earlier try stopped.

        Raises `DiscordUnavailable` when trying again later may help; what is out already is remembered.
        """
        delivery = load_delivery(self._store, actor.scope, interaction.id)
        if delivery.finished and delivery.way != "reply":
            return
        try:
            sent = self._reply(interaction, actor, reply, list(delivery.messages))
            way = "reply"
        except TokenExpired:
            sent, way = self._late(interaction, actor, reply, delivery)
        except Gone:
            # The message was deleted, or our acknowledgement came too late for Discord: nothing is left to edit.
            sent, way = self._leave_notice(actor, interaction.id, reply)
        for message_id in sent:
            if reply.answer_id:
                link_message(self._store, actor.scope, message_id, reply.answer_id)
        done = Delivery(messages=sent, way="channel" if way == "channel" else "reply", finished=True)
        if way == "notice":
            done = Delivery(way="notice", finished=True)
        save_delivery(self._store, actor.scope, interaction.id, done)
        if way != "notice":
            notices.seen(self._store, actor, list(reply.notices))
        log.info("published", extra={"way": way, "messages": len(sent), "files": len(reply.files)})

    def publish_failure(self, interaction: Interaction, actor: Actor, reply: Reply) -> None:
        """Say that a job was given up, without marking anything as shown: repeating the job may still succeed."""
        message = message_json(reply.content)
        try:
            if isinstance(interaction, ComponentInteraction):
                # There is no "thinking…" to replace, only the message that the button stands on.
                self._api.follow_up(interaction.token, {**message, "flags": EPHEMERAL})
            else:
                self._api.edit_original(interaction.token, message)
        except (TokenExpired, Gone):
            self._leave_notice(actor, f"{interaction.id}-failed", reply)

    def _reply(self, interaction: Interaction, actor: Actor, reply: Reply, sent: list[str]) -> list[str]:
        for number, piece in enumerate(_pieces(reply, interaction)):
            files = [self._outgoing(file) for file in piece.files]
            if number == 0:
                message_id = self._api.edit_original(interaction.token, piece.payload, files)
            elif number < len(sent):
                message_id = self._api.edit_message(interaction.token, sent[number], piece.payload, files)
            else:
                message_id = self._api.follow_up(interaction.token, piece.payload, files)
            sent[number:] = [message_id, *sent[number + 1 :]]
            # Written after each message, so that a worker that takes over edits this one instead of sending it again.
            save_delivery(self._store, actor.scope, interaction.id, Delivery(messages=sent))
        return sent

    def _late(
        self, interaction: Interaction, actor: Actor, reply: Reply, delivery: Delivery
    ) -> tuple[list[str], str]:
        """The token has expired: post to the channel where the bot may, else keep the outcome for later."""
        if delivery.finished:
            return list(delivery.messages), "reply"
        if reply.private or interaction.channel_id is None or not self._api.has_token:
            return self._leave_notice(actor, interaction.id, reply)
        sent: list[str] = []
        addressed = msgspec.structs.replace(reply, content=f"<@{actor.user_id}> {reply.content}")
        try:
            for number, piece in enumerate(_pieces(addressed, interaction)):
                files = [self._outgoing(file) for file in piece.files]
                key = f"{interaction.id}-{number}"
                sent.append(self._api.create_message(interaction.channel_id, piece.payload, files, key=key))
        except (Refused, Gone):
            if not sent:
                return self._leave_notice(actor, interaction.id, reply)
        return sent, "channel"

    def _outgoing(self, file: ReplyFile) -> OutgoingFile:
        return OutgoingFile(
            name=file.name,
            content_type=file.content_type,
            open=(lambda: self._stored(file.key)) if file.key else (lambda: io.BytesIO(file.data)),
            description=file.description or None,
            size=None if file.key else len(file.data),
        )

    def _stored(self, key: str) -> BinaryIO:
        """An object as a file that can be sent; what is attached is at most some tens of MiB."""
        with self._store.open_read(key) as stream:
            spooled = cast("BinaryIO", tempfile.SpooledTemporaryFile(SPOOL))  # noqa: SIM115 - whoever sends it closes it
            shutil.copyfileobj(stream, spooled)
            spooled.seek(0)
            return spooled

    def _leave_notice(self, actor: Actor, notice_id: str, reply: Reply) -> tuple[list[str], str]:
        text = reply.content
        if len(text) > NOTICE_MOST:
            text = text[:NOTICE_MOST].rstrip() + "…"
        notices.leave(self._store, actor.scope, actor.user_id, notices.Notice(notice_id, text))
        return [], "notice"


def _pieces(reply: Reply, interaction: Interaction) -> list[_Piece]:
    """The messages of a reply: the buttons and files go with the last one."""
    arranged = arrange(reply.content, most=MESSAGES_MOST)
    files = list(reply.files)
    if arranged.file is not None:
        files.insert(0, ReplyFile("answer.md", arranged.file.encode(), "text/markdown; charset=utf-8"))
    texts = arranged.messages or [EMPTY]
    pieces = [_Piece(message_json(text)) for text in texts[:-1]]
    return [*pieces, _Piece(message_json(texts[-1], reply.components()), _fitting(files, interaction))]


def _fitting(files: list[ReplyFile], interaction: Interaction) -> tuple[ReplyFile, ...]:
    """Files no larger than Discord takes here: longer texts are cut, so that the reply as a whole gets through."""
    most = interaction.attachment_size_limit
    return tuple(
        file if len(file.data) <= most else msgspec.structs.replace(file, data=file.data[:most]) for file in files
    )
