"""What is said in an attachment: fetched, recognised, shown above the answer. Nothing of the sound is kept."""

from __future__ import annotations

import logging
import time
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from interactions.failures import Sorry, attachment_sentence
from interactions.outbound import ReplyFile
from interactions.wording import plain
from trainer.i18n import N_, languages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from interactions.call import WorkCall
    from interactions.heard_pieces import Pieces
    from interactions.outbound import Reply
    from interactions.payloads import Attachment
    from trainer.i18n import Translator
    from trainer.speech.transcribing import Transcription

SECONDS_MOST: Final = 3_600.0
"""How long a recording may be."""
MIB_MOST: Final = 128
"""How large: an hour as MP3 at 256 kbit/s, or as 16-bit WAV at 16 kHz, has 110."""
LISTENING_MOST_S: Final = 840.0
"""How long taking one apart and recognising it may take: a little less than replies can be shown in their place."""
QUOTED_MOST: Final = 700
"""Characters of a transcript above an answer; a longer one goes along as a file."""
MARK: Final = "🎙️ "
WAIT: Final = "⏳ "
BAR: Final = 10
"""Signs of the progress bar."""

_NO_RECOGNISER: Final = N_("I cannot listen here: whoever runs me has set up no speech recognition.")
_OVER_BUDGET: Final = N_("This month's budget is used up, so I cannot listen until the next one. Please type it.")
_REFUSALS: Final[Mapping[str, str]] = {
    "unsupported": N_(
        "I don't know that kind of file. I listen to voice messages, OGG, MP3, M4A, WAV, WebM, FLAC, MP4."
    ),
    "broken": N_("The recording is damaged: I could not read it to the end."),
    "no_audio_track": N_("There is no sound in that file."),
    "empty": N_("The recording is empty."),
    "encrypted": N_("The recording is protected against copying, so I cannot open it."),
    "too_long": N_("The recording is longer than {minutes} minutes, which is the most that I listen to."),
    "too_slow": N_("The recording took too long to open. A shorter one, or a plain MP3, may work."),
}
_UNHEARD: Final[Mapping[str, str]] = {
    "silent": N_("I hear nothing in that recording: it is silent."),
    "noise": N_("I hear only noise in that recording, and nobody who speaks."),
    "no_speech": N_("I could not make out any words in that recording."),
}

log = logging.getLogger(__name__)


class Heard(NamedTuple):
    """What was said."""

    text: str
    transcription: Transcription
    name: str
    """The file's, as it may be shown."""


def listen(call: WorkCall[Any], attachment: Attachment, *, stored: bool = True) -> Heard:
    """Recognise what is said. Raises `Sorry` where nobody can make anything of it, and `ModelUnavailable`.

    What an earlier delivery of the job has recognised is not recognised again: it is `stored` until the reply is out,
    or where that may not be, remembered by this process.
    """
    # Sound needs what acknowledging does without.
    from interactions.attachments import AttachmentRefused, safe_filename  # noqa: PLC0415
    from interactions.heard_pieces import Sparing  # noqa: PLC0415
    from trainer.speech.audio_pcm import AudioRefused  # noqa: PLC0415
    from trainer.speech.decoding import time_limit  # noqa: PLC0415
    from trainer.speech.transcribing import transcribe_file  # noqa: PLC0415

    t, services = call.t, call.services
    transcriber = services.transcriber
    if transcriber is None or services.decoder is None:
        raise Sorry(t(_NO_RECOGNISER))
    paid = not transcriber.local and services.ledger is not None
    if paid and services.ledger is not None and services.ledger.spending(call.actor.scope).exhausted:
        raise Sorry(t(_OVER_BUDGET))
    call.tools.progress(WAIT + t(N_("Listening…")))

    def tell(done_s: float, whole_s: float | None) -> None:
        call.tools.progress(WAIT + progress_text(t, done_s, whole_s))

    started = time.monotonic()
    pieces = _pieces(call, stored=stored)
    call.tools.afterwards(pieces.drop)
    try:
        with call.tools.fetch(attachment, keep=False, most_mib=MIB_MOST) as path:
            found = transcribe_file(
                path,
                Sparing(transcriber, pieces, partial(_count, call, transcriber.name)),
                services.decoder,
                languages=_languages(call),
                keywords=services.keywords(call.actor.scope) if services.keywords is not None else (),
                most_s=SECONDS_MOST,
                on_progress=tell,
                check=time_limit(LISTENING_MOST_S, call.tools.check),
            )
    except AttachmentRefused as refused:
        raise Sorry(attachment_sentence(t, refused.reason, MIB_MOST)) from None
    except AudioRefused as refused:
        raise Sorry(t(_REFUSALS[refused.reason], minutes=round(SECONDS_MOST / 60))) from None
    seconds = {"sound_s": round(found.seconds, 1), "took_s": round(time.monotonic() - started, 2)}
    log.info("recognised", extra={"model": transcriber.name, "language": found.language, **seconds})
    if not found.heard:
        raise Sorry(t(_UNHEARD[found.outcome]))
    return Heard(found.text, found, safe_filename(attachment.filename))


