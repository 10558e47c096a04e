"""The sidecar with models that take no time, in a process of its own: what is left is our own share.

Everything else is as in production: connection, decryption, Opus, voice activity, conversation, retrieval, playback.
For each line `{"answer_s": …}` on its standard input it prints what it has spent and counted so far; the number, if
it is not null, is how long answers sound from then on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import threading
import warnings
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bench.voice_usage import usage
from trainer import bootstrap
from trainer.answering import Answering
from trainer.configuration import read
from trainer.ports import ChatReply, ChatUsage, Sound, Transcript, TranscriptPart
from trainer.speech.speaking import Speaker
from voice_sidecar.turns.ears import load_ears
from voice_sidecar.turns.settings import ear_settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # discord.py imports audioop, and does not use it here
    from voice_sidecar.sidecar import Sidecar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trainer.ports import ChatMessage

QUESTION: Final = "Where is the invoice?"
ANSWER: Final = "It is in your mailbox."
SILENCE_S: Final = 0.7
"""After which a turn is over."""
_RATE: Final = 24_000


class Recogniser:
    """Knows what is said."""

    name, most_s, local = "instant", 60.0, True

    def transcribe(self, sound: Sound, **_: Any) -> Transcript:  # noqa: ANN401 - whatever they are
        """The question."""
        return Transcript(QUESTION, "en", (TranscriptPart(0.0, sound.seconds, QUESTION),))


class Model:
    """Knows the answer."""

    name = "instant"

    def reply(
        self, messages: Sequence[ChatMessage], *, max_tokens: int, on_text: Callable[[str], None] | None = None
    ) -> ChatReply:
        """The same to everything."""
        del messages, max_tokens
        if on_text is not None:
            on_text(ANSWER)
        return ChatReply(ANSWER, self.name, ChatUsage(100, 10), truncated=False)


class Voice:
    """Hums, for as long as it is told to."""

    name = "hum"

    def __init__(self) -> None:
        self._at = np.zeros(0, "<i2")
        self.hum(0.3)

    def hum(self, seconds: float) -> None:
        """From now on."""
        at = np.arange(round(seconds * _RATE)) / _RATE
        self._at = (6_000 * np.sin(2 * np.pi * 220 * at)).astype("<i2")

    def speaks(self, language: str) -> bool:
        """Any."""
        return bool(language)

    def speak(self, text: str, *, language: str, speed: float = 1.0, voice: str = "") -> Sound:
        """A tone."""
        del text, language, speed, voice
        return Sound(self._at.tobytes(), _RATE)


async def main() -> None:
    """Runs until its standard input ends."""
    configuration = read(os.environ, {})
    made = bootstrap.make_services(configuration)
    voice = Voice()
    services = made._replace(
        transcriber=Recogniser(),
        speaker=Speaker([voice], cache_bytes=0),
        answering=Answering(made.library, Model(), "Answer."),
        limits=None,
        ledger=None,
    )
    ears = load_ears(ear_settings(SILENCE_S), semantic=False)
    sidecar = Sidecar(configuration, services, [bootstrap.make_voice_queue(configuration)], ears)
    running = asyncio.create_task(sidecar.run())
    over, loop = asyncio.Event(), asyncio.get_running_loop()

    def told() -> None:
        for line in sys.stdin:
            seconds = json.loads(line)["answer_s"]
            if seconds is not None:
                voice.hum(seconds)
            print(json.dumps(usage() | counted(sidecar)), flush=True)
        loop.call_soon_threadsafe(over.set)

    threading.Thread(target=told, daemon=True).start()
    await over.wait()
    await sidecar.close()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    made.close()


def counted(sidecar: Sidecar) -> dict[str, float]:
    """What became of packets, over all connections."""
    counters = [asdict(line.receiver.counters) for line in sidecar.connections.lines]
    return {
        "received": sum(one["received"] for one in counters),
        "heard": sum(one["heard"] for one in counters),
        "lost": sum(one["lost"] for one in counters),
        "dropped": sum(sum(one[name].values()) for one in counters for name in ("dropped", "undecryptable")),
    }


if __name__ == "__main__":
    asyncio.run(main())
