"""What a conversation works with, all of it given: models, threads, clocks, settings."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from trainer.scope import Actor, Scope
from voice_sidecar.conversation.asking import Asking, spoken_id
from voice_sidecar.conversation.barge_in import OTHERS_MOST_S, VOICED_S
from voice_sidecar.conversation.models import Recogniser, Voice

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from trainer.answers import AnswerRecord
    from trainer.services import Services
    from voice_sidecar.conversation.asking import Asks
    from voice_sidecar.conversation.models import Recognises, Says
    from voice_sidecar.conversation.turn import TurnReport
    from voice_sidecar.parts import Room
    from voice_sidecar.turns.ear import Ear
    from voice_sidecar.turns.ears import Ears
    from voice_sidecar.turns.endpoint import Endpoint


class Keeps(Protocol):
    """Shows answers that are kept, because the server's managers want transcripts."""

    def shows(self) -> bool:
        """Whether there is a chat that can be written into."""
        ...

    async def answered(self, record: AnswerRecord) -> None:
        """An answer was kept: write it into the channel's chat. Fails silently but for a log line."""
        ...


@dataclass(frozen=True, slots=True)
class Settings:
    """How a conversation goes. Times in seconds.

    Attributes:
        wake_names: What it is called; none: the bot's display name, and our own.
        follow_up_s: For how long after an answer the same person's questions need no name.
        filler_s: After which time without an answer it asks for patience; 0: never.
        barge_in_s: Voice that makes it fall silent.
        others_most_s: For how long people who are not being answered may keep it silent.
        spoken_most_s: How much of an answer is said; of a longer one the rest is only written.
        waiting_most: How many questions wait for their answers at most.
        recognised_at_once: How many sounds are recognised at once before it is sure that they are whole turns.
        recognising_most: How many sounds wait to be recognised at most.
        recognition_most_s: After which time a recogniser that does not answer is given up.
        early: Whether silence is sent before it is sure that there will be an answer. It saves 200 ms, and shows the
            bot as speaking at pauses of somebody who talks with it.
    """

    wake_names: tuple[str, ...] = ()
    follow_up_s: float = 20.0
    filler_s: float = 1.5
    barge_in_s: float = VOICED_S
    others_most_s: float = OTHERS_MOST_S
    spoken_most_s: float = 60.0
    waiting_most: int = 4
    recognised_at_once: int = 2
    recognising_most: int = 8
    recognition_most_s: float = 20.0
    early: bool = True


class Pools(NamedTuple):
    """Threads, of the whole process. All bounded."""

    recognising: Executor
    answering: Executor
    speaking: Executor
    judging: Executor
    """Tells whether turns are over: quick, so it must not wait behind the others."""


def _ignored(_: TurnReport) -> None:
    """Nobody wants to know."""


class Tools(NamedTuple):
    """What a conversation works with.

    Attributes:
        ear: Makes one that listens to somebody.
        endpoint: Hears whether a turn is over; None: silence tells it.
        recognise: Makes words of sound; None where there is no recogniser.
        ask: Answers.
        say: Makes sound of words; None where there is no voice.
        pools: Where those wait.
        keeps: Shows what is kept; None: nothing is shown.
        on_turn: Told what became of each turn, in the event loop.
        clock: Steady seconds.
        now: Seconds since the epoch.
        settings: See there.
    """

    ear: Callable[[int], Ear]
    endpoint: Endpoint | None
    recognise: Recognises | None
    ask: Asks
    say: Says | None
    pools: Pools
    keeps: Keeps | None = None
    on_turn: Callable[[TurnReport], None] = _ignored
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    settings: Settings = Settings()

    def new_id(self) -> str:
        """An id for something that is said now."""
        return spoken_id(self.now())


def make_tools(
    services: Services,
    room: Room,
    ears: Ears,
    pools: Pools,
    *,
    is_manager: Callable[[int], bool] = lambda _: False,
    keeps: Keeps | None = None,
    on_turn: Callable[[TurnReport], None] = _ignored,
    settings: Settings = Settings(),
) -> Tools:
    """The tools of a call, from what the bot has.

    Args:
        services: what answers, recognises and speaks.
        room: where the call is.
        ears: make the ears.
        pools: threads.
        is_manager: whether somebody may manage the server: they may ask more.
        keeps: shows answers that are kept.
        on_turn: told what became of each turn.
        settings: see there.
    """
    scope = Scope("guild", str(room.guild_id))
    later = pools.answering.submit

    def actor(user_id: int) -> Actor:
        return Actor(scope, str(user_id), is_manager(user_id))

    recognise = say = None
    if services.transcriber is not None:
        recognise = Recogniser(services.transcriber, services.ledger, scope, services.keywords, later)
    if services.speaker is not None:
        say = Voice(services.speaker, services.store, services.ledger, scope, later)
    return Tools(
        ear=ears.ear,
        endpoint=ears.endpoint,
        recognise=recognise,
        ask=Asking(services.store, services.answering, services.limits, scope, room.channel_id, actor),
        say=say,
        pools=pools,
        keeps=keeps,
        on_turn=on_turn,
        settings=settings,
    )
