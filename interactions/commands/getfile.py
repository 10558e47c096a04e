"""/getfile: a file of this server: an archive, an upload as it came, an export, a report."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

from interactions.call import QuickFiles
from interactions.definitions import MANAGERS, Handler, Option, Options, SlashCommand
from interactions.delivery_of_files import size_text, with_file
from interactions.failures import Sorry
from interactions.outbound import Choice, Defer, Reply, Say
from interactions.wording import plain
from trainer.i18n import N_

if TYPE_CHECKING:
    from interactions.call import AckCall, WorkCall
    from trainer.i18n import Translator
    from trainer.tree_search import Found

CHOICES_MOST: Final = 25
CHOICE_MOST: Final = 100
"""Characters of a choice's name and value."""
DETAILS: Final = " · "
"""Between a file's path and what else is said of it, in a choice's name."""

_MANAGERS_ONLY: Final = N_("Files are for managers (“Manage Server”).")
_NOT_HERE: Final = N_("There is no such file here. Start typing and choose one from the list.")


def suggest_file(call: AckCall[None], typed: str) -> tuple[Choice, ...]:
    """Folders and files that may be meant."""
    if not call.actor.is_manager or not isinstance(call.quick, QuickFiles):
        return ()
    # Somebody who comes back to a choice sends its name.
    wanted = typed.partition(DETAILS)[0]
    found = call.quick.find_files(call.actor.scope, wanted, files=True, most=2 * CHOICES_MOST)
    choices = [choice for one in found if (choice := _choice(call.t, one)) is not None]
    return tuple(choices[:CHOICES_MOST])


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


def _choice(t: Translator, found: Found) -> Choice | None:
    """What is shown and sent for a folder or a file; None if its path is too long to be sent."""
    if found.file is None:
        return Choice(found.path, found.path) if len(found.path) <= CHOICE_MOST else None
    folder, _, name = found.path.rpartition("/")
    value = found.path
    if len(value) > CHOICE_MOST and folder == "originals":
        value = f"{folder}/{name.partition('-')[0]}"
    if len(value) > CHOICE_MOST:
        return None
    day = datetime.fromtimestamp(found.at, UTC).strftime("%Y-%m-%d %H:%M")
    details = f"{DETAILS}{day}, {size_text(t, found.file.size)}"
    shown = f"{folder}/{found.name}"
    room = CHOICE_MOST - len(details)
    return Choice((shown if len(shown) <= room else shown[: room - 1] + "…") + details, value)


COMMANDS = (
    SlashCommand(
        name="getfile",
        description=N_("Get a file: an archive, an upload, an export"),
        options=GetfileOptions,
        permissions=MANAGERS,
        handler=Handler(acknowledge, work),
    ),
)
