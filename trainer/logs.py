"""Structured logs: a JSON line an event on stderr, with the interaction's id. Never people's words, nor a secret.

Fields go in as `extra={...}`; messages are fixed texts. Exceptions are logged as their class and the places they went
through: an exception's message may hold somebody's words.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import traceback
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from pythonjsonlogger.json import JsonFormatter

if TYPE_CHECKING:
    from collections.abc import Iterator

_interaction: Final[ContextVar[str]] = ContextVar("interaction", default="")
QUIET: Final = (
    "urllib3",
    "botocore",
    "boto3",
    "s3transfer",
    "openai",
    "httpx2",
    "httpcore2",
    "waitress.queue",
    "pypdf",
)
"""Libraries whose records may name URLs, headers or bodies."""


class _WithInteraction(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if not hasattr(record, "interaction_id") and (current := _interaction.get()):
            record.interaction_id = current
        return True


def set_up(level: str = "INFO") -> None:
    """Send all records as JSON lines to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(
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
