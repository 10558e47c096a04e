"""Says no to whoever does too much at once, politely and to them alone. The limits are in `trainer.limits`.

Docs: docs/decisions/0006-where-limits-are-checked.md
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from interactions.outbound import Reply
from interactions.payloads import CommandInteraction, ModalInteraction, SlashData
from trainer.i18n import N_
from trainer.limits import HOUR, MINUTE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from interactions.call import WorkCall
    from interactions.payloads import Attachment, Interaction
    from trainer.i18n import Translator
    from trainer.limit_store import Limiter
    from trainer.limits import Action, Full

ACTIONS: Final[Mapping[str, Action]] = {
    "ask": "ask",
    "about": "ask",
    "Transcribe": "ask",
    "join": "ask",
    "train": "train",
    "Train on this": "train",
    "archive": "heavy",
    "export_me": "heavy",
    "test": "heavy",
    "test_rerun": "heavy",
}
"""Which limits hold for a command, button or modal, by its handler's name; `other` for those not named here."""
MOMENT_S: Final = 90
"""Waits up to this are told in seconds."""


def too_many(limiter: Limiter | None, call: WorkCall[Any], name: str) -> Reply | None:
    """Count a use; what to say, to the person alone, if it is one too many."""
    if limiter is None:
        return None
    action = ACTIONS.get(name, "other")
    size = sum(file.size for file in _attached(call.interaction)) if action == "train" else 0
    full = limiter.use(call.actor, action, call.interaction.id, size=size)
    return None if full is None else Reply(refusal(call.t, full), whisper="instead")


def refusal(t: Translator, full: Full) -> str:
    """Which limit it is, and how long to wait."""
    if full.limit.unit == "bytes":
        first = t(N_("That is more than I can take in from here in one day."))
    elif full.limit.owner == "scope":
        first = t(N_("So many people here need me just now that I cannot keep up."))
    else:
        first = t(N_("You are too fast for me."))
    return f"{first} {wait_sentence(t, full.wait_s)}"


def wait_sentence(t: Translator, seconds: float) -> str:
    """How long to wait, never less than it is."""
    if seconds <= MOMENT_S:
        return t.plural("Please wait {count} second.", "Please wait {count} seconds.", max(1, math.ceil(seconds)))
    if seconds <= MOMENT_S * MINUTE:
        return t.plural("Please wait {count} minute.", "Please wait {count} minutes.", math.ceil(seconds / MINUTE))
    return t.plural("Please wait {count} hour.", "Please wait {count} hours.", math.ceil(seconds / HOUR))


def _attached(interaction: Interaction) -> list[Attachment]:
    """The files that come with a slash command or a modal."""
    match interaction:
        case CommandInteraction(data=SlashData() as data) | ModalInteraction(data=data):
            return list(data.resolved.attachments.values())
        case _:
            return []
