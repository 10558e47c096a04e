"""`python -m voice_sidecar`: joins voice channels, hears, answers. `--doctor` says what is missing, and the cure."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import warnings
from functools import partial
from typing import TYPE_CHECKING, Final

from trainer import bootstrap, logs, watchdog
from trainer.configuration import ConfigurationError
from trainer.voice_configuration import SHARD

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trainer.configuration import Configuration
    from trainer.ports import JobQueue
    from voice_sidecar.ops.doctor import Check

log = logging.getLogger("voice_sidecar")

UNKNOWN_TO_DISCORD: Final = (
    "voice needs an application of yours at Discord: set DISCORD_TOKEN in .env (docs/discord-setup.md says how). "
    "Everything else works without."
)
NOT_INSTALLED: Final = (
    "{name} is not installed. The sidecar has requirements of its own: "
    "pip install --require-hashes -r voice_sidecar/requirements.txt"
)


class Shards(argparse.Namespace):
    """What the command line says."""

    shard_ids: list[int] | None
    shard_count: int | None
    doctor: bool


def main(arguments: list[str] | None = None) -> int:
    """Run until a signal comes.

    Returns:
        0 when all is well; 1 where the doctor finds something, or Discord does not answer; 2 for a wrong setting.
    """
    options = _parser().parse_args(arguments, namespace=Shards())
    try:
        configuration = bootstrap.configure(with_playground=False)
        logs.set_up(configuration.log_level)
        with warnings.catch_warnings():
            # discord.py imports audioop, which Python is about to drop, for an encoder that is not used here.
            warnings.simplefilter("ignore", DeprecationWarning)
            import discord  # noqa: F401, PLC0415 - so that it can be said what is not installed
        if options.doctor:
            return _examine(configuration)
        ids, count = _shards(options, configuration)
        return asyncio.run(_run(configuration, ids, count))
    except ConfigurationError as error:
        return _refuse(str(error))
    except ModuleNotFoundError as error:
        return _refuse(NOT_INSTALLED.format(name=error.name))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m voice_sidecar", description="Listens and speaks in voice channels."
    )
    parser.add_argument(
        "--shard-ids", type=_numbers, metavar="0,1", help="which shards are this process's (default: all)"
    )
    parser.add_argument(
        "--shard-count", type=int, metavar="N", help="how many there are (default: as Discord recommends)"
    )
    parser.add_argument("--doctor", action="store_true", help="say what is missing, and how to mend it")
    return parser


def _numbers(text: str) -> list[int]:
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError("shard ids are numbers with commas between, such as 0,1") from None


def _refuse(text: str, code: int = 2) -> int:
    print(f"trainger: {text}", file=sys.stderr)
    return code


def _shards(options: Shards, configuration: Configuration) -> tuple[list[int] | None, int | None]:
    """Which shards are ours, and how many there are. Raises `ConfigurationError`."""
    from voice_sidecar.connection.client import check_shards  # noqa: PLC0415 - needs discord.py

    voice = configuration.voice
    count = options.shard_count
    if count is None and voice.shards > 1:
        count = voice.shards
    try:
        check_shards(options.shard_ids, count)
    except ValueError as error:
        raise ConfigurationError(f"--shard-ids and --shard-count: {error}") from None
    if SHARD in voice.queue and (count or 1) != voice.shards:
        text = "--shard-count and TRAINGER_VOICE_SHARDS must be the same where TRAINGER_VOICE_QUEUE has {shard} in it"
        raise ConfigurationError(text)
    return options.shard_ids, count


def make_queues(configuration: Configuration, shard_ids: Sequence[int] | None) -> list[JobQueue]:
    """The queues with the orders of our shards. Raises `ConfigurationError`."""
    voice = configuration.voice
    if SHARD not in voice.queue:
        return [bootstrap.make_voice_queue(configuration)]
    ours = shard_ids if shard_ids is not None else range(voice.shards)
    return [bootstrap.make_voice_queue(configuration, shard) for shard in ours]


async def _run(configuration: Configuration, ids: list[int] | None, count: int | None) -> int:
    from voice_sidecar.ops.endings import NOT_NOW, ending  # noqa: PLC0415 - needs what may not be installed
    from voice_sidecar.sidecar import Sidecar  # noqa: PLC0415
    from voice_sidecar.turns.ears import load_ears  # noqa: PLC0415
    from voice_sidecar.turns.settings import ear_settings  # noqa: PLC0415
    from voice_sidecar.turns.weights import WeightsMissing  # noqa: PLC0415

    if not configuration.token:
        raise ConfigurationError(UNKNOWN_TO_DISCORD)
    queues = make_queues(configuration, ids)
    services = bootstrap.make_services(configuration)
    try:
        ears = load_ears(ear_settings(configuration.voice.silence_seconds))
    except WeightsMissing as error:
        services.close()
        raise ConfigurationError(f"{error}; see voice_sidecar/requirements.txt") from None
    sidecar = Sidecar(configuration, services, queues, ears, shard_ids=ids, shard_count=count)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    running = loop.create_task(sidecar.run())
    stopping = loop.create_task(stop.wait())
    told = loop.create_task(_tell_watchdog())
    log.info("sidecar started", extra={"pid": os.getpid(), "turns": ears.name})
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        told.cancel()
        watchdog.stopping()
        await sidecar.close()
        services.close()
    try:
        await running
    except asyncio.CancelledError:
        pass
    except Exception as error:  # noqa: BLE001 - whatever it is, its words may be somebody's
        if not stop.is_set():
            log.critical("ended", extra=logs.places(error))
            why = ending(error, configuration)
            return NOT_NOW if why is None else _refuse(why.text, why.code)
    log.info("sidecar stopped")
    return 0


async def _tell_watchdog() -> None:
    """Say that we work for as long as the event loop turns. Discord being away is nothing that a restart mends."""
    watchdog.ready()
    while watchdog.watched():
        await asyncio.sleep(watchdog.interval_s())
        watchdog.alive()


def _examine(configuration: Configuration) -> int:
    from voice_sidecar.ops import doctor  # noqa: PLC0415 - needs what may not be installed

    findings = []
    for finding in doctor.examine(checks(configuration)):
        print(doctor.render(finding), flush=True)
        findings.append(finding)
    return 0 if doctor.healthy(findings) else 1


def checks(configuration: Configuration) -> list[Check]:
    """What the doctor looks at, in order."""
    from voice_sidecar.ops import doctor  # noqa: PLC0415 - needs what may not be installed
    from voice_sidecar.ops.doctor import Check  # noqa: PLC0415
    from voice_sidecar.ops.doctor_discord import Discord, questions  # noqa: PLC0415

    def voice_activity() -> doctor.Vad:
        from voice_sidecar.turns.silero import SileroModel  # noqa: PLC0415

        return SileroModel().stream()

    discord = Discord(configuration.api_base_url, configuration.token, configuration.application_id)
    return [
        *(Check(name, run) for name, run in questions(discord)),
        Check("libopus", doctor.opus),
        Check("davey", doctor.dave),
        Check("voice activity", doctor.voice_activity(voice_activity)),
        Check("end of turn", doctor.end_of_turn, needed=False),
        Check("recognition", doctor.recognition(lambda: bootstrap.make_transcriber(configuration))),
        Check("voices", doctor.voices(lambda: bootstrap.make_speaker(configuration))),
        Check("ffmpeg", doctor.ffmpeg(configuration.ffmpeg)),
        Check("store", doctor.store(lambda: bootstrap.make_store(configuration))),
        *(Check(f"voice queue{name}", doctor.queue(make)) for name, make in _queues(configuration)),
    ]


def _queues(configuration: Configuration) -> list[tuple[str, Callable[[], JobQueue]]]:
    """The queues of all shards, to be made."""
    if SHARD not in configuration.voice.queue:
        return [("", partial(bootstrap.make_voice_queue, configuration))]
    shards = range(configuration.voice.shards)
    return [(f" of shard {shard}", partial(bootstrap.make_voice_queue, configuration, shard)) for shard in shards]


if __name__ == "__main__":
    sys.exit(main())
