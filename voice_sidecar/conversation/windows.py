"""For how long somebody who was answered needs no name to ask again. Pure."""

from __future__ import annotations

import math


class Windows:
    """Who may go on without calling us by name.

    Args:
        seconds: for how long after the end of what was said to them.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: dict[int, float] = {}

    def begin(self, user_id: int) -> None:
        """Something is being prepared for them, or said to them; until `end` their window is open."""
        self._until[user_id] = math.inf

    def end(self, user_id: int, now: float) -> None:
        """It was said. Nothing happens if it was closed meanwhile."""
        if user_id in self._until:
            self._until[user_id] = now + self._seconds

    def close(self, user_id: int) -> None:
        """They want nothing more, or are gone."""
        self._until.pop(user_id, None)

    def open_for(self, user_id: int, began_at: float) -> bool:
        """Whether what somebody began to say at a time needs no name."""
        until = self._until.get(user_id)
        return until is not None and began_at <= until
