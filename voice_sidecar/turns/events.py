"""What an ear tells of a person's turns.

The events of one turn come in this order; `p` is as often as it likes, and what is in brackets may be missing:

    SpeechBegan  SpeechGoesOn p  ( Dropped | Paused ( WentOn  SpeechGoesOn p  Paused ) p  TurnEnded )

Turns of one person do not overlap. All times are on the clock of the `now` that the ear is given.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from trainer.ports.speech import Sound


class Ending(StrEnum):
    """Why a turn is over."""

    SILENCE = "silence"  # a pause longer than this person's pauses are
    COMPLETE = "complete"  # it sounded finished
    WAITED = "waited"  # it did not sound finished, and nothing followed
    LONG = "long"  # no turn may be longer; what follows is a turn of its own


class DropReason(StrEnum):
    """Why a turn was none."""

    SHORT = "short"  # a cough, a click


class SpeechBegan(NamedTuple):
    """Somebody may be speaking."""

    user_id: int
    turn: int
    at: float


class SpeechGoesOn(NamedTuple):
    """A window with voice, of 32 ms or less, which ended `at`. `voiced_s` is how much voice the turn has so far."""

    user_id: int
    turn: int
    voiced_s: float
    at: float


class Paused(NamedTuple):
    """A short pause: recognition may begin, and whoever can tell whether the turn is over may be asked.

    Attributes:
        user_id: Who.
        turn: Which of their turns.
        sound: All of it, as a recogniser wants it.
        voiced_s: How much of that is voice.
        last_voiced_at: When the voice ended.
        pause: Which pause of the turn, from 1; to be given with a verdict about it.
    """

    user_id: int
    turn: int
    sound: Sound
    voiced_s: float
    last_voiced_at: float
    pause: int = 1


class WentOn(NamedTuple):
    """The pause was none that ends a turn; what began with it is of no use."""

    user_id: int
    turn: int


class TurnEnded(NamedTuple):
    """The turn is over. `sound` is that of its last `Paused`, the same object: what was recognised of it holds."""

    user_id: int
    turn: int
    sound: Sound
    voiced_s: float
    last_voiced_at: float
    reason: Ending


class Dropped(NamedTuple):
    """It was no turn; nothing more is said of it."""

    user_id: int
    turn: int
    reason: DropReason


TurnEvent = SpeechBegan | SpeechGoesOn | Paused | WentOn | TurnEnded | Dropped
