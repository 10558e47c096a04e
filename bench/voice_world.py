"""The people's side of bench/voice: the emulator with Discord's libdave, in this process, and programs beside it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.voice_place import STARTS_S, Place
from bench.voice_process import QUESTION, SILENCE_S
from bench.voice_sound import fell_silent, first_audible, moments, speech
from tests.voice.discord import until
from voice_sidecar.playback.opus import SILENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from tests.voice.discord import Discord, Human
    from trainer.configuration import Configuration
    from trainer.services import Services

ROOT = Path(__file__).parents[1]
SLOT_S = 0.02
SAID_S = 1.2
VOICED_S = 0.25
"""Of voice that silences us."""
QUIET_S = 0.3
BETWEEN_S = 1.6
"""From the end of a turn to the next, so that the listener does not take the pause for one of the speaker's."""


class Program:
    """A program that answers each line with what it has spent and counted."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, question: object) -> dict[str, Any]:
        """What it says."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        answer = await asyncio.wait_for(self._process.stdout.readline(), STARTS_S)
        found: dict[str, Any] = json.loads(answer)
        return found


@contextlib.asynccontextmanager
async def program(module: str, environ: Mapping[str, str], *, core: int | None) -> AsyncIterator[Program]:
    """One that runs meanwhile; on one core, where it can be told so."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module),
        cwd=ROOT,
        env={**inherited, **environ},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    if core is not None:
        os.sched_setaffinity(process.pid, {core})
    try:
        yield Program(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 20)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise
    if process.returncode:
        raise RuntimeError(f"{module} ended with {process.returncode}")


class Said(NamedTuple):
    """When somebody's first and last packet with voice was sent."""

    first: float
    last: float


async def say(human: Human, packets: Sequence[bytes]) -> Said:
    """As Discord's clients do: a packet every 20 ms, and five of silence after the last."""
    human.announce(1)
    began = time.monotonic()
    times = []
    for index, packet in enumerate([*packets, *[SILENCE] * 5]):
        await asyncio.sleep(max(0.0, began + index * SLOT_S - time.monotonic()))
        human.send(packet if packet == SILENCE else human.seal(packet), padding=4 * (index % 4 == 3))
        times.append(time.monotonic())
    human.announce(0)
    return Said(times[0], times[len(packets) - 1])


async def calls(emulator: Discord, configuration: Configuration, services: Services, count: int) -> list[Human]:
    """Somebody alone with the bot, in each of so many servers that know the answer."""
    people = []
    for number in range(count):
        place = Place(emulator, configuration, services)
        place.train(f"Q: {QUESTION}\nA: It is in your mailbox.\n")
        people.append(await place.comes(100 + number))
        await place.join(100 + number)
    return people


async def conversations(people: Sequence[Human], rounds: int) -> list[float]:
    """Seconds from the pause that ends a turn to the first sound of the answer, each time somebody asks.

    The first time does not count: then everything is loaded.
    """

    async def ask(human: Human, number: int) -> list[float]:
        await asyncio.sleep(number * 0.31)
        found = []
        for _ in range(rounds + 1):
            before = len(human.heard)
            said = await say(human, speech(SAID_S))
            await until(lambda: sounding(human, before), "the answer begins", within=20)  # noqa: B023 - awaited here
            await asyncio.sleep(QUIET_S)
            began = first_audible(moments(human.heard[before:]), said.last)
            assert began is not None
            found.append(began - said.last - SILENCE_S)
            await asyncio.sleep(max(0.0, began + BETWEEN_S - time.monotonic()))
        return found[1:]

    return [one for found in await asyncio.gather(*map(ask, people, range(len(people)))) for one in found]


async def interruptions(people: Sequence[Human], rounds: int) -> list[float]:
    """Seconds from a quarter of a second of voice to the last sound of the answer that it interrupts."""

    async def interrupt(human: Human, number: int) -> list[float]:
        await asyncio.sleep(number * 0.31)
        before = len(human.heard)
        await say(human, speech(SAID_S))
        found = []
        for _ in range(rounds):
            await until(lambda: sounding(human, before, 25), "the answer goes on", within=20)  # noqa: B023
            before = len(human.heard)
            said = await say(human, speech(SAID_S))
            silent = fell_silent(moments(human.heard[before:]), said.first, quiet_s=QUIET_S)
            assert silent is not None
            assert silent < said.last, "it was not interrupted"
            found.append(silent - said.first - VOICED_S)
            before = len(human.heard)
        return found

    return [one for found in await asyncio.gather(*map(interrupt, people, range(len(people)))) for one in found]


def sounding(human: Human, since: int, least: int = 3) -> bool:
    """Whether somebody has heard more than silence."""
    return sum(one.packet != SILENCE for one in human.heard[since:]) >= least


class Load(NamedTuple):
    """What it costs to hear so many people who speak at once."""

    people: int
    share: float
    """Of one core."""
    sent: int
    """Packets with voice."""
    missing: int
    """Those that were not heard: lost on the way, or dropped."""
    late_s: float
    """By which the people's side was slower than real time."""


async def crowd(
    people: Sequence[Human], listener: Program, question: object, counts: Sequence[int], seconds: float
) -> list[Load]:
    """Has more and more of the people of one channel speak at once, without a pause."""
    found = []
    packets = speech(seconds)
    for count in counts:
        before = await listener.ask(question)
        began = time.monotonic()
        await asyncio.gather(
            *(delayed(human, packets, SLOT_S * at / count) for at, human in enumerate(people[:count]))
        )
        took = time.monotonic() - began
        after = await listener.ask(question)
        await asyncio.sleep(SILENCE_S + 0.5)  # until all turns are over, and whatever is late was given up
        settled = await listener.ask(question)
        sent = count * len(packets)
        heard = int(settled["heard"] - before["heard"])
        share = (after["cpu"] - before["cpu"]) / (after["at"] - before["at"])
        late = took - (len(packets) + 5) * SLOT_S
        found.append(Load(count, share, sent, sent - heard, late))
    return found


async def delayed(human: Human, packets: Sequence[bytes], seconds: float) -> None:
    """Not all of them send in the same moment."""
    await asyncio.sleep(seconds)
    await say(human, packets)
