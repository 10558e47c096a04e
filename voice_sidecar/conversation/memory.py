"""What was asked and answered in a call, for follow-ups: in this process alone, and not for long. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from trainer.conversations import ANSWER_MOST, CHARACTERS_MOST, IDLE_S, QUESTION_MOST, TURNS_MOST

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trainer.conversations import Turn

PEOPLE_MOST: Final = 100


class Memory:
    """The last turns of each person. Everything is gone with it."""

    def __init__(self) -> None:
        self._turns: dict[int, list[Turn]] = {}

    def former(self, user_id: int, now: float) -> list[Turn]:
        """What a person asked before, oldest first; `now` in seconds since the epoch."""
        turns = belonging(self._turns.get(user_id, ()), now)
        if not turns:
            self._turns.pop(user_id, None)
        return turns

    def add(self, user_id: int, turn: Turn, now: float) -> None:
        """Remember a turn; one with the same id is replaced."""
        turn = msgspec.structs.replace(
            turn,
            question=turn.question[:QUESTION_MOST],
            answer=turn.answer[:ANSWER_MOST],
            topic=turn.topic[:QUESTION_MOST],
        )
        others = [known for known in self._turns.pop(user_id, ()) if known.id != turn.id]
        self._turns[user_id] = belonging([*others, turn], now)
        self.expire(now)
        while len(self._turns) > PEOPLE_MOST:
            del self._turns[next(iter(self._turns))]

    def expire(self, now: float) -> None:
        """Drop what is too old to be used."""
        for user_id in list(self._turns):
            self.former(user_id, now)

    def forget(self, user_id: int) -> None:
        """Drop everything of somebody."""
        self._turns.pop(user_id, None)

    def clear(self) -> None:
        """Drop everything."""
        self._turns.clear()


def belonging(turns: Iterable[Turn], now: float) -> list[Turn]:
    """The turns that a conversation still consists of, as `trainer.conversations` keeps them.

    The last ones, each once, if the newest is not too old, and no more words than are useful.
    """
    ordered = sorted({turn.id: turn for turn in turns}.values(), key=lambda turn: int(turn.id))
    begin = max((at for at, turn in enumerate(ordered) if turn.fresh), default=0)
    ordered = ordered[begin:][-TURNS_MOST:]
    if not ordered or max(turn.at for turn in ordered) < now - IDLE_S:
        return []
    while len(ordered) > 1 and _characters(ordered) > CHARACTERS_MOST:
        ordered = ordered[1:]
    return ordered


def _characters(turns: Sequence[Turn]) -> int:
    return sum(len(turn.question) + len(turn.answer) for turn in turns)
