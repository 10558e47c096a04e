"""“Transcribe”: what is said in a message's recording, as text, for whoever wants to read it.

A recording of somebody else is nothing that we may keep: neither the sound nor its words are stored (decision 7), and
nobody but the person who asked sees them.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

from interactions.definitions import Handler, MessageCommand
from interactions.outbound import Defer, Reply, ReplyFile, Say
from trainer.i18n import N_

if TYPE_CHECKING:
    from interactions.call import AckCall, WorkCall
    from interactions.payloads import Attachment, Message

SOUND_TYPES: Final = re.compile(r"(?:audio|video)/|application/ogg\b")
SOUND_NAMES: Final = re.compile(
    r".+\.(?:ogg|oga|opus|mp3|m4a|aac|wav|flac|webm|mp4|mov|mkv|avi|amr|aiff?|caf|3gp)", re.IGNORECASE | re.DOTALL
)
SHOWN_MOST: Final = 1_800
"""Characters of a transcript that one message shows; a longer one goes along as a file."""
_TOO_LATE: Final = N_(
    "What is said in the recording took so long to make out that Discord no longer let me show it. Please try again, "
    "or with a shorter one."
)
_NOTHING: Final = N_("There is no recording in that message: neither a voice message nor a file with sound.")


def acknowledge(call: AckCall[Message]) -> Defer | Say:
    """A message without a recording needs no work. Only the person who asks sees what is said."""
    if recording(call.given) is None:
        return Say(Reply(call.t(_NOTHING)), ephemeral=True)
    return Defer(ephemeral=True)


def work(call: WorkCall[Message]) -> Reply:
    """Recognise the message's first recording."""
    # Recognising speech needs what acknowledging does without.
    from interactions.listening import clock, listen, transcript_files  # noqa: PLC0415
    from interactions.outcomes import Track  # noqa: PLC0415
    from interactions.wording import plain  # noqa: PLC0415

    t, attachment = call.t, recording(call.given)
    if attachment is None:
        return Reply(t(_NOTHING))
    if Track(call.services.store, call.actor.scope, call.interaction.id, time.time).delivery.finished:
        return Reply("", kept=False)  # a second delivery shows nothing, so it need not recognise anything
    heard = listen(call, attachment, stored=False)
    found = heard.transcription
    length = clock(found.seconds)
    lines = [t(N_("🎙️ What is said in {name} ({length}):"), name=plain(heard.name), length=length)]
    shown = plain(heard.text)
    files: tuple[ReplyFile, ...] = transcript_files(heard)
    if len(shown) <= SHOWN_MOST:
        lines.append(f"> {shown}")
        files = files[1:] if len(found.parts) > 1 else ()
    else:
        lines.append(f"> {shown[:SHOWN_MOST].rsplit(' ', 1)[0].rstrip()}…")
        lines.append(t(N_("-# The whole transcript is in the file.")))
    if found.outcome == "doubtful":
        lines.append(t(N_("-# I could hardly make it out, so this may be wrong.")))
    others = len(recordings(call.given)) - 1
    if others:
        told = t.plural(
            "-# There is {count} more recording in it.", "-# There are {count} more recordings in it.", others
        )
        lines.append(told)
    return Reply("\n".join(lines), files=files, kept=False, instead=t(_TOO_LATE))


def recording(message: Message) -> Attachment | None:
    """The first of a message's files that may have sound in it."""
    return next(iter(recordings(message)), None)


def recordings(message: Message) -> list[Attachment]:
    """All of them, and those of the messages that it forwards."""
    forwarded = [file for snapshot in message.message_snapshots for file in snapshot.message.attachments]
    return [file for file in (*message.attachments, *forwarded) if _has_sound(file)]


def _has_sound(attachment: Attachment) -> bool:
    return bool(SOUND_TYPES.match(attachment.content_type or "") or SOUND_NAMES.fullmatch(attachment.filename))


COMMANDS = (MessageCommand(name="Transcribe", handler=Handler(acknowledge, work)),)
