"""Structured logs: a JSON line an event on stderr, with the interaction's id. Never people's words, nor a secret.

Fields go in as `extra={...}`; messages are fixed texts. Exceptions are logged as their class and the places they went
through: an exception's message may hold somebody's words.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import threading
import traceback
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from pythonjsonlogger.json import JsonFormatter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

_interaction: Final[ContextVar[str]] = ContextVar("interaction", default="")
QUIET: Final = (
    "urllib3",
    "botocore",
    "boto3",
    "s3transfer",
    "openai",
    "httpx2",
    "httpcore2",
    "waitress",
    "pypdf",
)
"""Libraries whose records may name URLs, headers or bodies."""


class _WithInteraction(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if not hasattr(record, "interaction_id") and (current := _interaction.get()):
            record.interaction_id = current
        return True


class _Formatter(JsonFormatter):
    """An exception's message may hold people's words: only its class and places are shown, whoever logs it."""

    def formatException(  # noqa: N802 - logging's name
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        error = ei[1]
        return "" if error is None else json.dumps(places(error))


def set_up(level: str = "INFO") -> None:
    """Send all records as JSON lines to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _Formatter(
            ["asctime", "levelname", "name", "message"],
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            datefmt="%Y-%m-%dT%H:%M:%S%z",
        )
    )
    handler.addFilter(_WithInteraction())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
    threading.excepthook = _thread_ended


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None:
        name = ended.thread.name if ended.thread is not None else ""
        logging.getLogger(__name__).critical("a thread ended", extra={"ended": name, **places(ended.exc_value)})


@contextlib.contextmanager
def interaction(interaction_id: str) -> Iterator[None]:
    """All records inside belong to this interaction."""
    token = _interaction.set(interaction_id)
    try:
        yield
    finally:
        _interaction.reset(token)


def places(error: BaseException) -> dict[str, object]:
    """What may be said of an exception: its class, and the files, lines and functions it went through."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "error": type(error).__name__,
        "at": [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-8:]],
    }
