"""Which failures people are told of: each once, and not again as long as it lasts. Pure."""

from __future__ import annotations

from typing import Final, Literal

Part = Literal["recogniser", "model", "voice", "store", "budget"]
"""Recognises speech; words answers; speaks them; keeps what was taught; what may still be spent."""
REST_S: Final = 600.0
"""A part that fails to and fro is not spoken of more often than this."""


class Outages:
    """What fails in one call."""

    def __init__(self) -> None:
        self._down: set[Part] = set()
        self._told: dict[Part, float] = {}

    def failed(self, part: Part, now: float) -> bool:
        """A part failed; whether people are to be told."""
        if part in self._down:
            return False
        self._down.add(part)
        told = self._told.get(part)
        if told is not None and now - told < REST_S:
            return False
        self._told[part] = now
        return True

    def works(self, part: Part) -> None:
        """A part did its work."""
        self._down.discard(part)
