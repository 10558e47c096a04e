"""Runs the playground beside the endpoint when there are no credentials.

It is another program: nothing of it is imported. It says who it is in a file that `trainer.bootstrap` reads, just as
`.env` says who the real application is.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import msgspec

from interactions.registration import compare, to_write
from interactions.registry import registry
from trainer.bootstrap import PLAYGROUND_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainer.configuration import Configuration

STOP_S: Final = 5.0

log = logging.getLogger(__name__)


class PlaygroundFailed(Exception):
    """The playground did not start."""


class _Ready(msgspec.Struct, frozen=True):
    """The line that the playground prints when it listens."""

    url: str


@contextmanager
def playground(interactions_url: str) -> Iterator[str]:
    """A playground that sends its interactions to `interactions_url`, while the block runs; its own URL.

    It watches its standard input, and so ends with us even if we are killed.
    """
    command = [sys.executable, "-m", "playground", "serve", "--interactions-url", interactions_url]
    command += ["--directory", str(PLAYGROUND_FILE.parent), "--watch-stdin"]
    # A session of its own: Ctrl-C is for us, and we stop it in order.
    process = subprocess.Popen(  # noqa: S603 - our own interpreter, with fixed arguments
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        if process.stdout is None:
            raise PlaygroundFailed("the playground has no output")
        line = process.stdout.readline()
        try:
            ready = msgspec.json.decode(line, type=_Ready)
        except msgspec.DecodeError:
            raise PlaygroundFailed("the playground did not start; what it says is above") from None
        yield ready.url
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def register_commands(configuration: Configuration) -> None:
    """Tell the playground our commands, as `register_commands.py` tells Discord."""
    from interactions.wiring import make_api  # noqa: PLC0415 - not needed with real credentials

    api = make_api(configuration)
    have, want = api.get_commands(), registry().definitions()
    if compare(have, want):
        api.overwrite_commands(to_write(have, want))
    log.info("commands registered", extra={"commands": len(want)})
