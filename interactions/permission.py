"""Who may teach, as the acknowledging half finds out: managers, and whoever has the server's trainer role."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from interactions.outbound import Reply, Say
from trainer.settings import is_trainer

if TYPE_CHECKING:
    from interactions.call import AckCall


def refusal_to_teach(call: AckCall[Any], sentence: str) -> Say | None:
    """What to answer somebody who may not teach; None for who may, and while that cannot be told.

    Settings are looked up only for somebody who has roles and is no manager. Whatever was deferred checks again by
    `trainer.settings.may_teach`: the store may not have answered in time, and settings change.
    """
    actor = call.actor
    if actor.is_manager:
        return None
    role = call.quick.trainer_role(actor.scope) if actor.roles else ""
    if role is None or is_trainer(actor, role):
        return None
    return Say(Reply(call.t(sentence)), ephemeral=True)
