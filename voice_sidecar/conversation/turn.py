"""One turn of a person: what is known of it, when each stage was reached, and what became of it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from voice_sidecar.conversation.going_on import Course, joined

if TYPE_CHECKING:
    from collections.abc import Mapping

    from voice_sidecar.conversation.filler import Filler

log = logging.getLogger(__name__)


class Outcome(StrEnum):
    """What became of a turn."""

    ANSWERED = "answered"
    UNKNOWN = "unknown"  # we said that we do not know
    CUT = "cut"  # the answer was interrupted
    REPLACED = "replaced"  # the same person said something else before anything of the answer was heard
    CONTINUED = "continued"  # the same person went on: what follows is answered together with it
    ACKNOWLEDGED = "acknowledged"  # the name and nothing else
    STOPPED = "stopped"  # a wish to stop, or thanks
    LISTENING = "listening"  # "uh-huh"
    OTHERS = "others"  # not for us
    UNWORTHY = "unworthy"  # noise, most likely
    LIMITED = "limited"  # they, or all together, ask too much
    BUSY = "busy"  # too many wait already
    FAILED = "failed"
    GONE = "gone"  # they left, or do not agree any more


class TurnReport(NamedTuple):
    """A turn in numbers, without words."""

    guild_id: int
    outcome: Outcome
    voiced_s: float
    stages: Mapping[str, float]
    """Seconds from the end of speech until each stage that was reached: `turn_decided`, `transcript`, `first_token`,
    `first_audio`."""
    speculated: bool
    """What was recognised in a pause could be used."""
    filled: bool
    """We asked for patience; `first_audio` is that."""
    heard_s: float
    """Seconds of the answer that were played."""
    parts: int
    """Turns that were put together: more than one if the person went on after what was taken for the end."""


@dataclass(eq=False, slots=True)
class SpokenTurn:
    """A turn. Times are seconds of the conversation's clock; the event loop's alone but for `gone`."""

    id: str
    """A snowflake, as an interaction's."""
    user_id: int
    number: int
    """The ear's."""
    began_at: float
    ended_at: float
    """When the voice ended."""
    decided_at: float
    voiced_s: float
    filler: Filler
    give_up_at: float
    """When its recognition is given up."""
    speculated: bool = False
    language: str = ""
    question: str = ""
    waited: bool = False
    """For the answer to something else."""
    acknowledge: bool = False
    """They said our name and nothing else."""
    transcript_at: float | None = None
    token_at: float | None = None
    audio_at: float | None = None
    filled: bool = False
    heard_s: float = 0.0
    cut: Outcome | None = None
    """Why it is not answered to the end."""
    gone: bool = False
    """The person left or does not agree any more: nothing of it is to be kept."""
    outcome: Outcome | None = field(default=None)
    """Once it is reported."""
    parts: int = 1
    """Turns whose words are in the question, this one included."""
    last: str = ""
    """The words of this one alone, if there were any before them."""
    first_id: str = ""
    """The id of the first of them, if there is one before this."""
    first_began_at: float | None = None
    """When that began."""

    @property
    def course(self) -> Course:
        """What is needed to know whether something goes on with it."""
        began_at = self.began_at if self.first_began_at is None else self.first_began_at
        return Course(began_at, self.decided_at, self.parts, self.audio_at)

    def go_on_from(self, before: SpokenTurn) -> None:
        """It goes on with what was taken for a whole turn: its question is both."""
        self.last = self.question if before.question else ""
        self.question = joined(before.question, self.question)
        self.acknowledge = not self.question
        self.parts = before.parts + 1
        self.first_id = before.first_id or before.id
        self.first_began_at = before.course.began_at

    def audio(self, at: float) -> None:
        """The first audible packet was sent."""
        if self.audio_at is None:
            self.audio_at = at

    def report(self, guild_id: int, outcome: Outcome) -> TurnReport | None:
        """What became of it, once; None if that was told. Logged without words."""
        if self.outcome is not None:
            return None
        self.outcome = outcome
        reached = {
            "turn_decided": self.decided_at,
            "transcript": self.transcript_at,
            "first_token": self.token_at,
            "first_audio": self.audio_at,
        }
        stages = {name: max(0.0, at - self.ended_at) for name, at in reached.items() if at is not None}
        found = TurnReport(
            guild_id, outcome, self.voiced_s, stages, self.speculated, self.filled, round(self.heard_s, 2), self.parts
        )
        log.info(
            "spoken turn",
            extra={
                "interaction_id": self.id,
                "guild_id": str(guild_id),
                "outcome": outcome.value,
                "voiced_s": round(self.voiced_s, 2),
                "heard_s": found.heard_s,
                "speculated": self.speculated,
                "filled": self.filled,
                "parts": self.parts,
                **{f"{name}_ms": round(1000 * seconds) for name, seconds in stages.items()},
            },
        )
        return found
