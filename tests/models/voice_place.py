"""A voice channel for real voices: the emulator, people, and the sidecar as a process of its own with real models."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bench.voice_place import Place, environment
from tests.voice.discord import Discord, decode, encode, until
from trainer import bootstrap
from trainer.configuration import read
from trainer.ports import Sound
from trainer.speech.audio_bytes import resampled
from trainer.speech.audio_pcm import RATE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.voice.discord import Human
    from trainer.services import Services
    from trainer.speech.audio_pcm import Samples

ROOT: Final = Path(__file__).parents[2]
DISCORD_RATE: Final = 48_000
ANSWERED_S: Final = 180.0
"""On a busy machine a recogniser takes many seconds."""


def packets_of(sound: Sound) -> list[bytes]:
    """Opus as Discord's clients send it."""
    mono = np.frombuffer(resampled(sound, DISCORD_RATE).pcm, "<i2")
    return encode(np.repeat(mono, 2).astype("<i2").tobytes())


def sound_of(samples: Samples) -> Sound:
    return Sound(samples.astype("<i2").tobytes(), RATE)


def heard_by(human: Human, since: int = 0) -> Samples:
    """What somebody heard of the bot, at 16 kHz, with the silence in it."""
    stereo = np.frombuffer(decode([one.packet for one in human.heard[since:]]), "<i2").reshape(-1, 2)
    mono = resampled(Sound(stereo[:, 0].astype("<i2").tobytes(), DISCORD_RATE), RATE)
    return np.frombuffer(mono.pcm, "<i2").astype(np.int16)


class SpokenPlace(Place):
    """A server where the sidecar is. Made by `place`."""

    def __init__(self, emulator: Discord, services: Services, **environ: str) -> None:
        super().__init__(emulator, read(environ, {}), services)
        self.store = services.store
        self.turns: list[dict[str, Any]] = []
        """What the sidecar's log says of each turn."""
        self.troubles: list[str] = []
        """What else it says that is not only information."""

    async def reported(self, count: int) -> dict[str, Any]:
        """What became of a turn, by its number, once it is known."""
        await until(lambda: len(self.turns) >= count, "what was said is dealt with", within=ANSWERED_S)
        return self.turns[count - 1]

    async def listen(self, output: asyncio.StreamReader) -> None:
        """Reads the sidecar's log."""
        async for line in output:
            record = json.loads(line)
            if record["message"] == "spoken turn":
                self.turns.append(record)
                numbers = {name: one for name, one in record.items() if not isinstance(one, str)}
                print(record["outcome"], numbers, file=sys.stderr)
            elif record["level"] != "INFO":
                self.troubles.append(line.decode())


@contextlib.asynccontextmanager
async def place(folder: Path, whisper: Path) -> AsyncIterator[SpokenPlace]:
    """A server, and a sidecar that can be called.

    Args:
        folder: for what it keeps.
        whisper: the folder of the model.
    """
    async with Discord() as emulator:
        environ = {
            **environment(emulator, folder),
            "TRAINGER_STT": f"whisper:{whisper}",
            "TRAINGER_TTS": "local",
        }
        services = bootstrap.make_services(read(environ, {}))
        it = SpokenPlace(emulator, services, **environ)
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "voice_sidecar"),
            cwd=folder,
            env={**inherited, "PYTHONPATH": str(ROOT), **environ},
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        listening = asyncio.create_task(it.listen(process.stderr))
        try:
            yield it
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            code = await asyncio.wait_for(process.wait(), 30)
            await listening
            services.close()
        assert code == 0
        assert it.troubles == []
        assert emulator.violations == []
