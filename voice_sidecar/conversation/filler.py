"""When to say "One moment." because an answer takes its time. Pure."""

from __future__ import annotations

from typing import Final

PRESUMED_FROM_S: Final = 1.0
"""Seconds of voice from which on words are taken for granted before they are recognised."""


class Filler:
    """For one turn.

    Args:
        after_s: seconds from the end of the turn; 0: never.
        ended_at: when the turn ended.
    """

    def __init__(self, after_s: float, ended_at: float) -> None:
        self._at = ended_at + after_s if after_s > 0 else None
        self._ours = False

    def ours(self) -> None:
        """The turn is for us, and will be answered: before that is known nothing is said."""
        self._ours = True

    def over(self) -> None:
        """The answer begins, or none will be given. The filler never follows."""
        self._at = None

    def deadline(self) -> float | None:
        """When it is to be said, if nothing happens until then."""
        return self._at if self._ours else None

    def due(self, now: float) -> bool:
        """Whether it is to be said now; True once."""
        at = self.deadline()
        if at is None or now < at:
            return False
        self._at = None
        return True
