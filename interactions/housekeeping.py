"""Deletes what was kept long enough, beside a worker, or alone: `python -m interactions.housekeeping`.

Every worker has the thread; of all of them, one sweeps in an hour. Where no worker stays up, such as in serverless
functions, a timer runs the command, which sweeps once whatever the time. `--erase-server ID` deletes everything of a
server: when one removes the bot, Discord does not say so, and its people can no longer tell the bot anything.
"""

from __future__ import annotations

import argparse
import logging
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

from interactions.forgetting import drop_dead_letters
from interactions.message_links import is_id
from interactions.scratch import remove_left_over
from trainer import logs
from trainer.erasing import erase
from trainer.ports import PortError
from trainer.retention import SWEEP_EVERY_S, claim, sweep
from trainer.retirements import models_at_openai, retiring
from trainer.scope import Scope
from trainer.snowflakes import first_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trainer.services import Services

FIRST_S: Final = 30.0
"""After the start, so that a process that is only looked at does nothing."""
LOOK_EVERY_S: Final = SWEEP_EVERY_S / 4

log = logging.getLogger(__name__)


class Housekeeping:
    """A thread that sweeps now and then."""

    def __init__(
        self,
        services: Services,
        *,
        first_s: float = FIRST_S,
        every_s: float = LOOK_EVERY_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._services = services
        self._first_s = first_s
        self._every_s = every_s
        self._clock = clock
        self._stopping = threading.Event()
        self._out_of_time = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="housekeeping", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self, *, patience_s: float = 10.0) -> None:
        """Look no more; a sweep that runs gets a while to finish, and is cut off then. The next one goes on."""
        self._stopping.set()
        self._thread.join(patience_s)
        self._out_of_time.set()

    def _loop(self) -> None:
        wait = self._first_s
        while not self._stopping.wait(wait):
            wait = self._every_s
            try:
                if claim(self._services.store, self._clock()):
                    clean(self._services, self._clock(), self._out_of_time.is_set)
                tidy(self._services, self._clock())
            except Exception as error:  # noqa: BLE001 - whatever happens, the thread looks again
                log.error("not swept", extra=logs.places(error))  # noqa: TRY400 - its message may say too much


def tidy(services: Services, now: float) -> None:
    """What each process, and each machine, does for itself."""
    tidied = services.library.tidy()
    folders = remove_left_over(now)
    if tidied or folders:
        log.info("tidied", extra={"indexes": tidied, "folders": folders})


def clean(services: Services, now: float, must_stop: Callable[[], bool] = lambda: False) -> None:
    """Look after queues, then sweep for as long as there is time, whatever became of the queues."""
    try:
        tell_retirements(services, now)
        _clean_queues(services)
    finally:
        swept = sweep(services.store, now, services.policy, services.library.index, must_stop)
        log.info("swept", extra=swept._asdict())


def _clean_queues(services: Services) -> None:
    if services.queue is not None:
        try:
            letters = drop_dead_letters(services.queue, services.store)
        except PortError as error:
            log.warning("dead letters not looked at", extra={"error": type(error).__name__})
        else:
            log.info("dead letters looked at", extra={"dropped": letters})
    if services.voice is not None:
        try:
            orders = services.voice.tidy()
        except PortError as error:
            log.warning("orders to the sidecar not looked at", extra={"error": type(error).__name__})
        else:
            log.info("orders to the sidecar looked at", extra={"dropped": orders})


def tell_retirements(services: Services, now: float) -> None:
    """Log the models in force that their provider ends soon: whoever runs this has to choose others in time."""
    for one in retiring(models_at_openai(services), now):
        log.warning(
            "a model ends",
            extra={"setting": one.use, "model": one.model, "on": one.on.isoformat(), "days": one.days},
        )


def erase_server(services: Services, guild_id: str, now: float) -> None:
    """Delete everything of a server, but for the journals (of ids and moments), and who was forgotten there."""
    scope = Scope("guild", guild_id)
    for dataset in erase(services.store, scope, now, before=first_of(now)):
        services.library.index(scope, dataset)
    letters = drop_dead_letters(services.queue, services.store, scope) if services.queue is not None else 0
    log.info("server erased", extra={"guild": guild_id, "dead_letters": letters})


def main(arguments: Sequence[str] = ()) -> int:
    """Sweep once, or erase a server, and say so in the log."""
    from interactions.wiring import configured  # noqa: PLC0415 - the wiring imports this file's class
    from trainer import bootstrap  # noqa: PLC0415 - as above
    from trainer.configuration import ConfigurationError  # noqa: PLC0415 - as above

    parser = argparse.ArgumentParser(prog="python -m interactions.housekeeping", description="Sweeps once.")
    parser.add_argument("--erase-server", metavar="ID", type=_id, help="instead, delete everything of this server")
    options = parser.parse_args(arguments)
    try:
        configuration = configured()
        logs.set_up(configuration.log_level)
        queue = bootstrap.make_queue(configuration)
        services = bootstrap.make_services(configuration, queue)
    except ConfigurationError as error:
        print(f"trainger: {error}", file=sys.stderr)  # noqa: T201 - a command line speaks to its user
        return 2
    try:
        if options.erase_server:
            erase_server(services, options.erase_server, time.time())
        else:
            clean(services, time.time())
        tidy(services, time.time())
    except PortError as error:
        log.error("not swept", extra=logs.places(error))  # noqa: TRY400 - its message may say too much
        return 1
    finally:
        services.close()
        queue.close()
    return 0


def _id(text: str) -> str:
    if not is_id(text):
        raise argparse.ArgumentTypeError("a server's id is a number")
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
