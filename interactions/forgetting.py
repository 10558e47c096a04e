"""What becomes of a job whose person asked to be forgotten meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from interactions.outbound import Reply
from trainer.i18n import N_
from trainer.privacy import overtaken

if TYPE_CHECKING:
    from interactions.call import WorkCall


def dropped(call: WorkCall[Any]) -> Reply | None:
    """The reply to a job that is not done any more, since its person asked to be forgotten after it; else None."""
    if not overtaken(call.services.store, call.actor, call.interaction.id):
        return None
    text = call.t(N_("You asked me to forget you after this, so I did not do it."))
    return Reply(text, whisper="instead", kept=False)