def progress_text(t: Translator, done_s: float, whole_s: float | None) -> str:
    """How far it is: a bar where it is known how long the recording is."""
    if not whole_s:
        return t(N_("Listening: {done} so far…"), done=clock(done_s))
    full = min(BAR, int(BAR * done_s / whole_s))
    bar = "▰" * full + "▱" * (BAR - full)
    return t(
        N_("Listening: {bar} {done} of {whole}"), bar=bar, done=clock(min(done_s, whole_s)), whole=clock(whole_s)
    )


def clock(seconds: float) -> str:
    """A length as players show it: 1:05, or 1:02:05."""
    whole = max(0, round(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def with_transcript(t: Translator, heard: Heard, reply: Reply) -> Reply:
    """The reply with what was heard above it; a long transcript goes along as text and as subtitles."""
    found = heard.transcription
    doubtful = [t(N_("-# I could hardly make it out, so this may be wrong."))] if found.outcome == "doubtful" else []
    if len(heard.text) <= QUOTED_MOST:
        head = [f"> {MARK}{plain(heard.text)}", *doubtful]
        return msgspec.structs.replace(reply, content="\n".join([*head, reply.content]).rstrip())
    begins = plain(heard.text[:QUOTED_MOST].rsplit(" ", 1)[0].rstrip()) + "…"
    told = t(N_("-# {length} of sound; the whole transcript is in the file."), length=clock(found.seconds))
    content = "\n".join([f"> {MARK}{begins}", told, *doubtful, reply.content]).rstrip()
    return msgspec.structs.replace(reply, content=content, files=(*reply.files, *transcript_files(heard)))


def transcript_files(heard: Heard) -> tuple[ReplyFile, ReplyFile]:
    """What was said, as text and as subtitles."""
    from trainer.speech.subtitles import to_srt, to_txt  # noqa: PLC0415 - as above

    stem = heard.name.rpartition(".")[0] or heard.name
    parts = heard.transcription.parts
    return (
        ReplyFile(f"{stem}.txt", to_txt(parts).encode()),
        ReplyFile(f"{stem}.srt", to_srt(parts).encode(), "application/x-subrip"),
    )


def _languages(call: WorkCall[Any]) -> tuple[str, ...]:
    """Which languages may be spoken here: the person's, the server's, and those that we speak ourselves."""
    locales = (call.interaction.locale, call.interaction.guild_locale, *languages())
    return tuple(dict.fromkeys(locale.partition("-")[0] for locale in locales if locale))


def _pieces(call: WorkCall[Any], *, stored: bool) -> Pieces:
    """What was recognised before of this job's recording, and is from now on."""
    from interactions.heard_pieces import RememberedPieces, StoredPieces  # noqa: PLC0415 - as above

    if not stored:
        return RememberedPieces(call.interaction.id)
    return StoredPieces(call.services.store, call.actor.scope, call.interaction.id, call.actor.user_id)


def _count(call: WorkCall[Any], model: str, seconds: float) -> None:
    """Enter into the ledger what a piece cost, at once, under a name of its own: whatever becomes of the rest."""
    from trainer.speech.prices import recognised_usd  # noqa: PLC0415 - as above

    if call.services.ledger is not None:
        name = f"{call.interaction.id}-heard-{token_hex(4)}"
        call.services.ledger.record_cost(call.actor.scope, name, model, recognised_usd(model, seconds))
