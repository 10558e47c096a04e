"""A reply said aloud: the voice message that goes with it, or a line that says why there is none."""

from __future__ import annotations

import logging
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

import msgspec

from interactions.outbound import Reply, ReplyFile
from trainer.i18n import N_
from trainer.ports import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interactions.call import WorkCall
    from trainer.speech.audio_pcm import Samples
    from trainer.speech.speaking import Speaker, Spoken

RATE: Final = 24_000
"""Samples a second of what is put together: as many as the voices have."""
PAUSE_MS: Final = 200
"""Between two sentences."""
FADE_MS: Final = 5
"""At the ends of each: a voice may begin and end in the middle of a wave."""
WAIT: Final = "⏳ "

SAID_MOST: Final = 10_000
"""Characters of an answer that is read out: about twelve minutes. Nobody is paid for more."""
_TOO_LONG: Final = N_("-# It is too long to be said in one voice message.")
_NO_VOICE: Final = N_("-# I cannot speak here: whoever runs me has set up no voice.")
_NOT_NOW: Final = N_("-# I could not say it aloud: no voice answers right now. The text is all there.")
_OVER_BUDGET: Final = N_("-# This month's budget is used up, so I did not read it out.")
_NOTHING: Final = N_("-# There is nothing in this answer that can be said aloud.")

log = logging.getLogger(__name__)


def aloud(call: WorkCall[Any], reply: Reply, text: str, language: str = "") -> Reply:
    """The reply with a voice message that says `text`, or with a line that says why there is none.

    Args:
        call: what asks for it.
        reply: what is shown.
        text: what is said: Discord's Markdown.
        language: of the text; empty: found by its letters.
    """
    t, speaker = call.t, call.services.speaker
    if speaker is None:
        return _with_line(reply, t(_NO_VOICE))
    if len(text) > SAID_MOST:
        return _with_line(reply, t(_TOO_LONG))
    ledger = call.services.ledger
    if ledger is not None and ledger.spending(call.actor.scope).exhausted:
        speaker = speaker.free()
        if not speaker.voices:
            return _with_line(reply, t(_OVER_BUDGET))
    call.tools.progress(WAIT + t(N_("Reading it out…")))
    said: list[Spoken] = []
    try:
        file = _voice_message(_noted(call, _sentences(call, speaker, text, language), said))
    except ModelUnavailable as error:
        log.warning("nothing said aloud", extra={"reason": error.reason})
        return _with_line(reply, t(_NOT_NOW))
    finally:
        _count(call, said)
    if file is None:
        return _with_line(reply, t(_NOTHING))
    if len(file.data) > call.interaction.attachment_size_limit:
        return _with_line(reply, t(_TOO_LONG))
    return msgspec.structs.replace(reply, files=(*reply.files, file))


def _sentences(call: WorkCall[Any], speaker: Speaker, text: str, language: str) -> Iterator[Spoken]:
    """The text, as fast and in the voice that was chosen here."""
    from trainer.settings import scope_settings  # noqa: PLC0415 - speaking needs what acknowledging does without

    settings = scope_settings(call.services.store, call.actor.scope)
    return speaker.say(text, language, speed=settings.speech_speed, voice=settings.speech_voice)


def _noted(call: WorkCall[Any], sentences: Iterator[Spoken], said: list[Spoken]) -> Iterator[Spoken]:
    """The same, as long as the job is ours."""
    for spoken in sentences:
        said.append(spoken)
        call.tools.check()
        yield spoken


def _count(call: WorkCall[Any], said: list[Spoken]) -> None:
    """Enter into the ledger what the voices cost, each under a name of its own.

    A second delivery that has to ask them again pays again, so its entries are others.
    """
    from trainer.speech.prices import spoken_usd  # noqa: PLC0415 - as above

    if call.services.ledger is None:
        return
    new = [spoken for spoken in said if not spoken.cached]
    for voice in dict.fromkeys(spoken.voice for spoken in new):
        its = [spoken for spoken in new if spoken.voice == voice]
        usd = spoken_usd(voice, sum(len(one.text) for one in its), sum(one.sound.seconds for one in its))
        call.services.ledger.record_cost(call.actor.scope, f"{call.interaction.id}-said-{token_hex(4)}", voice, usd)


def _voice_message(sentences: Iterator[Spoken]) -> ReplyFile | None:
    """The sentences as a voice message; None if there are none. Raises `ModelUnavailable`."""
    from interactions.scratch import scratch  # noqa: PLC0415 - sound needs what acknowledging does without
    from trainer.speech.audio_pcm import AudioRefused  # noqa: PLC0415
    from trainer.speech.voice_message import CONTENT_TYPE, FILE_NAME, write_voice_message  # noqa: PLC0415

    with scratch() as folder:
        path = folder / FILE_NAME
        try:
            written = write_voice_message(_samples(sentences), path, rate=RATE)
        except AudioRefused:
            return None
        return ReplyFile(
            FILE_NAME,
            path.read_bytes(),
            CONTENT_TYPE,
            duration_secs=written.duration_secs,
            waveform=written.waveform,
        )


def _samples(sentences: Iterator[Spoken]) -> Iterator[Samples]:
    """The sentences one after the other, without clicks at their ends, with pauses between them."""
    import numpy as np  # noqa: PLC0415 - as above

    from trainer.speech.audio_bytes import resampled  # noqa: PLC0415
    from trainer.speech.audio_segments import AudioSegment, samples_of, segment_of  # noqa: PLC0415

    pause = AudioSegment.silent(PAUSE_MS, frame_rate=RATE)
    for number, spoken in enumerate(sentences):
        sound = np.frombuffer(resampled(spoken.sound, RATE).pcm, "<i2").astype(np.int16, copy=False)
        segment = segment_of(sound, RATE).fade_in(FADE_MS).fade_out(FADE_MS)
        yield samples_of(pause + segment if number else segment)[0]


def _with_line(reply: Reply, line: str) -> Reply:
    return msgspec.structs.replace(reply, content=f"{reply.content}\n{line}")
