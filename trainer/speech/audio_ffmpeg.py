"""Decoding with an FFmpeg program of the deployer's own, in a process of its own.

pydub would run the same program, but holds the whole sound in memory as it came, waits for the program for as long as
that takes, and lets it guess what the file is; here the sound is read as a stream and the container is given.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import numpy as np

from trainer.speech.audio_pcm import RATE, AudioRefused, unhurried

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from trainer.speech.audio_pcm import Check, Samples

_BLOCK: Final = 2 * RATE
"""Bytes: a second."""
_AHEAD: Final = 4
"""Blocks that the program may be ahead of who reads them."""
_LOOK_S: Final = 0.2
"""How often the check runs while the program says nothing."""
_ENVIRONMENT: Final = ("PATH", "LD_LIBRARY_PATH", "HOME", "LANG", "SYSTEMROOT", "TEMP", "TMP")
"""All that the program is told of the environment, which has secrets in it."""


def command(ffmpeg: Path, path: Path, container: str) -> list[str]:
    """The command line that writes the first audio track of a file to stdout as raw samples.

    The container is forced, nothing but files can be opened, and `file:` keeps a name from being taken for an
    option, a protocol or a pipe.
    """
    inlet = ["-protocol_whitelist", "file", "-f", container, "-i", f"file:{path.absolute()}"]
    outlet = ["-map", "0:a:0", "-vn", "-sn", "-dn", "-ac", "1", "-ar", str(RATE), "-c:a", "pcm_s16le", "-f", "s16le"]
    return [str(ffmpeg), "-nostdin", "-hide_banner", "-v", "quiet", *inlet, *outlet, "pipe:1"]


def decode(ffmpeg: Path, path: Path, container: str, check: Check = unhurried) -> Generator[Samples, None, None]:
    """The first audio track as mono `RATE`, in chunks of at most a second.

    `container` comes from `audio_av.probe`, which also sees to it that there is a track which may be decoded.

    Raises:
        AudioRefused: `broken` or `empty`, possibly after chunks have come.
        OSError: the program cannot be run.
    """
    with _running(command(ffmpeg, path, container)) as (process, blocks):
        count = 0
        while block := _next(blocks, check):
            samples = np.frombuffer(block, "<i2", len(block) // 2).astype(np.int16, copy=False)
            count += len(samples)
            yield samples
        if _exit_code(process, check) != 0:
            raise AudioRefused("broken")
        if not count:
            raise AudioRefused("empty")


@contextmanager
def _running(arguments: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], queue.Queue[bytes]]]:
    """The program and what it writes, an empty block at the end; it is gone afterwards whatever happens.

    A thread reads, so that a program that hangs does not keep anybody from looking at the time.
    """
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    nothing = subprocess.DEVNULL
    blocks: queue.Queue[bytes] = queue.Queue(_AHEAD)
    abandoned = threading.Event()
    with subprocess.Popen(  # noqa: S603 - a program that the deployer chose; arguments are a list, no shell
        arguments, stdin=nothing, stdout=subprocess.PIPE, stderr=nothing, env=environment, start_new_session=True
    ) as process:
        reader = threading.Thread(target=_read, args=(process, blocks, abandoned), name="ffmpeg-output", daemon=True)
        reader.start()
        try:
            yield process, blocks
        finally:
            abandoned.set()
            _end(process)
            reader.join()


def _next(blocks: queue.Queue[bytes], check: Check) -> bytes:
    while True:
        check()
        try:
            return blocks.get(timeout=_LOOK_S)
        except queue.Empty:
            continue


def _exit_code(process: subprocess.Popen[bytes], check: Check) -> int:
    while True:
        check()
        try:
            return process.wait(timeout=_LOOK_S)
        except subprocess.TimeoutExpired:
            continue


def _read(process: subprocess.Popen[bytes], blocks: queue.Queue[bytes], abandoned: threading.Event) -> None:
    """Hand over what the program writes until it ends or nobody wants any more."""
    block = b"-"
    while block and process.stdout is not None:
        block = process.stdout.read(_BLOCK)
        while not abandoned.is_set():
            try:
                blocks.put(block, timeout=_LOOK_S)
                break
            except queue.Full:
                continue


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the program and, where there are process groups, those it started: it may be a script."""
    if process.returncode is not None:
        return  # it was waited for, and its number may be somebody else's by now
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
