"""Tells whoever started this process that it has begun, works, and is about to end.

To systemd by its notification protocol: a datagram of `NAME=value` to the socket that `NOTIFY_SOCKET` names, and one
at least every `WATCHDOG_USEC` microseconds, or it takes the process for hung and starts it anew. sd_notify(3) and
sd_watchdog_enabled(3) document it and promise that it stays; they advise small programs to speak it themselves.
To a container's health check, which knows no such socket, by the age of the file that `TRAINGER_HEARTBEAT` names.
Where neither is set, nothing is done here.
"""

from __future__ import annotations

import logging
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

HEARTBEAT: Final = "TRAINGER_HEARTBEAT"
EVERY_S: Final = 10.0
"""How often `alive` is said at least, where systemd does not want it more often."""
PATIENCE_S: Final = 1.0
"""How long a manager may take to take in a datagram."""

log = logging.getLogger(__name__)


def watched() -> bool:
    """Whether anybody wants to know."""
    return bool(os.environ.get("NOTIFY_SOCKET") or os.environ.get(HEARTBEAT))


def ready() -> None:
    """All is there that is needed to work. Also counts as `alive`."""
    _notify("READY=1")
    alive()


def alive() -> None:
    """It works now. To be said every `interval_s()` seconds, by what would not say it if something hung."""
    _notify("WATCHDOG=1")
    if name := os.environ.get(HEARTBEAT):
        path = Path(name)
        try:
            path.touch()
        except OSError as error:
            log.warning("heartbeat not written", extra={"error": error.strerror})


def stopping() -> None:
    """It has been told to end, and does. Whoever looks at the file now sees that nothing is alive."""
    _notify("STOPPING=1")
    if name := os.environ.get(HEARTBEAT):
        with suppress(OSError):
            Path(name).unlink(missing_ok=True)


def interval_s() -> float:
    """Seconds from one `alive` to the next: a third of what systemd allows, and at most `EVERY_S`."""
    allowed = os.environ.get("WATCHDOG_USEC", "")
    meant = os.environ.get("WATCHDOG_PID", "") in {"", str(os.getpid())}
    if not (meant and allowed.isascii() and allowed.isdigit() and int(allowed)):
        return EVERY_S
    return min(EVERY_S, int(allowed) / 1_000_000 / 3)


def attend(stop: threading.Event, works: Callable[[], bool]) -> None:
    """Wait for `stop`, and meanwhile say `alive` as long as `works` says so. What is not watched just waits."""
    if not watched():
        stop.wait()
        return
    ready()
    worked = True
    while not stop.wait(interval_s()):
        works_now = works()
        if works_now:
            alive()
        elif worked:
            log.error("does not work as it should: the watchdog is told nothing")
        worked = works_now
    stopping()


def _notify(state: str) -> None:
    """Send a datagram, if there is somebody to send it to. That they do not take it is not our end."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.settimeout(PATIENCE_S)
            sender.sendto(state.encode(), address)
    except OSError as error:
        log.warning("service manager not told", extra={"error": error.strerror or type(error).__name__})
