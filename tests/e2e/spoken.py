"""What tests of speech share: an ear that hears what it is told, a mouth that hums, recordings."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interactions.outbound import VOICE_MESSAGE
from playground.cdn import File
from playground.rules_messages import Upload
from tests.unit.speech.sounds import voice
from trainer.ports import ModelUnavailable, Sound, Transcript, TranscriptPart
from trainer.speech.encoding import write_audio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playground.messages import Message
    from tests.bot import Bot
    from trainer.ports import OnText
    from trainer.speech.audio_pcm import Samples

QUESTION = "Where is the coffee machine?"
ANSWER = "On the second floor, 5 m from the lift."
TOLD = f"Q: {QUESTION}\nA: {ANSWER}"


class Ear:
    """A transcriber that hears what it is told to."""

    name = "gpt-transcribe"
    most_s = 30.0
    local = True

    def __init__(self) -> None:
        self.hears = QUESTION
        self.failure: ModelUnavailable | None = None
        self.keywords: Sequence[str] = ()
        self.languages: Sequence[str] = ()
        self.heard: list[float] = []
        self.billed = False

    def transcribe(
        self,
        sound: Sound,
        *,
        language: str = "",
        languages: Sequence[str] = (),
        keywords: Sequence[str] = (),
        on_text: OnText | None = None,
    ) -> Transcript:
        self.keywords, self.languages = keywords, languages
        self.heard.append(sound.seconds)
        if self.failure is not None:
            raise self.failure
        parts = (TranscriptPart(0.0, sound.seconds, self.hears),) if self.hears else ()
        return Transcript(self.hears, "en", parts, billed_s=sound.seconds if self.billed else 0.0)


class Mouth:
    """A voice that hums as long as the text."""

    name = "hibari"

    def __init__(self) -> None:
        self.said: list[str] = []
        self.wishes: list[tuple[float, str]] = []
        self.failure: ModelUnavailable | None = None

    def speaks(self, language: str) -> bool:
        return True

    def speak(self, text: str, *, language: str, speed: float = 1.0, voice: str = "") -> Sound:
        if self.failure is not None:
            raise self.failure
        self.said.append(text)
        self.wishes.append((speed, voice))
        hum = np.sin(np.arange(round(0.05 * len(text) * 16_000)) / 16) * 9_000
        return Sound(hum.astype("<i2").tobytes(), 16_000)


def equip(bot: Bot, **services: Any) -> None:
    bot.stop_worker()
    bot.services = bot.services._replace(**services)
    bot.start_worker()


def recording(*sounds: Samples, form: Any = "ogg") -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sound"
        write_audio(list(sounds), path, rate=16_000, form=form)
        return path.read_bytes()


def spoken(name: str = "question.ogg", seconds: float = 2.0) -> File:
    return File(name, recording(voice(seconds)), "audio/ogg")


def leftovers() -> list[Path]:
    return list(Path(tempfile.gettempdir()).glob("trainger-job-*"))


def voice_messages(bot: Bot) -> list[Message]:
    return [message for message in bot.channel() if message.flags & VOICE_MESSAGE]


def said(bot: Bot, *files: tuple[str, bytes], content: str = "") -> str:
    uploads = [Upload(str(at), name, "", data) for at, (name, data) in enumerate(files)]
    ada = bot.ada()
    return bot.playground.desk.say(ada.user, ada.place.channel, content, uploads).id
