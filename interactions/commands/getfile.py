"""/getfile: a file of this server: an archive, an upload as it came, an export, a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from interactions.definitions import MANAGERS, Handler, Option, Options, SlashCommand
from interactions.delivery_of_files import size_text, with_file
from interactions.failures import Sorry
from interactions.file_choices import suggest_file
from interactions.outbound import Defer, Reply, Say
from interactions.wording import plain
from trainer.i18n import N_

if TYPE_CHECKING:
    from interactions.call import AckCall, WorkCall

_MANAGERS_ONLY: Final = N_("Files are for managers (“Manage Server”).")
_NOT_HERE: Final = N_("There is no such file here. Start typing and choose one from the list.")


class GetfileOptions(Options, frozen=True, kw_only=True):
    """The options of /getfile."""

    path: Annotated[str, Option(N_("Which file: start typing"), autocomplete=suggest_file)]


def acknowledge(call: AckCall[GetfileOptions]) -> Defer | Say:
    """Managers only, and only for their own eyes: files hold what people said."""
    if not call.actor.is_manager:
        return Say(Reply(call.t(_MANAGERS_ONLY)), ephemeral=True)
    return Defer(ephemeral=True)


def work(call: WorkCall[GetfileOptions]) -> Reply:
    """Deliver the file."""
    from trainer.tree import file_at  # noqa: PLC0415 - acknowledging does without

    file = file_at(call.services.store, call.actor.scope, call.given.path)
    if file is None:
        raise Sorry(call.t(_NOT_HERE))
    if not file.size:
        raise Sorry(call.t(N_("That file is empty.")))
    text = call.t(N_("📄 {name}, {size}"), name=plain(file.name), size=size_text(call.t, file.size))
    return with_file(call, text, key=file.key, name=file.name, size=file.size)


COMMANDS = (
    SlashCommand(
        name="getfile",
        description=N_("Get a file: an archive, an upload, an export"),
        options=GetfileOptions,
        permissions=MANAGERS,
        handler=Handler(acknowledge, work),
    ),
)
