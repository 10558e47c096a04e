"""Shows a reply: in place of "thinking…", split into messages where it is long, once, whatever happens in between."""

from __future__ import annotations

import io
import logging
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple, cast

import msgspec

from interactions.discord_api import DiscordError, Gone, OutgoingFile, Refused, TokenExpired
from interactions.outbound import EPHEMERAL, VOICE_MESSAGE, Reply, ReplyFile, message_json
from interactions.outcomes import Track
from interactions.payloads import ComponentInteraction
from interactions.splitting import arrange
from trainer import notices
from trainer.answers import link_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from interactions.discord_api import DiscordApi
    from interactions.outbound import Json
    from interactions.payloads import Interaction
    from trainer.ports import ObjectStore
    from trainer.scope import Actor, Scope

MESSAGES_MOST: Final = 3
FOLLOW_UPS_MOST: Final = 5
"""Further messages that Discord takes for one interaction where only the person has installed the bot. Edits, those
that show progress among them, do not count."""
TOO_MANY_FOLLOW_UPS: Final = 40094
NOTICE_MOST: Final = 600
"""Characters of a reply that a notice repeats."""
LOOK_AGAIN_S: Final = (2.0, 5.0)
"""When to look whether a late edit has replaced the reply, in seconds after it and after each other."""
SPOOL: Final = 1024 * 1024
"""Bytes of an attachment that are held in memory."""
EMPTY: Final = "\N{ZERO WIDTH SPACE}"

log = logging.getLogger(__name__)


class _Piece(NamedTuple):
    """One message to be sent."""

    payload: Json
    files: tuple[ReplyFile, ...] = ()

    @property
    def voice(self) -> bool:
        """Whether it is a voice message."""
        return bool(self.files and self.files[0].waveform)


