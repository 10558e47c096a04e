"""What a container's health check runs: `python -m infra.healthcheck [http|sidecar]`. Silent and 0, or why not and 1.

`http` and `sidecar` are asked at `/healthz`, which looks further. With neither, and in any role, the age of the file
counts that `TRAINGER_HEARTBEAT` names: `trainer.watchdog` renews it while the process works.
"""

from __future__ import annotations

import argparse
import http.client
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from trainer.watchdog import EVERY_S, HEARTBEAT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PORTS: Final = {"http": ("PORT", 8080), "sidecar": ("TRAINGER_SIDECAR_PORT", 8081)}
"""Where each role answers: the setting, and what counts without it."""
TIMEOUT_S: Final = 8.0
OLD_S: Final = 6 * EVERY_S
"""A heart that has not beaten for so long does not beat."""


class Unwell(Exception):
    """What is wrong, in a line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Check one role."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.healthcheck", description="Tells whether a process is well."
    )
    parser.add_argument("role", nargs="?", choices=sorted(PORTS), help="ask it at /healthz (default: its heartbeat)")
    role = parser.parse_args(arguments).role
    try:
        if role is None:
            feel(os.environ.get(HEARTBEAT, ""), time.time())
        else:
            ask(port(os.environ, role))
    except Unwell as reason:
        print(f"unwell: {reason}", file=sys.stderr)  # noqa: T201 - a command line speaks to its user
        return 1
    return 0


def port(environ: Mapping[str, str], role: str) -> int:
    """Where a role answers. Raises `Unwell`."""
    name, default = PORTS[role]
    given = environ.get(name, "").strip()
    if given and not (given.isascii() and given.isdigit() and int(given) < 1 << 16):
        raise Unwell(f"{name} is not a port")
    return int(given) if given else default


def ask(number: int) -> None:
    """Ask a process of this machine how it is. Raises `Unwell`."""
    connection = http.client.HTTPConnection("127.0.0.1", number, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise Unwell(f"nothing answers on port {number} ({type(error).__name__})") from None
    finally:
        connection.close()
    if status != http.client.OK:
        raise Unwell(f"/healthz on port {number} says {status}")


def feel(heart: str, now: float) -> None:
    """Look at the age of a heartbeat's file, `now` in seconds since the epoch. Raises `Unwell`."""
    if not heart:
        raise Unwell(f"{HEARTBEAT} names no file")
    try:
        age = now - Path(heart).stat().st_mtime
    except OSError as error:
        raise Unwell(f"there is no heartbeat ({error.strerror})") from None
    if age > OLD_S:
        raise Unwell(f"the last heartbeat was {age:.0f} s ago")


if __name__ == "__main__":
    sys.exit(main())
