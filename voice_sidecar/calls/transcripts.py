"""Writes spoken questions and their answers into the channel's chat, where a server's managers want that.

They look and work like answers to `/ask`: the same buttons, and the message can be corrected. The HTTP side answers
the buttons, so a test compares them, and the lines about sources, with those that it makes.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, NamedTuple

from trainer import logs
from trainer.i18n import N_, translator
from trainer.ports import StoreUnavailable
from voice_sidecar.calls.messages import CONTENT_MOST, Button, Message
from voice_sidecar.calls.rest import NotDone

if TYPE_CHECKING:
    from trainer.answers import AnswerRecord, Source
    from trainer.i18n import Translator
    from voice_sidecar.calls.kept import Kept
    from voice_sidecar.calls.places import Places
    from voice_sidecar.calls.rest import Rest
    from voice_sidecar.parts import Room

_QUESTION_MOST: Final = 300
"""Characters of a question that are shown."""
_MARKDOWN: Final = frozenset("\\*_~`|<>[]()#@")
_CUT: Final = "…"
_FOOT_MOST: Final = 600
"""Characters of the sources that are named."""
_PLACES: Final = {
    "line": N_("line {number}"),
    "row": N_("row {number}"),
    "record": N_("record {number}"),
    "page": N_("page {number}"),
    "block": N_("part {number}"),
}

log = logging.getLogger(__name__)


class Transcripts:
    """Shows what was asked and answered aloud. Used in the event loop's thread. Raises nothing."""

    def __init__(self, rest: Rest, kept: Kept, places: Places) -> None:
        self._rest = rest
        self._kept = kept
        self._places = places

    def of(self, room: Room) -> RoomTranscripts:
        """Those of one room."""
        return RoomTranscripts(self, room.guild_id, room.channel_id)

    def may_show(self, guild_id: int, channel_id: int) -> bool:
        """Whether we may write into a voice channel's chat."""
        return self._places.may_write(guild_id, channel_id)

    async def show(self, guild_id: int, channel_id: int, answer: AnswerRecord) -> bool:
        """Write an answer that was kept into a voice channel's chat; whether it is there."""
        extra = {"guild_id": guild_id, "channel_id": channel_id}
        with logs.interaction(answer.id):
            if not self.may_show(guild_id, channel_id):
                log.warning("transcript not shown", extra={**extra, "reason": "no permission"})
                return False
            message = shown(translator(self._places.locale(guild_id)), answer)
            try:
                message_id = await self._rest.post(channel_id, message, key=f"turn-{answer.id}")
            except NotDone as error:
                log.warning("transcript not shown", extra={**extra, "reason": error.reason, "code": error.code})
                return False
            try:
                await self._kept.link(guild_id, message_id, answer.id)
            except StoreUnavailable as error:
                # The buttons name the answer; only a command on the message does not find it.
                log.warning("message not linked", extra={**extra, **logs.places(error)})
            return True


class RoomTranscripts(NamedTuple):
    """Implements `voice_sidecar.conversation.tools.Keeps`."""

    transcripts: Transcripts
    guild_id: int
    channel_id: int

    def shows(self) -> bool:
        """Whether we may write into the channel's chat."""
        return self.transcripts.may_show(self.guild_id, self.channel_id)

    async def answered(self, record: AnswerRecord) -> None:
        """An answer was kept: write it into the channel's chat."""
        await self.transcripts.show(self.guild_id, self.channel_id, record)


def shown(t: Translator, answer: AnswerRecord) -> Message:
    """A question and its answer, as one message. Pure."""
    question = " ".join(answer.question.split())
    if len(question) > _QUESTION_MOST:
        question = question[: _QUESTION_MOST - 1] + _CUT
    head = f"> <@{answer.author}>: {plain(question)}"
    foot = ""
    for source in answer.sources:
        line = f"\n{source_line(t, source)}"
        if len(foot) + len(line) <= _FOOT_MOST:
            foot += line
    room = CONTENT_MOST - len(head) - 1 - len(foot)
    text = answer.text or t(N_("I don't know that yet."))
    if len(text) > room:
        text = text[: room - 1] + _CUT
    return Message(f"{head}\n{text}{foot}", buttons(t, answer.id))


def buttons(t: Translator, answer_id: str) -> tuple[Button, ...]:
    """Those below every answer. Pure."""
    return (
        Button(f"up:{answer_id}", emoji="👍"),
        Button(f"down:{answer_id}", emoji="👎"),
        Button(f"correct:{answer_id}", t(N_("Correct")), emoji="✏️"),
    )


def source_line(t: Translator, source: Source) -> str:
    """Where an answer comes from, in small print. Pure."""
    if source.kind == "correction":
        return t(N_("-# Corrected by <@{user}>, <t:{at}:d>"), user=source.author, at=int(source.at))
    if source.kind == "file":
        place = t(_PLACES[source.unit], number=source.number) if source.unit in _PLACES else ""
        return t(N_("-# Source: {name}, {place}"), name=plain(source.name), place=place)
    return t(N_("-# Source: taught by <@{user}>, <t:{at}:d>"), user=source.author, at=int(source.at))


def plain(text: str) -> str:
    """Words without Discord's markdown, on one line. Pure."""
    return "".join("\\" + char if char in _MARKDOWN else char for char in " ".join(text.split()))
