"""How far the sound that is made may be ahead of what is played. Pure.

What is made and never played has been paid for all the same, and many answers are interrupted. So no more is made
than keeps playback from running dry: a few sentences, and more of them with a voice that takes long for each.
"""

from __future__ import annotations

from typing import Final

AHEAD_S: Final = 10.0
"""Seconds of sound that may wait to be played, with a voice that needs no time at all."""
SENTENCES: Final = 3
"""The time of how many sentences is added to that: the next one may be much longer than those before it."""


class Ahead:
    """For one thing that is said, from its beginning to its end."""

    def __init__(self) -> None:
        self._slowest_s = 0.0

    def made(self, took_s: float) -> None:
        """A sentence took so long to be made."""
        self._slowest_s = max(self._slowest_s, took_s)

    def wait_s(self, left_s: float) -> float:
        """How long to wait with the next sentence, while so much of those before it is yet to be played; 0: not."""
        return max(0.0, left_s - AHEAD_S - SENTENCES * self._slowest_s)
