"""Sounds to be said, connections that write down what they are given, and time that passes as fast as it can."""

from __future__ import annotations

import asyncio
import threading
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import opuslib_next  # type: ignore[import-untyped]

from tests.voice.talker import speech
from trainer.ports.speech import Sound
from voice_sidecar.playback.opus import SILENCE, Encoding
from voice_sidecar.playback.phrases import Packet, Phrase, encoded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Wave = np.ndarray[Any, np.dtype[np.float64]]


def tone(hertz: float, *, rate: int = 24_000, seconds: float = 1.0, peak: float = 8_000, phase: float = 0.0) -> Sound:
    time = np.arange(round(rate * seconds)) / rate
    return Sound((peak * np.sin(2 * np.pi * hertz * time + phase)).astype("<i2").tobytes(), rate)


def voice(seconds: float, *, gain: float = 1.0, seed: int = 7, rate: int = 24_000) -> Sound:
    """Like speech, at 24 or 48 kHz; its syllables are about a third of a second apart."""
    samples = speech(round(seconds * 50), seed=seed)[:: 48_000 // rate, 0]
    return Sound(np.clip(samples * gain, -32_768, 32_767).astype("<i2").tobytes(), rate)


def samples(sound: Sound) -> Wave:
    return np.frombuffer(sound.pcm, "<i2").astype(float)


def packets_of(sound: Sound) -> list[bytes]:
    return [packet.data for batch in encoded(sound, Encoding()) for packet in batch]


@cache
def packets_of_voice(seconds: float, seed: int = 7) -> tuple[bytes, ...]:
    """Those of `voice`, each time the same."""
    return tuple(packets_of(voice(seconds, seed=seed)))


def listened(packets: Iterable[bytes]) -> Wave:
    """What somebody hears who misses nothing, at 48 kHz."""
    decoder = opuslib_next.Decoder(48_000, 1)
    return np.concatenate([np.frombuffer(decoder.decode(packet, 960), "<i2").astype(float) for packet in packets])


def phrase(text: str, levels: Iterable[float], name: int = 1) -> Phrase:
    """One whose packets are made: two bytes, its name and their number."""
    packets = [Packet(bytes([name, index]), level) for index, level in enumerate(levels)]
    made = Phrase(text, iter([]), len(packets) / 50)
    made.grow(packets)
    made.grow(None)
    return made


def unmade(text: str, count: int) -> Phrase:
    """One whose packets are yet to be made."""

    def source() -> Iterator[list[Packet]]:
        yield [Packet(bytes([1, index]), -20.0) for index in range(count)]

    return Phrase(text, source(), count / 50)


class Line:
    """A connection.

    Args:
        takes: whether it takes a packet, by how many it was given before it.
    """

    def __init__(self, takes: Callable[[int], bool] = lambda _: True) -> None:
        self.takes = takes
        self.given = 0
        self.packets: list[bytes] = []
        self.shown: list[tuple[int, bool]] = []
        """How many packets it had taken when it was shown that we speak, or no longer do."""
        self.at: dict[int, Callable[[], object]] = {}
        """What happens while it is given a packet, by how many it was given before it."""
        self.gate = threading.Event()
        """It takes its time until this is set."""
        self.gate.set()

    def send(self, packet: bytes) -> bool:
        assert self.gate.wait(30)
        number = self.given
        self.given += 1
        taken = self.takes(number)
        if taken:
            self.packets.append(packet)
        self.at.get(number, lambda: None)()
        return taken

    def speaking(self, on: bool) -> None:
        self.shown.append((len(self.packets), on))

    @property
    def sounds(self) -> list[bytes]:
        return [packet for packet in self.packets if packet != SILENCE]


class Hurry:
    """A clock that jumps to what is waited for."""

    def __init__(self) -> None:
        self.now = 100.0

    def clock(self) -> float:
        return self.now

    def wait(self, changed: threading.Condition, seconds: float | None) -> None:
        if seconds is None:
            changed.wait()
        else:
            self.now += seconds


async def until(happened: Callable[[], bool]) -> None:
    """Waits for what another thread does."""
    async with asyncio.timeout(30):
        while not happened():  # noqa: ASYNC110 - threads set no event of the loop
            await asyncio.sleep(0.001)
