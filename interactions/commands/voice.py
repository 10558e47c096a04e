"""/join and /leave: for the voice sidecar, which is not part of this version. Answered at once, honestly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interactions.definitions import Handler, Options, SlashCommand
from interactions.outbound import Reply, Say
from interactions.payloads import GUILD_CONTEXT
from trainer.i18n import N_

if TYPE_CHECKING:
    from interactions.call import AckCall


def acknowledge(call: AckCall[Options]) -> Say:
    """Say that there is nobody to join or to leave."""
    text = N_("Voice is not running here, so I can neither join nor leave a channel. `/ask` works as always.")
    return Say(Reply(call.t(text)), ephemeral=True)


COMMANDS = (
    SlashCommand(
        name="join",
        description=N_("Ask me into your voice channel"),
        handler=Handler(acknowledge),
        contexts=(GUILD_CONTEXT,),
        integration_types=(0,),
    ),
    SlashCommand(
        name="leave",
        description=N_("Send me out of the voice channel"),
        handler=Handler(acknowledge),
        contexts=(GUILD_CONTEXT,),
        integration_types=(0,),
    ),
)
