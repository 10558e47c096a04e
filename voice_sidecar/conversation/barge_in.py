"""When somebody's speech silences us, and when we go on. Pure.

Speech of a quarter of a second pauses what is said. What was said then decides: a turn for us ends the answer,
anything else was a false alarm, and the answer goes on. While several people speak, it waits for all of them. Whoever
is being answered may keep it waiting as long as they speak; the talk of all others together only for a few seconds of
each answer, as in a lively channel it would never come to an end.
"""

from __future__ import annotations

from typing import Final

VOICED_S: Final = 0.18
"""Of voice as a model knows it, which takes up to two of its windows to notice: a quarter of a second of speech."""
OTHERS_MOST_S: Final = 8.0

_Key = tuple[int, int]
"""A person and their turn."""


class BargeIn:
    """Whether what is said is to be paused.

    Args:
        voiced_s: seconds of voice in a turn that pause it.
        others_most_s: seconds for which people who are not being answered may pause one utterance.
    """

    def __init__(self, *, voiced_s: float = VOICED_S, others_most_s: float = OTHERS_MOST_S) -> None:
        self._voiced_s = voiced_s
        self._others_most_s = others_most_s
        self._speech: dict[_Key, float] = {}
        """Voice in each turn that is not decided about."""
        self._asker: int | None = None
        self._saying = False
        self._holding: set[_Key] = set()
        self._spent = 0.0
        """Of the patience with others."""
        self._since: float | None = None
        """When the present pause for others alone began."""

    @property
    def paused(self) -> bool:
        """Whether what is said is to be silent at the moment."""
        return bool(self._holding)

    def held_by(self, user_id: int, turn: int) -> bool:
        """Whether this turn is among those that made us fall silent."""
        return (user_id, turn) in self._holding

    def begin(self, asker: int | None, now: float) -> bool:
        """Something is about to be said, to somebody or to all; whether it has to wait, as somebody is speaking."""
        self._saying, self._asker, self._spent = True, asker, 0.0
        for key, voiced in self._speech.items():
            self._judge(key, voiced)
        self._measure(now)
        return self.paused

    def over(self) -> None:
        """It was said, or stopped."""
        self._saying, self._asker, self._since = False, None, None
        self._holding.clear()

    def speech(self, user_id: int, turn: int, voiced_s: float, now: float) -> bool:
        """Somebody speaks; whether it is to fall silent now."""
        self._speech[user_id, turn] = voiced_s
        before = self.paused
        if self._saying:
            self._judge((user_id, turn), voiced_s)
            self._measure(now)
        return self.paused and not before

    def settled(self, user_id: int, turn: int, now: float) -> bool:
        """A turn was nothing for us, or there was none; whether what is said is to go on now."""
        self._speech.pop((user_id, turn), None)
        return self._release({(user_id, turn)}, now)

    def gone(self, user_id: int, now: float) -> bool:
        """Somebody is not heard any more; whether what is said is to go on now."""
        theirs = {key for key in (*self._speech, *self._holding) if key[0] == user_id}
        for key in theirs:
            self._speech.pop(key, None)
        return self._release(theirs, now)

    def deadline(self) -> float | None:
        """When others have talked for too long."""
        return None if self._since is None else self._since + self._others_most_s - self._spent

    def due(self, now: float) -> bool:
        """Whether what is said is to go on now, as others have talked for too long."""
        deadline = self.deadline()
        if deadline is None or now < deadline:
            return False
        self._spent, self._since = self._others_most_s, None
        self._holding.clear()
        return True

    def _judge(self, key: _Key, voiced_s: float) -> None:
        patient = key[0] == self._asker or self._spent < self._others_most_s
        if voiced_s >= self._voiced_s and patient:
            self._holding.add(key)

    def _release(self, keys: set[_Key], now: float) -> bool:
        before = self.paused
        self._holding -= keys
        self._measure(now)
        return before and not self.paused

    def _measure(self, now: float) -> None:
        """Counts the time for which others alone keep us silent."""
        others = bool(self._holding) and all(user_id != self._asker for user_id, _ in self._holding)
        if others and self._since is None:
            self._since = now
        elif not others and self._since is not None:
            self._spent += now - self._since
            self._since = None
