"""Deletes what was kept long enough, beside a worker, or alone: `python -m interactions.housekeeping`.

Every worker has the thread; of all of them, one sweeps in an hour. Where no worker stays up, such as in serverless
functions, a timer runs the command, which sweeps once whatever the time.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

from trainer import logs
from trainer.retention import SWEEP_EVERY_S, claim, sweep

if TYPE_CHECKING:
    from collections.abc import Callable

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
        self._thread = threading.Thread(target=self._loop, name="housekeeping", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self, *, patience_s: float = 10.0) -> None:
        """Look no more; a sweep that runs gets a while to finish, and can be cut off anywhere."""
        self._stopping.set()
        self._thread.join(patience_s)

    def _loop(self) -> None:
        wait = self._first_s
        while not self._stopping.wait(wait):
            wait = self._every_s
            try:
                if claim(self._services.store, self._clock()):
                    clean(self._services, self._clock())
            except Exception as error:  # noqa: BLE001 - whatever happens, the thread looks again
                log.error("not swept", extra=logs.places(error))  # noqa: TRY400 - its message may say too much


def clean(services: Services, now: float) -> None:
    """Sweep once."""
    swept = sweep(services.store, now, services.policy, on_change=services.library.index)
    log.info("swept", extra=swept._asdict())


def main() -> int:
    """Sweep once, and say so in the log."""
    from interactions.wiring import configured  # noqa: PLC0415 - the wiring imports this file's class
    from trainer import bootstrap  # noqa: PLC0415 - as above
    from trainer.configuration import ConfigurationError  # noqa: PLC0415 - as above
    from trainer.ports import PortError  # noqa: PLC0415 - as above

    try:
        configuration = configured()
        logs.set_up(configuration.log_level)
        services = bootstrap.make_services(configuration)
    except ConfigurationError as error:
        print(f"trainger: {error}", file=sys.stderr)  # noqa: T201 - a command line speaks to its user
        return 2
    try:
        clean(services, time.time())
    except PortError as error:
        log.error("not swept", extra=logs.places(error))  # noqa: TRY400 - its message may say too much
        return 1
    finally:
        services.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
