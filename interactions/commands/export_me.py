"""/export_me: everything that the bot keeps of the person here, as a zip for them alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interactions.definitions import Handler, Options, SlashCommand
from interactions.delivery_of_files import with_file
from interactions.outbound import Defer, Reply
from interactions.privacy_wording import count_lines, here
from trainer.i18n import N_

if TYPE_CHECKING:
    from interactions.call import AckCall, WorkCall

FILE_NAME: Final = "trainger-{user}.zip"
PROGRESS: Final = "⏳ "


def acknowledge(_: AckCall[Options]) -> Defer:
    """Only for the person's own eyes."""
    return Defer(ephemeral=True)


def work(call: WorkCall[Options]) -> Reply:
    """Collect everything, and hand it over."""
    from trainer.person_export import export  # noqa: PLC0415 - acknowledging does without
    from trainer.retention import PERSONAL_DAYS  # noqa: PLC0415 - as above

    t, scope = call.t, call.actor.scope

    def tell(done: int) -> None:
        text = t.plural("{count} thing of yours so far…", "{count} things of yours so far…", done)
        call.tools.progress(PROGRESS + text)

    exported = export(call.services.store, call.actor, call.interaction.id, on_progress=tell)
    if exported is None:
        return Reply(t(N_("I have nothing of yours {here}."), here=here(t, scope)))
    lines = [
        t(N_("This is everything that I keep of you {here}, as readable JSON in a zip:"), here=here(t, scope)),
        *count_lines(t, exported.counts),
        t.plural(
            "-# My copy of the zip goes within {count} day.",
            "-# My copy of the zip goes within {count} days.",
            PERSONAL_DAYS,
        ),
    ]
    name = FILE_NAME.format(user=call.actor.user_id)
    return with_file(call, "\n".join(lines), key=exported.key, name=name, size=exported.size)


COMMANDS = (
    SlashCommand(
        name="export_me",
        description=N_("Get a copy of everything that I keep of you here"),
        handler=Handler(acknowledge, work),
    ),
)
