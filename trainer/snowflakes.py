"""When something happened, by its id at Discord. Pure.

Source: https://discord.com/developers/docs/reference#snowflakes
"""

from __future__ import annotations

from typing import Final

EPOCH_MS: Final = 1_420_070_400_000
"""Ids count milliseconds from here."""
TIME_BITS: Final = 22
"""An id's bits below its milliseconds."""


def moment_of(snowflake: str) -> float | None:
    """When the thing with this id came about, in seconds since the epoch; None for what is no id."""
    if not snowflake.isascii() or not snowflake.isdecimal():
        return None
    return ((int(snowflake) >> TIME_BITS) + EPOCH_MS) / 1000


def first_of(moment: float) -> int:
    """The smallest id of a moment, in seconds since the epoch."""
    return max(0, int(moment * 1000) - EPOCH_MS) << TIME_BITS