class Publisher:
    """Shows replies at Discord."""

    def __init__(
        self,
        api: DiscordApi,
        store: ObjectStore,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._api = api
        self._store = store
        self._clock = clock
        self._sleep = sleep

    def publish(self, interaction: Interaction, actor: Actor, reply: Reply, *, unsure: bool = False) -> None:
        """Show a reply, going on where an earlier try stopped; nothing happens if all of it is out.

        `unsure` says that Discord may still apply an earlier edit: then it is looked at again.
        Raises `DiscordUnavailable` and `ShownElsewhere` when trying again later may help.
        """
        if reply.elsewhere:
            return
        track = Track(self._store, actor.scope, interaction.id, self._clock)
        if track.delivery.finished:
            return
        pieces = _pieces(reply, interaction, most=messages_most(actor.scope))
        try:
            self._show(interaction, actor, reply, pieces, track)
        except TokenExpired:
            self._late(interaction, actor, reply, pieces, track)
        except Gone:
            # The message was deleted, or our acknowledgement came too late for Discord: nothing is left to edit.
            left = pieces[len(track.delivery.messages) :]
            if not left or not all(piece.voice for piece in left):
                self._leave_notice(actor, interaction.id, reply.content, reply)
                track.go("notice")
        if reply.answer_id:
            for message_id in track.delivery.messages:
                link_message(self._store, actor.scope, message_id, reply.answer_id)
        if track.delivery.way != "notice":
            notices.seen(self._store, actor, list(reply.notices))
        track.finish()
        if unsure and track.delivery.way == "reply" and reply.whisper == "no":
            self._look_again(interaction, pieces[0])
        done = track.delivery
        log.info("published", extra={"way": done.way, "messages": len(done.messages), "files": len(reply.files)})

    def publish_failure(self, interaction: Interaction, actor: Actor, reply: Reply) -> None:
        """Say that a job was given up, unless some of its reply is out already.

        Nothing is marked as shown: repeating the job may still succeed.
        """
        if Track(self._store, actor.scope, interaction.id, self._clock).delivery.messages:
            return
        message = message_json(reply.content)
        try:
            if isinstance(interaction, ComponentInteraction):
                # There is no "thinking…" to replace, only the message that the button stands on.
                self._api.follow_up(interaction.token, {**message, "flags": EPHEMERAL})
            else:
                self._api.edit_original(interaction.token, message)
        except (TokenExpired, Gone, Refused):
            self._leave_notice(actor, f"{interaction.id}-failed", reply.content, Reply("", private=True))

    def _show(self, interaction: Interaction, actor: Actor, reply: Reply, pieces: list[_Piece], track: Track) -> None:
        """In place of "thinking…" and below it."""
        if reply.whisper == "instead" and not track.delivery.messages:
            # The first message after "thinking…" would take its place, for all to see, so that goes first.
            with suppress(Gone):
                self._api.delete_original(interaction.token)
        if reply.whisper == "no" and track.delivery.way == "reply":
            self._replace(interaction, pieces[0], track)
        # A follow-up does not inherit who sees the first message.
        try:
            for number in range(len(track.delivery.messages), len(pieces)):
                piece = pieces[number]
                with _claimed(track, number):
                    sent = self._follow_up(interaction, piece, private=_for_one(reply))
                track.sent(number, sent)
        except Refused as error:
            if error.code != TOO_MANY_FOLLOW_UPS:
                if all(piece.voice for piece in pieces[len(track.delivery.messages) :]):
                    # The text is there; what is said is more than was promised.
                    log.warning("not said aloud", extra={"status": error.status, "code": error.code})
                    return
                raise
            if reply.whisper != "no":
                # What all see must not become what one person may see.
                self._leave(interaction, actor, reply, pieces[len(track.delivery.messages) :], track)
                return
            # Parts of which nobody knows whether they arrived have used up what there is: all goes into the first.
            self._replace(interaction, _pieces(reply, interaction, most=1)[0], track)

    def _follow_up(self, interaction: Interaction, piece: _Piece, *, private: bool) -> str:
        """A further message; a voice message that Discord does not take here becomes a file like any other."""
        return self._send(piece, partial(self._api.follow_up, interaction.token), EPHEMERAL * private)

    def _send(self, piece: _Piece, post: Callable[[Json, list[OutgoingFile]], str], flags: int = 0) -> str:
        flags_of_it = flags | VOICE_MESSAGE * piece.voice
        try:
            return post(piece.payload | ({"flags": flags_of_it} if flags_of_it else {}), self._files(piece))
        except Refused as error:
            if not piece.voice or error.code == TOO_MANY_FOLLOW_UPS:
                raise
            log.info("voice message refused", extra={"status": error.status, "code": error.code})
        file = _unvoiced(piece.files[0])
        return post(message_json("") | ({"flags": flags} if flags else {}), [self._outgoing(file)])

    def _replace(self, interaction: Interaction, piece: _Piece, track: Track) -> None:
        """Put a piece in place of "thinking…", or of the message that a button stands on, with all that is on it."""
        payload: Json = piece.payload | {"attachments": []}
        track.sent(0, self._api.edit_original(interaction.token, payload, self._files(piece)))

    def _late(self, interaction: Interaction, actor: Actor, reply: Reply, pieces: list[_Piece], track: Track) -> None:
        """The token has expired: what is left goes to the channel where the bot may, else below the next answer."""
        left = pieces[len(track.delivery.messages) :]
        if not left:
            return
        if _for_one(reply) or interaction.channel_id is None or not self._api.has_token:
            self._leave(interaction, actor, reply, left, track)
            return
        text = _text(left)
        if not all(piece.voice for piece in left):
            addressed = msgspec.structs.replace(reply, content=f"<@{actor.user_id}> {text}")
            left = _pieces(addressed, interaction, most=MESSAGES_MOST)
        track.go("channel")
        posted = len(track.delivery.messages)
        try:
            for piece in left:
                number = len(track.delivery.messages)
                with _claimed(track, number):
                    post = partial(self._api.create_message, interaction.channel_id, key=f"{interaction.id}-{number}")
                    sent = self._send(piece, post)
                track.sent(number, sent)
        except (Refused, Gone) as error:
            # Not allowed to write there, or no longer.
            log.info("not posted", extra={"status": error.status, "code": error.code})
            if all(piece.voice for piece in left[len(track.delivery.messages) - posted :]):
                return  # the text is there
            self._leave_notice(actor, interaction.id, text, reply)
            if len(track.delivery.messages) == posted:
                track.go("notice")

    def _look_again(self, interaction: Interaction, first: _Piece) -> None:
        """An edit of which nobody knows what became may come after the last one: then the last one is repeated."""
        for wait in LOOK_AGAIN_S:
            self._sleep(wait)
            try:
                if self._api.get_original(interaction.token).get("content") != first.payload["content"]:
                    self._api.edit_original(interaction.token, first.payload, self._files(first))
            except DiscordError as error:
                log.info("not looked at again", extra={"status": error.status, "code": error.code})
                return

    def _files(self, piece: _Piece) -> list[OutgoingFile]:
        return [self._outgoing(file) for file in piece.files]

    def _outgoing(self, file: ReplyFile) -> OutgoingFile:
        return OutgoingFile(
            name=file.name,
            content_type=file.content_type,
            open=(lambda: self._stored(file.key)) if file.key else (lambda: io.BytesIO(file.data)),
            description=file.description or None,
            size=None if file.key else len(file.data),
            duration_secs=file.duration_secs if file.waveform else None,
            waveform=file.waveform or None,
        )

    def _stored(self, key: str) -> BinaryIO:
        """An object as a file that can be sent; what is attached is at most some tens of MiB."""
        with self._store.open_read(key) as stream:
            spooled = cast("BinaryIO", tempfile.SpooledTemporaryFile(SPOOL))  # noqa: SIM115 - whoever sends it closes it
            shutil.copyfileobj(stream, spooled)
            spooled.seek(0)
            return spooled

    def _leave(
        self, interaction: Interaction, actor: Actor, reply: Reply, pieces: list[_Piece], track: Track
    ) -> None:
        """What is left is told below the person's next answer."""
        if all(piece.voice for piece in pieces):
            return  # the text is there
        self._leave_notice(actor, interaction.id, _text(pieces), reply)
        track.go("notice")

    def _leave_notice(self, actor: Actor, notice_id: str, text: str, reply: Reply) -> None:
        """Keep a text for the person's next answer, unless the reply holds words that may not be kept."""
        text = text if reply.kept else reply.instead
        if not text.strip():
            return
        if len(text) > NOTICE_MOST:
            text = text[:NOTICE_MOST].rstrip() + "…"
        notice = notices.Notice(notice_id, text, _for_one(reply))
        notices.leave(self._store, actor.scope, actor.user_id, notice)


@contextmanager
def _claimed(track: Track, number: int) -> Iterator[None]:
    """While a part is being sent, no other worker sends it."""
    track.claim(number)
    try:
        yield
    except DiscordError:
        track.give_up_claim()
        raise


def messages_most(scope: Scope) -> int:
    """How many messages a reply may have: the first, and as many further ones as Discord takes there."""
    return MESSAGES_MOST if scope.kind == "guild" else min(MESSAGES_MOST, 1 + FOLLOW_UPS_MOST)


def _for_one(reply: Reply) -> bool:
    """Whether only the person may see it."""
    return reply.private or reply.whisper != "no"


def _text(pieces: list[_Piece]) -> str:
    return "\n\n".join(str(piece.payload["content"]) for piece in pieces if "content" in piece.payload)


def _pieces(reply: Reply, interaction: Interaction, *, most: int) -> list[_Piece]:
    """The messages of a reply: buttons and files go with the last text; what is spoken comes after it."""
    spoken = [file for file in reply.files if file.waveform and len(file.data) <= interaction.attachment_size_limit]
    files = [file for file in reply.files if not file.waveform]
    if len(spoken) >= most:  # no message is left for what is said
        files += [_unvoiced(file) for file in spoken]
        spoken = []
    arranged = arrange(reply.content, most=most - len(spoken))
    if arranged.file is not None:
        files.insert(0, ReplyFile("answer.md", arranged.file.encode(), "text/markdown; charset=utf-8"))
    texts = arranged.messages or [EMPTY]
    pieces = [_Piece(message_json(text)) for text in texts[:-1]]
    pieces.append(_Piece(message_json(texts[-1], reply.components()), _fitting(files, interaction)))
    aloud = [_Piece({"allowed_mentions": {"parse": []}}, (file,)) for file in spoken]
    return [*pieces, *aloud]


def _unvoiced(file: ReplyFile) -> ReplyFile:
    """A voice message as a file like any other."""
    return msgspec.structs.replace(file, duration_secs=0.0, waveform="")


def _fitting(files: list[ReplyFile], interaction: Interaction) -> tuple[ReplyFile, ...]:
    """Files no larger than Discord takes here: longer texts are cut, so that the reply as a whole gets through."""
    most = interaction.attachment_size_limit
    return tuple(
        file if len(file.data) <= most else msgspec.structs.replace(file, data=file.data[:most]) for file in files
    )
