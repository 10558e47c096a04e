"""What is kept of what people say to the bot in voice channels: nothing, unless a server's managers want it kept.

    g42/voice/turns/<answer>   empty; says that this answer is to a spoken question

A spoken question that is kept is an answer like any other, with the same corrections and votes, and goes with its
person's data; only it may go sooner. The mark comes first: an answer without it would be kept as long as typed ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from trainer.answers import save_answer
from trainer.datasets import answer_key, votes_prefix
from trainer.snowflakes import moment_of

if TYPE_CHECKING:
    from trainer.answers import AnswerRecord
    from trainer.ports import ObjectStore
    from trainer.scope import Scope

DAY_S: Final = 86_400.0

IN_FLIGHT_S: Final = 600.0
"""A mark that is younger may be of a question whose answer is about to be written."""


def turns_prefix(scope: Scope) -> str:
    """What the marks of all spoken questions lie under, in order of their answers."""
    return f"{scope.prefix}/voice/turns/"


def keep_turn(store: ObjectStore, scope: Scope, answer: AnswerRecord) -> AnswerRecord:
    """Keep the answer to a spoken question. Only where the server's settings say so (`voice_transcripts`)."""
    store.put(f"{turns_prefix(scope)}{answer.id}", b"")
    return save_answer(store, scope, answer)


def sweep_turns(store: ObjectStore, scope: Scope, now: float, days: int) -> int:
    """Delete the spoken questions that are older than so many days, with answers and votes; how many there were.

    With 0 days all of them go, but for those of the last minutes.
    """
    swept, prefix = 0, turns_prefix(scope)
    until = now - max(days * DAY_S, IN_FLIGHT_S)
    for info in store.list(prefix):
        answer_id = info.key.removeprefix(prefix)
        moment = moment_of(answer_id)
        if moment is not None and moment >= until:
            break  # ids grow, so those that follow are younger
        if moment is None and info.modified_at >= until:
            continue
        for vote in store.list(f"{votes_prefix(scope)}{answer_id}/"):
            store.delete(vote.key)
        store.delete(answer_key(scope, answer_id))
        # Last: what is cut off before is done the next time.
        store.delete(info.key)
        swept += 1
    return swept
