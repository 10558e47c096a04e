"""What becomes of jobs whose person asked to be forgotten meanwhile: of those that wait, and of those given up."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from interactions.actor import actor_of
from interactions.jobs import MalformedJob, unpack
from interactions.outbound import Reply
from interactions.payloads import CommandInteraction
from trainer.i18n import N_
from trainer.privacy import overtaken, was_forgotten

if TYPE_CHECKING:
    from interactions.call import WorkCall
    from interactions.payloads import AnyInteraction
    from trainer.ports import JobQueue, ObjectStore
    from trainer.scope import Scope

LOOKED_AT: Final = 1_000
"""Dead letters that are looked at: of more, the oldest."""

log = logging.getLogger(__name__)


def dropped(call: WorkCall[Any]) -> Reply | None:
    """The reply to a job that is not done any more, since its person asked to be forgotten after it; else None."""
    if not overtaken(call.services.store, call.actor, call.interaction.id):
        return None
    text = call.t(N_("You asked me to forget you after this, so I did not do it."))
    return Reply(text, whisper="instead", kept=False)


def drop_dead_letters(queue: JobQueue, store: ObjectStore, erased: Scope | None = None) -> int:
    """Delete the dead letters that hold words of people who asked to be forgotten after them; how many there were.

    Words are of whoever used the command, and of whoever wrote the message that it is about. All letters from an
    `erased` scope go too. Raises `QueueUnavailable` and `StoreUnavailable`.
    """
    letters = queue.dead(limit=LOOKED_AT)
    if len(letters) == LOOKED_AT:
        log.warning("more dead letters than are looked at", extra={"looked_at": LOOKED_AT})
    count = 0
    for letter in letters:
        try:
            interaction = unpack(letter.body)
        except MalformedJob:
            continue
        if _forgotten(store, interaction, erased):
            count += queue.discard(letter.id)
    return count


def _forgotten(store: ObjectStore, interaction: AnyInteraction, erased: Scope | None) -> bool:
    actor = actor_of(interaction)
    if actor is None or actor.scope == erased:
        return actor is not None
    people = {actor.user_id}
    if isinstance(interaction, CommandInteraction):
        quoted = interaction.data.resolved.messages.values()
        people.update(message.author.id for message in quoted if message.author is not None)
    return any(was_forgotten(store, actor.scope, person, interaction.id) for person in people)
