"""An answer said in the voice channel where its asker is, instead of in a voice message, if the bot is there, too."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import msgspec

from trainer.i18n import N_
from trainer.ports import PortError
from trainer.voice_calls import call_state
from trainer.voice_orders import SAID_MOST, SAID_S, Say

if TYPE_CHECKING:
    from interactions.call import WorkCall
    from interactions.outbound import Reply

log = logging.getLogger(__name__)


def played(call: WorkCall[Any], reply: Reply, text: str) -> Reply | None:
    """Have the text said there, and the reply with a line that says where; None if it cannot be said there.

    That anybody says it is not known: the bot is in the channel, so a sidecar was there a moment ago. Not to be
    called for what only the asker may know.
    """
    services, scope = call.services, call.actor.scope
    if services.voice is None or services.speaker is None or scope.kind != "guild":
        return None
    if not text.strip() or len(text) > SAID_MOST:
        return None
    try:
        channel_id = _together(call)
        if not channel_id or (services.ledger is not None and services.ledger.spending(scope).exhausted):
            return None
        now = time.time()
        services.voice.send(
            Say(
                id=call.interaction.id,
                guild_id=scope.id,
                user_id=call.actor.user_id,
                text=text.encode(errors="replace").decode(),
                language="",
                at=now,
                expires=now + SAID_S,
            )
        )
    except PortError as error:
        log.warning("not said in the voice channel", extra={"error": type(error).__name__})
        return None
    line = call.t(N_("-# 🔊 I say it in {channel}."), channel=f"<#{channel_id}>")
    return msgspec.structs.replace(reply, content=f"{reply.content}\n{line}")


def _together(call: WorkCall[Any]) -> str:
    """The voice channel where both the bot and who asks are; empty if there is none. Discord is asked last."""
    if call_state(call.services.store, call.actor.scope.id) is None:
        return ""
    theirs = call.tools.voice_channel(call.actor.user_id)
    return theirs if theirs and theirs == call.tools.voice_channel() else ""
