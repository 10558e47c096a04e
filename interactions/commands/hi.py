"""/hi: says that the bot is there, and how to begin. Answered at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interactions.definitions import Handler, Options, SlashCommand
from interactions.outbound import Reply, Say
from trainer.i18n import N_

if TYPE_CHECKING:
    from interactions.call import AckCall


def acknowledge(call: AckCall[Options]) -> Say:
    """Greet, with what this person can do next."""
    t = call.t
    lines = [
        t(N_("Hi <@{user}>! I answer from what people here teach me."), user=call.actor.user_id),
        t(N_("• `/ask` asks me something.")),
    ]
    if call.actor.is_manager:
        lines.append(t(N_("• `/train` teaches me: typed text, or a file with questions and answers.")))
        lines.append(t(N_("• `/correct`, or the button below an answer, sets a wrong answer right.")))
    else:
        lines.append(t(N_("• `/correct`, or the button below an answer, proposes a better one to the managers.")))
    return Say(Reply("\n".join(lines)), ephemeral=True)


COMMANDS = (
    SlashCommand(
        name="hi",
        description=N_("Say hello and see what I can do"),
        handler=Handler(acknowledge),
    ),
)
