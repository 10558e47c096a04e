"""What the sidecar adds to a spoken answer, and what listening costs, with models that take no time.

The other side is the Discord emulator of the tests in a process of its own: people with Discord's own libdave, RTP
and transport encryption over UDP on loopback. The sidecar is whole but for its models. Beside it, where there is
something alike: discord.py's hook for datagrams with the same decryption and libopus, as extensions of it do it.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

from bench.report import Aim, Result, p95, table_of
from bench.voice_place import Place, environment
from bench.voice_world import ROOT, Load, calls, conversations, crowd, interruptions, program
from tests.voice.discord import Discord
from trainer import bootstrap
from trainer.configuration import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.report import Value

CALLS: Final = 4
"""At a time, for latencies."""
ROUNDS: Final = 8
INTERRUPTED: Final = 6
LONG_S: Final = 20.0
"""How long an answer is that is to be interrupted."""
CROWDS: Final = (1, 5, 10, 25)
SPEAKING_S: Final = 4.0


def measure() -> Result:
    """Latencies and interruptions, the load of many speakers, an hour's memory."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        answers, silences, idle, ours = asyncio.run(sidecar(Path(name)))
    theirs = asyncio.run(discord_py())
    child = subprocess.run([sys.executable, "-m", "bench.voice_hour"], stdout=subprocess.PIPE, check=True, cwd=ROOT)
    hour = json.loads(child.stdout)
    grown = hour["after"] - hour["before"]
    tables = (
        table_of(
            f"Our own share of the time, {CALLS} calls at once, ms",
            "from … to …",
            {
                "end of voice + 0.7 s of silence to first sound": spread(answers),
                "250 ms of voice to last sound": spread(silences),
            },
        ),
        table_of("Speakers at once, without a pause, in a channel of 25", "speakers", loads(ours, theirs)),
        table_of("An hour of one speaker, with pauses, through receiver and ear", "", {"in all": remembered(hour)}),
    )
    ten = next(load for load in ours if load.people == 10)
    aims = (
        Aim("end of voice + 0.7 s of silence to first sound, ms, p95", 1000 * p95(answers), "at most", 60),
        Aim("250 ms of voice to last sound, ms, p95", 1000 * p95(silences), "at most", 100),
        Aim("packets that were not heard, of 10 speakers", ten.missing, "at most", 0),
        Aim("memory grown by an hour's packets, MiB", grown, "at most", 8),
    )
    place = "one core for itself" if cores()[0] is not None else "whatever core is free"
    real_time = "with" if os.sched_getscheduler(0) != os.SCHED_OTHER else "without"
    notes = (
        "Recogniser, chat model and voice answer at once; retrieval, settings and files are real.",
        f"The sidecar has {place}, {real_time} real-time priority; before it began, {load:.1f} other programs ran.",
        f"Nobody speaks: {100 * idle:.1f} % of a core, with 25 people in the channel.",
        "discord.py's side neither orders packets nor asks for consent, conceals what is lost, or looks for voice.",
        "From the end of voice: the model of voice activity notices it late, which counts; its windows are 32 ms.",
    )
    about = "The sidecar between people who speak and models that take no time, against the emulated Discord."
    return Result(about, tables, aims, notes)


async def sidecar(folder: Path) -> tuple[list[float], list[float], float, list[Load]]:
    """Latencies, interruptions, the load without a speaker, the loads with some."""
    ours, world = cores()
    if world is not None:
        os.sched_setaffinity(0, {world})
    async with Discord() as emulator:
        environ = {**environment(emulator, folder), "TRAINGER_LOG_LEVEL": "ERROR"}
        configuration = read(environ, {})
        services = bootstrap.make_services(configuration)
        async with program("bench.voice_process", environ, core=ours) as running:
            people = await calls(emulator, configuration, services, CALLS)
            answers = await conversations(people, ROUNDS)
            await running.ask({"answer_s": LONG_S})
            silences = await interruptions(people, INTERRUPTED)
            await running.ask({"answer_s": 0.3})
            for human in people:
                await human.leave()
            place = Place(emulator, configuration, services)
            people = [await place.comes(200 + number) for number in range(max(CROWDS))]
            await place.join(200)
            question = {"answer_s": None}
            before = await running.ask(question)
            await asyncio.sleep(2)
            after = await running.ask(question)
            idle = (after["cpu"] - before["cpu"]) / (after["at"] - before["at"])
            found = await crowd(people, running, question, CROWDS, SPEAKING_S)
        services.close()
        assert emulator.violations == []
    return answers, silences, idle, found


async def discord_py() -> list[Load]:
    """The same load for discord.py with a hook."""
    async with Discord() as emulator:
        guild = emulator.add_guild()
        channel = guild.add_voice_channel()
        people = [guild.add_human(200 + number, "Somebody") for number in range(max(CROWDS))]
        for human in people:
            await human.join(channel)
        environ = {
            "DISCORD_TOKEN": emulator.token,
            "DISCORD_API_BASE_URL": emulator.api_base_url,
            "GATEWAY_URL": emulator.gateway_url,
            "SSL_CERT_FILE": str(emulator.certificate),
        }
        async with program("bench.voice_peer", environ, core=cores()[0]) as peer:
            await guild.bot_in(channel, within=60)
            await peer.ask({"users": {human.ssrc: human.user_id for human in people}})
            return await crowd(people, peer, {}, CROWDS, SPEAKING_S)


def cores() -> tuple[int | None, int | None]:
    """A core for the listener and one for the people, where they can be chosen and there are two."""
    if not hasattr(os, "sched_setaffinity"):
        return None, None
    count = os.cpu_count() or 1
    return (0, 1) if count > 1 else (None, None)


def spread(seconds: Sequence[float]) -> dict[str, Value]:
    """In milliseconds."""
    return {
        "times": len(seconds),
        "p50": 1000 * median(seconds),
        "p95": 1000 * p95(seconds),
        "worst": 1000 * max(seconds),
    }


def loads(ours: Sequence[Load], theirs: Sequence[Load]) -> dict[str, dict[str, Value]]:
    """Side by side."""
    return {
        str(load.people): {
            "core %": 100 * load.share,
            "core % a speaker": 100 * load.share / load.people,
            "packets": load.sent,
            "not heard": load.missing,
            "people's side late ms": round(1000 * load.late_s),
            "discord.py's hook: core %": 100 * peer.share,
            "not decoded": peer.missing,
        }
        for load, peer in zip(ours, theirs, strict=True)
    }


def remembered(hour: dict[str, float]) -> dict[str, Value]:
    """What the hour left behind."""
    return {
        "packets": int(hour["packets"]),
        "turns": int(hour["turns"]),
        "MiB after 3 minutes": hour["before"],
        "MiB at the end": hour["after"],
        "our time s": hour["cpu"],
        "µs a packet": 1e6 * hour["cpu"] / hour["packets"],
    }
