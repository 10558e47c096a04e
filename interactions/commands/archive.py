"""/archive: a dataset, or another folder of this server's files, as one zip that can be kept and brought back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from interactions.call import QuickFiles
from interactions.definitions import MANAGERS, Handler, Option, Options, SlashCommand
from interactions.delivery_of_files import size_text, with_file
from interactions.failures import Sorry
from interactions.outbound import Choice, Defer, Reply, Say
from interactions.wording import plain
from trainer.i18n import N_
from trainer.settings import scope_settings

if TYPE_CHECKING:
    from interactions.call import AckCall, WorkCall
    from trainer.archive import Archived
    from trainer.archive_format import ArchiveProgress
    from trainer.i18n import Translator

CHOICES_MOST: Final = 25
CHOICE_MOST: Final = 100
"""Characters of a choice's name and value."""

_MANAGERS_ONLY: Final = N_("Archiving is for managers (“Manage Server”).")
_NO_FOLDER: Final = N_("There is no such folder here, or nothing in it. Start typing and choose one from the list.")


def suggest_folder(call: AckCall[None], typed: str) -> tuple[Choice, ...]:
    """Folders that may be meant; archives are not archived again."""
    if not call.actor.is_manager or not isinstance(call.quick, QuickFiles):
        return ()
    found = call.quick.find_files(call.actor.scope, typed, files=False, most=CHOICES_MOST + 1)
    paths = [one.path for one in found if len(one.path) <= CHOICE_MOST and one.path != "archives/"]
    return tuple(Choice(path, path) for path in paths[:CHOICES_MOST])


class ArchiveOptions(Options, frozen=True, kw_only=True):
    """The options of /archive."""

    path: Annotated[str, Option(N_("A folder (default: the selected dataset)"), autocomplete=suggest_folder)] = ""


def acknowledge(call: AckCall[ArchiveOptions]) -> Defer | Say:
    """Managers only, and only for their own eyes: an archive holds what people said."""
    if not call.actor.is_manager:
        return Say(Reply(call.t(_MANAGERS_ONLY)), ephemeral=True)
    return Defer(ephemeral=True)


def work(call: WorkCall[ArchiveOptions]) -> Reply:
    """Make the archive and deliver it."""
    # Zipping needs what acknowledging does not.
    from trainer.archive import NothingToArchive, archive_dataset, archive_folder  # noqa: PLC0415

    t, store, scope = call.t, call.services.store, call.actor.scope

    def tell(progress: ArchiveProgress) -> None:
        files = t.plural("{count} file", "{count} files", progress.objects)
        call.tools.progress(f"⏳ {files}, {size_text(t, progress.bytes)}…")

    path = what = call.given.path.strip()
    if not path:
        # What was selected when the job was first delivered, whatever has been selected since.
        selected = scope_settings(store, scope).dataset
        what = call.services.training.dataset_for(call.actor, call.interaction.id, selected)
    try:
        if path:
            archived = archive_folder(store, scope, path, call.interaction.id, tell)
        else:
            archived = archive_dataset(store, scope, what, call.interaction.id, tell)
    except NothingToArchive:
        if path:
            raise Sorry(t(_NO_FOLDER)) from None
        text = N_("There is nothing in “{dataset}” yet, so there is nothing to archive.")
        return Reply(t(text, dataset=plain(what)))
    return with_file(call, _told(t, what, archived), key=archived.key, name=archived.name, size=archived.size)


def _told(t: Translator, what: str, archived: Archived) -> str:
    files = t.plural("{count} file", "{count} files", archived.objects)
    size = size_text(t, archived.size)
    kept = archived.key.partition("/")[2]
    lines = [
        t(
            N_("📦 “{what}” is archived: {files}, {size} as a zip."),
            what=plain(what.rstrip("/")),
            files=files,
            size=size,
        )
    ]
    if archived.restores:
        examples = t.plural("{count} example", "{count} examples", archived.examples)
        corrections = t.plural("{count} correction", "{count} corrections", archived.corrections)
        lines.append(f"• {examples}, {corrections}")
        lines.append(t(N_("-# `/train archive:` brings it all back, and so does `/train file:` with this zip.")))
    lines.append(t(N_("-# It is kept here as `{path}`."), path=kept.replace("`", "")))
    return "\n".join(lines)


COMMANDS = (
    SlashCommand(
        name="archive",
        description=N_("Save a dataset or a folder as a zip"),
        options=ArchiveOptions,
        permissions=MANAGERS,
        handler=Handler(acknowledge, work),
    ),
)
